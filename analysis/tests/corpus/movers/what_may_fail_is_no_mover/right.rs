//! After a failure anything may be emitted, so an operation that may fail is not silent and is no mover.

#[state]
pub struct Guarded { pub owner: Option<Pid> }

#[layer]
impl Lock for Guarded {
    #[op(right)]
    fn release(&mut self, me: Pid) { when(self.owner == Some(me)); self.owner = None; }
}
