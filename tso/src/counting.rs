//! Threads that count by the checked procedures over real memory. This module knows the top of the stack and the hardware, and no layer in
//! between.

use std::thread;
use std::time::{Duration, Instant};

use cspec::prelude::*;

use crate::hardware;
use crate::layers::*;

/// The arguments of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The number of threads that count at the same time.
    pub threads: u64,
    /// How often each thread counts up.
    pub iterations: u64,
    /// Whether each thread also counts down after each time up.
    pub down: bool,
}

impl Plan {
    /// The expected value of the counter at the end; `None` if it does not fit. Each time down follows a time up by the same thread, so the
    /// counter is never zero then.
    pub fn expected(&self) -> Option<u64> {
        let up = self.threads.checked_mul(self.iterations)?;
        if self.down { up.checked_mul(2).map(|_| 0) } else { Some(up) }
    }
}

/// The result of a run.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The value of the counter at the end.
    pub value: u64,
    /// The number of changes to the counter.
    pub changes: u64,
    /// The duration of the run.
    pub time: Duration,
}

impl Counted {
    /// The number of changes per second.
    pub fn speed(&self) -> f64 {
        self.changes as f64 / self.time.as_secs_f64().max(f64::EPSILON)
    }
}

/// Counts on this machine's memory, through the whole stack.
pub fn count(plan: Plan) -> Counted {
    let memory = hardware::Ram::new(2);
    let start = Instant::now();
    thread::scope(|scope| {
        for process in 0..plan.threads {
            let mut top = stack(memory.core(Pid(process.into())));
            scope.spawn(move || run(plan, &mut top));
        }
    });
    let time = start.elapsed();
    // All threads are joined, so no store is pending.
    let value = memory.core(Pid(plan.threads.into())).read(VAL);
    let changes = plan.threads * plan.iterations * if plan.down { 2 } else { 1 };
    Counted { value, changes, time }
}

fn run(plan: Plan, top: &mut impl Counter) {
    for _ in 0..plan.iterations {
        top.inc();
        if plan.down {
            top.dec();
        }
    }
}

/// The whole stack over any bottom that performs `Tso`.
pub fn stack<T: Tso>(bottom: T) -> CounterOnTso<T> {
    let memory = TestAndSet(LaggingMemory(bottom));
    let lock = SpinLock(OwnersView(TrackOwner(GhostOwner(memory))));
    HideLock(CriticalSection(lock))
}
