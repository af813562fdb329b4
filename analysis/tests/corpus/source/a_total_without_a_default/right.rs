//! The values of a total function must have a default. `#[scalar]` derives one.

#[scalar]
pub struct Word(u64);

#[state]
pub struct Memory { pub cells: Total<u64, Word>, pub owner: Option<Pid> }

#[layer]
impl Machine for Memory {
    #[op]
    fn read(&mut self, me: Pid, at: u64) -> Word { self.cells[at].clone() }
}
