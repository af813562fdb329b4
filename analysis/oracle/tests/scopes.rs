//! A larger scope accepts nothing that a smaller one refuses: random packages of all families, in nested scopes.

use std::sync::atomic::AtomicBool;

use cspec_analysis::{
    db::lower_sources,
    report::{Options, Progress, check_program},
    verdict::{Outcome, Scope, Verdict},
};
use cspec_oracle::generate::{Pattern, case};

struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _: usize) {}
    fn finished(&self, _: &Outcome) {}
}

/// Three scopes, each contained in the next.
fn scopes() -> [Scope; 3] {
    let scope = |pids, entries, ints| Scope { pids, entries, ints, budget: 3_000_000, ..Scope::default() };
    [scope(2, 1, 1), scope(3, 2, 2), scope(3, 3, 4)]
}

/// An obligation that is violated in a scope and holds in a larger one.
fn accepted_by_a_larger_one(source: &str) -> Option<String> {
    let lowered = lower_sources(&[("src/lib.rs", source)]);
    let mut refused: Vec<String> = Vec::new();
    for scope in scopes() {
        let options = Options { scope, ..Options::default() };
        let outcomes = check_program(&lowered, &options, &Quiet, &AtomicBool::new(false));
        for (outcome, _) in &outcomes {
            let id = outcome.name.id();
            let holds = matches!(outcome.verdict, Verdict::Proved | Verdict::Checked);
            if holds && refused.contains(&id) {
                return Some(format!("{id} holds within {:?}", options.scope));
            }
            if outcome.verdict == Verdict::Violated {
                refused.push(id);
            }
        }
    }
    None
}

/// Checks a share of the packages of each family.
fn check_every_second(first: u64) {
    for pattern in Pattern::ALL {
        for seed in (40_000_000 + first..40_000_030).step_by(2) {
            let case = case(pattern, seed);
            let found = accepted_by_a_larger_one(&case.source);
            assert_eq!(found, None, "{} with seed {seed}:\n{}", pattern.name(), case.source);
        }
    }
}

#[test]
fn what_a_smaller_scope_refuses_no_larger_one_accepts() {
    check_every_second(0);
}

/// Beside the other half, on another core.
#[test]
fn what_a_smaller_scope_refuses_no_larger_one_accepts_either() {
    check_every_second(1);
}

/// The integers next to those that the code names are tried in every scope, even if the literal itself is the limit.
#[test]
fn a_number_beside_a_literal_is_tried_in_every_scope() {
    let source = "use cspec::prelude::*;
        #[state] pub struct Cell { pub value: u64 }
        #[layer] impl Low for Cell {
            #[op(right)] fn seen(&mut self, me: Pid) -> bool { self.value + 0 > 3 }
            #[op] fn set(&mut self, me: Pid) { self.value = 3; }
        }";
    let lowered = lower_sources(&[("src/lib.rs", source)]);
    for ints in 1..=6 {
        let options = Options { scope: Scope { ints, ..Scope::default() }, ..Options::default() };
        let outcomes = check_program(&lowered, &options, &Quiet, &AtomicBool::new(false));
        let refused = outcomes.iter().any(|(it, _)| it.name.kind == "right-mover" && it.verdict == Verdict::Violated);
        assert!(refused, "within int ≤ {ints}");
    }
}
