//! Every trace of the bottom is a trace of the top, whatever the patterns claim: here two processes may print the same number.
//!
//! run: end-to-end

#[state]
pub struct Count { pub value: u64 }

#[layer]
impl Cell for Count {
    #[init]
    fn zero(&self) -> bool { self.value == 0 }
    #[op]
    fn read(&mut self, me: Pid) -> u64 { self.value }
    #[op]
    fn bump(&mut self, me: Pid) -> u64 { let old = self.value; self.value = self.value.wrapping_add(1); old }
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Cell: print))]
impl Counter for Count {
    #[init]
    fn zero(&self) -> bool { self.value == 0 }
    #[op]
    fn inc(&mut self, me: Pid) -> u64 { let old = self.value; self.value = self.value.wrapping_add(1); old }
}

#[implement(Counter, over = Cell, by = movers, pass(print))]
impl Bumps {
    fn inc(lo: &mut impl Cell) -> u64 { lo.bump() }
}

#[stack]
pub type Whole<L> = Bumps<L>;

#[client(Whole, processes(2))]
fn counts(process: u64, top: &mut impl Counter) {
    let seen = top.inc();
    top.print(seen);
}
