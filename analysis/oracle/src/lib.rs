//! The checker checked: what the engine says of layers, compared with what plain evaluation and brute force find.
//!
//! [`eval`] runs the IR over plain values and [`search`] interleaves processes; neither uses the engine's exploration or its obligations.
//! The front end, from text to the IR, is the engine's own: what it means is compared with rustc's reading by tests in the packages that
//! have an executable model.

pub mod claims;
pub mod clients;
pub mod eval;
pub mod fuzz;
pub mod generate;
mod integer;
mod keyed;
mod literals;
pub mod mutants;
mod prim;
pub mod replay;
pub mod search;
mod shape;
pub mod shrink;
pub mod stack;
mod turn;
pub mod value;
