//! A lock does not say who holds it. Only the process that has set it can be between `swap` and `store`.
use cspec::prelude::*;

#[state]
pub struct Cell {
    pub locked: bool,
    pub value: u64,
}

#[layer]
impl Memory for Cell {
    #[init]
    fn init(&self) -> bool {
        !self.locked && self.value == 0
    }
    #[op]
    fn swap(&mut self, me: Pid, to: bool) -> bool {
        let old = self.locked;
        self.locked = to;
        old
    }
    #[op]
    fn store(&mut self, me: Pid, to: bool) {
        self.locked = to;
    }
    #[op]
    fn load(&mut self, me: Pid) -> u64 {
        self.value
    }
    #[op]
    fn set(&mut self, me: Pid, value: u64) {
        self.value = value;
    }
}

#[layer(inherit(Memory: init))]
impl Counter for Cell {
    #[op]
    fn next(&mut self, me: Pid) -> u64 {
        when(!self.locked);
        let old = self.value;
        self.value = old + 1;
        old
    }
}

#[implement(Counter, over = Memory, by = movers)]
impl Spin {
    fn next(lo: &mut impl Memory) -> u64 {
        while lo.swap(true) {}
        let old = lo.load();
        lo.set(old + 1);
        lo.store(false);
        old
    }
}
