//! What a project says to cspec, and what cspec keeps for it: its manifests' settings, and the verdicts on the disk.
//!
//! The command and the language server read both here, so that they check the same thing in the same scope and know what the other has
//! found out. This crate checks nothing and talks to nobody: what is wrong with a manifest is given back as a finished message.

mod bound;
pub mod cache;
mod settings;
mod words;

pub use bound::{Bound, bound_names};
pub use settings::{Settings, check_bounds, overflow_mode, scalars};
pub use words::{duration, unknown};
