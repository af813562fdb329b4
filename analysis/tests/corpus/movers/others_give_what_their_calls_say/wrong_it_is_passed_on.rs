//! `put` is passed on, so others give any arguments.

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

#[layer(inherit(Parts: put))]
impl Once for Slot {
    #[op]
    fn set(&mut self, me: Pid, value: u64) -> (u64, u64) {
        if !self.is_set {
            self.is_set = true;
            self.value = value;
        }
        (self.value, self.value)
    }
}

#[implement(Once, over = Parts, by = movers, pass(put))]
impl Twice {
    fn set(lo: &mut impl Parts, value: u64) -> (u64, u64) {
        lo.put(value, false);
//      ^^^^^^^^^^^^^^^^^^^^ CS0307 shape
        let first = lo.get();
        let second = lo.get();
        (first, second)
    }
}
