//! If there are too many numbers to try, the run is not wrong either.
//!
//! run: end-to-end

#[state]
pub struct Count { pub value: u64 }

#[layer]
impl Low for Count {
    #[init]
    fn zero(&self) -> bool { self.value == 0 }
    #[op]
    fn count(&mut self, me: Pid) -> u64 { self.value = 120; self.value }
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Low: init, print))]
impl High for Count {
    #[op]
    fn pick(&mut self, me: Pid) -> u64 {
        let (a, b, c): (u64, u64, u64) = (any(), any(), any());
        when(a > 3 && b > 3 && c > 3);
        self.value = 120;
        a * b * c
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
