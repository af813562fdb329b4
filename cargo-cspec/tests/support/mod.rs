//! Runs the built command on packages that a test creates.

// Each test binary uses only some of these functions.
#![allow(dead_code)]

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

/// `cargo-cspec ARGUMENTS` in `folder`, without rustc, which takes longer than everything else and needs the crate `cspec`.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = plain(folder, arguments);
    if matches!(arguments.first(), Some(&"check" | &"search")) {
        command.arg("--no-rustc");
    }
    command
}

/// `cargo-cspec ARGUMENTS` in `folder`, with rustc. The builds are kept for the next test; the dependencies have been downloaded for this
/// workspace.
pub fn with_rustc(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = plain(folder, arguments);
    command
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("new"))
        .env("CARGO_NET_OFFLINE", "true");
    command
}

fn plain(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-cspec"));
    command.args(arguments).current_dir(folder).env_remove("CARGO_TERM_COLOR").env_remove("NO_COLOR");
    command
}

/// Runs `cargo-cspec ARGUMENTS` in `folder`.
pub fn cspec(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the command starts")
}

/// The exit status; `None` if a signal ended the command.
pub fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

pub fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("the output is UTF-8")
}

pub fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("the output is UTF-8")
}

/// A folder outside this workspace, removed when dropped.
pub struct Folder(PathBuf);

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed does not matter.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    /// Creates an empty folder.
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("cargo-cspec-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        Folder(folder)
    }

    /// Writes a file, and creates its parent folders.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Adds a package with layers in a subfolder called `name`.
    pub fn add_package(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write(&format!("{name}/Cargo.toml"), format!("{}{TAKES_PART}", manifest(name)));
        self.write(&format!("{name}/src/lib.rs"), text);
    }
}

/// The table in the manifest of a package with layers.
pub const TAKES_PART: &str = "[package.metadata.cspec]\n";

fn manifest(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
}

/// The dependency on the crate `cspec` under this name, and the table of packages with layers.
pub fn depends_on_cspec(name: &str) -> String {
    let layers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../layers");
    let layers = layers.canonicalize().expect("the vocabulary is there");
    let rename = if name == "cspec" { "" } else { "package = \"cspec\", " };
    format!("[dependencies]\n{name} = {{ {rename}path = {layers:?} }}\n{TAKES_PART}")
}

/// A package `name` that is its own workspace; `table` is the end of its manifest.
pub fn package(name: &str, table: &str, text: impl AsRef<[u8]>) -> Folder {
    let folder = Folder::new();
    folder.write("Cargo.toml", format!("{}{table}[workspace]\n", manifest(name)));
    folder.write("src/lib.rs", text);
    folder
}

/// A workspace of packages with layers.
pub fn workspace(packages: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    let members: Vec<String> = packages.iter().map(|(name, _)| format!("{name:?}")).collect();
    folder.write("Cargo.toml", format!("[workspace]\nmembers = [{}]\nresolver = \"3\"\n", members.join(", ")));
    packages.iter().for_each(|(name, text)| folder.add_package(name, text));
    folder
}

/// Reports that a test is skipped. Writes past the test harness, which hides the output of tests that succeed.
pub fn skipped(why: &str) {
    use std::io::Write as _;
    // Standard error may be closed.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
