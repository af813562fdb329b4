//! If the scope excludes every initial state, nothing was searched.
//!
//! run: end-to-end

#[state]
pub struct Items { pub items: Seq<u64> }

#[layer]
impl Low for Items {
    #[init]
    fn start(&self) -> bool { self.items.len() == 5 }
    #[op]
    fn count(&mut self, me: Pid) -> u64 { if self.items.is_empty() { 0 } else { 1 } }
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Low: init, count, print))]
impl High for Items {}

#[implement(High, over = Low, by = movers, pass(count, print))]
impl Passed {}

#[stack]
pub type Whole<L> = Passed<L>;

#[client(Whole, processes(2))]
fn counts(process: u64, top: &mut impl High) {
// ^^^^^^ CS0906 traces / 2 processes
    let seen = top.count();
    top.print(seen);
}
