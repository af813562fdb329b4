//! Tests of import and export of mail.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Line, Scratch, Server, deliver};

fn run(scratch: &Scratch, arguments: &[&str], place: &Path) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmail"));
    let output = command.args(arguments).arg(place).arg("--root").arg(&scratch.0).output().expect("cmail starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// The contents of the files of a directory.
fn contents(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.map(|path| String::from_utf8(fs::read(path).expect("a file")).expect("text")).collect()
}

#[test]
fn maildir() {
    let scratch = Scratch::new(&["u1"]);
    let (from, to) = (scratch.0.join("from"), scratch.0.join("to"));
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(from.join(part)).expect("the scratch directory is writable");
    }
    let write = |name: &str, text: &str| fs::write(from.join(name), text).expect("the scratch directory is writable");
    write("new/1700000001.x.host", "Subject: one\n\n.dot\nFrom me\n");
    write("cur/1700000000.y.host:2,S", "Subject: two\r\n\r\nwith CRLF\r\n");
    write("cur/1700000002.z.host:2,ST", "in the trash\n");
    write("tmp/1700000003.a.host", "not complete\n");
    let (done, text) = run(&scratch, &["import", "u1", "--maildir"], &from);
    assert!(done && text == "2 messages were imported into u1\n", "{text}");
    let mail = scratch.files("u1", "mail");
    assert!(mail.values().any(|text| text == b"Subject: one\r\n\r\n.dot\r\nFrom me\r\n"), "{mail:?}");

    let (done, text) = run(&scratch, &["export", "u1", "--maildir"], &to);
    assert!(done && text == "2 messages of u1 were copied\n", "{text}");
    let texts = ["Subject: one\n\n.dot\nFrom me\n", "Subject: two\n\nwith CRLF\n"];
    assert_eq!(contents(&to.join("new")), texts.map(str::to_owned).into());
    // After a reader has seen a message there, it is not exported again.
    let first = fs::read_dir(to.join("new")).expect("it is there").next().expect("a message").expect("an entry");
    let read = to.join("cur").join(format!("{}:2,S", first.file_name().to_string_lossy()));
    fs::rename(first.path(), read).expect("the scratch directory is writable");
    // The messages do not tell when they were received, so the time in a name is that of the export.
    for entry in fs::read_dir(to.join("new")).expect("it is there") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let (_, unique) = name.split_once('.').expect("a time");
        let earlier = to.join("new").join(format!("1.{unique}"));
        fs::rename(to.join("new").join(&name), earlier).expect("the scratch directory is writable");
    }
    let (done, text) = run(&scratch, &["export", "u1", "--maildir"], &to);
    assert!(done && text == "0 messages of u1 were copied; 2 existed already\n", "{text}");
    assert_eq!(scratch.files("u1", "mail"), mail, "they stay");
    let (done, text) = run(&scratch, &["import", "u1", "--maildir"], &scratch.0.join("none"));
    assert!(!done && text.contains("none/cur: No such file"), "{text}");
}

/// A message received by the server is exported and imported unchanged, with its sender.
#[test]
fn mbox() {
    let scratch = Scratch::new(&["u1", "u2"]);
    let file = scratch.0.join("all.mbox");
    let server = Server::start(&scratch, &["--no-sync"]);
    assert!(
        deliver(&server.smtp, &["u1"], "Subject: x\r\n\r\nFrom here\r\n>From there")
            .expect("a reply")
            .starts_with("250")
    );
    assert!(deliver(&server.smtp, &["u1"], "two\r\n\r\n").expect("a reply").starts_with("250"));
    let mut session = Line::connect(&server.pop3).expect("a connection");
    for command in ["USER u1", "PASS x"] {
        assert!(session.ask(command).expect("a reply").starts_with("+OK"));
    }
    let (done, text) = run(&scratch, &["export", "u1", "--mbox"], &file);
    assert!(!done && text.contains("is open in a session"), "{text}");
    session.ask("QUIT").expect("a reply");
    // Export works while the server runs.
    let (done, text) = run(&scratch, &["export", "u1", "--mbox"], &file);
    assert!(done && text == "2 messages of u1 were copied\n", "{text}");
    server.stop();
    let text = fs::read_to_string(&file).expect("it is there");
    assert_eq!(text.matches("From test@localhost ").count(), 2, "{text}");
    assert!(text.contains("\n>From here\n>>From there\n"), "{text}");
    let (done, said) = run(&scratch, &["export", "u1", "--mbox"], &file);
    assert!(!done && said.contains("File exists"), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), text);

    let (done, said) = run(&scratch, &["import", "u2", "--mbox"], &file);
    assert!(done && said == "2 messages were imported into u2\n", "{said}");
    let all = |user| scratch.files(user, "mail").into_values().collect::<BTreeSet<_>>();
    assert_eq!(all("u2"), all("u1"));
    for (arguments, why) in [
        (&["import", "nobody", "--mbox"][..], "there is no mailbox \"nobody\""),
        (&["import", "u1", "--maildir"], "all.mbox/cur: Not a directory"),
    ] {
        let (done, said) = run(&scratch, arguments, &file);
        assert!(!done && said.contains(why), "{arguments:?}: {said}");
    }
}
