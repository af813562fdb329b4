//! If another operation fails before a left mover, the mover has not run and its result is unobserved. It suffices that the mover could
//! have come first, with some result, and that the other operation may then still fail.

#[state]
pub struct Door { pub closed: bool, pub broken: bool }

#[layer]
impl Lock for Door {
    #[op(left)]
    //   ^^^^ CS0302 left-mover / enter
    fn unlock(&mut self, me: Pid) -> bool { self.closed = false; true }

    #[op]
    fn enter(&mut self, me: Pid) { assert!(!self.closed); }
}
