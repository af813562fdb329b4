//! Who is told 1 does not wait until nobody is left: the procedure is one call.

#[state]
pub struct Group { pub members: Set<Pid>, pub done: bool }

#[layer]
impl Parts for Group {
    #[op]
    fn leave(&mut self, me: Pid) -> usize {
        let before = self.members.len();
        self.members.remove(&me);
        before
    }
    #[op]
    fn finish(&mut self, me: Pid) {
        when(self.members.is_empty());
        self.done = true;
    }
}

#[layer]
impl Whole for Group {
    #[op]
    fn go(&mut self, me: Pid) -> usize {
        assert!(self.done || !self.done);
        let before = self.members.len();
        self.members.remove(&me);
        before
    }
}

#[implement(Whole, over = Parts, by = movers)]
impl Together {
    fn go(lo: &mut impl Parts) -> usize {
        lo.leave()
    }
}
