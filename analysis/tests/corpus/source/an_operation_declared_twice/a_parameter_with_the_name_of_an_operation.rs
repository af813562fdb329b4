//! A parameter has the name of an operation, which rustc refuses.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Switch for Light {
    #[op]
    fn on(&mut self, me: Pid) { self.on = true; }
    #[op]
    fn off(&mut self, me: Pid, on: bool) { self.on = on; }
    //                         ^^ CS0203
}

#[layer(inherit(Switch: on))]
impl Room for Light {
    #[op]
    fn off(&mut self, me: Pid, still: bool) { self.on = still; }
}

#[implement(Room, over = Switch, by = movers)]
impl ByDoor {
    fn on(lo: &mut impl Switch) { lo.on(); }
    fn off(lo: &mut impl Switch, still: bool) { lo.off(still); }
}
