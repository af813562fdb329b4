//! A mail server whose mail store is checked, from the requests of clients down to the file system. `layers` is what is checked,
//! `bottom` is what it runs on, `server` speaks to clients, `bench` measures, and
//! `conform` compares what was done with what the layers allow.

pub mod bench;
mod bottom;
pub mod conform;
#[cfg(test)]
mod fuzz;
pub mod layers;
pub mod server;

pub use bottom::{Error, Root, SessionLock};
