//! Random bytes as the argument of RCPT of the mail server; see `cmail::questions`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| cmail::questions::address(input));
