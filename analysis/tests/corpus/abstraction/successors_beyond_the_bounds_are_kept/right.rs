//! Bounds limit the states before a step. The state after it is computed exactly, even if it is beyond the bounds.

#[state]
pub struct Low { pub count: u64 }
#[state]
pub struct High { pub count: u64 }

#[layer]
impl Lower for Low {
    #[op]
    fn inc(&mut self, me: Pid) { self.count = self.count + 1; }
}

#[layer(ops = Lower)]
impl Upper for High {
    #[op]
    fn inc(&mut self, me: Pid) { self.count = (self.count + 1); }
}

#[implement(Upper, over = Lower, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Low) -> High { High { count: lo.count } }
}
