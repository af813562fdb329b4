//! A left mover stays enabled whatever other processes do: a read under a lock that any process can release does not.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Lock for Guarded {
    #[op]
    fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn release(&mut self, me: Pid) { when(self.owner == Some(me)); self.owner = None; }
    #[op(left)]
    fn read(&mut self, me: Pid) -> u64 { when(self.owner == Some(me)); self.value }
}
