//! The default of a scalar is read only if it wraps a number or a string.

#[scalar]
pub struct Word(Pid);

#[state]
pub struct Memory { pub cells: Total<u64, Word>, pub owner: Option<Pid> }
//                             ^^^^^^^^^^^^^^^^ CS0104

#[layer]
impl Machine for Memory {
    #[op]
    fn read(&mut self, me: Pid, at: u64) -> Word { self.cells[at].clone() }
}
