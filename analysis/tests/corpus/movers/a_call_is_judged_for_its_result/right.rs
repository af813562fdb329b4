//! A call is judged for the result that its path takes: a successful `enter` moves right; after a failed one nothing follows.

#[state]
pub struct Gate { pub closed: bool, pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Steps for Gate {
    #[op]
    fn try_enter(&mut self, me: Pid) -> bool {
        if self.closed { return false; }
        when(self.owner.is_none());
        self.owner = Some(me);
        true
    }
    #[op]
    fn open(&mut self, me: Pid) { self.closed = false; }
    #[op]
    fn ticket(&mut self, me: Pid) -> u64 { self.value += 1; self.value }
    #[op]
    fn leave(&mut self, me: Pid) { when(self.owner == Some(me)); self.owner = None; }
}

#[layer(inherit(Steps: open, ticket))]
impl Whole for Gate {
    #[op]
    fn count(&mut self, me: Pid) -> Option<u64> {
        if self.closed { return None; }
        when(self.owner.is_none());
        self.value += 1;
        Some(self.value)
    }
}

#[implement(Whole, over = Steps, by = movers, pass(open, ticket))]
impl Count {
    fn count(lo: &mut impl Steps) -> Option<u64> {
        if !lo.try_enter() {
            return None;
        }
        let value = lo.ticket();
        lo.leave();
        Some(value)
    }
}
