//! No number that the top may choose leads to this one.
//!
//! run: end-to-end

#[state]
pub struct Count { pub value: u64 }

#[layer]
impl Low for Count {
    #[init]
    fn zero(&self) -> bool { self.value == 0 }
    #[op]
    fn count(&mut self, me: Pid) -> u64 { self.value = 100; self.value }
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Low: init, print))]
impl High for Count {
    #[op]
    fn pick(&mut self, me: Pid) -> u64 {
        let n: u64 = any();
        self.value = n;
        7
    }
}

#[implement(High, over = Low, by = search, pass(print))]
impl Picks {
    fn pick(lo: &mut impl Low) -> u64 { lo.count() }
}

#[stack]
pub type Whole<L> = Picks<L>;

#[client(Whole, processes(1))]
fn prints(process: u64, top: &mut impl High) {
// ^^^^^^ CS0801 traces / 1 processes
    let seen = top.pick();
    top.print(seen);
}
