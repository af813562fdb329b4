//! Makes system calls fail, and checks the reply to the client. `strace` injects the failures into the only store thread of the only
//! worker, so that a test can choose any call of a delivery, a pickup or a deletion. Without `strace` these tests are skipped, with a
//! message.

use std::collections::BTreeMap;
use std::fs;

use crate::harness::{Lie, Scratch, Server, deliver, fetch, has, prepare, wait_for};

/// A server with one store thread, whose handles are open already.
pub fn server(scratch: &Scratch) -> Server {
    server_with(scratch, &[])
}

/// The same server with additional arguments.
pub fn server_with(scratch: &Scratch, arguments: &[&str]) -> Server {
    scratch.settings("store_threads = 1");
    let server = Server::start(scratch, &[&["--workers", "1"], arguments].concat());
    warm_up(&server);
    server
}

fn warm_up(server: &Server) {
    assert!(deliver(&server.smtp, &["u1"], "warm").expect("a reply").starts_with("250"));
    assert!(!fetch(&server.pop3, "u1", true).expect("a session").is_empty());
}

/// Makes the kernel return false results to the store thread of the worker, until the value is dropped.
fn lie(server: &Server, injection: &str) -> Lie {
    Lie::to_thread(store_thread(server), &[injection])
}

/// The store thread of the worker. Its name is set when it first runs, which may be after the first replies of a session.
pub fn store_thread(server: &Server) -> u32 {
    wait_for(|| running_store_thread(server)).expect("there is a worker with a store")
}

/// The store thread of the worker, if it runs.
pub fn running_store_thread(server: &Server) -> Option<u32> {
    let worker = *server.workers().first()?;
    let tasks = fs::read_dir(format!("/proc/{worker}/task")).ok()?;
    let is_store = |task: &u32| fs::read_to_string(format!("/proc/{task}/comm")).is_ok_and(|name| name == "store\n");
    tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok()).find(is_store)
}

/// Sends a message, and injects the failure into its delivery only.
fn deliver_under(server: &Server, injection: &str, users: &[&str]) -> std::io::Result<String> {
    let mut smtp = prepare(&server.smtp, users)?.expect("the recipients are known");
    let _lie = lie(server, injection);
    smtp.ask("new\r\n.")
}

const ERRORS: [&str; 8] = ["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENOMEM", "EACCES", "EROFS", "ENOENT"];

/// Permanent and temporary failures: the client is told that the delivery failed, and no trace of the message is left.
#[test]
fn a_delivery_that_fails_leaves_nothing() {
    if !has("strace") {
        return;
    }
    let scratch = Scratch::new(&["u1", "u2"]);
    let server = server(&scratch);
    for call in ["openat", "pwrite64", "fsync", "linkat"] {
        for errno in ERRORS {
            // The file is synced first. The directory is synced when the message is there already.
            let when = if call == "fsync" { ":when=1" } else { "" };
            let lie = lie(&server, &format!("{call}:error={errno}{when}"));
            let reply =
                deliver(&server.smtp, &["u1"], "text").unwrap_or_else(|error| panic!("{call} {errno}: {error}"));
            drop(lie);
            assert!(reply.starts_with("452"), "{call} {errno}: {reply}");
            assert_eq!(scratch.files("u1", "mail"), BTreeMap::new(), "{call} {errno}");
            assert_eq!(scratch.files("u1", "tmp"), BTreeMap::new(), "{call} {errno}");
        }
    }
    // The failure hits the second of two recipients: the first one's copy is removed again.
    for call in ["linkat:error=ENOSPC:when=2", "fsync:error=EIO:when=3"] {
        let reply = deliver_under(&server, call, &["u1", "u2"]).expect("a reply");
        assert!(reply.starts_with("452"), "{call}: {reply}");
        for user in ["u1", "u2"] {
            assert_eq!(scratch.files(user, "mail"), BTreeMap::new(), "{call}");
        }
    }
    warm_up(&server);
    server.stop();
}

/// The same failures where nothing is synced and temporary files have no names.
#[test]
fn a_delivery_of_a_file_without_a_name_that_fails() {
    if !has("strace") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let server = server_with(&scratch, &["--no-sync"]);
    for call in ["openat", "pwrite64", "linkat"] {
        for errno in ERRORS {
            let reply = deliver_under(&server, &format!("{call}:error={errno}"), &["u1"]).expect("a reply");
            assert!(reply.starts_with("452"), "{call} {errno}: {reply}");
            assert_eq!(scratch.files("u1", "mail"), BTreeMap::new(), "{call} {errno}");
            assert_eq!(scratch.files("u1", "tmp"), BTreeMap::new(), "{call} {errno}");
        }
    }
    // A file system that does not support files without names, and a name that is taken.
    for injection in ["openat:error=EOPNOTSUPP:when=1", "linkat:error=EEXIST:when=1..3"] {
        let reply = deliver_under(&server, injection, &["u1"]).expect("a reply");
        assert!(reply.starts_with("250"), "{injection}: {reply}");
        assert_eq!(scratch.files("u1", "tmp"), BTreeMap::new(), "{injection}");
    }
    assert_eq!(scratch.messages("u1").into_values().collect::<Vec<_>>(), [b"new\r\n", b"new\r\n"]);
    server.stop();
}

/// A taken name is replaced by another number; an interrupted call is repeated; a temporary file that cannot be removed is harmless, and
/// the next start removes it.
#[test]
fn failures_that_are_none() {
    if !has("strace") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let server = server(&scratch);
    for injection in [
        "linkat:error=EEXIST:when=1..3",
        "pwrite64:error=EINTR:when=1",
        "unlinkat:error=EIO:when=1",
        "unlinkat:error=EROFS:when=1",
    ] {
        let reply = deliver_under(&server, injection, &["u1"]).expect("a reply");
        assert!(reply.starts_with("250"), "{injection}: {reply}");
    }
    for injection in ["flock:error=EINTR:when=1..3", "read:error=EINTR:when=1", "getdents64:error=EINTR:when=1"] {
        let lie = lie(&server, injection);
        let found = fetch(&server.pop3, "u1", false).expect("a session");
        drop(lie);
        assert_eq!(found.len(), 4, "{injection}");
    }
    assert_eq!(scratch.files("u1", "tmp").len(), 2);
    server.stop();
    let server = Server::start(&scratch, &[]);
    assert_eq!(scratch.files("u1", "tmp").len(), 0);
    assert_eq!(fetch(&server.pop3, "u1", true).expect("a session").len(), 4);
    server.stop();
}

/// In the layers, picking up and deleting cannot fail: if a call fails, the process stops, the client is told, and the lock is free.
#[test]
fn a_pickup_or_a_deletion_that_fails() {
    if !has("strace") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let server = server(&scratch);
    assert!(deliver(&server.smtp, &["u1"], "text").expect("a reply").starts_with("250"));
    // The C library reads the status of a handle by one of two calls.
    for call in ["flock", "getdents64", "openat", "/^(new)?fstat", "read"] {
        for errno in ["EIO", "EMFILE", "ENOMEM", "EACCES"] {
            let lie = lie(&server, &format!("{call}:error={errno}:when=1"));
            let refused = fetch(&server.pop3, "u1", true).expect_err("it cannot be read");
            drop(lie);
            assert!(refused.to_string().contains("[SYS/TEMP]"), "{call} {errno}: {refused}");
            assert_eq!(fetch(&server.pop3, "u1", false).expect("a session").len(), 1, "{call} {errno}");
        }
    }
    for injection in ["unlinkat:error=EIO:when=1", "unlinkat:error=EROFS:when=1", "flock:error=EIO:when=3"] {
        let lie = lie(&server, injection);
        let refused = fetch(&server.pop3, "u1", true).expect_err("it cannot be deleted");
        drop(lie);
        assert!(refused.to_string().contains("not removed"), "{injection}: {refused}");
        assert_eq!(fetch(&server.pop3, "u1", false).expect("a session").len(), 1, "{injection}");
    }
    server.stop();
}
