//! Kills processes at random under load: workers, and sometimes the main process, after which the server is started again while old workers
//! may still be running. `CMAIL_ROUNDS` sets the number of rounds, and `CMAIL_SEED` the random seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{Scratch, Server, deliver, fetch, kill};

const USERS: [&str; 3] = ["u1", "u2", "u3"];

/// The current addresses of the server.
#[derive(Clone)]
struct Addresses {
    smtp: String,
    pop3: String,
}

impl Addresses {
    fn of(server: &Server) -> Addresses {
        Addresses { smtp: server.smtp.clone(), pop3: server.pop3.clone() }
    }
}

/// What the clients know about the messages.
#[derive(Default)]
struct Known {
    /// Sent, with any reply.
    sent: BTreeSet<String>,
    /// Acknowledged to the client with 250.
    accepted: BTreeSet<String>,
    /// Fetched, by its mailbox and unique name.
    fetched: BTreeMap<(usize, String), String>,
    /// Acknowledged at QUIT after it was deleted.
    deleted: BTreeSet<String>,
    /// Deleted in a session that broke off, so that the message may or may not be gone.
    perhaps_deleted: BTreeSet<String>,
}

#[test]
fn nothing_is_lost_or_torn_when_processes_are_killed() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (rounds, seed) = (number("CMAIL_ROUNDS").unwrap_or(40), number("CMAIL_SEED").unwrap_or(7));
    let scratch = Scratch::new(&USERS);
    let mut server = Server::start(&scratch, &["--workers", "2"]);
    let addresses = Mutex::new(Addresses::of(&server));
    let known = Mutex::new(Known::default());
    let (stop, number) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for client in 0..6_usize {
            let (addresses, known, stop, number) = (&addresses, &known, &stop, &number);
            scope.spawn(move || {
                let mut turn = client;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1;
                    let server = &addresses.lock().expect("no client panics").clone();
                    match client % 2 {
                        0 => send(server, known, turn % 3, number.fetch_add(1, Ordering::Relaxed)),
                        _ => receive(server, known, turn % 3, turn.is_multiple_of(2)),
                    }
                }
            });
        }
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 1..=rounds {
            thread::sleep(Duration::from_millis(random.u64(20..120)));
            if round % 10 == 0 {
                kill("KILL", server.pid);
                server = Server::start(&scratch, &["--workers", "2"]);
                *addresses.lock().expect("no client panics") = Addresses::of(&server);
                continue;
            }
            let workers = server.workers();
            if let Some(worker) = workers.get(random.usize(..workers.len().max(1))) {
                kill("KILL", *worker);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    server.stop();
    let server = Server::start(&scratch, &[]);
    let known = known.into_inner().expect("no client has panicked");
    assert!(known.accepted.len() > 20, "only {} messages were accepted: the test is too short", known.accepted.len());
    let mut left = BTreeMap::<String, usize>::new();
    for user in USERS {
        for text in fetch(&server.pop3, user, false).expect("a session").into_values() {
            *left.entry(text).or_default() += 1;
        }
        assert!(scratch.files(user, "tmp").is_empty(), "files of dead processes are left in {user}/tmp");
        for name in scratch.files(user, "mail").keys() {
            let status = fs::metadata(scratch.0.join(user).join("mail").join(name)).expect("the message");
            assert_eq!(status.nlink(), 1, "{user}/{name} has another name");
        }
    }
    for (text, copies) in &left {
        assert!(known.sent.contains(text), "this was never sent: {text:?}");
        assert!(*copies == 1, "{copies} copies of {text:?}");
        assert!(!known.deleted.contains(text), "a deleted message is back: {text:?}");
    }
    for text in known.accepted.difference(&known.deleted) {
        assert!(left.contains_key(text) || known.perhaps_deleted.contains(text), "lost: {text:?}");
    }
    println!(
        "{rounds} kills by seed {seed}, {} messages sent, {} accepted, {} seen",
        known.sent.len(),
        known.accepted.len(),
        known.fetched.len()
    );
    assert!(known.fetched.values().all(|text| known.sent.contains(text)));
    server.stop();
}

fn send(server: &Addresses, known: &Mutex<Known>, user: usize, number: u64) {
    let body = format!("message {number} ").repeat(1 + usize::try_from(number % 5).expect("it is small") * 40);
    let lines: Vec<&str> = body.trim_end().split_inclusive("9 ").collect();
    let text = lines.join("\r\n") + "\r\n";
    known.lock().expect("no client panics").sent.insert(text.clone());
    let reply = deliver(&server.smtp, &[USERS[user]], text.trim_end());
    if reply.is_ok_and(|reply| reply.starts_with("250")) {
        known.lock().expect("no client panics").accepted.insert(text);
    }
}

fn receive(server: &Addresses, known: &Mutex<Known>, user: usize, delete: bool) {
    let Ok(before) = fetch(&server.pop3, USERS[user], false) else { return };
    let mut all = known.lock().expect("no client panics");
    for (uid, text) in &before {
        let earlier = all.fetched.insert((user, uid.clone()), text.clone());
        assert!(earlier.is_none_or(|earlier| earlier == *text), "{uid} was another message");
    }
    drop(all);
    if delete {
        let done = delete_these(server, USERS[user], &before);
        let mut all = known.lock().expect("no client panics");
        match done {
            Ok(()) => all.deleted.extend(before.into_values()),
            Err(_) => all.perhaps_deleted.extend(before.into_values()),
        }
    }
}

/// Deletes the messages with these unique names.
fn delete_these(server: &Addresses, user: &str, uids: &BTreeMap<String, String>) -> std::io::Result<()> {
    let mut pop3 = crate::harness::Line::connect(&server.pop3)?;
    pop3.ask(&format!("USER {user}"))?;
    let reply = pop3.ask("PASS x")?;
    if !reply.starts_with("+OK") {
        return Err(std::io::Error::other(reply));
    }
    pop3.ask("UIDL")?;
    let listed = pop3.lines()?;
    let mut found = 0;
    for line in listed.lines() {
        let (number, uid) = line.split_once(' ').expect("UIDL lists pairs");
        if uids.contains_key(uid) {
            pop3.ask(&format!("DELE {number}"))?;
            found += 1;
        }
    }
    let reply = pop3.ask("QUIT")?;
    // A message that another client deleted meanwhile was not deleted here.
    match reply.starts_with("+OK") && found == uids.len() {
        true => Ok(()),
        false => Err(std::io::Error::other(reply)),
    }
}
