//! The closure of an iterator may not be called for each element, so a function that waits is not called in it.

#[state]
pub struct Cell { pub value: u64, pub all: Seq<u64> }

#[layer]
impl Low for Cell {
    #[op]
    fn set(&mut self, me: Pid) { self.value = self.all.iter().map(|it| self.waits(*it)).count(); }
//                                                                     ^^^^^^^^^^^^^^^ CS0102
    fn waits(&self, it: u64) -> u64 { when(it > 0); it }
}
