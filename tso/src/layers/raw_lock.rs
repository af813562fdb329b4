//! Acquiring blocks until it succeeds. Anyone may still do anything; whoever breaks the rules may be caught.

use cspec::prelude::*;

use super::{memory::*, seq_mem::*, tas_tso::*};

impl Locked {
    /// A use by anyone but the owner may take effect, or fail.
    fn used_by(&self, me: Pid) {
        if maybe() {
            assert!(self.owner == Some(me));
        }
    }
}

#[layer(inherit(SeqMem: init, print))]
impl RawLock for Locked {
    #[op]
    fn acquire(&mut self, me: Pid) -> bool {
        when(self.owner.is_none());
        self.owner = Some(me);
        true
    }

    #[op]
    fn release(&mut self, me: Pid) {
        self.used_by(me);
        self.owner = None;
    }

    #[op]
    fn read(&mut self, me: Pid) -> u64 {
        self.used_by(me);
        self.value
    }

    #[op]
    fn write(&mut self, me: Pid, value: u64) {
        self.used_by(me);
        self.value = value;
    }
}

#[implement(RawLock, over = SeqMem, by = retry, pass(read, write, print))]
impl SpinLock {
    fn acquire(lo: &mut impl SeqMem) -> bool {
        loop {
            if lo.try_acquire() {
                return true;
            }
        }
    }

    fn release(lo: &mut impl SeqMem) {
        lo.clear()
    }
}
