//! Each step below is matched by exactly one step above, not by two or none.

#[state]
pub struct Low { pub count: u64 }
#[state]
pub struct High { pub count: u64 }

#[layer]
impl Lower for Low {
    #[op]
    fn skip(&mut self, me: Pid) { self.count = self.count.wrapping_add(2); }
}

#[layer(ops = Lower)]
impl Upper for High {
    #[op]
    fn skip(&mut self, me: Pid) { self.count = self.count.wrapping_add(2); }
}

#[implement(Upper, over = Lower, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Low) -> High { High { count: lo.count } }
}
