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

/// The flag that Ctrl-C sets. Without a handler Ctrl-C ends the process at once, which is no worse.
pub fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    on_interrupt(move || seen.store(true, Ordering::SeqCst));
    stop
}

/// Lets the first Ctrl-C do this; the second ends the process at once. Once a process.
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
