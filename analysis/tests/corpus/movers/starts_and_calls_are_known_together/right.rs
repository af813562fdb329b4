//! Snapshots that are made, published and never changed. What is published has been made, since each `publish` is called with a version that has
//! been made; and `read` is called with one that was published. Neither can be shown without the other.

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
        let version = lo.make(text);
        lo.publish(version);
    }
    fn get(lo: &mut impl Memory) -> Option<u64> {
        match lo.current() {
            Some(version) => Some(lo.read(version)),
            None => None,
        }
    }
}
