//! Diagnostics as plain values, which the terminal, the editor, JSON and every other format show.
//!
//! This module knows nothing of colours, widths or protocols. The text of a diagnostic is final: front ends lay it out but write none.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{counterexample::Counterexample, ir::Span};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// The run cannot succeed.
    Error,
    /// Suspicious, but nothing claimed is wrong.
    Warning,
}

/// One of the constants of [`codes`].
pub type CodeName = &'static str;

/// A finding. Until it is shown, its places may be of any kind that is stable while text moves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Diagnostic<P = Span> {
    /// The kind of finding: see [`codes`].
    #[serde(deserialize_with = "known_code")]
    pub code: CodeName,
    /// The severity of the finding.
    pub severity: Severity,
    /// One line: what is wrong, naming the operations involved.
    pub message: String,
    /// The smallest responsible place.
    pub span: P,
    /// The label under the span; may be empty.
    pub label: String,
    /// Other relevant places, each with a label.
    pub related: Vec<(P, String)>,
    /// Paragraphs below the excerpt, without the counterexample. Their lines are wrapped already (plain text, no tabs).
    pub notes: Vec<String>,
    /// The run that shows the finding. If there is a wrong run of a program, too, it shows why the proof fails.
    pub counterexample: Option<Counterexample<P>>,
    /// A run of a program that the layer above does not allow, which a search found where a proof fails. It is shown first.
    pub wrong_run: Option<Box<WrongRun<P>>>,
    /// For a finding of the search: its run as one line, which `cargo cspec replay` takes.
    #[serde(default)]
    pub replay: Option<String>,
    /// What to do next, one line.
    pub help: Option<String>,
    /// Edits that resolve it, the best first. They depend on the text, so a finding has them only after a request: see
    /// [`crate::session::Snapshot::fixes`].
    #[serde(skip)]
    pub fixes: Vec<Fix>,
}

/// A run of a program that the layer above does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WrongRun<P = Span> {
    /// What was run, and how it goes wrong: one line.
    pub message: String,
    /// The program, and what would be allowed instead.
    pub notes: Vec<String>,
    /// The run.
    pub counterexample: Counterexample<P>,
}

/// An edit that resolves a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fix {
    /// What it does, in the imperative: `Pass `print` on to the layer below`.
    pub title: String,
    /// The text that it replaces; empty if it inserts.
    pub span: Span,
    /// The text in its place.
    pub replacement: String,
    /// Whether the fix can be applied automatically.
    pub applicability: Applicability,
}

/// Whether a fix can be applied automatically, in rustc's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applicability {
    /// It can be applied without asking.
    MachineApplicable,
    /// A person must decide: it changes the specification.
    MaybeIncorrect,
    /// A person must fill in the missing part.
    HasPlaceholders,
}

impl Applicability {
    /// The name that rustc uses.
    pub fn name(self) -> &'static str {
        match self {
            Applicability::MachineApplicable => "MachineApplicable",
            Applicability::MaybeIncorrect => "MaybeIncorrect",
            Applicability::HasPlaceholders => "HasPlaceholders",
        }
    }
}

/// Merges findings with the same cause: findings of one kind at one place with the same run become one, which lists the others. Equal
/// findings are merged, too.
pub fn by_cause<'d>(found: impl IntoIterator<Item = &'d Diagnostic>) -> Vec<Diagnostic> {
    causes(found.into_iter().map(|it| (it, ()))).into_iter().map(|(cause, ())| cause).collect()
}

/// The same for findings with additional data: a cause keeps the data of its first finding.
pub fn causes<'d, T>(found: impl IntoIterator<Item = (&'d Diagnostic, T)>) -> Vec<(Diagnostic, T)> {
    let mut causes: Vec<(Diagnostic, T)> = Vec::new();
    for (finding, with) in found {
        match causes.iter_mut().find(|(cause, _)| cause.has_the_cause_of(finding)) {
            Some((cause, _)) if cause.message == finding.message => {}
            Some((cause, _)) => {
                let likewise = format!("likewise: {}", finding.message);
                if !cause.notes.contains(&likewise) {
                    cause.notes.push(likewise);
                }
            }
            None => causes.push((finding.clone(), with)),
        }
    }
    causes
}

impl Diagnostic {
    /// Whether both are of one kind, at one place, and shown by the same run.
    fn has_the_cause_of(&self, other: &Diagnostic) -> bool {
        let is_same_run = match (&self.counterexample, &other.counterexample) {
            (Some(one), Some(other)) => one.tells_the_same(other),
            _ => false,
        };
        *self == *other
            || (self.code, self.severity, self.span) == (other.code, other.severity, other.span) && is_same_run
    }
}

impl<P> Diagnostic<P> {
    /// An error with a message at one place.
    pub fn error(code: CodeName, span: P, message: impl Into<String>) -> Diagnostic<P> {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            counterexample: None,
            wrong_run: None,
            replay: None,
            help: None,
            fixes: Vec::new(),
        }
    }

    /// The text below the excerpt: a wrong run of a program, the notes, and the counterexample line by line.
    pub fn paragraphs(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(wrong) = &self.wrong_run {
            if wrong.message != self.message {
                lines.push(wrong.message.clone());
            }
            lines.extend(wrong.notes.iter().cloned());
            lines.extend(wrong.counterexample.lines());
            if !self.notes.is_empty() || self.counterexample.is_some() {
                lines.push(WHY_THE_PROOF_FAILS.to_owned());
            }
        }
        lines.extend(self.notes.iter().cloned());
        lines.extend(self.counterexample.iter().flat_map(Counterexample::lines));
        lines
    }

    /// The same finding with other places, without fixes. Related places that cannot be mapped are left out.
    pub fn at<Q>(&self, span: Q, place: impl Fn(&P) -> Option<Q>) -> Diagnostic<Q> {
        Diagnostic {
            code: self.code,
            severity: self.severity,
            message: self.message.clone(),
            span: place(&self.span).unwrap_or(span),
            label: self.label.clone(),
            related: self.related.iter().filter_map(|(at, text)| Some((place(at)?, text.clone()))).collect(),
            notes: self.notes.clone(),
            counterexample: self.counterexample.as_ref().map(|it| it.at(&place)),
            wrong_run: self.wrong_run.as_ref().map(|it| Box::new(it.at(&place))),
            replay: self.replay.clone(),
            help: self.help.clone(),
            fixes: Vec::new(),
        }
    }
}

/// The line between a wrong run and the reason why the proof fails.
pub const WHY_THE_PROOF_FAILS: &str = "and of the proof:";

impl<P> WrongRun<P> {
    /// The same run with other places.
    pub fn at<Q>(&self, place: impl Fn(&P) -> Option<Q>) -> WrongRun<Q> {
        let WrongRun { message, notes, counterexample } = self;
        WrongRun { message: message.clone(), notes: notes.clone(), counterexample: counterexample.at(place) }
    }
}

/// A code that this engine has.
fn known_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CodeName, D::Error> {
    let code = String::deserialize(deserializer)?;
    let known = codes::ALL.iter().find(|it| it.code == code);
    known.map(|it| it.code).ok_or_else(|| de::Error::custom(format!("`{code}` is no code of a diagnostic")))
}

pub mod codes;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counterexample::{Datum, Run, RunRole};

    fn found(message: &str, start: u32, state: i128) -> Diagnostic {
        let from = Datum::Int(state);
        let run = Run { role: RunRole::Possible, layer: message.to_owned(), from, steps: Vec::new() };
        let shown = Counterexample { values: Vec::new(), runs: vec![run], conclusion: message.to_owned() };
        let span = Span { file: 0, start, end: start + 1 };
        Diagnostic { counterexample: Some(shown), ..Diagnostic::error(codes::CS0301, span, message) }
    }

    #[test]
    fn one_cause_is_one_finding_that_names_the_others() {
        let [raw, ruled] = ["`write` of `Raw` is no mover", "`write` of `Ruled` is no mover"].map(|it| found(it, 7, 1));
        let causes = by_cause([&raw, &ruled, &ruled, &raw]);
        let [cause] = causes.as_slice() else { panic!("{causes:?}") };
        assert_eq!(cause.message, raw.message);
        assert_eq!(cause.notes, ["likewise: `write` of `Ruled` is no mover"]);
    }

    #[test]
    fn another_place_run_or_kind_is_another_cause() {
        let first = found("one", 7, 1);
        let elsewhere = found("two", 9, 1);
        let another_run = found("three", 7, 2);
        let another_kind = Diagnostic { code: codes::CS0302, ..found("four", 7, 1) };
        let without_run = Diagnostic { counterexample: None, ..found("five", 7, 1) };
        let all = [&first, &elsewhere, &another_run, &another_kind, &without_run];
        assert_eq!(by_cause(all).len(), all.len());
        // What is equal is one finding, with a run or without.
        assert_eq!(by_cause([&without_run, &without_run]).len(), 1);
    }

    #[test]
    fn a_cause_keeps_what_its_first_finding_came_with() {
        let both = [found("one", 7, 1), found("two", 7, 1)];
        let causes = causes(both.iter().zip(["first", "second"]));
        assert_eq!(causes.iter().map(|it| it.1).collect::<Vec<_>>(), ["first"]);
    }
}
