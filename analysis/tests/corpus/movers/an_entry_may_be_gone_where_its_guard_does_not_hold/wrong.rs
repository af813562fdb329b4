//! A guard may be that a process is in a set. Where it does not hold, the process is not in the set: that case has to be looked at, too.

#[state]
pub struct Store { pub waiting: Set<Pid>, pub open: bool }

#[layer]
impl Steps for Store {
    #[op]
    fn leave(&mut self, me: Pid) -> bool { self.waiting.remove(&me); self.waiting.is_empty() }
    #[op]
    fn open(&mut self, me: Pid) -> bool { self.open = true; self.waiting.is_empty() }
    #[op]
    fn is_open(&mut self, me: Pid) -> bool { self.open }
}

#[layer(inherit(Steps: leave, is_open))]
impl Whole for Store {
    #[op]
    fn leave_and_open(&mut self, me: Pid) -> bool {
        self.waiting.remove(&me);
        self.open = true;
        self.waiting.is_empty()
    }
}

#[implement(Whole, over = Steps, by = movers, pass(leave, is_open))]
impl Both {
    fn leave_and_open(lo: &mut impl Steps) -> bool {
        let is_last = lo.leave();
        lo.open();
    //  ^^^^^^^^^ CS0305 shape
        is_last
    }
}
