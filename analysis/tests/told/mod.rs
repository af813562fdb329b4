//! A property of every counterexample.

// Each test file is a crate of its own and uses only some of these functions.
#![allow(dead_code)]

use cspec_analysis::{
    counterexample::{Run, StepEnd},
    db::lower_sources,
    diagnostics::{Diagnostic, codes},
    verdict::{Outcome, Verdict},
};
use cspec_oracle::replay::{Replayed, could_be_smaller, happens, replay};

/// Findings about the text of a procedure or stack, which have no run.
const WITHOUT_RUN: [&str; 2] = [codes::CS0208, codes::CS1104];

/// Whether a finding has a complete counterexample: at least one step, known places of its steps, and if there are two runs, a first one
/// that is possible from start to end.
pub fn is_told(found: &Diagnostic) -> bool {
    if WITHOUT_RUN.contains(&found.code) {
        return found.counterexample.is_none();
    }
    let Some(counterexample) = &found.counterexample else { return false };
    let steps = || counterexample.runs.iter().flat_map(|it| &it.steps);
    let happens = |run: &Run| run.steps.iter().all(|it| it.end != StepEnd::Disabled && it.mismatch.is_none());
    // A second loop is reached without a step.
    (steps().next().is_some() || found.code == codes::CS0603)
        && steps().all(|it| it.place.is_some())
        && (counterexample.runs.len() == 1 || counterexample.runs.first().is_some_and(happens))
        && !counterexample.conclusion.is_empty()
}

/// The counterexamples to these files that plain evaluation does not confirm: the obligation, and the reason.
pub fn not_replayed<'o>(files: &[(&str, &str)], outcomes: impl IntoIterator<Item = &'o Outcome>) -> Vec<String> {
    let program = lower_sources(files).program;
    let violated = outcomes.into_iter().filter(|it| it.verdict == Verdict::Violated);
    let told = violated.filter_map(|it| Some((it, it.diagnostics.iter().find_map(|it| it.counterexample.as_ref())?)));
    // The counterexample of an end-to-end search is a trace, not a statement about a state.
    let replayed = |outcome: &Outcome, told| match outcome.name.kind {
        "traces" => happens(&program, &outcome.name, told),
        _ => replay(&program, &outcome.name, told),
    };
    let replayed = told.filter_map(|(outcome, told)| match replayed(outcome, told) {
        Replayed::Confirmed => {
            let smaller = could_be_smaller(&program, &outcome.name, told)?;
            Some(format!("{}: not the smallest: {smaller}", outcome.name.id()))
        }
        Replayed::Unknown(why) => Some(format!("{}: {why}", outcome.name.id())),
        Replayed::Refuted(what) => {
            Some(format!("{}: WRONG: {what}\n  {}", outcome.name.id(), told.lines().join("\n  ")))
        }
    });
    replayed.collect()
}
