//! A procedure of movers does not loop, but for over what it has read.

#[state]
pub struct Desks { pub papers: Map<Pid, u64> }

#[layer]
impl Steps for Desks {
    #[op]
    fn put(&mut self, me: Pid, paper: u64) { self.papers.insert(me, paper); }
}

#[layer]
impl Whole for Desks {
    #[op]
    fn put(&mut self, me: Pid) { self.papers.insert(me, 2); }
}

#[implement(Whole, over = Steps, by = movers)]
impl Twice {
    fn put(lo: &mut impl Steps) {
        let mut turn = 0;
        while turn < 2 {
    //  ^^^^^^^^^^^^^^^^ CS0308 shape
            lo.put(1);
            turn += 1;
        }
        lo.put(2);
    }
}
