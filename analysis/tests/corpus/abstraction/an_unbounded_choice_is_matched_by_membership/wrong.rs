//! An unbounded choice above is matched by solving for its value, not by enumeration: the number below is beyond every bound.

#[state]
pub struct Low { pub last: u64 }
#[state]
pub struct High { pub last: u64 }

#[layer]
impl Lower for Low {
    #[op]
    fn next(&mut self, me: Pid) -> u64 { self.last = 1000; 1000 }
}

#[layer(ops = Lower)]
impl Upper for High {
    #[op]
    fn next(&mut self, me: Pid) -> u64 { let number: u64 = any(); when(number != 1000); self.last = number; number }
    // ^^^^ CS0501 simulation
}

#[implement(Upper, over = Lower, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Low) -> High { High { last: lo.last } }
}
