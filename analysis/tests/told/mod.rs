//! What is expected of every counterexample.

use cspec_analysis::{
    counterexample::{Run, StepEnd},
    diagnostics::{Diagnostic, codes},
};

/// Findings about the text of a procedure or stack, which no run shows.
const WITHOUT_RUN: [&str; 3] = [codes::CS0208, codes::CS0603, codes::CS1104];

/// Whether a finding has a counterexample that says what happens: at least one step, the places of its steps known, and where there are two
/// runs the first one possible from its beginning to its end.
pub fn is_told(found: &Diagnostic) -> bool {
    if WITHOUT_RUN.contains(&found.code) {
        return found.counterexample.is_none();
    }
    let Some(counterexample) = &found.counterexample else { return false };
    let steps = || counterexample.runs.iter().flat_map(|it| &it.steps);
    let happens = |run: &Run| run.steps.iter().all(|it| it.end != StepEnd::Disabled && it.mismatch.is_none());
    steps().next().is_some()
        && steps().all(|it| it.place.is_some())
        && (counterexample.runs.len() == 1 || counterexample.runs.first().is_some_and(happens))
        && !counterexample.conclusion.is_empty()
}
