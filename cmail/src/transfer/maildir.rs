//! Maildir: a file for each message, in `new` until a reader has seen it, then in `cur` with flags in its name.

use std::collections::BTreeSet;
use std::fs::{self, File, hard_link};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Failure, Leaving, at};

/// The files of all messages that are not marked as trash, the older ones first.
pub fn messages(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for part in ["cur", "new"] {
        let directory = path.join(part);
        let entries = fs::read_dir(&directory).map_err(|error| at(&directory, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| at(&directory, &error))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_message = entry.file_type().is_ok_and(|kind| kind.is_file()) && !name.starts_with('.');
            if is_message && !is_trash(&name) {
                files.push((name.into_owned(), entry.path()));
            }
        }
    }
    // Names begin with a time, in seconds.
    let seconds = |name: &str| name.split('.').next().and_then(|digits| digits.parse::<u64>().ok()).unwrap_or(u64::MAX);
    files.sort_by(|(one, _), (other, _)| (seconds(one), one).cmp(&(seconds(other), other)));
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

fn is_trash(name: &str) -> bool {
    name.rsplit_once(":2,").is_some_and(|(_, marks)| marks.contains('T'))
}

/// Adds messages to a directory, which is created if necessary. Returns how many existed already, from an earlier export.
pub fn add(path: &Path, messages: &[Leaving]) -> io::Result<usize> {
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(path.join(part))?;
    }
    let mut known = BTreeSet::new();
    for part in ["new", "cur"] {
        for entry in fs::read_dir(path.join(part))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let name = name.split(":2,").next().unwrap_or_default();
            // The time is that of the export where the message does not tell it.
            known.extend(name.split_once('.').map(|(_, unique)| unique.to_owned()));
        }
    }
    let mut there_already = 0;
    for message in messages {
        let seconds = message.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        // Unique names of this server are never reused.
        let unique = format!("{}.cmail", message.name.replace('.', "_"));
        if known.contains(&unique) {
            there_already += 1;
            continue;
        }
        let name = format!("{seconds}.{unique}");
        let temporary = path.join("tmp").join(&name);
        let mut file = File::create(&temporary)?;
        file.write_all(&message.text)?;
        file.sync_all()?;
        hard_link(&temporary, path.join("new").join(&name))?;
        fs::remove_file(&temporary)?;
    }
    File::open(path.join("new"))?.sync_all()?;
    Ok(there_already)
}
