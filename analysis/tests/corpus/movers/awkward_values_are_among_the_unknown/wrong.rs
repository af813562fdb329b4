//! Unknown values include those that the code names: the empty text is one of them.

#[state]
pub struct Page { pub cleared: bool }

#[layer]
impl Notes for Page {
    #[op(right)]
    //   ^^^^^ CS0301 right-mover / look
    fn write(&mut self, me: Pid, text: String) { if text == "" { self.cleared = true; } }
    #[op]
    fn look(&mut self, me: Pid) -> bool { self.cleared }
}
