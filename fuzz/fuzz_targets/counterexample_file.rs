//! Files that are given as counterexamples: each is refused, or shown without anything that moves the cursor.
#![no_main]

#[path = "../../cargo-cspec/tests/survives/mod.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| survives::survives(bytes));
