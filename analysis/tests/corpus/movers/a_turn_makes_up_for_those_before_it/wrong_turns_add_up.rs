//! A loop may leave traces that only its process sees, as long as each turn makes up for those before it. Here they add up.

#[scalar]
pub struct Value(pub u64);

#[state]
pub struct Cells { pub shared: Value, pub tries: Map<Pid, u8> }

impl Cells {
    fn tries_of(&self, me: Pid) -> u8 { self.tries.get(&me).copied().unwrap_or(0) }
    fn one_more(&mut self, me: Pid) {
        let tries = self.tries_of(me);
        if tries < 3 { self.tries.insert(me, tries + 1); }
    }
}

#[layer]
impl Steps for Cells {
    #[op]
    fn load(&mut self, me: Pid) -> Value { self.shared }
    #[op]
    fn count(&mut self, me: Pid) { self.one_more(me); }
    #[op]
    fn counted(&mut self, me: Pid) -> u8 { self.tries_of(me) }
    #[op]
    fn cas(&mut self, me: Pid, old: Value, new: Value) -> bool {
        if self.shared != old { return false; }
        self.shared = new;
        true
    }
}

#[layer(inherit(Steps: counted))]
impl Whole for Cells {
    #[op]
    fn set(&mut self, me: Pid, value: Value) -> Value {
        let old = self.shared;
        self.one_more(me);
        self.shared = value;
        old
    }
}

#[implement(Whole, over = Steps, by = movers, pass(counted))]
impl Code {
    fn set(lo: &mut impl Steps, value: Value) -> Value {
        loop {
            let old = lo.load();
            lo.count();
            if lo.cas(old, value) {
            // ^^^^^^^^^^^^^^^^^^ CS0310 shape
                return old;
            }
        }
    }
}
