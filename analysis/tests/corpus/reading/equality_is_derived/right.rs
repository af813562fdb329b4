//! Values are compared part by part, as the derived equality does.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag { name: u8, note: u8 }

#[state]
pub struct Cell { pub value: u8 }

#[layer]
impl Low for Cell {
    #[op]
    fn is_same(&mut self, me: Pid, x: u8) -> bool { Tag { name: x, note: 1 } == Tag { name: x, note: 2 } }
}

#[layer(ops = Low)]
impl Up for Cell {
    #[op]
    fn is_same(&mut self, me: Pid, x: u8) -> bool { false }
}

#[implement(Up, over = Low, by = abstraction)]
impl Never {
    #[abstraction]
    fn same(lo: &Cell, hi: &Cell) -> bool { lo == hi }
}
