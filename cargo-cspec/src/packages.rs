//! The first steps of every command that reads packages: find them, read their settings, size the thread pool. A failure is exit status 2.

use std::num::NonZero;

use cspec_analysis::{
    report::Options,
    session::Session,
    verdict::Scope,
    workspace::{self, LoadError, Package, Selection},
};
use cspec_project::{Bound, Settings, check_bounds, scalars, unknown};

use crate::cli::EffortArguments;

/// A package, with its settings and its scope.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub package: Package,
    /// The settings in the manifests.
    pub settings: Settings,
    /// The scope to explore.
    pub scope: Scope,
}

impl Prepared {
    /// The options of a check with these settings.
    pub fn options(&self) -> Options {
        let search_refused = self.settings.search_refused != Some(false);
        Options { scope: self.scope.clone(), search_refused, ..Options::default() }
    }
}

/// The selected packages, at least one, to be explored within `usual` unless the settings or the command line change it. The error is a
/// finished message.
pub fn prepare(selection: &Selection, effort: &EffortArguments, usual: &Scope) -> Result<Vec<Prepared>, String> {
    use_threads(effort.jobs)?;
    let packages = load(selection)?;
    let mut known = Vec::new();
    let mut prepared = Vec::new();
    for targets in packages.chunk_by(|one, other| one.id == other.id) {
        let settings = Settings::of(&targets[0])?;
        let in_package = scalars_if_needed(targets, &[&settings.workspace_scope, &settings.scope, &effort.scope]);
        settings.check(&targets[0], &in_package)?;
        known.extend(in_package);
        let mut scope = settings.scope(usual.clone(), &effort.scope);
        scope.overflow = effort.overflow.unwrap_or(scope.overflow);
        let target = |it: &Package| Prepared { package: it.clone(), settings: settings.clone(), scope: scope.clone() };
        prepared.extend(targets.iter().map(target));
    }
    check_bounds(&effort.scope, &known).map_err(|error| format!("--scope: {error}"))?;
    if let (true, Some(first)) = (selection.workspace && selection.exclude.is_empty(), prepared.first()) {
        let manifest = first.package.workspace_root.join("Cargo.toml");
        check_bounds(&first.settings.workspace_scope, &known)
            .map_err(|error| format!("{manifest}: [workspace.metadata.cspec.scope]: {error}"))?;
    }
    Ok(prepared)
}

/// The same without targets that contain nothing beyond another target of their package.
pub fn prepare_each(selection: &Selection, effort: &EffortArguments, usual: &Scope) -> Result<Vec<Prepared>, String> {
    let mut prepared = prepare(selection, effort, usual)?;
    let snapshot = Session::open(prepared.iter().map(|it| it.package.clone()).collect()).snapshot();
    let mut is_bare = snapshot.packages().iter().map(|it| it.is_bare);
    prepared.retain(|_| !is_bare.next().unwrap_or(false));
    Ok(prepared)
}

/// The scalars of a package, given by its targets. Its source is read only if a bound names a scalar.
fn scalars_if_needed(targets: &[Package], bounds: &[&[Bound]]) -> Vec<String> {
    if bounds.iter().flat_map(|it| it.iter()).all(|bound| bound.scalar().is_none()) {
        return Vec::new();
    }
    Session::open(targets.to_vec()).snapshot().packages().iter().flat_map(|it| scalars(it.program())).collect()
}

/// The selected packages; at least one. The error is a finished message.
pub fn load(selection: &Selection) -> Result<Vec<Package>, String> {
    let packages = workspace::load(selection).map_err(|error| message(&error))?;
    if packages.is_empty() {
        return Err(message(&LoadError::NoPackageWithLayers));
    }
    Ok(packages)
}

/// Uses `jobs` threads from now on; by default as many as there are cores.
fn use_threads(jobs: Option<NonZero<usize>>) -> Result<(), String> {
    let Some(jobs) = jobs else { return Ok(()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.get());
    pool.build_global().map_err(|error| format!("cannot start {jobs} threads: {error}"))
}

/// The message for a workspace that cannot be used.
fn message(error: &LoadError) -> String {
    const TABLE: &str =
        "a package takes part when its Cargo.toml has a [package.metadata.cspec] table, which may be empty";
    match error {
        LoadError::Metadata(words) => {
            format!("cannot read the workspace: {}", words.trim().trim_start_matches("error: "))
        }
        LoadError::NoSuchPackage { name, known } if known.is_empty() => {
            format!("the workspace has no package `{name}`")
        }
        LoadError::NoSuchPackage { name, known } => {
            format!("the workspace has no package `{name}`; it has {}", known.join(", "))
        }
        LoadError::NoSuchTarget { kind, name: None, .. } => format!("no selected package has a {} target", kind.name()),
        LoadError::NoSuchTarget { kind, name: Some(name), known } => {
            unknown(&format!("{} target", kind.name()), name, known)
        }
        LoadError::NoTargets => "no selected package has a target of the requested kinds".to_owned(),
        LoadError::Pattern { pattern, reason } => format!("`{pattern}` is not a valid pattern: {reason}"),
        LoadError::NotAPackageWithLayers { name } => {
            format!("package `{name}` has no layers\nhelp: {TABLE}")
        }
        LoadError::NoPackageWithLayers => {
            format!("nothing to check: no package here has layers\nhelp: {TABLE}")
        }
    }
}
