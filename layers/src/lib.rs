//! The vocabulary of layered concurrency proofs, and its native meaning.
//!
//! A layer is written once and read three ways. This crate provides two of the readings: procedures compiled to run over a real
//! bottom layer ([`Perform`], no cost beyond the calls), and every layer compiled to an executable model ([`Model`]) that tests
//! enumerate or drive ([`model`]). The third reading, the check of the proof, is done by `cargo cspec` on the source text;
//! this crate knows nothing of it.
//!
//! Layer files start with `use cspec::prelude::*;`.

// The macros name this crate `::cspec`. This makes the name valid inside the crate too.
extern crate self as cspec;

/// The example in the README is compiled like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod choice;
mod keyed;
mod layer;
mod map;
pub mod model;
mod scalar;
#[doc(hidden)]
pub mod searching;
mod seq;
mod set;
mod tape;
mod total;
mod value;

pub use choice::{any, choose, emit, external, maybe, repeat, when};
pub use cspec_macros::{bottom, client, implement, layer, scalar, stack, state};
pub use keyed::{Keyed, Select};
pub use layer::{Layer, Model, Operation, Perform, Spec};
pub use map::Map;
pub use scalar::{Pid, Scalar};
pub use seq::Seq;
pub use set::Set;
pub use total::Total;
pub use value::Value;

#[doc(hidden)]
pub use layer::generated;

/// Everything that a layer file needs.
pub mod prelude {
    pub use crate::{
        Map, Pid, Seq, Set, Total, any, bottom, choose, client, emit, external, implement, layer, maybe, repeat,
        scalar, stack, state, when,
    };
}
