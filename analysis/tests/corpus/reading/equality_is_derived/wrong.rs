//! This equality looks at one part only, so the two are equal.

#[derive(Clone, Debug)]
pub struct Tag { name: u8, note: u8 }
impl PartialEq for Tag { fn eq(&self, other: &Tag) -> bool { self.name == other.name } }
//   ^^^^^^^^^ CS0102

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
