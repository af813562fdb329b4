//! Passwords, hashed with Argon2id, one line per user in `.cmail/passwords`: `name:hash`, or `name:` for a user without a password. The
//! file is replaced as a whole, so a reader sees the old one or the new one. This module knows nothing of mail.

use std::io;
use std::path::Path;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::pop3;
use super::table::{Table, value_of};

/// The file of a root.
#[derive(Clone, Debug)]
pub struct Passwords(Table);

/// The hash that is checked if there is no such user, so that it takes equally long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$0Lr5RGTCEFbTHBLmNl0eJmS8WmhAAqhGdNZk4O0UrCE";

impl Passwords {
    /// The password file of this root.
    pub fn of(root: &Path) -> Passwords {
        Passwords(Table::of(root, "passwords"))
    }

    /// Sets a password; with `None`, any password is accepted.
    pub fn set(&self, user: &str, password: Option<&str>) -> io::Result<()> {
        let hash = match password {
            Some(password) => {
                Argon2::default().hash_password(password.as_bytes()).map_err(io::Error::other)?.to_string()
            }
            None => String::new(),
        };
        self.0.set(user, Some(&hash))
    }

    /// Whether this is the password of this user. Takes the same time for every user name.
    pub fn verify(&self, user: &str, password: &str) -> io::Result<bool> {
        let text = self.0.read()?;
        // Empty if any password is accepted.
        let hash = value_of(&text, user);
        if hash == Some("") {
            return Ok(true);
        }
        let parsed = PasswordHash::new(hash.unwrap_or(NOBODY)).map_err(io::Error::other)?;
        let matches = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
        Ok(matches && hash.is_some())
    }
}

/// Whether a client can send this password: a command line also has `PASS`, a space and the line ending.
pub fn can_be_said(password: &str) -> bool {
    !password.is_empty() && password.len() <= pop3::COMMAND - "PASS \r\n".len() && !password.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::fuzz::{self, Target};

    #[test]
    fn fuzz_of_passwords() {
        let target = Target {
            seeds: &[
                "u1:$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$0Lr5RGTCEFbTHBLmNl0eJmS8WmhAAqhGdNZk4O0UrCE\nu10:\n",
                "u10:\r\nu1\n:x\nu1:$argon2id$\n",
            ],
            words: &["\n", ":", "$", "u1", "u10", "=", ",", "4294967296", "m=", "é"],
        };
        fuzz::run(&target, |input| {
            let text = String::from_utf8_lossy(input);
            for user in ["u1", "u10", "u"] {
                let Some(hash) = value_of(&text, user) else { continue };
                let line = format!("{user}:{hash}");
                assert!(text.lines().any(|other| other == line), "it is somebody else's");
                // The empty password is never valid, and an invalid hash is an error.
                let parsed = PasswordHash::new(hash);
                assert!(parsed.is_err() || hash.starts_with('$'), "{hash}");
            }
        });
    }

    #[test]
    fn what_a_client_can_say() {
        assert!(can_be_said("x") && can_be_said("a b ") && can_be_said("größe") && can_be_said(&"x".repeat(248)));
        assert!(!can_be_said("") && !can_be_said("a\tb") && !can_be_said(&"x".repeat(249)));
    }

    #[test]
    fn passwords() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = scratch.path();
        fs::create_dir(root.join(".cmail")).expect("it is empty");
        let passwords = Passwords::of(root);
        let verify = |user, password| passwords.verify(user, password).expect("the file can be read");
        assert!(!verify("u1", "secret"));
        passwords.set("u1", Some("secret")).expect("the file can be written");
        passwords.set("u10", None).expect("the file can be written");
        assert!(verify("u1", "secret") && !verify("u1", "Secret") && !verify("u1", ""));
        assert!(verify("u10", "anything") && !verify("u2", "anything"));
        passwords.set("u1", Some("a b")).expect("the file can be written");
        assert!(verify("u1", "a b") && !verify("u1", "secret"));
        let text = fs::read_to_string(root.join(".cmail/passwords")).expect("the file is there");
        assert!(!text.contains("a b") && text.lines().count() == 2, "{text}");
    }
}
