//! Temporary files: created exclusively, written once, linked, and released by the process that created them.
//!
//! If nothing is synced and the kernel supports it, a temporary file gets no name (`O_TMPFILE`): it is created in `tmp`, and its handle is
//! linked into `mail`. No process can distinguish it from a file whose name carries the number of its creator: no process has another's
//! number, so no other process creates a file of this name; no process lists `tmp`; and the name is removed when the creator releases the
//! file. If the creator dies, nothing is left behind; since no process reads `tmp`, this is equivalent to the file still being there.
//!
//! If mail is synced, temporary files have names. A file without a name is on disk as one that has no links, and syncing the
//! directory that it is linked into need not change that (on ext4 without a journal it does not): after a power failure the file system
//! check would remove a message that was acknowledged. The file would have to be synced a second time.

use std::os::fd::{AsRawFd, OwnedFd};

use cspec::Pid;
use nix::Result;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::Mode;
use nix::sys::uio::pwrite;
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use super::calls::retry_on_intr;
use super::root::{Mailbox, Root};
use super::sync::Syncs;
use crate::layers::Dir;

/// A temporary file that this process has created and not yet released.
#[derive(Debug)]
pub(super) struct Temporary {
    user: String,
    name: String,
    handle: OwnedFd,
    /// Whether it has been written or linked, and must not be written again.
    sealed: bool,
    /// How it is linked, if it has no name.
    nameless: Option<LinkBy>,
}

/// How a file without a name is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkBy {
    /// By its handle. Kernels before 6.10 require a privilege for that.
    Handle,
    /// By the path of its handle in `/proc`, where that is mounted.
    Proc,
}

impl LinkBy {
    /// The way that works at this root, if any: it tries to link to a name that exists, and checks that the kernel reports that.
    pub(crate) fn find(root: &Root) -> Option<LinkBy> {
        let file = open_nameless(root.own()).ok()?;
        [LinkBy::Handle, LinkBy::Proc].into_iter().find(|by| by.link(&file, root.own(), "living") == Err(Errno::EEXIST))
    }

    fn link(self, file: &OwnedFd, directory: &OwnedFd, name: &str) -> Result<()> {
        match self {
            LinkBy::Handle => linkat(file, "", directory, name, AtFlags::AT_EMPTY_PATH),
            LinkBy::Proc => {
                let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                linkat(AT_FDCWD, &*path, directory, name, AtFlags::AT_SYMLINK_FOLLOW)
            }
        }
    }
}

/// Read-only for later openers: a delivered message does not change.
const MODE: Mode = Mode::S_IRUSR;

fn open_nameless(directory: &OwnedFd) -> Result<OwnedFd> {
    openat(directory, ".", OFlag::O_WRONLY | OFlag::O_TMPFILE | OFlag::O_CLOEXEC, MODE)
}

fn open_named(directory: &OwnedFd, name: &str) -> Result<OwnedFd> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(directory, name, flags, MODE)
}

impl Temporary {
    /// Creates a file for this process. With `nameless` it gets no name if no other process can create one of this name.
    pub fn create(mailbox: &Mailbox, user: &str, name: &str, me: Pid, nameless: Option<LinkBy>) -> Result<Temporary> {
        let nameless = nameless.filter(|_| carries(name, me));
        let (handle, nameless) = match nameless.map(|_| open_nameless(&mailbox.tmp)) {
            // This mailbox is on another file system than the root, one that does not support this.
            Some(Err(Errno::EOPNOTSUPP)) | None => (open_named(&mailbox.tmp, name)?, None),
            Some(handle) => (handle?, nameless),
        };
        Ok(Temporary { user: user.to_owned(), name: name.to_owned(), handle, sealed: false, nameless })
    }

    /// Whether it is the file with this name.
    pub fn is(&self, user: &str, dir: Dir, name: &str) -> bool {
        dir == Dir::Tmp && self.user == user && self.name == name
    }

    /// Writes the contents; only once for each file.
    pub fn write(&mut self, contents: &[u8], syncs: Option<&Syncs>) -> Result<()> {
        if std::mem::replace(&mut self.sealed, true) {
            return Err(Errno::EBADF);
        }
        write_all(&self.handle, contents)?;
        syncs.map_or(Ok(()), |syncs| syncs.fsync(&self.handle))
    }

    /// Links it into the mailbox. It is not written afterwards.
    pub fn link(&mut self, mailbox: &Mailbox, to: &str) -> Result<()> {
        match self.nameless {
            Some(by) => by.link(&self.handle, &mailbox.mail, to)?,
            None => linkat(&mailbox.tmp, &*self.name, &mailbox.mail, to, AtFlags::empty())?,
        }
        self.sealed = true;
        Ok(())
    }

    /// Removes its temporary name. A file without a name disappears when the handle is closed.
    pub fn unlink(self, mailbox: &Mailbox) -> Result<()> {
        match self.nameless {
            Some(_) => Ok(()),
            None => unlinkat(&mailbox.tmp, &*self.name, UnlinkatFlags::NoRemoveDir),
        }
    }
}

/// Whether a name carries the number of this process.
fn carries(name: &str, me: Pid) -> bool {
    name.split_once('.').is_some_and(|(pid, _)| pid.parse() == Ok(me))
}

fn write_all(file: &OwnedFd, contents: &[u8]) -> Result<()> {
    let mut written = 0;
    while written < contents.len() {
        let offset = i64::try_from(written).map_err(|_| Errno::EFBIG)?;
        match retry_on_intr(|| pwrite(file, &contents[written..], offset))? {
            0 => return Err(Errno::ENOSPC),
            octets => written += octets,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{self, Write};

    use tempfile::TempDir;

    use super::*;

    const ME: Pid = Pid(1 << 32);

    /// A root in memory with a mailbox, removed when the value is dropped.
    struct Scratch(TempDir, Root);

    impl Scratch {
        fn new() -> Scratch {
            let directory = tempfile::tempdir_in("/dev/shm").expect("a scratch directory");
            let root = Root::init(directory.path()).expect("a root");
            root.add_user("u").expect("a mailbox");
            Scratch(directory, root)
        }

        fn mailbox(&self) -> Mailbox {
            self.1.mailbox("u").expect("no error").expect("it is there")
        }

        fn names(&self, dir: &str) -> Vec<String> {
            let entries = fs::read_dir(self.0.path().join("u").join(dir)).expect("the mailbox is there");
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
        }
    }

    /// With a name or without, and however it is linked, the result is the same file.
    #[test]
    fn every_way_to_link() {
        for nameless in [None, Some(LinkBy::Handle), Some(LinkBy::Proc)] {
            let scratch = Scratch::new();
            if nameless == Some(LinkBy::Handle) && LinkBy::find(&scratch.1) != nameless {
                let _ = writeln!(io::stderr(), "SKIPPED: this kernel does not link handles without a privilege");
                continue;
            }
            let mailbox = scratch.mailbox();
            let mut file = Temporary::create(&mailbox, "u", "4294967296.0", ME, nameless).expect("a file");
            assert_eq!(scratch.names("tmp").len(), usize::from(nameless.is_none()), "{nameless:?}");
            file.write(b"text", None).expect("it is written");
            assert_eq!(file.write(b"else", None), Err(Errno::EBADF), "{nameless:?}: it is written once");
            file.link(&mailbox, "1").expect("it is linked");
            assert_eq!(file.link(&mailbox, "1"), Err(Errno::EEXIST), "{nameless:?}: a name that is taken stays");
            file.unlink(&mailbox).expect("it goes");
            assert!(scratch.names("tmp").is_empty(), "{nameless:?}");
            assert_eq!(fs::read(scratch.0.path().join("u/mail/1")).expect("the message"), b"text", "{nameless:?}");
        }
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let scratch = Scratch::new();
        let mailbox = scratch.mailbox();
        let mut file = Temporary::create(&mailbox, "u", "4294967296.0", ME, LinkBy::find(&scratch.1)).expect("a file");
        file.write(b"text", None).expect("it is written");
        file.unlink(&mailbox).expect("it goes");
        assert!(scratch.names("tmp").is_empty() && scratch.names("mail").is_empty());
    }

    /// Other processes may use a name that does not carry the number of its creator, so such a file gets a name on disk.
    #[test]
    fn only_ones_own_name_needs_no_file() {
        let scratch = Scratch::new();
        let mailbox = scratch.mailbox();
        for name in ["a", "4294967297.0"] {
            let create = || Temporary::create(&mailbox, "u", name, ME, LinkBy::find(&scratch.1)).map(|_| ());
            assert_eq!(create(), Ok(()), "{name}");
            assert_eq!(create(), Err(Errno::EEXIST), "{name}");
        }
    }
}
