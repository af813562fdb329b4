//! What can be set: in `.cmail/config.toml`, all of it optional, or on the command line, which wins.

use std::path::Path;
use std::time::Duration;
use std::{fmt, fs, io};

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
        let hostname = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
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
            grace: 20,
            login_delay: 500,
            store_threads: 32,
            trace: false,
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be read.
    Io(io::Error),
    /// It is not what it should be.
    Toml(toml::de::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => write!(f, "config.toml: {error}"),
            Error::Toml(error) => write!(f, "config.toml: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl Config {
    /// The settings of a root.
    pub fn load(root: &Path) -> Result<Config, Error> {
        match fs::read_to_string(root.join(".cmail/config.toml")) {
            Ok(text) => toml::from_str(&text).map_err(Error::Toml),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(Error::Io(error)),
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
        pop3::Config { command: 255, errors: self.errors, output: 64 << 10 }
    }

    /// How long sessions may take to finish when the server stops.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_optional_and_none_is_misspelt() {
        let config: Config = toml::from_str("hostname = \"mx.example\"\nmessage_size = 1000").expect("this is valid");
        assert_eq!((config.hostname.as_str(), config.message_size, config.recipients), ("mx.example", 1000, 100));
        let error = toml::from_str::<Config>("mesage_size = 1000").expect_err("there is no such setting");
        assert!(error.to_string().contains("mesage_size"));
    }
}
