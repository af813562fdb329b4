//! A client may name a process by its number.
//!
//! run: end-to-end

#[state]
pub struct Pass { pub to: Option<Pid> }

#[layer]
impl Low for Pass {
    #[init]
    fn nobody(&self) -> bool { self.to.is_none() }
    #[op]
    fn grant(&mut self, me: Pid, to: Pid) { self.to = Some(to); }
    #[op]
    fn is_mine(&mut self, me: Pid) -> bool { self.to == Some(me) }
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Low: init, grant, is_mine, print))]
impl High for Pass {}

#[implement(High, over = Low, by = movers, pass(grant, is_mine, print))]
impl Passed {}

#[stack]
pub type Whole<L> = Passed<L>;

#[client(Whole, processes(2))]
fn hand_over(process: u64, top: &mut impl High) {
    top.grant(Pid(0));
    let mine = top.is_mine();
    assert!(!mine || process == 1);
//  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0701 traces / 2 processes
    top.print(process);
}
