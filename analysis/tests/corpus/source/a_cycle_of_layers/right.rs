//! Two layers take their signatures from each other.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Switch for Light {
    #[op]
    fn on(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn off(&mut self, me: Pid) { self.on = false; }
}

#[layer(ops = Switch)]
impl Room for Light {
    #[op]
    fn on(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn off(&mut self, me: Pid) { self.on = false; }
}

#[implement(Room, over = Switch, by = movers)]
impl ByDoor {
    fn on(lo: &mut impl Switch) { lo.on(); }
    fn off(lo: &mut impl Switch) { lo.off(); }
}
