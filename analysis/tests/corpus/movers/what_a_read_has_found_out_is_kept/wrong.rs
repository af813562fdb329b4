//! The result of a read is still valid at the commit point only if no step in between changes it, including the procedure's own calls.

#[state]
pub struct Cell { pub owner: Option<Pid>, pub x: u64, pub y: u64 }

#[layer]
impl Steps for Cell {
    #[op]
    fn read_outside(&mut self, me: Pid) -> u64 { when(self.owner != Some(me)); self.x }
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn count(&mut self, me: Pid) { when(self.owner == Some(me)); self.y += 1; }
    #[op]
    fn unlock(&mut self, me: Pid) { when(self.owner == Some(me)); self.owner = None; }
    #[op]
    fn set(&mut self, me: Pid, to: u64) { self.x = to; }
}

#[layer(inherit(Steps: set, unlock))]
impl Whole for Cell {
    #[op]
    fn enter(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        self.owner = Some(me);
        self.y += 1;
        self.x
    }
}

#[implement(Whole, over = Steps, by = movers, pass(set, unlock))]
impl Enter {
    fn enter(lo: &mut impl Steps) -> u64 {
        let seen = lo.read_outside();
        lo.lock();
    //  ^^^^^^^^^ CS0307 shape
        lo.count();
        seen
    }
}
