//! A mail server whose mail store is checked, from the requests of clients down to the file system. `layers` is the checked part,
//! `bottom` the system calls below it, `server` speaks to clients, `transfer` imports and exports mail, `check` looks for problems,
//! `questions` holds properties of parsers, `bench` measures, and `conform` compares a run with what the layers allow.

pub mod bench;
mod bottom;
pub mod check;
pub mod conform;
#[cfg(test)]
mod fuzz;
pub mod layers;
pub mod questions;
pub mod server;
pub mod transfer;

pub use bottom::{Error, Root, SessionLock};
