//! A mail server whose mail store is checked, from the requests of clients down to the file system. `layers` is what is checked,
//! `bottom` is what it runs on, `server` speaks to clients, and `bench` measures.

pub mod bench;
mod bottom;
pub mod layers;
pub mod server;

pub use bottom::{Error, Root, SessionLock};
