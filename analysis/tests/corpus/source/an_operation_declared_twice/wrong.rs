//! An operation is both inherited and declared.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Switch for Light {
    #[op]
    fn on(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn off(&mut self, me: Pid) { self.on = false; }
}

#[layer(inherit(Switch: on, off))]
//                          ^^^ CS0203
impl Room for Light {
    #[op]
    fn off(&mut self, me: Pid) { self.on = false; }
}

#[implement(Room, over = Switch, by = movers)]
impl ByDoor {
    fn on(lo: &mut impl Switch) { lo.on(); }
    fn off(lo: &mut impl Switch) { lo.off(); }
}
