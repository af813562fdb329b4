//! Whether a procedure is atomic may depend on a question that is undecided: then it is undecided, too.

#[state]
pub struct Shade { pub color: u64, pub locked: bool }

#[layer]
impl Steps for Shade {
    #[op]
    fn peek(&mut self, me: Pid) -> u64 { let seen: u64 = any(); when(seen <= self.color); seen }
    #[op]
    fn fade(&mut self, me: Pid) { self.color = 3; }
    #[op]
    fn darken(&mut self, me: Pid) { when(!self.locked); if self.color < 5 { self.color = 5; } }
    #[op]
    fn lock(&mut self, me: Pid) { self.locked = true; }
}

#[layer]
impl Whole for Shade {
    #[op]
    fn barrier(&mut self, me: Pid) {
        let seen: u64 = any();
        when(seen <= self.color);
        if seen < 2 { when(!self.locked); if self.color < 5 { self.color = 5; } }
    }
}

#[implement(Whole, over = Steps, by = movers)]
impl Fast {
    fn barrier(lo: &mut impl Steps) {
        let seen = lo.peek();
        if seen < 2 {
            lo.darken();
        //  ^^^^^^^^^^^ CS0908 shape
        }
    }
}
