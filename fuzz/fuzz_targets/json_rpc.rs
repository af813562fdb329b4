//! Streams of bytes to the server: it goes on to their end, and what it writes are messages.
#![no_main]

#[path = "../../lsp/tests/survives/mod.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // As they are, and each line as the content of a frame.
    drop(survives::survives(bytes));
    let frames: Vec<u8> = bytes.split(|it| *it == b'\n').flat_map(survives::framed).collect();
    drop(survives::survives(&frames));
});
