//! A layer whose invariants hold in no state has no steps.

#[state]
pub struct Room { pub count: u64, pub limit: u64 }

#[layer]
impl Counted for Room {
    #[invariant]
    fn fits(&self) -> bool { self.count == self.limit }
    #[op]
    fn leave(&mut self, me: Pid) -> u64 { self.limit }
}

#[layer(ops = Counted)]
impl Whole for Room {
    #[op]
    fn leave(&mut self, me: Pid) -> u64 { self.limit }
}

#[implement(Whole, over = Counted, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Room) -> Room { lo.clone() }
}
