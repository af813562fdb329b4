//! A procedure may start afresh after a step that leaves no trace. That is no start of a procedure: what it does from there to its return counts,
//! and what the condition on idle processes says is known there only as far as it still holds.

#[state]
pub struct Room { pub owner: Option<Pid>, pub open: bool, pub inside: Set<Pid>, pub visits: u64 }

#[layer]
impl Low for Room {
    #[init]
    fn new(&self) -> bool { self.inside.is_empty() }
    #[idle]
    fn at_rest(&self, me: Pid) -> bool { !self.inside.contains(&me) }
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { when(self.owner == Some(me)); self.owner = None; }
    #[op]
    fn is_open(&mut self, me: Pid) -> bool { self.open }
    #[op]
    fn turn(&mut self, me: Pid) { self.open = !self.open; }
    #[op]
    fn enter(&mut self, me: Pid) { self.inside.insert(me); }
    #[op]
    fn leave(&mut self, me: Pid) { self.inside.remove(&me); }
    #[op]
    fn is_inside(&mut self, me: Pid) -> bool { self.inside.contains(&me) }
    #[op]
    fn visits(&mut self, me: Pid) -> u64 { self.visits }
}

#[layer(inherit(Low: init, turn))]
impl High for Room {
    #[op]
    fn count(&mut self, me: Pid) -> u64 { self.visits }
    #[op]
    fn wait(&mut self, me: Pid) -> bool {
        when(self.owner.is_none() && self.open);
        if maybe() { self.inside.insert(me); } else { self.inside.remove(&me); }
        maybe()
    }
}

#[implement(High, over = Low, by = movers, pass(turn))]
impl Code {
    fn count(lo: &mut impl Low) -> u64 {
        if lo.is_inside() {
            return 7;
        }
        lo.visits()
    }
    fn wait(lo: &mut impl Low) -> bool {
        lo.lock();
        let mut is_first = true;
        loop {
            if lo.is_open() {
                let was_inside = lo.is_inside();
                if is_first {
                    lo.leave();
                } else {
                    lo.enter();
                }
                lo.unlock();
            //  ^^^^^^^^^^^ CS0312 idle-returns
                return was_inside;
            }
            is_first = false;
            lo.unlock();
            lo.lock();
        }
    }
}
