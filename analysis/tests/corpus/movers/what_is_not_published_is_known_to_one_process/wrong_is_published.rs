//! The own box is freed after it was published.

#[scalar]
pub struct Ptr(pub u64);

#[state]
pub struct Heap { pub cell: Option<Ptr>, pub boxes: Map<Ptr, u64> }

#[layer]
impl Memory for Heap {
    #[init]
    fn new(&self) -> bool { self.cell.is_none() && self.boxes.is_empty() }
    #[op]
    fn load(&mut self, me: Pid) -> Option<Ptr> { self.cell }
    #[op]
    fn install(&mut self, me: Pid, new: Ptr) -> bool {
        if self.cell.is_some() { return false; }
        self.cell = Some(new);
        true
    }
    #[op]
    fn alloc(&mut self, me: Pid, value: u64) -> Ptr {
        let new: Ptr = any();
        when(!self.boxes.contains(&new));
        self.boxes.insert(new, value);
        new
    }
    #[op]
    fn free(&mut self, me: Pid, at: Ptr) {
        assert!(self.boxes.contains(&at));
        self.boxes.remove(&at);
    }
    #[op]
    fn read(&mut self, me: Pid, at: Ptr) -> u64 {
        assert!(self.boxes.contains(&at));
        self.boxes[&at]
    }
}

#[layer(inherit(Memory: init))]
impl Once for Heap {
    #[op]
    fn get_or_init(&mut self, me: Pid, value: u64) -> u64 {
        if let Some(at) = self.cell {
            assert!(self.boxes.contains(&at));
            return self.boxes[&at];
        }
        let new: Ptr = any();
        when(!self.boxes.contains(&new));
        self.boxes.insert(new, value);
        self.cell = Some(new);
        value
    }
}

#[implement(Once, over = Memory, by = movers)]
impl OnceBox {
    fn get_or_init(lo: &mut impl Memory, value: u64) -> u64 {
//     ^^^^^^^^^^^ CS0307 atomic-spec
        if let Some(at) = lo.load() {
            return lo.read(at);
        }
        let mine = lo.alloc(value);
        if lo.install(mine) {
//         ^^^^^^^^^^^^^^^^ CS0305 shape
            lo.free(mine);
            return value;
        }
        match lo.load() {
            Some(at) => lo.read(at),
            None => value,
        }
    }
}
