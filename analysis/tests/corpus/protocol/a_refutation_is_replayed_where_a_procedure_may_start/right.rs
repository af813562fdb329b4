//! Where some entry of the state is always there, the state that refutes has it, too, and the refutation is replayed from that state.

#[state]
pub struct Office { pub clerk: Option<Pid> }

#[layer]
impl Raw for Office {
    #[init]
    fn is_open(&self) -> bool { self.clerk.is_some() }
    #[op]
    fn file(&mut self, me: Pid, page: u64) -> u64 { emit(page); 0 }
}

#[layer(protocol = Raw)]
impl Rules for Office {
    #[allowed(file)]
    fn by_clerk(&self, me: Pid) -> bool { self.clerk.is_some() }
}

#[layer(inherit(Rules: init))]
impl Whole for Office {
    #[op]
    fn hand_in(&mut self, me: Pid, page: u64) -> u64 { emit(page); 0 }
}

#[implement(Whole, over = Rules, by = movers)]
impl Desk {
    fn hand_in(lo: &mut impl Rules, page: u64) -> u64 {
        lo.file(page)
    }
}
