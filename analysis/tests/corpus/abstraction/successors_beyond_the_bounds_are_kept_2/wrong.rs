//! Bounds limit the states before a step. The state after it is computed exactly, even if it is beyond the bounds.

#[state]
pub struct Low { pub queue: Seq<u64> }
#[state]
pub struct High { pub queue: Seq<u64> }

#[layer]
impl Lower for Low {
    #[op]
    fn push(&mut self, me: Pid, item: u64) { self.queue.push(item); }
}

#[layer(ops = Lower)]
impl Upper for High {
    #[op]
    fn push(&mut self, me: Pid, item: u64) { if self.queue.len() < 2 { self.queue.push(item); } }
    // ^^^^ CS0501 simulation
}

#[implement(Upper, over = Lower, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Low) -> High { High { queue: lo.queue.clone() } }
}
