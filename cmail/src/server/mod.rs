//! The running server. `smtp` and `pop3` are the protocols, without input and output; `session` joins them to sockets and to the `store`,
//! behind which the checked layers run; `worker` is about processes. Sessions cannot reach a file: all they can do with mail is
//! what [`store::Store`] offers.

pub mod config;
mod lines;
pub mod names;
pub mod passwords;
pub mod pop3;
mod queue;
mod session;
pub mod smtp;
pub mod store;
mod trace;
pub mod worker;
