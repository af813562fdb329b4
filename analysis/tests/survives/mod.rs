//! A property of the engine for every text. The fuzz targets in `fuzz/` check it too.

use std::time::{Duration, Instant};

use cspec_analysis::{
    diagnostics::Severity,
    report::Options,
    verdict::{Scope, Verdict},
};

use crate::findings::{Checked, run};

/// Longer than any text should take, even on a slow machine: the budget ends explorations much earlier.
const FOR_EVER: Duration = Duration::from_secs(120);

fn checked(text: &str, budget: u64) -> Checked {
    let options = Options { scope: Scope { budget, ..Scope::default() }, ..Options::default() };
    run(&[("layers.rs".to_owned(), text.to_owned())], &options)
}

/// Checks an arbitrary text. Findings have positions in the text, and everything that is not checked has a finding.
pub fn survives(text: &str, budget: u64) -> Checked {
    let started = Instant::now();
    let checked = checked(text, budget);
    assert!(started.elapsed() < FOR_EVER, "took {:?}", started.elapsed());
    for (found, _) in checked.diagnostics() {
        let (start, end) = (found.span.start as usize, found.span.end as usize);
        assert!(start <= end && text.get(start..end).is_some(), "{}: {start}..{end} is no place", found.message);
    }
    for outcome in &checked.outcomes {
        let errors = outcome.diagnostics.iter().filter(|it| it.severity == Severity::Error).count();
        let expected =
            usize::from(matches!(outcome.verdict, Verdict::Violated | Verdict::NotShown | Verdict::Undecided));
        assert_eq!(errors, expected, "{}", outcome.name.id());
    }
    checked
}
