//! The mover has the same result in the other order.

#[state]
pub struct Cell { pub value: u64 }

#[layer]
impl Shared for Cell {
    #[op(right)]
    //   ^^^^^ CS0301 right-mover / write
    fn read(&mut self, me: Pid) -> u64 { self.value }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.value = value; }
}
