//! A counter under a lock, small enough to be checked at once.

use cspec::prelude::*;

#[state]
pub struct Locked {
    pub value: u64,
    pub owner: Option<Pid>,
}

#[layer]
impl RawLock for Locked {
    #[init]
    fn init(&self) -> bool {
        self.value == 0 && self.owner.is_none()
    }

    #[op]
    fn acquire(&mut self, me: Pid) {
        when(self.owner.is_none());
        self.owner = Some(me);
    }

    #[op]
    fn release(&mut self, me: Pid) {
        self.owner = None;
    }

    #[op]
    fn read(&mut self, me: Pid) -> u64 {
        self.value
    }

    #[op]
    fn write(&mut self, me: Pid, value: u64) {
        self.value = value;
    }

    #[op(external)]
    fn print(&mut self, me: Pid, value: u64) {
        external()
    }
}

#[layer(protocol = RawLock)]
impl Lock for Locked {
    #[allowed(release, read, write)]
    fn by_owner(&self, me: Pid) -> bool {
        self.owner == Some(me)
    }
}

#[layer(inherit(RawLock: init, print))]
impl Counter for Locked {
    #[op]
    fn inc(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        let seen = self.value;
        self.value = seen + 1;
        seen
    }
}

#[implement(Counter, over = Lock, by = movers, pass(print))]
impl CriticalSection {
    fn inc(lo: &mut impl Lock) -> u64 {
        lo.acquire();
        let seen = lo.read();
        lo.write(seen + 1);
        lo.release();
        seen
    }
}

#[stack]
pub type Whole<Bottom> = CriticalSection<Bottom>;

#[client(Whole, processes(2))]
fn increments(process: u64, top: &mut impl Counter) {
    let seen = top.inc();
    top.print(seen);
}
