//! The choice of the operation above may have to be a number larger than those in explored states.

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
        let n = choose([0, 1, 2, 3, 4]);
        self.number = (n + 1) % 8;
    }
}

#[implement(Whole, over = Steps, by = movers)]
impl Together {
    fn twice(lo: &mut impl Steps) {
    // ^^^^^ CS0307 atomic-spec
        lo.step();
        lo.step();
    }
}
