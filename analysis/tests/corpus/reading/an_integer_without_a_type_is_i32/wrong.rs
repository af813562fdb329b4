//! A cast says nothing about the type of a variable: an integer of which nothing else is known is an `i32`.

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
    fn large(&mut self, me: Pid) { self.value = 4294967296; }
}

#[implement(Up, over = Low, by = movers)]
impl Doubled {
    fn large(lo: &mut impl Low) {
        let mut value = 1;
        for _ in 0..32 { value *= 2; }
//                       ^^^^^^^^^^ CS0702 atomic-spec
        lo.set(value as u64)
    }
}
