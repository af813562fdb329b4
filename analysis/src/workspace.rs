//! Packages and their files. The only stage that touches the disk or asks cargo anything.

use camino::Utf8PathBuf;

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
    /// The workspace root, to which paths are shown relative.
    pub workspace_root: Utf8PathBuf,
}

/// Which packages of a workspace to take.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `--manifest-path`.
    pub manifest_path: Option<Utf8PathBuf>,
    /// `-p`; empty means: the package in the current directory, or all at a workspace root.
    pub packages: Vec<String>,
    /// `--workspace`.
    pub workspace: bool,
    /// `--locked`, `--offline`, `--frozen`: passed on to `cargo metadata`.
    pub cargo_flags: Vec<String>,
}

/// Why no package could be taken. All of these are exit status 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// `cargo metadata` failed; its words.
    Metadata(String),
    /// `-p NAME` names no package of the workspace.
    NoSuchPackage {
        /// The name asked for.
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
