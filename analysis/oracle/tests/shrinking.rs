//! A finding is shrunk before it is shown. The findings here come from a checker that omits one kind of obligation.

use cspec_oracle::{
    fuzz::{Effort, Fate, Wrong, run},
    generate::{Case, Pattern, case},
    shrink::shrink,
};
use expect_test::expect_file;

fn forgetting(kind: &'static str) -> Effort {
    Effort { confirm: false, asked_again: 0, forgets: Some(kind), ..Effort::default() }
}

/// The first case with at least this many lines that is accepted wrongly, from a seed.
fn finding(pattern: Pattern, seed: u64, least: usize, effort: &Effort) -> (Case, Wrong) {
    let large = (seed..seed + 1_000).map(|seed| case(pattern, seed)).filter(|it| lines(it) >= least);
    let found = large.into_iter().find_map(|case| match run(&case, effort) {
        Fate::Wrong(wrong @ Wrong::WrongAcceptance(_)) => Some((case, wrong)),
        _ => None,
    });
    found.expect("among so many cases there is one that is accepted wrongly")
}

/// The number of lines that are not blank.
fn lines(case: &Case) -> usize {
    case.source.lines().filter(|it| !it.trim().is_empty()).count()
}

#[test]
fn what_was_made_small_is_still_accepted_wrongly_and_refused_by_the_whole_checker() {
    for (pattern, forgotten) in
        [(Pattern::Movers, "shape"), (Pattern::Abstraction, "simulation"), (Pattern::Retry, "turn")]
    {
        let effort = forgetting(forgotten);
        let (case, wrong) = finding(pattern, 30_000_000, 0, &effort);
        let (small, wrong) = shrink(&case, &wrong, &effort);
        let told = format!("{} without `{forgotten}`: {wrong}\n{}", pattern.name(), small.source);
        assert!(matches!(wrong, Wrong::WrongAcceptance(_)), "another kind of finding: {told}");
        assert!(matches!(run(&small, &effort), Fate::Wrong(Wrong::WrongAcceptance(_))), "it is none any more: {told}");
        assert!(
            small.source.len() < case.source.len(),
            "{} bytes of {}: {told}",
            small.source.len(),
            case.source.len()
        );
        let whole = Effort { forgets: None, ..effort };
        assert!(matches!(run(&small, &whole), Fate::Rejected { .. }), "nothing else is wrong with it: {told}");
    }
}

/// The remainder of a package of a hundred lines: an operation that the relation does not preserve, and the text that every package needs.
#[test]
fn a_large_finding_becomes_this_small_one() {
    let effort = forgetting("simulation");
    let (case, wrong) = finding(Pattern::Abstraction, 31_000_000, 90, &effort);
    let (small, _) = shrink(&case, &wrong, &effort);
    assert!(lines(&small) * 2 < lines(&case), "{} of {} lines:\n{}", lines(&small), lines(&case), small.source);
    expect_file!["shrinking/large.rs"].assert_eq(&case.source);
    expect_file!["shrinking/small.rs"].assert_eq(&small.source);
}
