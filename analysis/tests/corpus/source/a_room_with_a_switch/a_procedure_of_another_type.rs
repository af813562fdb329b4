//! A procedure has another result type than the operation above.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Switch for Light {
    #[op]
    fn on(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn off(&mut self, me: Pid) { self.on = false; }
}

#[layer]
impl Room for Light {
    #[op]
    fn enter(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn leave(&mut self, me: Pid) { self.on = false; }
}

#[implement(Room, over = Switch, by = movers)]
impl ByDoor {
    fn enter(lo: &mut impl Switch) { lo.on(); }
    fn leave(lo: &mut impl Switch) -> bool { lo.off(); true }
//     ^^^^^ CS0205
}
