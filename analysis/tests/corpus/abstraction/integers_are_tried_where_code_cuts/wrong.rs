//! Integers are tested where the behaviour of code may change: words with all bits set except a flag, numbers next to the limits of the
//! types that code casts to, and the results of operators on literals.

#[state]
pub struct Word { pub state: i32 }

#[layer]
impl Low for Word {
    #[op]
    fn flip(&mut self, me: Pid) -> bool { self.state ^= 1 << 6; self.state.checked_add(1).is_some() }
    #[op]
    fn narrow(&mut self, me: Pid) -> i32 { self.state }
    #[op]
    fn beyond(&mut self, me: Pid) -> bool { self.state > 1 << 20 }
}

#[layer(ops = Low)]
impl High for Word {
    #[op]
    fn flip(&mut self, me: Pid) -> bool { self.state ^= 1 << 6; self.state.checked_sub(1).is_some() }
    // ^^^^ CS0501 simulation
    #[op]
    fn narrow(&mut self, me: Pid) -> i32 { (self.state as i16) as i32 }
    // ^^^^^^ CS0501 simulation
    #[op]
    fn beyond(&mut self, me: Pid) -> bool { self.state > (1 << 20) + 1 }
    // ^^^^^^ CS0501 simulation
}

#[implement(High, over = Low, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Word) -> Word { lo.clone() }
}
