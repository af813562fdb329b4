//! No step takes this branch.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub again: bool }

#[layer]
impl Lock for Guarded {
    #[op]
    fn acquire(&mut self, me: Pid) {
        when(self.owner.is_none());
        if self.owner == Some(me) {
//                                ^ CS1002 no-panic
            self.again = true;
        }
        self.owner = Some(me);
    }
}
