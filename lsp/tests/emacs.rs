//! Test with a real client: Emacs with eglot, without a screen, runs `editors/emacs/test.el` in a copy of the mail server.
//!
//! Skipped, with a message, if Emacs or its packages are not installed: `apt-get install emacs-nox elpa-eglot elpa-rust-mode`.

mod support;

use std::{io::Write as _, process::Command};

use support::{Workspace, repository};

/// Emacs without the user's settings, but with the installed packages.
fn emacs() -> Command {
    let mut emacs = Command::new("emacs");
    emacs.args(["--batch", "--no-init-file", "--eval", "(require 'package)", "--funcall", "package-initialize"]);
    emacs
}

#[test]
fn emacs_sees_a_mistake_come_and_go_in_the_mail_server() {
    let has_eglot = emacs().args(["--eval", "(progn (require 'eglot) (require 'rust-mode))"]).output();
    if !has_eglot.is_ok_and(|it| it.status.success()) {
        // Written to standard error directly, so that the harness does not hide it.
        let needs = "`apt-get install emacs-nox elpa-eglot elpa-rust-mode`";
        let _ = writeln!(std::io::stderr(), "SKIPPED: Emacs in the mail server needs {needs}");
        return;
    }
    let workspace = Workspace::new("");
    workspace.copy(&repository().join("cmail/src"), "src");
    // The set-up starts `cargo-cspec lsp`; this script starts the server that was built for the test instead.
    let programs = workspace.path("programs");
    let server = env!("CARGO_BIN_EXE_cspec-lsp");
    workspace.write("programs/cargo-cspec", &format!("#!/bin/sh\n[ \"$1\" = lsp ] && exec '{server}'\nexit 2\n"));
    make_executable(&programs.join("cargo-cspec"));
    let path = std::env::var("PATH").unwrap_or_default();
    let output = emacs()
        .arg("--load")
        .arg(repository().join("editors/emacs/test.el"))
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("HOME", workspace.path(""))
        .env("CSPEC_PLUGIN", repository().join("editors/emacs/cspec.el"))
        .env("CSPEC_FILE", workspace.path("src/layers/deliver.rs"))
        .env("CSPEC_OPERATION", "link_mail")
        .output()
        .expect("Emacs starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("ok: the end of the server"), "{told}");
}

#[cfg(unix)]
fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("the file is ours");
}

#[cfg(not(unix))]
fn make_executable(_: &std::path::Path) {}
