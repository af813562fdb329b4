//! A counter on x86-TSO: the layers, real hardware to run them on, and litmus tests of the lowest layer.

pub mod layers;
