//! Packages and their files. Only this stage reads the disk or runs cargo.

mod cfg;
mod dependencies;
mod files;
mod rustc;
mod targets;
mod texts;

use std::{ops::Deref, process::Command, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand};
use dependencies::Known;
use serde_json::Value;

pub use cfg::{CfgOptions, FeatureSelection, NoAnswer};
pub use dependencies::{Crates, Dependencies, Library};
pub(crate) use files::candidates;
pub use files::{Files, FoundFile, SourceFiles, source_files};
pub use rustc::{Compilation, Compiled, Refusal, RefusedPlace};
pub use targets::{Target, TargetKind, TargetSelection};
pub use texts::{Text, Texts};

/// A package that takes part, as one of its targets compiles it: its manifest has a `[package.metadata.cspec]` table.
#[derive(Clone, Debug)]
pub struct Package {
    /// The name of the package.
    pub name: String,
    /// The cargo package id.
    pub id: String,
    /// The path of the manifest.
    pub manifest_path: Utf8PathBuf,
    /// The package and target as shown: only the name for the library, `name (bin server)` for a binary beside it.
    pub title: String,
    /// The target that is read; each is a crate of its own.
    pub target: Target,
    /// The targets of the package that are not read, because none were selected explicitly.
    pub left_out: Vec<Target>,
    /// The edition of the target, such as `2024`.
    pub edition: String,
    /// The workspace root; shown paths are relative to it.
    pub workspace_root: Utf8PathBuf,
    /// Cargo's target directory, for build output.
    pub target_directory: Utf8PathBuf,
    /// The settings in the manifests.
    pub tables: Tables,
    /// The options under which its text is read.
    pub reading: Arc<Reading>,
    /// The libraries that are read with it.
    pub dependencies: Arc<Dependencies>,
}

/// The options under which the text of a package is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The `cfg` options that are set.
    pub cfg: Arc<CfgOptions>,
    /// Macros of other crates, by path, that do not change the meaning of layers and procedures: the key `transparent` of the manifests.
    pub transparent: Vec<String>,
}

impl Reading {
    /// The same options with `cfg(test)` set.
    pub fn with_test(&self) -> Arc<Reading> {
        let Reading { cfg, transparent } = self;
        Arc::new(Reading { cfg: Arc::new((**cfg).clone().with_test()), transparent: transparent.clone() })
    }
}

impl Package {
    /// A library without a manifest that cargo has read: a root file in a folder.
    pub fn library(name: &str, folder: &Utf8Path, root_file: &Utf8Path) -> Package {
        Package {
            name: name.to_owned(),
            id: name.to_owned(),
            manifest_path: folder.join("Cargo.toml"),
            title: name.to_owned(),
            target: Target::library(name, root_file),
            left_out: Vec::new(),
            edition: "2024".to_owned(),
            workspace_root: folder.to_owned(),
            target_directory: folder.join("target"),
            tables: Tables::default(),
            reading: Arc::default(),
            dependencies: Arc::default(),
        }
    }

    /// The options under which the text of a crate is read, by its number: 0 is this target, above that its libraries.
    pub(crate) fn reading_of(&self, krate: u32) -> &Arc<Reading> {
        let library = (krate as usize).checked_sub(1).and_then(|it| self.dependencies.libraries.get(it));
        library.map_or(&self.reading, |it| &it.reading)
    }

    /// Identifies this package and target.
    pub fn key(&self) -> String {
        format!("{} {}", self.id, self.target)
    }
}

/// The settings in manifests, as JSON. This stage does not interpret them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// `[workspace.metadata.cspec]` of the workspace; empty if there is none.
    pub workspace: String,
    /// `[package.metadata.cspec]` of the package.
    pub package: String,
}

/// The packages to select in a workspace.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The value of `--manifest-path`, if it is given.
    pub manifest_path: Option<Utf8PathBuf>,
    /// `-p`: names, or patterns with `*` and `?`; if empty, the package in the current directory, or the default members at a workspace
    /// root.
    pub packages: Vec<String>,
    /// Whether `--workspace` is given: all packages of the workspace.
    pub workspace: bool,
    /// `--exclude`: packages of the workspace to leave out.
    pub exclude: Vec<String>,
    /// The targets of the packages to select.
    pub targets: TargetSelection,
    /// The value of `--target-dir`, if it is given.
    pub target_directory: Option<Utf8PathBuf>,
    /// `--locked`, `--offline`, `--frozen`: passed on to `cargo metadata`.
    pub cargo_flags: Vec<String>,
    /// The features to enable: `--features`, `--all-features`, `--no-default-features`.
    pub features: FeatureSelection,
    /// `--target`: the platform to compile for; `None` for this machine.
    pub platform: Option<String>,
}

/// Why no package could be selected. All of these are exit status 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// `cargo metadata` failed, with its message.
    Metadata(String),
    /// `-p NAME` matches no package of the workspace.
    NoSuchPackage {
        /// The requested name or pattern.
        name: String,
        /// The names of the existing packages.
        known: Vec<String>,
    },
    /// A package named with `-p` has no `[package.metadata.cspec]`.
    NotAPackageWithLayers {
        /// The name of the package.
        name: String,
    },
    /// No package of the workspace has `[package.metadata.cspec]`.
    NoPackageWithLayers,
    /// No selected package has a target of this kind, or of this name.
    NoSuchTarget {
        /// The kind of target that was requested.
        kind: TargetKind,
        /// The requested name or pattern; `None` for any.
        name: Option<String>,
        /// The existing names of this kind.
        known: Vec<String>,
    },
    /// No selected package has a target that was selected.
    NoTargets,
    /// A name of the selection is an invalid pattern.
    Pattern {
        /// The pattern itself, as given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The packages of a selection, each once for every target that is read.
pub fn load(selection: &Selection) -> Result<Vec<Package>, LoadError> {
    // Both take a while, and neither depends on the other.
    let (metadata, platform) = std::thread::scope(|scope| {
        let platform = scope.spawn(|| platform(selection));
        (metadata(selection), platform.join())
    });
    let metadata = metadata?;
    let platform = platform.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let selection = &Asked { selection, platform };
    let selected = selected(&metadata, selection)?;
    let takes_part: Vec<_> = selected.into_iter().filter_map(|it| Some((it, table(it)?))).collect();
    selection.targets.check(&takes_part.iter().map(|it| it.0).collect::<Vec<_>>())?;
    let compiled: Vec<&cargo_metadata::Package> = takes_part.iter().map(|it| it.0).collect();
    let known = Known::new(&metadata, &compiled, selection);
    let targets = takes_part.into_iter().flat_map(|(it, table)| of_package(&metadata, &known, it, table, selection));
    let packages: Vec<Package> = targets.collect();
    if packages.is_empty() { Err(LoadError::NoTargets) } else { Ok(packages) }
}

/// The packages of a selection; at least one of them takes part.
fn selected<'a>(metadata: &'a Metadata, selection: &Selection) -> Result<Vec<&'a cargo_metadata::Package>, LoadError> {
    if !selection.packages.is_empty() {
        return named_packages(metadata, &selection.packages);
    }
    let mut kept =
        if selection.workspace { metadata.workspace_packages() } else { metadata.workspace_default_packages() };
    for excluded in &selection.exclude {
        let excluded = matching(metadata, excluded)?;
        kept.retain(|it| !excluded.iter().any(|other| other.id == it.id));
    }
    if !selection.workspace
        && let Some(current) = current_package(metadata, selection)
    {
        let name = current.name.to_string();
        return table(current).map(|_| vec![current]).ok_or(LoadError::NotAPackageWithLayers { name });
    }
    if kept.iter().all(|it| table(it).is_none()) { Err(LoadError::NoPackageWithLayers) } else { Ok(kept) }
}

/// A selection, and the options of its platform.
struct Asked<'a> {
    selection: &'a Selection,
    platform: CfgOptions,
}

impl Deref for Asked<'_> {
    type Target = Selection;

    fn deref(&self) -> &Selection {
        self.selection
    }
}

/// The options of the platform that the packages are compiled for, and those that `RUSTFLAGS` sets.
fn platform(selection: &Selection) -> Result<CfgOptions, LoadError> {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.args(["--print", "cfg"]);
    let platform = selection.platform.clone().or_else(|| std::env::var("CARGO_BUILD_TARGET").ok());
    command.args(platform.iter().flat_map(|it| ["--target", it.as_str()]));
    match (std::env::var("CARGO_ENCODED_RUSTFLAGS"), std::env::var("RUSTFLAGS")) {
        (Ok(encoded), _) => command.args(encoded.split('\x1f').filter(|it| !it.is_empty())),
        (_, Ok(flags)) => command.args(flags.split_whitespace()),
        _ => &mut command,
    };
    // A toolchain file of the workspace selects the rustc.
    if let Some(folder) = selection.manifest_path.as_ref().and_then(|it| it.parent()).filter(|it| it.is_dir()) {
        command.current_dir(folder);
    }
    let failed = |words: String| LoadError::Metadata(format!("`rustc --print cfg` failed: {}", words.trim_end()));
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(CfgOptions::of_lines(&String::from_utf8_lossy(&output.stdout)))
}

fn metadata(selection: &Selection) -> Result<Metadata, LoadError> {
    let mut command = MetadataCommand::new();
    command.no_deps().other_options(selection.cargo_flags.clone());
    if let Some(path) = &selection.manifest_path {
        command.manifest_path(path);
    }
    // In a git hook these variables refer to the repository of the commit, which may not be the one that cargo reads.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.exec().map_err(|error| match error {
        cargo_metadata::Error::CargoMetadata { stderr } => LoadError::Metadata(stderr.trim_end().to_owned()),
        other => LoadError::Metadata(other.to_string()),
    })
}

/// The packages selected by `-p`, each once. Packages that a pattern matches may be without layers, as long as one has some.
fn named_packages<'a>(metadata: &'a Metadata, names: &[String]) -> Result<Vec<&'a cargo_metadata::Package>, LoadError> {
    let mut packages: Vec<&cargo_metadata::Package> = Vec::new();
    for name in names {
        let found = matching(metadata, name)?;
        if found.iter().all(|it| table(it).is_none()) {
            return Err(LoadError::NotAPackageWithLayers { name: name.clone() });
        }
        let is_new = |it: &&cargo_metadata::Package| !packages.iter().any(|known| known.id == it.id);
        let new: Vec<_> = found.into_iter().filter(is_new).collect();
        packages.extend(new);
    }
    Ok(packages)
}

/// The members of the workspace that match a name or pattern; at least one.
fn matching<'a>(metadata: &'a Metadata, pattern: &str) -> Result<Vec<&'a cargo_metadata::Package>, LoadError> {
    let members = metadata.workspace_packages();
    let is_meant = matcher(pattern)?;
    let found: Vec<_> = members.iter().copied().filter(|it| is_meant(&it.name)).collect();
    if found.is_empty() {
        let known = members.iter().map(|it| it.name.to_string()).collect();
        return Err(LoadError::NoSuchPackage { name: pattern.to_owned(), known });
    }
    Ok(found)
}

/// A predicate for names that match a pattern, as in cargo: `*`, `?` and `[…]`.
fn matcher(pattern: &str) -> Result<impl Fn(&str) -> bool, LoadError> {
    let known = glob::Pattern::new(pattern)
        .map_err(|error| LoadError::Pattern { pattern: pattern.to_owned(), reason: error.msg.to_owned() })?;
    Ok(move |name: &str| known.matches(name))
}

/// The package whose manifest cargo starts from; `None` for a virtual manifest.
fn current_package<'a>(metadata: &'a Metadata, selection: &Selection) -> Option<&'a cargo_metadata::Package> {
    let manifest = match &selection.manifest_path {
        Some(path) => path.clone(),
        None => nearest_manifest()?,
    };
    let manifest = manifest.canonicalize_utf8().ok()?;
    let is_it = |it: &&cargo_metadata::Package| it.manifest_path.canonicalize_utf8().is_ok_and(|path| path == manifest);
    metadata.packages.iter().find(is_it)
}

/// The manifest that cargo starts from: in the current directory, or in a parent.
pub fn nearest_manifest() -> Option<Utf8PathBuf> {
    let here = Utf8PathBuf::from_path_buf(std::env::current_dir().ok()?).ok()?;
    here.ancestors().map(|it| it.join("Cargo.toml")).find(|it| it.is_file())
}

/// The settings in a package's manifest. Only a package with such a table takes part.
fn table(package: &cargo_metadata::Package) -> Option<&Value> {
    package.metadata.get("cspec").filter(|it| it.is_object())
}

/// A participating package, for each of its targets that is read.
fn of_package(
    metadata: &Metadata,
    known: &Known,
    package: &cargo_metadata::Package,
    table: &Value,
    selection: &Asked<'_>,
) -> Vec<Package> {
    let features = known.features(package);
    let (targets, left_out) = selection.targets.of(package, &|name| features.iter().any(|it| it == name));
    let cfg = Arc::new(known.options(package, &selection.platform));
    let of_workspace = metadata.workspace_metadata.get("cspec");
    let transparent = transparent(of_workspace.into_iter().chain([table]));
    let reading = Arc::new(Reading { cfg, transparent });
    let with_target = |target: Target| Package {
        name: package.name.to_string(),
        id: package.id.repr.clone(),
        manifest_path: package.manifest_path.clone(),
        title: target.title(package),
        reading: if target.is_test { reading.with_test() } else { Arc::clone(&reading) },
        dependencies: Arc::new(known.dependencies(package, &target, &selection.platform)),
        target,
        left_out: left_out.clone(),
        edition: package.edition.to_string(),
        workspace_root: metadata.workspace_root.clone(),
        target_directory: selection.target_directory.clone().unwrap_or_else(|| metadata.target_directory.clone()),
        tables: Tables {
            workspace: of_workspace.map_or_else(String::new, ToString::to_string),
            package: table.to_string(),
        },
    };
    targets.into_iter().map(with_target).collect()
}

/// The key `transparent` of these tables. A malformed value is reported when the settings are read.
fn transparent<'t>(tables: impl Iterator<Item = &'t Value>) -> Vec<String> {
    let lists = tables.filter_map(|it| it.get("transparent")?.as_array());
    lists.flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

/// The path as it is shown: relative to the workspace root where possible.
fn shown(path: &Utf8Path, package: &Package) -> Utf8PathBuf {
    path.strip_prefix(&package.workspace_root).unwrap_or(path).to_owned()
}
