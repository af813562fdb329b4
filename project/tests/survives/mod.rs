//! What must be so of every file in the cache. Also what `fuzz/` asks of the bytes that it thinks out.

use cspec_analysis::{obligations::report::Settled, results::Fingerprint};
use cspec_project::cache::{decode, encode};

/// It is no result, or reads as the one that was written.
pub fn survives(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let fingerprint: Fingerprint = "5a".repeat(16).parse().expect("a fingerprint has so many digits");
    if let Some(settled) = decode(fingerprint, &text) {
        assert_eq!(encode(fingerprint, &settled).expect("it was read"), text, "another text than was written");
    }
    // A checksum is right by chance once in the age of the universe: what it would guard is read, too.
    if let Ok(settled) = serde_json::from_str::<Settled>(&text) {
        let written = encode(fingerprint, &settled).expect("it was read");
        let read = decode(fingerprint, &written).expect("it was written");
        assert_eq!(encode(fingerprint, &read).expect("it was read"), written);
    }
}
