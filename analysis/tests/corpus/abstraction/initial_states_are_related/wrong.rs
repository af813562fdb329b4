//! Initial states are related to initial states: a buffer that is not empty at the start has no counterpart.

#[state]
pub struct Buffered { pub value: u64, pub pending: Option<u64> }
#[state]
pub struct Plain { pub value: u64 }

#[layer]
impl Lower for Buffered {
    #[init]
    fn init(&self) -> bool { self.value == 0 }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.pending = Some(value); }
}

#[layer(ops = Lower)]
impl Upper for Plain {
    #[init]
    fn init(&self) -> bool { self.value == 0 }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[implement(Upper, over = Lower, by = abstraction)]
impl Newest {
//   ^^^^^^ CS0502 initial
    #[abstraction]
    fn newest(lo: &Buffered) -> Plain { Plain { value: lo.pending.unwrap_or(lo.value) } }
}
