//! Both layers of an implementation by movers must have the same state.

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
impl Room for Lamp {
    #[op]
    fn enter(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn leave(&mut self, me: Pid) { self.on = false; }
}

#[implement(Room, over = Switch, by = movers)]
//                       ^^^^^^ CS0204
impl ByDoor {
    fn enter(lo: &mut impl Switch) { lo.on(); }
    fn leave(lo: &mut impl Switch) { lo.off(); }
}

#[state]
pub struct Lamp { pub on: bool }
