//! Packages in folders of their own.

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::workspace::{LoadError, Package, Selection, load};

/// Writes files into a new folder.
pub fn folder(name: &str, files: &[(&str, &[u8])]) -> Utf8PathBuf {
    let root = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if root.exists() {
        std::fs::remove_dir_all(&root).expect("an old folder can be removed");
    }
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    root
}

/// The packages that a selection yields in a folder.
pub fn select(root: &Utf8Path, selection: Selection) -> Result<Vec<Package>, LoadError> {
    load(&Selection { manifest_path: Some(root.join("Cargo.toml")), ..selection })
}

const TABLE: &str = "[package]\nname = \"NAME\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[package.metadata.cspec]\n";

/// A manifest with a table for cspec.
pub fn manifest(name: &str) -> String {
    TABLE.replace("NAME", name)
}
