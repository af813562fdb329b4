//! The operation above never fails, so its procedure starts in any state: also in one with another member. Two that are told 1 both get through.

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
        if before == 1 {
            when(self.members.is_empty());
            self.done = true;
        }
        before
    }
}

#[implement(Whole, over = Parts, by = movers)]
impl Together {
    fn go(lo: &mut impl Parts) -> usize {
        let before = lo.leave();
//                   ^^^^^^^^^^ CS0307 shape
        if before == 1 { lo.finish(); }
        before
    }
}
