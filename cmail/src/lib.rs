//! A mail server whose mail store is checked, from the requests of clients down to the file system. `layers` is what is checked,
//! `bottom` is what it runs on, and `server` speaks to clients.

mod bottom;
pub mod layers;
pub mod server;

pub use bottom::{Error, Root, SessionLock};
