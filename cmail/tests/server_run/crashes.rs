//! Workers that are killed at random under load. `CMAIL_ROUNDS` says how often.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{Scratch, Server, deliver, fetch, kill};

const USERS: [&str; 3] = ["u1", "u2", "u3"];

/// What clients know.
#[derive(Default)]
struct Known {
    /// Sent, whatever the reply.
    sent: BTreeSet<String>,
    /// Acknowledged with 250.
    accepted: BTreeSet<String>,
    /// Fetched, by its mailbox and unique name.
    fetched: BTreeMap<(usize, String), String>,
    /// Acknowledged at QUIT after it was deleted.
    deleted: BTreeSet<String>,
    /// Deleted in a session that broke off: it may be gone.
    perhaps_deleted: BTreeSet<String>,
}

#[test]
fn nothing_is_lost_or_torn_when_workers_are_killed() {
    let rounds: u64 = std::env::var("CMAIL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    let scratch = Scratch::new(&USERS);
    let server = Server::start(&scratch, &["--workers", "2"]);
    let known = Mutex::new(Known::default());
    let (stop, number) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for client in 0..6_usize {
            let (server, known, stop, number) = (&server, &known, &stop, &number);
            scope.spawn(move || {
                let mut turn = client;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1;
                    match client % 2 {
                        0 => send(server, known, turn % 3, number.fetch_add(1, Ordering::Relaxed)),
                        _ => receive(server, known, turn % 3, turn.is_multiple_of(2)),
                    }
                }
            });
        }
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..rounds {
            thread::sleep(Duration::from_millis(random.u64(20..120)));
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
        assert!(scratch.files(user, "tmp").is_empty(), "nobody owns what is left in {user}/tmp");
    }
    for (text, copies) in &left {
        assert!(known.sent.contains(text), "nobody has sent this: {text:?}");
        assert!(*copies == 1, "{copies} copies of {text:?}");
        assert!(!known.deleted.contains(text), "back from the dead: {text:?}");
    }
    for text in known.accepted.difference(&known.deleted) {
        assert!(left.contains_key(text) || known.perhaps_deleted.contains(text), "lost: {text:?}");
    }
    assert!(known.fetched.values().all(|text| known.sent.contains(text)));
    server.stop();
}

fn send(server: &Server, known: &Mutex<Known>, user: usize, number: u64) {
    let body = format!("message {number} ").repeat(1 + usize::try_from(number % 5).expect("it is small") * 40);
    let lines: Vec<&str> = body.trim_end().split_inclusive("9 ").collect();
    let text = lines.join("\r\n") + "\r\n";
    known.lock().expect("no client panics").sent.insert(text.clone());
    let reply = deliver(&server.smtp, &[USERS[user]], text.trim_end());
    if reply.is_ok_and(|reply| reply.starts_with("250")) {
        known.lock().expect("no client panics").accepted.insert(text);
    }
}

fn receive(server: &Server, known: &Mutex<Known>, user: usize, delete: bool) {
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

/// Deletes the messages of these unique names.
fn delete_these(server: &Server, user: &str, uids: &BTreeMap<String, String>) -> std::io::Result<()> {
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
    // What another client has deleted meanwhile was not deleted here.
    match reply.starts_with("+OK") && found == uids.len() {
        true => Ok(()),
        false => Err(std::io::Error::other(reply)),
    }
}
