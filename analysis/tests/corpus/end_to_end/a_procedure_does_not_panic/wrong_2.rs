//! A procedure whose own code fails does so at the bottom only: its operation at the top does not fail.
//!
//! run: end-to-end

#[state]
pub struct Flag { pub taken: bool }

#[layer]
impl Low for Flag {
    #[init]
    fn free(&self) -> bool { !self.taken }
    #[op]
    fn take(&mut self, me: Pid) -> bool { let free = !self.taken; self.taken = true; free }
    #[op]
    fn give(&mut self, me: Pid) { self.taken = false; }
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Low: init, give, print))]
impl High for Flag {
    #[op]
    fn sure(&mut self, me: Pid) { when(!self.taken); self.taken = true; }
    #[op]
    fn one(&mut self, me: Pid) -> u64 { 1 }
}

#[implement(High, over = Low, by = movers, pass(give, print))]
impl Sure {
    fn sure(lo: &mut impl Low) {
        let first = lo.take();
        assert!(first);
    }
    fn one(lo: &mut impl Low) -> u64 {
        1
    }
}

#[stack]
pub type Whole<L> = Sure<L>;

#[client(Whole, processes(2))]
fn both(process: u64, top: &mut impl High) {
// ^^^^ CS0801 traces / 2 processes
    top.sure();
    top.print(process);
    top.give();
}
