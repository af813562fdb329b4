//! What was read with a stamp is still so as long as the stamp is the same, if every step that changes the one changes the other.

#[state]
pub struct Cell { pub stamp: u64, pub x: u64 }

#[layer]
impl Steps for Cell {
    #[op]
    fn both(&mut self, me: Pid) -> (u64, u64) { (self.x, self.stamp) }
    #[op]
    fn swap(&mut self, me: Pid, seen: u64, to: u64) -> bool {
        if self.stamp != seen { return false; }
        self.stamp += 1;
        self.x = to;
        true
    }
    #[op]
    fn set(&mut self, me: Pid, to: u64) { self.x = to; }
}

#[layer(inherit(Steps: set, both))]
impl Whole for Cell {
    #[op]
    fn replace(&mut self, me: Pid, to: u64) -> u64 {
        let before = self.x;
        self.stamp += 1;
        self.x = to;
        before
    }
}

#[implement(Whole, over = Steps, by = movers, pass(set, both))]
impl Replace {
    fn replace(lo: &mut impl Steps, to: u64) -> u64 {
        loop {
            let (before, seen) = lo.both();
            if lo.swap(seen, to) { return before; }
            // ^^^^^^^^^^^^^^^^^ CS0307 shape
        }
    }
}
