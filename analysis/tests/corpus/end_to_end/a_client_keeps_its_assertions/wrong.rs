//! The assertions of a client hold in every run, whatever the top layer allows.
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
fn twice(process: u64, top: &mut impl High) {
    let first = top.take();
    let second = top.take();
    assert!(first);
//  ^^^^^^^^^^^^^^ CS0701 traces / 2 processes
    top.print(process);
}
