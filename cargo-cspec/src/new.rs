//! `cargo cspec new` and `cargo cspec init`: create a package that checks, runs, and suggests a mistake to try.
//!
//! Cargo creates the package, as `cargo new` and `cargo init` do, so names, workspaces and version control are handled as usual.
//! Then the example in `template/` replaces cargo's, and the settings of cspec are added to the manifest.

use std::{
    fs,
    io::{self, Write as _},
    process::Command,
};

use camino::Utf8Path;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::{
    cli::{Global, InitArguments, NewArguments, NewPackage},
    exit::Status,
    origin::{Origin, cargo},
    output::{complain, delivered},
};

/// The example. It is a complete program: a test creates a package from it, checks it and runs it.
const FILES: [(&str, &str); 2] =
    [("src/layers.rs", include_str!("../template/layers.rs")), ("src/main.rs", include_str!("../template/main.rs"))];

/// Runs `cargo cspec new`.
pub fn new(arguments: &NewArguments, global: &Global) -> Status {
    let folder = &arguments.path;
    if folder.exists() {
        complain(&format!("{folder} exists already\nhelp: `cargo cspec init {folder}` starts in an existing folder"));
        return Status::Usage;
    }
    finish(make("new", folder, &arguments.package), folder, global)
}

/// Runs `cargo cspec init`.
pub fn init(arguments: &InitArguments, global: &Global) -> Status {
    let folder = arguments.path.as_path();
    let made = refuse_what_is_there(folder, &arguments.package).and_then(|()| make("init", folder, &arguments.package));
    finish(made, folder, global)
}

fn finish(made: Result<Origin, String>, folder: &Utf8Path, global: &Global) -> Status {
    match made {
        Ok(_) if global.quiet => Status::Success,
        Ok(origin) => delivered(Status::Success, io::stdout().write_all(next_steps(folder, &origin).as_bytes())),
        Err(message) => {
            complain(&message);
            Status::Usage
        }
    }
}

/// Refuses to overwrite existing files.
fn refuse_what_is_there(folder: &Utf8Path, package: &NewPackage) -> Result<(), String> {
    if folder.join("Cargo.toml").exists() {
        let dependency = Origin::find(&package.origin)?.dependency();
        return Err(format!(
            "there is a package in {folder} already\nhelp: to use cspec in it, add to its Cargo.toml:\n\n\
             [package.metadata.cspec]\n\n[dependencies]\ncspec = {dependency}\n"
        ));
    }
    let in_the_way = FILES.iter().map(|(path, _)| folder.join(path)).find(|path| path.exists());
    match in_the_way {
        Some(path) => Err(format!("{path} exists already\nhelp: start in an empty folder")),
        None => Ok(()),
    }
}

/// Creates the package. The error is a finished message.
fn make(command: &str, folder: &Utf8Path, package: &NewPackage) -> Result<Origin, String> {
    let origin = Origin::find(&package.origin)?;
    let mut cargo = Command::new(cargo());
    cargo.args([command, "--bin", "--quiet"]);
    cargo.args(package.name.iter().flat_map(|name| ["--name", name]));
    cargo.args(package.vcs.iter().flat_map(|vcs| ["--vcs", vcs]));
    let output = cargo.arg("--").arg(folder).output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.trim();
        return Err(words.strip_prefix("error: ").unwrap_or(words).to_owned());
    }
    for (path, text) in FILES {
        let path = folder.join(path);
        fs::write(&path, text).map_err(|error| format!("cannot write {path}: {error}"))?;
    }
    let path = folder.join("Cargo.toml");
    let failed = |error: io::Error| format!("cannot change {path}: {error}");
    let manifest = taking_part(&fs::read_to_string(&path).map_err(failed)?, &origin)?;
    fs::write(&path, manifest).map_err(failed)?;
    Ok(origin)
}

/// The manifest with the settings of cspec and the dependency on the crate.
fn taking_part(manifest: &str, origin: &Origin) -> Result<String, String> {
    let mut manifest: DocumentMut = manifest.parse().map_err(|error| format!("cargo wrote a Cargo.toml: {error}"))?;
    manifest["dependencies"]["cspec"] = value(origin.dependency());
    let mut metadata = Table::new();
    metadata.set_implicit(true);
    metadata.insert("cspec", Item::Table(Table::new()));
    manifest["package"]["metadata"] = Item::Table(metadata);
    Ok(manifest.to_string())
}

fn next_steps(folder: &Utf8Path, origin: &Origin) -> String {
    let enter = if folder == "." { String::new() } else { format!("  cd {folder}\n") };
    let from = match origin {
        Origin::Folder(folder) => format!(
            "It depends on the crate `cspec` in {folder}.\nOn another machine, change `cspec = …` in Cargo.toml."
        ),
        Origin::Git { url, .. } => format!("It depends on the crate `cspec` in {url}."),
    };
    format!(
        "Created a counter under a lock.\n\n\
         \x20 src/layers.rs  two layers, the rules between them, and the procedure\n\
         \x20 src/main.rs    the same procedure in four threads, over a real lock\n\n\
         Next:\n\
         {enter}\
         \x20 cargo cspec check  # every interleaving\n\
         \x20 cargo test         # the tests\n\
         \x20 cargo run          # the counter\n\n\
         Then uncomment the line `// lo.release();` in src/layers.rs, and check again.\n\n{from}\n"
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_manifest_takes_part_and_keeps_the_rest() {
        let origin = Origin::Folder("/src/cspec/layers".into());
        let made =
            "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\" # the newest\n\n[dependencies]\n";
        let manifest = taking_part(made, &origin).expect("it is a manifest");
        expect![[r#"
            [package]
            name = "demo"
            version = "0.1.0"
            edition = "2024" # the newest

            [package.metadata.cspec]

            [dependencies]
            cspec = { path = "/src/cspec/layers" }
        "#]]
        .assert_eq(&manifest);
    }
}
