//! What is said of idle processes is owed by each implementation over the layer, whatever others do.

#[state]
pub struct Work { pub phase: Map<Pid, u64>, pub rounds: u64 }

#[layer]
impl Low for Work {
    #[init]
    fn new(&self) -> bool { self.phase.is_empty() }
    #[idle]
    fn resting(&self, me: Pid) -> bool { !self.phase.contains(&me) }
    #[op]
    fn begin(&mut self, me: Pid) { self.phase.insert(me, 1); }
    #[op]
    fn finish(&mut self, me: Pid) { self.phase.remove(&me); }
    #[op]
    fn look(&mut self, me: Pid) -> u64 { self.rounds }
}

#[layer(inherit(Low: init, look))]
impl High for Work {
    #[op]
    fn work(&mut self, me: Pid) { when(!self.phase.contains(&me)); }
}

#[implement(High, over = Low, by = movers, pass(look))]
impl Works {
    fn work(lo: &mut impl Low) {
        lo.begin();
        lo.finish();
    }
}

#[layer(inherit(Low: init))]
impl Other for Work {
    #[op]
    fn enter(&mut self, me: Pid) {
        if maybe() { self.phase.insert(me, 1); } else { self.phase.remove(&me); }
    }
}

#[implement(Other, over = Low, by = movers)]
impl Enters {
    fn enter(lo: &mut impl Low) {
        lo.begin();
        lo.finish();
    }
}
