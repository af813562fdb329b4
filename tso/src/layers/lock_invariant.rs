//! Only the present or the previous owner has pending stores, and the last of those is the release.

use cspec::prelude::*;

use super::{lock_owner::*, memory::*, tas_tso::*};

#[state]
pub struct Tracked {
    pub memory: Memory,
    pub owner: Option<Pid>,
    pub previous: Pid,
}

impl Tracked {
    fn pending_only_of(&self, process: Pid) -> bool {
        self.memory.pending.support().iter().all(|p| *p == process)
    }

    /// `Some(releases)`: the pending stores of `process` are stores to the counter, then `releases` of the lock.
    fn releases_last(&self, process: Pid, released: bool) -> bool {
        let mut last = self.memory.pending[process].clone();
        if released && last.pop() != Some((LOCK, UNLOCKED)) {
            return false;
        }
        last.iter().all(|(at, _)| *at == VAL)
    }
}

#[layer(ops = TasTso, inherit(TasTso: print))]
impl LockInvariant for Tracked {
    #[init]
    fn init(&self) -> bool {
        self.memory.is_zero() && self.owner.is_none()
    }

    #[invariant]
    fn holds(&self) -> bool {
        let locked = self.memory.shared[LOCK] == LOCKED;
        match self.owner {
            Some(owner) => {
                locked && self.previous == owner && self.pending_only_of(owner) && self.releases_last(owner, false)
            }
            None if locked => self.pending_only_of(self.previous) && self.releases_last(self.previous, true),
            None => self.memory.pending.is_default(),
        }
    }

    #[op]
    fn try_acquire(&mut self, me: Pid) -> bool {
        let taken = self.memory.try_lock(me);
        if taken {
            when(self.owner.is_none());
            self.owner = Some(me);
            self.previous = me;
        }
        taken
    }

    #[op]
    fn clear(&mut self, me: Pid) {
        assert!(self.owner == Some(me));
        self.memory.store(me, LOCK, UNLOCKED);
        self.owner = None;
    }

    #[op]
    fn read(&mut self, me: Pid) -> u64 {
        assert!(self.owner == Some(me));
        self.memory.drain_some();
        self.memory.load(me, VAL)
    }

    #[op]
    fn write(&mut self, me: Pid, value: u64) {
        assert!(self.owner == Some(me));
        self.memory.store(me, VAL, value);
    }
}

#[implement(LockInvariant, over = LockOwner, by = abstraction)]
impl TrackOwner {
    #[abstraction]
    fn tracked(lo: &Owned) -> Tracked {
        Tracked { memory: lo.memory.clone(), owner: lo.owner, previous: any() }
    }
}
