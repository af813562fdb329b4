//! A client that waits for itself checks little.
//!
//! run: end-to-end

#[state]
pub struct Guarded { pub owner: Option<Pid> }

#[layer]
impl Lock for Guarded {
    #[init]
    fn free(&self) -> bool { self.owner.is_none() }
    #[op]
    fn lock(&mut self, me: Pid) { when(self.owner.is_none()); self.owner = Some(me); }
    #[op]
    fn unlock(&mut self, me: Pid) { when(self.owner == Some(me)); self.owner = None; }
    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) { external() }
}

#[layer(inherit(Lock: init, lock, unlock, print))]
impl Same for Guarded {}

#[implement(Same, over = Lock, by = movers, pass(lock, unlock, print))]
impl Passed {}

#[stack]
pub type Locks<L> = Passed<L>;

#[client(Locks, processes(2))]
fn once(process: u64, top: &mut impl Same) {
    top.lock();
    top.unlock();
    top.print(process);
}
