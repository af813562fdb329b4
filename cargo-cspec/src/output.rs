//! Writes results to standard output. Its errors can be distinguished from bugs.

use std::io::{self, ErrorKind};

use crate::exit::Status;

/// The status of a run, given the result of writing its output.
///
/// A reader that closed the pipe (`cargo cspec list | head`) has what it wanted. Any other failure means that the results were not
/// delivered.
pub fn delivered(status: Status, written: io::Result<()>) -> Status {
    match written {
        Ok(()) => status,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => status,
        Err(error) => {
            complain(&format!("cannot write the results: {error}"));
            Status::Usage
        }
    }
}

/// Prints `error: …` on standard error. Errors of printing are ignored.
pub fn complain(message: &str) {
    use std::io::Write as _;
    let _ = writeln!(io::stderr(), "error: {message}");
}

/// Prints `warning: …` on standard error.
pub fn warn(message: &str) {
    use std::io::Write as _;
    let _ = writeln!(io::stderr(), "warning: {message}");
}

/// Prints `WORD: …` on standard error: a side effect of a command.
pub fn note(word: &str, message: &str) {
    use std::io::Write as _;
    let _ = writeln!(io::stderr(), "{word}: {message}");
}
