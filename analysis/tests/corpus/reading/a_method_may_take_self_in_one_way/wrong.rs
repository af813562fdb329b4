//! Here Rust calls the helper of the layer, since `self` is borrowed once more for the other.

#[state]
pub struct Cell { pub value: u64 }

impl Cell {
    pub fn seen(&self) -> u64 { self.value }
}

#[layer]
impl Low for Cell {
    fn seen(&mut self) -> u64 { self.value + 1 }
    #[op]
    fn look(&mut self, me: Pid) -> u64 { self.seen() }
//                                       ^^^^^^^^^^^ CS0203
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
