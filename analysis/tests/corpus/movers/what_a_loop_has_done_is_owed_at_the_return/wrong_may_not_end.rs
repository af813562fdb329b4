//! What the turns of a loop have done counts at the return, too.

#[state]
pub struct Work { pub phase: Map<Pid, u64>, pub on: bool }

#[layer]
impl Low for Work {
    #[init]
    fn new(&self) -> bool { self.phase.is_empty() }
    #[idle]
    fn resting(&self, me: Pid) -> bool { !self.phase.contains(&me) }
    #[op]
    fn begin(&mut self, me: Pid) { self.phase.insert(me, 1); }
    #[op]
    fn is_on(&mut self, me: Pid) -> bool { self.on }
}

#[layer(inherit(Low: init))]
impl High for Work {
    #[op]
    fn work(&mut self, me: Pid, again: bool) {
        self.phase.insert(me, 1);
    }
}

#[implement(High, over = Low, by = movers)]
impl Works {
    fn work(lo: &mut impl Low, again: bool) {
        lo.begin();
        while lo.is_on() {}
        //    ^^^^^^^^^^ CS0312 idle-returns
    }
}
