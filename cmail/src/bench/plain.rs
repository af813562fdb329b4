//! The store routines of a mail server written directly with `std::fs`, with apparently the same guarantees: exclusive
//! temporary files, `link`, a lock for reading and deleting. The checked stack is compared with them; nothing else uses them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The store of one process.
pub struct Plain {
    root: PathBuf,
    process: u32,
    count: u64,
}

impl Plain {
    /// The store in this root.
    pub fn new(root: &Path) -> Plain {
        Plain { root: root.to_owned(), process: std::process::id(), count: 0 }
    }

    /// Delivers a message to a user who exists.
    pub fn deliver(&mut self, user: &str, message: &[u8]) -> io::Result<()> {
        let user = self.existing(user)?;
        let tmp = user.join("tmp").join(format!("{}.0", self.process));
        let mut file = File::create_new(&tmp)?;
        file.write_all(message)?;
        drop(file);
        loop {
            self.count += 1;
            match fs::hard_link(&tmp, user.join("mail").join(format!("{}.{}", self.process, self.count))) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    fs::remove_file(&tmp)?;
                    return Err(error);
                }
            }
        }
        fs::remove_file(&tmp)
    }

    /// All messages of a user, with their names.
    pub fn pickup(&self, user: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mail = self.existing(user)?.join("mail");
        let lock = File::open(&mail)?;
        lock.lock()?;
        let mut messages = Vec::new();
        for entry in fs::read_dir(&mail)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                messages.push((name, fs::read(entry.path())?));
            }
        }
        lock.unlock()?;
        Ok(messages)
    }

    /// Deletes a message; it must exist.
    pub fn delete(&self, user: &str, name: &str) -> io::Result<()> {
        let mail = self.root.join(user).join("mail");
        let lock = File::open(&mail)?;
        lock.lock()?;
        match fs::remove_file(mail.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        lock.unlock()
    }

    fn existing(&self, user: &str) -> io::Result<PathBuf> {
        let path = self.root.join(user);
        match path.is_dir() {
            true => Ok(path),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
