//! A ghost owner: whoever took the lock last and has not cleared it. Using the memory without owning it is a failure.

use cspec::prelude::*;

use super::{memory::*, tas_tso::*};

#[state]
pub struct Owned {
    pub memory: Memory,
    pub owner: Option<Pid>,
}

impl Owned {
    /// Nothing has happened yet.
    pub fn is_fresh(&self) -> bool {
        self.memory.is_zero() && self.owner.is_none()
    }
}

#[layer(ops = TasTso, inherit(TasTso: print))]
impl LockOwner for Owned {
    #[init]
    fn init(&self) -> bool {
        self.is_fresh()
    }

    #[op]
    fn try_acquire(&mut self, me: Pid) -> bool {
        let taken = self.memory.try_lock(me);
        if taken {
            self.owner = Some(me);
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

#[implement(LockOwner, over = TasTso, by = abstraction)]
impl GhostOwner {
    #[abstraction]
    fn owned(lo: &Memory) -> Owned {
        Owned {
            memory: lo.clone(),
            owner: any(),
        }
    }
}
