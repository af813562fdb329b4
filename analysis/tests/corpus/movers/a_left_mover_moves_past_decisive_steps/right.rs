//! A call after the commit point need not move past a read of others that is only made before their commit points and is left out of their
//! steps. Here that is `is_done` where it returns false: nobody returns because of it.

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
    fn get(&mut self, me: Pid, value: Value) -> Value {
        if self.phase == Phase::Done { return self.value.clone(); }
        when(self.phase == Phase::New);
        self.phase = Phase::Done;
        self.value = value.clone();
        value
    }
}

#[implement(Once, over = Steps, by = movers, pass(is_new))]
impl Get {
    fn get(lo: &mut impl Steps, value: Value) -> Value {
        loop {
            if lo.is_done() { return lo.value(); }
            if lo.start() {
                lo.fill(value.clone());
                lo.finish();
                return value;
            }
        }
    }
}
