//! A turn is checked with all values that earlier turns may have left in variables.

#[state]
pub struct Guarded { pub owner: Option<Pid> }

#[layer]
impl Tries for Guarded {
    #[op]
    fn try_acquire(&mut self, me: Pid) -> bool {
        if maybe() { return false; }
        when(self.owner.is_none());
        self.owner = Some(me);
        true
    }
}

#[layer]
impl Lock for Guarded {
    #[op]
    fn acquire(&mut self, me: Pid) -> bool { when(self.owner.is_none()); self.owner = Some(me); false }
}

#[implement(Lock, over = Tries, by = retry)]
impl Spin {
    fn acquire(lo: &mut impl Tries) -> bool {
    // ^^^^^^^ CS0602 turn
        let mut waited = false;
        loop {
            if lo.try_acquire() { return waited; }
            waited = true;
        }
    }
}
