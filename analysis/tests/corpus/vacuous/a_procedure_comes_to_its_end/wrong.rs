//! A procedure that waits for itself satisfies its obligations vacuously.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: bool }

#[layer]
impl Steps for Guarded {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn set(&mut self, me: Pid) { when(self.owner == Some(me)); self.value = true; self.owner = None; }
}

#[layer]
impl Whole for Guarded {
    #[op]
    fn set(&mut self, me: Pid) { when(self.owner.is_none()); self.value = true; }
}

#[implement(Whole, over = Steps, by = movers)]
impl Locked {
    fn set(lo: &mut impl Steps) {
//     ^^^ CS1004 atomic-spec
        lo.lock();
        lo.lock();
        lo.set();
    }
}
