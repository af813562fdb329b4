//! A string that no step at the top has tried may be the one that it has to choose: `u`.
//!
//! run: end-to-end

#[state]
pub struct Name { pub text: String }

#[layer]
impl Low for Name {
    #[init]
    fn empty(&self) -> bool { self.text == "" }
    #[op]
    fn name(&mut self, me: Pid) -> String { self.text = "u.v".to_owned(); "u.v".to_owned() }
    #[op(external)]
    fn print(&mut self, me: Pid, text: String) { external() }
}

#[layer(inherit(Low: init, print))]
impl High for Name {
    #[op]
    fn name(&mut self, me: Pid) -> String {
        let text: String = any();
        self.text = "u.v".to_owned();
        text + ".v"
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
