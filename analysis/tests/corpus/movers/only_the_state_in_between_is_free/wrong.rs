//! The results and the end state must be the same, but the state in between may differ: an operation that writes an arbitrary value may
//! come first or second.

#[state]
pub struct Cell { pub value: u64 }

#[layer]
impl Shared for Cell {
    #[op(both)]
    //   ^^^^ CS0301 right-mover / scribble
    //   ^^^^ CS0302 left-mover / scribble
    fn scribble(&mut self, me: Pid, value: u64) -> u64 { self.value = value; value }
}
