//! If no number is found that the operation above could choose, there may still be one: that is not a violation.

#[state]
pub struct Counter { pub number: u64 }

#[layer]
impl Steps for Counter {
    #[op]
    fn step(&mut self, me: Pid) { self.number = 0; }
}

#[layer]
impl Whole for Counter {
    #[op]
    fn twice(&mut self, me: Pid) {
        let n: u64 = any();
        self.number = (n * 3 + 1) % 800;
    }
}

#[implement(Whole, over = Steps, by = movers)]
impl Together {
    fn twice(lo: &mut impl Steps) {
    // ^^^^^ CS0904 atomic-spec
        lo.step();
        lo.step();
    }
}
