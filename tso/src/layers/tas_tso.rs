//! Two addresses with two uses: a value, and a lock that is tried with test-and-set and cleared with a plain store.

use cspec::prelude::*;

use super::{memory::*, tso::*, tso_delay_nondet::*};

#[layer(inherit(TsoDelayNondet: init, print))]
impl TasTso for Memory {
    #[op]
    fn try_acquire(&mut self, me: Pid) -> bool {
        self.try_lock(me)
    }

    #[op]
    fn clear(&mut self, me: Pid) {
        self.store(me, LOCK, UNLOCKED);
    }

    #[op]
    fn read(&mut self, me: Pid) -> u64 {
        self.drain_some();
        self.load(me, VAL)
    }

    #[op]
    fn write(&mut self, me: Pid, value: u64) {
        self.store(me, VAL, value);
    }
}

#[implement(TasTso, over = TsoDelayNondet, by = movers, pass(print))]
impl TestAndSet {
    fn try_acquire(lo: &mut impl TsoDelayNondet) -> bool {
        lo.test_and_set(LOCK, LOCKED) != LOCKED
    }

    fn clear(lo: &mut impl TsoDelayNondet) {
        lo.write(LOCK, UNLOCKED)
    }

    fn read(lo: &mut impl TsoDelayNondet) -> u64 {
        lo.read(VAL)
    }

    fn write(lo: &mut impl TsoDelayNondet, value: u64) {
        lo.write(VAL, value)
    }
}
