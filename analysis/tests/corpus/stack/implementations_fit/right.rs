//! The lower layer of an implementation is the upper layer of the next one.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Wire for Light {
    #[op]
    fn set(&mut self, me: Pid, on: bool) { self.on = on; }
}

#[layer(inherit(Wire: set))]
impl Switch for Light {}

#[layer]
impl Room for Light {
    #[op]
    fn enter(&mut self, me: Pid) { self.on = true; }
}

#[implement(Switch, over = Wire, by = movers, pass(set))]
impl ByWire {}

#[implement(Room, over = Switch, by = movers)]
impl ByDoor {
    fn enter(lo: &mut impl Switch) { lo.set(true); }
}

#[stack]
pub type House<L> = ByDoor<ByWire<L>>;
