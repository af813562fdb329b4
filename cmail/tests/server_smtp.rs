//! Tests of SMTP sessions without a network: command sequences against a table, every way to split the input, limits, and random input.

use std::sync::Arc;

use cmail::server::smtp::{Config, Mailbox, Smtp, Step, Stored};

/// A session with mailboxes `u1`, `u2` and `full`, which has no room.
struct Client {
    session: Smtp,
    delivered: Vec<(Vec<String>, Vec<u8>)>,
    replies: String,
    closed: bool,
    /// Octets that arrived unencrypted after STARTTLS.
    dropped: usize,
}

fn config() -> Config {
    Config {
        hostname: "mx.test".to_owned(),
        domains: vec!["localhost".to_owned(), "[127.0.0.1]".to_owned()],
        command: 512,
        line: 1000,
        message: 10_000,
        recipients: 100,
        errors: 20,
        tls: true,
        require_tls: false,
    }
}

impl Client {
    fn new() -> Client {
        Client::with(config())
    }

    fn with(config: Config) -> Client {
        let session = Smtp::new(Arc::new(config), false);
        let mut client = Client { session, delivered: Vec::new(), replies: String::new(), closed: false, dropped: 0 };
        client.settle();
        client.replies.clear();
        client
    }

    /// Sends bytes; returns the replies.
    fn send(&mut self, bytes: &[u8]) -> String {
        self.session.receive(bytes);
        self.settle();
        std::mem::take(&mut self.replies)
    }

    /// Sends a line; returns the codes of the replies.
    fn codes(&mut self, line: &str) -> Vec<String> {
        let replies = self.send(format!("{line}\r\n").as_bytes());
        replies.lines().filter(|line| line.as_bytes()[3] == b' ').map(|line| line[..3].to_owned()).collect()
    }

    fn settle(&mut self) {
        loop {
            let step = self.session.step();
            let output = self.session.take_output();
            assert_well_formed(&output);
            self.replies.push_str(str::from_utf8(&output).expect("replies are ASCII"));
            match step {
                Step::Read => return,
                Step::Close => {
                    self.closed = true;
                    return;
                }
                Step::CheckUser { user, size } => self.session.user_is(match &*user {
                    // This mailbox has room for small messages.
                    "u2" if size > 5000 => Mailbox::Full,
                    "u1" | "u2" | "full" => Mailbox::Open,
                    _ => Mailbox::Missing,
                }),
                Step::StartTls => {
                    self.dropped += self.session.secured();
                }
                Step::Deliver { recipients, message, .. } => {
                    let stored = !recipients.contains(&"full".to_owned());
                    if stored {
                        self.delivered.push((recipients, message));
                    }
                    self.session.delivered(if stored { Stored::Everywhere } else { Stored::Nowhere });
                }
            }
        }
    }
}

/// `code[- ]text CRLF`, at most 512 octets, printable.
fn assert_well_formed(output: &[u8]) {
    let text = str::from_utf8(output).expect("replies are ASCII");
    for line in text.split_inclusive("\r\n") {
        let line = line.strip_suffix("\r\n").expect("a reply ends with CRLF");
        assert!(line.len() <= 510 && !line.chars().any(char::is_control), "{line:?}");
        assert!(
            line[..3].bytes().all(|digit| digit.is_ascii_digit()) && b" -".contains(&line.as_bytes()[3]),
            "{line:?}"
        );
    }
}

/// The state of a session as the RFC describes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Start,
    Greeted,
    Mail,
    Recipients,
}

const COMMANDS: [&str; 9] =
    ["EHLO me", "HELO me", "MAIL FROM:<a@b>", "RCPT TO:<u1@localhost>", "DATA", "RSET", "NOOP", "VRFY u1", "BOGUS"];

/// The next state and the replies according to the RFC. `DATA` stands for the command, a text and the dot.
fn expected(state: State, command: &str) -> (State, &'static [&'static str]) {
    use State::*;
    let greeted = if state == Start { Start } else { Greeted };
    match (&command[..4], state) {
        ("EHLO" | "HELO", _) => (Greeted, &["250"]),
        ("MAIL", Greeted) => (Mail, &["250"]),
        ("RCPT", Mail | Recipients) => (Recipients, &["250"]),
        ("DATA", Recipients) => (Greeted, &["354", "250"]),
        ("DATA", Mail) => (state, &["554"]),
        ("MAIL" | "RCPT" | "DATA", _) => (state, &["503"]),
        ("RSET", _) => (greeted, &["250"]),
        ("NOOP", _) => (state, &["250"]),
        ("VRFY", _) => (state, &["252"]),
        _ => (state, &["500"]),
    }
}

fn follow(commands: &[&str]) {
    let mut client = Client::with(Config { errors: 1000, ..config() });
    let mut state = State::Start;
    for command in commands {
        let (next, replies) = expected(state, command);
        let mut codes = client.codes(command);
        if codes == ["354"] {
            codes.extend(client.codes("text\r\n."));
        }
        assert_eq!(codes, replies, "{command} in {state:?} of {commands:?}");
        state = next;
    }
}

#[test]
fn all_sequences_of_three_commands() {
    for number in 0..9_usize.pow(3) {
        follow(&[COMMANDS[number / 81], COMMANDS[number / 9 % 9], COMMANDS[number % 9]]);
    }
}

#[test]
fn long_sequences() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..2000 {
        let commands: Vec<&str> = (0..20).map(|_| COMMANDS[random.usize(..9)]).collect();
        follow(&commands);
    }
}

/// Commands before TLS are forgotten, and input that arrived with the STARTTLS command is not used.
#[test]
fn tls_is_a_new_beginning() {
    let mut client = Client::new();
    let said = b"EHLO me\r\nMAIL FROM:<a@b>\r\nstarttls\r\nRCPT TO:<u1>\r\nQUIT\r\n";
    let replies = client.send(said);
    assert!(replies.ends_with("\r\n250 2.1.0 OK\r\n220 2.0.0 Begin TLS\r\n"), "{replies}");
    assert_eq!((client.dropped, client.closed), (b"RCPT TO:<u1>\r\nQUIT\r\n".len(), false));
    assert_eq!(client.codes("MAIL FROM:<a@b>"), ["503"]);
    assert!(!client.send(b"EHLO me\r\n").contains("STARTTLS"));
    assert_eq!(client.codes("STARTTLS"), ["503"]);
    let mut client = Client::new();
    assert_eq!(client.codes("STARTTLS now"), ["501"]);
    assert_eq!(Client::with(Config { tls: false, ..config() }).codes("STARTTLS"), ["502"]);
    let mut client = Client::with(Config { require_tls: true, ..config() });
    let commands =
        ["EHLO me", "MAIL FROM:<a@b>", "RCPT TO:<u1>", "DATA", "VRFY u1", "NOOP", "RSET", "STARTTLS", "EHLO me"];
    let codes: Vec<String> = commands.iter().flat_map(|command| client.codes(command)).collect();
    assert_eq!(codes, ["250", "530", "530", "530", "530", "250", "250", "220", "250"]);
    assert_eq!(client.codes("MAIL FROM:<a@b>"), ["250"]);
}

/// A mailbox is refused if the message is larger than its free space; the other recipients get the message.
#[test]
fn a_mailbox_that_is_full() {
    let mut client = Client::new();
    client.codes("EHLO me");
    client.codes("MAIL FROM:<a@b> SIZE=6000");
    assert_eq!(client.send(b"RCPT TO:<u2>\r\n"), "452 4.2.2 The mailbox is full; try again later\r\n");
    assert_eq!(client.codes("RCPT TO:<u1>"), ["250"]);
    client.codes("RSET");
    client.codes("MAIL FROM:<a@b> SIZE=4000");
    assert_eq!(client.codes("RCPT TO:<u2>"), ["250"]);
}

const SESSION: &str = "EHLO me\r\nMAIL FROM:<a@b> SIZE=20 BODY=8BITMIME\r\nRCPT TO: <u1>\r\nrcpt to:<U2@LocalHost>\r\nRCPT TO:<nobody>\r\n\
    DATA\r\n..one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<u1@elsewhere>\r\nDATA\r\nQUIT\r\n";

#[test]
fn a_session_is_the_same_however_it_is_cut() {
    let mut whole = Client::new();
    let replies = whole.send(SESSION.as_bytes());
    assert_eq!(whole.delivered, [(vec!["u1".to_owned(), "u2".to_owned()], b".one\r\n".to_vec())]);
    assert!(whole.closed);
    for size in 1..SESSION.len() {
        let mut client = Client::new();
        let mut cut = String::new();
        for piece in SESSION.as_bytes().chunks(size) {
            cut += &client.send(piece);
        }
        assert_eq!((cut, &client.delivered), (replies.clone(), &whole.delivered), "in pieces of {size}");
    }
    expect_test::expect![[r#"
        250-mx.test
        250-STARTTLS
        250-PIPELINING
        250-SIZE 10000
        250-8BITMIME
        250 ENHANCEDSTATUSCODES
        250 2.1.0 OK
        250 2.1.5 OK
        250 2.1.5 OK
        550 5.1.1 No such mailbox here
        354 End with a dot on a line of its own
        250 2.0.0 Delivered
        250 2.1.0 OK
        550 5.7.1 Not delivered here, and not relayed
        554 5.5.1 No valid recipients
        221 2.0.0 Bye
    "#]]
    .assert_eq(&replies.replace("\r\n", "\n"));
}

#[test]
fn malformed_commands_are_refused_and_the_session_goes_on() {
    for (line, code) in [
        ("EHLO", "501"),
        ("EHLO a b", "501"),
        ("MAIL", "501"),
        ("MAIL FROM", "501"),
        ("MAIL FROM:", "501"),
        ("MAIL FROM:a@b", "501"),
        ("MAIL FROM:<a@b> SIZE=x", "501"),
        ("MAIL FROM:<a@b> SIZE=-1", "501"),
        ("MAIL FROM:<a@b> SIZE", "501"),
        ("MAIL FROM:<a@b> SIZE=10001", "552"),
        ("MAIL FROM:<a@b> SIZE=9223372036854775808", "552"),
        ("MAIL FROM:<a@b> BODY=9BIT", "501"),
        ("MAIL FROM:<a@b> X=1", "555"),
        ("RSET x", "501"),
        ("QUIT x", "501"),
        ("VRFY", "501"),
        ("EXPN u1", "502"),
        ("", "500"),
        ("\0", "500"),
        ("NO\rOP", "500"),
    ] {
        let mut client = Client::new();
        client.codes("EHLO me");
        assert_eq!(client.codes(line), [code], "{line:?}");
        assert_eq!(client.codes("NOOP"), ["250"]);
    }
    for line in ["RCPT", "RCPT TO", "RCPT TO:", "RCPT TO:<>", "RCPT TO:<\"\"@localhost>", "RCPT TO:u1"] {
        let mut client = Client::new();
        client.codes("EHLO me");
        client.codes("MAIL FROM:<>");
        assert_eq!(client.codes(line), ["501"], "{line}");
    }
}

#[test]
fn nothing_is_relayed_and_no_name_is_a_path() {
    for address in [
        "u1@elsewhere.example",
        "u1%elsewhere@localhost",
        "@a,@b:u1@c",
        "elsewhere!u1",
        "\"u1@elsewhere\"@localhost",
        "../u2",
        "/etc",
        "\"../u2\"@localhost",
        "u1/mail",
        "\".\"@localhost",
        "\"..\"@localhost",
        "-u1",
        "u1.",
        "u1@[127.0.0.2]",
    ] {
        let mut client = Client::new();
        client.codes("EHLO me");
        client.codes("MAIL FROM:<>");
        let codes = client.codes(&format!("RCPT TO:<{address}>"));
        assert!(codes == ["550"] || codes == ["501"], "{address}: {codes:?}");
    }
}

#[test]
fn the_length_of_a_command_is_limited() {
    let mut client = Client::new();
    let noop = |octets: usize| format!("NOOP {}", "x".repeat(octets - "NOOP \r\n".len()));
    assert_eq!(client.codes(&noop(511)), ["250"]);
    assert_eq!(client.codes(&noop(512)), ["250"]);
    assert_eq!(client.codes(&noop(513)), ["500"]);
    assert_eq!(client.codes(&noop(1 << 20)), ["500"]);
    assert_eq!(client.codes("NOOP"), ["250"]);
}

#[test]
fn recipients_are_limited_and_each_counts_once() {
    let mut client = Client::with(Config { recipients: 2, ..config() });
    client.codes("EHLO me");
    client.codes("MAIL FROM:<>");
    for (name, code) in [("u1", "250"), ("u1", "250"), ("u2", "250"), ("full", "452")] {
        assert_eq!(client.codes(&format!("RCPT TO:<{name}>")), [code]);
    }
    client.codes("DATA");
    assert_eq!(client.codes("x\r\n."), ["250"]);
    assert_eq!(client.delivered[0].0, ["u1", "u2"]);
}

#[test]
fn messages_that_cannot_be_kept_are_refused_at_their_end() {
    for (text, code) in [("a\nb", "550"), ("a\rb", "550"), (&"x".repeat(999), "554"), (&"x\r\n".repeat(4000), "552")] {
        let mut client = Client::new();
        client.codes("EHLO me");
        client.codes("MAIL FROM:<>");
        client.codes("RCPT TO:<u1>");
        client.codes("DATA");
        assert_eq!(client.codes(&format!("{text}\r\n.")), [code]);
        assert_eq!(client.codes("DATA"), ["503"], "the message is over");
        assert!(client.delivered.is_empty());
    }
    let mut client = Client::new();
    client.codes("EHLO me");
    client.codes("MAIL FROM:<>");
    client.codes("RCPT TO:<full>");
    client.codes("DATA");
    assert_eq!(client.codes("x\r\n."), ["452"]);
}

#[test]
fn commands_in_a_message_are_text() {
    let mut client = Client::new();
    client.codes("EHLO me");
    client.codes("MAIL FROM:<>");
    client.codes("RCPT TO:<u1>");
    client.codes("DATA");
    let codes = client.codes("x\n.\r\nMAIL FROM:<evil>\r\nRCPT TO:<u2>\r\nDATA\r\nevil\r\n.");
    assert_eq!(codes, ["550"]);
    assert!(client.delivered.is_empty());
}

#[test]
fn too_many_errors_end_the_session() {
    let mut client = Client::new();
    for _ in 0..19 {
        assert_eq!(client.codes("BOGUS"), ["500"]);
    }
    assert_eq!(client.codes("BOGUS"), ["500", "421"]);
    assert!(client.closed);
}

/// A message of any octets is received unchanged, if CR and LF occur together only.
#[test]
fn every_message_is_kept_as_it_is() {
    let mut random = fastrand::Rng::with_seed(2);
    let parts: [&[u8]; 8] = [b".", b"..", b"\r\n", b"\r\n.", b"a", b"\xff\x00", b"\r\n\r\n", b"text"];
    for _ in 0..20_000 {
        let mut message: Vec<u8> = (0..random.usize(..30)).flat_map(|_| parts[random.usize(..8)]).copied().collect();
        message.extend_from_slice(b"\r\n");
        let stuffed: Vec<u8> = message
            .split_inclusive(|&octet| octet == b'\n')
            .flat_map(|line| if line[0] == b'.' { [b".", line].concat() } else { line.to_vec() })
            .collect();
        let mut client = Client::new();
        client.codes("EHLO me");
        client.codes("MAIL FROM:<>");
        client.codes("RCPT TO:<u1>");
        client.codes("DATA");
        let cut = random.usize(..=stuffed.len());
        client.send(&stuffed[..cut]);
        let reply = client.send(&[&stuffed[cut..], b".\r\n"].concat());
        assert!(reply.starts_with("250"), "{reply}");
        assert_eq!(client.delivered[0].1, message);
    }
}

/// Words of the protocol, cut and mixed with noise. Replies stay well-formed, and nothing panics.
#[test]
fn noise() {
    let words: [&[u8]; 24] = [
        b"EHLO",
        b"MAIL FROM:",
        b"RCPT TO:",
        b"DATA",
        b"RSET",
        b"QUIT",
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"<u1@localhost>",
        b"<>",
        b" ",
        b".",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b":",
        b"\"",
        b"\\",
        b" SIZE=",
        b"9999999999999999999999",
        b"@",
        b"x",
    ];
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..20_000 {
        let mut client = Client::with(Config { errors: 1000, ..config() });
        for _ in 0..random.usize(1..8) {
            let piece: Vec<u8> = (0..random.usize(1..20)).flat_map(|_| words[random.usize(..24)]).copied().collect();
            client.send(&piece);
            if client.closed {
                break;
            }
        }
        goes_on(client, "words");
    }
}

/// Random octets, in one piece or in many.
#[test]
fn random_octets() {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..5_000 {
        let mut client = Client::with(Config { errors: 1000, ..config() });
        let octets: Vec<u8> = (0..random.usize(..3000)).map(|_| random.u8(..)).collect();
        for piece in octets.chunks(random.usize(1..3001)) {
            client.send(piece);
        }
        assert!(client.delivered.is_empty());
        goes_on(client, "octets");
    }
}

/// Whatever a client has sent, the end of its line and of its text is found: the next message is delivered alone and unchanged.
fn goes_on(mut client: Client, after: &str) {
    client.send(b"\r\n.\r\n");
    // The client may have sent QUIT.
    if client.closed {
        return;
    }
    client.delivered.clear();
    for line in ["RSET", "EHLO me", "MAIL FROM:<>", "RCPT TO:<u1>", "DATA"] {
        client.codes(line);
    }
    assert_eq!(client.codes("the next\r\n."), ["250"], "{after}");
    assert_eq!(client.delivered, [(vec!["u1".to_owned()], b"the next\r\n".to_vec())], "{after}");
}
