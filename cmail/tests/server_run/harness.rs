//! Runs a server in a scratch directory, with minimal clients.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Polls until `look` returns a value, for half a minute at most.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let found = look();
        if found.is_some() || Instant::now() > end {
            return found;
        }
        sleep(Duration::from_millis(5));
    }
}

/// Polls until the condition holds; false if it does not within half a minute.
pub fn is_soon(mut look: impl FnMut() -> bool) -> bool {
    wait_for(|| look().then_some(())).is_some()
}

/// A mail root, which is removed when the value is dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// Creates a root in memory with these users, who need no password.
    pub fn new(users: &[&str]) -> Scratch {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Scratch::below(memory, users) } else { Scratch::on_disk(users) }
    }

    /// Creates such a root on disk, next to the test program.
    pub fn on_disk(users: &[&str]) -> Scratch {
        Scratch::below(Path::new(env!("CARGO_TARGET_TMPDIR")), users)
    }

    /// Creates such a root in a directory.
    pub fn below(parent: &Path, users: &[&str]) -> Scratch {
        // The random name is unique; a process id would be reused.
        let directory = tempfile::Builder::new().prefix("cmail-test-").tempdir_in(parent);
        let scratch = Scratch(directory.expect("a scratch directory").keep());
        cmail(&["init"], &scratch.0, "");
        for user in users {
            cmail(&["adduser", user, "--no-password"], &scratch.0, "");
        }
        scratch
    }

    /// Appends lines to the settings file.
    pub fn settings(&self, lines: &str) {
        fs::write(self.0.join(".cmail/config.toml"), lines).expect("the scratch directory is writable");
    }

    /// The messages of a mailbox as they were sent, by file name.
    pub fn messages(&self, user: &str) -> BTreeMap<String, Vec<u8>> {
        let sent = |(name, text): (String, Vec<u8>)| (name, as_sent(&text).to_vec());
        self.files(user, "mail").into_iter().map(sent).collect()
    }

    /// The contents of the files of one directory of a mailbox, by name.
    pub fn files(&self, user: &str, dir: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.0.join(user).join(dir)).expect("the mailbox is there");
        let read = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().expect("names are text");
            (name, fs::read(entry.path()).expect("the test may read mail"))
        };
        entries.map(|entry| read(entry.expect("the directory can be read"))).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory that cannot be removed does not affect other tests.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs `cmail` on a root, with a text on its standard input.
pub fn cmail(arguments: &[&str], root: &Path, input: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmail"));
    let mut child = command
        .args(arguments)
        .arg("--root")
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("cmail starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("cmail reads what it is given");
    drop(stdin);
    assert!(child.wait().expect("cmail ends").success(), "cmail {arguments:?}");
}

/// A running server, or one that has ended.
pub struct Server {
    pub child: Child,
    pub smtp: String,
    pub pop3: String,
    pub pid: u32,
    ready: serde_json::Value,
}

impl Server {
    pub fn start(scratch: &Scratch, arguments: &[&str]) -> Server {
        Server::start_under(&[], scratch, arguments)
    }

    /// Starts the server through another command, which gets the server's command line as its last arguments.
    pub fn start_under(under: &[&str], scratch: &Scratch, arguments: &[&str]) -> Server {
        let mut words = under.to_vec();
        let listen = ["serve", "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0", "--root"];
        words.push(env!("CARGO_BIN_EXE_cmail"));
        words.extend(listen);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&scratch.0).args(arguments).env("RUST_LOG", "error").stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("the server speaks");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("the first line is JSON");
        let address = |name: &str| ready[name].as_str().expect("an address").to_owned();
        let pid = ready["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("a process id");
        Server { smtp: address("smtp"), pop3: address("pop3"), pid, child, ready }
    }

    /// The address at which another service listens.
    pub fn address(&self, service: &str) -> String {
        self.ready[service].as_str().expect("an address").to_owned()
    }

    /// The process ids of the workers.
    pub fn workers(&self) -> Vec<u32> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid)).unwrap_or_default();
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Waits until all of these workers were replaced.
    pub fn wait_for_others(&self, before: &[u32]) {
        let are_others = || !self.workers().is_empty() && self.workers() != before;
        assert!(is_soon(are_others), "no worker came after {before:?}");
    }

    /// Stops the server in an orderly way.
    pub fn stop(mut self) {
        kill("TERM", self.pid);
        let status = self.child.wait().expect("the server ends");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing to kill; after a failed test the server must not stay.
        if matches!(self.child.try_wait(), Ok(None)) {
            kill("KILL", self.pid);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process, which may have ended already.
pub fn kill(signal: &str, pid: u32) {
    let _ = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).stderr(Stdio::null()).status();
}

/// Makes the kernel return false results to a process, until the value is dropped. An injection is a system call and its result, in the
/// syntax of `strace`.
pub struct Lie(Child);

impl Lie {
    /// Injects into one thread only.
    pub fn to_thread(thread: u32, injections: &[&str]) -> Lie {
        Lie::start(thread, &with_injections(injections))
    }

    /// Injects into all threads of a process.
    pub fn to_process(process: u32, injections: &[&str]) -> Lie {
        Lie::start(process, &[&["-f".to_owned()], &*with_injections(injections)].concat())
    }

    /// Injects nothing, but logs the calls of the thread.
    pub fn none(thread: u32, log: &Path) -> Lie {
        Lie::start(thread, &["-o".to_owned(), log.display().to_string()])
    }

    fn start(process: u32, options: &[String]) -> Lie {
        let mut strace = Command::new("strace");
        let strace = strace.arg("-qq").args(options).args(["-p", &process.to_string()]).stderr(Stdio::null());
        let lie = Lie(strace.spawn().expect("strace runs"));
        let status = || fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        assert!(is_soon(|| !status().contains("TracerPid:\t0")), "strace cannot attach");
        // `strace` is attached, and sets its options before the process continues.
        sleep(Duration::from_millis(20));
        lie
    }
}

fn with_injections(injections: &[&str]) -> Vec<String> {
    let calls: Vec<&str> = injections.iter().filter_map(|injection| injection.split(':').next()).collect();
    let mut options =
        vec!["-o".to_owned(), "/dev/null".to_owned(), "-e".to_owned(), format!("trace={}", calls.join(","))];
    for injection in injections {
        options.extend(["-e".to_owned(), format!("inject={injection}")]);
    }
    options
}

impl Drop for Lie {
    fn drop(&mut self) {
        kill("INT", self.0.id());
        // The process has ended, whatever its status.
        let _ = self.0.wait();
    }
}

/// A message without the two lines that the server adds in front, which must be there.
pub fn as_sent(message: &[u8]) -> &[u8] {
    let line_end = |from: usize| message[from..].windows(2).position(|two| two == b"\r\n").map(|at| from + at + 2);
    let ends = line_end(0).and_then(|first| Some((first, line_end(first)?)));
    let (first, second) = ends.unwrap_or_else(|| panic!("no trace: {}", message.escape_ascii()));
    assert!(message.starts_with(b"Return-Path: <"), "{}", message.escape_ascii());
    assert!(message[first..].starts_with(b"Received: from "), "{}", message.escape_ascii());
    // The second line is folded.
    assert!(message[second..].starts_with(b"\tby "), "{}", message.escape_ascii());
    &message[line_end(second).expect("a line ends")..]
}

/// Whether a program is installed. If not, the test is skipped, and a line says so. With `CMAIL_SKIP=never`, it fails instead.
pub fn has(program: &str) -> bool {
    let found = Command::new("which").arg(program).stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !found {
        skipped(&format!("`{program}` is not installed"));
        assert!(std::env::var("CMAIL_SKIP").as_deref() != Ok("never"), "CMAIL_SKIP=never: nothing may be skipped");
    }
    found
}

/// Reports that a test is skipped. Writes past the test harness, which hides the output of tests that succeed.
pub fn skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    // Standard error may be closed.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {name}: {why}");
}

/// A connection that sends lines and reads replies.
pub struct Line<S = TcpStream> {
    pub stream: BufReader<S>,
}

impl Line {
    pub fn connect(address: &str) -> std::io::Result<Line> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        let mut line = Line { stream: BufReader::new(stream) };
        let greeting = line.reply()?;
        match greeting.starts_with("220") || greeting.starts_with("+OK") {
            true => Ok(line),
            false => Err(std::io::Error::other(greeting)),
        }
    }

    pub fn into_stream(self) -> TcpStream {
        self.stream.into_inner()
    }
}

impl<S: Read + Write> Line<S> {
    pub fn send(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.get_mut().write_all(text.as_bytes())
    }

    /// One line, without its line ending.
    pub fn one_line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// The last line of the next reply.
    pub fn reply(&mut self) -> std::io::Result<String> {
        loop {
            let line = self.one_line()?;
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line);
            }
        }
    }

    pub fn ask(&mut self, line: &str) -> std::io::Result<String> {
        self.send(&format!("{line}\r\n"))?;
        self.reply()
    }

    /// The lines up to the dot, without dot stuffing.
    pub fn lines(&mut self) -> std::io::Result<String> {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line == ".\r\n" {
                return Ok(text);
            }
            text += line.strip_prefix('.').unwrap_or(&line);
        }
    }
}

/// Sends one message; returns the last reply.
pub fn deliver(address: &str, users: &[&str], text: &str) -> std::io::Result<String> {
    match prepare(address, users)? {
        Ok(mut smtp) => smtp.ask(&format!("{text}\r\n.")),
        Err(refused) => Ok(refused),
    }
}

/// Sends everything that precedes the text of a message; returns the connection, or the reply that refuses it.
pub fn prepare(address: &str, users: &[&str]) -> std::io::Result<Result<Line, String>> {
    let mut smtp = Line::connect(address)?;
    let mut commands = vec!["EHLO test".to_owned(), "MAIL FROM:<test@localhost>".to_owned()];
    commands.extend(users.iter().map(|user| format!("RCPT TO:<{user}@localhost>")));
    commands.push("DATA".to_owned());
    for command in commands {
        let reply = smtp.ask(&command)?;
        if !reply.starts_with(if command == "DATA" { "354" } else { "250" }) {
            return Ok(Err(reply));
        }
    }
    Ok(Ok(smtp))
}

/// A message as it was sent, as a string.
pub fn sent_text(message: &str) -> String {
    String::from_utf8_lossy(as_sent(message.as_bytes())).into_owned()
}

/// Logs in and fetches all messages, as they were sent, by their unique names; deletes them if requested.
pub fn fetch(address: &str, user: &str, delete: bool) -> std::io::Result<BTreeMap<String, String>> {
    let mut pop3 = Line::connect(address)?;
    pop3.ask(&format!("USER {user}"))?;
    let reply = pop3.ask("PASS x")?;
    if !reply.starts_with("+OK") {
        return Err(std::io::Error::other(reply));
    }
    pop3.ask("UIDL")?;
    let mut found = BTreeMap::new();
    for line in pop3.lines()?.lines() {
        let (number, uid) = line.split_once(' ').expect("UIDL lists pairs");
        let reply = pop3.ask(&format!("RETR {number}"))?;
        assert!(reply.starts_with("+OK"), "{reply}");
        found.insert(uid.to_owned(), sent_text(&pop3.lines()?));
        if delete {
            pop3.ask(&format!("DELE {number}"))?;
        }
    }
    let reply = pop3.ask("QUIT")?;
    match reply.starts_with("+OK") {
        true => Ok(found),
        false => Err(std::io::Error::other(reply)),
    }
}
