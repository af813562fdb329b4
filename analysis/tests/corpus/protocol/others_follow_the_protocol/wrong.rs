//! Other processes follow the protocol as well: they may not release my lock, so I keep it. In a layer where they may, I can lose it.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Raw for Guarded {
    #[op]
    fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn release(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[layer(protocol = Raw)]
impl Ruled for Guarded {
    #[allowed(write)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
    // ^^^^^^^^ CS0402 stays-allowed / release
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
    //  ^^^^^^^^^^^^ CS0310 shape
        lo.write(value);
        lo.release();
    }
}
