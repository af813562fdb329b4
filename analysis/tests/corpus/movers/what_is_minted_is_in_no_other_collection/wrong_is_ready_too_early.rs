//! The place is ready before the record is in it.

#[scalar]
pub struct Record(pub u64);

#[state]
pub struct Log { pub tail: u64, pub records: Map<u64, Record>, pub ready: Set<u64> }

#[layer]
impl Memory for Log {
    #[init]
    fn new(&self) -> bool { self.tail == 0 && self.records.is_empty() && self.ready.is_empty() }
    #[op]
    fn reserve(&mut self, me: Pid) -> u64 {
        let at = self.tail;
        self.tail += 1;
        at
    }
    #[op]
    fn fill(&mut self, me: Pid, at: u64, record: Record) { self.records.insert(at, record); }
    #[op]
    fn set_ready(&mut self, me: Pid, at: u64) { self.ready.insert(at); }
    #[op]
    fn is_ready(&mut self, me: Pid, at: u64) -> bool { self.ready.contains(&at) }
    #[op]
    fn record(&mut self, me: Pid, at: u64) -> Option<Record> { self.records.get(&at).cloned() }
}

#[layer(inherit(Memory: init))]
impl Appends for Log {
    #[op]
    fn append(&mut self, me: Pid, record: Record) -> u64 {
        let at = self.tail;
        self.tail += 1;
        self.records.insert(at, record);
        self.ready.insert(at);
        at
    }
    #[op]
    fn read(&mut self, me: Pid, at: u64) -> Option<Record> {
        if maybe() { return None; }
        when(self.ready.contains(&at));
        self.records.get(&at).cloned()
    }
}

#[implement(Appends, over = Memory, by = movers)]
impl Reserved {
    fn append(lo: &mut impl Memory, record: Record) -> u64 {
        let at = lo.reserve();
        lo.fill(at, Record(0));
//      ^^^^^^^^^^^^^^^^^^^^^^ CS0305 shape
        lo.set_ready(at);
        lo.fill(at, record);
        at
    }
    fn read(lo: &mut impl Memory, at: u64) -> Option<Record> {
        if !lo.is_ready(at) { return None; }
        lo.record(at)
    }
}
