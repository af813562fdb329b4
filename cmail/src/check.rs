//! `cmail check`: finds problems that would prevent a server from running or from keeping its guarantees, before it is started. It changes
//! no mailbox; tests of the file system use a directory of their own, which is removed afterwards.

use std::fmt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{Uid, User, geteuid};

use crate::bottom::{Root, probe};
use crate::server::Failure;
use crate::server::config::{Config, Overrides};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The check found no problem.
    Good,
    /// The server runs, but the administrator should know.
    Doubtful,
    /// The server does not run, or does not keep its guarantees.
    Bad,
}

/// One check and its result.
#[derive(Debug)]
pub struct Finding {
    /// The severity of the finding.
    pub verdict: Verdict,
    /// The subject of the check, such as a file or a setting.
    pub subject: &'static str,
    /// The result in words.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Good => "ok",
            Verdict::Doubtful => "warning",
            Verdict::Bad => "error",
        };
        write!(f, "{verdict:<8}{:<13}{}", self.subject, self.text)
    }
}

/// Runs all checks, for a server that is run by this user, or by the current one.
pub fn check(path: &Path, overrides: &Overrides, user: Option<&str>) -> Result<Vec<Finding>, Failure> {
    let root = Root::open(path)?;
    let owner = match user {
        Some(name) => User::from_name(name)?.ok_or_else(|| format!("--user {name}: there is no such user"))?.uid,
        None => geteuid(),
    };
    let mut findings = Vec::new();
    let config = settings(path, overrides, &mut findings);
    permissions(path, &root, owner, &mut findings)?;
    if let Some(key) = config.as_ref().and_then(|config| config.key.as_deref()) {
        findings.push(key_is_private(key));
    }
    space(path, config.map_or(0, |config| config.message_size as u64), &mut findings)?;
    for (subject, answer) in probe(&root)? {
        findings.push(match answer {
            Ok(text) => Finding { verdict: Verdict::Good, subject, text },
            Err(text) => Finding { verdict: Verdict::Bad, subject, text },
        });
    }
    Ok(findings)
}

fn settings(path: &Path, overrides: &Overrides, findings: &mut Vec<Finding>) -> Option<Config> {
    let mut say = |verdict, subject, text| findings.push(Finding { verdict, subject, text });
    let loaded = Config::load(path).map_err(|error| error.to_string()).and_then(|config| overrides.apply(config));
    let config = match loaded {
        Ok(config) => config,
        Err(error) => {
            say(Verdict::Bad, "settings", error);
            return None;
        }
    };
    say(Verdict::Good, "settings", format!("{} delivers for {}", config.hostname, config.domains.join(", ")));
    match config.tls() {
        Ok(Some(_)) => say(Verdict::Good, "certificate", "it belongs to its key".to_owned()),
        Ok(None) => {
            say(Verdict::Doubtful, "certificate", "there is none: passwords and mail are sent unencrypted".to_owned());
        }
        Err(error) => say(Verdict::Bad, "certificate", error.to_string()),
    }
    Some(config)
}

/// The root and all mailboxes must belong to the user who runs the server, and be inaccessible to others.
fn permissions(path: &Path, root: &Root, owner: Uid, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let users = root.users()?;
    let mut looked_at = vec![".cmail".to_owned(), ".cmail/living".to_owned()];
    looked_at.extend(users.iter().flat_map(|user| ["", "/tmp", "/mail"].map(|part| format!("{user}{part}"))));
    let passwords = ".cmail/passwords";
    if path.join(passwords).exists() {
        looked_at.push(passwords.to_owned());
    }
    let mut wrong = Vec::new();
    for name in looked_at {
        match std::fs::symlink_metadata(path.join(&name)) {
            Err(error) => wrong.push(format!("{name}: {error}")),
            Ok(status) if status.uid() != owner.as_raw() => {
                wrong.push(format!("{name} belongs to user {}, and not to {owner}, who runs the server", status.uid()));
            }
            Ok(status) if status.permissions().mode() & 0o077 != 0 => {
                wrong.push(format!(
                    "{name} is accessible to others; fix it with `chmod go= {}`",
                    path.join(&name).display()
                ));
            }
            Ok(_) => {}
        }
    }
    let finding = |verdict, text| Finding { verdict, subject: "permissions", text };
    findings.extend(wrong.iter().map(|text| finding(Verdict::Bad, text.clone())));
    if wrong.is_empty() {
        findings.push(finding(Verdict::Good, format!("{} mailboxes that only user {owner} can read", users.len())));
    }
    Ok(())
}

fn key_is_private(key: &Path) -> Finding {
    let (verdict, text) = match std::fs::metadata(key) {
        Ok(status) if status.permissions().mode() & 0o007 != 0 => {
            (Verdict::Bad, format!("every user can read or replace {}; fix it with `chmod o= {0}`", key.display()))
        }
        Ok(_) => (Verdict::Good, "not every user can read it".to_owned()),
        Err(error) => (Verdict::Bad, format!("{}: {error}", key.display())),
    };
    Finding { verdict, subject: "key", text }
}

/// Below this share of free space there is a warning.
const SMALL_SHARE: u64 = 20;

fn space(path: &Path, largest: u64, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let status = statvfs(path)?;
    let (free, all) = (status.blocks_available() * status.fragment_size(), status.blocks() * status.fragment_size());
    let verdict = match free {
        free if free < largest => Verdict::Bad,
        free if free < all / SMALL_SHARE => Verdict::Doubtful,
        _ => Verdict::Good,
    };
    findings.push(Finding { verdict, subject: "space", text: format!("{} of {} MiB are free", free >> 20, all >> 20) });
    // Some file systems create inodes on demand, and report none.
    if status.files() > 0 {
        let verdict = match status.files_available() {
            0 => Verdict::Bad,
            free if free < status.files() / SMALL_SHARE => Verdict::Doubtful,
            _ => Verdict::Good,
        };
        let text = format!("{} of {} files are free", status.files_available(), status.files());
        findings.push(Finding { verdict, subject: "space", text });
    }
    Ok(())
}
