//! Watches the editor's process: a server must not outlive it.
//!
//! Usually an editor that dies closes the server's input, which ends the server. A process in between, such as a shell or a multiplexer of
//! servers, can keep the input open; so the server also checks whether the process that the client named is alive.

/// Ends this process soon after the process with this id has ended. Does nothing on platforms where that cannot be determined.
pub fn watch(id: u32) {
    #[cfg(unix)]
    unix::watch(id);
    #[cfg(not(unix))]
    let _ = id;
}

#[cfg(unix)]
mod unix {
    use std::{thread, time::Duration};

    use rustix::{
        io::Errno,
        process::{Pid, test_kill_process},
    };

    /// The interval of checks.
    const EVERY: Duration = Duration::from_secs(1);

    pub fn watch(id: u32) {
        let Some(parent) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
        thread::spawn(move || {
            // A process of another user cannot be signalled, but it exists.
            while test_kill_process(parent) != Err(Errno::SRCH) {
                thread::sleep(EVERY);
            }
            // There is no client left, and nothing of the session has to be saved: files on disk are always complete.
            std::process::exit(1);
        });
    }
}
