//! Formats results. Values go in, text comes out: no module here calls the engine, decides anything, or reads the disk.

pub mod excerpt;
pub mod figure;
pub mod github;
pub mod html;
pub mod human;
pub mod human_list;
pub mod json;
pub mod json_list;
pub mod junit;
pub mod mutants;
pub mod paint;
pub mod picture;
pub mod place;
pub mod sarif;
pub mod short;
pub mod summary;

#[cfg(test)]
mod fixtures;

use std::{collections::HashSet, io};

use cspec_analysis::{
    diagnostics::{Diagnostic, by_cause},
    report::PackageReport,
};

use summary::{Checked, Summary};

/// A format of `cargo cspec check`. Packages are shown as soon as they are done.
pub trait Render {
    /// Shows the results of one package.
    fn package(&mut self, checked: &Checked) -> io::Result<()>;
    /// Shows the summary of the run.
    fn finish(&mut self, summary: &Summary) -> io::Result<()>;
}

/// How much to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Only diagnostics; nothing if there are none.
    Problems,
    /// Problems and a summary.
    Summary,
    /// The summary with every obligation.
    Everything,
}

/// The diagnostics of a report in display order: those of the source, then those of the obligations. Each is shown once, even if two
/// obligations have it.
pub fn diagnostics(report: &PackageReport) -> impl Iterator<Item = &Diagnostic> {
    let mut seen = HashSet::new();
    let of_outcomes = report.outcomes.iter().flat_map(|(outcome, _)| &outcome.diagnostics);
    report.diagnostics.iter().chain(of_outcomes).filter(move |found| seen.insert(*found))
}

/// The same, with each cause once.
pub fn causes(report: &PackageReport) -> Vec<Diagnostic> {
    by_cause(diagnostics(report))
}

/// The name of a severity: `error` or `warning`.
fn severity_name(severity: cspec_analysis::diagnostics::Severity) -> &'static str {
    match severity {
        cspec_analysis::diagnostics::Severity::Error => "error",
        cspec_analysis::diagnostics::Severity::Warning => "warning",
    }
}
