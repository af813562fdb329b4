//! A loop over each element may count them.

#[state]
pub struct Cell { pub value: u64 }

#[layer]
impl Low for Cell {
    #[op]
    fn set(&mut self, me: Pid, to: u64) { self.value = to; }
}

#[layer]
impl Up for Cell {
    #[op]
    fn count(&mut self, me: Pid) { self.value = 2; }
}

#[implement(Up, over = Low, by = movers)]
impl Counted {
    fn count(lo: &mut impl Low) {
        let mut tried = 0;
        for number in 0..2u64 { if number < 5 { tried += 1; } }
        lo.set(tried)
    }
}
