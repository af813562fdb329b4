//! A turn that goes on may release the lock and acquire it again. It is left out, if it has changed nothing; and what it has read is out of date.

#[state]
pub struct Monitor { pub owner: Option<Pid>, pub ready: bool, pub x: u8 }

#[layer]
impl Raw for Monitor {
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { self.owner = None; }
    #[op]
    fn is_ready(&mut self, me: Pid) -> bool { self.ready }
    #[op]
    fn x(&mut self, me: Pid) -> u8 { self.x }
    #[op]
    fn set(&mut self, me: Pid, x: u8) { self.x = x; self.ready = x != 0; }
}

#[layer(protocol = Raw)]
impl Locked for Monitor {
    #[allowed(unlock, is_ready, x, set)]
    fn by_owner(&self, me: Pid) -> bool { self.owner == Some(me) }
}

#[layer]
impl Whole for Monitor {
    #[op]
    fn put(&mut self, me: Pid, x: u8) {
        when(self.owner.is_none());
        self.x = x;
        self.ready = x != 0;
    }
    #[op]
    fn wait(&mut self, me: Pid) -> u8 {
        when(self.owner.is_none() && self.ready);
        self.x
    }
}

#[implement(Whole, over = Locked, by = movers)]
impl Code {
    fn put(lo: &mut impl Locked, x: u8) {
        lo.lock();
        lo.set(x);
        lo.unlock();
    }
    fn wait(lo: &mut impl Locked) -> u8 {
        lo.lock();
        loop {
            if lo.is_ready() {
                let x = lo.x();
                lo.unlock();
                return x;
            }
            lo.set(1);
            lo.unlock();
        //  ^^^^^^^^^^^ CS0308 shape
            lo.lock();
        }
    }
}
