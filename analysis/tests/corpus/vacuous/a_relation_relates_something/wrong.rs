//! A relation that relates no states is preserved by every step.

#[state]
pub struct Flag { pub up: bool }

#[layer]
impl Low for Flag {
    #[init]
    fn init(&self) -> bool { self.up && !self.up }
//     ^^^^ CS1007 initial
    #[op]
    fn raise(&mut self, me: Pid) { self.up = true; }
}

#[layer(ops = Low)]
impl High for Flag {
    #[op]
    fn raise(&mut self, me: Pid) { self.up = true; }
//     ^^^^^ CS1004 simulation
}

#[implement(High, over = Low, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Flag, hi: &Flag) -> bool { lo.up == hi.up && lo.up != hi.up }
}
