//! rust-analyzer runs the command instead of `cargo check` and shows its findings. Tests the set-up for Zed, and the one in the README for
//! any editor.
//!
//! Needs rust-analyzer (`rustup component add rust-analyzer`), and Neovim to start it (`apt-get install neovim`). Without them the tests
//! are skipped, with a message.

mod support;

use std::{fs, io::Write as _, path::Path, process::Command};

use support::{Folder, cspec, status};

#[test]
fn rust_analyzer_shows_what_the_command_finds() {
    for (program, how) in [("rust-analyzer", "rustup component add rust-analyzer"), ("nvim", "apt-get install neovim")]
    {
        // rustup installs a program of this name even without the component.
        if !Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success()) {
            // Written to standard error directly, so that the harness does not hide it.
            let _ = writeln!(std::io::stderr(), "SKIPPED: rust-analyzer with the command needs `{how}`");
            return;
        }
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository is around");
    let folder = Folder::new();
    assert_eq!(status(&cspec(&folder, &["new", "demo", "--vcs", "none"])), Some(0));
    // The versions of this repository's build are available without a network.
    fs::copy(repository.join("Cargo.lock"), folder.join("demo/Cargo.lock")).expect("a file can be written");
    let file = folder.join("demo/src/layers.rs");
    let text = fs::read_to_string(&file).expect("it was just made");
    fs::write(&file, text.replace("// lo.release();", "lo.release();")).expect("a file can be written");

    let built = Path::new(env!("CARGO_BIN_EXE_cargo-cspec")).parent().expect("it is in a folder");
    let mut path = vec![built.to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let output = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-i", "NONE", "-n", "-S"])
        .arg(repository.join("editors/zed/test.lua"))
        .env("PATH", std::env::join_paths(path).expect("it was a path"))
        .env("CSPEC_SETTINGS", repository.join("editors/zed/settings.json"))
        .env("CSPEC_FILE", &file)
        .env("XDG_STATE_HOME", folder.join("state"))
        .output()
        .expect("Neovim starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("found:         lo.write(seen + 1);"), "{told}");
}
