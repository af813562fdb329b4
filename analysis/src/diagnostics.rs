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
    /// The run that shows the finding.
    pub counterexample: Option<Counterexample<P>>,
    /// What to do next, one line.
    pub help: Option<String>,
    /// Edits that resolve it, the best first. They depend on the text, so a finding has them only after a request: see
    /// [`crate::session::Snapshot::fixes`].
    #[serde(skip)]
    pub fixes: Vec<Fix>,
}

/// An edit that resolves a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fix {
    /// What it does, in the imperative: `Pass `print` on to the layer below`.
    pub title: String,
    /// The text that it replaces; empty if it inserts.
    pub span: Span,
    /// The new text.
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
            help: None,
            fixes: Vec::new(),
        }
    }

    /// The text below the excerpt: the notes, and the counterexample line by line.
    pub fn paragraphs(&self) -> Vec<String> {
        let counterexample = self.counterexample.iter().flat_map(Counterexample::lines);
        self.notes.iter().cloned().chain(counterexample).collect()
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
