//! `arrive` may be called by those who are not missing any more: then two of them find that one is left.

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
        self.missing.remove(&me);
        if self.missing.is_empty() { self.open = true; }
    }
}

#[implement(Countdown, over = Parts, by = movers, pass(is_open))]
impl CountDownLatch {
    fn arrive(lo: &mut impl Parts) { if lo.count_down() == 1 { lo.open(); } }
//     ^^^^^^ CS0307 atomic-spec
//                                                             ^^^^^^^^^ CS0305 shape
}
