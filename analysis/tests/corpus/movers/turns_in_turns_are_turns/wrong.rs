//! What the turns of an inner loop do, the turns of the outer loop do.

#[state]
pub struct Signals { pub ready: bool, pub seen: Map<Pid, bool> }

#[layer]
impl Parts for Signals {
    #[op]
    fn ready(&mut self, me: Pid) -> bool { self.ready }
    #[op]
    fn set(&mut self, me: Pid, ready: bool) { self.ready = ready; }
    #[op]
    fn has_seen(&mut self, me: Pid) -> bool { self.seen.contains(&me) }
    #[op]
    fn see(&mut self, me: Pid) { self.seen.insert(me, true); }
}

#[layer(inherit(Parts: set, has_seen))]
impl Whole for Signals {
    #[op]
    fn wait(&mut self, me: Pid) { when(self.ready); }
}

#[implement(Whole, over = Parts, by = movers, pass(set, has_seen))]
impl Code {
    fn wait(lo: &mut impl Parts) {
        while !lo.ready() {
    //         ^^^^^^^^^^ CS0310 shape

            while !lo.has_seen() { lo.see(); }
        }
    }
}
