//! A step above has the result of the step below.

#[state]
pub struct Low { pub on: bool }
#[state]
pub struct High { pub off: bool }

#[layer]
impl Lower for Low {
    #[op]
    fn turn(&mut self, me: Pid, on: bool) { self.on = on; }
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.on }
}

#[layer(ops = Lower)]
impl Upper for High {
    #[op]
    fn turn(&mut self, me: Pid, on: bool) { self.off = !on; }
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.off }
    // ^^^^ CS0501 simulation
}

#[implement(Upper, over = Lower, by = abstraction)]
impl Negated {
    #[abstraction]
    fn negated(lo: &Low, hi: &High) -> bool { hi.off != lo.on }
}
