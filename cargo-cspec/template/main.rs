//! Runs the checked procedure in threads, over a real lock.

mod layers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use cspec::prelude::*;
use layers::*;

const THREADS: u64 = 4;
const TURNS: u64 = 10_000;

/// The memory that all threads share.
#[derive(Default)]
struct Memory {
    is_locked: AtomicBool,
    value: AtomicU64,
}

/// A thread that uses this memory.
struct Core(Arc<Memory>);

/// `RawLock` on this machine. This code is trusted: `cargo cspec check` does not read it.
#[bottom]
impl RawLock for Core {
    fn acquire(&mut self) {
        while self.0.is_locked.swap(true, Ordering::SeqCst) {
            thread::yield_now();
        }
    }

    fn release(&mut self) {
        self.0.is_locked.store(false, Ordering::SeqCst);
    }

    fn read(&mut self) -> u64 {
        self.0.value.load(Ordering::SeqCst)
    }

    fn write(&mut self, value: u64) {
        self.0.value.store(value, Ordering::SeqCst);
    }
}

/// Counts in all threads, and returns the final value.
fn count() -> u64 {
    let memory = Arc::new(Memory::default());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let mut counter: CounterOverLock<Core> = CriticalSection(Core(Arc::clone(&memory)));
            scope.spawn(move || {
                for _ in 0..TURNS {
                    counter.inc();
                }
            });
        }
    });
    memory.value.load(Ordering::SeqCst)
}

fn main() {
    let all = THREADS * TURNS;
    println!("{THREADS} threads counted to {} of {all}", count());
}

#[cfg(test)]
mod tests {
    use cspec::{
        Model,
        model::{Domain, Outcome, outcomes},
    };

    use super::*;

    #[test]
    fn no_turn_is_lost() {
        assert_eq!(count(), THREADS * TURNS);
    }

    /// Layers are executable models: this test runs `inc` over `Lock`, with every possible outcome.
    #[test]
    fn inc_counts_by_one_and_frees_the_lock() {
        let with = |value| Locked { value, owner: None };
        let all = outcomes(&Domain::default(), || {
            let model = Model::<dyn Lock>::new(with(any()), Pid(0));
            let mut counter = CriticalSection(model);
            (counter.inc(), counter.0.state)
        });
        let expected = [0, 1].map(|seen| Outcome::done((seen, with(seen + 1))));
        assert_eq!(all, expected);
    }
}
