//! The greatest number of a type is among the tested ones: a tag that wraps is 0 again. Flags of a packed word are tested in combination.

const WRITER: u32 = 1 << 31;

#[state]
pub struct Word { pub state: u32 }

#[layer]
impl Low for Word {
    #[op]
    fn leave(&mut self, me: Pid) { self.state &= WRITER - 1; }
    #[op]
    fn is_locked(&mut self, me: Pid) -> bool { self.state & WRITER != 0 }
    #[op]
    fn tag(&mut self, me: Pid) -> u32 { self.state = self.state.wrapping_add(1); self.state }
}

#[layer(ops = Low)]
impl High for Word {
    #[op]
    fn leave(&mut self, me: Pid) { self.state &= !WRITER; }
    #[op]
    fn is_locked(&mut self, me: Pid) -> bool { self.state >= WRITER }
    #[op]
    fn tag(&mut self, me: Pid) -> u32 { self.state = self.state.wrapping_add(1); self.state }
}

#[implement(High, over = Low, by = abstraction)]
impl Same {
    #[abstraction]
    fn same(lo: &Word) -> Word { lo.clone() }
}
