//! Tests of POP3 sessions without a network: every command in every state, every way to split the input, number limits, and random input.

use std::sync::Arc;

use cmail::server::pop3::{Config, Entry, Maildrop, Pop3, Refused, Step};

/// A session with mailboxes `u1` (three messages), `empty` and `busy`. The password is "a b".
struct Client {
    session: Pop3,
    removed: Option<Vec<usize>>,
    replies: String,
    closed: bool,
}

const MESSAGES: [&str; 3] =
    ["Subject: 1\r\n\r\none\r\n", "Subject: 2\r\n\r\n.two\r\n..\r\nend\r\n", "Subject: 3\n\nthree"];

fn maildrop(user: &str, password: &str) -> Result<Maildrop, Refused> {
    match user {
        _ if password != "a b" => Err(Refused::Login),
        "u1" => {
            let entry = |(at, text): (usize, &&str)| Entry::new(format!("7.{at}"), text.as_bytes().to_vec());
            Ok(Maildrop::new(MESSAGES.iter().enumerate().map(entry).collect()))
        }
        "empty" => Ok(Maildrop::default()),
        "busy" => Err(Refused::InUse),
        _ => Err(Refused::Login),
    }
}

impl Client {
    fn new() -> Client {
        let session = Pop3::new(
            Arc::new(Config { command: 255, errors: 20, output: 4096, tls: true, require_tls: false }),
            false,
        );
        let mut client = Client { session, removed: None, replies: String::new(), closed: false };
        client.settle();
        client.replies.clear();
        client
    }

    fn logged_in(user: &str) -> Client {
        let mut client = Client::new();
        client.send(&format!("USER {user}\r\nPASS a b\r\n"));
        client
    }

    fn send(&mut self, text: &str) -> String {
        self.send_bytes(text.as_bytes())
    }

    fn send_bytes(&mut self, bytes: &[u8]) -> String {
        self.session.receive(bytes);
        self.settle();
        std::mem::take(&mut self.replies)
    }

    fn line(&mut self, line: &str) -> String {
        self.send(&format!("{line}\r\n"))
    }

    fn settle(&mut self) {
        loop {
            let step = self.session.step();
            self.replies += &String::from_utf8_lossy(&self.session.take_output());
            match step {
                Step::Read => return,
                Step::Write => {}
                Step::StartTls => {
                    self.session.secured();
                }
                Step::Close => {
                    self.closed = true;
                    return;
                }
                Step::Open { user, password } => self.session.opened(maildrop(&user, &password)),
                Step::Remove(places) => {
                    self.removed = Some(places);
                    self.session.removed(true);
                }
            }
        }
    }
}

const SESSION: &str = "CAPA\r\nuser U1@localhost\r\nPASS a b\r\nSTAT\r\nLIST\r\nUIDL\r\nLIST 2\r\nRETR 2\r\nTOP 2 1\r\nDELE 2\r\nRETR 2\r\nDELE 2\r\n\
    LIST\r\nUIDL 3\r\nNOOP\r\nRETR 3\r\nQUIT\r\n";

/// Commands before TLS are forgotten, and input that arrived with the STLS command is not used.
#[test]
fn tls_is_a_new_beginning() {
    let mut client = Client::new();
    assert_eq!(client.send("USER u1\r\nstls\r\nPASS a b\r\nQUIT\r\n"), "+OK Send the password\r\n+OK Begin TLS\r\n");
    assert!(!client.closed);
    assert!(client.line("PASS a b").starts_with("-ERR Say USER first"));
    assert!(client.line("STLS").starts_with("-ERR The connection is encrypted already"));
    assert!(!client.line("CAPA").contains("STLS"));
    assert!(Client::new().line("STLS now").starts_with("-ERR This command takes no argument"));
    let mut client = Client::logged_in("u1");
    assert!(client.line("STLS").starts_with("-ERR You are logged in"));
    assert!(!client.line("CAPA").contains("STLS"));
}

#[test]
fn a_session_is_the_same_however_it_is_cut() {
    let mut whole = Client::new();
    let replies = whole.send(SESSION);
    assert_eq!(whole.removed, Some(vec![1]));
    assert!(whole.closed);
    for size in 1..SESSION.len() {
        let mut client = Client::new();
        let cut: String = SESSION.as_bytes().chunks(size).map(|piece| client.send_bytes(piece)).collect();
        assert_eq!((cut, &client.removed), (replies.clone(), &whole.removed), "in pieces of {size}");
    }
    expect_test::expect![[r#"
        +OK These are the extensions
        USER
        STLS
        TOP
        UIDL
        RESP-CODES
        AUTH-RESP-CODE
        PIPELINING
        IMPLEMENTATION cmail
        .
        +OK Send the password
        +OK 3 messages (69 octets)
        +OK 3 69
        +OK 3 messages (69 octets)
        1 19
        2 29
        3 21
        .
        +OK
        1 7.0
        2 7.1
        3 7.2
        .
        +OK 2 29
        +OK 29 octets
        Subject: 2

        ..two
        ...
        end
        .
        +OK
        Subject: 2

        ..two
        .
        +OK Message 2 is marked
        -ERR The message is deleted
        -ERR The message is deleted
        +OK 2 messages (40 octets)
        1 19
        3 21
        .
        +OK 3 7.2
        +OK
        +OK 21 octets
        Subject: 3

        three
        .
        +OK Bye
    "#]]
    .assert_eq(&replies.replace("\r\n", "\n"));
}

#[test]
fn only_quit_removes() {
    let mut client = Client::logged_in("u1");
    client.send("DELE 1\r\nDELE 3\r\nRSET\r\nDELE 2\r\n");
    assert_eq!(client.removed, None);
    client.session.end();
    client.settle();
    assert!(client.closed && client.removed.is_none(), "a session that is cut removes nothing");

    let mut client = Client::logged_in("u1");
    client.send("DELE 1\r\nDELE 3\r\nRSET\r\nDELE 2\r\nQUIT\r\n");
    assert_eq!(client.removed, Some(vec![1]));

    let mut client = Client::new();
    client.send("QUIT\r\n");
    assert!(client.closed && client.removed.is_none());
}

#[test]
fn logging_in() {
    for (lines, reply) in [
        ("PASS a b", "-ERR Say USER first"),
        ("USER", "-ERR Say: USER"),
        ("STAT", "-ERR Log in first"),
        ("APOP u1 x", "-ERR Log in first"),
        ("USER u1\r\nPASS wrong", "-ERR [AUTH] "),
        ("USER nobody\r\nPASS a b", "-ERR [AUTH] "),
        ("USER ../u1\r\nPASS a b", "-ERR [AUTH] "),
        ("USER busy\r\nPASS a b", "-ERR [IN-USE] "),
        ("USER u1\r\nUSER empty\r\nPASS a b", "+OK 0 messages"),
        ("USER u1\r\nPASS x\r\nPASS a b", "-ERR Say USER first"),
    ] {
        let replies = Client::new().line(lines);
        let last = replies.lines().last().unwrap_or_default();
        assert!(last.starts_with(reply), "{lines:?}: {last}");
    }
    assert!(Client::logged_in("u1").line("USER u1").starts_with("-ERR"));
}

#[test]
fn unknown_names_and_wrong_passwords_look_the_same() {
    assert_eq!(Client::new().line("USER u1\r\nPASS x"), Client::new().line("USER nobody\r\nPASS x"));
}

#[test]
fn malformed_commands_are_refused_and_the_session_goes_on() {
    for line in [
        "",
        ":",
        "RETR",
        "RETR 0",
        "RETR 4",
        "RETR 1x",
        "RETR -1",
        "RETR 1 2",
        "TOP 1",
        "TOP 1 x",
        "TOP",
        "TOP 1 -1",
        "DELE",
        "LIST 0",
        "UIDL 99999999999999999999",
        "STAT 1",
        "NOOP x",
        "RSET 1",
        "QUIT 1",
        "XYZZY",
        "\0",
        "RE\rTR 1",
    ] {
        let mut client = Client::logged_in("u1");
        assert!(client.line(line).starts_with("-ERR"), "{line:?}");
        assert_eq!(client.line("STAT"), "+OK 3 69\r\n");
    }
    let mut client = Client::logged_in("u1");
    assert!(client.line(&"x".repeat(253)).starts_with("-ERR Unknown"));
    assert!(client.line(&"x".repeat(254)).starts_with("-ERR Line too long"));
    assert!(client.line(&"x".repeat(1 << 20)).starts_with("-ERR Line too long"));
    assert_eq!(client.line("STAT"), "+OK 3 69\r\n");
}

#[test]
fn an_empty_mailbox() {
    let mut client = Client::logged_in("empty");
    assert_eq!(
        client.send("STAT\r\nLIST\r\nUIDL\r\nQUIT\r\n"),
        "+OK 0 0\r\n+OK 0 messages (0 octets)\r\n.\r\n+OK\r\n.\r\n+OK Bye\r\n"
    );
}

#[test]
fn too_many_errors_end_the_session() {
    for mut client in [Client::new(), Client::logged_in("u1")] {
        for _ in 0..20 {
            assert!(!client.closed);
            client.line("XYZZY");
        }
        assert!(client.closed);
    }
}

/// Words of the protocol, in random order.
#[test]
fn noise() {
    let words: [&str; 20] = [
        "USER", "PASS", "u1", "a b", "RETR", "TOP", "DELE", "LIST", "UIDL", "RSET", "QUIT", "\r\n", "\r\n", "\r\n",
        " ", "1", "99", "\n", "\r", "\u{7f}",
    ];
    let mut random = fastrand::Rng::with_seed(4);
    for round in 0..20_000 {
        let mut client = if round % 2 == 0 { Client::new() } else { Client::logged_in("u1") };
        for _ in 0..random.usize(1..8) {
            let piece: String = (0..random.usize(1..20)).map(|_| words[random.usize(..20)]).collect();
            let replies = client.send(&piece);
            assert!(replies.is_empty() || replies.ends_with("\r\n"));
            if client.closed {
                break;
            }
        }
    }
}

/// Random octets and overlong lines: each line gets one reply, nothing is removed, and the session goes on.
#[test]
fn random_octets() {
    let mut random = fastrand::Rng::with_seed(6);
    for _ in 0..5_000 {
        let session = Pop3::new(
            Arc::new(Config { command: 255, errors: 10_000, output: 4096, tls: false, require_tls: false }),
            false,
        );
        let mut client = Client { session, removed: None, replies: String::new(), closed: false };
        client.send("USER u1\r\nPASS a b\r\n");
        let octets: Vec<u8> = (0..random.usize(..3000)).map(|_| random.u8(..)).collect();
        let mut replies = String::new();
        for piece in octets.chunks(random.usize(1..3001)) {
            replies += &client.send_bytes(piece);
        }
        replies += &client.send("\r\n");
        let lines = octets.iter().filter(|octet| **octet == b'\n').count() + 1;
        assert_eq!(replies.lines().count(), lines);
        assert!(replies.lines().all(|reply| reply.starts_with("-ERR ")), "{replies}");
        assert_eq!(client.line("STAT"), "+OK 3 69\r\n");
        assert_eq!(client.removed, None);
    }
}
