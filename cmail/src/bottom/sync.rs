//! Shares directory syncs. After a change to a directory, a process needs a sync that *starts* after the change. A sync already in
//! progress may have started before it: all processes that arrive meanwhile wait, and then share the next sync.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use nix::Result;
use nix::errno::Errno;
use nix::unistd::fsync;

use super::histogram::Histogram;

/// The directories that this operating-system process syncs, by user name; and the durations of the calls.
#[derive(Debug, Default)]
pub struct Syncs {
    directories: Mutex<HashMap<String, Arc<Directory>>>,
    latency: Histogram,
}

#[derive(Debug, Default)]
struct Directory {
    state: Mutex<State>,
    finished: Condvar,
}

/// Syncs are numbered from 1, in the order of their start; one runs at a time.
#[derive(Debug, Default)]
struct State {
    started: u64,
    finished: u64,
    waiting: usize,
    /// The last sync that failed. Its data may be lost for good, whatever later syncs report.
    failed: Option<(u64, Errno)>,
}

impl Syncs {
    /// Returns when all changes to the directory before the call are on disk.
    pub fn sync(&self, user: &str, directory: impl AsFd) -> Result<()> {
        let shared = {
            let mut all = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
            match all.get(user) {
                Some(shared) => shared.clone(),
                None => all.entry(user.to_owned()).or_default().clone(),
            }
        };
        shared.sync(|| self.fsync(&directory))
    }

    /// Syncs one file, and records the duration of the call.
    pub fn fsync(&self, file: impl AsFd) -> Result<()> {
        self.latency.time(|| fsync(file))
    }

    /// The durations of the calls.
    pub fn latency(&self) -> &Histogram {
        &self.latency
    }
}

impl Directory {
    fn sync(&self, run: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = state.started + 1;
        while state.finished < mine && state.started > state.finished {
            state.waiting += 1;
            state = self.finished.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        if state.finished < mine {
            state.started += 1;
            let number = state.started;
            drop(state);
            let result = run();
            state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.finished = number;
            if let Err(errno) = result {
                state.failed = Some((number, errno));
            }
            // Syncing is a system call even if no caller waits.
            if state.waiting > 0 {
                self.finished.notify_all();
            }
        }
        match state.failed {
            Some((number, errno)) if number >= mine => Err(errno),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// A disk that counts changes, and changes before the last sync started.
    #[derive(Default)]
    struct Fake {
        changed: AtomicU64,
        synced: AtomicU64,
    }

    #[test]
    fn a_sync_covers_what_was_changed_before_it() {
        let (directory, disk) = (Directory::default(), Fake::default());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let mine = disk.changed.fetch_add(1, Ordering::SeqCst) + 1;
                        let run = || {
                            let changed = disk.changed.load(Ordering::SeqCst);
                            thread::yield_now();
                            disk.synced.fetch_max(changed, Ordering::SeqCst);
                            Ok(())
                        };
                        directory.sync(run).expect("this disk does not fail");
                        assert!(disk.synced.load(Ordering::SeqCst) >= mine);
                    }
                });
            }
        });
    }

    /// Callers that arrive while a sync runs share the next one.
    #[test]
    fn those_who_wait_share_a_sync() {
        let syncs_of_nine = || {
            let (directory, come, syncs) = (Directory::default(), AtomicU64::new(0), AtomicU64::new(0));
            let run = || {
                syncs.fetch_add(1, Ordering::SeqCst);
                while come.load(Ordering::SeqCst) < 9 {
                    thread::yield_now();
                }
                // All of them have been called; this gives them time to start waiting.
                thread::sleep(Duration::from_millis(5));
                Ok(())
            };
            thread::scope(|scope| {
                for _ in 0..9 {
                    scope.spawn(|| {
                        come.fetch_add(1, Ordering::SeqCst);
                        directory.sync(run)
                    });
                }
            });
            syncs.into_inner()
        };
        assert!((0..100).any(|_| syncs_of_nine() == 2));
    }

    #[test]
    fn whoever_shared_a_failed_sync_is_told() {
        let directory = Directory::default();
        assert_eq!(directory.sync(|| Err(Errno::EIO)), Err(Errno::EIO));
        assert_eq!(directory.sync(|| Ok(())), Ok(()));
    }
}
