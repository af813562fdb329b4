//! A call after the commit point need not move past a read of others that is only made before their commit points and is left out of their
//! steps. Here another path of the same procedure commits there.

#[scalar]
pub struct Value(pub String);

#[state]
#[derive(Copy)]
pub enum Phase { New, Running(Pid), Done }

#[state]
pub struct Cell { pub phase: Phase, pub value: Value }

#[layer]
impl Steps for Cell {
    #[op]
    fn is_new(&mut self, me: Pid) -> bool { self.phase == Phase::New }
    #[op]
    fn is_done(&mut self, me: Pid) -> bool { self.phase == Phase::Done }
    #[op]
    fn start(&mut self, me: Pid) -> bool {
        if self.phase != Phase::New { return false; }
        self.phase = Phase::Running(me);
        true
    }
    #[op]
    fn fill(&mut self, me: Pid, value: Value) { when(self.phase == Phase::Running(me)); self.value = value; }
    #[op]
    fn finish(&mut self, me: Pid) { when(self.phase == Phase::Running(me)); self.phase = Phase::Done; }
    #[op]
    fn value(&mut self, me: Pid) -> Value { when(self.phase == Phase::Done); self.value.clone() }
}

#[layer(inherit(Steps: is_new))]
impl Once for Cell {
    #[op]
    fn get(&mut self, me: Pid, value: Value, ask: bool) -> Value {
        if ask {
            when(self.phase != Phase::Done);
            return value;
        }
        if self.phase == Phase::Done { return self.value.clone(); }
        when(self.phase == Phase::New);
        self.phase = Phase::Done;
        self.value = value.clone();
        value
    }
}

#[implement(Once, over = Steps, by = movers, pass(is_new))]
impl Get {
    fn get(lo: &mut impl Steps, value: Value, ask: bool) -> Value {
        if ask {
            loop {
                if !lo.is_done() { return value; }
            }
        }
        loop {
            if lo.is_done() { return lo.value(); }
            if lo.start() {
                lo.fill(value.clone());
                lo.finish();
            //  ^^^^^^^^^^^ CS0305 shape
                return value;
            }
        }
    }
}
