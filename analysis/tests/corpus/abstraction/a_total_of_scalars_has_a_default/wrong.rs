//! The default of a scalar is a value like any other: that of the number or the string in it.

#[scalar]
#[derive(Default)]
pub struct Word(u64);

#[state]
pub struct Memory { pub cells: Total<u64, Word>, pub clean: bool }

#[layer]
impl Machine for Memory {
    #[init]
    fn empty(&self) -> bool { self.cells.is_default() && self.clean }
    #[op]
    fn read(&mut self, me: Pid, at: u64) -> Word { self.cells[at].clone() }
    #[op]
    fn wipe(&mut self, me: Pid, at: u64) -> bool { self.cells[at] = Word(1); self.cells[at] == Word(0) }
}

#[state]
pub struct Pages { pub cells: Total<u64, Word> }

#[layer(ops = Machine)]
impl Paged for Pages {
    #[init]
    fn empty(&self) -> bool { self.cells.is_default() }
    #[op]
    fn read(&mut self, me: Pid, at: u64) -> Word { self.cells[at].clone() }
    #[op]
    fn wipe(&mut self, me: Pid, at: u64) -> bool { self.cells[at] = Default::default(); true }
//     ^^^^ CS0501 simulation
}

#[implement(Paged, over = Machine, by = abstraction)]
impl Forget {
    #[abstraction]
    fn cells(lo: &Memory) -> Pages { Pages { cells: lo.cells.clone() } }
}
