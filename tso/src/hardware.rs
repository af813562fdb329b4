//! The layer `Tso` by the processor's own instructions. This file is trusted: no proof reaches it. It knows nothing of the
//! layers above; whatever is a procedure over `Tso` runs over [`Core`].
//!
//! On x86-64 each operation is one instruction, and the processor is what the layer describes:
//!
//! | operation | code | instruction |
//! |---|---|---|
//! | `read` | load, acquire | `mov` |
//! | `write` | store, release | `mov` |
//! | `test_and_set` | swap, sequentially consistent | `xchg`, which is always locked |
//! | `fence` | fence, sequentially consistent | `mfence`, or a locked instruction that does as much |
//!
//! The compiler has to keep the order too. It may not move anything before an acquiring load, nor after a releasing store, nor across the
//! other two. It may only move a store after a later load of another address, as a store buffer does.
//!
//! Elsewhere every operation is sequentially consistent. That is sound: such a run is one of `Tso` in which every store is
//! drained at once, and draining is what the layer leaves open. It is only slower than the processor could be.

use std::hint;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::thread;

use cspec::prelude::*;

use crate::layers::*;

/// Whether the plain `mov` of the table above is used.
pub const IS_X86_64: bool = cfg!(target_arch = "x86_64");

const LOAD: Ordering = if IS_X86_64 { Ordering::Acquire } else { Ordering::SeqCst };
const STORE: Ordering = if IS_X86_64 { Ordering::Release } else { Ordering::SeqCst };

/// After this many exchanges in a row without a change, the core yields: there may be more threads than processors.
const PATIENCE: u32 = 64;

/// Memory shared by the cores: a few addresses, counted from zero, all zero at first.
#[derive(Debug)]
pub struct Ram {
    cells: Box<[Cell]>,
}

/// One address, on its own cache line, so that the lock does not slow the counter down.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Cell(AtomicU64);

impl Ram {
    /// Creates memory with the addresses `0..addresses`.
    pub fn new(addresses: usize) -> Self {
        Ram { cells: (0..addresses).map(|_| Cell::default()).collect() }
    }

    /// One process's access to the memory. A thread that uses two of them still counts as one process.
    pub fn core(&self, process: Pid) -> Core<'_> {
        Core { memory: self, process, in_vain: 0 }
    }

    /// The cell at an address.
    ///
    /// # Panics
    ///
    /// If there is no such address.
    fn cell(&self, at: Addr) -> &AtomicU64 {
        &self.cells[u64::from(at) as usize].0
    }
}

/// A process on the hardware. It performs the operations of `Tso`.
#[derive(Debug)]
pub struct Core<'m> {
    memory: &'m Ram,
    process: Pid,
    /// How many exchanges in a row found the value that they wrote.
    in_vain: u32,
}

impl Core<'_> {
    /// Yields after many exchanges in vain. An exchange that finds the value it wrote is most likely a retry on a taken lock.
    fn wait_a_little(&mut self) {
        self.in_vain += 1;
        if self.in_vain.is_multiple_of(PATIENCE) {
            thread::yield_now();
        } else {
            hint::spin_loop();
        }
    }
}

#[bottom]
impl Tso for Core<'_> {
    fn read(&mut self, at: Addr) -> u64 {
        self.memory.cell(at).load(LOAD)
    }

    fn write(&mut self, at: Addr, value: u64) {
        self.memory.cell(at).store(value, STORE);
    }

    fn test_and_set(&mut self, at: Addr, value: u64) -> u64 {
        let seen = self.memory.cell(at).swap(value, Ordering::SeqCst);
        if seen == value {
            self.wait_a_little();
        } else {
            self.in_vain = 0;
        }
        seen
    }

    fn fence(&mut self) {
        fence(Ordering::SeqCst);
    }

    fn print(&mut self, value: u64) {
        println!("{:?} prints {value}", self.process);
    }
}
