//! The value before need not be another one.

#[state]
pub struct Cell { pub value: u8 }

#[layer]
impl Low for Cell {
    #[op]
    fn swap(&mut self, me: Pid, to: u8) -> u8 { std::mem::replace(&mut self.value, to) }
}

#[layer]
impl Up for Cell {
    #[op]
    fn put(&mut self, me: Pid, to: u8) { self.value = to; }
}

#[implement(Up, over = Low, by = movers)]
impl Swapped {
    fn put(lo: &mut impl Low, to: u8) {
        let old = lo.swap(to);
        debug_assert_ne!(old, to);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^ CS0701 atomic-spec
        debug_assert_eq!(to.min(old), std::cmp::min(old, to));
    }
}
