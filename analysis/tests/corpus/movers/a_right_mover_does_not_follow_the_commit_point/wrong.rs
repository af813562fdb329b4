//! A right mover must come before the commit point: a lock that is acquired after it protects nothing.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub sent: Seq<u64> }

#[layer]
impl Steps for Guarded {
    #[op]
    fn acquire(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn send(&mut self, me: Pid, message: u64) { self.sent.push(message); }
}

#[layer]
impl Whole for Guarded {
    #[op]
    fn begin(&mut self, me: Pid, message: u64) {
        when(self.owner.is_none());
        self.owner = Some(me);
        self.sent.push(message);
    }
}

#[implement(Whole, over = Steps, by = movers)]
impl SendThenAcquire {
    fn begin(lo: &mut impl Steps, message: u64) {
        lo.send(message);
        lo.acquire();
    //  ^^^^^^^^^^^^ CS0310 shape
    }
}
