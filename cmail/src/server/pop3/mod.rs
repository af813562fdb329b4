//! One POP3 session (RFC 1939), without input or output: bytes go in, replies and requests come out. Extensions as `CAPA` lists them (RFC
//! 2449), and STLS (RFC 2595). The session cannot check passwords, read a mailbox, remove messages or encrypt by itself: it requests these.
//! Messages are marked, and only QUIT has them removed. It knows neither sockets nor clocks.

mod maildrop;

use std::sync::Arc;

pub use maildrop::{Entry, Maildrop, with_crlf};

use super::lines::{Line, Lines};
use super::names;

/// The maximum length of a command, in octets with its end (RFC 2449).
pub const COMMAND: usize = 255;

/// The settings of a session.
#[derive(Clone, Debug)]
pub struct Config {
    /// The maximum length of a command, in octets with its end.
    pub command: usize,
    /// The maximum number of refused commands before the session ends.
    pub errors: usize,
    /// Output is handed over at this size, so that no session holds much of it.
    pub output: usize,
    /// Whether STLS is offered.
    pub tls: bool,
    /// Whether logins are refused before the connection is encrypted.
    pub require_tls: bool,
}

/// What the session needs to continue.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More input: call [`Pop3::receive`].
    Read,
    /// Nothing, but there is much output to send first.
    Write,
    /// The mailbox of this user, if the password is right: call [`Pop3::opened`].
    Open {
        /// The user's name as the client sent it; it may not be a valid mailbox name.
        user: String,
        password: String,
    },
    /// The messages at these places removed: call [`Pop3::removed`].
    Remove(Vec<usize>),
    /// The output sent, and the connection encrypted: call [`Pop3::secured`].
    StartTls,
    /// Nothing: the session ends when the output is sent.
    Close,
}

/// Why a mailbox is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such user, or the password is wrong; the client is not told which.
    Login,
    /// Another session has it open.
    InUse,
    /// A problem of the server.
    Trouble,
}

#[derive(Debug)]
enum Phase {
    /// Before login, with the name if it was given.
    Authorization(Option<String>),
    Opening {
        user: String,
        password: String,
    },
    Transaction(Maildrop),
    Removing,
    StartTls,
    Closed,
}

/// The state of a POP3 session.
#[derive(Debug)]
pub struct Pop3 {
    config: Arc<Config>,
    input: Lines,
    output: Vec<u8>,
    phase: Phase,
    errors: usize,
    secured: bool,
}

/// The capabilities that are always offered.
pub(crate) const CAPABILITIES: &str =
    "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nIMPLEMENTATION cmail\r\n.";

impl Pop3 {
    /// A session that has sent its greeting. `secured`: the connection is encrypted from its beginning.
    pub fn new(config: Arc<Config>, secured: bool) -> Pop3 {
        let mut session = Pop3 {
            input: Lines::new(config.command),
            config,
            output: Vec::new(),
            phase: Phase::Authorization(None),
            errors: 0,
            secured,
        };
        session.reply("+OK cmail ready");
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
            if self.output.len() >= self.config.output {
                return Step::Write;
            }
            match &self.phase {
                Phase::Closed => return Step::Close,
                Phase::Removing => return Step::Read,
                Phase::StartTls => return Step::StartTls,
                Phase::Opening { user, password } => {
                    return Step::Open { user: user.clone(), password: password.clone() };
                }
                Phase::Authorization(_) | Phase::Transaction(_) => {}
            }
            match self.input.next_line() {
                None => return Step::Read,
                Some(Line::Text(line)) => {
                    if let Some(step) = self.command(&line) {
                        return step;
                    }
                }
                Some(Line::TooLong) => self.refuse("-ERR Line too long"),
                Some(Line::Malformed) => {
                    self.refuse("-ERR Lines end with CRLF, are UTF-8, and hold no control characters")
                }
            }
        }
    }

    /// The answer to [`Step::Open`].
    pub fn opened(&mut self, maildrop: Result<Maildrop, Refused>) {
        self.phase = Phase::Authorization(None);
        match maildrop {
            Ok(maildrop) => {
                self.reply(&format!("+OK {} messages ({} octets)", maildrop.count(), maildrop.octets()));
                self.phase = Phase::Transaction(maildrop);
            }
            Err(Refused::Login) => self.refuse("-ERR [AUTH] Wrong name or password"),
            Err(Refused::InUse) => self.refuse("-ERR [IN-USE] The mailbox is open in another session"),
            Err(Refused::Trouble) => self.refuse("-ERR [SYS/TEMP] Try again later"),
        }
    }

    /// The answer to [`Step::Remove`]: whether all of them were removed.
    pub fn removed(&mut self, all: bool) {
        match all {
            true => self.reply("+OK Bye"),
            false => self.reply("-ERR [SYS/TEMP] Some deleted messages are not removed"),
        }
        self.phase = Phase::Closed;
    }

    /// The answer to [`Step::StartTls`]: the connection is encrypted. The session forgets all earlier commands and drops unused input,
    /// which a third party may have added. Returns the number of dropped octets.
    pub fn secured(&mut self) -> usize {
        let dropped = self.input.rest().len();
        self.input = Lines::new(self.config.command);
        self.phase = Phase::Authorization(None);
        self.secured = true;
        dropped
    }

    /// The number of refused commands.
    pub fn refused(&self) -> usize {
        self.errors
    }

    /// Ends the session; nothing is removed.
    pub fn end(&mut self) {
        self.phase = Phase::Closed;
    }

    /// Whether no user is logged in, so that the server may end the session.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Authorization(_))
    }

    fn command(&mut self, line: &str) -> Option<Step> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        if verb == "CAPA" {
            self.capabilities();
            return None;
        }
        // The phase is taken, and put back unless the command ends it.
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Authorization(user) => {
                self.phase = self.authorization(user, &verb, rest);
                None
            }
            Phase::Transaction(maildrop) if verb == "QUIT" && rest.trim().is_empty() => {
                self.phase = Phase::Removing;
                match maildrop.marked() {
                    marked if marked.is_empty() => {
                        self.removed(true);
                        None
                    }
                    marked => Some(Step::Remove(marked)),
                }
            }
            Phase::Transaction(mut maildrop) => {
                self.transaction(&mut maildrop, &verb, rest.trim());
                // Too many refusals have ended the session if `errors` has reached the limit.
                if self.errors < self.config.errors {
                    self.phase = Phase::Transaction(maildrop);
                }
                None
            }
            other => {
                self.phase = other;
                None
            }
        }
    }

    fn capabilities(&mut self) {
        self.reply("+OK These are the extensions");
        if !self.config.require_tls || self.secured {
            self.reply("USER");
        }
        if self.config.tls && !self.secured && matches!(self.phase, Phase::Authorization(_)) {
            self.reply("STLS");
        }
        self.reply(CAPABILITIES);
    }

    fn authorization(&mut self, user: Option<String>, verb: &str, rest: &str) -> Phase {
        match (verb, user) {
            ("STLS", _) if self.config.tls && !self.secured && rest.trim().is_empty() => {
                self.reply("+OK Begin TLS");
                return Phase::StartTls;
            }
            ("STLS", _) if self.secured => self.refuse("-ERR The connection is encrypted already"),
            ("STLS", _) if self.config.tls => self.refuse("-ERR This command takes no argument"),
            ("USER" | "PASS", _) if self.config.require_tls && !self.secured => {
                self.refuse("-ERR Send STLS first: unencrypted passwords are refused");
            }
            ("USER", _) if !rest.trim().is_empty() => {
                self.reply("+OK Send the password");
                return Phase::Authorization(Some(login(rest.trim())));
            }
            // A password may hold spaces.
            ("PASS", Some(user)) => return Phase::Opening { user, password: rest.to_owned() },
            ("PASS", None) => self.refuse("-ERR Say USER first"),
            ("QUIT", _) if rest.trim().is_empty() => {
                self.reply("+OK Bye");
                return Phase::Closed;
            }
            ("USER", _) => self.refuse("-ERR Say: USER name"),
            _ => self.refuse("-ERR Log in first: USER name, PASS password"),
        }
        match self.errors < self.config.errors {
            true => Phase::Authorization(None),
            false => Phase::Closed,
        }
    }

    fn transaction(&mut self, maildrop: &mut Maildrop, verb: &str, rest: &str) {
        let done = match (verb, rest) {
            ("STAT", "") => Ok(format!("+OK {} {}", maildrop.count(), maildrop.octets())),
            ("LIST", "") => Ok(maildrop.list()),
            ("UIDL", "") => Ok(maildrop.uids()),
            ("LIST", number) => maildrop.find(number).map(|(at, entry)| format!("+OK {} {}", at + 1, entry.octets())),
            ("UIDL", number) => maildrop.find(number).map(|(at, entry)| format!("+OK {} {}", at + 1, entry.uid())),
            ("RETR", number) => return self.retrieve(maildrop.find(number), None),
            ("TOP", numbers) => return self.top(maildrop, numbers),
            ("DELE", number) => maildrop.mark(number).map(|at| format!("+OK Message {} is marked", at + 1)),
            ("NOOP", "") => Ok("+OK".to_owned()),
            ("RSET", "") => {
                maildrop.unmark();
                Ok(format!("+OK {} messages ({} octets)", maildrop.count(), maildrop.octets()))
            }
            ("STAT" | "NOOP" | "RSET" | "QUIT", _) => Err("-ERR This command takes no argument"),
            ("USER" | "PASS" | "APOP" | "STLS", _) => Err("-ERR You are logged in"),
            _ => Err("-ERR Unknown command"),
        };
        match done {
            Ok(reply) => self.reply(&reply),
            Err(reply) => self.refuse(reply),
        }
    }

    fn top(&mut self, maildrop: &Maildrop, numbers: &str) {
        let (number, lines) = numbers.split_once(' ').unwrap_or((numbers, ""));
        match maildrop::number(lines.trim_start()) {
            Some(lines) => self.retrieve(maildrop.find(number), Some(lines)),
            None => self.refuse("-ERR Syntax: TOP message lines"),
        }
    }

    fn retrieve(&mut self, found: Result<(usize, &Entry), &'static str>, lines: Option<u64>) {
        match found {
            Ok((_, entry)) => {
                match lines {
                    // How many octets that is depends on the lines.
                    Some(_) => self.reply("+OK"),
                    None => self.reply(&format!("+OK {} octets", entry.octets())),
                }
                entry.write(lines, &mut self.output);
            }
            Err(reply) => self.refuse(reply),
        }
    }

    /// A reply that counts towards the limit of refused commands.
    fn refuse(&mut self, text: &str) {
        self.reply(text);
        self.errors += 1;
        if self.errors >= self.config.errors {
            self.phase = Phase::Closed;
        }
    }

    fn reply(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

/// Maps the name of a login, `name` or `name@domain`, to a mailbox name. A name that no mailbox can have is kept; it is refused later, like
/// a wrong password.
fn login(text: &str) -> String {
    let local = text.split_once('@').map_or(text, |(local, _)| local);
    names::user(local).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::fuzz::{self, Target};
    use crate::questions;

    #[test]
    fn fuzz_of_pop3_commands() {
        let target = Target {
            seeds: &[
                "USER u1\r\nPASS a b\r\nSTAT\r\nLIST\r\nUIDL 1\r\nRETR 1\r\nTOP 1 0\r\nDELE 2\r\nQUIT\r\n",
                "user u1@localhost\r\npass x\r\nuidl\r\nlist 2\r\nrset\r\nnoop\r\nretr 2\r\n",
                "CAPA\r\nUSER nobody\r\nPASS x\r\nAPOP u1 x\r\n",
            ],
            words: &[
                "USER ",
                "PASS ",
                "u1",
                "RETR ",
                "TOP ",
                "DELE ",
                "LIST ",
                "UIDL ",
                "RSET",
                "QUIT",
                "STLS\r\n",
                "\r\n",
                "\r\n",
                "\n",
                "\r",
                "\0",
                " ",
                "0",
                "1",
                "2",
                "-1",
                "18446744073709551616",
                "\u{7f}",
                ":",
            ],
        };
        fuzz::run(&target, questions::pop3);
    }
}
