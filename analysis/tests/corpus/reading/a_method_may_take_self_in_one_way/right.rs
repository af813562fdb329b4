//! Two methods of one name take `self` in the same way: Rust calls that of the type itself.

#[state]
pub struct Cell { pub value: u64 }

impl Cell {
    pub fn seen(&mut self) -> u64 { self.value }
}

#[layer]
impl Low for Cell {
    fn seen(&mut self) -> u64 { self.value + 1 }
    #[op]
    fn look(&mut self, me: Pid) -> u64 { self.seen() }
}

#[layer]
impl Up for Cell {
    #[op]
    fn look(&mut self, me: Pid) -> u64 { self.value }
}

#[implement(Up, over = Low, by = movers)]
impl Looking {
    fn look(lo: &mut impl Low) -> u64 { lo.look() }
}
