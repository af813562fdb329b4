//! Exploration: symbolic execution over states about which little is known.
//!
//! An obligation ranges over *all* states. They are not enumerated: a run starts from a state about which nothing is known, and a
//! component is split into cases only when the code reads it ([`cells`]). Universal runs split cases; existential runs (searches
//! for a witness) choose. A witness search that has to read an unknown component sends the split back to the universal side
//! ([`search`]). If everything closes without meeting a bound, the statement holds for states of every size.
//!
//! This stage knows code and values. It knows nothing of obligations, positions in texts, or verdicts.

pub mod cells;
pub mod code;
pub mod compile;
pub mod hints;
pub mod machine;
pub mod order;
pub mod panics;
pub mod questions;
pub mod search;
pub mod show;
pub mod text;
pub mod value;
