//! Checks which files the server touches, by a trace of its system calls, and how it reacts to planted files.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::{Line, Scratch, Server, cmail, deliver, fetch, has};

/// Entries of a mailbox that are not messages: none is shown, followed, waited for or removed.
#[test]
fn planted_files() {
    let scratch = Scratch::new(&["u1", "u2"]);
    let mail = scratch.0.join("u1/mail");
    let secret = scratch.0.join("secret");
    fs::write(&secret, "secret").expect("a file");
    symlink(&secret, mail.join("1.1")).expect("a link");
    fs::create_dir(mail.join("1.2")).expect("a directory");
    assert!(Command::new("mkfifo").arg(mail.join("1.3")).status().expect("mkfifo runs").success());
    fs::write(mail.join("readme"), "no message").expect("a file");
    fs::write(mail.join("01.4"), "not how a message is called").expect("a file");
    symlink(scratch.0.join("u2"), scratch.0.join("u3")).expect("a link to a mailbox");
    let server = Server::start(&scratch, &["--no-sync"]);
    assert!(deliver(&server.smtp, &["u1"], "hello").expect("a reply").starts_with("250"));
    assert!(deliver(&server.smtp, &["u3"], "hello").expect("a reply").starts_with("550"), "a link is not a mailbox");
    let found = fetch(&server.pop3, "u1", true).expect("a session");
    assert_eq!(found.into_values().collect::<Vec<_>>(), ["hello\r\n"]);
    assert_eq!(fs::read_dir(&mail).expect("the mailbox").count(), 5);
    server.stop();
}

/// Other entries of the root directory are left alone, and are not mailboxes, whatever their names.
#[test]
fn a_root_among_other_things() {
    let scratch = Scratch::new(&[]);
    fs::write(scratch.0.join("readme"), "no mailbox").expect("a file");
    fs::create_dir(scratch.0.join("docs")).expect("a directory");
    cmail(&["init"], &scratch.0, "");
    let server = Server::start(&scratch, &["--no-sync"]);
    for user in ["readme", "docs"] {
        assert!(deliver(&server.smtp, &[user], "x").expect("a reply").starts_with("550"), "{user}");
        assert!(fetch(&server.pop3, user, false).expect_err("nobody").to_string().contains("[AUTH]"), "{user}");
    }
    assert!(deliver(&server.smtp, &["postmaster"], "x").expect("a reply").starts_with("250"));
    server.stop();
    assert_eq!(fs::read_dir(scratch.0.join("docs")).expect("it is there").count(), 0);
    assert_eq!(fs::read_to_string(scratch.0.join("readme")).expect("it is there"), "no mailbox");
}

#[test]
fn names_that_are_paths() {
    let scratch = Scratch::new(&["u1", "u2"]);
    let server = Server::start(&scratch, &["--no-sync"]);
    for user in ["..", "../u2", "u1/../u2", "/etc", ".cmail", "u1/mail", "%2e%2e", "\"../u2\""] {
        let mut pop3 = Line::connect(&server.pop3).expect("a connection");
        pop3.ask(&format!("USER {user}")).expect("a reply");
        assert!(pop3.ask("PASS x").expect("a reply").starts_with("-ERR [AUTH]"), "{user}");
        let reply = deliver(&server.smtp, &[user], "x").expect("a reply");
        assert!(reply.starts_with("55") || reply.starts_with("501"), "{user}: {reply}");
    }
    server.stop();
}

/// All changes to mail are calls of the lowest layer: creation, linking and unlinking below handles. Nothing is renamed, truncated or
/// opened for writing, and no absolute path is used after the start.
#[test]
fn system_calls() {
    if !has("strace") {
        return;
    }
    let handles = "openat openat openat";
    let pick_up = "flock getdents64 getdents64 openat flock";
    let delete = "flock unlinkat flock";
    // The temporary file has no name.
    assert_eq!(calls(&["--no-sync"]), format!("{handles} openat linkat {pick_up} {delete}"));
    // The temporary file has a name; the file is synced, and the directory after each change.
    let deliver = "openat fsync linkat unlinkat fsync";
    assert_eq!(calls(&[]), format!("{handles} {deliver} {pick_up} {delete} fsync"));
}

/// The calls on a mailbox for one delivery, a pickup and a deletion.
fn calls(options: &[&str]) -> String {
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("store_threads = 1");
    let log = scratch.0.join("strace");
    let log_name = log.to_str().expect("a path in text");
    let traced = "trace=%file,ftruncate,flock,getdents64,fsync";
    let strace = ["strace", "-f", "-qq", "-y", "-e", traced, "-o", log_name];
    let server = Server::start_under(&strace, &scratch, &[options, &["--workers", "1"]].concat());
    assert!(deliver(&server.smtp, &["u1"], "one").expect("a reply").starts_with("250"));
    assert_eq!(fetch(&server.pop3, "u1", true).expect("a session").len(), 1);
    server.stop();
    let log = fs::read_to_string(log).expect("strace has written");
    let is_in_mailbox = |line: &&str| line.contains("/u1/") || line.contains("/u1>");
    let links = |line: &&str| line.contains("linkat(") && is_in_mailbox(line);
    let store = log.lines().find(links).and_then(|line| line.split_whitespace().next()).expect("the store has linked");
    // Some C libraries read the status of a handle with a call that could also name a file.
    let is_of_handle = |line: &&str| line.contains("newfstatat(") && line.contains("AT_EMPTY_PATH");
    let is_call = |line: &&str| line.starts_with(store) && is_in_mailbox(line) && !is_of_handle(line);
    let lines: Vec<&str> = log.lines().filter(is_call).collect();
    for line in &lines {
        assert!(!line.contains("O_TRUNC") && !line.contains("rename"), "{line}");
        assert!(!line.contains("O_CREAT") || line.contains("O_EXCL"), "{line}");
        let makes = line.contains("O_CREAT") || line.contains("O_TMPFILE");
        assert!(makes || !line.contains("O_WRONLY") && !line.contains("O_RDWR"), "{line}");
    }
    let call = |line: &str| line.split_whitespace().nth(1)?.split('(').next().map(str::to_owned);
    lines.into_iter().filter_map(call).collect::<Vec<_>>().join(" ")
}
