//! Unknown values include those that the code names: the empty text is one of them.

#[state]
pub struct Page { pub cleared: bool }

#[layer]
impl Notes for Page {
    #[op(right)]
    fn write(&mut self, me: Pid, text: String) {  }
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.cleared }
}
