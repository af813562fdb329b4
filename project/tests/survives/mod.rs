//! A property of every cache file, whatever its bytes: it is rejected, or it decodes to the result that was written. The fuzz targets in
//! `fuzz/` check it too.

use cspec_analysis::{obligations::report::Settled, results::Fingerprint};
use cspec_project::cache::{decode, encode};

/// Asserts that the bytes are no result, or decode to the result that was written.
pub fn survives(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let fingerprint: Fingerprint = "5a".repeat(16).parse().expect("a fingerprint has so many digits");
    if let Some(settled) = decode(fingerprint, &text) {
        assert_eq!(encode(fingerprint, &settled).expect("it was read"), text, "another text than was written");
    }
    // A random checksum is right about once in the age of the universe, so the result behind it is also parsed without the check.
    if let Ok(settled) = serde_json::from_str::<Settled>(&text) {
        let written = encode(fingerprint, &settled).expect("it was read");
        let read = decode(fingerprint, &written).expect("it was written");
        assert_eq!(encode(fingerprint, &read).expect("it was read"), written);
    }
}
