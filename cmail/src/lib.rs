//! A mail server whose mail store is checked, from the requests of clients down to the file system. `layers` is what is checked,
//! `bottom` is what it runs on, `server` speaks to clients, `transfer` brings mail from elsewhere, `check` looks for trouble, `questions`
//! says what has to hold of every input, `bench` measures, and `conform` compares what was done with what the layers allow.

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
