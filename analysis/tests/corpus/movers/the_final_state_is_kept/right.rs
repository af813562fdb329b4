//! Both orders end in the same state: of two writes the last wins.

#[state]
pub struct Light { pub on: bool, pub warm: bool }

#[layer]
impl Switch for Light {
    #[op(right)]
    fn on(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn off(&mut self, me: Pid) { self.warm = false; }
}
