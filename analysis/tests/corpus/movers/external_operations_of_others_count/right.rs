//! An interaction with the outside is an operation of others like any other: here the machine writes back around it, too.

#[state]
pub struct Buffered { pub value: bool, pub pending: bool }

#[layer]
impl Memory for Buffered {
    #[invariant]
    fn written_back(&self) -> bool { self.value || !self.pending }
    #[op(left)]
    fn wait(&mut self, me: Pid) {  }
    #[op(external)]
    fn print(&mut self, me: Pid) { external() }
    #[background]
    fn write_back(&mut self) { if maybe() { self.value = true; } }
}
