//! In a real run, what the gate of an operation says may not hold yet: the left mover of another process that will establish it is still to
//! come. The rules of a protocol have to be followed in real runs. What only the process itself changes is no matter of time.

#[state]
pub struct Board { pub owner: Option<Pid>, pub published: bool, pub flag: bool }

#[layer]
impl Raw for Board {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn publish(&mut self, me: Pid) { self.published = true; }
    #[op]
    fn raise(&mut self, me: Pid) { self.flag = true; }
    #[op]
    fn is_published(&mut self, me: Pid) -> bool { self.published }
    #[op]
    fn write(&mut self, me: Pid) { emit(if self.flag { 1 } else { 2 }); }
}

#[layer(protocol = Raw)]
impl Rules for Board {
    #[allowed(unlock)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
    #[allowed(write)]
    fn may_write(&self, me: Pid) -> bool { self.flag }
}

#[layer(inherit(Raw: is_published, lock))]
impl Whole for Board {
    #[op]
    fn unlock(&mut self, me: Pid) { assert!(self.owner == Some(me)); self.owner = None; }
    #[op]
    fn publish(&mut self, me: Pid) { self.published = true; self.flag = true; }
    #[op]
    fn write(&mut self, me: Pid) { assert!(self.flag); emit(1); }
}

#[implement(Whole, over = Rules, by = movers, pass(is_published, lock))]
impl Code {
    fn unlock(lo: &mut impl Rules) { lo.unlock(); }
    fn publish(lo: &mut impl Rules) {
        lo.publish();
        lo.raise();
    }
    fn write(lo: &mut impl Rules) {
        lo.write();
    //  ^^^^^^^^^^ CS0401 follows
    }
}
