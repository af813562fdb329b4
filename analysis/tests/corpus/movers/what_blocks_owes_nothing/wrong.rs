//! Acquiring a lock is disabled while it is held. Nothing is claimed about progress: a procedure that waits for itself violates nothing.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Lock for Guarded {
    #[op]
    fn acquire(&mut self, me: Pid) { if maybe() { when(self.owner.is_none()); } self.owner = Some(me); }
}

#[layer]
impl Whole for Guarded {
    #[op]
    fn stall(&mut self, me: Pid) { when(false); }
//     ^^^^^ CS1001 no-panic
}

#[implement(Whole, over = Lock, by = movers)]
impl Deadlock {
    fn stall(lo: &mut impl Lock) {
    // ^^^^^ CS0307 atomic-spec
        lo.acquire();
    }
}
