//! The events of the other operation must be the same in both orders.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Switch for Light {
    #[op(right)]
    fn on(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn report(&mut self, me: Pid) { emit(true); }
}
