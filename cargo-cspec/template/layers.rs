//! A counter under a lock: the design, the procedure, and why it is right.
//!
//! `cargo cspec check` explores every interleaving of the operations below.

use cspec::prelude::*;

/// The state: a value, and the owner of the lock. `owner` is ghost state: it exists for the rules
/// below, and the running program does not store it.
#[state]
pub struct Locked {
    pub value: u64,
    pub owner: Option<Pid>,
}

/// The operations of the machine. Each is one step; other threads make steps between two of them.
#[layer]
impl RawLock for Locked {
    #[init]
    fn init(&self) -> bool {
        self.value == 0 && self.owner.is_none()
    }

    /// Waits until the lock is free.
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
}

/// The rules of the lock: only the owner reads, writes and releases. `cargo cspec check` checks
/// that every procedure follows them. A call that breaks them would do nothing (`nilpotent`).
#[layer(protocol = RawLock, nilpotent)]
impl Lock for Locked {
    #[allowed(release, read, write)]
    fn by_owner(&self, me: Pid) -> bool {
        self.owner == Some(me)
    }
}

/// The interface for users: counting is one step.
#[layer(inherit(RawLock: init))]
impl Counter for Locked {
    /// Counts up, and returns the previous value.
    #[op]
    fn inc(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        let seen = self.value;
        self.value = seen + 1;
        seen
    }
}

/// The procedure. The steps of other threads can be moved out of it, so `inc` is one step.
#[implement(Counter, over = Lock, by = movers)]
impl CriticalSection {
    fn inc(lo: &mut impl Lock) -> u64 {
        lo.acquire();
        let seen = lo.read();
        // A mistake to try: uncomment the next line, and run `cargo cspec check`.
        // lo.release();
        lo.write(seen + 1);
        lo.release();
        seen
    }
}

/// The whole stack: `Counter`, implemented by `CriticalSection` over `Lock`.
#[stack]
pub type CounterOverLock<Bottom> = CriticalSection<Bottom>;
