//! The running server.

mod lines;
pub mod names;
pub mod pop3;
pub mod smtp;
