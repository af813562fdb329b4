//! What can be set: in `.cmail/config.toml`, all of it optional, or on the command line, which wins.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, io};

use nix::unistd::gethostname;
use serde::Deserialize;

use super::{pop3, smtp};

/// The settings, as the file has them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The name that the server gives itself.
    pub hostname: String,
    /// Domains that are delivered here.
    pub domains: Vec<String>,
    /// The largest message, in octets.
    pub message_size: usize,
    /// The longest line of a message, in octets with its end.
    pub line_length: usize,
    /// The most recipients of a message.
    pub recipients: usize,
    /// The most sessions of a worker.
    pub sessions: usize,
    /// The most refused commands of a session.
    pub errors: usize,
    /// Seconds without a word from an SMTP client. The RFC asks for at least 300.
    pub smtp_idle: u64,
    /// Seconds without a word from a POP3 client. The RFC asks for at least 600.
    pub pop3_idle: u64,
    /// The most seconds that an SMTP session may take.
    pub smtp_session: u64,
    /// The most seconds that a POP3 session may take.
    pub pop3_session: u64,
    /// Octets a second below which what a client sends does not keep its session open; 0 for any.
    pub least_rate: u32,
    /// Seconds that sessions have to finish when the server stops.
    pub grace: u64,
    /// Milliseconds before a wrong password is refused.
    pub login_delay: u64,
    /// Processes of the store in each worker.
    pub store_threads: usize,
    /// Whether messages get `Return-Path` and `Received` lines (RFC 5321, 4.4).
    pub trace: bool,
}

impl Default for Config {
    fn default() -> Config {
        let node = gethostname().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        // A machine may have a name that is none in mail, or no name.
        let hostname = if smtp::is_domain(&node) { node } else { "localhost".to_owned() };
        let mut domains: Vec<String> =
            ["localhost", "localhost.localdomain", "[127.0.0.1]"].into_iter().map(str::to_owned).collect();
        domains.push(hostname.clone());
        Config {
            hostname,
            domains,
            message_size: 10 << 20,
            line_length: 1000,
            recipients: 100,
            sessions: 2000,
            errors: 20,
            smtp_idle: 300,
            pop3_idle: 600,
            smtp_session: 3600,
            pop3_session: 14_400,
            least_rate: 500,
            grace: 20,
            login_delay: 500,
            store_threads: 32,
            trace: true,
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    why: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for Error {}

/// A week is as good as no limit.
const LONGEST: u64 = 7 * 24 * 3600;

impl Config {
    /// The settings of a root.
    pub fn load(root: &Path) -> Result<Config, Error> {
        let path = root.join(".cmail/config.toml");
        let config = match fs::read_to_string(&path) {
            Ok(text) => Config::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(error.to_string()),
        };
        config.map_err(|why| Error { path, why })
    }

    /// The settings in a text, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        config.check()?;
        Ok(config)
    }

    /// Nothing with which no client could be served, or which the RFCs do not leave to a server.
    fn check(&self) -> Result<(), String> {
        let is_in = |name: &str, value: u64, range: RangeInclusive<u64>| match range.contains(&value) {
            true => Ok(()),
            false => Err(format!("{name} = {value}: it is between {} and {}", range.start(), range.end())),
        };
        is_in("message_size", self.message_size as u64, 64 << 10..=1 << 30)?;
        is_in("line_length", self.line_length as u64, 1000..=1 << 20)?;
        is_in("recipients", self.recipients as u64, 100..=100_000)?;
        is_in("sessions", self.sessions as u64, 1..=100_000)?;
        is_in("errors", self.errors as u64, 1..=100_000)?;
        is_in("smtp_idle", self.smtp_idle, 1..=LONGEST)?;
        is_in("pop3_idle", self.pop3_idle, 1..=LONGEST)?;
        is_in("smtp_session", self.smtp_session, 1..=LONGEST)?;
        is_in("pop3_session", self.pop3_session, 1..=LONGEST)?;
        is_in("least_rate", self.least_rate.into(), 0..=1 << 20)?;
        is_in("grace", self.grace, 0..=LONGEST)?;
        is_in("login_delay", self.login_delay, 0..=60_000)?;
        is_in("store_threads", self.store_threads as u64, 1..=1000)?;
        match std::iter::once(&self.hostname).chain(&self.domains).find(|name| !smtp::is_domain(name)) {
            Some(name) => Err(format!("{name:?} is no domain, and no address in brackets")),
            None => Ok(()),
        }
    }

    /// What concerns SMTP sessions.
    pub fn smtp(&self) -> smtp::Config {
        smtp::Config {
            hostname: self.hostname.clone(),
            domains: self.domains.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            command: 1024,
            line: self.line_length,
            message: self.message_size,
            recipients: self.recipients,
            errors: self.errors,
        }
    }

    /// What concerns POP3 sessions.
    pub fn pop3(&self) -> pop3::Config {
        pop3::Config { command: pop3::COMMAND, errors: self.errors, output: 64 << 10 }
    }

    /// How long sessions may take to finish when the server stops.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};

    #[test]
    fn every_setting_is_optional_and_none_is_misspelt() {
        let config = Config::parse("hostname = \"mx.example\"\nmessage_size = 100_000").expect("this is valid");
        assert_eq!((config.hostname.as_str(), config.message_size, config.recipients), ("mx.example", 100_000, 100));
        let error = Config::parse("mesage_size = 1000").expect_err("there is no such setting");
        assert!(error.contains("mesage_size") && error.contains("line 1"), "{error}");
        Config::default().check().expect("what is there without a file is valid");
    }

    #[test]
    fn fuzz_of_settings() {
        let target = Target {
            seeds: &[
                "hostname = \"mx.example\"\ndomains = [\"a\", \"[127.0.0.1]\"]\nmessage_size = 100000\n",
                "smtp_idle = 300\npop3_idle = 600\nsmtp_session = 3600\nleast_rate = 0\ngrace = 1\n",
                "trace = false\nstore_threads = 2\nlogin_delay = 0\n# text\n[table]\n",
            ],
            words: &[
                "=",
                "\n",
                "\"",
                "[",
                "]",
                "-1",
                "18446744073709551615",
                "0x7f",
                "1e9",
                "hostname",
                "\\u0000",
                "true",
                "nan",
                "#",
            ],
        };
        fuzz::run(&target, |input| {
            let Ok(config) = Config::parse(&String::from_utf8_lossy(input)) else { return };
            // Whatever is accepted, a server can be run by it.
            let limits = [config.smtp_idle, config.pop3_idle, config.smtp_session, config.pop3_session, config.grace];
            assert!(limits.iter().all(|seconds| *seconds <= LONGEST));
            assert!(config.sessions <= tokio::sync::Semaphore::MAX_PERMITS && config.store_threads > 0);
            assert!(config.smtp().domains.iter().all(|domain| !domain.contains(char::is_control)));
            assert!(config.pop3().errors > 0);
        });
    }

    #[test]
    fn settings_that_no_server_can_have() {
        for (line, why) in [
            ("sessions = 0", "sessions = 0: it is between 1 and 100000"),
            ("smtp_idle = 9223372036854775807", "it is between 1 and 604800"),
            ("line_length = 999", "line_length = 999: it is between 1000 and"),
            ("message_size = -1", "invalid value"),
            ("hostname = \"a b\"", "\"a b\" is no domain"),
            ("hostname = \"a\\r\\n250 x\"", "is no domain"),
            ("domains = [\"example.org\", \"@\"]", "\"@\" is no domain"),
        ] {
            let error = Config::parse(line).expect_err(line);
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
