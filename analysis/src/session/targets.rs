//! Combines the targets of one package: each is a crate of its own, but they may share files.
//!
//! A finding of two targets at the same place is reported once, by the first. An empty target is ignored if
//! another target of the package has layers; if none has, that is a finding. Layers in a target that was not selected are a finding, too.

use std::{collections::HashSet, sync::Arc};

use camino::Utf8PathBuf;

use super::{File, Loaded, PackageSnapshot, Reader, Session, Snapshot};
use crate::{
    db::{self, PackageSources},
    diagnostics::{Diagnostic, Severity, codes},
    ir::Span,
    plan::Entry,
    report::Options,
    results::Fingerprint,
    workspace::{self, Package, Target, TargetKind},
};

/// The relations between the targets of a session.
pub(super) struct Targets {
    /// For each, whether it is without layers and without errors.
    empty: Vec<bool>,
    /// The cargo package id of each target.
    ids: Vec<String>,
    /// The cargo package ids of those that are libraries.
    libraries: HashSet<String>,
}

impl Targets {
    pub(super) fn new(db: &db::Database, packages: &[Loaded], sources: &[PackageSources]) -> Targets {
        let is_empty = |it: &PackageSources| {
            let own = (0..).zip(it.files(db)).filter(|(number, _)| it.crates(db).of_file(*number) == 0);
            it.unread(db).is_empty() && own.into_iter().all(|(_, file)| db::declares_nothing(db, *file))
        };
        let ids = packages.iter().map(|it| it.package.id.clone()).collect();
        let is_library = |it: &&Loaded| it.package.target.kind == TargetKind::Lib && !it.package.target.is_test;
        let libraries = packages.iter().filter(is_library).map(|it| it.package.id.clone()).collect();
        Targets { empty: sources.iter().map(is_empty).collect(), ids, libraries }
    }

    fn of_package(&self, index: usize) -> impl Iterator<Item = usize> {
        (0..self.ids.len()).filter(move |it| self.ids[*it] == self.ids[index])
    }

    /// Whether a target is empty while another one of its package has layers, or comes first.
    pub(super) fn is_bare(&self, index: usize) -> bool {
        let is_first = self.of_package(index).next() == Some(index);
        self.empty[index] && (!is_first || self.of_package(index).any(|it| !self.empty[it]))
    }

    /// Whether this target reports the targets that are not read.
    pub(super) fn tells(&self, index: usize) -> bool {
        self.of_package(index).find(|it| !self.is_bare(*it)) == Some(index)
    }

    /// Whether no target of the package has layers.
    pub(super) fn have_nothing(&self, index: usize) -> bool {
        self.of_package(index).all(|it| self.empty[it])
    }

    /// The libraries read with a target that are in the session themselves, by their numbers there.
    pub(super) fn of_libraries(&self, package: &Package) -> Vec<u32> {
        let libraries = (1..).zip(&package.dependencies.libraries);
        libraries.filter(|(_, it)| self.libraries.contains(&it.package)).map(|(number, _)| number).collect()
    }

    /// The targets of the same package that come before one.
    pub(super) fn before(&self, index: usize) -> Vec<usize> {
        self.of_package(index).take_while(|it| *it < index).collect()
    }
}

/// The identity of an obligation: where it is stated, and everything that its outcome depends on.
type Stated = (Utf8PathBuf, u32, u32, Fingerprint);

/// Removes the findings that another target of the package has at the same place.
pub(super) fn only_own(diagnostics: &mut Vec<Diagnostic>, files: &[File], before: &[&PackageSnapshot]) {
    let place = |files: &[File], span: Span| {
        let file = files.get(span.file as usize)?;
        Some((file.path.clone(), span.start, span.end))
    };
    let told: HashSet<_> = before
        .iter()
        .flat_map(|it| {
            it.diagnostics.iter().map(|found| (found.code, found.message.clone(), place(&it.files, found.span)))
        })
        .collect();
    diagnostics.retain(|it| !told.contains(&(it.code, it.message.clone(), place(files, it.span))));
}

impl Snapshot {
    /// The obligations of earlier targets of the same package.
    pub(super) fn stated_before(&self, package: usize, options: &Options) -> HashSet<Stated> {
        let before = self.packages[package].earlier.iter().map(|it| &*self.packages[*it]);
        let of_package = |it: &'_ PackageSnapshot| -> Vec<Stated> {
            let plan = it.view.plan(options);
            let owed = it.view.owed(plan, &options.scope, &self.results);
            owed.into_iter().filter_map(|at| it.stated(&plan.entries[at], options)).collect()
        };
        before.flat_map(of_package).collect()
    }
}

impl PackageSnapshot {
    /// The identity of an obligation of the package.
    pub(super) fn stated(&self, entry: &Entry, options: &Options) -> Option<Stated> {
        let Span { file, start, end } = self.view.span(entry);
        let path = self.files.get(file as usize)?.path.clone();
        Some((path, start, end, entry.fingerprint(&options.scope)))
    }

    /// Whether this package reports an obligation: no earlier target has the same one, and no library that is itself checked.
    pub(super) fn tells(&self, entry: &Entry, options: &Options, before: &HashSet<Stated>) -> bool {
        self.is_told_here(self.view.span(entry))
            && (before.is_empty() || self.stated(entry, options).is_none_or(|it| !before.contains(&it)))
    }

    /// Whether this package reports a finding at this place.
    fn is_told_here(&self, place: Span) -> bool {
        self.files.get(place.file as usize).is_none_or(|it| !self.elsewhere.contains(&it.krate))
    }

    /// Leaves out the findings in libraries that are checked themselves, and warnings about any library.
    pub(super) fn leave_to_libraries(&mut self) {
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        diagnostics.retain(|it| {
            let is_own = self.files.get(it.span.file as usize).is_none_or(|file| file.krate == 0);
            is_own || (it.severity == Severity::Error && self.is_told_here(it.span))
        });
        self.diagnostics = diagnostics;
    }

    /// Whether its program is that of another target, made of the same files.
    pub(super) fn adds_nothing_to(&self, other: &PackageSnapshot) -> bool {
        let mut declaring = self.files.iter().filter(|it| it.krate == 0 && it.indexed.index.declares_something());
        declaring.all(|it| other.files.iter().any(|file| file.path == it.path)) && self.program() == other.program()
    }

    /// Whether it shares a file with another target.
    pub(super) fn shares_with(&self, files: &[File]) -> bool {
        self.files.iter().any(|it| files.iter().any(|other| other.path == it.path))
    }
}

impl Session {
    /// Warnings about layers in the targets of a package that are not read.
    pub(super) fn left_out(&mut self, package: &Package) -> Vec<Diagnostic> {
        package.left_out.iter().filter(|it| self.has_layers(package, it)).map(|it| not_read(it, package)).collect()
    }

    /// Whether a target that is not read has layers, or a target that is read has more of them under `cfg(test)`.
    fn has_layers(&mut self, package: &Package, about: &Target) -> bool {
        let is_read = matches!(about.kind, TargetKind::Lib | TargetKind::Bin);
        let target = |it: Target| Package { target: it, ..package.clone() };
        let known = if is_read { self.declared(&target(Target { is_test: false, ..about.clone() })) } else { 0 };
        self.declared(&target(about.clone())) > known
    }

    /// The number of layers, implementations, stacks and clients in a target.
    fn declared(&mut self, package: &Package) -> usize {
        let reading = if package.target.is_test { package.reading.with_test() } else { Arc::clone(&package.reading) };
        let package = &Package { reading, dependencies: Arc::default(), ..package.clone() };
        let Session { db, texts, files, .. } = self;
        let mut reader = Reader { db, texts, files, package };
        let found = workspace::source_files(package, &mut reader).files;
        let files: Vec<_> = found.iter().map(|it| reader.file(it.krate, &it.path).0).collect();
        files.into_iter().map(|it| db::indexed(&self.db, it).index.declared()).sum()
    }
}

fn not_read(target: &Target, package: &Package) -> Diagnostic {
    let root = target.root.strip_prefix(&package.workspace_root).unwrap_or(&target.root);
    let message = match target.kind {
        TargetKind::Lib | TargetKind::Bin => {
            format!("the layers under `cfg(test)` below `{root}` are not checked")
        }
        _ => format!("the layers in `{root}` are not checked: it is not among the targets that are read"),
    };
    Diagnostic {
        label: "the root file of the target".to_owned(),
        help: Some(format!("`{}` reads them, `--all-targets` reads everything", target.flag())),
        severity: Severity::Warning,
        ..Diagnostic::error(codes::CS0003, Span { file: 0, start: 0, end: 0 }, message)
    }
}
