//! The directory tree: creates it, finds mailboxes in it, and holds the server's own directory. It opens directories, never messages.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, FlockArg, OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::fsync;

use super::calls::flock;
use super::listing::directories;
use crate::server::names;

/// The directory tree of one server.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    directory: OwnedFd,
    own: OwnedFd,
}

/// The two directories of a mailbox.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// The handle of `tmp`, used for paths only.
    pub tmp: OwnedFd,
    /// For paths, listing, locking and syncing.
    pub mail: OwnedFd,
}

/// Held while a session has a mailbox open. Deliveries and the layers ignore it.
#[derive(Debug)]
pub struct SessionLock(#[expect(dead_code, reason = "the lock goes with the handle")] OwnedFd);

/// Why the tree cannot be used.
#[derive(Debug)]
pub enum Error {
    /// A system call on the tree failed.
    System {
        /// The path of the call.
        path: PathBuf,
        /// The error of the call.
        errno: Errno,
    },
    /// There is no such directory.
    Missing(PathBuf),
    /// There is no tree here.
    NotARoot(PathBuf),
    /// The counter of epochs cannot be read.
    Epoch,
    /// Not a valid mailbox name.
    Name(String),
    /// No thread can be started.
    Thread(std::io::Error),
}

impl Error {
    pub(super) fn at(path: impl Into<PathBuf>, errno: Errno) -> Error {
        Error::System { path: path.into(), errno }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::System { path, errno } => write!(f, "{}: {}", path.display(), errno.desc()),
            Error::Missing(path) => {
                write!(f, "there is no directory {}; `cmail init --root {0}` creates a mail root there", path.display())
            }
            Error::NotARoot(path) => write!(
                f,
                "{} is not a mail root: it has no `.cmail`; `cmail init --root {0}` creates it",
                path.display()
            ),
            Error::Epoch => write!(
                f,
                ".cmail/epoch is damaged; write a number into it that is greater than all in `.cmail/living`, and greater than the first \
                 number of every message's name divided by 2^32"
            ),
            Error::Thread(error) => write!(f, "a thread of the store cannot be started: {error}"),
            Error::Name(name) => write!(
                f,
                "{name:?} is not a valid mailbox name: a name has up to 64 lower-case letters, digits, dots, hyphens and underscores, \
                 and starts with a letter or a digit"
            ),
        }
    }
}

impl std::error::Error for Error {}

/// Only the owner can read mail.
pub(super) const PRIVATE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);
const PRIVATE_DIRECTORY: Mode = Mode::S_IRWXU;
const DIRECTORY: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// A new file in a directory.
pub(super) fn create_file(directory: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(directory, name, flags, PRIVATE)
}

impl Root {
    /// Creates a tree without mailboxes, and its root if necessary. Existing parts stay unchanged.
    pub fn init(path: &Path) -> Result<Root, Error> {
        make_path(path)?;
        let directory = open_root(path)?;
        make_directory(&directory, OWN).map_err(|errno| Error::at(path.join(OWN), errno))?;
        let root = Root::open(path)?;
        make_directory(&root.own, "living").map_err(|errno| Error::at(path.join(OWN).join("living"), errno))?;
        Ok(root)
    }

    /// Opens an existing tree.
    pub fn open(path: &Path) -> Result<Root, Error> {
        let directory = open_root(path)?;
        match openat(&directory, OWN, OFlag::O_RDONLY | DIRECTORY, Mode::empty()) {
            Ok(own) => Ok(Root { path: path.to_owned(), directory, own }),
            Err(Errno::ENOENT) => Err(Error::NotARoot(path.to_owned())),
            Err(errno) => Err(Error::at(path.join(OWN), errno)),
        }
    }

    /// The path of the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a mailbox. Returns whether it is new.
    pub fn add_user(&self, user: &str) -> Result<bool, Error> {
        if !names::is_user(user) {
            return Err(Error::Name(user.to_owned()));
        }
        let failed = |errno| Error::at(self.path.join(user), errno);
        let is_new = make_directory(&self.directory, user).map_err(failed)?;
        let mailbox = openat(&self.directory, user, OFlag::O_RDONLY | DIRECTORY, Mode::empty()).map_err(failed)?;
        for name in ["tmp", "mail"] {
            make_directory(&mailbox, name).map_err(failed)?;
        }
        Ok(is_new)
    }

    /// The names of all mailboxes.
    pub fn users(&self) -> Result<Vec<String>, Error> {
        let names = directories(&self.directory).map_err(|errno| Error::at(&self.path, errno))?;
        Ok(names.into_iter().filter(|name| names::is_user(name)).collect())
    }

    /// Whether there is a mailbox of this name.
    pub fn has_user(&self, user: &str) -> bool {
        matches!(self.mailbox(user), Ok(Some(_)))
    }

    /// Locks a mailbox for a session, unless another session has it. The lock ends when the value is dropped, or the process ends.
    pub fn session(&self, user: &str) -> Result<Option<SessionLock>, Error> {
        if !names::is_user(user) {
            return Err(Error::Name(user.to_owned()));
        }
        let failed = |errno| Error::at(self.path.join(user), errno);
        // No file is created: messages must be deletable when the disk is full.
        let mailbox = openat(&self.directory, user, OFlag::O_PATH | DIRECTORY, Mode::empty()).map_err(failed)?;
        let tmp = openat(&mailbox, "tmp", OFlag::O_RDONLY | DIRECTORY, Mode::empty()).map_err(failed)?;
        match flock(&tmp, FlockArg::LockExclusiveNonblock) {
            Ok(()) => Ok(Some(SessionLock(tmp))),
            Err(Errno::EWOULDBLOCK) => Ok(None),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// The server's own directory, `.cmail`.
    pub(super) fn own(&self) -> &OwnedFd {
        &self.own
    }

    /// Opens a subdirectory of the server's own directory.
    pub(super) fn open_own(&self, name: &str) -> Result<OwnedFd, Error> {
        openat(&self.own, name, OFlag::O_RDONLY | DIRECTORY, Mode::empty())
            .map_err(|errno| Error::at(self.path.join(OWN).join(name), errno))
    }

    /// The directories of a mailbox, if there is one of this name.
    pub(super) fn mailbox(&self, user: &str) -> Result<Option<Mailbox>, Error> {
        if !names::is_user(user) {
            return Ok(None);
        }
        let open = || {
            let user = openat(&self.directory, user, OFlag::O_PATH | DIRECTORY, Mode::empty())?;
            let tmp = openat(&user, "tmp", OFlag::O_PATH | DIRECTORY, Mode::empty())?;
            let mail = openat(&user, "mail", OFlag::O_RDONLY | DIRECTORY, Mode::empty())?;
            Ok(Mailbox { tmp, mail })
        };
        match open() {
            Ok(mailbox) => Ok(Some(mailbox)),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Ok(None),
            Err(errno) => Err(Error::at(self.path.join(user), errno)),
        }
    }
}

/// The server's own directory.
const OWN: &str = ".cmail";

fn open_root(path: &Path) -> Result<OwnedFd, Error> {
    match openat(AT_FDCWD, path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()) {
        Err(Errno::ENOENT) => Err(Error::Missing(path.to_owned())),
        opened => opened.map_err(|errno| Error::at(path, errno)),
    }
}

/// Creates a directory durably. Returns whether it is new.
fn make_directory(parent: &OwnedFd, name: &str) -> Result<bool, Errno> {
    match mkdirat(parent, name, PRIVATE_DIRECTORY) {
        Ok(()) => fsync(parent).map(|()| true),
        // It may have been created just before the power failed.
        Err(Errno::EEXIST) => fsync(parent).map(|()| false),
        Err(errno) => Err(errno),
    }
}

/// Creates a directory and its parents, durably.
fn make_path(path: &Path) -> Result<(), Error> {
    let failed = |path: &Path, error: std::io::Error| Error::at(path, errno(&error));
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    std::fs::create_dir_all(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::at(path, Errno::ENOTDIR),
        _ => failed(path, error),
    })?;
    for parent in missing.iter().filter_map(|path| path.parent()) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        std::fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(|error| failed(parent, error))?;
    }
    Ok(())
}

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
