//! A computed number may equal an unknown one: the length of a sequence of two elements is 2, and so may `limit` be.

#[state]
pub struct Queue { pub items: Seq<bool>, pub limit: u64, pub full: bool }

#[layer]
impl Bounded for Queue {
    #[op(right)]
    //   ^^^^^ CS0301 right-mover / look
    fn note(&mut self, me: Pid) { if self.items.len() as u64 == self.limit && self.limit != 0 { self.full = true; } }
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.full }
}
