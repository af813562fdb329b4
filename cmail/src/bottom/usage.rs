//! The size of a mailbox. Messages do not change, so the size of each is read once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use nix::fcntl::AtFlags;
use nix::sys::stat::{SFlag, fstatat};

use super::listing::Listing;
use super::root::{Error, Root};

/// The sizes of messages, as of the last measurement.
#[derive(Debug, Default)]
pub struct Usage(Mutex<HashMap<String, HashMap<String, u64>>>);

impl Usage {
    /// The octets in a mailbox, now. Messages being delivered may or may not be included.
    pub fn measure(&self, root: &Root, user: &str) -> Result<u64, Error> {
        let failed = |errno| Error::at(root.path().join(user).join("mail"), errno);
        let Some(mailbox) = root.mailbox(user)? else { return Ok(0) };
        let names = Listing::default().names(&mailbox.mail).map_err(failed)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.remove(user).unwrap_or_default();
        let mut sizes = HashMap::with_capacity(names.len());
        for name in names {
            let size = match known.get(&name) {
                Some(size) => *size,
                None => match fstatat(&mailbox.mail, &*name, AtFlags::AT_SYMLINK_NOFOLLOW) {
                    Ok(status) if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG => {
                        u64::try_from(status.st_size).unwrap_or(0)
                    }
                    // It is not a message, or it was removed.
                    Ok(_) | Err(nix::errno::Errno::ENOENT) => continue,
                    Err(errno) => return Err(failed(errno)),
                },
            };
            sizes.insert(name, size);
        }
        let total = sizes.values().sum();
        all.insert(user.to_owned(), sizes);
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_there_is_measured() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = Root::init(scratch.path()).expect("it is empty");
        root.add_user("u1").expect("it is a name");
        let usage = Usage::default();
        let measure = |user| usage.measure(&root, user).expect("it can be measured");
        assert_eq!((measure("u1"), measure("nobody")), (0, 0));
        let mail = scratch.path().join("u1/mail");
        for number in 0..300 {
            fs::write(mail.join(format!("1.{number}")), "12345").expect("a message");
        }
        fs::create_dir(mail.join("directory")).expect("no message");
        assert_eq!(measure("u1"), 1500);
        fs::remove_file(mail.join("1.7")).expect("it is there");
        fs::write(mail.join("2.0"), "123").expect("a message");
        assert_eq!(measure("u1"), 1498);
    }
}
