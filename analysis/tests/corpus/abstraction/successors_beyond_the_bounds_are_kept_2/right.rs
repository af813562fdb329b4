//! Bounds are on the states before a step; what the step makes of them is computed as it is, beyond the bounds if need be.

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
    fn push(&mut self, me: Pid, item: u64) { self.queue.push(item); }
}

#[implement(Upper, over = Lower, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Low) -> High { High { queue: lo.queue.clone() } }
}
