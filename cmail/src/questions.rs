//! Properties of every parser that reads untrusted input. The tests beside the parsers check them on
//! inputs generated from words; `fuzz/` checks them on libFuzzer's inputs. A property that fails panics.

use std::fmt;
use std::slice::Chunks;
use std::sync::Arc;

use crate::server::config::Config;
use crate::server::pop3::{self, CAPABILITIES, Entry, Maildrop, Pop3, Refused};
use crate::server::smtp::{self, Mailbox, Smtp, Stored, argument, is_domain};

/// The result must not depend on how the input is split.
pub(crate) fn assert_same_in_pieces<T: PartialEq + fmt::Debug>(
    input: &[u8],
    whole: &T,
    of_pieces: impl Fn(Chunks<u8>) -> T,
) {
    for size in [1, 3, 100] {
        let cut = of_pieces(input.chunks(size));
        assert!(cut == *whole, "in pieces of {size}: {cut:?} and not {whole:?}");
    }
}

/// The results of a session: replies, deliveries and removals.
#[derive(Default, Debug, PartialEq)]
struct Came {
    replies: String,
    delivered: Vec<(Vec<String>, Vec<u8>)>,
    removed: Option<Vec<usize>>,
    /// Whether TLS was started.
    secured: bool,
    closed: bool,
}

fn smtp_session() -> Smtp {
    let config = smtp::Config {
        hostname: "mx.test".to_owned(),
        domains: vec!["localhost".to_owned()],
        command: 512,
        line: 1000,
        message: 200,
        recipients: 2,
        errors: 10_000,
        tls: true,
        require_tls: false,
    };
    Smtp::new(Arc::new(config), false)
}

/// The users u1 and u2 exist, and u2 accepts nothing.
fn say_smtp(session: &mut Smtp, input: &[u8], came: &mut Came) {
    session.receive(input);
    loop {
        let step = session.step();
        came.replies += str::from_utf8(&session.take_output()).expect("replies are text");
        match step {
            smtp::Step::Read => return,
            smtp::Step::Close => {
                came.closed = true;
                return;
            }
            smtp::Step::StartTls => {
                came.secured = true;
                session.secured();
            }
            smtp::Step::CheckUser { user, .. } if user == "u1" || user == "u2" => session.user_is(Mailbox::Open),
            smtp::Step::CheckUser { .. } => session.user_is(Mailbox::Missing),
            smtp::Step::Deliver { recipients, .. } if recipients.contains(&"u2".to_owned()) => {
                session.delivered(Stored::Nowhere);
            }
            smtp::Step::Deliver { recipients, message, .. } => {
                came.delivered.push((recipients, message));
                session.delivered(Stored::Everywhere);
            }
        }
    }
}

/// A session that has heard these pieces, or those before it was over, and what came of them.
fn talk_smtp<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Smtp, Came) {
    let (mut session, mut came) = (smtp_session(), Came::default());
    say_smtp(&mut session, b"", &mut came);
    for piece in pieces {
        if !came.closed {
            say_smtp(&mut session, piece, &mut came);
        }
    }
    (session, came)
}

fn assert_well_formed(replies: &str) {
    for line in replies.split_inclusive("\r\n") {
        let text = line.strip_suffix("\r\n").expect("a reply ends with CRLF");
        assert!(line.len() <= 512 && !text.chars().any(char::is_control), "{line:?}");
        assert!(text.bytes().take(3).all(|digit| digit.is_ascii_digit()) && b" -".contains(&text.as_bytes()[3]));
    }
}

/// An SMTP session: replies are well-formed, the result does not depend on how the input is split, input after the command that begins TLS
/// is not used, and whatever came before, the next message is delivered unchanged.
pub fn smtp(input: &[u8]) {
    let (mut end, mut whole) = talk_smtp([input]);
    if whole.secured {
        // Input that arrives with the command is dropped; later input is not.
        assert!(whole.closed || whole.replies.ends_with("\r\n220 2.0.0 Begin TLS\r\n"), "{}", whole.replies);
    } else {
        assert_same_in_pieces(input, &whole, |pieces| talk_smtp(pieces).1);
    }
    assert_well_formed(&whole.replies);
    for (recipients, message) in &whole.delivered {
        assert_eq!(recipients, &["u1"]);
        assert!(message.len() <= 200 && (message.is_empty() || message.ends_with(b"\r\n")));
    }
    // Whatever came before, a line and a text end, and then the next message is delivered unchanged.
    if !whole.closed {
        say_smtp(&mut end, b"\r\n.\r\n", &mut whole);
    }
    if whole.closed {
        return;
    }
    let next = b"RSET\r\nEHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<u1>\r\nDATA\r\nthe next\r\n.\r\n";
    say_smtp(&mut end, next, &mut whole);
    assert!(whole.replies.ends_with("\r\n250 2.0.0 Delivered\r\n"), "{}", whole.replies);
    assert_eq!(whole.delivered.last(), Some(&(vec!["u1".to_owned()], b"the next\r\n".to_vec())));
}

/// The mailbox is called u1 and has two messages; any password is accepted.
fn say_pop3(session: &mut Pop3, input: &[u8], came: &mut Came) {
    session.receive(input);
    loop {
        let step = session.step();
        came.replies += str::from_utf8(&session.take_output()).expect("replies, and the messages here, are text");
        match step {
            pop3::Step::Read => return,
            pop3::Step::Write => {}
            pop3::Step::Close => {
                came.closed = true;
                return;
            }
            pop3::Step::StartTls => {
                came.secured = true;
                session.secured();
            }
            pop3::Step::Open { user, .. } if user == "u1" => {
                let entry = |text: &str| Entry::new("7.1".to_owned(), text.into());
                session.opened(Ok(Maildrop::new(vec![entry("a\r\n\r\n.b\r\n"), entry("c\n")])));
            }
            pop3::Step::Open { .. } => session.opened(Err(Refused::Login)),
            pop3::Step::Remove(places) => {
                came.removed = Some(places);
                session.removed(true);
            }
        }
    }
}

fn talk_pop3<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Pop3, Came) {
    let config = pop3::Config { command: 255, errors: 10_000, output: 64, tls: true, require_tls: false };
    let (mut session, mut came) = (Pop3::new(Arc::new(config), false), Came::default());
    say_pop3(&mut session, b"", &mut came);
    for piece in pieces {
        if !came.closed {
            say_pop3(&mut session, piece, &mut came);
        }
    }
    (session, came)
}

/// A POP3 session: the result does not depend on how the input is split, input after the command that begins TLS is not used, only QUIT
/// removes, and whatever came before, the next command has its reply.
pub fn pop3(input: &[u8]) {
    let (mut end, mut whole) = talk_pop3([input]);
    if whole.secured {
        assert!(whole.closed || whole.replies.ends_with("\r\n+OK Begin TLS\r\n"), "{}", whole.replies);
    } else {
        assert_same_in_pieces(input, &whole, |pieces| talk_pop3(pieces).1);
    }
    assert!(whole.replies.ends_with("\r\n") && whole.replies.starts_with("+OK cmail ready\r\n"));
    let said_quit = input.to_ascii_uppercase().windows(4).any(|word| word == b"QUIT");
    assert!(said_quit || !whole.closed && whole.removed.is_none());
    if let Some(places) = &whole.removed {
        assert!(!places.is_empty() && places.iter().all(|place| *place < 2) && places.is_sorted());
    }
    // Whatever came before, the line ends, and the next command has its reply.
    if !whole.closed {
        say_pop3(&mut end, b"\r\n", &mut whole);
    }
    if whole.closed {
        return;
    }
    say_pop3(&mut end, b"CAPA\r\n", &mut whole);
    assert!(whole.replies.ends_with(&format!("{CAPABILITIES}\r\n")), "{}", whole.replies);
}

/// The argument of `RCPT`: the parsed address is the written one, and is parsed again as the same address.
pub fn address(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Some(smtp::Argument { path, parameters }) = argument(&text, "TO") else { return };
    assert!(parameters.iter().all(|(name, _)| text.contains(name) && !name.contains([' ', '='])));
    let Some(path) = path else { return };
    assert!((1..=64).contains(&path.local.len()) && path.local.is_ascii());
    assert!(path.domain.as_deref().is_none_or(is_domain));
    assert!(text.contains(&path.written) && path.written.len() + 2 <= 256);
    // The address as written into a message is parsed as the same address.
    let again = format!("TO:<{}>", path.written);
    assert_eq!(argument(&again, "TO").and_then(|argument| argument.path), Some(path));
}

/// The settings file: a server can run with whatever is accepted.
pub fn settings(input: &[u8]) {
    let Ok(config) = Config::parse(&String::from_utf8_lossy(input)) else { return };
    let limits = [config.smtp_idle, config.pop3_idle, config.smtp_session, config.pop3_session, config.grace];
    assert!(limits.iter().all(|seconds| *seconds <= 7 * 24 * 3600));
    assert!(config.sessions <= tokio::sync::Semaphore::MAX_PERMITS && config.store_threads > 0);
    assert!(config.smtp().domains.iter().all(|domain| !domain.contains(char::is_control)));
    assert!(config.pop3().errors > 0);
}
