//! Random bytes as the source of a package: the engine ends within its budget, does not panic, and gives every error a position.
#![no_main]

#[path = "../../analysis/tests/findings/mod.rs"]
#[allow(dead_code)]
mod findings;
#[path = "../../analysis/tests/survives/mod.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| drop(survives::survives(text, 20_000)));
