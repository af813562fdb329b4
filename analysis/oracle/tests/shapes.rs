//! The claims about procedures, which run them on plain states: of random procedures, what the engine proves is not refuted, and what it refutes is
//! refuted most often.

use cspec_analysis::verdict::Verdict;
use cspec_oracle::{
    claims::{Claims, States},
    fuzz::{checked, of_procedures},
    generate::{Pattern, case},
};
use fastrand::Rng;

/// What the claim about a procedure says, where the engine has proved or refuted it.
#[derive(Debug, Default)]
struct Counts {
    holds: usize,
    refuted: usize,
    unknown: usize,
}

fn of_shapes(pattern: Pattern, packages: u64) -> [Counts; 2] {
    let mut counts: [Counts; 2] = Default::default();
    for seed in 50_000_000..50_000_000 + packages {
        let case = case(pattern, seed);
        let checked = checked(&case.source);
        let claims = Claims::new(&checked.lowered.program, of_procedures());
        let mut random = Rng::with_seed(seed);
        for outcome in checked.outcomes.iter().filter(|it| it.name.kind == "shape") {
            let is_proved = match outcome.verdict {
                // What relies on where its process is left is not claimed of all states.
                Verdict::Proved
                    if outcome.assumptions.is_empty() && outcome.at_start.is_empty() && outcome.even_if.is_empty() =>
                {
                    true
                }
                Verdict::Violated | Verdict::NotShown => false,
                _ => continue,
            };
            let counts = &mut counts[usize::from(!is_proved)];
            match claims.refute(&outcome.name, &mut States::all_or(80, &mut random)) {
                Ok(None) => counts.holds += 1,
                Ok(Some(how)) if is_proved => panic!("{} with seed {seed}: {how}\n{}", pattern.name(), case.source),
                Ok(Some(_)) => counts.refuted += 1,
                Err(_) => counts.unknown += 1,
            }
        }
    }
    println!("{}: proved: {:?}; violated: {:?}", pattern.name(), counts[0], counts[1]);
    counts
}

#[test]
fn shapes_that_are_proved_are_not_refuted() {
    for (pattern, packages) in [(Pattern::Calls, 80), (Pattern::Movers, 16)] {
        let [proved, violated] = of_shapes(pattern, packages);
        assert!(proved.unknown * 2 <= proved.holds, "too little is evaluated: {proved:?}");
        assert!(violated.refuted > violated.holds, "too little is refuted: {violated:?}");
    }
}
