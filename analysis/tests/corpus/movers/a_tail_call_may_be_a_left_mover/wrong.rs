//! A call in tail position is a call like any other.

#[state]
pub struct Spool { pub tmp: Set<Pid>, pub last: u64 }

#[layer]
impl Steps for Spool {
    #[op]
    fn send(&mut self, me: Pid, message: u64) { self.last = message; }
    #[op]
    fn clean(&mut self, me: Pid) -> bool { self.tmp.remove(&me); true }
    #[op]
    fn again(&mut self, me: Pid, message: u64) -> bool { let seen = self.last == message; self.last = message; seen }
}

#[layer]
impl Whole for Spool {
    #[op]
    fn send(&mut self, me: Pid, message: u64) -> bool { self.last = message; self.tmp.remove(&me); maybe() }
}

#[implement(Whole, over = Steps, by = movers)]
impl SendThenClean {
    fn send(lo: &mut impl Steps, message: u64) -> bool {
        lo.clean();
        lo.send(message);
        lo.again(message)
    //  ^^^^^^^^^^^^^^^^^ CS0310 shape
    }
}
