//! A counter on x86-TSO, checked and running. `layers` is what is checked. `hardware` performs the lowest layer by machine
//! instructions, so that the checked procedures run, and `counting` runs them. `litmus` asks the lowest layer what published
//! tests ask of processors.

pub mod counting;
pub mod hardware;
pub mod layers;
pub mod litmus;
