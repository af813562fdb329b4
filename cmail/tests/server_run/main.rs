//! Tests of the whole server: started as a user starts it, used over sockets, killed, and given wrong results by the kernel.

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
