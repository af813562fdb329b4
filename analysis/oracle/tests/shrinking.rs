//! A finding is made small before it is shown: here those of a checker that forgets an obligation.

use cspec_oracle::{
    fuzz::{Effort, Fate, Wrong, run},
    generate::{Case, Pattern, case},
    shrink::shrink,
};

/// The first case that a checker accepts wrongly when it does not know obligations of this kind.
fn finding(pattern: Pattern, effort: &Effort) -> (Case, Wrong) {
    let found = (30_000_000..30_001_000).find_map(|seed| {
        let case = case(pattern, seed);
        match run(&case, effort) {
            Fate::Wrong(wrong @ Wrong::WrongAcceptance(_)) => Some((case, wrong)),
            _ => None,
        }
    });
    found.expect("among so many cases there is one that is accepted wrongly")
}

fn operations(case: &Case) -> usize {
    case.source.matches("#[op]").count()
}

#[test]
fn what_a_forgetful_checker_accepts_is_shown_small() {
    for (pattern, forgotten, most) in
        [(Pattern::Abstraction, "simulation", 4), (Pattern::Movers, "shape", 6), (Pattern::Retry, "turn", 4)]
    {
        let effort = Effort { confirm: false, asked_again: 0, forgets: Some(forgotten), ..Effort::default() };
        let (case, wrong) = finding(pattern, &effort);
        let (small, wrong) = shrink(&case, &wrong, &effort);
        assert!(matches!(wrong, Wrong::WrongAcceptance(_)));
        assert!(matches!(run(&small, &effort), Fate::Wrong(Wrong::WrongAcceptance(_))), "it still is one");
        assert!(
            operations(&small) <= most && small.source.len() <= case.source.len(),
            "{}: {} operations, {} bytes of {}\n{}",
            pattern.name(),
            operations(&small),
            small.source.len(),
            case.source.len(),
            small.source
        );
        // The engine as it is refuses it.
        let whole = Effort { forgets: None, ..effort };
        assert!(matches!(run(&small, &whole), Fate::Rejected { .. }), "{}", small.source);
    }
}
