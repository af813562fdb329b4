//! If an operation has no step in any state, every claim about it holds vacuously.

#[state]
pub struct Guarded { pub owner: Option<Pid> }

#[layer]
impl Lock for Guarded {
    #[op]
    fn release(&mut self, me: Pid) { when(self.owner == Some(me)); self.owner = None; }
}
