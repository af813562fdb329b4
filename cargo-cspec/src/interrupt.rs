//! Stops a run early: on Ctrl-C, or at the time limit. The first Ctrl-C asks the run to stop and report what was decided; the second
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

/// The flag that Ctrl-C sets. If no handler can be installed, Ctrl-C ends the process at once, which is acceptable.
pub fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    on_interrupt(move || seen.store(true, Ordering::SeqCst));
    stop
}

/// Runs `told` on the first Ctrl-C; the second ends the process at once. Works once per process.
pub fn on_interrupt(mut told: impl FnMut() + Send + 'static) {
    let mut is_told = false;
    let installed = ctrlc::set_handler(move || {
        if std::mem::replace(&mut is_told, true) {
            std::process::exit(Status::Interrupted.code().into());
        }
        told();
    });
    drop(installed);
}

/// A flag that is set when a run must end, and the reason.
pub struct Stop {
    /// Set when the run must end.
    pub flag: Arc<AtomicBool>,
    late: Arc<AtomicBool>,
    budget: Option<Duration>,
    /// The clock runs until this is dropped.
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

    /// Whether the run must end.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// The time limit, if it was exceeded.
    pub fn out_of_time(&self) -> Option<Duration> {
        self.budget.filter(|_| self.late.load(Ordering::SeqCst))
    }
}
