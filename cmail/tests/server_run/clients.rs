//! Tests with existing mail clients.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{Line, Scratch, Server, cmail, deliver, fetch, has, is_soon, kill, prepare, sent_text, wait_for};

#[test]
fn python() {
    if !has("python3") {
        return;
    }
    let scratch = Scratch::new(&["u2"]);
    cmail(&["adduser", "u1"], &scratch.0, "a secret\n");
    let server = Server::start(&scratch, &["--no-sync"]);
    let script = r#"
import poplib, smtplib, sys
smtp, pop3 = (address.split(':') for address in sys.argv[1:])
message = b'Subject: test\r\n\r\n.dot\r\n..\r\n\xff 8 bit\r\n'
with smtplib.SMTP(*smtp) as client:
    assert client.sendmail('a@localhost', ['u1@localhost', 'u2'], message, ['BODY=8BITMIME']) == {}
    try:
        client.sendmail('a@localhost', ['nobody@localhost'], message)
        assert False
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients['nobody@localhost'][0] == 550
for user, password in ('u1', 'a secret'), ('u2', 'whatever'):
    client = poplib.POP3(*pop3)
    client.capa()
    client.user(user)
    client.pass_(password)
    count, octets = client.stat()
    lines = client.retr(1)[1]
    text = b'\r\n'.join(lines) + b'\r\n'
    assert (count, octets) == (1, len(text))
    assert lines[0] == b'Return-Path: <a@localhost>'
    assert lines[1].startswith(b'Received: from ') and lines[2].startswith(b'\tby ')
    assert text.endswith(message) and lines[3] == b'Subject: test'
    assert client.top(1, 1)[1] == lines[:3] + [b'Subject: test', b'', b'.dot']
    client.dele(1)
    client.quit()
client = poplib.POP3(*pop3)
client.user('u1')
try:
    client.pass_('wrong')
    assert False
except poplib.error_proto as error:
    assert b'[AUTH]' in error.args[0]
client.user('u1')
client.pass_('a secret')
assert client.stat() == (0, 0)
"#;
    let status = Command::new("python3").args(["-c", script, &server.smtp, &server.pop3]).status();
    assert!(status.expect("python runs").success());
    server.stop();
}

#[test]
fn curl() {
    if !has("curl") {
        return;
    }
    let scratch = Scratch::new(&["u1"]);
    let server = Server::start(&scratch, &["--no-sync"]);
    let smtp = format!("smtp://{}", server.smtp);
    let mut send = Command::new("curl");
    send.args(["-sS", &smtp, "--mail-from", "a@localhost", "--mail-rcpt", "u1@localhost", "-T", "-"]);
    let mut send = send.stdin(Stdio::piped()).spawn().expect("curl runs");
    send.stdin.take().expect("it is piped").write_all(b"Subject: x\r\n\r\n.hello\r\n").expect("curl reads");
    assert!(send.wait().expect("curl ends").success());
    let pop3 = format!("pop3://u1:any@{}/1", server.pop3);
    let got = Command::new("curl").args(["-sS", &pop3]).output().expect("curl runs");
    assert_eq!(sent_text(&String::from_utf8_lossy(&got.stdout)), "Subject: x\r\n\r\n.hello\r\n");
    server.stop();
}

/// The load generators of the paper. Both run for a while and are then killed; rabid compares the MD5 of each message.
#[test]
fn postal_and_rabid() {
    if !has("postal") || !has("rabid") {
        return;
    }
    let users: Vec<String> = (0..10).map(|number| format!("u{number}")).collect();
    let scratch = Scratch::new(&users.iter().map(String::as_str).collect::<Vec<_>>());
    let server = Server::start(&scratch, &["--no-sync"]);
    let list = scratch.0.join(".cmail/users");
    fs::write(&list, users.iter().map(|user| format!("{user} x\n")).collect::<String>()).expect("a list of users");
    let addresses = scratch.0.join(".cmail/addresses");
    fs::write(&addresses, users.iter().map(|user| format!("{user}@localhost\n")).collect::<String>()).expect("a list");
    let run = |program: &str, arguments: &[&str], address: &str, list: &std::path::Path| {
        let (host, port) = address.split_once(':').expect("an address");
        let run = Command::new("timeout")
            .args(["-s", "KILL", "4", program])
            .args(arguments)
            .arg(format!("[{host}]{port}"))
            .arg(list)
            .current_dir(&scratch.0)
            .output();
        let run = run.expect("the program runs");
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr)
    };
    let said = run("postal", &["-t", "2", "-m", "1", "-M", "1", "-c", "5", "-r", "600"], &server.smtp, &addresses);
    let waiting: usize = users.iter().map(|user| scratch.files(user, "mail").len()).sum();
    assert!(waiting > 0, "postal has delivered nothing: {said}");
    let said = run("rabid", &["-p", "2", "-r", "600"], &server.pop3, &list);
    let left: usize = users.iter().map(|user| scratch.files(user, "mail").len()).sum();
    assert!(left < waiting, "rabid has fetched nothing: {said}");
    assert!(!said.contains("MD5"), "{said}");
    server.stop();
}

#[test]
fn one_session_for_each_mailbox() {
    let scratch = Scratch::new(&["u1"]);
    let server = Server::start(&scratch, &["--no-sync"]);
    assert!(deliver(&server.smtp, &["u1"], "one").expect("a reply").starts_with("250"));
    let mut first = Line::connect(&server.pop3).expect("a connection");
    first.ask("USER u1").expect("a reply");
    assert!(first.ask("PASS x").expect("a reply").starts_with("+OK 1 "));
    assert!(fetch(&server.pop3, "u1", false).expect_err("it is busy").to_string().contains("[IN-USE]"));
    // Delivery needs no session, and a new message appears in the next one.
    assert!(deliver(&server.smtp, &["u1"], "two").expect("a reply").starts_with("250"));
    assert!(first.ask("STAT").expect("a reply").starts_with("+OK 1 "));
    first.ask("DELE 1").expect("a reply");
    // The session breaks off: nothing is removed, and the mailbox is free.
    drop(first);
    let found = wait_for(|| fetch(&server.pop3, "u1", false).ok());
    // Messages are listed in the order of the directory, which is not the order of arrival.
    let found: BTreeSet<String> = found.expect("the mailbox becomes free").into_values().collect();
    assert_eq!(found, BTreeSet::from(["one\r\n".to_owned(), "two\r\n".to_owned()]));
    server.stop();
}

#[test]
fn the_server_stops_when_sessions_are_done() {
    let scratch = Scratch::new(&["u1"]);
    let mut server = Server::start(&scratch, &["--no-sync"]);
    let mut idle = Line::connect(&server.smtp).expect("a connection");
    idle.ask("EHLO test").expect("a reply");
    let mut busy = Line::connect(&server.smtp).expect("a connection");
    busy.ask("EHLO test").expect("a reply");
    busy.ask("MAIL FROM:<>").expect("a reply");
    busy.ask("RCPT TO:<u1>").expect("a reply");
    busy.ask("DATA").expect("a reply");
    kill("TERM", server.pid);
    assert!(idle.reply().expect("it is told").starts_with("421"));
    assert!(busy.ask("the end\r\n.").expect("it may finish").starts_with("250"));
    assert!(busy.reply().expect("and is told then").starts_with("421"));
    assert!(server.child.wait().expect("the server ends").success());
    assert_eq!(scratch.files("u1", "mail").len(), 1);
}

/// A second signal stops the server at once.
#[test]
fn the_server_stops_at_once_when_asked_twice() {
    let scratch = Scratch::new(&["u1"]);
    let mut server = Server::start(&scratch, &["--no-sync"]);
    let workers = server.workers();
    let mut busy = prepare(&server.smtp, &["u1"]).expect("a connection").expect("u1 is known");
    let mut idle = Line::connect(&server.smtp).expect("a connection");
    kill("INT", server.pid);
    assert!(idle.reply().expect("it is told").starts_with("421"));
    kill("INT", server.pid);
    assert!(server.child.wait().expect("the server ends").success());
    let are_gone = || workers.iter().all(|worker| fs::metadata(format!("/proc/{worker}")).is_err());
    assert!(is_soon(are_gone), "workers stay");
    assert!(busy.ask("the end\r\n.").is_err(), "the session is cut");
    assert!(scratch.files("u1", "mail").is_empty() && scratch.files("u1", "tmp").is_empty());
}

/// A worker that receives SIGTERM from outside ends its sessions cleanly, and is replaced. To clients this looks like a server that stops:
/// a client between two messages gets 421 as its next reply, and then the connection is closed.
#[test]
fn a_worker_that_is_told_to_stop_is_replaced() {
    let scratch = Scratch::new(&["u1"]);
    let server = Server::start(&scratch, &["--workers", "1", "--no-sync"]);
    let before = server.workers();
    let mut idle = Line::connect(&server.smtp).expect("a connection");
    idle.ask("EHLO test").expect("a reply");
    let mut busy = prepare(&server.smtp, &["u1"]).expect("a connection").expect("u1 is known");
    kill("TERM", before[0]);
    assert!(idle.reply().expect("it is told").starts_with("421"));
    assert!(busy.ask("the end\r\n.").expect("it may finish").starts_with("250"));
    assert!(busy.reply().expect("and is told then").starts_with("421"));
    assert!(deliver(&server.smtp, &["u1"], "to another worker").expect("a reply").starts_with("250"));
    assert_ne!(server.workers(), before);
    assert_eq!(scratch.files("u1", "mail").len(), 2);
    server.stop();
}

/// If the program file of a server is replaced, as by an update, the server starts its workers from the old file.
#[test]
fn a_program_that_is_replaced() {
    let scratch = Scratch::new(&["u1"]);
    let program = scratch.0.join(".cmail/program");
    fs::copy(env!("CARGO_BIN_EXE_cmail"), &program).expect("the program can be copied");
    let run = format!("shift; exec {} \"$@\"", program.display());
    let server = Server::start_under(&["sh", "-c", &run, "sh"], &scratch, &["--workers", "1", "--no-sync"]);
    fs::remove_file(&program).expect("it can be removed");
    let before = server.workers();
    kill("KILL", before[0]);
    assert!(deliver(&server.smtp, &["u1"], "to the next worker").expect("a reply").starts_with("250"));
    assert_ne!(server.workers(), before);
    server.stop();
}

/// A password ends with its line: the input may stay open after it.
#[test]
fn a_password_ends_with_its_line() {
    let scratch = Scratch::new(&[]);
    let mut add = Command::new(env!("CARGO_BIN_EXE_cmail"));
    let add = add.args(["adduser", "u1", "--root"]).arg(&scratch.0).stdin(Stdio::piped());
    let mut add = add.spawn().expect("cmail starts");
    add.stdin.as_mut().expect("it is piped").write_all(b"a secret\nand more").expect("cmail reads");
    let ended = wait_for(|| add.try_wait().expect("it is a child"));
    assert!(ended.expect("it ends while its input is open").success());
    let server = Server::start(&scratch, &["--no-sync"]);
    let mut pop3 = Line::connect(&server.pop3).expect("a connection");
    pop3.ask("USER u1").expect("a reply");
    assert!(pop3.ask("PASS a secret").expect("a reply").starts_with("+OK"));
    pop3.ask("QUIT").expect("a reply");
    server.stop();
}
