//! A value that a variable has only after many turns is not explored.

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
    // ^^^^^^^ CS0905 turn
        let mut waited = 0;
        loop {
            if lo.try_acquire() { return waited > 1_000_000; }
            waited += 1;
        }
    }
}
