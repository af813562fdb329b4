//! Sets the identity of the engine, a hash of its source: stored results are valid for the engine that found them only.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    io,
    path::Path,
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=build.rs");
    let mut hasher = DefaultHasher::new();
    hash_folder(Path::new("src"), &mut hasher)?;
    println!("cargo::rustc-env=CSPEC_ENGINE={}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish());
    Ok(())
}

/// Hashes the names and contents of all files, in order.
fn hash_folder(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut paths = fs::read_dir(folder)?.map(|it| it.map(|it| it.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_folder(&path, hasher)?;
        } else {
            path.hash(hasher);
            fs::read(&path)?.hash(hasher);
        }
    }
    Ok(())
}
