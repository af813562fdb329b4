//! The targets of a package, and the selection among them: the library and the binaries, or those that the flags select, as in cargo.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::{LoadError, matcher};

/// A target that is read; it is a crate of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub name: String,
    pub kind: TargetKind,
    /// The path of its root file.
    pub root: Utf8PathBuf,
    /// Its edition, such as `2024`.
    pub edition: String,
    /// Whether it is read as its tests compile it, with `cfg(test)`.
    pub is_test: bool,
}

/// The kinds of targets, as cargo distinguishes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// A library, or a crate of procedural macros.
    Lib,
    /// A binary of the package.
    Bin,
    Example,
    /// An integration test, such as a file in `tests`.
    Test,
    /// A benchmark of the package.
    Bench,
}

impl TargetKind {
    /// Cargo's name for it, in flags and in messages.
    pub fn name(self) -> &'static str {
        match self {
            TargetKind::Lib => "lib",
            TargetKind::Bin => "bin",
            TargetKind::Example => "example",
            TargetKind::Test => "test",
            TargetKind::Bench => "bench",
        }
    }

    pub(super) fn of(target: &cargo_metadata::Target) -> Option<TargetKind> {
        use cargo_metadata::TargetKind as Cargo;
        target.kind.iter().find_map(|kind| match kind {
            Cargo::Lib | Cargo::RLib | Cargo::DyLib | Cargo::CDyLib | Cargo::StaticLib | Cargo::ProcMacro => {
                Some(TargetKind::Lib)
            }
            Cargo::Bin => Some(TargetKind::Bin),
            Cargo::Example => Some(TargetKind::Example),
            Cargo::Test => Some(TargetKind::Test),
            Cargo::Bench => Some(TargetKind::Bench),
            _ => None,
        })
    }
}

impl Target {
    /// The target of a library without a manifest.
    pub fn library(name: &str, root: &Utf8Path) -> Target {
        let (name, edition) = (name.to_owned(), "2024".to_owned());
        Target { name, kind: TargetKind::Lib, root: root.to_owned(), edition, is_test: false }
    }

    fn new(target: &cargo_metadata::Target, is_test: bool) -> Option<Target> {
        let (name, edition) = (target.name.clone(), target.edition.to_string());
        Some(Target { name, kind: TargetKind::of(target)?, root: target.src_path.clone(), edition, is_test })
    }

    /// The package as shown for this target. The library is shown as the package, and so is the only binary of a package without a library.
    pub(super) fn title(&self, package: &cargo_metadata::Package) -> String {
        let main = |it: &&cargo_metadata::Target| matches!(TargetKind::of(it), Some(TargetKind::Lib | TargetKind::Bin));
        let is_alone = self.kind == TargetKind::Bin && package.targets.iter().filter(main).count() == 1;
        let is_whole = (self.kind == TargetKind::Lib || is_alone) && !self.is_test;
        if is_whole { package.name.to_string() } else { format!("{} ({self})", package.name) }
    }

    /// The flag of cargo that selects this target.
    pub fn flag(&self) -> String {
        match self.kind {
            TargetKind::Lib | TargetKind::Bin if self.is_test => "--tests".to_owned(),
            TargetKind::Lib => "--lib".to_owned(),
            kind => format!("--{} {}", kind.name(), self.name),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TargetKind::Lib => write!(f, "lib")?,
            kind => write!(f, "{} {}", kind.name(), self.name)?,
        }
        let is_extra = self.is_test && matches!(self.kind, TargetKind::Lib | TargetKind::Bin | TargetKind::Example);
        if is_extra { write!(f, " test") } else { Ok(()) }
    }
}

/// The selection of targets to read. By default, the library and the binaries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSelection {
    /// Whether `--lib` is given.
    pub lib: bool,
    /// Whether `--bins` is given.
    pub bins: bool,
    /// The values of `--bin`: names or patterns.
    pub bin: Vec<String>,
    /// Whether `--examples` is given.
    pub examples: bool,
    /// The values of `--example`: names or patterns.
    pub example: Vec<String>,
    /// Whether `--tests` is given: every target that cargo tests, as its tests compile it.
    pub tests: bool,
    /// The values of `--test`: names or patterns.
    pub test: Vec<String>,
    /// Whether `--benches` is given.
    pub benches: bool,
    /// The values of `--bench`: names or patterns.
    pub bench: Vec<String>,
    /// Whether `--all-targets` is given.
    pub all_targets: bool,
}

impl TargetSelection {
    /// Selects all targets of every kind.
    pub fn all() -> TargetSelection {
        TargetSelection { all_targets: true, ..TargetSelection::default() }
    }

    /// Whether no targets are selected explicitly.
    pub fn is_usual(&self) -> bool {
        *self == TargetSelection::default()
    }

    /// Whether it includes targets that are compiled with dev-dependencies.
    pub(super) fn compiles_tests(&self) -> bool {
        let named = [&self.example, &self.test, &self.bench];
        self.all_targets || self.tests || self.examples || self.benches || named.iter().any(|it| !it.is_empty())
    }

    /// The selected names or patterns, by kind.
    fn names(&self) -> [(TargetKind, &[String]); 4] {
        [
            (TargetKind::Bin, &self.bin),
            (TargetKind::Example, &self.example),
            (TargetKind::Test, &self.test),
            (TargetKind::Bench, &self.bench),
        ]
    }

    /// The same selection as flags of cargo.
    pub fn flags(&self) -> Vec<String> {
        let all = [
            ("--lib", self.lib),
            ("--bins", self.bins),
            ("--examples", self.examples),
            ("--tests", self.tests),
            ("--benches", self.benches),
            ("--all-targets", self.all_targets),
        ];
        let mut flags: Vec<String> = all.iter().filter(|(_, given)| *given).map(|(it, _)| (*it).to_owned()).collect();
        for (kind, names) in self.names() {
            flags.extend(names.iter().flat_map(|it| [format!("--{}", kind.name()), it.clone()]));
        }
        flags
    }

    /// Refuses a selection that matches no target of any of these packages.
    pub(super) fn check(&self, packages: &[&cargo_metadata::Package]) -> Result<(), LoadError> {
        let of_kind = |kind: TargetKind| {
            let targets = packages.iter().flat_map(|it| &it.targets);
            targets.filter(move |it| TargetKind::of(it) == Some(kind)).map(|it| it.name.as_str())
        };
        if self.lib && !self.all_targets && of_kind(TargetKind::Lib).next().is_none() {
            return Err(LoadError::NoSuchTarget { kind: TargetKind::Lib, name: None, known: Vec::new() });
        }
        for (kind, names) in self.names() {
            for name in names {
                let is_meant = matcher(name)?;
                if !of_kind(kind).any(&is_meant) {
                    let known = of_kind(kind).map(str::to_owned).collect();
                    return Err(LoadError::NoSuchTarget { kind, name: Some(name.clone()), known });
                }
            }
        }
        Ok(())
    }

    /// The targets of a package that are read, the library first; and, without an explicit selection, those that are not. Cargo leaves out
    /// targets whose required features are disabled.
    pub(super) fn of(
        &self,
        package: &cargo_metadata::Package,
        is_on: &dyn Fn(&str) -> bool,
    ) -> (Vec<Target>, Vec<Target>) {
        let mut read: Vec<Target> = Vec::new();
        let mut left_out = Vec::new();
        let possible = |it: &&cargo_metadata::Target| it.required_features.iter().all(|feature| is_on(feature));
        for target in package.targets.iter().filter(possible) {
            let Some(kind) = TargetKind::of(target) else { continue };
            let (plain, as_test) = (self.reads(kind, &target.name), self.reads_as_test(kind, target));
            read.extend(
                [(plain, false), (as_test, true)].iter().filter(|it| it.0).filter_map(|it| Target::new(target, it.1)),
            );
            if self.is_usual() {
                // A target that is read may have more layers under `cfg(test)`.
                left_out.extend(Target::new(target, kind != TargetKind::Example));
            }
        }
        read.sort_by_key(|it| (it.is_test, it.kind));
        (read, left_out)
    }

    /// Whether a target is read as it is compiled without tests.
    fn reads(&self, kind: TargetKind, name: &str) -> bool {
        let is_named = |names: &[String]| names.iter().any(|it| matcher(it).is_ok_and(|is_meant| is_meant(name)));
        match kind {
            TargetKind::Lib => self.lib || self.all_targets || self.is_usual(),
            TargetKind::Bin => self.bins || self.all_targets || self.is_usual() || is_named(&self.bin),
            TargetKind::Example => self.examples || self.all_targets || is_named(&self.example),
            TargetKind::Test | TargetKind::Bench => false,
        }
    }

    /// Whether a target is read as its tests compile it. Cargo compiles all targets with tests for `--tests`, and all with benchmarks for
    /// `--benches`.
    fn reads_as_test(&self, kind: TargetKind, target: &cargo_metadata::Target) -> bool {
        let is_named =
            |names: &[String]| names.iter().any(|it| matcher(it).is_ok_and(|is_meant| is_meant(&target.name)));
        let all = self.all_targets;
        let by_tests = (self.tests || all) && target.test;
        match kind {
            TargetKind::Lib | TargetKind::Bin => by_tests || self.benches || all,
            TargetKind::Example => by_tests,
            TargetKind::Test => self.tests || all || is_named(&self.test),
            TargetKind::Bench => self.benches || all || is_named(&self.bench) || (self.tests && target.test),
        }
    }
}
