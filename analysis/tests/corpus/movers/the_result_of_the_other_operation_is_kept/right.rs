//! The other operation has the same result in the other order.

#[state]
pub struct Folder { pub tmp: bool }

#[layer]
impl Files for Folder {
    #[op(right)]
    fn create(&mut self, me: Pid) { self.tmp = true; }
    #[op]
    fn exists(&mut self, me: Pid) -> bool { maybe() }
}
