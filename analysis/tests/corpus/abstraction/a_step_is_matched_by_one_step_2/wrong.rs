//! Each step below is matched by exactly one step above, not by two or none.

#[state]
pub struct Low { pub count: u64 }
#[state]
pub struct High { pub count: u64 }

#[layer]
impl Lower for Low {
    #[op]
    fn skip(&mut self, me: Pid) {  }
}

#[layer(ops = Lower)]
impl Upper for High {
    #[op]
    fn skip(&mut self, me: Pid) { when(self.count != 0); }
    // ^^^^ CS0501 simulation
}

#[implement(Upper, over = Lower, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Low) -> High { High { count: lo.count } }
}
