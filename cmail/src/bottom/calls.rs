//! Helpers for system calls that the modules of the bottom share.

use std::os::fd::{AsFd, AsRawFd};

use nix::Result;
use nix::errno::Errno;
use nix::fcntl::FlockArg;

/// Makes a call again as long as a signal interrupts it.
pub(crate) fn retry_on_intr<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            done => return done,
        }
    }
}

/// Locks an open file, or unlocks it. The lock also goes with the last handle of the open file.
///
/// `nix` prefers its `Flock`, which owns the handle. When `Flock` is dropped it unlocks, and panics if that fails. A handle that is closed
/// needs no unlocking, and the mail store has to go on after a call that failed.
#[expect(deprecated, reason = "`Flock` panics where an unlock fails")]
pub(crate) fn flock(file: impl AsFd, how: FlockArg) -> Result<()> {
    nix::fcntl::flock(file.as_fd().as_raw_fd(), how)
}
