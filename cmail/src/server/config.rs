//! Settings: in `.cmail/config.toml`, all of them optional, or on the command line, which overrides the file.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, io};

use nix::unistd::gethostname;
use serde::Deserialize;

use super::tls::{self, RequireTls, Tls};
use super::{pop3, smtp};

/// The settings, as the file has them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The name of the server, in greetings and `Received` lines.
    pub hostname: String,
    /// The domains of local mailboxes.
    pub domains: Vec<String>,
    /// The maximum size of a message, in octets.
    pub message_size: usize,
    /// The maximum length of a line of a message, in octets with its end.
    pub line_length: usize,
    /// The maximum number of recipients of a message.
    pub recipients: usize,
    /// The maximum number of sessions of a worker.
    pub sessions: usize,
    /// The maximum number of refused commands of a session.
    pub errors: usize,
    /// Seconds of silence allowed to an SMTP client. The RFC requires at least 300.
    pub smtp_idle: u64,
    /// Seconds of silence allowed to a POP3 client. The RFC requires at least 600.
    pub pop3_idle: u64,
    /// The maximum duration of an SMTP session, in seconds.
    pub smtp_session: u64,
    /// The maximum duration of a POP3 session, in seconds.
    pub pop3_session: u64,
    /// The minimum rate of a client's input that keeps its session open, in octets per second; 0 for no minimum.
    pub least_rate: u32,
    /// Seconds that sessions have to finish when the server stops.
    pub grace: u64,
    /// Milliseconds before a wrong password is refused.
    pub login_delay: u64,
    /// Processes of the store in each worker.
    pub store_threads: usize,
    /// Whether messages get `Return-Path` and `Received` lines (RFC 5321, 4.4).
    pub trace: bool,
    /// The maximum size of a mailbox in octets, unless it has a limit of its own; 0 for no limit.
    pub quota: u64,
    /// The certificate and its chain, in PEM. A relative path starts in `.cmail`.
    pub certificate: Option<PathBuf>,
    /// Its key, in PEM.
    pub key: Option<PathBuf>,
    /// What is refused before the connection is encrypted.
    pub require_tls: RequireTls,
}

impl Default for Config {
    fn default() -> Config {
        let node = gethostname().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        // A machine may have no name, or one that is not valid in mail.
        let hostname = if smtp::is_domain(&node) { node } else { "localhost".to_owned() };
        let mut domains: Vec<String> = ["localhost", "localhost.localdomain", "[127.0.0.1]", "[IPv6:::1]"]
            .into_iter()
            .map(str::to_owned)
            .collect();
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
            quota: 0,
            certificate: None,
            key: None,
            require_tls: RequireTls::None,
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

/// A week is practically no limit.
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
        let mut config = config.map_err(|why| Error { path, why })?;
        for file in [&mut config.certificate, &mut config.key].into_iter().flatten() {
            *file = root.join(".cmail").join(&*file);
        }
        Ok(config)
    }

    /// The settings in a text, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        config.check()?;
        Ok(config)
    }

    /// Refuses values that would exclude every client, or that the RFCs forbid.
    fn check(&self) -> Result<(), String> {
        let is_in = |name: &str, value: u64, range: RangeInclusive<u64>| match range.contains(&value) {
            true => Ok(()),
            false => Err(format!("{name} = {value}: it must be between {} and {}", range.start(), range.end())),
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
            Some(name) => Err(format!("{name:?} is neither a domain nor an address in brackets")),
            None => Ok(()),
        }
    }

    fn check_tls(&self) -> Result<(), String> {
        match (&self.certificate, &self.key, self.require_tls) {
            (Some(_), None, _) => Err("a certificate needs its key".to_owned()),
            (None, Some(_), _) => Err("a key needs its certificate".to_owned()),
            (None, None, RequireTls::Pop3 | RequireTls::All) => {
                Err("require_tls needs a certificate and its key; without them no user could log in".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The certificate, if there is one.
    pub fn tls(&self) -> Result<Option<Tls>, tls::Error> {
        self.certificate
            .as_ref()
            .zip(self.key.as_ref())
            .map(|(certificate, key)| Tls::load(certificate, key))
            .transpose()
    }

    /// The settings of SMTP sessions.
    pub fn smtp(&self) -> smtp::Config {
        smtp::Config {
            hostname: self.hostname.clone(),
            domains: self.domains.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            command: 1024,
            line: self.line_length,
            message: self.message_size,
            recipients: self.recipients,
            errors: self.errors,
            tls: self.certificate.is_some(),
            require_tls: self.require_tls == RequireTls::All,
        }
    }

    /// The settings of POP3 sessions.
    pub fn pop3(&self) -> pop3::Config {
        pop3::Config {
            command: pop3::COMMAND,
            errors: self.errors,
            output: 64 << 10,
            tls: self.certificate.is_some(),
            require_tls: self.require_tls != RequireTls::None,
        }
    }

    /// How long sessions may take to finish when the server stops.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace)
    }
}

/// Settings of the command line, which override those of the file.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Overrides {
    /// The certificate and its chain, in PEM: TLS is offered. SIGHUP reads it again. Also a setting.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// What is refused before the connection is encrypted; `all` if no value is given. Also a setting.
    #[arg(long, value_name = "WHAT", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    pub require_tls: Option<RequireTls>,
}

impl Overrides {
    /// The settings of the file, with these.
    pub fn apply(&self, mut config: Config) -> Result<Config, String> {
        config.certificate = self.certificate.clone().or(config.certificate);
        config.key = self.key.clone().or(config.key);
        config.require_tls = self.require_tls.unwrap_or(config.require_tls);
        config.check_tls()?;
        Ok(config)
    }

    /// The settings as command-line arguments.
    pub fn arguments(&self) -> Vec<OsString> {
        let paths = [("--certificate", &self.certificate), ("--key", &self.key)];
        let paths = paths.into_iter().filter_map(|(name, path)| Some([name.into(), path.as_ref()?.into()])).flatten();
        paths.chain(self.require_tls.map(|what| format!("--require-tls={}", what.name()).into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};
    use crate::questions;

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
        fuzz::run(&target, questions::settings);
    }

    #[test]
    fn the_command_line_wins() {
        let config = |text| Config::parse(text).expect("these are settings");
        let key = "certificate = \"a.crt\"\nkey = \"a.key\"\nrequire_tls = \"pop3\"\n";
        let mut overrides = Overrides::default();
        assert_eq!(overrides.apply(config(key)).expect("they go together").require_tls, RequireTls::Pop3);
        overrides.require_tls = Some(RequireTls::All);
        assert_eq!(overrides.arguments(), ["--require-tls=all"]);
        assert_eq!(overrides.apply(config(key)).expect("they go together").require_tls, RequireTls::All);
        assert!(overrides.apply(config("")).expect_err("there is no key").contains("needs a certificate"));
        overrides.key = Some("b.key".into());
        assert!(overrides.apply(config("")).expect_err("nobody is shown").contains("a key needs its certificate"));
        let applied = overrides.apply(config(key)).expect("they go together");
        assert_eq!(applied.key.as_deref(), Some(Path::new("b.key")));
        assert_eq!(overrides.arguments(), ["--key", "b.key", "--require-tls=all"]);
    }

    #[test]
    fn settings_that_no_server_can_have() {
        for (line, why) in [
            ("sessions = 0", "sessions = 0: it must be between 1 and 100000"),
            ("smtp_idle = 9223372036854775807", "it must be between 1 and 604800"),
            ("line_length = 999", "line_length = 999: it must be between 1000 and"),
            ("message_size = -1", "invalid value"),
            ("require_tls = true", "require_tls"),
            ("hostname = \"a b\"", "\"a b\" is neither a domain nor an address"),
            ("hostname = \"a\\r\\n250 x\"", "is neither a domain nor an address"),
            ("domains = [\"example.org\", \"@\"]", "\"@\" is neither a domain nor an address"),
        ] {
            let error = Config::parse(line).expect_err(line);
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
