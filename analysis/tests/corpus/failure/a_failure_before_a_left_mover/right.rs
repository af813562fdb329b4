//! Where another operation fails before a left mover, that has not been made, and nobody has seen what it returns: it is enough that it
//! could have come first, with some result, and that the other may fail all the same.

#[state]
pub struct Door { pub closed: bool, pub broken: bool }

#[layer]
impl Lock for Door {
    #[op(left)]
    fn unlock(&mut self, me: Pid) -> bool { self.closed = false; true }

    #[op]
    fn enter(&mut self, me: Pid) { assert!(!self.broken); }
}
