//! The size limits of mailboxes: one limit for all in the settings, and others for single mailboxes in `.cmail/quotas`.

use std::io;
use std::path::Path;

use super::table::{Table, value_of};

/// The limits of a root.
#[derive(Clone, Debug)]
pub struct Quotas {
    table: Table,
    usual: u64,
}

impl Quotas {
    /// The limits of this root. `usual` is the limit of mailboxes without their own, in octets; 0 for no limit.
    pub fn of(root: &Path, usual: u64) -> Quotas {
        Quotas { table: Table::of(root, "quotas"), usual }
    }

    /// The limit of a mailbox in octets, if it has one.
    pub fn limit(&self, user: &str) -> io::Result<Option<u64>> {
        let text = self.table.read()?;
        let limit = match value_of(&text, user) {
            Some(own) => {
                own.trim().parse().map_err(|_| io::Error::other(format!("the quota of {user} is not a number")))?
            }
            None => self.usual,
        };
        Ok((limit > 0).then_some(limit))
    }

    /// Sets the limit of a mailbox, 0 for no limit; `None` restores the usual limit.
    pub fn set(&self, user: &str, octets: Option<u64>) -> io::Result<()> {
        self.table.set(user, octets.map(|octets| octets.to_string()).as_deref())
    }
}

/// Parses a size: `500000`, `20K`, `100M`, `2G`; `none` is 0.
pub fn octets(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "expected a number of octets, such as 500000, 20K, 100M or 2G; or none";
    if text.eq_ignore_ascii_case("none") {
        return Ok(0);
    }
    let (digits, shift) = match text.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&text[..text.len() - 1], 10),
        Some(b'M') => (&text[..text.len() - 1], 20),
        Some(b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| WRONG)?;
    number.checked_mul(1 << shift).ok_or(WRONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        std::fs::create_dir(scratch.path().join(".cmail")).expect("it is empty");
        let quotas = Quotas::of(scratch.path(), 100);
        let limit = |user| quotas.limit(user).expect("the file can be read");
        assert_eq!(limit("u1"), Some(100));
        quotas.set("u1", Some(7)).expect("the file can be written");
        quotas.set("u10", Some(0)).expect("the file can be written");
        assert_eq!((limit("u1"), limit("u10"), limit("u2")), (Some(7), None, Some(100)));
        quotas.set("u1", None).expect("the file can be written");
        assert_eq!((limit("u1"), limit("u10")), (Some(100), None));
        std::fs::write(scratch.path().join(".cmail/quotas"), "u1:much\n").expect("it is writable");
        assert!(quotas.limit("u1").is_err());
    }

    #[test]
    fn how_octets_are_written() {
        assert_eq!(octets("500"), Ok(500));
        assert_eq!(octets("20k"), Ok(20 << 10));
        assert_eq!(octets("2G"), Ok(2 << 30));
        assert_eq!(octets("none"), Ok(0));
        for wrong in ["", "M", "-1", "1.5G", "1T", "99999999999G", "ü"] {
            assert!(octets(wrong).is_err(), "{wrong}");
        }
    }
}
