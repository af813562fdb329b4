//! The file system as one process uses it: files by user, directory and name. Directory handles are kept open, a file is named by one
//! component below them, and there are no unnecessary calls.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use cspec::{Pid, Set};
use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{UnlinkatFlags, read, unlinkat};
use rustc_hash::FxHashMap;
use tracing::warn;

use super::calls::{flock, retry_on_intr};
use super::incarnation::Incarnations;
use super::listing::Listing;
use super::root::{Error, Mailbox, Root};
use super::sync::Syncs;
use super::temporary::{LinkBy, Temporary};
use crate::layers::{Dir, Linked, decode};

/// One process, with its open files.
#[derive(Debug)]
pub(crate) struct Disk {
    root: Arc<Root>,
    incarnations: Arc<Incarnations>,
    me: Pid,
    mailboxes: FxHashMap<String, Mailbox>,
    /// The temporary file that was created and is not yet unlinked.
    open: Option<Temporary>,
    locked: Option<String>,
    listing: Listing,
    random: fastrand::Rng,
    durability: Durability,
    /// Mailboxes that changed and may not be on disk.
    unsynced: Vec<String>,
}

/// When changes must survive a power failure.
#[derive(Clone, Debug)]
pub(crate) enum Durability {
    /// Before they are acknowledged.
    Synced(Arc<Syncs>),
    /// Never: for file systems in memory, and for tests. Temporary files have no names if the kernel can link files without one.
    Unsynced(Option<LinkBy>),
}

impl Durability {
    /// Nothing is synced at this root.
    pub(crate) fn unsynced(root: &Root) -> Durability {
        Durability::Unsynced(LinkBy::find(root))
    }
}

/// The process could not continue, since its operation cannot fail. It has stopped, and holds no lock.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub operation: &'static str,
    pub why: String,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.why)
    }
}

/// The maximum number of mailboxes whose handles a process keeps open.
const KEPT: usize = 128;

impl Disk {
    /// Creates a new process.
    pub(crate) fn new(root: Arc<Root>, incarnations: Arc<Incarnations>, durability: Durability) -> Disk {
        Disk {
            me: incarnations.next(),
            root,
            incarnations,
            mailboxes: FxHashMap::default(),
            open: None,
            locked: None,
            listing: Listing::default(),
            random: fastrand::Rng::new(),
            durability,
            unsynced: Vec::new(),
        }
    }

    /// Ends the process, and starts the next one with its open handles.
    pub(super) fn next_incarnation(&mut self) {
        self.open = None;
        self.unsynced.clear();
        if let Some(user) = self.locked.take() {
            // Closing the handle releases the lock.
            self.mailboxes.remove(&user);
        }
        self.me = self.incarnations.next();
    }

    /// Returns when all changes of this process are on disk.
    pub(super) fn settle(&mut self) {
        let Durability::Synced(syncs) = &self.durability else { return };
        for user in std::mem::take(&mut self.unsynced) {
            match keep(&mut self.mailboxes, &self.root, &user) {
                Ok(Some(mailbox)) => match syncs.sync(&user, &mailbox.mail) {
                    Ok(()) => {}
                    Err(errno) => stop("sync", errno),
                },
                Ok(None) => stop("sync", "the mailbox is gone"),
                Err(error) => stop("sync", error),
            }
        }
    }

    pub(super) fn pid(&self) -> Pid {
        self.me
    }

    pub(super) fn random(&mut self) -> u64 {
        // Names stay short; they are not guaranteed to be free.
        u64::from(self.random.u32(..))
    }

    pub(super) fn exists(&mut self, user: &str) -> bool {
        match keep(&mut self.mailboxes, &self.root, user) {
            Ok(mailbox) => mailbox.is_some(),
            Err(error) => stop("exists", error),
        }
    }

    /// Creates and opens a temporary file. A process has one at a time.
    pub(super) fn create(&mut self, user: &str, dir: Dir, name: &str) -> bool {
        if dir != Dir::Tmp || self.open.is_some() {
            return failed("create", user, name, Errno::EPERM);
        }
        let (me, nameless) = (self.me, self.nameless());
        let file = self.in_mailbox(user, name, |mailbox| Temporary::create(mailbox, user, name, me, nameless));
        match file {
            Ok(file) => {
                self.open = Some(file);
                true
            }
            Err(errno) => failed("create", user, name, errno),
        }
    }

    /// Writes the open file, once.
    pub(super) fn write(&mut self, user: &str, dir: Dir, name: &str, contents: &[u8]) -> bool {
        let syncs = match &self.durability {
            Durability::Synced(syncs) => Some(&**syncs),
            Durability::Unsynced(_) => None,
        };
        let open = self.open.as_mut().filter(|it| it.is(user, dir, name));
        match open.map_or(Err(Errno::EBADF), |file| file.write(contents, syncs)) {
            Ok(()) => true,
            Err(errno) => failed("write", user, name, errno),
        }
    }

    /// Links the open file under another name. It is not written afterwards.
    pub(super) fn link(&mut self, user: &str, from: (Dir, &str), to: (Dir, &str)) -> Linked {
        let open = self.open.as_mut().filter(|it| it.is(user, from.0, from.1) && to.0 == Dir::Mail);
        let linked = match (open, keep(&mut self.mailboxes, &self.root, user)) {
            (None, _) => Err(Errno::EBADF),
            (Some(file), Ok(Some(mailbox))) if is_component(to.1) => file.link(mailbox, to.1),
            (Some(_), Ok(_)) => Err(Errno::ENOENT),
            (Some(_), Err(error)) => stop("link", error),
        };
        match linked {
            Ok(()) => {
                self.changed(user, to.0);
                Linked::Done
            }
            Err(Errno::EEXIST) => Linked::Taken,
            Err(errno) => {
                failed("link", user, to.1, errno);
                Linked::Failed
            }
        }
    }

    /// Removes a message, or the open temporary file. Temporary files of other processes are left alone.
    pub(super) fn unlink(&mut self, user: &str, dir: Dir, name: &str) {
        match dir {
            Dir::Tmp => {
                let Some(file) = self.open.take_if(|it| it.is(user, dir, name)) else { return };
                // Nobody reads it, and no other process has this name: the next start removes it.
                if let Err(errno) = self.in_mailbox(user, name, |mailbox| file.unlink(mailbox)) {
                    failed("unlink", user, name, errno);
                }
            }
            Dir::Mail => {
                let remove = |mailbox: &Mailbox| unlinkat(&mailbox.mail, name, UnlinkatFlags::NoRemoveDir);
                match self.in_mailbox(user, name, remove) {
                    Ok(()) => self.changed(user, dir),
                    Err(Errno::ENOENT) => {}
                    Err(errno) => stop("unlink", errno),
                }
            }
        }
    }

    pub(super) fn list(&mut self, user: &str, dir: Dir) -> Set<String> {
        let mailbox = match keep(&mut self.mailboxes, &self.root, user) {
            Ok(Some(mailbox)) => mailbox,
            Ok(None) => stop("list", "there is no such mailbox"),
            Err(error) => stop("list", error),
        };
        let add = |names: &mut Set<String>, name: &str| {
            names.insert(name.to_owned());
        };
        match dir {
            Dir::Mail => self.listing.collect(&mailbox.mail, add).unwrap_or_else(|errno| stop("list", errno)),
            Dir::Tmp => stop("list", "temporary files belong to no mailbox"),
        }
    }

    pub(super) fn read(&mut self, user: &str, dir: Dir, name: &str) -> Option<Vec<u8>> {
        if dir == Dir::Tmp && decode(name).is_some() {
            stop("read", "temporary files of processes belong to no mailbox");
        }
        // A pipe in the mailbox must not block.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let read = |mailbox: &Mailbox| read_file(openat(mailbox.directory(dir), name, flags, Mode::empty())?);
        match self.in_mailbox(user, name, read) {
            Ok(contents) => contents,
            Err(Errno::ENOENT | Errno::ELOOP | Errno::ENXIO) => None,
            Err(errno) => stop("read", errno),
        }
    }

    pub(super) fn lock(&mut self, user: &str) {
        match keep(&mut self.mailboxes, &self.root, user) {
            Ok(Some(mailbox)) => match retry_on_intr(|| flock(&mailbox.mail, FlockArg::LockExclusive)) {
                Ok(()) => self.locked = Some(user.to_owned()),
                Err(errno) => stop("lock", errno),
            },
            Ok(None) => stop("lock", "there is no such mailbox"),
            Err(error) => stop("lock", error),
        }
    }

    pub(super) fn unlock(&mut self, user: &str) {
        if self.locked.as_deref() != Some(user) {
            return;
        }
        self.locked = None;
        if let Some(mailbox) = self.mailboxes.get(user)
            && flock(&mailbox.mail, FlockArg::Unlock).is_err()
        {
            // Closing the handle releases the lock.
            self.mailboxes.remove(user);
        }
    }

    /// A call on a mailbox, with a name that is one component of a path.
    fn in_mailbox<T>(
        &mut self,
        user: &str,
        name: &str,
        call: impl FnOnce(&Mailbox) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        if !is_component(name) {
            return Err(Errno::ENOENT);
        }
        match keep(&mut self.mailboxes, &self.root, user) {
            Ok(Some(mailbox)) => call(mailbox),
            Ok(None) => Err(Errno::ENOENT),
            Err(Error::System { errno, .. }) => Err(errno),
            Err(_) => Err(Errno::ENOENT),
        }
    }

    fn is_synced(&self) -> bool {
        matches!(self.durability, Durability::Synced(_))
    }

    fn nameless(&self) -> Option<LinkBy> {
        match self.durability {
            Durability::Synced(_) => None,
            Durability::Unsynced(nameless) => nameless,
        }
    }

    fn changed(&mut self, user: &str, dir: Dir) {
        if dir == Dir::Mail && self.is_synced() && !self.unsynced.iter().any(|changed| changed == user) {
            self.unsynced.push(user.to_owned());
        }
    }
}

impl Mailbox {
    fn directory(&self, dir: Dir) -> &OwnedFd {
        match dir {
            Dir::Tmp => &self.tmp,
            Dir::Mail => &self.mail,
        }
    }
}

/// The handles of a mailbox, opened if they are not open already.
fn keep<'a>(kept: &'a mut FxHashMap<String, Mailbox>, root: &Root, user: &str) -> Result<Option<&'a Mailbox>, Error> {
    if !kept.contains_key(user) {
        let Some(mailbox) = root.mailbox(user)? else { return Ok(None) };
        if kept.len() >= KEPT {
            // Before switching to another mailbox nothing is locked or unsynced; otherwise closing the handle would release the lock.
            kept.clear();
        }
        kept.insert(user.to_owned(), mailbox);
    }
    Ok(kept.get(user))
}

fn is_component(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && name.len() <= 255 && !name.contains(['/', '\0'])
}

/// The contents of a regular file; `None` for anything else.
fn read_file(file: OwnedFd) -> Result<Option<Vec<u8>>, Errno> {
    let status = fstat(&file)?;
    if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Ok(None);
    }
    let size = usize::try_from(status.st_size).map_err(|_| Errno::EFBIG)?;
    let mut contents = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match retry_on_intr(|| read(&file, &mut contents[filled..]))? {
            0 => break,
            octets => filled += octets,
        }
    }
    contents.truncate(filled);
    Ok(Some(contents))
}

/// A failure that the operation reports.
fn failed(operation: &'static str, user: &str, name: &str, errno: Errno) -> bool {
    warn!(operation, user, name, %errno, "failed");
    false
}

/// A failure that the operation cannot report.
fn stop(operation: &'static str, why: impl fmt::Display) -> ! {
    std::panic::resume_unwind(Box::new(Stopped { operation, why: why.to_string() }))
}
