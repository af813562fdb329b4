//! A record of a server under load is accepted by its layers, and records of a server that behaves differently are refused.

use std::process::Command;
use std::{fs, thread};

use cmail::conform::record::{Call, Entry};
use cmail::conform::{NEVER, check, read};
use expect_test::{Expect, expect};

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
    // Finally one call after the other, so that there is only one order.
    assert!(deliver(&server.smtp, &["u1"], "the last").is_ok_and(|reply| reply.starts_with("250")));
    fetch(&server.pop3, "u1", false).expect("nobody else has it open");
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
        assert_eq!(entries.iter().filter(linked).count(), 51);
    }
}

/// Changes a call if it is of the kind to change; returns whether it did.
type Change = fn(&mut Call) -> bool;

/// A record is changed in one place near its end, to look as if a broken server had written it.
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
        assert!(entries.iter_mut().rev().any(|entry| change(&mut entry.call)), "{mistake}: nothing to change");
        let report = check(&entries);
        assert_eq!(report.refusals.len(), 1, "{mistake}");
        assert!(report.refusals[0].to_string().contains("violated"));
    }
    // A server without the lock: it locks while another one holds it.
    let mut entries = entries.clone();
    entries.retain(|entry| !matches!(entry.call, Call::Unlock { .. }));
    assert_eq!(check(&entries).refusals.len(), 2, "no unlocking");
}

/// A record of one delivery and one pickup, as the server writes it.
const RECORD: &str = r#"{"process":"1","start":1,"end":2,"call":"exists","user":"u1","result":true}
{"process":"1","start":3,"end":4,"call":"create","file":["u1","tmp","1.0"],"result":true}
{"process":"1","start":5,"end":6,"call":"write","file":["u1","tmp","1.0"],"message":"2-ab","result":true}
{"process":"1","start":7,"end":8,"call":"link","from":["u1","tmp","1.0"],"to":["u1","mail","1.77"],"result":"done"}
{"process":"1","start":9,"end":10,"call":"unlink","file":["u1","tmp","1.0"]}
{"process":"1","start":3,"end":11,"call":"deliver","user":"u1","message":"2-ab","result":true}
{"process":"2","start":13,"end":14,"call":"lock","user":"u1"}
{"process":"2","start":15,"end":16,"call":"list","user":"u1","dir":"mail","result":["1.77"]}
{"process":"2","start":17,"end":18,"call":"read","file":["u1","mail","1.77"],"result":"2-ab"}
{"process":"2","start":19,"end":20,"call":"unlock","user":"u1"}
{"process":"2","start":12,"end":21,"call":"pickup","user":"u1","result":[["1.77","2-ab"]]}
"#;

/// Checks the output and the exit code of `cmail conform` for a record.
fn said_of(record: &str, expected: Expect) {
    let scratch = Scratch::new(&[]);
    let path = scratch.0.join(".cmail/record");
    fs::write(&path, record).expect("the scratch directory is writable");
    let output = Command::new(env!("CARGO_BIN_EXE_cmail")).arg("conform").arg(&path).output().expect("cmail runs");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("it speaks in text");
    let said = said.replace(path.to_str().expect("a path in text"), "{record}");
    expected.assert_eq(&format!("{said}exit code {}\n", output.status.code().expect("it ends by itself")));
}

#[test]
fn what_the_command_says() {
    said_of(
        RECORD,
        expect![[r#"
        11 calls, all as the layers allow
        exit code 0
    "#]],
    );
    // The pickup returns another text than was delivered: the top layer refuses it; the lowest layer allows everything.
    said_of(
        &RECORD.replace(r#"[["1.77","2-ab"]]"#, r#"[["1.77","3-abc"]]"#),
        expect![[r#"
            violated: no order of the calls on `u1` is allowed by MailServerComposed
              the longest allowed prefix has 1 calls; its last ones:
                process 1: Deliver { user: "u1", message: "2-ab", result: true }
              none of these is allowed next:
                process 2: Pickup { user: "u1", result: [("1.77", "3-abc")] }
            error: the layers do not allow the record (refusals: 1)
            exit code 1
        "#]],
    );
    // The file system lists nothing: the lowest layer refuses that.
    said_of(
        &RECORD.replace(r#""result":["1.77"]"#, r#""result":[]"#),
        expect![[r#"
            violated: no order of the calls on `u1` is allowed by MailFSInode
              the longest allowed prefix has 6 calls; its last ones:
                process 1: Exists { user: "u1", result: true }
                process 1: Create { file: ("u1", "tmp", "1.0"), result: true }
                process 1: Write { file: ("u1", "tmp", "1.0"), message: "2-ab", result: true }
                process 1: Link { from: ("u1", "tmp", "1.0"), to: ("u1", "mail", "1.77"), result: "done" }
                process 1: Unlink { file: ("u1", "tmp", "1.0") }
                process 2: Lock { user: "u1" }
              none of these is allowed next:
                process 2: List { user: "u1", dir: "mail", result: [] }
            error: the layers do not allow the record (refusals: 1)
            exit code 1
        "#]],
    );
    said_of(
        "",
        expect![[r#"
        error: {record}: it is empty: nothing was checked
        exit code 2
    "#]],
    );
    said_of(
        &RECORD.replace("\"end\":21", "\"end\":11"),
        expect![[r#"
            error: {record}: line 11: a call cannot end before it starts
            exit code 2
        "#]],
    );
    said_of(
        "{\"process\":\"1\"}",
        expect![[r#"
        error: {record}: line 1: missing field `start` at line 1 column 15
        exit code 2
    "#]],
    );
}

/// A call by process `number`, from `start` to `end`.
fn call(number: u32, start: u64, end: u64, call: Call) -> Entry {
    Entry { process: number.to_string(), start, end, call }
}

fn delivers(text: &str, result: bool) -> Call {
    Call::Deliver { user: "u1".to_owned(), message: text.to_owned(), result }
}

/// A pickup of these texts, with names derived from the texts.
fn picks_up(texts: &[&str]) -> Call {
    let name = |text: &&str| (format!("{}.0", text.len()), (*text).to_owned());
    Call::Pickup { user: "u1".to_owned(), result: texts.iter().map(name).collect() }
}

fn deletes(text: &str) -> Call {
    Call::Delete { user: "u1".to_owned(), id: format!("{}.0", text.len()) }
}

/// Small histories of clients, each with the expected verdict of the top layer.
#[test]
fn orders_of_calls() {
    let cases: [(&str, bool, &[Entry]); 10] = [
        ("seen at once", true, &[call(11, 1, 2, delivers("a", true)), call(12, 3, 4, picks_up(&["a"]))]),
        ("not seen", false, &[call(11, 1, 2, delivers("a", true)), call(12, 3, 4, picks_up(&[]))]),
        ("not seen yet", true, &[call(11, 1, 4, delivers("a", true)), call(12, 2, 3, picks_up(&[]))]),
        (
            "seen, and then not",
            false,
            &[call(11, 1, 9, delivers("a", true)), call(12, 2, 3, picks_up(&["a"])), call(13, 4, 5, picks_up(&[]))],
        ),
        ("refused, and there", false, &[call(11, 1, 2, delivers("a", false)), call(12, 3, 4, picks_up(&["a"]))]),
        (
            "a later one without an earlier one",
            false,
            &[
                call(11, 1, 2, delivers("a", true)),
                call(12, 3, 4, delivers("bb", true)),
                call(13, 1, 9, picks_up(&["bb"])),
                call(14, 10, 11, picks_up(&["a", "bb"])),
            ],
        ),
        (
            "end not known, happened late",
            true,
            &[call(11, 1, NEVER, delivers("a", true)), call(12, 3, 4, picks_up(&[])), call(13, 5, 6, picks_up(&["a"]))],
        ),
        (
            "end not known, did not happen",
            true,
            &[call(11, 1, NEVER, delivers("a", true)), call(12, 3, 4, picks_up(&[]))],
        ),
        (
            "end not known, happened and was undone",
            false,
            &[call(11, 1, NEVER, delivers("a", true)), call(12, 3, 4, picks_up(&["a"])), call(13, 5, 6, picks_up(&[]))],
        ),
        (
            "deleted, and back",
            false,
            &[
                call(11, 1, 2, delivers("a", true)),
                call(12, 3, 4, picks_up(&["a"])),
                call(13, 5, 6, deletes("a")),
                call(14, 7, 8, picks_up(&["a"])),
            ],
        ),
    ];
    for (what, allowed, entries) in cases {
        assert_eq!(check(entries).refusals.is_empty(), allowed, "{what}");
    }
}
