//! Tests whether a file system behaves as the lowest layer requires, as far as one process can observe, in a directory of its own.

use std::os::fd::OwnedFd;

use nix::Result;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, FlockArg, OFlag, openat, renameat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, fsync, linkat, unlinkat};

use super::calls::flock;
use super::listing::Listing;
use super::root::{Error, Root, create_file};
use super::temporary::LinkBy;

/// A question, and its answer: a description, or a problem.
pub type Answer = (&'static str, std::result::Result<String, String>);

/// More files than one call with a buffer of the usual size can list.
const FILES: usize = 2000;

/// Runs all tests and returns their answers in order.
pub fn probe(root: &Root) -> std::result::Result<Vec<Answer>, Error> {
    let name = format!("check.{}", std::process::id());
    let failed = |errno| Error::at(root.path().join(".cmail").join(&name), errno);
    mkdirat(root.own(), &*name, Mode::S_IRWXU).map_err(failed)?;
    let directory = open_directory(root.own(), &name).map_err(failed)?;
    let answers = vec![
        ("listing", explain(one_call_listing(&directory), "a listing of 2000 files is one call")),
        ("link", explain(link_replaces_nothing(&directory), "a link replaces nothing, and a name is created once")),
        ("lock", explain(lock_excludes(&directory), "a lock excludes others")),
        ("sync", explain(directory_syncs(&directory), "files and directories can be synced")),
        (
            "temporary",
            Ok(match LinkBy::find(root) {
                Some(_) => "files without names can be linked; --no-sync uses this".to_owned(),
                None => "files without names cannot be linked; --no-sync is slower".to_owned(),
            }),
        ),
    ];
    clear(&directory).map_err(failed)?;
    unlinkat(root.own(), &*name, UnlinkatFlags::RemoveDir).map_err(failed)?;
    Ok(answers)
}

/// The result of a test: it passed, it failed with a message, or a call failed.
type Attempt = std::result::Result<(), String>;

fn explain(attempt: Attempt, good: &str) -> std::result::Result<String, String> {
    attempt.map(|()| good.to_owned())
}

fn open_directory(parent: &OwnedFd, name: &str) -> Result<OwnedFd> {
    openat(parent, name, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
}

fn said(call: &'static str) -> impl Fn(Errno) -> String {
    move |errno| format!("{call}: {}", errno.desc())
}

fn one_call_listing(directory: &OwnedFd) -> Attempt {
    for number in 0..FILES {
        create_file(directory, &format!("{number}.{number}")).map_err(said("making a file"))?;
    }
    let found = Listing::default().names(directory).map_err(said("listing"))?;
    match found.len() == FILES {
        true => Ok(()),
        false => Err(format!("a listing shows {} of {FILES} files", found.len())),
    }
}

fn link_replaces_nothing(directory: &OwnedFd) -> Attempt {
    let link = |to: &str| linkat(directory, "0.0", directory, to, AtFlags::empty());
    match link("1.1") {
        Err(Errno::EEXIST) => {}
        Ok(()) => return Err("a link replaces an existing file: messages would be lost".to_owned()),
        Err(errno) => return Err(said("linking")(errno)),
    }
    link("linked").map_err(said("linking"))?;
    match create_file(directory, "linked") {
        Err(Errno::EEXIST) => Ok(()),
        Ok(_) => Err("a file is created over an existing one: messages would be lost".to_owned()),
        Err(errno) => Err(said("making a file")(errno)),
    }
}

fn lock_excludes(directory: &OwnedFd) -> Attempt {
    let again = open_directory(directory, ".").map_err(said("opening"))?;
    flock(directory, FlockArg::LockExclusiveNonblock).map_err(said("locking"))?;
    let other = flock(&again, FlockArg::LockExclusiveNonblock);
    flock(directory, FlockArg::Unlock).map_err(said("unlocking"))?;
    match other {
        Err(Errno::EWOULDBLOCK) => Ok(()),
        Ok(()) => Err("two processes hold a lock at once: sessions would delete each other's mail".to_owned()),
        Err(errno) => Err(said("locking")(errno)),
    }
}

fn directory_syncs(directory: &OwnedFd) -> Attempt {
    let file = create_file(directory, "synced").map_err(said("making a file"))?;
    fsync(&file).map_err(said("syncing a file"))?;
    renameat(directory, "synced", directory, "renamed").map_err(said("renaming"))?;
    fsync(directory).map_err(said("syncing a directory"))
}

fn clear(directory: &OwnedFd) -> Result<()> {
    for name in Listing::default().names(directory)? {
        unlinkat(directory, &*name, UnlinkatFlags::NoRemoveDir)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_leaves_nothing_behind() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = Root::init(scratch.path()).expect("it is empty");
        for (subject, answer) in probe(&root).expect("it can be tried") {
            answer.unwrap_or_else(|wrong| panic!("{subject}: {wrong}"));
        }
        let left = std::fs::read_dir(scratch.path().join(".cmail")).expect("it is there");
        assert_eq!(left.count(), 1, "`living` alone");
    }
}
