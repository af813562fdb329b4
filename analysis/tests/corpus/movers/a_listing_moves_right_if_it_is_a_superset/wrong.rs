//! A listing that becomes outdated is a right mover only if it may contain too many entries: an exact one shows that an entry was removed.

#[state]
pub struct Folder { pub present: Set<Pid> }

#[layer]
impl Files for Folder {
    #[op]
    fn create(&mut self, me: Pid) { self.present.insert(me); }
    #[op]
    fn remove(&mut self, me: Pid, of: Pid) { self.present.remove(&of); }
    #[op(right)]
    //   ^^^^^ CS0301 right-mover / remove
    fn is_mine_present(&mut self, me: Pid) -> bool { self.present.contains(&me) }
}
