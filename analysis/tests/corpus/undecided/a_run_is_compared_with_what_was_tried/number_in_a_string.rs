//! Each number in a string that was met is tried, too, and makes new strings: that must come to an end.
//!
//! run: end-to-end

#[state]
pub struct Name { pub text: String }

#[layer]
impl Low for Name {
    #[init]
    fn empty(&self) -> bool { self.text == "" }
    #[op]
    fn name(&mut self, me: Pid) -> String { self.text = "w".to_owned(); "w".to_owned() }
    #[op(external)]
    fn print(&mut self, me: Pid, text: String) { external() }
}

#[layer(inherit(Low: init, print))]
impl High for Name {
    #[op]
    fn name(&mut self, me: Pid) -> String {
        let number: u64 = any();
        self.text = "w".to_owned();
        format!("{number}.")
    }
}

#[implement(High, over = Low, by = search, pass(print))]
impl Names {
    fn name(lo: &mut impl Low) -> String { lo.name() }
}

#[stack]
pub type Whole<L> = Names<L>;

#[client(Whole, processes(1))]
fn prints(process: u64, top: &mut impl High) {
// ^^^^^^ CS0909 traces / 1 processes
    let text = top.name();
    top.print(text);
}
