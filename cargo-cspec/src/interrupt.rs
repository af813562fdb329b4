//! What stops a run before its end: Ctrl-C, or the time allowed. The first Ctrl-C asks the run to stop and say what was decided, the second
//! ends the process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use crate::exit::Status;

/// The flag that Ctrl-C sets. Without a handler Ctrl-C ends the process at once, which is no worse.
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

/// A flag that is set when a run is to end, and why.
pub struct Stop {
    /// Set when the run is to end.
    pub flag: Arc<AtomicBool>,
    late: Arc<AtomicBool>,
    budget: Option<Duration>,
    /// The clock runs as long as this is not dropped.
    _running: Sender<()>,
}

impl Stop {
    /// Sets `flag` after `budget`, if there is one.
    pub fn after(budget: Option<Duration>, flag: Arc<AtomicBool>) -> Stop {
        let late = Arc::new(AtomicBool::new(false));
        let (running, ended) = mpsc::channel();
        if let Some(budget) = budget {
            let (flag, late) = (Arc::clone(&flag), Arc::clone(&late));
            thread::spawn(move || {
                if ended.recv_timeout(budget) == Err(RecvTimeoutError::Timeout) && !flag.load(Ordering::SeqCst) {
                    late.store(true, Ordering::SeqCst);
                    flag.store(true, Ordering::SeqCst);
                }
            });
        }
        Stop { flag, late, budget, _running: running }
    }

    /// Whether the run is to end.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// The time allowed, if it ran out.
    pub fn out_of_time(&self) -> Option<Duration> {
        self.budget.filter(|_| self.late.load(Ordering::SeqCst))
    }
}
