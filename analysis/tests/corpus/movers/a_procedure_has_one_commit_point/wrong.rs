//! A procedure has at most one call that does not move.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Steps for Light {
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.on }
    #[op]
    fn set(&mut self, me: Pid, on: bool) { self.on = on; }
    #[op]
    fn swap(&mut self, me: Pid, on: bool) -> bool { let seen = self.on; self.on = on; seen }
}

#[layer]
impl Whole for Light {
    #[op]
    fn flash(&mut self, me: Pid) -> bool { let seen = self.on; self.on = true; seen }
}

#[implement(Whole, over = Steps, by = movers)]
impl LookThenSet {
    fn flash(lo: &mut impl Steps) -> bool {
        let seen = lo.look();
        //         ^^^^^^^^^ CS0307 shape
        lo.set(true);
        seen
    }
}
