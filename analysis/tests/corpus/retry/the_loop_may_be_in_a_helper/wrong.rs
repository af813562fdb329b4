//! The retry loop may be in a helper.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub turns: bool }

#[layer]
impl Tries for Guarded {
    #[op]
    fn bump(&mut self, me: Pid) { self.turns = true; }
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
    fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
}

#[implement(Lock, over = Tries, by = retry)]
impl Spin {
    fn spin(lo: &mut impl Tries) {
        while !lo.try_acquire() {}
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0603 turn
    }
    fn acquire(lo: &mut impl Tries) {
        lo.bump();
        Self::spin(lo);
    }
}
