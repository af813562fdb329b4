//! The operation above chooses the element before the value changes the index.

#[state]
pub struct Cells { pub next: u64, pub cell: Total<u64, u64> }

#[layer]
impl Low for Cells {
    #[op]
    fn fill(&mut self, me: Pid, value: u64) { self.cell[self.next] = self.taken(value); }
    fn taken(&mut self, value: u64) -> u64 { self.next += 1; value }
}

#[layer]
impl Up for Cells {
    #[op]
    fn fill(&mut self, me: Pid, value: u64) { self.cell[self.next] = value; self.next += 1; }
//     ^^^^ CS0501 simulation
}

#[implement(Up, over = Low, by = abstraction)]
impl Same {
    #[abstraction]
    fn related(lo: &Cells, hi: &Cells) -> bool { lo == hi }
}
