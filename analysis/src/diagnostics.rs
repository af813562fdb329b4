//! Diagnostics as plain values, which the terminal, the editor, JSON and every other format show.
//!
//! This module knows nothing of colours, widths or protocols. The text of a diagnostic is final: front ends lay it out but write none.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{counterexample::Counterexample, ir::Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// The run cannot succeed.
    Error,
    /// Suspicious, but nothing claimed is wrong.
    Warning,
}

/// One of the constants of [`codes`].
pub type CodeName = &'static str;

/// A finding. Until it is shown, its places may be anything that stays put while text moves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Diagnostic<P = Span> {
    /// What kind of finding: see [`codes`].
    #[serde(deserialize_with = "known_code")]
    pub code: CodeName,
    /// How bad it is.
    pub severity: Severity,
    /// One line: what is wrong, naming the operations involved.
    pub message: String,
    /// The smallest responsible place.
    pub span: P,
    /// What to write under the span; may be empty.
    pub label: String,
    /// Other places that matter, each with a line of its own.
    pub related: Vec<(P, String)>,
    /// Paragraphs below the excerpt that are no counterexample. Lines are laid out already (plain text, no tabs).
    pub notes: Vec<String>,
    /// The run that shows it.
    pub counterexample: Option<Counterexample<P>>,
    /// What to do next, one line.
    pub help: Option<String>,
    /// Edits that answer it, the best first. They are about the text, so that a finding has them only once somebody has asked:
    /// see [`crate::session::Snapshot::fixes`].
    #[serde(skip)]
    pub fixes: Vec<Fix>,
}

/// An edit that answers a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fix {
    /// What it does, in the imperative: `Pass `print` on to the layer below`.
    pub title: String,
    /// The text that it replaces; empty if it inserts.
    pub span: Span,
    /// What it puts there.
    pub replacement: String,
    /// Who may apply it.
    pub applicability: Applicability,
}

/// Who may apply a fix, in the words of rustc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applicability {
    /// Anybody: it is what is meant as far as can be told.
    MachineApplicable,
    /// A person who has thought about it: it changes what the layers say.
    MaybeIncorrect,
    /// A person who fills in what is missing.
    HasPlaceholders,
}

impl Applicability {
    /// The word that rustc has for it.
    pub fn name(self) -> &'static str {
        match self {
            Applicability::MachineApplicable => "MachineApplicable",
            Applicability::MaybeIncorrect => "MaybeIncorrect",
            Applicability::HasPlaceholders => "HasPlaceholders",
        }
    }
}

/// Findings, each cause once: those of one kind at one place that the same run shows are one finding, which says so of the others. Equal
/// ones are one anyway.
pub fn by_cause<'d>(found: impl IntoIterator<Item = &'d Diagnostic>) -> Vec<Diagnostic> {
    let mut causes: Vec<Diagnostic> = Vec::new();
    for finding in found {
        let same = |it: &&mut Diagnostic| {
            **it == *finding
                || (it.code, it.severity, it.span) == (finding.code, finding.severity, finding.span)
                    && matches!((&it.counterexample, &finding.counterexample), (Some(one), Some(other)) if one.tells_the_same(other))
        };
        match causes.iter_mut().find(same) {
            Some(cause) if cause.message == finding.message => {}
            Some(cause) => {
                let likewise = format!("likewise: {}", finding.message);
                if !cause.notes.contains(&likewise) {
                    cause.notes.push(likewise);
                }
            }
            None => causes.push(finding.clone()),
        }
    }
    causes
}

impl<P> Diagnostic<P> {
    /// An error with nothing but a message under one place.
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
            help: None,
            fixes: Vec::new(),
        }
    }

    /// What stands below the excerpt, as text: the notes, and the counterexample line by line.
    pub fn paragraphs(&self) -> Vec<String> {
        let counterexample = self.counterexample.iter().flat_map(Counterexample::lines);
        self.notes.iter().cloned().chain(counterexample).collect()
    }

    /// The same finding at other places, without fixes. Related places that there are none for are left out.
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
            help: self.help.clone(),
            fixes: Vec::new(),
        }
    }
}

/// A code that this engine has.
fn known_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CodeName, D::Error> {
    let code = String::deserialize(deserializer)?;
    let known = codes::ALL.iter().find(|it| it.code == code);
    known.map(|it| it.code).ok_or_else(|| de::Error::custom(format!("`{code}` is no code of a diagnostic")))
}

pub mod codes;
