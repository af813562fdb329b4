//! Packages and their files. The only stage that touches the disk or asks cargo anything.

mod cfg;
mod files;
mod texts;

use std::{ops::Deref, process::Command, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand, Target, TargetKind};

use serde_json::Value;

pub use cfg::{CfgOptions, FeatureSelection, NoAnswer};
pub(crate) use files::candidates;
pub use files::{Files, FoundFile, SourceFiles, source_files};
pub use texts::{Text, Texts};

/// A package that takes part: its manifest has a `[package.metadata.cspec]` table.
#[derive(Clone, Debug)]
pub struct Package {
    /// The name.
    pub name: String,
    /// The cargo package id.
    pub id: String,
    /// The manifest.
    pub manifest_path: Utf8PathBuf,
    /// The target that is read: name, kind (`lib` or `bin`), root file. A library is preferred to a binary.
    pub target: (String, String, Utf8PathBuf),
    /// The edition, such as `2024`.
    pub edition: String,
    /// The workspace root, to which paths are shown relative.
    pub workspace_root: Utf8PathBuf,
    /// Where cargo puts what it makes.
    pub target_directory: Utf8PathBuf,
    /// What the manifests say to cspec.
    pub tables: Tables,
    /// How its text is to be read.
    pub reading: Arc<Reading>,
}

/// How the text of a package is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What `#[cfg]` asks for.
    pub cfg: Arc<CfgOptions>,
    /// Macros of other crates, by their paths, that leave the meaning of layers and procedures as it is: the key `transparent` of the manifests.
    pub transparent: Vec<String>,
}

impl Package {
    /// A library by itself: a root file below a folder, without a manifest that cargo has read.
    pub fn library(name: &str, folder: &Utf8Path, root_file: &Utf8Path) -> Package {
        Package {
            name: name.to_owned(),
            id: name.to_owned(),
            manifest_path: folder.join("Cargo.toml"),
            target: (name.to_owned(), "lib".to_owned(), root_file.to_owned()),
            edition: "2024".to_owned(),
            workspace_root: folder.to_owned(),
            target_directory: folder.join("target"),
            tables: Tables::default(),
            reading: Arc::default(),
        }
    }
}

/// The tables of manifests that are for cspec, as JSON. This stage does not read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// `[workspace.metadata.cspec]` of the workspace; empty if there is none.
    pub workspace: String,
    /// `[package.metadata.cspec]` of the package.
    pub package: String,
}

/// Which packages of a workspace to take.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `--manifest-path`.
    pub manifest_path: Option<Utf8PathBuf>,
    /// `-p`: names, or patterns with `*` and `?`; empty means: the package in the current directory, or the default members at a
    /// workspace root.
    pub packages: Vec<String>,
    /// `--workspace`.
    pub workspace: bool,
    /// `--exclude`: what to leave out of the workspace.
    pub exclude: Vec<String>,
    /// `--target-dir`.
    pub target_directory: Option<Utf8PathBuf>,
    /// `--locked`, `--offline`, `--frozen`: passed on to `cargo metadata`.
    pub cargo_flags: Vec<String>,
    /// `--features`, `--all-features`, `--no-default-features`.
    pub features: FeatureSelection,
    /// `--target`: what the packages are compiled for; the machine that this runs on if it is `None`.
    pub platform: Option<String>,
}

/// Why no package could be taken. All of these are exit status 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// `cargo metadata` failed; its words.
    Metadata(String),
    /// `-p NAME` names no package of the workspace.
    NoSuchPackage {
        /// The name, or pattern, asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A package named with `-p` has no `[package.metadata.cspec]`.
    NotAPackageWithLayers {
        /// Its name.
        name: String,
    },
    /// No package of the workspace has `[package.metadata.cspec]`.
    NoPackageWithLayers,
}

/// The packages that a selection means.
pub fn load(selection: &Selection) -> Result<Vec<Package>, LoadError> {
    // Both take a while, and neither waits for the other.
    let (metadata, platform) = std::thread::scope(|scope| {
        let platform = scope.spawn(|| platform(selection));
        (metadata(selection), platform.join())
    });
    let metadata = metadata?;
    let platform = platform.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let selection = &Asked { selection, platform };
    if !selection.packages.is_empty() {
        return named_packages(&metadata, selection);
    }
    for excluded in &selection.exclude {
        matching(&metadata, excluded)?;
    }
    if !selection.workspace
        && let Some(current) = current_package(&metadata, selection)
    {
        let name = current.name.to_string();
        return match package(&metadata, current, selection) {
            Some(package) => Ok(vec![package]),
            None => Err(LoadError::NotAPackageWithLayers { name }),
        };
    }
    let members =
        if selection.workspace { metadata.workspace_packages() } else { metadata.workspace_default_packages() };
    let kept = members.into_iter().filter(|it| !selection.exclude.iter().any(|pattern| matches(pattern, &it.name)));
    let packages: Vec<Package> = kept.filter_map(|it| package(&metadata, it, selection)).collect();
    if packages.is_empty() { Err(LoadError::NoPackageWithLayers) } else { Ok(packages) }
}

/// A selection, and the options of the platform that it is for.
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
    // A toolchain file of the workspace says which rustc it is.
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

/// What `#[cfg]` asks for in a package.
fn options(package: &cargo_metadata::Package, selection: &Asked<'_>) -> CfgOptions {
    let features = cfg::features(package, &selection.features);
    let options = features.iter().fold(selection.platform.clone(), |it, name| it.with_value("feature", name));
    let has_script = package.targets.iter().any(|it| it.kind.contains(&TargetKind::CustomBuild));
    if has_script { options.with_build_script() } else { options }
}

fn metadata(selection: &Selection) -> Result<Metadata, LoadError> {
    let mut command = MetadataCommand::new();
    command.no_deps().other_options(selection.cargo_flags.clone());
    if let Some(path) = &selection.manifest_path {
        command.manifest_path(path);
    }
    // In a git hook these point at the repository being committed to, whatever repository cargo then looks at.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.exec().map_err(|error| match error {
        cargo_metadata::Error::CargoMetadata { stderr } => LoadError::Metadata(stderr.trim_end().to_owned()),
        other => LoadError::Metadata(other.to_string()),
    })
}

/// The packages that `-p` names, each once. Those that a pattern matches may be without layers, as long as one has some.
fn named_packages(metadata: &Metadata, selection: &Asked<'_>) -> Result<Vec<Package>, LoadError> {
    let mut packages: Vec<Package> = Vec::new();
    for name in &selection.packages {
        let found: Vec<Package> =
            matching(metadata, name)?.into_iter().filter_map(|it| package(metadata, it, selection)).collect();
        if found.is_empty() {
            return Err(LoadError::NotAPackageWithLayers { name: name.clone() });
        }
        let is_new = |it: &Package| !packages.iter().any(|known| known.id == it.id);
        let new: Vec<Package> = found.into_iter().filter(is_new).collect();
        packages.extend(new);
    }
    Ok(packages)
}

/// The members of the workspace that a name or pattern means; at least one.
fn matching<'a>(metadata: &'a Metadata, pattern: &str) -> Result<Vec<&'a cargo_metadata::Package>, LoadError> {
    let members = metadata.workspace_packages();
    let found: Vec<_> = members.iter().copied().filter(|it| matches(pattern, &it.name)).collect();
    if found.is_empty() {
        let known = members.iter().map(|it| it.name.to_string()).collect();
        return Err(LoadError::NoSuchPackage { name: pattern.to_owned(), known });
    }
    Ok(found)
}

/// Whether a pattern, in which `*` stands for any text and `?` for any character, is this name. What is no pattern is no name either.
fn matches(pattern: &str, name: &str) -> bool {
    glob::Pattern::new(pattern).is_ok_and(|it| it.matches(name))
}

/// The package of the manifest that cargo starts from; `None` if that is the manifest of a workspace only.
fn current_package<'a>(metadata: &'a Metadata, selection: &Selection) -> Option<&'a cargo_metadata::Package> {
    let manifest = match &selection.manifest_path {
        Some(path) => path.clone(),
        None => nearest_manifest()?,
    };
    let manifest = manifest.canonicalize_utf8().ok()?;
    let is_it = |it: &&cargo_metadata::Package| it.manifest_path.canonicalize_utf8().is_ok_and(|path| path == manifest);
    metadata.packages.iter().find(is_it)
}

/// The manifest that cargo starts from: in the current directory, or in one around it.
pub fn nearest_manifest() -> Option<Utf8PathBuf> {
    let here = Utf8PathBuf::from_path_buf(std::env::current_dir().ok()?).ok()?;
    here.ancestors().map(|it| it.join("Cargo.toml")).find(|it| it.is_file())
}

/// The package, if it takes part and has something to read.
fn package(metadata: &Metadata, package: &cargo_metadata::Package, selection: &Asked<'_>) -> Option<Package> {
    let table = package.metadata.get("cspec").filter(|it| it.is_object())?;
    let kind = |it: &Target| match it.kind.first() {
        Some(TargetKind::Bin) => Some("bin"),
        Some(TargetKind::Lib | TargetKind::RLib | TargetKind::DyLib | TargetKind::CDyLib | TargetKind::StaticLib) => {
            Some("lib")
        }
        _ => None,
    };
    let find =
        |wanted: &str| package.targets.iter().find(|it| kind(it) == Some(wanted)).map(|it| (it, wanted.to_owned()));
    let (target, kind) = find("lib").or_else(|| find("bin"))?;
    Some(Package {
        name: package.name.to_string(),
        id: package.id.repr.clone(),
        manifest_path: package.manifest_path.clone(),
        target: (target.name.clone(), kind, target.src_path.clone()),
        edition: package.edition.to_string(),
        workspace_root: metadata.workspace_root.clone(),
        target_directory: selection.target_directory.clone().unwrap_or_else(|| metadata.target_directory.clone()),
        tables: Tables {
            workspace: metadata.workspace_metadata.get("cspec").map_or_else(String::new, ToString::to_string),
            package: table.to_string(),
        },
        reading: Arc::new(Reading {
            cfg: Arc::new(options(package, selection)),
            transparent: transparent(metadata.workspace_metadata.get("cspec").into_iter().chain([table])),
        }),
    })
}

/// The key `transparent` of these tables. What is no list of names is refused by those that read the settings.
fn transparent<'t>(tables: impl Iterator<Item = &'t Value>) -> Vec<String> {
    let lists = tables.filter_map(|it| it.get("transparent")?.as_array());
    lists.flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

/// The path as it is shown: relative to the workspace root where possible.
fn shown(path: &Utf8Path, package: &Package) -> Utf8PathBuf {
    path.strip_prefix(&package.workspace_root).unwrap_or(path).to_owned()
}
