//! Random bytes as input of the language server: it reads them to the end, and writes only well-formed messages.
#![no_main]

#[path = "../../lsp/tests/survives/mod.rs"]
mod survives;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Once as they are, and once with each line as the content of a frame.
    drop(survives::survives(bytes));
    let frames: Vec<u8> = bytes.split(|it| *it == b'\n').flat_map(survives::framed).collect();
    drop(survives::survives(&frames));
});
