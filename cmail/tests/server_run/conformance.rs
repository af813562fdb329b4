//! What a server under load did is what its layers allow; and records of servers that do something else are refused.

use std::thread;

use cmail::conform::record::{Call, Entry};
use cmail::conform::{check, read};

use crate::harness::{Scratch, Server, deliver, fetch};

/// The record of a run: four clients that deliver, pick up and delete, over two users.
fn recorded(plan: &str) -> Vec<Entry> {
    let scratch = Scratch::new(&["u1", "u2"]);
    let record = scratch.0.join(".cmail/record");
    let name = record.to_str().expect("a path in text");
    let server = Server::start(&scratch, &["--no-sync", "--plan", plan, "--record", name]);
    thread::scope(|scope| {
        for client in 0..4 {
            let server = &server;
            scope.spawn(move || {
                for turn in 0..25 {
                    let user = ["u1", "u2"][(client + turn) % 2];
                    if client % 2 == 0 {
                        assert!(deliver(&server.smtp, &[user], &format!("{client} {turn}")).is_ok());
                    } else {
                        // Another session may have the mailbox open.
                        let _ = fetch(&server.pop3, user, turn % 3 == 0);
                    }
                }
            });
        }
    });
    server.stop();
    read(&record).expect("the record can be read")
}

#[test]
fn a_run_is_one_of_the_layers() {
    for plan in ["list", "retry"] {
        let entries = recorded(plan);
        let report = check(&entries);
        assert!(report.refusals.is_empty(), "{plan}: {}", report.refusals[0]);
        assert!(report.calls > 300, "only {} calls", report.calls);
        let linked = |entry: &&Entry| matches!(&entry.call, Call::Link { result, .. } if result == "done");
        assert_eq!(entries.iter().filter(linked).count(), 50);
    }
}

/// Changes a call, if it is one to be changed.
type Change = fn(&mut Call) -> bool;

/// A record is changed in one place, as a broken server would have written it.
#[test]
fn other_runs_are_refused() {
    let entries = recorded("retry");
    let mistakes: [(&str, Change); 6] = [
        ("a listing misses a message", |call| match call {
            Call::List { result, .. } => result.pop().is_some(),
            _ => false,
        }),
        ("a message that is there is not read", |call| match call {
            Call::Read { result, .. } => result.take().is_some(),
            _ => false,
        }),
        ("a message is read torn", |call| match call {
            Call::Read { result: Some(result), .. } => {
                result.push('x');
                true
            }
            _ => false,
        }),
        ("another file is linked over", |call| match call {
            Call::Link { from, result, .. } if result == "done" => {
                from.2 = "1.0".to_owned();
                true
            }
            _ => false,
        }),
        ("a pickup misses a message", |call| match call {
            Call::Pickup { result, .. } => result.pop().is_some(),
            _ => false,
        }),
        ("a delivery that was refused arrives", |call| match call {
            Call::Deliver { result, .. } => std::mem::replace(result, false),
            _ => false,
        }),
    ];
    for (mistake, change) in mistakes {
        let mut entries = entries.clone();
        assert!(entries.iter_mut().any(|entry| change(&mut entry.call)), "{mistake}: nothing to change");
        let report = check(&entries);
        assert_eq!(report.refusals.len(), 1, "{mistake}");
        assert!(report.refusals[0].to_string().contains("violated"));
    }
    // A server without the lock: it locks while another one holds it.
    let mut entries = entries.clone();
    entries.retain(|entry| !matches!(entry.call, Call::Unlock { .. }));
    assert_eq!(check(&entries).refusals.len(), 2, "no unlocking");
}
