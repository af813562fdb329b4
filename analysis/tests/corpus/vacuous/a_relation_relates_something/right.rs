//! A relation that relates no states is preserved by every step.

#[state]
pub struct Flag { pub up: bool }

#[layer]
impl Low for Flag {
    #[init]
    fn init(&self) -> bool { !self.up }
    #[op]
    fn raise(&mut self, me: Pid) { self.up = true; }
}

#[layer(ops = Low)]
impl High for Flag {
    #[op]
    fn raise(&mut self, me: Pid) { self.up = true; }
}

#[implement(High, over = Low, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Flag, hi: &Flag) -> bool { lo.up == hi.up }
}
