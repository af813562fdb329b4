//! What is said where a proof fails or is undecided, once a search for a wrong run is done.
//!
//! A counterexample to the premise of a theorem refutes the proof, not the program: two operations that do not commute may be harmless. So
//! such an obligation is `violated` only if a search finds a run that the layer above does not allow; otherwise it is `not shown`. An
//! undecided obligation becomes `violated` if a run is found, and stays undecided otherwise. It is the same with a run of a procedure alone that
//! the layer above does not allow, if it starts in a state that is not initial: that state may never be reached. The counterexamples of all other
//! obligations are wrong runs, or refute what the source claims: they need no search.

use crate::{
    diagnostics::{Diagnostic, Severity, WrongRun, codes},
    obligations::{Obligation, report::Settled},
    verdict::{Outcome, Verdict},
};

/// The words of a message that says of a program what is shown only of a proof.
pub const NOT_ATOMIC: &str = "is not atomic";

/// Whether the result of an obligation leaves open whether the program is wrong.
pub fn is_open(obligation: &Obligation, settled: &Settled) -> bool {
    match settled.verdict {
        // It is asked again, and that is the answer.
        _ if settled.is_superseded => false,
        // Code with errors was reached: there is no verdict.
        Verdict::Undecided => !settled.met_unsupported,
        Verdict::Violated if settled.may_be_unreachable => true,
        Verdict::Violated => settled.diagnostics.iter().any(|it| is_about_the_proof(obligation, it)),
        Verdict::Proved | Verdict::Checked | Verdict::Searched | Verdict::NotShown => false,
    }
}

/// Whether an error says only that a proof fails.
fn is_about_the_proof<P>(obligation: &Obligation, found: &Diagnostic<P>) -> bool {
    let obligation = match obligation {
        Obligation::FromRest(asked) => asked,
        obligation => obligation,
    };
    match found.code {
        codes::CS0305 | codes::CS0306 | codes::CS0308 | codes::CS0601 | codes::CS0603 => true,
        codes::CS0307 => matches!(obligation, Obligation::Shape(..)),
        _ => false,
    }
}

/// The result of a search, for the text at hand.
pub struct Searched {
    /// The wrong run, if one was found.
    pub wrong: Option<WrongRun>,
    /// What was searched, as part of a sentence.
    pub tried: String,
}

/// The outcome of an obligation that is open, after these searches. `None` if they were not made, or did not end.
pub fn decided(mut outcome: Outcome, searched: Option<Vec<Searched>>) -> Outcome {
    let Some(found) = outcome.diagnostics.iter_mut().find(|it| it.severity == Severity::Error) else { return outcome };
    let tried: Option<Vec<String>> = searched.as_ref().map(|it| it.iter().map(|it| it.tried.clone()).collect());
    match (searched.into_iter().flatten().find_map(|it| it.wrong), outcome.verdict) {
        (Some(wrong), Verdict::Undecided) => {
            let why = found.message.strip_prefix("undecided: ").unwrap_or(&found.message);
            found.notes.insert(0, format!("it is undecided: {why} ({})", found.code));
            found.code = codes::CS0801;
            found.message.clone_from(&wrong.message);
            found.help =
                Some("repair one of the procedures that this run calls, or let the layer above allow it".to_owned());
            found.wrong_run = Some(Box::new(wrong));
            outcome.verdict = Verdict::Violated;
        }
        (Some(wrong), _) => found.wrong_run = Some(Box::new(wrong)),
        (None, Verdict::Violated) => {
            not_shown(found, tried.as_deref());
            outcome.verdict = Verdict::NotShown;
        }
        (None, _) => {}
    }
    outcome
}

/// Changes a finding that a proof fails into one that says no more than that.
fn not_shown(found: &mut Diagnostic, tried: Option<&[String]>) {
    let no_run = match tried {
        None => "the search for a wrong run was switched off, or has not ended".to_owned(),
        Some([]) => "no program could be searched for a wrong run".to_owned(),
        Some(tried) => format!("a search found no wrong run: it tried {}", tried.join(", and ")),
    };
    let more = [format!("the proof fails here ({}); the program may still be right", found.code), no_run];
    found.notes.splice(0..0, more);
    found.message = match found.message.contains(NOT_ATOMIC) {
        true => found.message.replace(NOT_ATOMIC, "is not shown to be atomic"),
        false => format!("not shown to be atomic: {}", found.message),
    };
    found.code = codes::CS0310;
}
