//! A procedure is not started in states in which the operation above fails; and a left mover does not hide the failure of another
//! operation.

#[state]
pub struct Heap { pub locks: Map<u64, Pid>, pub next: Map<u64, u64>, pub x: u64, pub y: u64 }

#[layer]
impl Steps for Heap {
    #[op]
    fn link(&mut self, me: Pid, from: u64, to: u64) { self.next.insert(from, to); }
    #[op]
    fn release(&mut self, me: Pid, at: u64) { when(self.locks.get(&at) == Some(&me)); self.locks.remove(&at); }
    #[op]
    fn clear_x(&mut self, me: Pid) { self.x = 0; }
    #[op]
    fn raise_y(&mut self, me: Pid) { self.y = 1; }
    #[op]
    fn wait_x(&mut self, me: Pid) { when(self.x == 0); }
    #[op]
    fn check_y(&mut self, me: Pid) { assert!(self.y == 1); }
}

#[layer(inherit(Steps: wait_x, check_y))]
impl Whole for Heap {
    #[op]
    fn link_and_release(&mut self, me: Pid, from: u64, to: u64) {
        assert!(self.locks.get(&from) == Some(&me));
        self.next.insert(from, to);
        self.locks.remove(&from);
    }
    #[op]
    fn reset(&mut self, me: Pid) { self.x = 0; self.y = 1; }
}

#[implement(Whole, over = Steps, by = movers, pass(wait_x, check_y))]
impl LinkAndRelease {
    fn link_and_release(lo: &mut impl Steps, from: u64, to: u64) {
        lo.link(from, to);
        lo.release(from);
    }
    fn reset(lo: &mut impl Steps) {
        lo.clear_x();
        lo.raise_y();
    //  ^^^^^^^^^^^^ CS0305 shape
    }
}
