//! Ctrl-C: the first asks the run to stop and say what was decided, the second ends the process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::exit::Status;

/// Installs the handler and returns the flag that it sets. Without a handler Ctrl-C ends the process at once, which is no worse.
pub fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let installed = ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::SeqCst) {
            std::process::exit(Status::Interrupted.code().into());
        }
    });
    drop(installed);
    stop
}
