//! Durable deliveries: by SMTP to a server on loopback, and by the bare calls on files that they come down to. A server cannot be
//! faster than those.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use super::{Bench, Scratch, USERS, user_name};
use crate::server::worker::Failure;

type Client = BufReader<TcpStream>;

fn message() -> String {
    "sixty-two octets of text and the two that end a line make 64..\r\n".repeat(64)
}

/// Deliveries per second by system calls: exclusive creation, writing, syncing, linking, unlinking, syncing the directory.
pub fn bare(bench: &Bench, connections: usize) -> Result<f64, Failure> {
    let scratch = Scratch::new(&bench.directory)?;
    let message = message();
    on_threads(bench.iterations, connections, |number| {
        let user = scratch.0.join(user_name(user_of(number)));
        let tmp = user.join("tmp").join(number.to_string());
        let mut file = File::create_new(&tmp)?;
        file.write_all(message.as_bytes())?;
        file.sync_all()?;
        fs::hard_link(&tmp, user.join("mail").join(number.to_string()))?;
        fs::remove_file(&tmp)?;
        File::open(user.join("mail"))?.sync_all()
    })
}

/// Deliveries per second by SMTP, each connection sending one message after the other.
pub fn smtp(bench: &Bench, connections: usize) -> Result<f64, Failure> {
    let scratch = Scratch::new(&bench.directory)?;
    let (mut server, address) = start(&scratch.0)?;
    let message = message();
    let clients = (0..connections).map(|_| connect(&address)).collect::<io::Result<Vec<_>>>()?;
    let idle = Mutex::new(clients);
    let lock = || idle.lock().map_err(|_| io::Error::other("a client failed"));
    let speed = on_threads(bench.iterations, connections, |number| {
        let mut client = lock()?.pop().ok_or_else(|| io::Error::other("no connection"))?;
        let user = user_name(user_of(number));
        ask(&mut client, &format!("MAIL FROM:<a@localhost>\r\nRCPT TO:<{user}@localhost>\r\nDATA\r\n"), "250")?;
        expect(&mut client, "250")?;
        expect(&mut client, "354")?;
        ask(&mut client, &format!("{message}.\r\n"), "250")?;
        lock()?.push(client);
        Ok(())
    });
    server.kill()?;
    server.wait()?;
    speed
}

fn start(root: &Path) -> Result<(Child, String), Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0", "--workers", "2", "--root"]).arg(root);
    let mut server = command.env("RUST_LOG", "error").stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let ready: serde_json::Value = serde_json::from_str(&line)?;
    let address = ready["smtp"].as_str().ok_or("no address")?.to_owned();
    Ok((server, address))
}

fn connect(address: &str) -> io::Result<Client> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut client = BufReader::new(stream);
    expect(&mut client, "220")?;
    ask(&mut client, "EHLO bench\r\n", "250")?;
    Ok(client)
}

fn ask(client: &mut Client, text: &str, code: &str) -> io::Result<()> {
    client.get_mut().write_all(text.as_bytes())?;
    expect(client, code)
}

fn expect(client: &mut Client, code: &str) -> io::Result<()> {
    let mut line = String::new();
    while line.is_empty() || line.as_bytes().get(3) == Some(&b'-') {
        line.clear();
        if client.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    match line.starts_with(code) {
        true => Ok(()),
        false => Err(io::Error::other(line)),
    }
}

/// Spreads the users, the same way every time.
fn user_of(number: u64) -> u32 {
    u32::try_from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33).unwrap_or(0) % USERS
}

/// Does something so many times, on so many threads; returns times per second.
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
