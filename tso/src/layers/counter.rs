//! A counter: no lock, no owner.

use cspec::prelude::*;

use super::{
    lock_invariant::*, lock_owner::*, locked_counter::*, raw_lock::*, seq_mem::*, tas_tso::*, tso_delay_nondet::*,
};

#[state]
pub struct Count {
    pub value: u64,
}

#[layer(ops = LockedCounter, inherit(LockedCounter: print))]
impl Counter for Count {
    #[init]
    fn init(&self) -> bool {
        self.value == 0
    }

    #[op]
    fn inc(&mut self, me: Pid) -> u64 {
        let seen = self.value;
        self.value = seen + 1;
        seen
    }

    #[op]
    fn dec(&mut self, me: Pid) -> u64 {
        let seen = self.value;
        self.value = seen.saturating_sub(1);
        seen
    }
}

#[implement(Counter, over = LockedCounter, by = abstraction)]
impl HideLock {
    #[abstraction]
    fn count(lo: &Locked, hi: &Count) -> bool {
        lo.owner.is_none() && hi.value == lo.value
    }
}

/// The counter on x86-TSO, top to bottom.
#[stack]
pub type CounterOnTso<Tso> =
    HideLock<CriticalSection<SpinLock<OwnersView<TrackOwner<GhostOwner<TestAndSet<LaggingMemory<Tso>>>>>>>>;

/// Each process counts up once and prints what it saw.
#[client(CounterOnTso, processes(2, 3))]
fn increments(process: u64, top: &mut impl Counter) {
    let seen = top.inc();
    top.print(seen);
}
