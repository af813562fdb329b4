//! `steal` would take the lock from its owner. No procedure calls it, and it is not passed on. Where it is passed on, a call that was allowed is
//! not allowed any more.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Raw for Guarded {
    #[op]
    fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn release(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn steal(&mut self, me: Pid) { self.owner = Some(me); }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[layer(protocol = Raw)]
impl Ruled for Guarded {
    #[allowed(write, release)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Whole for Guarded {
    #[op]
    fn set(&mut self, me: Pid, value: u64) { when(self.owner.is_none()); self.value = value; }
}

#[implement(Whole, over = Ruled, by = movers)]
impl Locked {
    fn set(lo: &mut impl Ruled, value: u64) {
        lo.acquire();
        lo.write(value);
        lo.release();
    }
}
