//! A real client: Neovim, without a screen, does what a user does (`editors/neovim/test.lua`) in copies of the reference workspaces.
//!
//! Skipped, and said so, where Neovim is not installed: `apt-get install neovim`.

mod support;

use std::{io::Write as _, process::Command};

use support::{Workspace, repository};

#[test]
fn neovim_sees_a_mistake_come_and_go_in_the_counter() {
    a_mistake_comes_and_goes("tso/src", "src/layers/raw_lock.rs", "acquire");
}

#[test]
fn neovim_sees_a_mistake_come_and_go_in_the_mail_server() {
    a_mistake_comes_and_goes("cmail/src", "src/layers/deliver.rs", "link_mail");
}

/// Opens a file of a package, without findings; claims that an operation moves left; takes the fix.
fn a_mistake_comes_and_goes(package: &str, file: &str, operation: &str) {
    if Command::new("nvim").arg("--version").output().is_err() {
        // Not captured by the test harness: a skipped test is to be seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED: Neovim in {package} needs `apt-get install neovim`");
        return;
    }
    let workspace = Workspace::new("");
    workspace.copy(&repository().join(package), "src");
    let output = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-i", "NONE", "-n", "-S"])
        .arg(repository().join("editors/neovim/test.lua"))
        .env("CSPEC_LSP", env!("CARGO_BIN_EXE_cspec-lsp"))
        .env("CSPEC_PLUGIN", repository().join("editors/neovim/cspec.lua"))
        .env("CSPEC_FILE", workspace.path(file))
        .env("CSPEC_OPERATION", operation)
        .env("XDG_STATE_HOME", workspace.path("state"))
        .output()
        .expect("Neovim starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("ok: all verdicts again"), "{told}");
}
