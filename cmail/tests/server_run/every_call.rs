//! Tests a failure at every system call of a delivery, of a pickup with a deletion, of a start of the server and of a start of a worker.
//! Either the process is killed before the call, or the call fails. `strace` records the calls, and then injects failures into one after
//! the other. By default only calls on files and sockets are tested, with one error each; `CMAIL_FAULTS=all` tests all calls and all
//! errors.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cmail::server::sockets::{self, Service};

use crate::faults::{running_store_thread, server_with, store_thread};
use crate::harness::{Lie, Scratch, Server, deliver, fetch, has, kill, prepare, wait_for};

/// Calls on files and sockets, by prefixes of their names.
const FILES: [&str; 18] = [
    "openat", "read", "write", "pwrite", "fsync", "link", "unlink", "rename", "getdents", "flock", "fstat", "newfstat",
    "bind", "listen", "sendto", "recvfrom", "sendmsg", "recvmsg",
];

/// Other calls that can fail. `close` is excluded: its result does not matter, and `strace` would not perform the close.
const OTHERS: [&str; 12] = [
    "lseek",
    "fcntl",
    "statx",
    "socket",
    "setsockopt",
    "getsockname",
    "epoll_c",
    "eventfd",
    "clone3",
    "pidfd",
    "prctl",
    "prlimit",
];

/// `ENOENT` is excluded: it means that a file does not exist, which the caller has to believe.
const ERRORS: [&str; 9] = ["EIO", "ENOSPC", "EMFILE", "ENOMEM", "EACCES", "EINTR", "EDQUOT", "EROFS", "EEXIST"];

fn takes_all() -> bool {
    std::env::var("CMAIL_FAULTS").is_ok_and(|faults| faults == "all")
}

/// A system call of a thread: its name, and which occurrence of that name it is.
#[derive(Clone, Debug)]
struct Point {
    call: String,
    count: usize,
}

impl Point {
    fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.call.starts_with(name))
    }

    /// The option of `strace` for this injection.
    fn inject(&self, what: &str) -> String {
        format!("{}:{what}:when={}", self.call, self.count)
    }
}

/// The calls in the output of `strace`, from the first line that contains this text.
fn points(log: &Path, from: &str) -> Vec<Point> {
    let mut counts = BTreeMap::<String, usize>::new();
    let mut found = Vec::new();
    for line in fs::read_to_string(log).expect("strace has written").lines() {
        let Some((call, arguments)) = line.split_once('(') else { continue };
        if !call.starts_with(|letter: char| letter.is_ascii_lowercase()) {
            continue;
        }
        let count = counts.entry(call.to_owned()).or_default();
        *count += 1;
        // This write wakes another thread, through a counter in memory. It cannot fail.
        let wakes = arguments.contains(r#""\1\0\0\0\0\0\0\0""#);
        if wakes {
            continue;
        }
        if !found.is_empty() || arguments.contains(from) {
            found.push(Point { call: call.to_owned(), count: *count });
        }
    }
    // The number of times that threads wait for each other differs between two runs.
    found
        .retain(|point| !matches!(&*point.call, "futex" | "sched_yield" | "restart_syscall" | "execve" | "exit_group"));
    found
}

/// The points to kill the process before.
fn to_kill(points: &[Point]) -> Vec<Point> {
    points.iter().filter(|point| takes_all() || point.is_one_of(&FILES)).cloned().collect()
}

/// The points to fail, each with an error.
fn to_fail(points: &[Point]) -> Vec<(Point, &'static str)> {
    let mut found = Vec::new();
    for point in points.iter().filter(|point| point.is_one_of(&FILES) || takes_all() && point.is_one_of(&OTHERS)) {
        match takes_all() {
            true => found.extend(ERRORS.map(|error| (point.clone(), error))),
            false => found.push((point.clone(), ERRORS[found.len() % ERRORS.len()])),
        }
    }
    found
}

/// A thread of the only worker.
#[derive(Clone, Copy, Debug)]
enum Thread {
    Store,
    Sessions,
}

impl Thread {
    fn of(self, server: &Server) -> u32 {
        match self {
            Thread::Store => store_thread(server),
            Thread::Sessions => *server.workers().first().expect("a worker"),
        }
    }
}

/// The work during which calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Deliver,
    /// Picks up and deletes the message.
    Fetch,
}

impl Work {
    /// Does the work while the kernel returns false results to a thread. Returns whether the client was told that it succeeded.
    fn under(self, server: &Server, begin: impl FnOnce() -> Lie) -> bool {
        match self {
            Work::Deliver => {
                let mut smtp = prepare(&server.smtp, &["u1"]).expect("a connection").expect("the recipient is known");
                let _lie = begin();
                smtp.ask("new\r\n.").is_ok_and(|reply| reply.starts_with("250"))
            }
            Work::Fetch => {
                let _lie = begin();
                fetch(&server.pop3, "u1", true).is_ok()
            }
        }
    }

    /// The calls that the work makes.
    fn points(self, thread: Thread, options: &[&str]) -> Vec<Point> {
        let scratch = Scratch::new(&["u1"]);
        let server = server_with(&scratch, options);
        assert!(deliver(&server.smtp, &["u1"], "old").expect("a reply").starts_with("250"));
        let log = scratch.0.join(".cmail/log");
        assert!(self.under(&server, || Lie::none(thread.of(&server), &log)));
        server.stop();
        points(&log, "")
    }
}

/// The work, the thread, and the options of the server. Without syncing, temporary files have no names.
const WORK: [(Work, Thread, &[&str]); 5] = [
    (Work::Deliver, Thread::Store, &[]),
    (Work::Deliver, Thread::Store, &["--no-sync"]),
    (Work::Deliver, Thread::Sessions, &[]),
    (Work::Fetch, Thread::Store, &[]),
    (Work::Fetch, Thread::Sessions, &[]),
];

/// Each message exists once or not at all, complete, under one name, in agreement with what the client was told.
fn assert_kept(scratch: &Scratch, work: Work, acknowledged: bool, at: &str) {
    let files = scratch.messages("u1");
    let copies = |text: &[u8]| files.values().filter(|message| *message == text).count();
    assert_eq!(copies(b"old\r\n") + copies(b"new\r\n"), files.len(), "{at}: {files:?}");
    assert!(copies(b"new\r\n") <= 1 && copies(b"old\r\n") <= 1, "{at}: {files:?}");
    match work {
        Work::Deliver => {
            assert_eq!(copies(b"old\r\n"), 1, "{at}");
            assert!(!acknowledged || copies(b"new\r\n") == 1, "{at}: acknowledged, and lost");
        }
        Work::Fetch => assert!(!acknowledged || files.is_empty(), "{at}: a deletion was acknowledged"),
    }
}

/// Dead processes have left nothing behind, and do not obstruct later ones.
fn assert_serves(server: &Server, scratch: &Scratch, at: &str) {
    let files = scratch.messages("u1");
    assert_eq!(scratch.files("u1", "tmp"), BTreeMap::new(), "{at}: files of dead processes are left");
    for name in files.keys() {
        let status = fs::metadata(scratch.0.join("u1/mail").join(name)).expect("the message");
        assert_eq!(status.nlink(), 1, "{at}");
    }
    assert!(deliver(&server.smtp, &["u1"], "later").expect("a reply").starts_with("250"), "{at}");
    let later = scratch.messages("u1");
    assert!(files.iter().all(|(name, text)| later.get(name) == Some(text)), "{at}: {files:?} then {later:?}");
    assert_eq!(later.len(), files.len() + 1, "{at}");
    assert_eq!(fetch(&server.pop3, "u1", false).expect("a session").len(), later.len(), "{at}");
}

/// Waits until the worker was replaced and the new one serves; `false` if it was not.
fn wait_for_others(server: &Server, before: &[u32]) -> bool {
    let are_others = || {
        let now = server.workers();
        match now == before {
            true => is_alive(before[0]).then_some(false),
            false => (!now.is_empty() && running_store_thread(server).is_some()).then_some(true),
        }
    };
    wait_for(are_others).expect("a worker comes after the one that was killed")
}

/// Whether a process runs. A process that ends frees its memory before it closes its sockets, so a caller that has seen the sockets close
/// gets `false` here; it becomes a zombie only later.
fn is_alive(process: u32) -> bool {
    fs::read_link(format!("/proc/{process}/exe")).is_ok()
}

#[test]
fn workers_are_killed_before_every_call() {
    if !has("strace") {
        return;
    }
    for (work, thread, options) in WORK {
        let points = to_kill(&work.points(thread, options));
        let mut kills = 0;
        for point in &points {
            let at = format!("{work:?}, {thread:?}, {options:?}, killed before {point:?}");
            let scratch = Scratch::new(&["u1"]);
            let server = server_with(&scratch, options);
            assert!(deliver(&server.smtp, &["u1"], "old").expect("a reply").starts_with("250"));
            let before = server.workers();
            let lie = || Lie::to_thread(thread.of(&server), &[&point.inject("signal=KILL")]);
            let acknowledged = work.under(&server, lie);
            kills += usize::from(wait_for_others(&server, &before));
            assert_kept(&scratch, work, acknowledged, &at);
            assert_serves(&server, &scratch, &at);
            server.stop();
        }
        println!("{work:?}, {thread:?}, {options:?}: {kills} kills at {} calls", points.len());
        assert!(kills >= 2 && kills >= points.len() / 2, "{kills} kills at {points:?}");
    }
}

#[test]
fn every_call_fails() {
    if !has("strace") {
        return;
    }
    for (work, thread, options) in WORK {
        let points = to_fail(&work.points(thread, options));
        let scratch = Scratch::new(&["u1"]);
        let server = server_with(&scratch, options);
        let mut failures = 0;
        for (point, error) in &points {
            let at = format!("{work:?}, {thread:?}, {options:?}, {error} at {point:?}");
            assert!(deliver(&server.smtp, &["u1"], "old").expect("a reply").starts_with("250"), "{at}");
            let lie = || Lie::to_thread(thread.of(&server), &[&point.inject(&format!("error={error}"))]);
            let acknowledged = work.under(&server, lie);
            failures += usize::from(!acknowledged);
            assert_kept(&scratch, work, acknowledged, &at);
            // The server unlocks the mailboxes of broken sessions when it notices that they broke off.
            let emptied = wait_for(|| fetch(&server.pop3, "u1", true).ok());
            assert!(emptied.is_some(), "{at}: the mailbox cannot be opened");
            assert!(scratch.files("u1", "mail").is_empty(), "{at}");
        }
        server.stop();
        println!("{work:?}, {thread:?}, {options:?}: {} errors, {failures} of which the client was told", points.len());
        // A restart removes what could not be removed from `tmp`.
        let server = Server::start(&scratch, &["--workers", "1"]);
        assert_serves(&server, &scratch, "after all errors");
        server.stop();
    }
}

/// A started process, which may die.
struct Started {
    child: Child,
    smtp: Option<String>,
    pid: Option<u32>,
    /// The main process's end of the socket; this test is the main process.
    _main: Option<UnixDatagram>,
}

impl Started {
    /// Whether the process serves; otherwise it has ended, and this is its exit code.
    fn end(mut self) -> Result<(), i32> {
        let serves = self.smtp.take().is_some_and(|address| greets(&address));
        if serves {
            kill("KILL", self.pid.unwrap_or(self.child.id()));
        }
        match wait_for(|| self.child.try_wait().expect("it is a child")).expect("it serves, or it ends") {
            _ if serves => Ok(()),
            status => Err(status.code().unwrap_or(-1)),
        }
    }
}

/// Whether a server greets at this address.
fn greets(address: &str) -> bool {
    let read = || -> std::io::Result<[u8; 3]> {
        let mut client = TcpStream::connect(address)?;
        client.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut code = [0; 3];
        client.read_exact(&mut code)?;
        Ok(code)
    };
    read().is_ok_and(|code| code == *b"220")
}

/// Starts a process under `strace` with these options; its messages go to the file.
type Start = fn(&Scratch, &[&str], File) -> Started;

fn start_server(scratch: &Scratch, options: &[&str], messages: File) -> Started {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "20", "strace", "-D", "-qq"]).args(options).arg(env!("CARGO_BIN_EXE_cmail"));
    command.args(["serve", "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0", "--workers", "1", "--root"]);
    let mut child = command.arg(&scratch.0).stdout(Stdio::piped()).stderr(messages).spawn().expect("strace runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("text");
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
    let pid = ready["pid"].as_u64().and_then(|pid| pid.try_into().ok());
    Started { child, smtp: ready["smtp"].as_str().map(str::to_owned), pid, _main: None }
}

/// A worker, with this test as the main process.
fn start_worker(scratch: &Scratch, options: &[&str], messages: File) -> Started {
    let listen = || {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        socket.set_nonblocking(true).expect("a socket can");
        socket
    };
    let sockets = [(Service::Smtp, listen()), (Service::Pop3, listen())];
    let address = sockets[0].1.local_addr().expect("it is bound").to_string();
    let (main, worker) = UnixDatagram::pair().expect("a pair");
    sockets::send(&main, &sockets).expect("they fit");
    let mut command = Command::new("strace");
    command.args(["-D", "-qq"]).args(options).args([env!("CARGO_BIN_EXE_cmail"), "worker"]);
    command.arg("--root").arg(&scratch.0).arg("--parent").arg(std::process::id().to_string());
    let child =
        command.stdin(OwnedFd::from(worker)).stdout(Stdio::null()).stderr(messages).spawn().expect("strace runs");
    // The command keeps its end open, and with it the sockets in transit. Once all are closed, the sockets of a dead worker refuse clients.
    drop((command, sockets));
    Started { child, smtp: Some(address), pid: None, _main: Some(main) }
}

/// The calls of a start, from the first one on the mail root until clients are served.
fn start_points(start: Start) -> Vec<Point> {
    let scratch = with_message();
    let log = scratch.0.join(".cmail/log");
    let options = ["-o", log.to_str().expect("a path in text")];
    start(&scratch, &options, messages(&scratch)).end().expect("nothing is wrong");
    let points = points(&log, &format!("\"{}\", O_RDONLY", scratch.0.display()));
    points.into_iter().take_while(|point| !point.call.starts_with("accept")).collect()
}

/// A mailbox with a message, and a temporary file of a dead process.
fn with_message() -> Scratch {
    let scratch = Scratch::new(&["u1"]);
    scratch.settings("store_threads = 1");
    let server = Server::start(&scratch, &["--workers", "1"]);
    assert!(deliver(&server.smtp, &["u1"], "old").expect("a reply").starts_with("250"));
    server.stop();
    fs::write(scratch.0.join("u1/tmp/4294967296.0"), "half").expect("the mailbox is writable");
    scratch
}

fn messages(scratch: &Scratch) -> File {
    File::create(scratch.0.join(".cmail/messages")).expect("the scratch directory is writable")
}

/// The next start succeeds and finds the root intact.
fn assert_starts(scratch: &Scratch, at: &str) {
    assert_kept(scratch, Work::Deliver, false, at);
    let server = Server::start(scratch, &["--workers", "1"]);
    assert_serves(&server, scratch, at);
    server.stop();
}

const STARTS: [(&str, Start); 2] = [("the server", start_server), ("a worker", start_worker)];

#[test]
fn starts_are_killed_before_every_call() {
    if !has("strace") {
        return;
    }
    for (what, start) in STARTS {
        let points = to_kill(&start_points(start));
        assert!(points.len() > 10, "{points:?}");
        for point in &points {
            let scratch = with_message();
            let inject = format!("inject={}", point.inject("signal=KILL"));
            // The process may still greet, since the last calls come after the greeting.
            let _ = start(&scratch, &["-o", "/dev/null", "-e", &inject], messages(&scratch)).end();
            assert_starts(&scratch, &format!("{what} is killed before {point:?}"));
        }
        println!("{what}: killed before {} calls", points.len());
    }
}

#[test]
fn every_call_of_a_start_fails() {
    if !has("strace") {
        return;
    }
    for (what, start) in STARTS {
        let points = to_fail(&start_points(start));
        let mut refused = 0;
        for (point, error) in &points {
            let at = format!("{what}, {error} at {point:?}");
            let scratch = with_message();
            let inject = format!("inject={}", point.inject(&format!("error={error}")));
            let ended = start(&scratch, &["-o", "/dev/null", "-e", &inject], messages(&scratch)).end();
            let said = fs::read_to_string(scratch.0.join(".cmail/messages")).expect("text");
            // The runtime has no other way to report that it cannot start.
            let by_runtime = said.contains("/tokio-") && said.contains("failed to create UnixStream");
            assert!(by_runtime || !said.contains("panicked"), "{at}: {said}");
            if let Err(code) = ended {
                refused += 1;
                assert!(by_runtime || code == 1 && said.contains("error: "), "{at}: exit code {code}: {said}");
            }
            assert_starts(&scratch, &at);
        }
        println!("{what}: {} errors, {refused} starts refused", points.len());
    }
}
