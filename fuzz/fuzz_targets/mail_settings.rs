//! Random bytes as the configuration file of the mail server; see `cmail::questions`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| cmail::questions::settings(input));
