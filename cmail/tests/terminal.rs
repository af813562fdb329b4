//! Tests with a terminal: a password is not echoed while it is typed, and the terminal's settings are restored however the prompt ends.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};

/// A pseudoterminal: the user's side, and the program's.
fn terminal() -> (File, OwnedFd) {
    let both = openpty(None, None).expect("there are terminals");
    (both.master.into(), both.slave)
}

/// Starts `cmail adduser` with its standard input at the terminal, and waits for the prompt.
fn add_user(root: &Path, terminal: &OwnedFd) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cmail"))
        .args(["adduser", "--root"])
        .arg(root)
        .arg("alice")
        .stdin(terminal.try_clone().expect("a descriptor"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("cmail starts");
    let mut said = Vec::new();
    let stderr = child.stderr.as_mut().expect("it is piped");
    BufReader::with_capacity(1, stderr).read_until(b':', &mut said).expect("it says something");
    assert_eq!(said, b"Password:");
    child
}

/// Types these keys at the password prompt. Returns whether the terminal's settings were restored, and the exit status.
fn typed(keys: &[u8]) -> (bool, ExitStatus) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let root = scratch.path().join("root");
    let init = Command::new(env!("CARGO_BIN_EXE_cmail")).args(["init", "--root"]).arg(&root).output();
    assert!(init.expect("cmail starts").status.success());
    let (mut person, program) = terminal();
    let before = tcgetattr(&program).expect("it is a terminal");
    assert!(before.local_flags.contains(LocalFlags::ECHO | LocalFlags::ISIG));

    let mut child = add_user(&root, &program);
    let asking = tcgetattr(&program).expect("it is a terminal");
    assert!(!asking.local_flags.contains(LocalFlags::ECHO), "what is typed is shown");
    person.write_all(keys).expect("the keyboard works");
    let status = child.wait().expect("cmail ends");

    let after = tcgetattr(&program).expect("it is a terminal");
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
    (root.join("alice").exists(), status)
}

#[test]
fn a_password_is_taken() {
    let (is_there, status) = typed(b"secret\n");
    assert!(is_there && status.success());
}

#[test]
fn the_question_is_interrupted() {
    let (is_there, status) = typed(b"sec\x03");
    assert!(!is_there);
    assert_eq!(status.code(), Some(1));
}
