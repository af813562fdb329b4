//! The stack of the x86-TSO counter: one file a layer, each opening with the one fact that it adds, and holding the
//! implementation of that layer over the one below. Bottom to top: `tso`, `tso_delay_nondet`, `tas_tso`, `lock_owner`,
//! `lock_invariant`, `seq_mem`, `raw_lock`, `lock`, `locked_counter`, `counter`.

mod counter;
mod lock;
mod lock_invariant;
mod lock_owner;
mod locked_counter;
mod memory;
mod raw_lock;
mod seq_mem;
mod tas_tso;
mod tso;
mod tso_delay_nondet;

pub use counter::*;
pub use lock::*;
pub use lock_invariant::*;
pub use lock_owner::*;
pub use locked_counter::*;
pub use memory::*;
pub use raw_lock::*;
pub use seq_mem::*;
pub use tas_tso::*;
pub use tso::*;
pub use tso_delay_nondet::*;
