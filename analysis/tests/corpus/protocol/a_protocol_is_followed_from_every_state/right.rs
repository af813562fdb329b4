//! A procedure must follow the protocol from every state that it may start in: the room may be closed at first.

#[state]
pub struct Room { pub open: bool, pub values: Map<Pid, u64> }

#[layer]
impl Raw for Room {
    #[init]
    fn init(&self) -> bool { self.values.is_empty() }
    #[op]
    fn unlock(&mut self, me: Pid) { self.open = true; }
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.values.insert(me, value); }
}

#[layer(protocol = Raw)]
impl Ruled for Room {
    #[allowed(write)]
    fn while_open(&self, me: Pid) -> bool { self.open }
}

#[layer(inherit(Raw: init))]
impl Whole for Room {
    #[op]
    fn set(&mut self, me: Pid, value: u64) { self.open = true; self.values.insert(me, value); }
}

#[implement(Whole, over = Ruled, by = movers)]
impl Enter {
    fn set(lo: &mut impl Ruled, value: u64) {
        lo.unlock(); lo.write(value);
    }
}
