//! A procedure's knowledge must survive the steps of other processes: after `reset` nothing is published, but other processes publish in
//! two steps.

#[state]
pub struct Draft { pub written: bool, pub published: bool }

#[layer]
impl Steps for Draft {
    #[op]
    fn reset(&mut self, me: Pid) { self.written = false; self.published = false; }
    #[op]
    fn write(&mut self, me: Pid) { self.written = true; }
    #[op]
    fn publish(&mut self, me: Pid) { if self.written { self.published = true; } }
    #[op]
    fn is_published(&mut self, me: Pid) -> bool { self.published }
}

#[layer(inherit(Steps: write, publish))]
impl Whole for Draft {
    #[op]
    fn start(&mut self, me: Pid) -> bool { self.written = false; self.published = false; false }
}

#[implement(Whole, over = Steps, by = movers, pass(write, publish))]
impl ResetThenLook {
    fn start(lo: &mut impl Steps) -> bool {
        lo.reset();
    //  ^^^^^^^^^^ CS0307 shape
        lo.is_published()
    }
}
