//! A left mover may fail in other states, as long as it does not fail where the procedure calls it.

#[state]
pub struct Shared { pub owner: Option<Pid>, pub count: u64 }

#[layer]
impl Parts for Shared {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn publish(&mut self, me: Pid) -> u64 { self.count = self.count.wrapping_add(1); self.count }
    #[op]
    fn unlock(&mut self, me: Pid) { assert!(self.owner == Some(me)); self.owner = None; }
    //                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0701 atomic-spec
}

#[layer(inherit(Parts: publish))]
impl Whole for Shared {
    #[op]
    fn once(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        self.count = self.count.wrapping_add(1);
        self.count
    }
}

#[implement(Whole, over = Parts, by = movers, pass(publish))]
impl Locking {
    fn once(lo: &mut impl Parts) -> u64 {
        let seen = lo.publish();
        lo.unlock();
    //  ^^^^^^^^^^^ CS0305 shape
        seen
    }
}
