//! A property of every counterexample.

// Each test file is a crate of its own and uses only some of these functions.
#![allow(dead_code)]

use cspec_analysis::{
    counterexample::{Run, StepEnd},
    db::lower_sources,
    diagnostics::{Diagnostic, codes},
    verdict::{Outcome, Verdict},
};
use cspec_oracle::replay::{Replayed, answers, could_be_smaller, happens, ran, replay};

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

/// Whether a finding refutes an obligation with this code, or says that its proof fails with this code.
pub fn is_refuted_as(found: &Diagnostic, verdict: Verdict, code: &str) -> bool {
    match verdict {
        Verdict::Violated => found.code == code,
        Verdict::NotShown => found.code == codes::CS0310 && found.notes.iter().any(|it| it.contains(code)),
        _ => false,
    }
}

/// The counterexamples to these files that plain evaluation does not confirm: the obligation, and the reason.
pub fn not_replayed<'o>(files: &[(&str, &str)], outcomes: impl IntoIterator<Item = &'o Outcome>) -> Vec<String> {
    let program = lower_sources(files).program;
    let is_refuted = |it: &&Outcome| matches!(it.verdict, Verdict::Violated | Verdict::NotShown);
    let violated: Vec<&Outcome> = outcomes.into_iter().filter(is_refuted).collect();
    let wrong_runs =
        violated.iter().filter_map(|it| Some((it, it.diagnostics.iter().find_map(|it| it.wrong_run.as_ref())?)));
    let not_run = wrong_runs.filter_map(|(outcome, wrong)| match ran(&program, &outcome.name, wrong) {
        Replayed::Confirmed => None,
        Replayed::Unknown(why) | Replayed::Refuted(why) => {
            Some(format!("the wrong run of {}: {why}", outcome.name.id()))
        }
    });
    let not_run: Vec<String> = not_run.collect();
    // An undecided finding is not replayed, whatever a search says.
    let violated = violated
        .into_iter()
        .filter(|it| it.diagnostics.iter().all(|it| it.code != codes::CS0801 || it.wrong_run.is_none()));
    let told = violated.filter_map(|it| Some((it, it.diagnostics.iter().find_map(|it| it.counterexample.as_ref())?)));
    // The counterexample of an end-to-end search is a trace, not a statement about a state.
    let replayed = |outcome: &Outcome, told| match outcome.name.kind {
        "traces" => happens(&program, &outcome.name, told),
        "never" | "always" => answers(&program, &outcome.name, told),
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
    not_run.into_iter().chain(replayed).collect()
}
