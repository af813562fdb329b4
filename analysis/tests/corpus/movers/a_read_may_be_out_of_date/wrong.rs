//! A read may be outdated when it is used if its use detects that, as a compare-and-swap does.

#[state]
pub struct Count { pub count: u64 }

#[layer]
impl Machine for Count {
    #[op]
    fn read(&mut self, me: Pid) -> u64 { self.count }
    #[op]
    fn store(&mut self, me: Pid, value: u64) { self.count = value; }
    #[op]
    fn cas(&mut self, me: Pid, from: u64, to: u64) -> bool {
        if self.count != from { return false; }
        self.count = to;
        true
    }
}

#[layer(inherit(Machine: store))]
impl Attempts for Count {
    #[op]
    fn try_set(&mut self, me: Pid, value: u64) -> bool {
        if maybe() { return false; }
        self.count = value;
        true
    }
    #[op]
    fn take(&mut self, me: Pid, value: u64) -> u64 {
        let old = self.count;
        self.count = value;
        old
    }
}

#[implement(Attempts, over = Machine, by = movers, pass(store))]
impl Optimist {
    fn try_set(lo: &mut impl Machine, value: u64) -> bool {
        let seen = lo.read();
        lo.cas(seen, value)
    }
    fn take(lo: &mut impl Machine, value: u64) -> u64 {
        loop {
            let seen = lo.read();
            lo.store(value);
        //  ^^^^^^^^^^^^^^^ CS0307 shape
            return seen;
        }
    }
}
