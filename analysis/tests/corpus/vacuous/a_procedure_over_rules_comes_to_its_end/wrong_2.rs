//! A procedure that waits for itself satisfies its obligations vacuously, also over a protocol.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: bool }

#[layer]
impl Raw for Guarded {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn set(&mut self, me: Pid) { self.value = true; }
}

#[layer(protocol = Raw, nilpotent)]
impl Ruled for Guarded {
    #[allowed(unlock, set)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Whole for Guarded {
    #[op]
    fn set(&mut self, me: Pid) { when(self.owner.is_none()); self.value = true; }
}

#[implement(Whole, over = Ruled, by = movers)]
impl Locked {
    fn set(lo: &mut impl Ruled) {
//     ^^^ CS1004 atomic-spec
        lo.lock();
        lo.set();
        lo.lock();
    }
}
