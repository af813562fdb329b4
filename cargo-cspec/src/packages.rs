//! What `check` and `list` do first: find the packages, and size the thread pool. Failing to is exit status 2.

use std::num::NonZero;

use cspec_analysis::workspace::{self, LoadError, Package, Selection};

/// The selected packages; at least one. The error is a finished message.
pub fn load(selection: &Selection) -> Result<Vec<Package>, String> {
    let packages = workspace::load(selection).map_err(|error| message(&error))?;
    if packages.is_empty() {
        return Err(message(&LoadError::NoPackageWithLayers));
    }
    Ok(packages)
}

/// Uses `jobs` threads from now on; as many as there are cores if it is not given.
pub fn use_threads(jobs: Option<NonZero<usize>>) -> Result<(), String> {
    let Some(jobs) = jobs else { return Ok(()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.get());
    pool.build_global().map_err(|error| format!("cannot start {jobs} threads: {error}"))
}

/// What to tell a user whose workspace cannot be used.
fn message(error: &LoadError) -> String {
    const TABLE: &str =
        "a package takes part when its Cargo.toml has a [package.metadata.cspec] table, which may be empty";
    match error {
        LoadError::Metadata(words) => format!("cannot read the workspace: {}", words.trim()),
        LoadError::NoSuchPackage { name, known } if known.is_empty() => {
            format!("the workspace has no package `{name}`")
        }
        LoadError::NoSuchPackage { name, known } => {
            format!("the workspace has no package `{name}`; it has {}", known.join(", "))
        }
        LoadError::NotAPackageWithLayers { name } => {
            format!("package `{name}` has no layers\nhelp: {TABLE}")
        }
        LoadError::NoPackageWithLayers => {
            format!("nothing to check: no package here has layers\nhelp: {TABLE}")
        }
    }
}
