//! Right movers and the commit point may block; later calls may not.

#[state]
pub struct Queue { pub ready: Set<Pid>, pub items: Seq<u64> }

#[layer]
impl Steps for Queue {
    #[op]
    fn prepare(&mut self, me: Pid) { when(self.ready.contains(&me)); }
    #[op]
    fn pop(&mut self, me: Pid) -> u64 { when(!self.items.is_empty()); self.items.pop().unwrap() }
}

#[layer]
impl Whole for Queue {
    #[op]
    fn take(&mut self, me: Pid) -> u64 {
        when(self.ready.contains(&me) && !self.items.is_empty());
        self.items.pop().unwrap()
    }
}

#[implement(Whole, over = Steps, by = movers)]
impl PrepareThenPop {
    fn take(lo: &mut impl Steps) -> u64 {
        let first = lo.pop();
        lo.prepare();
    //  ^^^^^^^^^^^^ CS0310 shape
        first
    }
}
