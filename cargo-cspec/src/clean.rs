//! `cargo cspec clean`: removes cspec's files in the target directory.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
};

use cspec_project::cache;

use crate::{
    cli::CleanArguments,
    exit::Status,
    output::{complain, delivered},
    packages,
};

/// Runs `cargo cspec clean`.
pub fn run(arguments: &CleanArguments) -> Status {
    let packages = match packages::load(&arguments.selection.selection()) {
        Ok(packages) => packages,
        Err(message) => {
            complain(&message);
            return Status::Usage;
        }
    };
    // All packages of a workspace share the cache folder.
    let folder = packages.first().map(|it| cache::folder(&it.target_directory)).unwrap_or_default();
    let words = match fs::remove_dir_all(&folder) {
        Ok(()) => format!("removed {folder}\n"),
        Err(error) if error.kind() == ErrorKind::NotFound => format!("nothing to remove: there is no {folder}\n"),
        Err(error) => {
            complain(&format!("cannot remove {folder}: {error}"));
            return Status::Usage;
        }
    };
    delivered(Status::Success, io::stdout().write_all(words.as_bytes()))
}
