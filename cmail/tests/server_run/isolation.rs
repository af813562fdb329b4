//! What the server touches: traced by the kernel, and what is planted in its way.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::{Line, Scratch, Server, cmail, deliver, fetch, has};

/// Things in a mailbox that are no messages: none is shown, followed, waited for or removed.
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

/// A root in a directory with other things: they are left alone, and are no mailboxes, whatever they are called.
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

/// All changes to mail are calls of the lowest layer: exclusive creation, linking and unlinking below handles. Nothing is renamed,
/// truncated or opened for writing, and no absolute path is used after the start.
#[test]
fn system_calls() {
    if !has("strace") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("store_threads = 1");
    let log = scratch.0.join("strace");
    let log_name = log.to_str().expect("a path in text");
    let strace = ["strace", "-f", "-qq", "-y", "-e", "trace=%file,ftruncate,flock,getdents64", "-o", log_name];
    let server = Server::start_under(&strace, &scratch, &["--no-sync", "--workers", "1"]);
    assert!(deliver(&server.smtp, &["u1"], "one").expect("a reply").starts_with("250"));
    assert_eq!(fetch(&server.pop3, "u1", true).expect("a session").len(), 1);
    server.stop();
    let log = fs::read_to_string(log).expect("strace has written");
    let store = log.lines().find(|line| line.contains("linkat(")).and_then(|line| line.split_whitespace().next());
    let store = store.expect("the store has linked");
    let in_mailbox = |line: &&str| line.starts_with(store) && (line.contains("/u1/") || line.contains("/u1>"));
    let call = |line: &str| line.split_whitespace().nth(1)?.split('(').next().map(str::to_owned);
    let calls: Vec<String> = log.lines().filter(in_mailbox).filter_map(call).collect();
    assert_eq!(
        calls,
        [
            "openat",
            "openat",
            "openat", // the handles, once for this thread
            "openat",
            "linkat",
            "unlinkat", // deliver
            "flock",
            "getdents64",
            "getdents64",
            "openat",
            "flock", // pickup
            "flock",
            "unlinkat",
            "flock", // delete
        ],
        "{log}"
    );
    for line in log.lines().filter(in_mailbox) {
        assert!(!line.contains("O_TRUNC") && !line.contains("rename"), "{line}");
        assert!(!line.contains("O_CREAT") || line.contains("O_EXCL"), "{line}");
        assert!(line.contains("O_CREAT") || !line.contains("O_WRONLY") && !line.contains("O_RDWR"), "{line}");
    }
}
