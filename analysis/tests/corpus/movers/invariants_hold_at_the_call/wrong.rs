//! A left mover must be enabled in every state that the invariants allow; excluded states cannot be reached.

#[state]
pub struct Room { pub owner: Option<Pid>, pub guests: Set<Pid> }

#[layer]
impl Door for Room {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none() && self.guests.is_empty()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { when(self.owner == Some(me) && self.guests.is_empty()); self.owner = None; }
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.guests.is_empty() }
    #[op]
    fn enter(&mut self, me: Pid) { self.guests.insert(me); }
}

#[layer(inherit(Door: enter))]
impl Whole for Room {
    #[op]
    fn look(&mut self, me: Pid) -> bool { when(self.owner.is_none() && self.guests.is_empty()); true }
}

#[implement(Whole, over = Door, by = movers, pass(enter))]
impl Look {
    fn look(lo: &mut impl Door) -> bool {
        lo.lock();
        let seen = lo.look();
        lo.unlock();
    //  ^^^^^^^^^^^ CS0310 shape
        seen
    }
}
