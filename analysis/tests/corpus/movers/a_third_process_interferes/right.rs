//! Two processes are not enough: `both` is set only if two others take part, one after the other.

#[state]
pub struct Door { pub first: Option<Pid>, pub both: bool }

#[layer]
impl Steps for Door {
    #[op]
    fn reset(&mut self, me: Pid) { self.first = None; self.both = false; }
    #[op]
    fn enter(&mut self, me: Pid) { if self.first.is_none() {  } }
    #[op]
    fn follow(&mut self, me: Pid) { if self.first.is_some_and(|it| it != me) { self.both = true; } }
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.both }
}

#[layer(inherit(Steps: enter, follow))]
impl Whole for Door {
    #[op]
    fn start(&mut self, me: Pid) -> bool { self.first = None; self.both = false; false }
}

#[implement(Whole, over = Steps, by = movers, pass(enter, follow))]
impl ResetThenLook {
    fn start(lo: &mut impl Steps) -> bool {
        lo.reset();
        lo.look()
    }
}
