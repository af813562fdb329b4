//! The search compares events: a client without events checks nothing, unless it asserts something.
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
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Low: init, take, print))]
impl High for Flag {}

#[implement(High, over = Low, by = movers, pass(take, print))]
impl Passed {}

#[stack]
pub type Whole<L> = Passed<L>;

#[client(Whole, processes(2))]
fn takes(process: u64, top: &mut impl High) {
    let got = top.take();
    top.print(if got { 1 } else { 0 });
}

#[client(Whole, processes(2))]
fn asserts(process: u64, top: &mut impl High) {
    let got = top.take();
    assert!(!got || !top.take());
}
