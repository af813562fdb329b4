//! The running server. `smtp` and `pop3` are the protocols, without input and output; `session` connects them to connections and to the
//! `store`, behind which the checked layers run; `supervisor` is the main process, and `worker` one of its workers. Sessions cannot reach
//! a file: they can do with mail only what [`store::Store`] offers.

pub mod config;
mod connection;
mod lines;
pub mod log;
pub mod metrics;
pub mod names;
pub mod passwords;
pub mod pop3;
mod privileges;
mod queue;
pub mod quotas;
mod session;
mod signals;
pub mod smtp;
pub mod sockets;
pub mod store;
pub mod supervisor;
mod table;
pub mod tls;
pub mod trace;
pub mod worker;

/// An error that ends a command; its text is the message for the user.
pub type Failure = Box<dyn std::error::Error>;

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    // Only the hashing of passwords blocks, and it takes much memory.
    tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build()
}
