//! A retry loop is the only loop: a `for` around it makes several of it.

#[state]
pub struct Flag { pub up: bool }

#[layer]
impl Parts for Flag {
    #[op]
    fn is_up(&mut self, me: Pid) -> bool { self.up }
    #[op]
    fn set(&mut self, me: Pid, up: bool) { self.up = up; }
}

#[layer(inherit(Parts: set))]
impl Whole for Flag {
    #[op]
    fn wait(&mut self, me: Pid) -> u64 { when(self.up); 1 }
}

#[implement(Whole, over = Parts, by = retry, pass(set))]
impl Code {
    fn wait(lo: &mut impl Parts) -> u64 {
        for _ in 0..2 {
            loop {
        //  ^^^^^^ CS0603 turn
                if lo.is_up() { break; }
            }
        }
        99
    }
}
