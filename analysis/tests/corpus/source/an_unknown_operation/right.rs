//! An operation is inherited from a layer that does not have it.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Switch for Light {
    #[op]
    fn on(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn off(&mut self, me: Pid) { self.on = false; }
}

#[layer(inherit(Switch: on))]
impl Room for Light {
    #[op]
    fn leave(&mut self, me: Pid) { self.on = false; }
}

#[implement(Room, over = Switch, by = movers)]
impl ByDoor {
    fn on(lo: &mut impl Switch) { lo.on(); }
    fn leave(lo: &mut impl Switch) { lo.off(); }
}
