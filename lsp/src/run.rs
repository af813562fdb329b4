//! A run: the engine explores what is not settled, on a thread of its own, until it is done or stopped.
//!
//! The smallest scope comes first, for an answer within milliseconds; then the scope that is asked for; then the matrix of movers, which
//! hover and hints show. A run knows no documents and sends what it finds to the session's queue.

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
    report::Options,
    session::{self as engine, Listed, Request, Snapshot},
    verdict::{ObligationName, Scope},
};
use tokio::sync::mpsc;

use crate::{server::Step, session::Event};

/// A run under way.
pub struct Run {
    /// Its number. What is heard of runs with other numbers is of the past.
    pub number: u64,
    /// When it began.
    pub started: Instant,
    /// Set to stop it.
    stop: Arc<AtomicBool>,
    /// Where its progress is shown, once it takes long.
    pub progress: Option<mpsc::UnboundedSender<Step>>,
}

/// What is heard of a run.
pub enum Heard {
    /// A package has so many obligations.
    Planned(usize, usize),
    /// An obligation is settled.
    Settled {
        /// Index of the package.
        package: usize,
        /// The obligation.
        listed: Box<Listed>,
    },
    /// All obligations of a package are settled.
    Complete(usize),
    /// The matrix of a package is settled.
    Movers(usize),
    /// The run is over.
    Over,
    /// The engine has a bug.
    Failed(String),
}

/// A package to run. If nothing is open, only its matrix is missing.
pub struct Job {
    /// Its index.
    pub package: usize,
    /// How far to explore.
    pub scope: Scope,
    /// What is not settled in that scope. Obligations that turn out to be relied on join it.
    pub open: BTreeSet<ObligationName>,
}

impl Run {
    /// Starts a run over packages, in this order.
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

    /// Stops it. It ends soon after.
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
                self.explore(job, &smallest, &|name| job.open.contains(name));
            }
            self.explore(job, &job.scope, &|_| true);
            if self.is_stopped() {
                return;
            }
            self.tell(Heard::Complete(job.package));
        }
        for job in jobs {
            self.engine.run_movers(job.package, &mover_options(&job.scope), &self.stop);
            if self.is_stopped() {
                return;
            }
            self.tell(Heard::Movers(job.package));
        }
    }

    fn explore(&self, job: &Job, scope: &Scope, only: &(dyn Fn(&ObligationName) -> bool + Sync)) {
        if self.is_stopped() {
            return;
        }
        let options = Options { scope: scope.clone(), ..Options::default() };
        let tell = |event: engine::Event| {
            // What is found after the stop may be about a text that is no more.
            if self.is_stopped() {
                return;
            }
            match event {
                engine::Event::Planned { package, total } => self.tell(Heard::Planned(package, total)),
                engine::Event::Started { .. } => {}
                engine::Event::Settled { package, listed } => self.tell(Heard::Settled { package, listed }),
            }
        };
        let request = Request { options: &options, packages: Some(&[job.package]), only, first: &|_| false };
        self.engine.run(&request, &tell, &self.stop);
    }
}

/// How mover types are inferred: in the smallest scope, since every pair of operations is asked about.
pub fn mover_options(scope: &Scope) -> Options {
    Options { scope: scope.smallest(), ..Options::default() }
}
