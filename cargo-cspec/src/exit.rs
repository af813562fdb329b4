//! The exit statuses of `cargo cspec`, and their meanings. They are part of the stable interface.

use std::process::ExitCode;

/// The status with which a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Every obligation was evaluated, and is proved or checked to scope. For `list` and `explain`: the output was printed.
    Success = 0,
    /// An obligation is violated or not shown, the source has errors, or rustc refuses it.
    Violated = 1,
    /// The command line is wrong, there is no usable workspace, a selected package has nothing to check, or rustc cannot be run.
    Usage = 2,
    /// Nothing is violated or not shown, but an obligation is undecided.
    Undecided = 3,
    /// A bug in cspec. Earlier output does not count.
    Bug = 101,
    /// The run was interrupted. Obligations that were not reached are not checked.
    Interrupted = 130,
}

impl Status {
    /// The exit status as a number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status.code())
    }
}
