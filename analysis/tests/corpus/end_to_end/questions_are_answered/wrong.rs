//! The procedure gives the lock back too early: two processes are inside at once.
//!
//! run: end-to-end

#[state]
pub struct Door { pub holder: Option<Pid>, pub inside: Set<Pid>, pub count: u64 }

/// The lock is a cell that is compared and exchanged.
#[layer]
impl Cells for Door {
    #[init]
    fn open(&self) -> bool { self.holder.is_none() && self.inside.is_empty() && self.count == 0 }
    #[op]
    fn try_take(&mut self, me: Pid) -> bool {
        if self.holder.is_some() { return false; }
        self.holder = Some(me);
        true
    }
    #[op]
    fn give(&mut self, me: Pid) { self.holder = None; }
    #[op]
    fn enter(&mut self, me: Pid) { self.inside.insert(me); }
    #[op]
    fn leave(&mut self, me: Pid) { self.inside.remove(&me); self.count += 1; }
    #[op(external)]
    fn done(&mut self, me: Pid) { external() }

    /// Two processes are never inside at once.
    #[never]
    fn two_inside(&self) -> bool { self.inside.len() > 1 }
//     ^^^^^^^^^^ CS0803 never / visits, 2 processes
//     ^^^^^^^^^^ CS0803 never / visits, 3 processes
    /// Who is inside has the lock.
    #[always]
    fn who_is_inside_holds(&self) -> bool { self.inside.iter().all(|it| self.holder == Some(*it)) }
//     ^^^^^^^^^^^^^^^^^^^ CS0803 always / visits, 2 processes
//     ^^^^^^^^^^^^^^^^^^^ CS0803 always / visits, 3 processes
}

#[layer(inherit(Cells: init, give, enter, leave, done))]
impl Locked for Door {
    #[op]
    fn take(&mut self, me: Pid) { when(self.holder.is_none()); self.holder = Some(me); }

    #[never]
    fn two_inside(&self) -> bool { self.inside.len() > 1 }
//     ^^^^^^^^^^ CS0803 never / visits, 2 processes
//     ^^^^^^^^^^ CS0803 never / visits, 3 processes
}

#[layer(inherit(Cells: init, done))]
impl Visits for Door {
    #[op]
    fn visit(&mut self, me: Pid) { when(self.holder.is_none()); self.count += 1; }

    /// A visit is one step.
    #[always]
    fn nobody_is_inside(&self) -> bool { self.inside.is_empty() }
    #[never]
    fn too_many(&self) -> bool { self.count > 3 }
}

#[implement(Locked, over = Cells, by = retry, pass(give, enter, leave, done))]
impl Spin {
    fn take(lo: &mut impl Cells) {
        loop {
            if lo.try_take() { return; }
        }
    }
}

#[implement(Visits, over = Locked, by = movers, pass(done))]
impl Once {
    fn visit(lo: &mut impl Locked) {
        lo.take();
        lo.give();
        lo.enter();
        lo.leave();
    }
}

#[stack]
pub type Stack<L> = Once<Spin<L>>;

#[client(Stack, processes(2, 3))]
fn visits(process: u64, top: &mut impl Visits) {
    top.visit();
    top.done();
}
