//! The state of x86-TSO, and what its instructions do to it. Background drains are the layers' business.

use cspec::prelude::*;

/// An address.
#[scalar]
pub struct Addr(u64);

/// The counter.
pub const VAL: Addr = Addr(0);
/// The lock that guards it.
pub const LOCK: Addr = Addr(1);

/// What `LOCK` holds while the lock is taken.
pub const LOCKED: u64 = 1;
/// What `LOCK` holds while the lock is free; any value but `LOCKED` would do.
pub const UNLOCKED: u64 = 0;

/// One shared store, and for each process the stores it has not made visible yet, oldest first.
#[state]
pub struct Memory {
    pub shared: Total<Addr, u64>,
    pub pending: Total<Pid, Seq<(Addr, u64)>>,
}

impl Memory {
    /// All zero, nothing pending.
    pub fn is_zero(&self) -> bool {
        self.shared.is_default() && self.pending.is_default()
    }

    /// What `me` reads at `at`: its newest pending store there, or else the shared store.
    pub fn load(&self, me: Pid, at: Addr) -> u64 {
        for (address, value) in self.pending[me].iter().rev() {
            if *address == at {
                return *value;
            }
        }
        self.shared[at]
    }

    /// A plain store: pending until it is drained.
    pub fn store(&mut self, me: Pid, at: Addr, value: u64) {
        self.pending[me].push((at, value));
    }

    /// The oldest pending store of `process`, if it has one, becomes visible.
    pub fn drain(&mut self, process: Pid) {
        if let Some((at, value)) = self.pending[process].pop_front() {
            self.shared[at] = value;
        }
    }

    /// All pending stores of `me` become visible.
    pub fn flush(&mut self, me: Pid) {
        while !self.pending[me].is_empty() {
            self.drain(me);
        }
    }

    /// Any pending stores, of any processes, become visible.
    pub fn drain_some(&mut self) {
        repeat(self, |memory| memory.drain(any()));
    }

    /// A locked exchange: returns what `me` saw, and leaves nothing of `me` pending.
    pub fn exchange(&mut self, me: Pid, at: Addr, value: u64) -> u64 {
        let seen = self.load(me, at);
        self.store(me, at, value);
        self.flush(me);
        seen
    }

    /// Takes the lock if it is seen free; may also find it taken for no reason. Either way nothing of `me` is left pending.
    pub fn try_lock(&mut self, me: Pid) -> bool {
        self.drain_some();
        if maybe() {
            self.flush(me);
            return false;
        }
        when(self.exchange(me, LOCK, LOCKED) != LOCKED);
        true
    }
}
