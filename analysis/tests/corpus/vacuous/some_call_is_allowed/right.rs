//! A rule forbids every call of an operation, so the operation is useless.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: bool }

#[layer]
impl Raw for Guarded {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn clear(&mut self, me: Pid) { self.value = false; }
}

#[layer(protocol = Raw)]
impl Ruled for Guarded {
    #[allowed(clear)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer(inherit(Raw: lock))]
impl Whole for Guarded {}

#[implement(Whole, over = Ruled, by = movers, pass(lock))]
impl Passed {}
