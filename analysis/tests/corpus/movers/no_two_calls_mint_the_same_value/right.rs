//! A writer reserves a place in a log, and then fills it. No other process fills the same place: `reserve` returns no number twice.

#[scalar]
pub struct Item(pub String);

#[state]
pub struct Log { pub tail: u64, pub places: Map<u64, Item> }

#[layer]
impl Memory for Log {
    #[op]
    fn reserve(&mut self, me: Pid) -> u64 {
        let at = self.tail;
        self.tail += 1;
        at
    }
    #[op]
    fn fill(&mut self, me: Pid, at: u64, item: Item) { self.places.insert(at, item); }
    #[op]
    fn len(&mut self, me: Pid) -> u64 { self.tail }
}

#[layer(inherit(Memory: len))]
impl Journal for Log {
    #[op]
    fn append(&mut self, me: Pid, item: Item) -> u64 {
        let at = self.tail;
        self.tail += 1;
        self.places.insert(at, item);
        at
    }
}

#[implement(Journal, over = Memory, by = movers, pass(len))]
impl Writer {
    fn append(lo: &mut impl Memory, item: Item) -> u64 {
        let at = lo.reserve();
        lo.fill(at, item);
        at
    }
}
