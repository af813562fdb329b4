//! Results are fixed, the end is the same, and the state between is free: who writes anything at all may come first or second.

#[state]
pub struct Cell { pub value: u64 }

#[layer]
impl Shared for Cell {
    #[op(both)]
    //   ^^^^ CS0301 right-mover / scribble
    //   ^^^^ CS0302 left-mover / scribble
    fn scribble(&mut self, me: Pid, value: u64) -> u64 { self.value = value; value }
}
