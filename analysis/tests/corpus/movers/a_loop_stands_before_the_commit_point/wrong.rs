//! A loop stands before the commit point, and its turns change nothing.

#[state]
pub struct Board { pub x: u64, pub y: u64, pub taken: bool }

#[layer]
impl Steps for Board {
    #[op]
    fn read(&mut self, me: Pid) -> u64 { self.x }
    #[op]
    fn set(&mut self, me: Pid, to: u64) { self.x = to; }
    #[op]
    fn put(&mut self, me: Pid, to: u64) { self.y = to; }
    #[op]
    fn look(&mut self, me: Pid) -> u64 { self.y }
    #[op]
    fn claim(&mut self, me: Pid) -> bool { let free = !self.taken; self.taken = true; free }
}

#[layer(inherit(Steps: set, look, claim))]
impl Whole for Board {
    #[op]
    fn wait(&mut self, me: Pid) { self.y = 1; }
    #[op]
    fn twice(&mut self, me: Pid) -> u64 { self.y = 1; any() }
}

#[implement(Whole, over = Steps, by = movers, pass(set, look, claim))]
impl Loops {
    fn wait(lo: &mut impl Steps) {
        lo.put(1);
    //  ^^^^^^^^^ CS0310 shape
        loop {
            if lo.read() == 1 {
                break;
            }
        }
    }
    fn twice(lo: &mut impl Steps) -> u64 {
        let mut last = 0;
        loop {
            let seen = lo.read();
            if seen == last {
                break;
            }
            last = seen;
        }
        lo.put(1);
        last
    }
}
