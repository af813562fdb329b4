//! A left mover stays enabled in all states, not only in those that the procedure can be in: here the owner may always finish.

#[state]
pub struct Room { pub owner: Option<Pid>, pub open: bool, pub log: Seq<u64> }

#[layer]
impl Steps for Room {
    #[op]
    fn enter(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn write(&mut self, me: Pid, line: u64) { self.log.push(line); }
    #[op]
    fn close(&mut self, me: Pid) { self.open = false; }
    #[op]
    fn leave(&mut self, me: Pid) {
        when(self.owner == Some(me) || self.open);
        if self.owner == Some(me) { self.owner = None; }
    }
}

#[layer]
impl Whole for Room {
    #[op]
    fn note(&mut self, me: Pid, line: u64) { when(self.owner.is_none()); self.log.push(line); }
}

#[implement(Whole, over = Steps, by = movers)]
impl EnterThenLeave {
    fn note(lo: &mut impl Steps, line: u64) {
        lo.enter();
        lo.write(line);
        lo.leave();
    //  ^^^^^^^^^^ CS0305 shape
    }
}
