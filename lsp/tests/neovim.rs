//! A real client: Neovim, without a screen, does what a user does (`editors/neovim/test.lua`) in a copy of the `tso` workspace.
//!
//! Skipped, and said so, where Neovim is not installed: `apt-get install neovim`.

mod support;

use std::{io::Write as _, process::Command};

use support::{Workspace, repository};

#[test]
fn neovim_sees_a_mistake_come_and_go() {
    if Command::new("nvim").arg("--version").output().is_err() {
        // Not captured by the test harness: a skipped test is to be seen.
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: neovim_sees_a_mistake_come_and_go needs `apt-get install neovim`");
        return;
    }
    let workspace = Workspace::new("");
    workspace.copy(&repository().join("tso/src"), "src");
    let output = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-i", "NONE", "-n", "-S"])
        .arg(repository().join("editors/neovim/test.lua"))
        .env("CSPEC_LSP", env!("CARGO_BIN_EXE_cspec-lsp"))
        .env("CSPEC_PLUGIN", repository().join("editors/neovim/cspec.lua"))
        .env("CSPEC_FILE", workspace.path("src/layers/raw_lock.rs"))
        .env("XDG_STATE_HOME", workspace.path("state"))
        .output()
        .expect("Neovim starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("ok: all verdicts again"), "{told}");
}
