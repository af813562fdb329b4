//! A relation may relate many states: each of those above must be able to follow, and may end in any that is related.

#[state]
pub struct Low { pub value: u64 }
#[state]
pub struct High { pub value: u64, pub ghost: bool }

#[layer]
impl Lower for Low {
    #[op]
    fn write(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[layer(ops = Lower)]
impl Upper for High {
    #[op]
    fn write(&mut self, me: Pid, value: u64) {  self.value = value; self.ghost = maybe(); }
}

#[implement(Upper, over = Lower, by = abstraction)]
impl WithGhost {
    #[abstraction]
    fn with_ghost(lo: &Low, hi: &High) -> bool { hi.value == lo.value }
}
