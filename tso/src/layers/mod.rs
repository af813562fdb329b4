//! The stack of the x86-TSO counter, bottom to top: one file a layer, each opening with the one fact that it adds, and holding the
//! implementation of that layer over the one below.

mod memory;

mod tso;
mod tso_delay_nondet;
mod tas_tso;
mod lock_owner;
mod lock_invariant;
mod seq_mem;
mod raw_lock;
mod lock;
mod locked_counter;
mod counter;

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
