//! The server as a whole: started as a user starts it, spoken to over sockets, killed, and lied to by the kernel.

mod clients;
mod conformance;
mod crashes;
mod every_call;
mod faults;
mod harness;
mod histories;
mod isolation;
mod operation;
mod power;
mod soak;
mod surroundings;
mod tls;
mod transfer;
