//! `drop_last` gives a number back, so that it is returned again.

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
    #[op]
    fn drop_last(&mut self, me: Pid) { if self.tail > 0 { self.tail -= 1; } }
}

#[layer(inherit(Memory: len, drop_last))]
impl Journal for Log {
    #[op]
    fn append(&mut self, me: Pid, item: Item) -> u64 {
        let at = self.tail;
        self.tail += 1;
        self.places.insert(at, item);
        at
    }
}

#[implement(Journal, over = Memory, by = movers, pass(len, drop_last))]
impl Writer {
    fn append(lo: &mut impl Memory, item: Item) -> u64 {
        let at = lo.reserve();
        lo.fill(at, item);
//      ^^^^^^^^^^^^^^^^^ CS0310 shape
        at
    }
}
