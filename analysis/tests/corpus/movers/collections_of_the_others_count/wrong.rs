//! Steps of other processes that read a collection of unknown size are followed.

#[state]
pub struct Alarm { pub queue: Seq<bool>, pub rings: bool, pub armed: bool }

#[layer]
impl Steps for Alarm {
    #[op]
    fn reset(&mut self, me: Pid) { self.rings = false; self.armed = !self.armed; }
    #[op]
    fn trip(&mut self, me: Pid) { if self.queue.len() > 0 { self.rings = true; } }
    #[op]
    fn hear(&mut self, me: Pid) -> bool { self.rings }
}

#[layer(inherit(Steps: trip))]
impl Whole for Alarm {
    #[op]
    fn arm(&mut self, me: Pid) -> bool { self.rings = false; self.armed = !self.armed; false }
}

#[implement(Whole, over = Steps, by = movers, pass(trip))]
impl ResetThenHear {
    fn arm(lo: &mut impl Steps) -> bool {
        lo.reset();
    //  ^^^^^^^^^^ CS0307 shape
        lo.hear()
    }
}
