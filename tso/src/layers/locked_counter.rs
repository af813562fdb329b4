//! Counting is atomic, and nothing fails any more: the lock is used by its rules.

use cspec::prelude::*;

use super::{lock::*, raw_lock::*, seq_mem::*, tas_tso::*};

#[layer(inherit(Lock: init, print))]
impl LockedCounter for Locked {
    #[op]
    fn inc(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        let seen = self.value;
        self.value = seen + 1;
        seen
    }

    #[op]
    fn dec(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        let seen = self.value;
        self.value = seen.saturating_sub(1);
        seen
    }
}

#[implement(LockedCounter, over = Lock, by = movers, pass(print))]
impl CriticalSection {
    fn inc(lo: &mut impl Lock) -> u64 {
        lo.acquire();
        let seen = lo.read();
        lo.write(seen + 1);
        lo.release();
        seen
    }

    fn dec(lo: &mut impl Lock) -> u64 {
        lo.acquire();
        let seen = lo.read();
        lo.write(seen.saturating_sub(1));
        lo.release();
        seen
    }
}
