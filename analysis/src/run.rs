//! Executes a plan: settles all unknown obligations on all cores, each after those that it relies on.
//!
//! The results do not depend on the order in which obligations are settled; the order only serves users who wait. A run can be stopped at
//! any time: settled obligations keep their results, and those in progress are dropped.

use std::{
    collections::BTreeSet,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::{
    ir::Program,
    obligations::Lemmas,
    plan::Plan,
    report::Options,
    results::{Known, Results},
};

/// A run over one plan.
pub struct Run<'a> {
    /// The program of the plan.
    pub program: &'a Program,
    /// The plan to execute.
    pub plan: &'a Plan,
    /// The bounds of explorations, and whether to search where a proof fails.
    pub options: &'a Options,
    /// The known results, to which new ones are added.
    pub results: &'a Results,
    /// Set when the run should stop.
    pub stop: &'a AtomicBool,
    /// Receives the events of the run.
    pub listener: &'a dyn Listener,
}

/// Receives the events of a run, from any of its threads; entries are given by their index in the plan.
pub trait Listener: Sync {
    /// The number of entries to settle. Called again when some turn out to need others.
    fn planned(&self, _total: usize) {}
    /// The entry is about to be explored.
    fn started(&self, _entry: usize) {}
    /// The entry has been explored. It may be one that others rely on, and not one that was requested.
    fn explored(&self, _entry: usize) {}
    /// The result of a requested entry is known.
    fn settled(&self, _entry: usize, _known: &Known) {}
}

/// A listener that ignores all events.
pub struct Nobody;

impl Listener for Nobody {}

/// The remaining work of a run.
struct Queue {
    /// Entries that can be settled now, by rank.
    ready: BTreeSet<(usize, usize)>,
    /// For each entry, how many of the entries that it relies on are unknown.
    missing: Vec<usize>,
    /// The number of entries in progress.
    running: usize,
}

impl Run<'_> {
    /// Settles these entries and all that they rely on, in this order as far as possible. Returns the entries that turned out to be
    /// obligations besides.
    pub fn settle(&self, wanted: &[usize]) -> BTreeSet<usize> {
        let mut owed = BTreeSet::new();
        let unknown = self.recall(wanted, &mut owed);
        if !unknown.is_empty() {
            owed.extend(self.explore(&unknown));
        }
        owed
    }

    /// Reports the known results. Returns the remaining entries.
    fn recall(&self, wanted: &[usize], owed: &mut BTreeSet<usize>) -> Vec<usize> {
        let mut unknown = Vec::new();
        for &entry in wanted {
            match self.plan.known(entry, self.options, self.results) {
                Some(known) => {
                    owed.extend(self.plan.relied(entry, &known.settled));
                    self.listener.settled(entry, &known);
                }
                None => unknown.push(entry),
            }
        }
        unknown
    }

    fn explore(&self, unknown: &[usize]) -> BTreeSet<usize> {
        let order = self.with_relied(unknown);
        let entries = &self.plan.entries;
        let mut ranks = vec![None; entries.len()];
        order.iter().enumerate().for_each(|(rank, entry)| ranks[*entry] = Some(rank));
        let is_missing = |entry: &&usize| ranks[**entry].is_some();
        let missing: Vec<usize> = entries.iter().map(|it| it.relies.iter().filter(is_missing).count()).collect();
        let ready = order.iter().enumerate().filter(|(_, entry)| missing[**entry] == 0);
        let queue =
            Mutex::new(Queue { ready: ready.map(|(rank, entry)| (rank, *entry)).collect(), missing, running: 0 });
        let mut dependents = vec![Vec::new(); entries.len()];
        for &entry in &order {
            entries[entry].relies.iter().for_each(|it| dependents[*it].push(entry));
        }
        let asked: BTreeSet<usize> = unknown.iter().copied().collect();
        let owed = Mutex::new(BTreeSet::new());
        let work =
            Work { run: self, queue, changed: Condvar::new(), ranks, dependents, asked, owed, open: Mutex::default() };
        rayon::scope(|scope| {
            for thread in 0..rayon::current_num_threads().min(order.len()) {
                // One thread begins at the end, with the most expensive entries: otherwise all threads would wait for the last of these.
                let from = if thread == 1 { End::Last } else { End::First };
                let work = &work;
                scope.spawn(move |_| work.work(from));
            }
        });
        let Work { owed, open, .. } = work;
        self.ask_more(open.into_inner().unwrap_or_else(PoisonError::into_inner));
        owed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks more of entries that do not hold: whether they hold otherwise, and searches for wrong runs. Each once, until all of it
    /// is done or the run is stopped. It comes last, since all other results can be told without it.
    fn ask_more(&self, mut open: Vec<(usize, Known)>) {
        let Run { program, plan, options, results, stop, listener } = *self;
        open.sort_by_key(|(entry, _)| *entry);
        while !open.is_empty() {
            let mut next = BTreeSet::new();
            open.retain_mut(|(entry, known)| {
                // A run that was stopped tells what is known without them.
                let asked = plan.next_asked(*entry, known, options, results);
                let asked = asked.filter(|_| !stop.load(Ordering::Relaxed));
                match asked {
                    Some(asked) => drop(next.insert(asked)),
                    None => listener.settled(*entry, known),
                }
                asked.is_some()
            });
            next.into_par_iter().for_each(|asked| {
                let asked = &plan.entries[asked];
                let started = Instant::now();
                if let Some(settled) = asked.settle(program, &Lemmas::default(), &options.scope, stop) {
                    results.insert(asked.fingerprint(&options.scope), settled, started.elapsed());
                }
            });
        }
    }

    /// The entries in order, each after the unknown ones that it relies on.
    fn with_relied(&self, wanted: &[usize]) -> Vec<usize> {
        let mut order = Vec::new();
        let mut seen = vec![false; self.plan.entries.len()];
        for &entry in wanted {
            let relies = &self.plan.entries[entry].relies;
            let scope = &self.options.scope;
            let is_unknown = |it: &&usize| self.results.find(self.plan.entries[**it].fingerprint(scope)).is_none();
            for &it in relies.iter().filter(is_unknown).chain([&entry]) {
                if !std::mem::replace(&mut seen[it], true) {
                    order.push(it);
                }
            }
        }
        order
    }
}

/// The end of the queue that a thread takes its work from.
#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

/// The work of one run, shared by its threads.
struct Work<'a> {
    run: &'a Run<'a>,
    queue: Mutex<Queue>,
    changed: Condvar,
    ranks: Vec<Option<usize>>,
    dependents: Vec<Vec<usize>>,
    /// The requested entries, whose results are reported.
    asked: BTreeSet<usize>,
    owed: Mutex<BTreeSet<usize>>,
    /// Requested entries that do not hold, of which more is asked, with their results.
    open: Mutex<Vec<(usize, Known)>>,
}

impl Work<'_> {
    /// Settles one entry after the other until there are none, or the run is stopped.
    fn work(&self, from: End) {
        while let Some(entry) = self.next(from) {
            // If settling an entry panics, the other threads must not wait for it.
            let finished = Finished { work: self, entry };
            self.settle(entry);
            drop(finished);
        }
    }

    fn next(&self, from: End) -> Option<usize> {
        let mut queue = locked(&self.queue);
        loop {
            if self.run.stop.load(Ordering::Relaxed) {
                return None;
            }
            let next = match from {
                End::First => queue.ready.pop_first(),
                End::Last => queue.ready.pop_last(),
            };
            if let Some((_, entry)) = next {
                queue.running += 1;
                return Some(entry);
            }
            if queue.running == 0 {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn settle(&self, index: usize) {
        let Run { program, plan, options, results, stop, listener } = *self.run;
        let (entry, scope) = (&plan.entries[index], &options.scope);
        let started = Instant::now();
        if self.asked.contains(&index) {
            listener.started(index);
        }
        let mut known = match results.find(entry.fingerprint(scope)) {
            Some(known) => known,
            None => {
                let Some(lemmas) = plan.lemmas(index, scope, results) else { return };
                let Some(settled) = entry.settle(program, &lemmas, scope, stop) else { return };
                results.insert(entry.fingerprint(scope), settled, started.elapsed())
            }
        };
        locked(&self.owed).extend(plan.relied(index, &known.settled));
        listener.explored(index);
        if !self.asked.contains(&index) {
            return;
        }
        match plan.next_asked(index, &mut known, options, results) {
            Some(_) => locked(&self.open).push((index, known)),
            None => listener.settled(index, &known),
        }
    }
}

/// When dropped, releases the entries that rely on an entry.
struct Finished<'w> {
    work: &'w Work<'w>,
    entry: usize,
}

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        let Work { queue, changed, ranks, dependents, .. } = self.work;
        let mut queue = locked(queue);
        queue.running -= 1;
        for &dependent in &dependents[self.entry] {
            queue.missing[dependent] -= 1;
            if queue.missing[dependent] == 0 {
                queue.ready.extend(ranks[dependent].map(|rank| (rank, dependent)));
            }
        }
        changed.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
