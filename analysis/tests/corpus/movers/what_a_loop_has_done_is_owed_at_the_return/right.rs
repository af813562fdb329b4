//! What the turns of a loop have done counts at the return, too.

#[state]
pub struct Work { pub phase: Map<Pid, u64> }

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
}

#[layer(inherit(Low: init))]
impl High for Work {
    #[op]
    fn work(&mut self, me: Pid, again: bool) {
        if maybe() { self.phase.insert(me, 1); } else { self.phase.remove(&me); }
    }
}

#[implement(High, over = Low, by = movers)]
impl Works {
    fn work(lo: &mut impl Low, again: bool) {
        let mut goes_on = again;
        while goes_on {
            lo.begin();
            goes_on = false;
        }
        lo.finish();
    }
}
