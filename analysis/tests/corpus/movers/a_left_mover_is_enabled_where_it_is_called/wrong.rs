//! After the commit point an operation must be enabled in every state that the procedure can be in.

#[state]
pub struct Spool { pub tmp: Set<Pid>, pub sent: Seq<u64> }

#[layer]
impl Files for Spool {
    #[op]
    fn create(&mut self, me: Pid) { self.tmp.insert(me); }
    #[op]
    fn send(&mut self, me: Pid, message: u64) { self.sent.push(message); }
    #[op]
    fn remove(&mut self, me: Pid) {
        when(self.tmp.contains(&me));
        self.tmp.remove(&me);
    }
}

#[layer]
impl Mail for Spool {
    #[op]
    fn deliver(&mut self, me: Pid, message: u64) {
        self.sent.push(message);
        self.tmp.remove(&me);
    }
}

#[implement(Mail, over = Files, by = movers)]
impl SendThenRemove {
    fn deliver(lo: &mut impl Files, message: u64) {
        lo.send(message);
        lo.remove();
    //  ^^^^^^^^^^^ CS0310 shape
    }
}
