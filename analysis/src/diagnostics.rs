//! The one rendering-independent value that the terminal, the editor, JSON and every other format show.
//!
//! It knows nothing of colours, widths or protocols. Its prose is finished: front ends lay it out, they do not write it.

use crate::ir::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The run cannot succeed.
    Error,
    /// Suspicious, but nothing claimed is wrong.
    Warning,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// What kind of finding: see [`codes`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One line: what is wrong, naming the operations involved.
    pub message: String,
    /// The smallest responsible place.
    pub span: Span,
    /// What to write under the span; may be empty.
    pub label: String,
    /// Other places that matter, each with a line of its own.
    pub related: Vec<(Span, String)>,
    /// Paragraphs below the excerpt: the state, the two orders, the first difference. Lines are laid out already (plain text, no tabs).
    pub notes: Vec<String>,
    /// What to do next, one line.
    pub help: Option<String>,
}

pub mod codes;
