//! That nothing else is in a collection is known as long as nobody can add to it.

#[state]
pub struct Frame { pub pins: Set<Pid>, pub closer: Option<Pid>, pub bytes: String }

#[layer]
impl Steps for Frame {
    #[op]
    fn pin(&mut self, me: Pid) -> bool {
        self.pins.insert(me);
        true
    }
    #[op]
    fn close(&mut self, me: Pid) -> bool {
        if self.closer.is_some() || !self.pins.is_empty() { return false; }
        self.closer = Some(me);
        true
    }
    #[op]
    fn clear(&mut self, me: Pid) {
        when(self.closer == Some(me) && self.pins.is_empty());
        self.bytes = String::new();
    }
}

#[layer(inherit(Steps: pin))]
impl Whole for Frame {
    #[op]
    fn wipe(&mut self, me: Pid) -> bool {
        if self.closer.is_some() || !self.pins.is_empty() { return false; }
        self.closer = Some(me);
        self.bytes = String::new();
        true
    }
}

#[implement(Whole, over = Steps, by = movers, pass(pin))]
impl Wipe {
    fn wipe(lo: &mut impl Steps) -> bool {
        if !lo.close() { return false; }
        lo.clear();
    //  ^^^^^^^^^^ CS0310 shape
        true
    }
}
