//! Files in the cache: each is no result, or reads as the one that was written.
#![no_main]

#[path = "../../project/tests/survives/mod.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| survives::survives(bytes));
