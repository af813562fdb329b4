//! A loop may leave traces that only its process sees, as long as each turn makes up for those before it. Here each overwrites the one before.

#[scalar]
pub struct Value(pub u64);

#[state]
pub struct Cells { pub shared: Value, pub seen: Map<Pid, Value> }

#[layer]
impl Steps for Cells {
    #[op]
    fn load(&mut self, me: Pid) -> Value { self.shared }
    #[op]
    fn stash(&mut self, me: Pid, value: Value) { self.seen.insert(me, value); }
    #[op]
    fn stashed(&mut self, me: Pid) -> Option<Value> { self.seen.get(&me).copied() }
    #[op]
    fn cas(&mut self, me: Pid, old: Value, new: Value) -> bool {
        if self.shared != old { return false; }
        self.shared = new;
        true
    }
}

#[layer(inherit(Steps: stashed))]
impl Whole for Cells {
    #[op]
    fn set(&mut self, me: Pid, value: Value) -> Value {
        let old = self.shared;
        self.seen.insert(me, old);
        self.shared = value;
        old
    }
}

#[implement(Whole, over = Steps, by = movers, pass(stashed))]
impl Code {
    fn set(lo: &mut impl Steps, value: Value) -> Value {
        loop {
            let old = lo.load();
            lo.stash(old);
            if lo.cas(old, value) {
                return old;
            }
        }
    }
}
