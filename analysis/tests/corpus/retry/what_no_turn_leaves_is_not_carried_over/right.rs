//! A turn that is wrong only for a value that no earlier turn leaves in a variable is no violation.

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
        let mut given_up = false;
        loop {
            if lo.try_acquire() { return given_up; }
            given_up = false;
        }
    }
}
