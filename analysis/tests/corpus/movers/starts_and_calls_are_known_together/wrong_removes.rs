//! The version before is removed: a process that has found it reads it in vain.

#[scalar]
pub struct Version(pub u64);

#[state]
pub struct Store { pub versions: Map<Version, u64>, pub current: Option<Version> }

#[layer]
impl Memory for Store {
    #[init]
    fn new(&self) -> bool { self.versions.is_empty() && self.current.is_none() }
    #[op]
    fn make(&mut self, me: Pid, text: u64) -> Version {
        let version: Version = any();
        when(!self.versions.contains(&version));
        self.versions.insert(version.clone(), text);
        version
    }
    #[op]
    fn remove(&mut self, me: Pid, version: Version) { self.versions.remove(&version); }
    #[op]
    fn publish(&mut self, me: Pid, version: Version) { self.current = Some(version); }
    #[op]
    fn current(&mut self, me: Pid) -> Option<Version> { self.current.clone() }
    #[op]
    fn read(&mut self, me: Pid, version: Version) -> u64 { self.versions.get(&version).copied().unwrap() }
}

#[layer(inherit(Memory: init))]
impl Snapshots for Store {
    #[op]
    fn set(&mut self, me: Pid, text: u64) {
        let version: Version = any();
        when(!self.versions.contains(&version));
        self.versions.insert(version.clone(), text);
        self.current = Some(version);
    }
    #[op]
    fn get(&mut self, me: Pid) -> Option<u64> {
        match &self.current {
            Some(version) => Some(self.versions.get(version).copied().unwrap()),
            None => None,
        }
    }
}

#[implement(Snapshots, over = Memory, by = movers)]
impl CopyOnWrite {
    fn set(lo: &mut impl Memory, text: u64) {
//     ^^^ CS0307 atomic-spec
        let version = lo.make(text);
        if let Some(old) = lo.current() {
            lo.remove(old);
        }
        lo.publish(version);
//      ^^^^^^^^^^^^^^^^^^^ CS0305 shape
    }
    fn get(lo: &mut impl Memory) -> Option<u64> {
        match lo.current() {
            Some(version) => Some(lo.read(version)),
//                                ^^^^^^^^^^^^^^^^ CS0307 shape
            None => None,
        }
    }
}
