//! Random bytes as a counterexample file: it is rejected, or it is printed without control characters that could move the cursor.
#![no_main]

#[path = "../../cargo-cspec/tests/survives/mod.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| survives::survives(bytes));
