//! An external operation of another process counts like any other: here a background step may occur around it, too.

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
