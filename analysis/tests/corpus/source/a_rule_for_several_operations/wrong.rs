//! `to` is the second argument of `copy`: a rule about it would be taken for one about `from`.

#[scalar]
pub struct Key(String);

#[state]
pub struct Cells { pub all: Map<Key, u64>, pub locks: Map<Key, Pid> }

#[layer]
impl Raw for Cells {
    #[op]
    fn read(&mut self, me: Pid, at: Key) -> Option<u64> { self.all.get(&at).cloned() }
    #[op]
    fn copy(&mut self, me: Pid, from: Key, to: Key) { when(self.all.contains(&from)); let it = self.all[&from]; self.all.insert(to, it); }
}

#[layer(protocol = Raw)]
impl Ruled for Cells {
    #[allowed(read, copy)]
    //              ^^^^ CS0205
    fn holds(&self, me: Pid, to: Key) -> bool { self.locks.get(&to) == Some(&me) }
}
