//! Runs a server under load for a long time and checks that its resources do not grow. `CMAIL_SOAK=10m` sets the time (`s`, `m` and `h`);
//! the default is a few seconds. Clients deliver, fetch and delete, fail to log in, send invalid commands, or break off.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::harness::{Line, Scratch, Server, deliver, fetch, wait_for};

const USERS: [&str; 3] = ["u1", "u2", "u3"];

const STORE_THREADS: usize = 4;
/// A store thread keeps the `tmp` and `mail` directories of every user open after it first uses them, and so does the process that checks
/// whether a mailbox exists. The time of the first use is unpredictable: a thread is idle while the others keep up.
const KEPT: usize = (STORE_THREADS + 1) * USERS.len() * 2;
/// The number of rounds after which the server has allocated the memory that it keeps.
const WARM: usize = 3;
const ROUNDS: usize = 10;

fn duration() -> Duration {
    let Ok(text) = std::env::var("CMAIL_SOAK") else { return Duration::from_secs(4) };
    let (number, unit) = text.split_at(text.len() - 1);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => panic!("CMAIL_SOAK={text}: expected a time such as 90s, 10m or 24h"),
    };
    Duration::from_secs(seconds * number.parse::<u64>().expect("a number and a unit"))
}

/// The resources of a process that is idle.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Size {
    process: u32,
    descriptors: usize,
    threads: u64,
    kibibytes: u64,
}

impl Size {
    fn of(process: u32) -> Size {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process lives");
        let number = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).expect("the kernel says");
            line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number")
        };
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).expect("the process lives").count();
        Size { process, descriptors, threads: number("Threads:"), kibibytes: number("VmRSS:") }
    }
}

/// The sizes of the main process and its workers, when all connections are closed.
fn sizes(server: &Server) -> Vec<Size> {
    let all = || std::iter::once(server.pid).chain(server.workers()).map(Size::of).collect::<Vec<_>>();
    let descriptors = |sizes: &[Size]| sizes.iter().map(|size| size.descriptors).collect::<Vec<_>>();
    let mut last = all();
    for _ in 0..100 {
        sleep(Duration::from_millis(50));
        let now = all();
        if descriptors(&now) == descriptors(&last) {
            return now;
        }
        last = now;
    }
    last
}

/// One client does one thing.
fn turn(server: &Server, client: usize, number: u64, done: &[AtomicU64; 2]) {
    let mut random = fastrand::Rng::with_seed(number);
    let user = USERS[random.usize(..USERS.len())];
    match client {
        0..3 => {
            let text = format!("{number}\r\n{}", "some words\r\n".repeat(random.usize(..300)));
            let workers = server.workers();
            let reply = deliver(&server.smtp, &[user], text.trim_end());
            let is_delivered = reply.as_ref().is_ok_and(|reply| reply.starts_with("250"));
            assert!(is_delivered, "{reply:?}; the workers were {workers:?} and are {:?}", server.workers());
            done[0].fetch_add(1, Ordering::Relaxed);
        }
        3..5 => {
            // Another client may have the mailbox open.
            if let Ok(found) = fetch(&server.pop3, user, true) {
                done[1].fetch_add(found.len() as u64, Ordering::Relaxed);
            }
        }
        5 => assert!(fetch(&server.pop3, "nobody", true).is_err()),
        6 => {
            let mut smtp = Line::connect(&server.smtp).expect("a connection");
            for line in ["what", "MAIL", "RCPT TO:<u1>", "\0", "EHLO me", "MAIL FROM:<>", "RCPT TO:<nobody>", "DATA"] {
                smtp.ask(line).expect("a reply");
            }
        }
        _ => {
            let said =
                "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<u1>\r\nDATA\r\nsome words\r\nUSER u1\r\nPASS x\r\nRETR 1\r\n";
            let address = [&server.smtp, &server.pop3][random.usize(..2)];
            let mut client = TcpStream::connect(address).expect("a connection");
            client.write_all(&said.as_bytes()[..random.usize(..said.len())]).expect("it is sent");
        }
    }
}

#[test]
fn nothing_grows() {
    let scratch = Scratch::new(&USERS);
    scratch.settings(&format!("store_threads = {STORE_THREADS}\nlogin_delay = 20"));
    // The log reports when a worker ends, and why.
    let server = Server::start_under(&["env", "RUST_LOG=warn"], &scratch, &["--workers", "2"]);
    let round = duration() / ROUNDS as u32;
    let (number, done) = (AtomicU64::new(0), [const { AtomicU64::new(0) }; 2]);
    let idle = sizes(&server);
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let end = Instant::now() + round;
        thread::scope(|scope| {
            for client in 0..8 {
                let (server, number, done) = (&server, &number, &done);
                scope.spawn(move || {
                    while Instant::now() < end {
                        turn(server, client, number.fetch_add(1, Ordering::Relaxed), done);
                        sleep(Duration::from_millis(10));
                    }
                });
            }
        });
        for user in USERS {
            let left = wait_for(|| fetch(&server.pop3, user, true).ok());
            done[1].fetch_add(left.expect("nobody has it open").len() as u64, Ordering::Relaxed);
        }
        seen.push(sizes(&server));
    }
    let [delivered, fetched] = done.map(AtomicU64::into_inner);
    println!("{} sessions, {delivered} messages delivered", number.into_inner());
    for ((idle, first), last) in idle.iter().zip(&seen[WARM]).zip(&seen[ROUNDS - 1]) {
        println!("{idle:?}, then {first:?}, and in the end {last:?}");
        assert!(idle.process == first.process && first.process == last.process, "a worker has died");
        // The main thread, four of the store, and two that hash passwords.
        assert!(last.threads <= 7, "{seen:#?}");
        assert!(last.descriptors <= idle.descriptors + KEPT, "{idle:?}, then {seen:#?}");
        assert!(last.kibibytes <= first.kibibytes + 2048, "{seen:#?}");
    }
    assert_eq!(delivered, fetched, "every message is fetched once");
    for user in USERS {
        assert!(scratch.files(user, "mail").is_empty() && scratch.files(user, "tmp").is_empty());
    }
    server.stop();
}
