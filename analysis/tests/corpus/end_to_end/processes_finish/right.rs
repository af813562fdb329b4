//! Locks are acquired in one order, every sleeping process is woken, and every spinning process can continue in some order of steps.
//!
//! run: end-to-end

#[state]
pub struct Two { pub left: Option<Pid>, pub right: Option<Pid>, pub ready: bool, pub asleep: Set<Pid> }

#[layer]
impl Low for Two {
    #[init]
    fn free(&self) -> bool { self.left.is_none() && self.right.is_none() && !self.ready && self.asleep.is_empty() }
    #[op]
    fn lock_left(&mut self, me: Pid) { when(self.left.is_none()); self.left = Some(me); }
    #[op]
    fn lock_right(&mut self, me: Pid) { when(self.right.is_none()); self.right = Some(me); }
    #[op]
    fn unlock_both(&mut self, me: Pid) { self.left = None; self.right = None; }
    #[op]
    fn is_ready(&mut self, me: Pid) -> bool { self.ready }
    #[op]
    fn make_ready(&mut self, me: Pid) { self.ready = true; }
    #[op]
    fn lie_down(&mut self, me: Pid) { self.asleep.insert(me); }
    #[op]
    fn sleep(&mut self, me: Pid) { when(!self.asleep.contains(&me)); }
    #[op]
    fn wake_all(&mut self, me: Pid) { self.asleep = Set::new(); }
    #[op(external)]
    fn done(&mut self, me: Pid) { external() }
}

#[layer(inherit(Low: init, done))]
impl High for Two {
    #[op]
    fn both(&mut self, me: Pid, first: bool) {}
    #[op]
    fn crossed(&mut self, me: Pid, first: bool) {}
    #[op]
    fn await_it(&mut self, me: Pid) { when(self.ready); }
    #[op]
    fn announce(&mut self, me: Pid) { self.ready = true; }
    #[op]
    fn spin(&mut self, me: Pid) { when(self.ready); }
}

#[implement(High, over = Low, by = movers, pass(done))]
impl Waiting {
    fn both(lo: &mut impl Low, first: bool) {
        lo.lock_left();
        lo.lock_right();
        lo.unlock_both();
    }
    fn crossed(lo: &mut impl Low, first: bool) {
        if first { lo.lock_left(); }
        lo.lock_right();
        if !first { lo.lock_left(); }
        lo.unlock_both();
    }
    fn await_it(lo: &mut impl Low) {
        lo.lie_down();
        if !lo.is_ready() {
            lo.sleep();
        }
    }
    fn announce(lo: &mut impl Low) {
        lo.make_ready();
        lo.wake_all();
    }
    fn spin(lo: &mut impl Low) {
        while !lo.is_ready() {}
    }
}

#[stack]
pub type Stack<L> = Waiting<L>;

#[client(Stack, processes(2))]
fn in_order(process: u64, top: &mut impl High) {
    top.both(process == 0);
    top.done();
}

#[client(Stack, processes(2, 3))]
fn is_woken(process: u64, processes: u64, top: &mut impl High) {
    if process + 1 == processes { top.announce(); } else { top.await_it(); }
    top.done();
}

/// A fair order of steps ends it.
#[client(Stack, processes(2))]
fn spins(process: u64, top: &mut impl High) {
    if process == 0 { top.spin(); } else { top.announce(); }
    top.done();
}

/// In some orders both wait for ever, and may.
#[client(Stack, processes(2), may_wait)]
fn may_stop(process: u64, top: &mut impl High) {
    top.crossed(process == 0);
    top.done();
}
