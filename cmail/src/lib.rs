//! A mail server whose mail store is checked, from the requests of clients down to the file system. `layers` is what is checked;
//! `server` is what speaks to clients.

pub mod layers;
pub mod server;
