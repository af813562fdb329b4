//! Checks what clients observed under load, and nothing else, against the top layer: is there an order of their calls in which every
//! mailbox handles one call at a time (linearizability)? Workers are killed meanwhile; a call without a reply may have taken effect or not.
//! If the kernel returns false results to the server, the server behaves wrongly without being changed, and no such order exists.
//! `CMAIL_CLIENT_HISTORIES` sets the number of histories.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cmail::conform::record::{Call, Entry, digest};
use cmail::conform::{NEVER, check};

use crate::harness::{Lie, Line, Scratch, Server, has, kill, prepare, sent_text};

const USERS: [&str; 2] = ["u1", "u2"];

/// The calls of all clients, as the clients observed them.
struct History {
    began: Instant,
    calls: AtomicU64,
    entries: Mutex<Vec<Entry>>,
}

impl History {
    fn new() -> History {
        History { began: Instant::now(), calls: AtomicU64::new(0), entries: Mutex::default() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).expect("it does not take centuries")
    }

    /// Adds a call, whose end may be unknown to the client.
    fn add(&self, start: u64, end: u64, call: Call) {
        let process = self.calls.fetch_add(1, Ordering::Relaxed).to_string();
        self.entries.lock().expect("no client panics").push(Entry { process, start, end, call });
    }

    /// Delivers a text that no other call delivers.
    fn deliver(&self, server: &Server, user: &str, text: &str) {
        let Ok(Ok(mut smtp)) = prepare(&server.smtp, &[user]) else { return };
        let call =
            |result| Call::Deliver { user: user.to_owned(), message: digest(format!("{text}\r\n").as_bytes()), result };
        let start = self.now();
        match smtp.ask(&format!("{text}\r\n.")) {
            Ok(reply) => self.add(start, self.now(), call(reply.starts_with("250"))),
            Err(_) => self.add(start, NEVER, call(true)),
        }
    }

    /// Fetches all messages, and deletes one of them or none.
    fn fetch(&self, server: &Server, user: &str, delete: impl FnOnce(usize) -> Option<usize>) -> std::io::Result<()> {
        let mut pop3 = Line::connect(&server.pop3)?;
        pop3.ask(&format!("USER {user}"))?;
        let start = self.now();
        let reply = pop3.ask("PASS x")?;
        let end = self.now();
        if !reply.starts_with("+OK") {
            return Ok(());
        }
        pop3.ask("UIDL")?;
        let ids = pop3.lines()?;
        let mut result = Vec::new();
        for line in ids.lines() {
            let (number, id) = line.split_once(' ').expect("UIDL lists pairs");
            pop3.ask(&format!("RETR {number}"))?;
            result.push((id.to_owned(), digest(sent_text(&pop3.lines()?).as_bytes())));
        }
        let deleted = delete(result.len()).map(|place| (place + 1, result[place].0.clone()));
        self.add(start, end, Call::Pickup { user: user.to_owned(), result });
        let Some((number, id)) = deleted else { return pop3.ask("QUIT").map(drop) };
        pop3.ask(&format!("DELE {number}"))?;
        let start = self.now();
        let end = match pop3.ask("QUIT") {
            Ok(reply) if reply.starts_with("+OK") => self.now(),
            _ => NEVER,
        };
        self.add(start, end, Call::Delete { user: user.to_owned(), id });
        Ok(())
    }
}

/// Six clients with twelve calls each, while something happens to the server.
fn history(server: &Server, before: usize, seed: u64, meanwhile: impl FnOnce()) -> Vec<Entry> {
    let history = History::new();
    for number in 0..before {
        history.deliver(server, USERS[number % 2], &format!("{seed} before {number}"));
    }
    thread::scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|client| {
                let history = &history;
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed * 6 + client);
                    for turn in 0..12 {
                        let user = USERS[random.usize(..2)];
                        match random.bool() {
                            true => history.deliver(server, user, &format!("{seed} {client} {turn}")),
                            // A session that breaks off has observed nothing, and has changed only what is recorded.
                            false => {
                                drop(history.fetch(server, user, |count| (count > 0).then(|| random.usize(..count))))
                            }
                        }
                    }
                })
            })
            .collect();
        meanwhile();
        for client in clients {
            client.join().expect("no client panics");
        }
    });
    // A final fetch of every mailbox reveals lost messages.
    for user in USERS {
        history.fetch(server, user, |_| None).expect("a session");
    }
    history.entries.into_inner().expect("no client has panicked")
}

fn histories() -> u64 {
    std::env::var("CMAIL_CLIENT_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// Deletes everything, so that the next history starts with empty mailboxes.
fn empty(server: &Server) {
    for user in USERS {
        crate::harness::fetch(&server.pop3, user, true).expect("a session");
    }
}

#[test]
fn what_clients_see_has_an_order() {
    let (mut calls, mut unknown) = (0, 0);
    for plan in ["list", "retry"] {
        // A directory on disk has another order than one in memory, and a large one is hardly ever listed in one call by chance.
        for (scratch, before) in
            [(Scratch::new(&USERS), 0), (Scratch::on_disk(&USERS), 0), (Scratch::on_disk(&USERS), 700)]
        {
            let server = Server::start(&scratch, &["--plan", plan, "--no-sync"]);
            for seed in 0..if before > 0 { histories().div_ceil(10) } else { histories() } {
                let entries = history(&server, before, seed, || {
                    for _ in 0..seed % 3 {
                        thread::sleep(Duration::from_millis(5 + 7 * (seed % 5)));
                        if let Some(worker) = server.workers().first() {
                            kill("KILL", *worker);
                        }
                    }
                });
                let report = check(&entries);
                assert!(report.refusals.is_empty(), "plan {plan}, history {seed}: {}", report.refusals[0]);
                calls += report.calls;
                unknown += entries.iter().filter(|entry| entry.end == NEVER).count();
                empty(&server);
            }
            server.stop();
        }
    }
    println!("{calls} calls, of {unknown} of which the end is not known");
}

/// The kernel tells the server that calls succeeded that it did not perform.
#[test]
fn servers_that_are_wrong_are_refused() {
    if !has("strace") {
        return;
    }
    let mistakes: [(&str, &[&str]); 4] = [
        ("no lock", &["flock:retval=0", "openat:delay_enter=1000"]),
        ("messages are not linked", &["linkat:retval=0:when=3+7"]),
        ("messages are not removed", &["unlinkat:retval=0"]),
        ("mailboxes look empty", &["getdents64:retval=0:when=3+4"]),
    ];
    for (mistake, injections) in mistakes {
        let refused = (0..30).find(|seed| {
            let scratch = Scratch::new(&USERS);
            let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
            let worker = *server.workers().first().expect("a worker");
            let lie = Lie::to_process(worker, injections);
            let entries = history(&server, 0, *seed, || ());
            drop(lie);
            !check(&entries).refusals.is_empty()
        });
        let refused = refused.unwrap_or_else(|| panic!("{mistake}: not refused"));
        println!("{mistake}: refused in history {}", refused + 1);
    }
}
