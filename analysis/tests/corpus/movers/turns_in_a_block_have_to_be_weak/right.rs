//! A block that leaves no trace is judged by its edges, and the turns of a loop in it are none: if they change something, others see it even if
//! the procedure never ends.

#[state]
pub struct Room { pub owner: Option<Pid>, pub seated: Set<Pid> }

#[layer]
impl Raw for Room {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn sit(&mut self, me: Pid) -> bool {
        let is_new = !self.seated.contains(&me);
        is_new
    }
    #[op]
    fn is_empty(&mut self, me: Pid) -> bool { self.seated.is_empty() }
    #[op]
    fn never(&mut self, me: Pid) { when(false); }
    // ^^^^^ CS1001 no-panic
}

#[layer(protocol = Raw)]
impl Locked for Room {
    #[allowed(unlock, sit, is_empty)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Whole for Room {
    #[op]
    fn is_empty(&mut self, me: Pid) -> bool { when(self.owner.is_none()); self.seated.is_empty() }
    #[op]
    fn stop(&mut self, me: Pid) { when(false); }
    // ^^^^ CS1001 no-panic
}

#[implement(Whole, over = Locked, by = movers)]
impl Code {
    fn is_empty(lo: &mut impl Locked) -> bool {
        lo.lock();
        let is_empty = lo.is_empty();
        lo.unlock();
        is_empty
    }
    fn stop(lo: &mut impl Locked) {
        lo.lock();
        while lo.sit() {}
        lo.unlock();
        lo.never();
    }
}
