//! A countdown latch. `count_down` of another process does not come between `count_down` that returns 1 and `open`: `arrive` is called by those
//! who are missing, and then nobody is. So `count_down` that returns 1 moves right past every step of others, and `open` is the commit point.

#[state]
pub struct Latch { pub missing: Set<Pid>, pub open: bool }

#[layer]
impl Parts for Latch {
    #[op]
    fn count_down(&mut self, me: Pid) -> usize {
        let old = self.missing.len();
        self.missing.remove(&me);
        old
    }
    #[op]
    fn open(&mut self, me: Pid) { self.open = true; }
    #[op]
    fn is_open(&mut self, me: Pid) -> bool { self.open }
}

#[layer(inherit(Parts: is_open))]
impl Countdown for Latch {
    #[op]
    fn arrive(&mut self, me: Pid) {
        assert!(self.missing.contains(&me));
        self.missing.remove(&me);
        if self.missing.is_empty() { self.open = true; }
    }
}

#[implement(Countdown, over = Parts, by = movers, pass(is_open))]
impl CountDownLatch {
    fn arrive(lo: &mut impl Parts) { if lo.count_down() == 1 { lo.open(); } }
}
