//! A counter under a lock: the design, the procedure, and why it is right.
//!
//! `cargo cspec check` explores every interleaving of the operations below.

use cspec::prelude::*;

/// What there is: a value, and who holds the lock. At run time nobody stores `owner`: it is there
/// for the rules.
#[state]
pub struct Locked {
    pub value: u64,
    pub owner: Option<Pid>,
}

/// What the machine gives. Each operation is one step; between two of them come steps of others.
#[layer]
impl RawLock for Locked {
    #[init]
    fn init(&self) -> bool {
        self.value == 0 && self.owner.is_none()
    }

    /// Waits until nobody holds the lock.
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

/// The rules of the lock: only the owner reads, writes and releases. That every procedure follows
/// them is checked; a call against them would do nothing (`nilpotent`).
#[layer(protocol = RawLock, nilpotent)]
impl Lock for Locked {
    #[allowed(release, read, write)]
    fn by_owner(&self, me: Pid) -> bool {
        self.owner == Some(me)
    }
}

/// What users want: counting is one step.
#[layer(inherit(RawLock: init))]
impl Counter for Locked {
    /// Counts up, and tells the number before.
    #[op]
    fn inc(&mut self, me: Pid) -> u64 {
        when(self.owner.is_none());
        let seen = self.value;
        self.value = seen + 1;
        seen
    }
}

/// How it is done. The steps of others can be moved out of the way: `inc` is as good as one step.
#[implement(Counter, over = Lock, by = movers)]
impl CriticalSection {
    fn inc(lo: &mut impl Lock) -> u64 {
        lo.acquire();
        let seen = lo.read();
        // A mistake to try. Let the next line be code, and run `cargo cspec check`:
        // lo.release();
        lo.write(seen + 1);
        lo.release();
        seen
    }
}

/// Top to bottom: `Counter`, by `CriticalSection`, over `Lock`.
#[stack]
pub type CounterOverLock<Bottom> = CriticalSection<Bottom>;
