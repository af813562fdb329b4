//! Exploration: running code over states about which little is known.
//!
//! An obligation ranges over *all* states. They are not enumerated: a run starts from a state about which nothing is known, and a
//! component of it is split into cases only when the code looks at it ([`cells`]). Universal runs split cases, existential runs (searches
//! for a witness) choose; a witness search that has to look at an unknown component sends the split back to the universal side
//! ([`search`]). What closes without meeting a bound holds for states of every size.
//!
//! This stage knows code and values. It does not know what an obligation is, where text stands, or what a verdict is called.

pub mod cells;
pub mod code;
pub mod compile;
pub mod hints;
pub mod machine;
pub mod order;
pub mod panics;
pub mod search;
pub mod show;
pub mod text;
pub mod value;
