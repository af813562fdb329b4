//! The values of a total function must have a default.

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Word { Low, High }

#[state]
pub struct Memory { pub cells: Total<u64, Word>, pub owner: Option<Pid> }
//         ^^^^^^ CS0104

#[layer]
impl Machine for Memory {
    #[op]
    fn read(&mut self, me: Pid, at: u64) -> Word { self.cells[at].clone() }
}
