//! A loop inside a `for` is reached once for each element, and what follows it is judged like everything else.

#[state]
pub struct Counter { pub ready: bool, pub n: u32 }

#[layer]
impl Parts for Counter {
    #[op]
    fn ready(&mut self, me: Pid) -> bool { self.ready }
    #[op]
    fn set(&mut self, me: Pid, ready: bool) { self.ready = ready; }
    #[op]
    fn read(&mut self, me: Pid) -> u32 { self.n }
    #[op]
    fn write(&mut self, me: Pid, n: u32) { self.n = n; }
    #[op]
    fn add(&mut self, me: Pid) -> u32 { let n = self.n; self.n = n.wrapping_add(1); n }
}

#[layer(inherit(Parts: set))]
impl Whole for Counter {
    #[op]
    fn increment(&mut self, me: Pid) -> u32 { let n = self.n; self.n = n.wrapping_add(1); n }
}

#[implement(Whole, over = Parts, by = movers, pass(set))]
impl Code {
    fn increment(lo: &mut impl Parts) -> u32 {
        for _ in 0..2 {
            while !lo.ready() {}
        }
        let n = lo.read();
    //          ^^^^^^^^^ CS0307 shape
        lo.write(n.wrapping_add(1));
        n
    }
}
