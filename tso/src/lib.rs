//! A counter on x86-TSO, checked and running. `layers` is the checked part. `hardware` performs the lowest layer by machine
//! instructions, so that the checked procedures run, and `counting` runs them. `litmus` compares the lowest layer with published litmus
//! tests.

pub mod counting;
pub mod hardware;
pub mod layers;
pub mod litmus;
