//! A progress bar on standard error, for runs on a terminal that take longer than a second.
//!
//! It counts obligations, or mutants; results are printed on standard output when a package is done.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The time before the bar appears.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts the obligations or mutants of one package, and draws a progress bar if it is enabled and the run is long.
pub struct Counter {
    planned: AtomicUsize,
    bar: Option<Bar>,
}

impl Counter {
    /// A counter of `things` for `package`; with `visible`, a bar appears after a second.
    pub fn new(package: &str, things: &'static str, visible: bool) -> Counter {
        Counter { planned: AtomicUsize::new(0), bar: visible.then(|| Bar::new(package, things)) }
    }

    /// The total number; 0 until it is known.
    pub fn total(&self) -> usize {
        self.planned.load(Ordering::SeqCst)
    }

    /// Sets the total number.
    pub fn planned(&self, total: usize) {
        self.planned.store(total, Ordering::SeqCst);
        if let Some(bar) = &self.bar {
            bar.bar.set_length(total as u64);
        }
    }

    /// Shows something above the bar.
    pub fn suspend<T>(&self, show: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.bar.suspend(show),
            None => show(),
        }
    }

    /// Counts one more as done.
    pub fn finished(&self) {
        if let Some(bar) = &self.bar {
            bar.bar.inc(1);
        }
    }
}

/// A bar that appears after [`PATIENCE`], drawn by a thread of its own, since the first obligation may take longer.
struct Bar {
    bar: ProgressBar,
    done: Option<Sender<()>>,
    shower: Option<JoinHandle<()>>,
}

impl Bar {
    fn new(package: &str, things: &'static str) -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style());
        bar.set_message(package.to_owned());
        bar.set_prefix(things);
        let (done, wait) = mpsc::channel();
        let shown = bar.clone();
        let shower = thread::spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(100));
            }
        });
        Bar { bar, done: Some(done), shower: Some(shower) }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.done.take();
        if let Some(shower) = self.shower.take() {
            // The thread runs nothing that panics; a panic there would not justify a second one here.
            let _ = shower.join();
        }
        self.bar.finish_and_clear();
    }
}

/// `tso ━━━━━──── 12/41 obligations, 3s`.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {prefix}, {elapsed}")
        .map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("━━─"))
}
