//! A directory listing that is one step. The kernel holds the directory still during one `getdents64`, and only so long: a listing of
//! several calls can show a file and miss one that was there earlier. So all entries must come with one call, into a buffer that is
//! large enough, and the next call must find nothing more. Otherwise the listing starts over, with a larger buffer.

use std::os::fd::AsFd;

use rustix::fs::{FileType, RawDir, SeekFrom, seek};
use rustix::io::{Errno, Result};

/// The buffer, which is kept.
#[derive(Debug)]
pub struct Listing {
    buffer: Vec<u8>,
}

/// Room for a hundred messages or so; a mailbox with more makes it grow once.
const SMALLEST: usize = 8 << 10;
/// A directory of ten million files: no mailbox of ours.
const LARGEST: usize = 1 << 30;

impl Default for Listing {
    fn default() -> Listing {
        Listing { buffer: Vec::with_capacity(SMALLEST) }
    }
}

/// What one attempt came to.
enum Attempt {
    Whole,
    /// There was more than one call could bring.
    Cut,
}

impl Listing {
    /// The names of the regular files, in no order.
    pub fn names(&mut self, directory: impl AsFd) -> Result<Vec<String>> {
        self.collect(directory, |names: &mut Vec<String>, name| names.push(name.to_owned()))
    }

    /// The names of the regular files, each added to a collection, which starts anew when the listing does.
    pub fn collect<C: Default>(&mut self, directory: impl AsFd, mut add: impl FnMut(&mut C, &str)) -> Result<C> {
        loop {
            let mut collection = C::default();
            seek(&directory, SeekFrom::Start(0))?;
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
                Some(Err(Errno::INTR)) => return Ok(Attempt::Cut),
                Some(entry) => {
                    let entry = entry?;
                    // What is not a regular file is no message; names that are not text are nobody's.
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
            return Err(Errno::NOBUFS);
        }
        self.buffer = Vec::with_capacity(larger);
        Ok(())
    }
}

/// The names of the directories in a directory. Not one step; for what does not change under it.
pub fn directories(directory: impl AsFd) -> Result<Vec<String>> {
    let mut names = Vec::new();
    seek(&directory, SeekFrom::Start(0))?;
    let mut buffer = Vec::with_capacity(SMALLEST);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if entry.file_type() == FileType::Directory
            && let Ok(name) = entry.file_name().to_str()
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
