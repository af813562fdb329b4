//! Tests of the server's environment: a full disk, another server on the same root, clocks that step, and clients that are slow, silent,
//! greedy or gone. If something that a test needs (`faketime`, the right to mount) is missing, a line `SKIPPED` names it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use crate::faults::store_thread;
use crate::harness::{Lie, Line, Scratch, Server, deliver, fetch, has, is_soon, kill, prepare, skipped, wait_for};

/// A small file system in memory, unmounted when the value is dropped.
struct Small(PathBuf);

impl Small {
    /// Mounts it; `None` if this user may not mount.
    fn new(options: &str) -> Option<Small> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cmail-mount-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let small = Small(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        fs::create_dir_all(&small.0).expect("a scratch directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&small.0).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(small);
        }
        skipped("this user may not mount a file system");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // If it is not mounted, there is nothing to unmount.
        let _ = Command::new("umount").arg(&self.0).stderr(Stdio::null()).status();
        let _ = fs::remove_dir(&self.0);
    }
}

/// Space for contents or for files runs out: messages are refused, accepted ones are kept, and deleting makes space.
#[test]
fn a_disk_that_is_full() {
    for options in ["size=256k", "nr_inodes=40"] {
        let Some(small) = Small::new(options) else { return };
        let scratch = Scratch::below(&small.0, &["u1", "u2"]);
        let server = Server::start(&scratch, &["--workers", "1"]);
        let line = "0123456789 abcdefghij ".repeat(30);
        let text = |number: usize| format!("{number}\r\n{}", [&*line; 10].join("\r\n"));
        let mut accepted = BTreeSet::new();
        let mut number = 0;
        loop {
            let mut smtp = prepare(&server.smtp, &["u1"]).expect("a connection").expect("u1 is known");
            let reply = smtp.ask(&format!("{}\r\n.", text(number))).expect("a reply");
            if !reply.starts_with("250") {
                assert!(reply.starts_with("452"), "{options}: {reply}");
                assert!(smtp.ask("NOOP").expect("the session goes on").starts_with("250"));
                break;
            }
            accepted.insert(text(number) + "\r\n");
            number += 1;
            assert!(number < 1000, "{options}: it is never full");
        }
        assert!(accepted.len() > 10, "{options}: only {} messages fit", accepted.len());
        assert!(scratch.files("u1", "tmp").is_empty() && scratch.files("u2", "mail").is_empty());
        // With two recipients the result is the same: neither gets the message.
        let reply = deliver(&server.smtp, &["u2", "u1"], &text(number)).expect("a reply");
        assert!(reply.starts_with("452"), "{options}: {reply}");
        assert!(scratch.files("u2", "mail").is_empty());
        let found: BTreeSet<String> = fetch(&server.pop3, "u1", true).expect("a session").into_values().collect();
        assert_eq!(found, accepted, "{options}");
        assert!(deliver(&server.smtp, &["u2", "u1"], &text(number)).expect("a reply").starts_with("250"), "{options}");
        server.stop();
    }
}

/// Two servers share mailboxes and locks. Neither removes what the other is writing.
#[test]
fn two_servers_on_one_root() {
    if !has("strace") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("store_threads = 1");
    // This server syncs, so its temporary files have names in `tmp`.
    let first = Server::start(&scratch, &["--workers", "1"]);
    assert!(deliver(&first.smtp, &["u1"], "one").expect("a reply").starts_with("250"));
    let mut smtp = prepare(&first.smtp, &["u1"]).expect("a connection").expect("u1 is known");
    let thread = store_thread(&first);
    let lie = Lie::to_thread(thread, &["linkat:delay_enter=1500000"]);
    smtp.send("two\r\n.\r\n").expect("it is sent");
    assert!(is_soon(|| !scratch.files("u1", "tmp").is_empty()), "nothing is written");
    // The first server is between writing and linking. The second one starts, and restarts its worker.
    let second = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    let before = second.workers();
    kill("KILL", before[0]);
    second.wait_for_others(&before);
    assert!(
        smtp.reply().expect("a reply").starts_with("250"),
        "the second server has removed what the first was writing"
    );
    drop(lie);
    assert!(deliver(&second.smtp, &["u1"], "three").expect("a reply").starts_with("250"));
    let mut open = Line::connect(&first.pop3).expect("a connection");
    open.ask("USER u1").expect("a reply");
    assert!(open.ask("PASS x").expect("a reply").starts_with("+OK 3 "));
    assert!(fetch(&second.pop3, "u1", false).expect_err("it is open").to_string().contains("[IN-USE]"));
    open.ask("QUIT").expect("a reply");
    assert_eq!(fetch(&second.pop3, "u1", true).expect("a session").len(), 3);
    first.stop();
    assert!(deliver(&second.smtp, &["u1"], "four").expect("a reply").starts_with("250"));
    second.stop();
}

/// Many deliveries at once, through both servers.
#[test]
fn two_servers_under_load() {
    let scratch = Scratch::new(&["u1"]);
    let servers = [(); 2].map(|()| Server::start(&scratch, &["--no-sync"]));
    thread::scope(|scope| {
        for client in 0..4 {
            let server = &servers[client % 2];
            scope.spawn(move || {
                for turn in 0..25 {
                    let reply = deliver(&server.smtp, &["u1"], &format!("{client} {turn}")).expect("a reply");
                    assert!(reply.starts_with("250"), "{reply}");
                }
            });
        }
    });
    let found: BTreeSet<String> = fetch(&servers[0].pop3, "u1", true).expect("a session").into_values().collect();
    assert_eq!(found.len(), 100);
    servers.into_iter().for_each(Server::stop);
}

/// The clock goes a day back, a day forward, and stands still: names stay unique, and existing messages keep theirs.
#[test]
fn clocks_that_step() {
    if !has("faketime") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let mut known = BTreeSet::new();
    for (turn, clock) in ["+0d", "-1d", "+1d", "2001-01-01 00:00:00"].into_iter().enumerate() {
        let under = ["faketime", "--exclude-monotonic", "-f", clock];
        let server = Server::start_under(&under, &scratch, &["--no-sync"]);
        for _ in 0..20 {
            assert!(deliver(&server.smtp, &["u1"], "text").expect("a reply").starts_with("250"), "{clock}");
        }
        let found: BTreeSet<String> = fetch(&server.pop3, "u1", false).expect("a session").into_keys().collect();
        assert_eq!(found.len(), 20 * (turn + 1), "{clock}");
        assert!(known.is_subset(&found), "{clock}: messages are called otherwise");
        known = found;
        server.stop();
    }
    let years = |text: &[u8]| String::from_utf8_lossy(text).contains(" 2001 ");
    assert!(scratch.files("u1", "mail").values().any(|text| years(text)), "the clock was not changed");
}

/// Processes that all have the same process ids, in sequence and in parallel, as in containers that share a root. Each is killed between
/// link and unlink of a delivery, which leaves a temporary file that is also a delivered message.
#[test]
fn process_ids_that_come_again() {
    if !has("strace") || !has("unshare") {
        return;
    }
    let container = ["unshare", "--pid", "--fork", "--kill-child"];
    if !Command::new(container[0])
        .args(&container[1..])
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|it| it.success())
    {
        return skipped("this user may not make a namespace");
    }
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("store_threads = 1");
    let mut sent = BTreeSet::new();
    for turn in 0..3 {
        let servers = [(); 2].map(|()| {
            // The server syncs, so temporary files have names.
            let mut server = Server::start_under(&container, &scratch, &["--workers", "1"]);
            assert_eq!(server.pid, 1, "it is the first in its namespace");
            let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.child.id()));
            server.pid = children.expect("unshare lives").trim().parse().expect("it has one child");
            server
        });
        for (number, server) in servers.iter().enumerate() {
            let text = format!("{turn} {number}");
            let before = server.workers();
            let mut smtp = prepare(&server.smtp, &["u1"]).expect("a connection").expect("u1 is known");
            let thread = store_thread(server);
            let _lie = Lie::to_thread(thread, &["unlinkat:signal=KILL:when=1"]);
            smtp.ask(&format!("{text}\r\n.")).expect_err("the worker is gone");
            sent.insert(text + "\r\n");
            server.wait_for_others(&before);
            for more in 0..5 {
                let text = format!("{turn} {number} {more}");
                assert!(deliver(&server.smtp, &["u1"], &text).expect("a reply").starts_with("250"));
                sent.insert(text + "\r\n");
            }
        }
        let found: BTreeSet<String> = fetch(&servers[0].pop3, "u1", false).expect("a session").into_values().collect();
        assert_eq!(found, sent, "turn {turn}");
        servers.into_iter().for_each(Server::stop);
    }
}

/// A unique name stays with its message across sessions, restarts, deliveries and deletions of others, and is not reused.
#[test]
fn unique_names_stay() {
    let scratch = Scratch::new(&["u1"]);
    let (mut known, mut gone) = (std::collections::BTreeMap::new(), BTreeSet::new());
    for round in 0..5 {
        let server = Server::start(&scratch, &["--no-sync"]);
        for number in 0..10 {
            assert!(deliver(&server.smtp, &["u1"], &format!("{round} {number}")).expect("a reply").starts_with("250"));
        }
        let found = fetch(&server.pop3, "u1", false).expect("a session");
        assert!(known.iter().all(|(name, text)| found.get(name) == Some(text)), "round {round}");
        assert!(found.keys().all(|name| !gone.contains(name)), "round {round}: a name is used again");
        let is_legal = |name: &String| name.len() <= 70 && name.bytes().all(|octet| (0x21..=0x7e).contains(&octet));
        assert!(found.keys().all(is_legal));
        let mut pop3 = Line::connect(&server.pop3).expect("a connection");
        pop3.ask("USER u1").expect("a reply");
        pop3.ask("PASS x").expect("a reply");
        let name = pop3.ask("UIDL 1").expect("a reply").split(' ').nth(2).expect("a name").to_owned();
        pop3.ask("DELE 1").expect("a reply");
        assert!(pop3.ask("QUIT").expect("a reply").starts_with("+OK"));
        known = found;
        known.remove(&name);
        gone.insert(name);
        server.stop();
    }
}

/// A complete SMTP session that delivers one message.
const SESSION: &str = "EHLO me\r\nMAIL FROM:<a@localhost>\r\nRCPT TO:<u1@localhost>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n";

/// The connection is cut after every octet of a session: the message exists if all of it was sent, and nothing else remains.
#[test]
fn clients_that_break_off() {
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("store_threads = 1");
    let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    // From now on the handles of the mailbox are kept.
    assert!(deliver(&server.smtp, &["u1"], "hello").expect("a reply").starts_with("250"));
    let handles = descriptors(&server);
    let whole = SESSION.find("\r\nQUIT").expect("it ends with QUIT") + 2;
    for length in 0..SESSION.len() {
        let mut client = TcpStream::connect(&server.smtp).expect("a connection");
        client.write_all(&SESSION.as_bytes()[..length]).expect("it is sent");
    }
    let mut client = TcpStream::connect(&server.smtp).expect("a connection");
    client.write_all(SESSION.as_bytes()).expect("it is sent");
    let mut replies = String::new();
    client.read_to_string(&mut replies).expect("the server closes");
    assert!(replies.contains("\r\n250 2.0.0 Delivered\r\n221 "), "{replies}");
    let is_settled = || scratch.files("u1", "tmp").is_empty() && descriptors(&server) <= handles;
    assert!(is_soon(is_settled), "{handles} descriptors were open, and {} are", descriptors(&server));
    let messages = scratch.messages("u1");
    assert!(messages.values().all(|message| message == b"hello\r\n"));
    assert!((2..=SESSION.len() - whole + 2).contains(&messages.len()), "{} messages", messages.len());
    server.stop();
}

/// The number of descriptors that the workers have open.
fn descriptors(server: &Server) -> usize {
    let count = |worker: &u32| fs::read_dir(format!("/proc/{worker}/fd")).map_or(0, Iterator::count);
    server.workers().iter().map(count).sum()
}

/// Two hundred clients that send a word now and then, in every phase of a session, do not delay any other client.
#[test]
fn clients_that_are_slow() {
    let scratch = Scratch::new(&["u1"]);
    let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    let stop = AtomicBool::new(false);
    let mut clients: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(&server.smtp).expect("a connection")).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(&SESSION.as_bytes()[..number % SESSION.len()]).expect("it is sent");
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for client in &mut clients {
                    // Clients whose session has ended have a final reply.
                    let _ = client.write(b"x");
                }
                sleep(Duration::from_millis(20));
            }
        });
        for number in 0..20 {
            assert!(deliver(&server.smtp, &["u1"], &number.to_string()).expect("a reply").starts_with("250"));
            assert!(!fetch(&server.pop3, "u1", true).expect("a session").is_empty());
        }
        stop.store(true, Ordering::Relaxed);
    });
    server.stop();
}

/// A silent client is disconnected, and so is one that does not read the replies. Afterwards its mailbox is free and unchanged.
#[test]
fn clients_that_do_not_end() {
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("smtp_idle = 3\npop3_idle = 3\nmessage_size = 9000000");
    let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    let large = ["x".repeat(990).as_str(); 8000].join("\r\n");
    assert!(deliver(&server.smtp, &["u1"], &large).expect("a reply").starts_with("250"));
    let mut silent = Line::connect(&server.smtp).expect("a connection");
    let mut greedy = Line::connect(&server.pop3).expect("a connection");
    greedy.send(&format!("USER u1\r\nPASS x\r\nDELE 1\r\nRSET\r\n{}", "RETR 1\r\n".repeat(50))).expect("it is sent");
    assert!(silent.reply().expect("it is told").starts_with("421"));
    assert_eq!(when_free(&server, "u1").len(), 1);
    server.stop();
}

/// Fetches the messages of a mailbox as soon as no other session has it open.
fn when_free(server: &Server, user: &str) -> Vec<String> {
    let found = wait_for(|| fetch(&server.pop3, user, false).ok());
    found.expect("the mailbox becomes free").into_values().collect()
}

/// Sends a word repeatedly until the session is cut; `false` if it never is.
fn is_cut(client: &mut Line, word: &str) -> bool {
    (0..600).any(|_| {
        sleep(Duration::from_millis(50));
        client.send(word).is_err()
    })
}

/// An octet now and then does not keep a session open, in any phase; input at a modest rate does.
#[test]
fn clients_that_say_little() {
    let scratch = Scratch::new(&["u1", "u2"]);
    scratch.settings("smtp_idle = 3\npop3_idle = 3");
    let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    assert!(deliver(&server.smtp, &["u1"], "one").expect("a reply").starts_with("250"));
    let mut in_command = Line::connect(&server.smtp).expect("a connection");
    let mut in_text = prepare(&server.smtp, &["u1"]).expect("a connection").expect("u1 is known");
    let mut in_mailbox = Line::connect(&server.pop3).expect("a connection");
    for line in ["USER u1", "PASS x", "DELE 1"] {
        assert!(in_mailbox.ask(line).expect("a reply").starts_with("+OK"));
    }
    let mut modest = prepare(&server.smtp, &["u2"]).expect("a connection").expect("u2 is known");
    thread::scope(|scope| {
        for client in [&mut in_command, &mut in_text, &mut in_mailbox] {
            scope.spawn(|| assert!(is_cut(client, "N"), "a client that says a letter now and then is never sent away"));
        }
        // More than four seconds, at 2,000 octets a second.
        for _ in 0..80 {
            sleep(Duration::from_millis(50));
            modest.send(&format!("{}\r\n", "x".repeat(98))).expect("it is read");
        }
        assert!(modest.ask(".").expect("a reply").starts_with("250"));
    });
    assert_eq!(when_free(&server, "u1"), ["one\r\n"]);
    server.stop();
}

/// A session ends eventually, however much the client sends; without QUIT nothing is removed.
#[test]
fn clients_that_say_too_much() {
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("smtp_session = 5\npop3_session = 5\nerrors = 100000");
    let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    assert!(deliver(&server.smtp, &["u1"], "one").expect("a reply").starts_with("250"));
    let mut smtp = Line::connect(&server.smtp).expect("a connection");
    let mut pop3 = Line::connect(&server.pop3).expect("a connection");
    for line in ["USER u1", "PASS x", "DELE 1"] {
        assert!(pop3.ask(line).expect("a reply").starts_with("+OK"));
    }
    thread::scope(|scope| {
        for client in [&mut smtp, &mut pop3] {
            scope.spawn(|| assert!(is_cut(client, "NOOP\r\n"), "a session does not end"));
        }
    });
    assert_eq!(when_free(&server, "u1"), ["one\r\n"]);
    server.stop();
}

/// Clients beyond the limit of sessions, or of descriptors, are refused; there is room again when others disconnect.
#[test]
fn clients_that_are_many() {
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("sessions = 3\nstore_threads = 1");
    let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    let mut open: Vec<Line> = (0..3).map(|_| Line::connect(&server.smtp).expect("a connection")).collect();
    let reply = read_line(&server.smtp);
    assert!(reply.starts_with("421 "), "{reply}");
    let reply = read_line(&server.pop3);
    assert!(reply.starts_with("-ERR [SYS/TEMP] "), "{reply}");
    open.pop();
    serves_again(&server);
    server.stop();

    scratch.settings("store_threads = 1");
    let few = ["sh", "-c", "ulimit -n 40; exec \"$@\"", "sh"];
    let server = Server::start_under(&few, &scratch, &["--workers", "1", "--no-sync"]);
    let clients: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(&server.smtp).expect("a connection")).collect();
    assert!(is_soon(|| descriptors(&server) >= 40), "there are descriptors left");
    drop(clients);
    serves_again(&server);
    server.stop();
}

fn read_line(address: &str) -> String {
    let mut text = String::new();
    let mut client = TcpStream::connect(address).expect("a connection");
    match client.read_to_string(&mut text) {
        Ok(_) => text,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => text,
        Err(error) => panic!("{error}"),
    }
}

fn serves_again(server: &Server) {
    let is_served = || deliver(&server.smtp, &["u1"], "x").is_ok_and(|reply| reply.starts_with("250"));
    assert!(is_soon(is_served), "no client is served any more");
}

/// A message that never ends is read until it does, refused, and not kept in memory.
#[test]
fn a_message_that_is_too_big() {
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("message_size = 100000");
    let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", server.workers()[0])).expect("the worker lives");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the kernel says").to_owned();
        line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).expect("a number")
    };
    let mut smtp = prepare(&server.smtp, &["u1"]).expect("a connection").expect("u1 is known");
    // Only now has the worker certainly started.
    let before = memory();
    let piece = "0123456789abcdef\r\n".repeat(1000);
    for _ in 0..2000 {
        smtp.send(&piece).expect("it is read");
    }
    // A single line of a megabyte, too.
    smtp.send(&"x".repeat(1 << 20)).expect("it is read");
    assert!(smtp.ask("\r\n.").expect("a reply").starts_with("552"));
    assert!(smtp.ask("NOOP").expect("the session goes on").starts_with("250"));
    assert!(memory() < before + 8 * 1024, "{} KiB more after 36 MB", memory() - before);
    assert!(scratch.files("u1", "tmp").is_empty() && scratch.files("u1", "mail").is_empty());
    server.stop();
}

/// Only the owner can read the server's files, whatever the umask.
#[test]
fn others_cannot_read() {
    let scratch = Scratch::new(&[]);
    for (command, input) in [("init", ""), ("adduser u1", "secret\n")] {
        let mut child = Command::new("sh")
            .args(["-c", &format!("umask 0; exec \"$0\" {command} --root \"$1\""), env!("CARGO_BIN_EXE_cmail")])
            .arg(&scratch.0)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads, or need not");
        assert!(child.wait().expect("it ends").success());
    }
    let server = Server::start_under(&["sh", "-c", "umask 0; exec \"$@\"", "sh"], &scratch, &["--no-sync"]);
    assert!(deliver(&server.smtp, &["u1"], "x").expect("a reply").starts_with("250"));
    let mut left = vec![scratch.0.join("u1"), scratch.0.join(".cmail")];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let status = fs::symlink_metadata(&path).expect("it is there");
        assert_eq!(status.permissions().mode() & 0o077, 0, "{}", path.display());
        seen += 1;
        if status.is_dir() {
            left.extend(fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()));
        }
    }
    assert!(seen > 6);
    server.stop();
}

/// Twenty thousand messages in one mailbox are listed, counted and fetched.
#[test]
fn a_mailbox_with_very_many_messages() {
    let scratch = Scratch::new(&["u1"]);
    for number in 0..20_000 {
        fs::write(scratch.0.join(format!("u1/mail/1.{number}")), "text\r\n").expect("the mailbox is writable");
    }
    let server = Server::start(&scratch, &["--no-sync"]);
    let mut pop3 = Line::connect(&server.pop3).expect("a connection");
    pop3.ask("USER u1").expect("a reply");
    assert!(pop3.ask("PASS x").expect("a reply").starts_with("+OK 20000 messages"));
    for command in ["LIST", "UIDL"] {
        pop3.ask(command).expect("a reply");
        assert_eq!(pop3.lines().expect("a list").lines().count(), 20_000);
    }
    assert_eq!(pop3.ask("STAT").expect("a reply"), "+OK 20000 120000");
    assert!(pop3.ask("RETR 20000").expect("a reply").starts_with("+OK"));
    assert_eq!(pop3.lines().expect("a message"), "text\r\n");
    server.stop();
}
