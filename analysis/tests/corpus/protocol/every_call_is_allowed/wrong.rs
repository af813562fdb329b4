//! Every call must follow the protocol: here one branch does not acquire the lock.

#[state]
pub struct Guarded { pub owner: Option<Pid>, pub file: bool }

#[layer]
impl Raw for Guarded {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn delete(&mut self, me: Pid) { self.file = false; }
}

#[layer(protocol = Raw)]
impl Ruled for Guarded {
    #[allowed(unlock, delete)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Whole for Guarded {
    #[op]
    fn tidy(&mut self, me: Pid, careful: bool) {
        when(self.owner.is_none() || self.owner == Some(me));
        self.file = false;
    }
}

#[implement(Whole, over = Ruled, by = movers)]
impl Tidy {
    fn tidy(lo: &mut impl Ruled, careful: bool) {
        if careful { lo.lock(); }
        lo.delete();
    //  ^^^^^^^^^^^ CS0401 follows
        if careful { lo.unlock(); }
    }
}
