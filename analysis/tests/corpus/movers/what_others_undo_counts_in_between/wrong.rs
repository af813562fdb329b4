//! What others do in the middle of their procedures counts, although it is undone at their end.

#[state]
pub struct Work { pub marked: Map<Pid, u64>, pub rounds: u64 }

#[layer]
impl Low for Work {
    #[init]
    fn new(&self) -> bool { self.marked.is_empty() }
    #[op]
    fn mark(&mut self, me: Pid, who: Pid) { self.marked.insert(who, 1); }
    #[op]
    fn clear(&mut self, me: Pid, who: Pid) { self.marked.remove(&who); }
    #[op]
    fn is_marked(&mut self, me: Pid) -> bool { self.marked.contains(&me) }
    #[op]
    fn look(&mut self, me: Pid) -> u64 { self.rounds }
}

#[layer(inherit(Low: init, look))]
impl High for Work {
    #[op]
    fn read(&mut self, me: Pid) -> u64 { self.rounds }
    #[op]
    fn tease(&mut self, me: Pid, who: Pid) { self.marked.remove(&who); }
}

#[implement(High, over = Low, by = movers, pass(look))]
impl Reads {
    fn read(lo: &mut impl Low) -> u64 {
//     ^^^^ CS0307 atomic-spec
        if lo.is_marked() { return 9; }
        lo.look()
    }
    fn tease(lo: &mut impl Low, who: Pid) {
        lo.mark(who);
        lo.clear(who);
//      ^^^^^^^^^^^^^ CS0305 shape
    }
}
