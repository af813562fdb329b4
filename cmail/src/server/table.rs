//! Small files with one line per user, `name:value`. A file is replaced as a whole, so a reader sees the old one or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::FlockArg;

use crate::bottom::{flock, retry_on_intr};

/// A file below `.cmail`.
#[derive(Clone, Debug)]
pub struct Table {
    directory: PathBuf,
    name: &'static str,
}

impl Table {
    /// The file of this name.
    pub fn of(root: &Path, name: &'static str) -> Table {
        Table { directory: root.join(".cmail"), name }
    }

    /// Sets the value of a user, durably; `None` removes the line.
    pub fn set(&self, user: &str, value: Option<&str>) -> io::Result<()> {
        let mut private = File::options();
        private.write(true).create(true).mode(0o600);
        let lock = private.clone().truncate(false).open(self.directory.join(format!("{}.lock", self.name)))?;
        retry_on_intr(|| flock(&lock, FlockArg::LockExclusive))?;
        let text = self.read()?;
        let mut lines: Vec<String> = text.lines().filter(|line| !is_of(line, user)).map(str::to_owned).collect();
        lines.extend(value.map(|value| format!("{user}:{value}")));
        let new = self.directory.join(format!("{}.new", self.name));
        let mut file = private.truncate(true).open(&new)?;
        file.write_all((lines.join("\n") + "\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, self.directory.join(self.name))?;
        File::open(&self.directory)?.sync_all()
    }

    /// The whole text; empty if there is no file.
    pub fn read(&self) -> io::Result<String> {
        match fs::read_to_string(self.directory.join(self.name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read,
        }
    }
}

/// The value of a user in the text of a table.
pub fn value_of<'a>(text: &'a str, user: &str) -> Option<&'a str> {
    text.lines().find(|line| is_of(line, user)).map(|line| &line[user.len() + 1..])
}

fn is_of(line: &str, user: &str) -> bool {
    line.strip_prefix(user).is_some_and(|rest| rest.starts_with(':'))
}
