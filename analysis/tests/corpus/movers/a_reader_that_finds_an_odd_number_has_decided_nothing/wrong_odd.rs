//! The reader does not look whether the number is odd. So it may return what a writer has stored in one word only.

#[state]
pub struct Words {
    pub seq: u64,
    pub one: u64,
    pub two: u64,
    pub writer: Option<Pid>,
}

#[layer]
impl Memory for Words {
    #[init]
    fn init(&self) -> bool { self.seq == 0 && self.writer.is_none() }
    #[op]
    fn seq(&mut self, me: Pid) -> u64 { self.seq }
    #[op]
    fn begin(&mut self, me: Pid, seen: u64) -> bool {
        if self.seq != seen { return false; }
        self.seq = seen + 1;
        self.writer = Some(me);
        true
    }
    #[op]
    fn end(&mut self, me: Pid) { self.seq += 1; self.writer = None; }
    #[op]
    fn one(&mut self, me: Pid) -> u64 { self.one }
    #[op]
    fn two(&mut self, me: Pid) -> u64 { self.two }
    #[op]
    fn set_one(&mut self, me: Pid, to: u64) { self.one = to; }
    #[op]
    fn set_two(&mut self, me: Pid, to: u64) { self.two = to; }
}

#[layer(protocol = Memory, nilpotent)]
impl Rules for Words {
    #[allowed(set_one, set_two, end)]
    fn by_writer(&self, me: Pid) -> bool { self.writer == Some(me) && self.seq % 2 == 1 }
    #[allowed(begin)]
    fn from_even(&self, me: Pid, seen: u64) -> bool { seen % 2 == 0 }
}

#[layer]
impl Pair for Words {
    #[op]
    fn write(&mut self, me: Pid, a: u64, b: u64) {
        when(self.seq % 2 == 0);
        self.seq += 2;
        self.one = a;
        self.two = b;
        self.writer = None;
    }
    #[op]
    fn read(&mut self, me: Pid) -> (u64, u64) {
        when(self.seq % 2 == 0);
        (self.one, self.two)
    }
}

#[implement(Pair, over = Rules, by = movers)]
impl SequenceLock {
    fn write(lo: &mut impl Rules, a: u64, b: u64) {
        loop {
            let seen = lo.seq();
            if seen % 2 == 0 && lo.begin(seen) {
                lo.set_one(a);
//              ^^^^^^^^^^^^^ CS0305 shape
                lo.set_two(b);
                lo.end();
                return;
            }
        }
    }

    fn read(lo: &mut impl Rules) -> (u64, u64) {
        loop {
            let before = lo.seq();
//                       ^^^^^^^^ CS0307 shape
            let (one, two) = (lo.one(), lo.two());
            if lo.seq() == before { return (one, two); }
        }
    }
}
