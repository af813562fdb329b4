//! Three steps of other processes are too many to be followed exactly: an unconfirmed suspicion is undecided.

#[state]
pub struct Chain { pub a: bool, pub b: bool, pub c: bool, pub d: bool, pub e: bool }

#[layer]
impl Steps for Chain {
    #[op]
    fn reset(&mut self, me: Pid) { self.a = false; self.b = false; self.c = false; self.d = false; self.e = false; }
    #[op]
    fn first(&mut self, me: Pid) { self.a = true; }
    #[op]
    fn second(&mut self, me: Pid) { if self.a { self.b = true; } }
    #[op]
    fn third(&mut self, me: Pid) { if self.b { self.c = true; } }
    #[op]
    fn fourth(&mut self, me: Pid) { if self.c { self.d = true; } }
    #[op]
    fn look(&mut self, me: Pid) -> bool { false }
}

#[layer(inherit(Steps: first, second, third, fourth))]
impl Whole for Chain {
    #[op]
    fn start(&mut self, me: Pid) -> bool {
        self.a = false; self.b = false; self.c = false; self.d = false; self.e = false;
        false
    }
}

#[implement(Whole, over = Steps, by = movers, pass(first, second, third, fourth))]
impl ResetThenLook {
    fn start(lo: &mut impl Steps) -> bool {
        lo.reset();
        lo.look()
    }
}
