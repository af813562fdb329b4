//! Changes cache entries at random. None of the changed entries may be accepted as a result.

mod survives;

use cspec_analysis::{
    obligations::report::Settled,
    results::Fingerprint,
    verdict::{Assumption, Verdict},
};
use cspec_project::cache::{decode, encode};
use fastrand::Rng;
use survives::survives;

#[test]
fn what_was_changed_is_no_result() {
    let fingerprint: Fingerprint = "5a".repeat(16).parse().expect("a fingerprint has so many digits");
    let settled = Settled {
        verdict: Verdict::Checked,
        bounds_met: vec!["Pid ≤ 3".to_owned()],
        assumptions: vec![Assumption::No64BitOverflow],
        cases: 12,
        states: 34,
        diagnostics: Vec::new(),
        relied: Vec::new(),
        refutation: None,
        at_start: Vec::new(),
        at_calls: Vec::new(),
        even_if: Vec::new(),
        is_superseded: false,
        tried: String::new(),
        met_unsupported: false,
        may_be_unreachable: false,
    };
    let text = encode(fingerprint, &settled).expect("a result has JSON");
    assert!(decode(fingerprint, &text).is_some_and(|it| it.cases == 12));
    let another: Fingerprint = "a5".repeat(16).parse().expect("a fingerprint has so many digits");
    assert!(decode(another, &text).is_none(), "the result of another question");
    let mut random = Rng::with_seed(1);
    for _ in 0..20_000 {
        let mut bytes = text.clone().into_bytes();
        let at = random.usize(..bytes.len());
        match random.usize(..3) {
            0 => bytes[at] ^= 1 << random.usize(..8),
            1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        survives(&bytes);
        // The result alone has no checksum. With its head it has the checksum of the text before the change.
        survives(bytes.split(|it| *it == b'\n').next_back().unwrap_or_default());
        let changed = String::from_utf8_lossy(&bytes);
        assert!(decode(fingerprint, &changed).is_none(), "{changed}");
    }
}
