//! The source of the crate `cspec` for new packages.
//!
//! The crate is on no registry. So a new package depends on the folder or the git repository that this program was built from, unless the
//! user chooses another: the two versions must match.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{DocumentMut, InlineTable};

use crate::cli::OriginArguments;

/// The crate `cspec` beside this one, when this program was built.
const BUILT_WITH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../layers");

/// The source of the crate for cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder of this machine.
    Folder(Utf8PathBuf),
    /// A git repository, at some commit.
    Git {
        /// The URL of the repository.
        url: String,
        /// The commit; the newest one if it is not given.
        commit: Option<String>,
    },
}

impl Origin {
    /// The source that the user chooses, or the one that this program was built from. The error is a finished message.
    pub fn find(arguments: &OriginArguments) -> Result<Origin, String> {
        if let Some(url) = &arguments.cspec_git {
            return Ok(Origin::Git { url: url.clone(), commit: None });
        }
        if let Some(folder) = &arguments.cspec_path {
            let crates = [folder.clone(), folder.join("layers")];
            let found = crates.into_iter().find_map(|it| the_crate(&it)).map(Origin::Folder);
            return found.ok_or_else(|| format!("the crate `cspec` is not in {folder}\nhelp: {WHICH_FOLDER}"));
        }
        let built_with = the_crate(Utf8Path::new(BUILT_WITH));
        let found = built_with.and_then(|folder| match is_checkout(&folder) {
            true => installed_from(&cargo_install_list()?),
            false => Some(Origin::Folder(folder)),
        });
        found.ok_or_else(|| {
            format!(
                "cannot find the crate `cspec`: it is on no registry, and not in {BUILT_WITH}, where this program was built\n\
                 help: {WHICH_FOLDER}, given with --cspec-path; or pass --cspec-git URL"
            )
        })
    }

    /// The value of `cspec = …` under `[dependencies]`.
    pub fn dependency(&self) -> InlineTable {
        let mut table = InlineTable::new();
        match self {
            Origin::Folder(folder) => {
                table.insert("path", folder.as_str().into());
            }
            Origin::Git { url, commit } => {
                table.insert("git", url.as_str().into());
                if let Some(commit) = commit {
                    table.insert("rev", commit.as_str().into());
                }
            }
        }
        table
    }
}

const WHICH_FOLDER: &str = "it is the folder `layers` of a clone of cspec's repository";

/// The canonical path of the folder, if the crate is in it.
fn the_crate(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let manifest: DocumentMut = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()?;
    let name = manifest.get("package")?.get("name")?.as_str()?;
    (name == "cspec").then(|| folder.canonicalize_utf8().ok()).flatten()
}

/// Whether cargo created the folder, for a git dependency or for `cargo install --git`: then cargo may remove it.
fn is_checkout(folder: &Utf8Path) -> bool {
    folder.as_str().replace('\\', "/").contains("/git/checkouts/")
}

fn cargo_install_list() -> Option<String> {
    let output = Command::new(cargo()).args(["install", "--list"]).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

/// The repository in `cargo-cspec v0.1.0 (https://…?branch=main#1234abcd):`, a line of `cargo install --list`.
fn installed_from(list: &str) -> Option<Origin> {
    let line = list.lines().find(|it| it.starts_with("cargo-cspec v"))?;
    let source = line.split_once(" (")?.1.strip_suffix("):")?;
    let (url, commit) = source.split_once('#')?;
    let url = url.split('?').next().unwrap_or(url);
    Some(Origin::Git { url: url.to_owned(), commit: Some(commit.to_owned()) })
}

/// The cargo that runs this command, or the one in `PATH`.
pub fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_names_the_folder_beside_it() {
        let found = Origin::find(&OriginArguments::default()).expect("the crate is in this repository");
        let Origin::Folder(folder) = &found else { panic!("{found:?}") };
        assert!(folder.ends_with("layers"), "{folder}");
        assert_eq!(found.dependency().to_string(), format!("{{ path = \"{folder}\" }}"));
        let clone = folder.parent().map(Utf8Path::to_owned);
        assert_eq!(Origin::find(&OriginArguments { cspec_path: clone, cspec_git: None }), Ok(found));
    }

    #[test]
    fn an_installation_from_git_names_the_repository_and_the_commit() {
        let list = "cargo-nextest v0.9.100:\n    cargo-nextest\n\
                    cargo-cspec v0.1.0 (https://example.org/cspec.git?branch=main#1234abcd):\n    cargo-cspec\n";
        let found = installed_from(list).expect("it is in the list");
        let expected = "{ git = \"https://example.org/cspec.git\", rev = \"1234abcd\" }";
        assert_eq!(found.dependency().to_string(), expected);
        assert_eq!(installed_from("cargo-cspec v0.1.0 (/work/cspec/cargo-cspec):\n    cargo-cspec\n"), None);
        assert!(is_checkout(Utf8Path::new("/root/.cargo/git/checkouts/cspec-0123/1234abc/layers")));
    }

    #[test]
    fn a_folder_without_the_crate_is_refused() {
        let here = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let arguments = OriginArguments { cspec_path: Some(here.clone()), cspec_git: None };
        let expected = format!("the crate `cspec` is not in {here}\nhelp: {WHICH_FOLDER}");
        assert_eq!(Origin::find(&arguments), Err(expected));
    }
}
