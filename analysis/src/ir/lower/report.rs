//! Builds the diagnostics of this stage, and suggests similar names.

use super::spot::Spot;
use crate::diagnostics::{CodeName, Diagnostic};

/// A finding of this stage.
pub(super) type Problem = Diagnostic<Spot>;

/// An error with a message under one span.
pub(super) fn error<P>(code: CodeName, place: P, message: impl Into<String>) -> Diagnostic<P> {
    Diagnostic::error(code, place, message)
}

/// Adds the optional parts of a diagnostic.
pub(super) trait DiagnosticExt<P> {
    fn help(self, help: impl Into<String>) -> Self;
    fn maybe_help(self, help: Option<String>) -> Self;
    fn related(self, place: P, text: impl Into<String>) -> Self;
}

impl<P> DiagnosticExt<P> for Diagnostic<P> {
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    fn related(mut self, place: P, text: impl Into<String>) -> Self {
        self.related.push((place, text.into()));
        self
    }
}

/// The help `did you mean …?`, if one of `known` is close to `name`.
pub(super) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let length = name.chars().count();
    let limit = 1 + length / 4;
    let near = known.into_iter().filter(|it| it.chars().count().abs_diff(length) <= limit);
    let best = near.map(|it| (distance(name, it), it)).min()?;
    (best.0 <= limit).then(|| format!("did you mean `{}`?", best.1))
}

/// The number of edits (insert, remove, replace) between two words, ignoring case.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().take(64).collect();
    let right: Vec<char> = right.to_lowercase().chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
