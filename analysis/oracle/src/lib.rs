//! The checker of the checker: compares the engine's answers with those of plain evaluation and brute force.
//!
//! [`eval`] runs the IR over plain values and [`search`] interleaves processes; neither uses the engine's exploration or its obligations.
//! The front end, from text to the IR, is the engine's own. Tests in packages with an executable model compare it with rustc.

pub mod claims;
pub mod clients;
pub mod end_to_end;
pub mod eval;
pub mod fuzz;
pub mod generate;
mod integer;
mod keyed;
mod literals;
mod moves;
pub mod mutants;
mod prim;
pub mod replay;
pub mod search;
mod shape;
pub mod shrink;
pub mod stack;
mod turn;
pub mod value;

/// Faster than the system's allocator: nearly all programs that this crate is part of run the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
