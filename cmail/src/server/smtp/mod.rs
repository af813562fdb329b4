//! One SMTP session (RFC 5321), without input or output: bytes go in, replies and requests come out. It supports SIZE (RFC 1870), 8BITMIME
//! (RFC 6152), PIPELINING (RFC 2920), ENHANCEDSTATUSCODES (RFC 2034) and STARTTLS (RFC 3207). It cannot look up mailboxes, deliver or
//! encrypt by itself: it requests these and continues with the answer. It has no access to sockets or clocks.

mod data;
mod path;

use std::sync::Arc;

use data::{Data, Fault};
pub use path::{Argument, Path, argument, is_domain};

use super::lines::{Line, Lines};
use super::names;

/// The limits and the names of a session.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's name, as in the greeting.
    pub hostname: String,
    /// The local domains, in lower case. An address without a domain is local too.
    pub domains: Vec<String>,
    /// The maximum length of a command, in octets with its end.
    pub command: usize,
    /// The maximum length of a line of a message, in octets with its end.
    pub line: usize,
    /// The maximum size of a message, in octets.
    pub message: usize,
    /// The maximum number of recipients of a message.
    pub recipients: usize,
    /// The maximum number of refused commands before the session ends.
    pub errors: usize,
    /// Whether STARTTLS is offered.
    pub tls: bool,
    /// Whether messages are refused before the connection is encrypted.
    pub require_tls: bool,
}

/// What the session needs to continue.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More input: call [`Smtp::receive`].
    Read,
    /// Whether there is a mailbox of this name, with room for a message of this size: call [`Smtp::user_is`].
    CheckUser {
        /// The local part of the recipient, mapped to a mailbox name.
        user: String,
        /// The size in octets that the client announced; 0 if it did not.
        size: u64,
    },
    /// The output sent, and the connection encrypted: call [`Smtp::secured`].
    StartTls,
    /// The message in all these mailboxes, or in none: call [`Smtp::delivered`].
    Deliver {
        /// The sender as the client wrote it; `None` for the empty path.
        sender: Option<String>,
        /// The greeting of the client.
        greeting: Greeting,
        /// The mailboxes, each once.
        recipients: Vec<String>,
        /// The text of the message, without stuffed dots.
        message: Vec<u8>,
    },
    /// Nothing: the session ends when the output is sent.
    Close,
}

/// The greeting of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The client's name for itself, if that is a domain or an address in brackets. It is not verified.
    pub name: Option<String>,
    /// Whether the command was EHLO, not HELO.
    pub extended: bool,
    /// Whether the connection is encrypted.
    pub secured: bool,
}

/// The state of a mailbox, for a message to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailbox {
    /// It exists, and has room for the message.
    Open,
    /// It exists, and has no room for the message.
    Full,
    /// There is no mailbox of this name.
    Missing,
    /// Its state cannot be determined now.
    Unclear,
}

/// The result of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The message is in all mailboxes.
    Everywhere,
    /// The message is in none, since one of them has no room.
    Full,
    /// The message is in none, since storing it failed.
    Nowhere,
}

/// The envelope of the message that is being sent.
#[derive(Debug)]
struct Envelope {
    greeting: Greeting,
    sender: Option<String>,
    size: u64,
    recipients: Vec<String>,
}

#[derive(Debug)]
enum Phase {
    Command,
    /// Waiting for the answer about a recipient.
    Recipient(String),
    Data(Data),
    /// Waiting for the outcome of a delivery.
    Delivery,
    /// Waiting for the connection to be encrypted.
    StartTls,
    Closed,
}

/// The state of an SMTP session.
#[derive(Debug)]
pub struct Smtp {
    config: Arc<Config>,
    input: Lines,
    output: Vec<u8>,
    phase: Phase,
    greeting: Option<Greeting>,
    envelope: Option<Envelope>,
    errors: usize,
    secured: bool,
}

impl Smtp {
    /// A session that has sent its greeting. `secured`: the connection is encrypted from its beginning.
    pub fn new(config: Arc<Config>, secured: bool) -> Smtp {
        let mut session = Smtp {
            input: Lines::new(config.command),
            config,
            output: Vec::new(),
            phase: Phase::Command,
            greeting: None,
            envelope: None,
            errors: 0,
            secured,
        };
        session.reply(&format!("220 {} ESMTP cmail", session.config.hostname));
        session
    }

    /// The replies since the last call.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Adds input. Call it when [`Step::Read`] asks for it, with pieces of bounded size.
    pub fn receive(&mut self, input: &[u8]) {
        self.input.push(input);
    }

    /// Uses the input, and returns what is needed next.
    pub fn step(&mut self) -> Step {
        loop {
            match &mut self.phase {
                Phase::Closed => return Step::Close,
                Phase::StartTls => return Step::StartTls,
                Phase::Recipient(user) => {
                    let size = self.envelope.as_ref().map_or(0, |envelope| envelope.size);
                    return Step::CheckUser { user: user.clone(), size };
                }
                Phase::Delivery => return Step::Read,
                Phase::Data(data) => {
                    let used = data.receive(self.input.rest());
                    self.input.consume(used);
                    if !data.ended() {
                        return Step::Read;
                    }
                    if let Some(step) = self.end_of_data() {
                        return step;
                    }
                }
                Phase::Command => match self.input.next_line() {
                    None => return Step::Read,
                    Some(Line::Text(line)) => self.command(line.trim_end_matches(' ')),
                    Some(Line::TooLong) => self.refuse("500 5.5.6 Line too long"),
                    Some(Line::Malformed) => {
                        self.refuse("500 5.5.2 Lines end with CRLF, are UTF-8, and hold no control characters")
                    }
                },
            }
        }
    }

    /// The answer to [`Step::CheckUser`].
    pub fn user_is(&mut self, mailbox: Mailbox) {
        let Phase::Recipient(user) = std::mem::replace(&mut self.phase, Phase::Command) else {
            return;
        };
        match (mailbox, &mut self.envelope) {
            (Mailbox::Open, Some(envelope)) => {
                if !envelope.recipients.contains(&user) {
                    envelope.recipients.push(user);
                }
                self.reply("250 2.1.5 OK");
            }
            (Mailbox::Full, _) => self.reply(FULL),
            (Mailbox::Unclear, _) => self.reply("451 4.3.0 Try again later"),
            _ => self.refuse("550 5.1.1 No such mailbox here"),
        }
    }

    /// The answer to [`Step::Deliver`].
    pub fn delivered(&mut self, stored: Stored) {
        self.phase = Phase::Command;
        match stored {
            Stored::Everywhere => self.reply("250 2.0.0 Delivered"),
            Stored::Full => self.reply(FULL),
            Stored::Nowhere => self.reply("452 4.3.1 Could not be stored; try again later"),
        }
    }

    /// The answer to [`Step::StartTls`]: the connection is encrypted. The session forgets all earlier commands and drops unused input,
    /// which a third party may have added. Returns the number of dropped octets.
    pub fn secured(&mut self) -> usize {
        let dropped = self.input.rest().len();
        self.input = Lines::new(self.config.command);
        (self.phase, self.greeting, self.envelope) = (Phase::Command, None, None);
        self.secured = true;
        dropped
    }

    /// The number of refused commands and messages.
    pub fn refused(&self) -> usize {
        self.errors
    }

    /// Ends the session with a reply that gives the reason.
    pub fn end(&mut self, why: End) {
        let text = match why {
            End::Idle => "4.4.2 Idle, or too slow",
            End::Leaving => "4.3.2 Going down",
        };
        self.reply(&format!("421 {text}"));
        self.phase = Phase::Closed;
    }

    /// Whether no message is being sent, so that the server may end the session.
    pub fn is_between_messages(&self) -> bool {
        matches!(self.phase, Phase::Command) && self.envelope.is_none()
    }

    fn command(&mut self, line: &str) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_start_matches(' ');
        let verb = verb.to_ascii_uppercase();
        if self.config.require_tls && !self.secured && matches!(&*verb, "MAIL" | "RCPT" | "DATA" | "VRFY") {
            return self.refuse("530 5.7.0 Send STARTTLS first");
        }
        match verb.as_str() {
            "EHLO" => self.hello(rest, true),
            "HELO" => self.hello(rest, false),
            "MAIL" => self.mail(rest),
            "RCPT" => self.recipient(rest),
            "DATA" if rest.is_empty() => self.data(),
            "RSET" if rest.is_empty() => {
                self.envelope = None;
                self.reply("250 2.0.0 OK");
            }
            "NOOP" => self.reply("250 2.0.0 OK"),
            "QUIT" if rest.is_empty() => {
                self.reply("221 2.0.0 Bye");
                self.phase = Phase::Closed;
            }
            "VRFY" if rest.is_empty() => self.refuse("501 5.5.4 Syntax: VRFY name"),
            "VRFY" => self.reply("252 2.1.5 Cannot verify; delivery will be attempted"),
            "HELP" => self.reply("214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY; see RFC 5321"),
            "STARTTLS" if self.config.tls => self.start_tls(rest),
            "DATA" | "RSET" | "QUIT" => self.refuse("501 5.5.4 This command takes no argument"),
            "EXPN" | "TURN" | "STARTTLS" | "AUTH" | "BDAT" | "ETRN" => self.refuse("502 5.5.1 Not implemented"),
            // A browser was made to connect to this port. What follows is not from a mail client.
            "GET" | "POST" | "CONNECT" | "PUT" => {
                self.reply("421 4.7.0 This is not HTTP");
                self.phase = Phase::Closed;
            }
            _ => self.refuse("500 5.5.2 Unknown command"),
        }
    }

    fn hello(&mut self, client: &str, extended: bool) {
        if client.is_empty() || client.contains(' ') {
            return self.refuse("501 5.5.4 Syntax: EHLO name");
        }
        let name = path::is_domain(client).then(|| client.to_owned());
        self.greeting = Some(Greeting { name, extended, secured: self.secured });
        self.envelope = None;
        let hostname = self.config.hostname.clone();
        if !extended {
            return self.reply(&format!("250 {hostname}"));
        }
        let size = self.config.message;
        self.reply(&format!("250-{hostname}"));
        if self.config.tls && !self.secured {
            self.reply("250-STARTTLS");
        }
        for line in ["250-PIPELINING", &format!("250-SIZE {size}"), "250-8BITMIME", "250 ENHANCEDSTATUSCODES"] {
            self.reply(line);
        }
    }

    fn start_tls(&mut self, rest: &str) {
        if self.secured {
            return self.refuse("503 5.5.1 The connection is encrypted already");
        }
        if !rest.is_empty() {
            return self.refuse("501 5.5.4 This command takes no argument");
        }
        self.reply("220 2.0.0 Begin TLS");
        self.phase = Phase::StartTls;
    }

    fn mail(&mut self, rest: &str) {
        let Some(greeting) = self.greeting.clone() else {
            return self.refuse("503 5.5.1 Say EHLO first");
        };
        if self.envelope.is_some() {
            return self.refuse("503 5.5.1 A message was already started; RSET cancels it");
        }
        let Some(argument) = path::argument(rest, "FROM") else {
            return self.refuse("501 5.5.4 Say: MAIL FROM:<address>");
        };
        let mut declared = 0;
        for (name, value) in argument.parameters {
            match (name.to_ascii_uppercase().as_str(), value) {
                ("SIZE", Some(size)) => match self.check_size(size) {
                    Ok(size) => declared = size,
                    Err(reply) => return self.refuse(reply),
                },
                ("BODY", Some(body)) if is_body(body) => {}
                ("SIZE" | "BODY", _) => return self.refuse("501 5.5.4 Invalid parameter value"),
                _ => return self.refuse("555 5.5.4 No such parameter"),
            }
        }
        let sender = argument.path.map(|path| path.written);
        self.envelope = Some(Envelope { greeting, sender, size: declared, recipients: Vec::new() });
        self.reply("250 2.1.0 OK");
    }

    fn check_size(&self, size: &str) -> Result<u64, &'static str> {
        if size.is_empty() || size.len() > 20 || !size.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err("501 5.5.4 SIZE is a number");
        }
        match size.parse::<u64>() {
            Ok(size) if size <= self.config.message as u64 => Ok(size),
            _ => Err(TOO_BIG),
        }
    }

    fn recipient(&mut self, rest: &str) {
        let Some(envelope) = &self.envelope else {
            return self.refuse("503 5.5.1 Say MAIL first");
        };
        let Some(argument) = path::argument(rest, "TO") else {
            return self.refuse("501 5.5.4 Say: RCPT TO:<address>");
        };
        let Some(path) = argument.path else {
            return self.refuse("501 5.1.3 An address is needed");
        };
        if !argument.parameters.is_empty() {
            return self.refuse("555 5.5.4 No such parameter");
        }
        if envelope.recipients.len() >= self.config.recipients {
            return self.reply("452 4.5.3 Too many recipients");
        }
        if let Some(domain) = &path.domain
            && !self.config.domains.contains(&domain.to_ascii_lowercase())
        {
            return self.refuse("550 5.7.1 Not delivered here, and not relayed");
        }
        match names::user(&path.local) {
            Some(user) => self.phase = Phase::Recipient(user),
            None => self.refuse("550 5.1.1 No such mailbox here"),
        }
    }

    fn data(&mut self) {
        match &self.envelope {
            None => self.refuse("503 5.5.1 Send MAIL and RCPT first"),
            Some(envelope) if envelope.recipients.is_empty() => self.refuse("554 5.5.1 No valid recipients"),
            Some(_) => {
                self.reply("354 End with a dot on a line of its own");
                self.phase = Phase::Data(Data::new(self.config.line, self.config.message));
            }
        }
    }

    /// Handles the end of the text: requests the delivery, or refuses the message.
    fn end_of_data(&mut self) -> Option<Step> {
        let Phase::Data(data) = std::mem::replace(&mut self.phase, Phase::Command) else {
            return None;
        };
        let Envelope { greeting, sender, recipients, .. } = self.envelope.take()?;
        match data.finish() {
            Ok(message) => {
                self.phase = Phase::Delivery;
                return Some(Step::Deliver { sender, greeting, recipients, message });
            }
            Err(Fault::BareNewline) => self.refuse("550 5.6.0 CR and LF must occur together, as CRLF"),
            Err(Fault::LongLine) => self.refuse("554 5.6.0 A line of the message is too long"),
            Err(Fault::TooBig) => self.refuse(TOO_BIG),
        }
        None
    }

    /// A reply that counts towards the limit of refused commands.
    fn refuse(&mut self, text: &str) {
        self.reply(text);
        self.errors += 1;
        if self.errors >= self.config.errors {
            self.reply("421 4.7.0 Too many errors");
            self.phase = Phase::Closed;
        }
    }

    fn reply(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

const FULL: &str = "452 4.2.2 The mailbox is full; try again later";
const TOO_BIG: &str = "552 5.3.4 The message is too big";

/// Why the server ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client was silent or too slow.
    Idle,
    /// The server is stopping.
    Leaving,
}

fn is_body(value: &str) -> bool {
    value.eq_ignore_ascii_case("7BIT") || value.eq_ignore_ascii_case("8BITMIME")
}

#[cfg(test)]
mod tests {
    use crate::fuzz::{self, Target};
    use crate::questions;

    #[test]
    fn fuzz_of_smtp_commands() {
        let target = Target {
            seeds: &[
                "EHLO me\r\nMAIL FROM:<a@b> SIZE=20 BODY=8BITMIME\r\nRCPT TO:<u1>\r\nDATA\r\ntext\r\n.\r\nQUIT\r\n",
                "helo me\r\nmail from: <>\r\nrcpt to: <u2@localhost>\r\ndata\r\n.\r\nrset\r\nnoop\r\n",
                "VRFY u1\r\nEXPN x\r\nHELP\r\nRSET\r\n\r\n",
            ],
            words: &[
                "EHLO ",
                "HELO ",
                "MAIL FROM:<a@b>",
                "RCPT TO:<u1@localhost>",
                "DATA\r\n",
                "RSET",
                "NOOP",
                "QUIT",
                "STARTTLS\r\n",
                "VRFY",
                "\r\n",
                "\r\n.\r\n",
                "\n",
                "\r",
                "\0",
                " SIZE=",
                "99999999999999999999999",
                "<",
                ">",
                ":",
                "\"",
                "\u{85}",
            ],
        };
        fuzz::run(&target, questions::smtp);
    }
}
