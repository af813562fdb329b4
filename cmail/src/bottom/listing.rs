//! A directory listing in one step. The kernel keeps the directory unchanged during one `getdents64`, but no longer: a listing of
//! several calls can show a file and miss one that was there earlier. So all entries must come with one call, into a large enough
//! buffer, and the next call must find nothing more. Otherwise the listing starts over with a larger buffer.

use std::os::fd::AsFd;

use nix::Result;
use nix::errno::Errno;
use nix::unistd::{Whence, lseek};
use rustix::fs::{FileType, RawDir};

/// The buffer, which is reused.
#[derive(Debug)]
pub struct Listing {
    buffer: Vec<u8>,
}

/// Room for about a hundred messages; a larger mailbox makes it grow once.
const SMALLEST: usize = 8 << 10;
/// Enough for ten million files, more than any mailbox has.
const LARGEST: usize = 1 << 30;

impl Default for Listing {
    fn default() -> Listing {
        Listing { buffer: Vec::with_capacity(SMALLEST) }
    }
}

/// The result of one attempt.
enum Attempt {
    Whole,
    /// One call could not return everything.
    Cut,
}

impl Listing {
    /// The names of the regular files, in no order.
    pub fn names(&mut self, directory: impl AsFd) -> Result<Vec<String>> {
        self.collect(directory, |names: &mut Vec<String>, name| names.push(name.to_owned()))
    }

    /// The names of the regular files, each added to a collection, which is cleared when the listing starts over.
    pub fn collect<C: Default>(&mut self, directory: impl AsFd, mut add: impl FnMut(&mut C, &str)) -> Result<C> {
        loop {
            let mut collection = C::default();
            lseek(&directory, 0, Whence::SeekSet)?;
            match self.attempt(&directory, |name| add(&mut collection, name))? {
                Attempt::Whole => return Ok(collection),
                Attempt::Cut => self.grow()?,
            }
        }
    }

    fn attempt(&mut self, directory: impl AsFd, mut show: impl FnMut(&str)) -> Result<Attempt> {
        let mut entries = RawDir::new(directory, self.buffer.spare_capacity_mut());
        let mut calls = 0;
        loop {
            calls += usize::from(entries.is_buffer_empty());
            match entries.next() {
                None => return Ok(Attempt::Whole),
                Some(_) if calls > 1 => return Ok(Attempt::Cut),
                Some(Err(rustix::io::Errno::INTR)) => return Ok(Attempt::Cut),
                Some(entry) => {
                    let entry = entry.map_err(errno)?;
                    // Anything but a regular file is not a message; names that are not UTF-8 are ignored.
                    if matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown)
                        && let Ok(name) = entry.file_name().to_str()
                    {
                        show(name);
                    }
                }
            }
        }
    }

    fn grow(&mut self) -> Result<()> {
        let larger = self.buffer.capacity() * 4;
        if larger > LARGEST {
            return Err(Errno::ENOBUFS);
        }
        self.buffer = Vec::with_capacity(larger);
        Ok(())
    }
}

/// The error in the type of the other calls.
fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_raw(error.raw_os_error())
}

/// The names of the directories in a directory. Not in one step; use it only where nothing changes.
pub fn directories(directory: impl AsFd) -> Result<Vec<String>> {
    let mut names = Vec::new();
    lseek(&directory, 0, Whence::SeekSet)?;
    let mut buffer = Vec::with_capacity(SMALLEST);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(errno)?;
        if entry.file_type() == FileType::Directory
            && let Ok(name) = entry.file_name().to_str()
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use nix::sys::statfs::{EXT4_SUPER_MAGIC, statfs};
    use tempfile::TempDir;

    use super::*;

    /// A directory with files `0` to `count - 1`, removed when the value is dropped.
    fn scratch(parent: &Path, count: usize) -> TempDir {
        let scratch = tempfile::tempdir_in(parent).expect("a scratch directory");
        for number in 0..count {
            File::create(scratch.path().join(number.to_string())).expect("a file");
        }
        scratch
    }

    /// Lists while files with rising numbers arrive; returns how many listings showed a file without an earlier one.
    fn not_snapshots(
        parent: &Path,
        count: usize,
        listings: usize,
        mut list: impl FnMut(&File, &Path) -> Vec<String>,
    ) -> usize {
        let scratch = scratch(parent, count);
        let directory = File::open(scratch.path()).expect("the directory");
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let link =
                    |number: usize| fs::hard_link(scratch.path().join("0"), scratch.path().join(number.to_string()));
                // At most as many again, so that the directory keeps its size.
                (count..2 * count.max(500))
                    .take_while(|number| !stop.load(Ordering::Relaxed) && link(*number).is_ok())
                    .count()
            });
            let broken = (0..listings)
                .filter(|_| {
                    let names = list(&directory, scratch.path());
                    let most = names.iter().filter_map(|name| name.parse::<usize>().ok()).max().expect("a file");
                    names.len() != most + 1
                })
                .count();
            stop.store(true, Ordering::Relaxed);
            broken
        })
    }

    /// `CMAIL_LISTINGS` says how many listings there are of each size; sizes and file systems are those where `readdir` fails.
    #[test]
    fn a_listing_is_one_step() {
        let listings = std::env::var("CMAIL_LISTINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
        let mut listing = Listing::default();
        let mut list = |directory: &File, _: &Path| listing.names(directory).expect("a listing");
        for parent in [std::env::temp_dir(), PathBuf::from("/dev/shm")] {
            for count in [100, 1000, 20_000] {
                assert_eq!(
                    not_snapshots(&parent, count, listings, &mut list),
                    0,
                    "{} with {count} files",
                    parent.display()
                );
            }
        }
    }

    /// Shows that the experiment can fail: listings of the standard library fail it, if a directory is ordered by hashes.
    #[test]
    fn a_listing_of_many_calls_is_not_one_step() {
        let parent = std::env::temp_dir();
        let ext4 = statfs(&parent).is_ok_and(|status| status.filesystem_type() == EXT4_SUPER_MAGIC);
        if !ext4 {
            let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not on ext4", parent.display());
            return;
        }
        let name =
            |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name().into_string().expect("text");
        let list = |_: &File, path: &Path| fs::read_dir(path).expect("a listing").map(name).collect();
        assert!((0..20).any(|_| not_snapshots(&parent, 5000, 100, list) > 0));
    }

    /// The buffer grows until one call brings everything.
    #[test]
    fn large_directories() {
        let scratch = scratch(&std::env::temp_dir(), 3000);
        let directory = File::open(scratch.path()).expect("the directory");
        let mut listing = Listing::default();
        for _ in 0..2 {
            assert_eq!(listing.names(&directory).expect("a listing").len(), 3000);
        }
        assert!(listing.buffer.capacity() > SMALLEST);
    }
}
