//! `*` calls `deref` here, so this reads the part of the part.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inner { name: u8 }
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag { name: u8, inner: Inner }
impl std::ops::Deref for Tag { type Target = Inner; fn deref(&self) -> &Inner { &self.inner } }
//             ^^^^^ CS0102

#[state]
pub struct Cell { pub value: u8 }

#[layer]
impl Low for Cell {
    #[op]
    fn is_same(&mut self, me: Pid, x: u8) -> bool { let tag = Tag { name: 1, inner: Inner { name: 2 } }; (*tag).name == 2 }
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
