//! Store buffers are gone: the value is what the present or previous owner sees.

use cspec::prelude::*;

use super::{lock_invariant::*, memory::*, tas_tso::*};

#[state]
pub struct Locked {
    pub value: u64,
    pub owner: Option<Pid>,
}

impl Locked {
    /// Nothing has happened yet.
    pub fn is_fresh(&self) -> bool {
        self.value == 0 && self.owner.is_none()
    }
}

#[layer(ops = TasTso, inherit(TasTso: print))]
impl SeqMem for Locked {
    #[init]
    fn init(&self) -> bool {
        self.is_fresh()
    }

    #[op]
    fn try_acquire(&mut self, me: Pid) -> bool {
        if maybe() {
            return false;
        }
        when(self.owner.is_none());
        self.owner = Some(me);
        true
    }

    #[op]
    fn clear(&mut self, me: Pid) {
        assert!(self.owner == Some(me));
        self.owner = None;
    }

    #[op]
    fn read(&mut self, me: Pid) -> u64 {
        assert!(self.owner == Some(me));
        self.value
    }

    #[op]
    fn write(&mut self, me: Pid, value: u64) {
        assert!(self.owner == Some(me));
        self.value = value;
    }
}

#[implement(SeqMem, over = LockInvariant, by = abstraction)]
impl OwnersView {
    #[abstraction]
    fn seen(lo: &Tracked) -> Locked {
        Locked { value: lo.memory.load(lo.previous, VAL), owner: lo.owner }
    }
}
