//! A rule takes the first arguments of each operation that it is for.

#[scalar]
pub struct Key(String);

#[state]
pub struct Cells { pub all: Map<Key, u64>, pub locks: Map<Key, Pid> }

#[layer]
impl Raw for Cells {
    #[op]
    fn read(&mut self, me: Pid, at: Key) -> Option<u64> { self.all.get(&at).cloned() }
    #[op]
    fn write(&mut self, me: Pid, at: Key, value: u64) { self.all.insert(at, value); }
}

#[layer(protocol = Raw)]
impl Ruled for Cells {
    #[allowed(read, write)]
    fn holds(&self, me: Pid, at: Key) -> bool { self.locks.get(&at) == Some(&me) }
}
