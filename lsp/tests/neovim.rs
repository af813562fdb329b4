//! Test with a real client: Neovim, without a screen, runs `editors/neovim/test.lua` in copies of the reference workspaces, and runs
//! rust-analyzer and cspec in the same buffer (`editors/neovim/beside.lua`). Both scripts use `steps.lua`.
//!
//! Skipped, with a message, if these are not installed: `apt-get install neovim`, `rustup component add rust-analyzer`.

mod support;

use std::{io::Write as _, process::Command};

use support::{FIXTURE, Workspace, repository};

#[test]
fn neovim_sees_a_mistake_come_and_go_in_the_counter() {
    a_mistake_comes_and_goes("tso/src", "src/layers/raw_lock.rs", "acquire");
}

#[test]
fn neovim_sees_a_mistake_come_and_go_in_the_mail_server() {
    a_mistake_comes_and_goes("cmail/src", "src/layers/deliver.rs", "link_mail");
}

#[test]
fn rust_analyzer_works_beside_it() {
    // rustup installs a program of this name even without the component.
    if !is_installed("rust-analyzer") {
        return skipped("Neovim with rust-analyzer", "rustup component add rust-analyzer");
    }
    let workspace = Workspace::new(FIXTURE);
    let layers = repository().join("layers").display().to_string();
    let manifest = format!(
        "[package]\nname = \"fixture\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\ncspec = {{ path = \"{layers}\" }}\n\
         [package.metadata.cspec]\n[workspace]\n"
    );
    workspace.write("Cargo.toml", &manifest);
    // The versions of this repository's build are available without a network.
    workspace.write("Cargo.lock", &std::fs::read_to_string(repository().join("Cargo.lock")).expect("it is text"));
    works_in_neovim("with rust-analyzer", "beside.lua", &workspace, "src/lib.rs", "", "ok: the end of both");
}

/// Opens a file of a package without findings, claims that an operation moves left, and applies the fix.
fn a_mistake_comes_and_goes(package: &str, file: &str, operation: &str) {
    let workspace = Workspace::new("");
    workspace.copy(&repository().join(package), "src");
    works_in_neovim(package, "test.lua", &workspace, file, operation, "ok: all verdicts again");
}

/// Runs a script in Neovim with the plug-in, and checks the last line that it prints.
fn works_in_neovim(what: &str, script: &str, workspace: &Workspace, file: &str, operation: &str, last: &str) {
    if !is_installed("nvim") {
        return skipped(&format!("Neovim {what}"), "apt-get install neovim");
    }
    let output = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-i", "NONE", "-n", "-S"])
        .arg(repository().join("editors/neovim").join(script))
        .env("CSPEC_LSP", env!("CARGO_BIN_EXE_cspec-lsp"))
        .env("CSPEC_PLUGIN", repository().join("editors/neovim/cspec.lua"))
        .env("CSPEC_FILE", workspace.path(file))
        .env("CSPEC_OPERATION", operation)
        .env("XDG_STATE_HOME", workspace.path("state"))
        .output()
        .expect("Neovim starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains(last), "{told}");
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success())
}

/// Reports a skipped test. Writes to standard error directly, so that the harness does not hide it.
fn skipped(what: &str, how: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what} needs `{how}`");
}
