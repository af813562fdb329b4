//! The number that the top has to choose is tried only when the run is compared once more.
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
        self.value = 100;
        n * 3 + 1
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
// ^^^^^^ CS0904 traces / 1 processes
    let seen = top.pick();
    top.print(seen);
}
