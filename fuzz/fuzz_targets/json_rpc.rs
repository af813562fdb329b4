//! Streams of bytes to the server: it goes on to their end, and what it writes are messages.
#![no_main]

#[path = "../../lsp/tests/survives/mod.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // As they are, and as the content of a frame.
    drop(survives::survives(bytes));
    drop(survives::survives(&survives::framed(bytes)));
});
