//! An operation without a step in any state makes all that is said of it empty.

#[state]
pub struct Guarded { pub owner: Option<Pid> }

#[layer]
impl Lock for Guarded {
    #[op]
    fn release(&mut self, me: Pid) { when(self.owner == Some(me)); self.owner = None; }
}
