//! While one process initialises, another reads `Running` where it would have read `Empty`. That is the same to it: it waits, or tries to start
//! in vain.

#[scalar]
pub struct Value(pub u64);

#[state]
pub enum Phase { Empty, Running, Done }

#[state]
pub struct Cell { pub phase: Phase, pub value: Option<Value>, pub runner: Option<Pid> }

#[layer]
impl Memory for Cell {
    #[init]
    fn init(&self) -> bool { self.phase == Phase::Empty && self.value.is_none() && self.runner.is_none() }
    #[op]
    fn load(&mut self, me: Pid) -> Phase { self.phase.clone() }
    #[op]
    fn start(&mut self, me: Pid) -> bool {
        if self.phase != Phase::Empty { return false; }
        self.phase = Phase::Running;
        self.runner = Some(me);
        true
    }
    #[op]
    fn write(&mut self, me: Pid, value: Value) { self.value = Some(value); }
    #[op]
    fn finish(&mut self, me: Pid) {
        self.phase = Phase::Done;
        self.runner = None;
    }
    #[op]
    fn read(&mut self, me: Pid) -> Option<Value> { self.value.clone() }
}

#[layer(protocol = Memory)]
impl Rules for Cell {
    #[allowed(write, finish)]
    fn runs(&self, me: Pid) -> bool { self.phase == Phase::Running && self.runner == Some(me) }
    #[allowed(read)]
    fn done(&self, me: Pid) -> bool { self.phase == Phase::Done }
}

#[layer(inherit(Memory: init))]
impl Once for Cell {
    #[op]
    fn get_or_init(&mut self, me: Pid, value: Value) -> Option<Value> {
        when(self.phase != Phase::Running);
        if self.phase == Phase::Empty {
            self.value = Some(value);
            self.phase = Phase::Done;
            self.runner = None;
        }
        self.value.clone()
    }
    #[op]
    fn get(&mut self, me: Pid) -> Option<Value> {
        if self.phase == Phase::Done { self.value.clone() } else { None }
    }
}

#[implement(Once, over = Rules, by = movers)]
impl OnceCell {
    fn get_or_init(lo: &mut impl Rules, value: Value) -> Option<Value> {
        loop {
            match lo.load() {
                Phase::Done => return lo.read(),
                Phase::Running => {}
                Phase::Empty => {
                    if lo.start() {
                        lo.write(value.clone());
                        lo.finish();
                        return Some(value);
                    }
                }
            }
        }
    }
    fn get(lo: &mut impl Rules) -> Option<Value> {
        if lo.load() == Phase::Done { lo.read() } else { None }
    }
}
