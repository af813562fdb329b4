//! A server on loopback. The mixed workload: each iteration delivers a message by SMTP, and picks up and deletes those of another user in
//! a separate POP3 session. Durable deliveries: by SMTP, and by direct calls on files.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use super::{Bench, MESSAGE, Scratch, USERS, null, user_name};
use crate::server::Failure;
use crate::server::passwords::Passwords;

type Client = BufReader<TcpStream>;

fn message() -> String {
    "sixty-two octets of text and the two that end a line make 64..\r\n".repeat(64)
}

/// Deliveries per second by system calls: exclusive creation, writing, syncing, linking, unlinking, syncing the directory.
pub fn bare(root: &Path, iterations: u64, connections: usize) -> Result<f64, Failure> {
    let message = message();
    on_threads(iterations, connections, |number| {
        deliver_by_calls(root, &user_name(user_of(number)), message.as_bytes())
    })
}

/// One delivery by system calls.
pub fn deliver_by_calls(root: &Path, user: &str, message: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
    let user = root.join(user);
    let tmp = user.join("tmp").join(&name);
    let mut file = File::create_new(&tmp)?;
    file.write_all(message)?;
    file.sync_all()?;
    fs::hard_link(&tmp, user.join("mail").join(&name))?;
    fs::remove_file(&tmp)?;
    File::open(user.join("mail"))?.sync_all()
}

/// Deliveries per second to a minimal server: without a store, or with the same calls on files.
pub fn null(root: Option<&Path>, iterations: u64, connections: usize) -> Result<f64, Failure> {
    send_all(&null::start(root)?, iterations, connections)
}

/// Deliveries per second by SMTP; each connection sends one message after the other.
pub fn smtp(root: &Path, iterations: u64, connections: usize) -> Result<f64, Failure> {
    let server = Server::start(root, &["--workers", "2"])?;
    send_all(&server.smtp, iterations, connections)
}

fn send_all(address: &str, iterations: u64, connections: usize) -> Result<f64, Failure> {
    let message = message();
    let clients = (0..connections).map(|_| connect(address)).collect::<io::Result<Vec<_>>>()?;
    let idle = Mutex::new(clients);
    on_threads(iterations, connections, |number| {
        let mut client = take(&idle)?;
        deliver(&mut client, &user_name(user_of(number)), &message)?;
        put_back(&idle, client)
    })
}

/// Requests per second of the mixed workload, two per iteration, by this many clients, to this many workers that sync nothing.
pub fn mixed(bench: &Bench, workers: usize, clients: usize) -> Result<f64, Failure> {
    let scratch = Scratch::new(&bench.directory)?;
    let passwords = Passwords::of(&scratch.0);
    (0..USERS).try_for_each(|user| passwords.set(&user_name(user), None))?;
    let server = Server::start(&scratch.0, &["--no-sync", "--workers", &workers.to_string()])?;
    let message = format!("{MESSAGE}\r\n");
    let idle = Mutex::new((0..clients).map(|_| connect(&server.smtp)).collect::<io::Result<Vec<_>>>()?);
    let iterations = on_threads(bench.iterations, clients, |number| {
        let mut client = take(&idle)?;
        deliver(&mut client, &user_name(user_of(2 * number)), &message)?;
        put_back(&idle, client)?;
        pick_up(&server.pop3, &user_name(user_of(2 * number + 1)), &message)
    })?;
    Ok(2.0 * iterations)
}

/// A client that is not in use.
fn take(idle: &Mutex<Vec<Client>>) -> io::Result<Client> {
    let taken = idle.lock().map_err(|_| io::Error::other("a client failed"))?.pop();
    taken.ok_or_else(|| io::Error::other("no connection"))
}

fn put_back(idle: &Mutex<Vec<Client>>, client: Client) -> io::Result<()> {
    idle.lock().map_err(|_| io::Error::other("a client failed"))?.push(client);
    Ok(())
}

/// A server that is stopped when the value is dropped.
struct Server {
    process: Child,
    smtp: String,
    pop3: String,
}

impl Server {
    /// Starts the server. It stores messages without `Return-Path` and `Received`.
    fn start(root: &Path, arguments: &[&str]) -> Result<Server, Failure> {
        fs::write(root.join(".cmail/config.toml"), "trace = false\n")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0", "--root"]).arg(root).args(arguments);
        let mut process = command.env("RUST_LOG", "error").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line)?;
        let address = |name: &str| ready[name].as_str().map(str::to_owned).ok_or("no address");
        Ok(Server { smtp: address("smtp")?, pop3: address("pop3")?, process })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its workers end when it does. It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn connect(address: &str) -> io::Result<Client> {
    let mut client = open(address)?;
    expect(&mut client, "220")?;
    ask(&mut client, "EHLO bench\r\n", "250")?;
    Ok(client)
}

fn open(address: &str) -> io::Result<Client> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Sends one message, as a client that knows PIPELINING.
fn deliver(client: &mut Client, user: &str, message: &str) -> io::Result<()> {
    ask(client, &format!("MAIL FROM:<a@localhost>\r\nRCPT TO:<{user}@localhost>\r\nDATA\r\n"), "250")?;
    expect(client, "250")?;
    expect(client, "354")?;
    ask(client, &format!("{message}.\r\n"), "250")
}

/// Reads and deletes all messages of a user in one session. If another client has the mailbox open, does nothing.
fn pick_up(address: &str, user: &str, message: &str) -> io::Result<()> {
    let mut client = open(address)?;
    expect(&mut client, "+OK")?;
    ask(&mut client, &format!("USER {user}\r\nPASS x\r\nSTAT\r\n"), "+OK")?;
    let opened = line(&mut client)?;
    let messages = line(&mut client)?;
    if opened.starts_with("-ERR [IN-USE]") {
        return Ok(());
    }
    let count: usize =
        messages.split(' ').nth(1).and_then(|count| count.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let read_all: String = (1..=count).map(|number| format!("RETR {number}\r\nDELE {number}\r\n")).collect();
    client.get_mut().write_all((read_all + "QUIT\r\n").as_bytes())?;
    for _ in 0..count {
        expect(&mut client, "+OK")?;
        if line(&mut client)? != message || line(&mut client)? != ".\r\n" {
            return Err(io::Error::other("another message than was sent"));
        }
        expect(&mut client, "+OK")?;
    }
    expect(&mut client, "+OK")
}

fn ask(client: &mut Client, text: &str, code: &str) -> io::Result<()> {
    client.get_mut().write_all(text.as_bytes())?;
    expect(client, code)
}

/// Reads a reply; all of its lines must begin with `code`.
fn expect(client: &mut Client, code: &str) -> io::Result<()> {
    loop {
        let line = line(client)?;
        if !line.starts_with(code) {
            return Err(io::Error::other(line));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

fn line(client: &mut Client) -> io::Result<String> {
    let mut line = String::new();
    match client.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}

/// Distributes the users, in a reproducible way.
fn user_of(number: u64) -> u32 {
    u32::try_from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33).unwrap_or(0) % USERS
}

/// Runs something this many times, on this many threads; returns times per second.
fn on_threads(times: u64, threads: usize, what: impl Fn(u64) -> io::Result<()> + Sync) -> Result<f64, Failure> {
    let next = AtomicU64::new(0);
    let start = Instant::now();
    let run = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= times {
                return Ok(());
            }
            what(number)?;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, io::Result<()>>| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a thread failed")))
        };
        workers.into_iter().try_for_each(join)
    })?;
    Ok(times as f64 / start.elapsed().as_secs_f64())
}
