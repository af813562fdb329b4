//! Another procedure overwrites the value that is there.

#[state]
pub struct Slot { pub value: u64, pub is_set: bool }

#[layer]
impl Parts for Slot {
    #[op]
    fn put(&mut self, me: Pid, value: u64, force: bool) -> bool {
        if self.is_set && !force { return false; }
        self.is_set = true;
        self.value = value;
        true
    }
    #[op]
    fn get(&mut self, me: Pid) -> u64 { self.value }
}

#[layer]
impl Once for Slot {
    #[op]
    fn set(&mut self, me: Pid, value: u64) -> (u64, u64) {
        if !self.is_set {
            self.is_set = true;
            self.value = value;
        }
        (self.value, self.value)
    }
    #[op]
    fn overwrite(&mut self, me: Pid, value: u64) {
        self.is_set = true;
        self.value = value;
    }
}

#[implement(Once, over = Parts, by = movers)]
impl Twice {
    fn set(lo: &mut impl Parts, value: u64) -> (u64, u64) {
        lo.put(value, false);
//      ^^^^^^^^^^^^^^^^^^^^ CS0307 shape
        let first = lo.get();
        let second = lo.get();
        (first, second)
    }
    fn overwrite(lo: &mut impl Parts, value: u64) { lo.put(value, true); }
}
