//! Every initial state below must be an initial state above.

#[state]
pub struct Cell { pub value: u64 }

#[layer]
impl Lower for Cell {
    #[init]
    fn init(&self) -> bool { self.value == 0 }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[layer(inherit(Lower: write))]
impl Upper for Cell {
    #[init]
    fn init(&self) -> bool { self.value == 0 }
}

#[implement(Upper, over = Lower, by = movers, pass(write))]
impl Same {}
