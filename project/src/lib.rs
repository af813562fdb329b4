//! The settings and the cache of a project: what its manifests say, and the verdicts on disk.
//!
//! The command and the language server both use this crate, so they check the same thing in the same scope and share their
//! results. This crate checks nothing and prints nothing: an error in a manifest is returned as a finished message.

mod bound;
pub mod cache;
mod settings;
mod words;

pub use bound::{Bound, bound_names};
pub use settings::{Settings, check_bounds, overflow_mode, scalars};
pub use words::{duration, unknown};
