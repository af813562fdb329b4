//! Incarnations: the processes of the layers. An incarnation has a number that no other has, had or will have at this root, even
//! if process ids are reused, clocks jump, or several containers share the root. The upper half of the number is an epoch, drawn
//! from a counter on disk once for each operating-system process; the lower half is a counter within the epoch.
//!
//! An epoch is alive while its file in `.cmail/living` is locked; the kernel releases the lock when the process ends. Temporary
//! files of dead epochs have no owner.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use cspec::Pid;
use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, fsync, read, unlinkat, write};

use super::calls::{flock, retry_on_intr};
use super::listing::Listing;
use super::root::{Error, PRIVATE, Root, create_file};
use crate::layers::decode;

/// Assigns numbers to the processes of one operating-system process.
#[derive(Debug)]
pub struct Incarnations {
    epoch: u64,
    given: AtomicU64,
    /// Locked while this process lives.
    _living: OwnedFd,
}

/// The number of incarnations in one epoch.
const EPOCH: u64 = 1 << 32;

impl Incarnations {
    /// Draws an epoch from the counter on disk, and locks its file in `.cmail/living`.
    pub fn new(root: &Root) -> Result<Incarnations, Error> {
        let _guard = guard(root)?;
        let epoch = read_epoch(root)? + 1;
        write_epoch(root, epoch)?;
        let living = root.open_own("living")?;
        let name = epoch.to_string();
        let file = create_file(&living, &name).map_err(|errno| Error::at(".cmail/living", errno))?;
        flock(&file, FlockArg::LockExclusiveNonblock).map_err(|errno| Error::at(".cmail/living", errno))?;
        Ok(Incarnations { epoch, given: AtomicU64::new(0), _living: file })
    }

    /// A number that no process had before.
    pub fn next(&self) -> Pid {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        assert!(count < EPOCH, "four billion incarnations: this process must be restarted");
        Pid(u128::from(self.epoch * EPOCH + count))
    }
}

/// The epoch of an incarnation.
fn epoch_of(pid: Pid) -> u128 {
    pid.0 / u128::from(EPOCH)
}

/// Removes the temporary files of dead processes, in all mailboxes; returns their number. Files of live processes are kept, including those
/// of other servers on the same root.
pub fn recover(root: &Root) -> Result<usize, Error> {
    let _guard = guard(root)?;
    let living = root.open_own("living")?;
    let mut alive = BTreeSet::new();
    let mut listing = Listing::default();
    for name in listing.names(&living).map_err(|errno| Error::at(".cmail/living", errno))? {
        let Ok(epoch) = name.parse::<u128>() else { continue };
        match is_alive(&living, &name)? {
            true => {
                alive.insert(epoch);
            }
            false => unlinkat(&living, &*name, UnlinkatFlags::NoRemoveDir)
                .map_err(|errno| Error::at(".cmail/living", errno))?,
        }
    }
    let mut removed = 0;
    for user in root.users()? {
        removed += recover_user(root, &user, &alive, &mut listing)?;
    }
    Ok(removed)
}

fn recover_user(root: &Root, user: &str, alive: &BTreeSet<u128>, listing: &mut Listing) -> Result<usize, Error> {
    let Some(mailbox) = root.mailbox(user)? else { return Ok(0) };
    let tmp = openat(&mailbox.tmp, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
        .map_err(|errno| Error::at(user, errno))?;
    let mut removed = 0;
    for name in listing.names(&tmp).map_err(|errno| Error::at(user, errno))? {
        // A file without the name of a temporary file is not ours to remove.
        let owner = decode(&name).map(|id| id.pid);
        if owner.is_some_and(|owner| !alive.contains(&epoch_of(owner))) {
            match unlinkat(&tmp, &*name, UnlinkatFlags::NoRemoveDir) {
                Ok(()) => removed += 1,
                Err(Errno::ENOENT) => {}
                Err(errno) => return Err(Error::at(user, errno)),
            }
        }
    }
    Ok(removed)
}

fn is_alive(living: &OwnedFd, name: &str) -> Result<bool, Error> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = openat(living, name, flags, Mode::empty()).map_err(|errno| Error::at(".cmail/living", errno))?;
    match flock(&file, FlockArg::LockExclusiveNonblock) {
        Ok(()) => Ok(false),
        Err(Errno::EWOULDBLOCK) => Ok(true),
        Err(errno) => Err(Error::at(".cmail/living", errno)),
    }
}

/// Only one process at a time draws an epoch or cleans up after dead ones.
fn guard(root: &Root) -> Result<OwnedFd, Error> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let lock = openat(root.own(), "lock", flags, PRIVATE).map_err(|errno| Error::at(".cmail/lock", errno))?;
    retry_on_intr(|| flock(&lock, FlockArg::LockExclusive)).map_err(|errno| Error::at(".cmail/lock", errno))?;
    Ok(lock)
}

fn read_epoch(root: &Root) -> Result<u64, Error> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = match openat(root.own(), "epoch", flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::ENOENT) => return Ok(0),
        Err(errno) => return Err(Error::at(".cmail/epoch", errno)),
    };
    let mut text = [0; 20];
    let octets = retry_on_intr(|| read(&file, &mut text)).map_err(|errno| Error::at(".cmail/epoch", errno))?;
    parse_epoch(&text[..octets]).ok_or(Error::Epoch)
}

fn parse_epoch(text: &[u8]) -> Option<u64> {
    let epoch = str::from_utf8(text).ok()?.trim().parse().ok()?;
    (epoch < u64::from(u32::MAX)).then_some(epoch)
}

/// Writes the counter so that a crash leaves the old one or the new one.
fn write_epoch(root: &Root, epoch: u64) -> Result<(), Error> {
    let own = root.own();
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let write_all = || {
        let file = openat(own, "epoch.new", flags, PRIVATE)?;
        let text = epoch.to_string();
        if retry_on_intr(|| write(&file, text.as_bytes()))? < text.len() {
            return Err(Errno::ENOSPC);
        }
        fsync(&file)?;
        renameat(own, "epoch.new", own, "epoch")?;
        fsync(own)
    };
    write_all().map_err(|errno| Error::at(".cmail/epoch", errno))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};
    use crate::layers::encode;

    /// The names of files, and the number of an epoch: what is read is what would be written.
    #[test]
    fn fuzz_of_file_names() {
        let target = Target {
            seeds: &["4294967296.0", "18446744073709551616.7", "12\n", "0"],
            words: &[".", "0", "00", "-1", "+1", " ", "\n", "340282366920938463463374607431768211456", "é", "/"],
        };
        fuzz::run(&target, |input| {
            let text = String::from_utf8_lossy(input);
            if let Some(id) = decode(&text) {
                assert_eq!(encode(&id), text);
                assert!(!text.contains(['/', '\0', ' ']) && text.len() < 70);
            }
            if let Some(epoch) = parse_epoch(input) {
                assert!(epoch + 1 < EPOCH && text.trim().trim_start_matches(['+', '0']).len() <= 10);
            }
        });
    }
}
