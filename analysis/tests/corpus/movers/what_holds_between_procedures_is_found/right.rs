//! A procedure starts where its process has returned from the one before: what holds initially, and again at every return, is known there.

#[state]
pub struct Work { pub phase: Map<Pid, u64>, pub rounds: u64 }

#[layer]
impl Raw for Work {
    #[init]
    fn new(&self) -> bool { self.phase.is_empty() }
    #[op]
    fn begin(&mut self, me: Pid, at: u64) { self.phase.insert(me, at); }
    #[op]
    fn finish(&mut self, me: Pid) { self.phase.remove(&me); }
    #[op]
    fn look(&mut self, me: Pid) -> u64 { self.rounds }
}

#[layer(protocol = Raw, nilpotent)]
impl Rules for Work {
    #[allowed(begin)]
    fn at_rest(&self, me: Pid) -> bool { !self.phase.contains(&me) }
    #[allowed(finish)]
    fn at_work(&self, me: Pid) -> bool { self.phase.contains(&me) }
}

#[layer(inherit(Raw: init, look))]
impl Whole for Work {
    #[op]
    fn work(&mut self, me: Pid, at: u64) { when(!self.phase.contains(&me)); }
}

#[implement(Whole, over = Rules, by = movers, pass(look))]
impl Works {
    fn work(lo: &mut impl Rules, at: u64) {
        lo.begin(at);
        lo.finish();
    }
}
