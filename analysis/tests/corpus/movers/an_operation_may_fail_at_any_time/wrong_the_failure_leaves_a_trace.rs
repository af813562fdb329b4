//! Where `try_permit` fails, it notes that. Such a failure changes the state, and is not one that may happen at any time: `give` of another
//! process would have to move past it.

#[state]
pub struct Channel { pub permits: u64, pub sent: u64, pub was_full: bool }

#[layer]
impl Parts for Channel {
    #[init]
    fn init(&self) -> bool { self.permits == 1 && self.sent == 0 && !self.was_full }
    #[op]
    fn try_permit(&mut self, me: Pid) -> bool {
        if self.permits == 0 {
            self.was_full = true;
            return false;
        }
        self.permits -= 1;
        true
    }
    #[op]
    fn give(&mut self, me: Pid) { self.permits += 1; }
    #[op]
    fn was_full(&mut self, me: Pid) -> bool { self.was_full }
    #[op]
    fn push(&mut self, me: Pid) { self.sent += 1; }
    #[op]
    fn pop(&mut self, me: Pid) -> bool {
        if self.sent == 0 { return false; }
        self.sent -= 1;
        true
    }
}

#[layer(inherit(Parts: init, was_full))]
impl Bounded for Channel {
    #[op]
    fn send(&mut self, me: Pid) -> bool {
        if maybe() {
            if self.permits == 0 { self.was_full = true; }
            return false;
        }
        when(self.permits > 0);
        self.permits -= 1;
        self.sent += 1;
        true
    }
    #[op]
    fn receive(&mut self, me: Pid) -> bool {
        if self.sent == 0 { return false; }
        self.sent -= 1;
        self.permits += 1;
        true
    }
}

#[implement(Bounded, over = Parts, by = movers, pass(was_full))]
impl Permits {
    fn send(lo: &mut impl Parts) -> bool {
        if !lo.try_permit() { return false; }
        lo.push();
//      ^^^^^^^^^ CS0305 shape
        true
    }
    fn receive(lo: &mut impl Parts) -> bool {
        if !lo.pop() { return false; }
        lo.give();
//      ^^^^^^^^^ CS0305 shape
        true
    }
}
