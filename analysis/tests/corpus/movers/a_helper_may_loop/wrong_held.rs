//! A helper may make calls in a loop. The rules about loops hold for it as for the procedure.

#[state]
pub struct Safe { pub owner: Option<Pid>, pub value: u64 }

#[layer]
impl Steps for Safe {
    #[op]
    fn try_lock(&mut self, me: Pid) -> bool {
        if self.owner.is_some() { return false; }
        self.owner = Some(me);
        true
    }
    #[op]
    fn unlock(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn read(&mut self, me: Pid) -> u64 { self.value }
    #[op]
    fn write(&mut self, me: Pid, to: u64) { self.value = to; }
}

#[layer(protocol = Steps, nilpotent)]
impl Rules for Safe {
    #[allowed(unlock, read, write)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Whole for Safe {
    #[op]
    fn next(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        self.value = self.value.saturating_add(1);
        self.value
    }
}

#[implement(Whole, over = Rules, by = movers)]
impl Locked {
    fn lock(lo: &mut impl Rules) {
        loop {
            if lo.try_lock() { return; }
        }
    }
    fn next(lo: &mut impl Rules) -> u64 {
//     ^^^^ CS0307 shape
        Self::lock(lo);
        let next = lo.read().saturating_add(1);
        lo.write(next);
        next
    }
}
