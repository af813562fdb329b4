//! Random bytes as a file of the cache: it is rejected, or it decodes to the result that was written.
#![no_main]

#[path = "../../project/tests/survives/mod.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| survives::survives(bytes));
