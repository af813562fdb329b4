//! That the first of two counters is never ahead of the second is found, and known at every call.

#[state]
pub struct Ends { pub taken: u64, pub put: u64 }

#[layer]
impl Counters for Ends {
    #[init]
    fn none(&self) -> bool { self.taken == 0 && self.put == 0 }
    #[op]
    fn read_put(&mut self, me: Pid) -> u64 { self.put }
    #[op]
    fn read_taken(&mut self, me: Pid) -> u64 { self.taken }
    #[op]
    fn put(&mut self, me: Pid) { self.put += 1; }
    #[op]
    fn take(&mut self, me: Pid) -> bool {
        if self.taken >= self.put { return false; }
        self.taken += 1;
        true
    }
}

#[layer(inherit(Counters: init, put, take))]
impl Queue for Ends {
    #[op]
    fn len(&mut self, me: Pid) -> u64 { self.put.saturating_sub(self.taken) }
}

#[implement(Queue, over = Counters, by = movers, pass(put, take))]
impl Length {
    fn len(lo: &mut impl Counters) -> u64 {
        loop {
            let put = lo.read_put();
            let taken = lo.read_taken();
            if lo.read_put() == put {
                return put - taken;
            }
        }
    }
}
