//! Rust calls the closure of `map` for the first element only, since `any` ends there.

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
        let found = (0..2u64).map(|number| { tried += 1; number }).any(|number| number < 5);
//                                           ^^^^^^^^^^ CS0102
        lo.set(tried)
    }
}
