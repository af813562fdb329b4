//! What lies below the checked layers: the file system of Linux, by system calls. This is trusted, so it is small and plain.
//!
//! Each mailbox is a directory `ROOT/user` with `tmp` and `mail` in it. What the server itself keeps is in `ROOT/.cmail`, which
//! no mailbox can be called. Every path starts from a directory handle and is one component long; no symbolic link is followed,
//! so that nothing outside the root can be reached.
//!
//! Errors. An operation whose meaning has a failure reports it as such. One that has none (listing, locking, deleting) cannot go
//! on where the system call fails, and neither can the process that called it: the process stops there, by unwinding with
//! [`Stopped`], its lock is released as if it had been killed, and whoever waits for it is told. Nothing is tried for ever: only
//! calls that a signal interrupted are repeated.
//!
//! Nothing else in this crate opens a file of a mailbox: [`Disk`] has no public operation but those of the layer, and only the
//! store threads hold one.

mod disk;
mod incarnation;
mod listing;
mod root;
mod sync;

pub(crate) use disk::{Disk, Stopped};
pub use root::{Error, Root};
pub(crate) use sync::Syncs;
