//! A run: the engine explores unsettled obligations, on a thread of its own, until it is done or stopped.
//!
//! The smallest scope comes first, for an answer within milliseconds; then the configured scope; then the matrix of movers, which
//! hover and hints show. A run knows no documents and sends its results to the session's queue.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    thread,
    time::Instant,
};

use cspec_analysis::{
    ir::Program,
    report::Options,
    results::Provenance,
    session::{self as engine, Listed, Request, Snapshot, State},
    verdict::{ObligationName, Scope},
};
use tokio::sync::mpsc;

use crate::{features::Matrix, server::Step, session::Event};

/// A run in progress.
pub struct Run {
    /// Its number. Messages with other numbers belong to earlier runs.
    pub number: u64,
    /// The time of its start.
    pub started: Instant,
    /// Set to stop it.
    stop: Arc<AtomicBool>,
    /// The channel for its progress, once it takes long.
    pub progress: Option<mpsc::UnboundedSender<Step>>,
}

/// A message from a run.
pub enum Heard {
    /// The number of obligations of a package is known.
    Planned(usize, usize),
    /// An obligation is settled.
    Settled {
        /// Index of the package.
        package: usize,
        /// The obligation with its outcome.
        listed: Box<Listed>,
    },
    /// All obligations of a package are settled.
    Complete(usize),
    /// The matrix of a package is settled.
    Movers {
        /// Index of the package.
        package: usize,
        /// The program of the matrix.
        program: Arc<Program>,
        matrix: Matrix,
    },
    /// The run is over.
    Over,
    /// The engine has a bug.
    Failed(String),
}

/// A package to run. If `open` is empty, only its matrix is missing.
pub struct Job {
    /// The index of the package in the snapshot.
    pub package: usize,
    /// The scope to explore.
    pub scope: Scope,
    /// Whether to search for a wrong run where a proof fails or is undecided.
    pub search_refused: bool,
    /// The obligations that are not settled in that scope. Others that they turn out to need are added.
    pub open: BTreeSet<ObligationName>,
    /// Those of them that are stated where the text was last edited, which the user waits for.
    pub near: BTreeSet<ObligationName>,
}

impl Run {
    /// Starts a run over packages, in this order, on a thread of its own.
    pub fn start(number: u64, engine: Snapshot, jobs: Vec<Job>, queue: Sender<Event>) -> Run {
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker { number, engine, queue, stop: Arc::clone(&stop) };
        thread::spawn(move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| worker.run(&jobs)));
            if let Err(payload) = result {
                let text = payload.downcast_ref::<String>().cloned();
                let text = text.or_else(|| payload.downcast_ref::<&str>().map(|it| (*it).to_owned()));
                worker.tell(Heard::Failed(text.unwrap_or_default()));
            }
            worker.tell(Heard::Over);
        });
        Run { number, started: Instant::now(), stop, progress: None }
    }

    /// Stops the run; it ends soon after.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Worker {
    number: u64,
    engine: Snapshot,
    queue: Sender<Event>,
    stop: Arc<AtomicBool>,
}

impl Worker {
    fn tell(&self, heard: Heard) {
        let _ = self.queue.send(Event::Run(self.number, heard));
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn run(&self, jobs: &[Job]) {
        for job in jobs.iter().filter(|it| !it.open.is_empty()) {
            let smallest = job.scope.smallest();
            if smallest != job.scope {
                // For an answer at once; a search would take longer.
                self.explore(job, &without_search(&smallest), &|name| job.open.contains(name));
            }
            // Includes known obligations, since they may rely on unknown ones.
            let options = Options { search_refused: job.search_refused, ..without_search(&job.scope) };
            self.explore(job, &options, &|_| true);
            if self.is_stopped() {
                return;
            }
            self.tell(Heard::Complete(job.package));
        }
        for job in jobs {
            // In the scope of the check, so that no displayed type is refuted by a check.
            let options = without_search(&job.scope);
            self.engine.run_movers(job.package, &options, &self.stop);
            if self.is_stopped() {
                return;
            }
            let program = Arc::clone(self.engine.packages()[job.package].program());
            let matrix = self.engine.movers(job.package, &options);
            self.tell(Heard::Movers { package: job.package, program, matrix });
        }
    }

    fn explore(&self, job: &Job, options: &Options, only: &(dyn Fn(&ObligationName) -> bool + Sync)) {
        if self.is_stopped() {
            return;
        }
        let tell = |event: engine::Event| {
            // A finding after the stop may belong to an outdated text.
            if self.is_stopped() {
                return;
            }
            match event {
                engine::Event::Planned { package, total } => self.tell(Heard::Planned(package, total)),
                engine::Event::Started { .. } => {}
                engine::Event::Settled { package, listed } if is_news(job, &listed) => {
                    self.tell(Heard::Settled { package, listed });
                }
                engine::Event::Settled { .. } => {}
            }
        };
        let packages = &[job.package];
        let first = |name: &ObligationName| job.near.contains(name);
        let request = Request { options, packages: Some(packages), only, first: &first };
        self.engine.run(&request, &tell, &self.stop);
    }
}

/// Whether the session does not know the state of an obligation yet.
fn is_news(job: &Job, listed: &Listed) -> bool {
    let is_new = matches!(listed.state, State::Settled(_, Provenance::Computed(_)));
    is_new || job.open.contains(&listed.name)
}

/// The options for a scope, without searches for wrong runs.
pub fn without_search(scope: &Scope) -> Options {
    Options { scope: scope.clone(), search_refused: false, ..Options::default() }
}
