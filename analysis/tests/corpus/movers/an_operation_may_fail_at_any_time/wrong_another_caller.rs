//! `send` may say that it is full at any time, and `has_room` only if it is. It calls the same operation below. So that may not fail at any
//! time, and what it says between `pop` and `give` of another process counts.

#[state]
pub struct Channel { pub permits: u64, pub sent: u64 }

#[layer]
impl Parts for Channel {
    #[init]
    fn init(&self) -> bool { self.permits == 1 && self.sent == 0 }
    #[op]
    fn try_permit(&mut self, me: Pid) -> bool {
        if self.permits == 0 { return false; }
        self.permits -= 1;
        true
    }
    #[op]
    fn give(&mut self, me: Pid) { self.permits += 1; }
    #[op]
    fn push(&mut self, me: Pid) { self.sent += 1; }
    #[op]
    fn pop(&mut self, me: Pid) -> bool {
        if self.sent == 0 { return false; }
        self.sent -= 1;
        true
    }
}

#[layer(inherit(Parts: init))]
impl Bounded for Channel {
    #[op]
    fn send(&mut self, me: Pid) -> bool {
        if maybe() { return false; }
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
    #[op]
    fn has_room(&mut self, me: Pid) -> bool { self.permits > 0 }
}

#[implement(Bounded, over = Parts, by = movers)]
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
    fn has_room(lo: &mut impl Parts) -> bool {
        if !lo.try_permit() { return false; }
        lo.give();
//      ^^^^^^^^^ CS0305 shape
        true
    }
}
