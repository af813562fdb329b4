//! The number that the top has to choose is one that its steps try.
//!
//! run: end-to-end

#[state]
pub struct Count { pub value: u64 }

#[layer]
impl Low for Count {
    #[init]
    fn zero(&self) -> bool { self.value == 0 }
    #[op]
    fn count(&mut self, me: Pid) -> u64 { self.value = 4; self.value }
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Low: init, print))]
impl High for Count {
    #[op]
    fn pick(&mut self, me: Pid) -> u64 {
        let n: u64 = any();
        self.value = 4;
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
    let seen = top.pick();
    top.print(seen);
}
