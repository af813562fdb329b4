//! `check` as JUnit XML, for CI systems that collect test reports: a suite for each package, a case for each obligation.
//!
//! An obligation that is violated or not shown is a failure; undecided ones, and errors in the source, are errors. It is printed when the run
//! ends, since it is one document.

use std::{
    io::{self, Write},
    time::Duration,
};

use cspec_analysis::{
    diagnostics::{Diagnostic, Severity},
    verdict::{Outcome, Verdict},
};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{
    Render, excerpt,
    human::obligation,
    paint::Paint,
    summary::{Checked, Summary},
};

/// Renders the results of `check` as JUnit XML.
pub struct Junit<'a> {
    out: &'a mut dyn Write,
    report: Report,
}

impl<'a> Junit<'a> {
    /// Creates a renderer that writes to `out`.
    pub fn new(out: &'a mut dyn Write) -> Junit<'a> {
        Junit { out, report: Report::new("cargo cspec check") }
    }
}

impl Render for Junit<'_> {
    fn package(&mut self, checked: &Checked) -> io::Result<()> {
        let mut suite = TestSuite::new(checked.package.title.clone());
        for found in checked.report.diagnostics.iter().filter(|found| found.severity == Severity::Error) {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type(found.code).set_message(found.message.clone()).set_description(text(checked, found));
            suite.add_test_case(case(checked, format!("source {}", found.code), status, Duration::ZERO));
        }
        for (outcome, took) in &checked.report.outcomes {
            let mut case = case(checked, obligation(&outcome.name), status(checked, outcome), *took);
            if let Some(within) = within(outcome) {
                case.set_system_out(within);
            }
            suite.add_test_case(case);
        }
        self.report.add_test_suite(suite);
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.report.set_time(summary.elapsed);
        let mut suite = TestSuite::new("cspec");
        if !summary.is_complete() {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("incomplete").set_message(summary.line());
            suite.add_test_case(TestCase::new("the whole run", status));
            self.report.add_test_suite(suite);
        }
        self.report.serialize(&mut *self.out).map_err(io::Error::other)?;
        writeln!(self.out)
    }
}

fn case(checked: &Checked, name: String, status: TestCaseStatus, took: Duration) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(checked.package.title.clone()).set_time(took);
    case
}

/// The bounds and assumptions of a verdict.
fn within(outcome: &Outcome) -> Option<String> {
    let mut lines = Vec::new();
    if !outcome.bounds_met.is_empty() {
        lines.push(format!("checked to scope: {}", outcome.bounds_met.join(", ")));
    }
    if !outcome.assumptions.is_empty() {
        let names: Vec<&str> = outcome.assumptions.iter().map(|it| it.name()).collect();
        lines.push(format!("assuming: {}", names.join(", ")));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The JUnit status of an outcome. The verdict itself is in the message, or in the output of the case.
fn status(checked: &Checked, outcome: &Outcome) -> TestCaseStatus {
    let kind = match outcome.verdict {
        Verdict::Proved | Verdict::Checked | Verdict::Searched => return TestCaseStatus::success(),
        Verdict::Violated | Verdict::NotShown => NonSuccessKind::Failure,
        Verdict::Undecided => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let errors = || outcome.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let told: Vec<String> = errors().map(|found| text(checked, found)).collect();
    status.set_type(errors().next().map_or(outcome.verdict.name(), |found| found.code));
    status.set_message(errors().next().map_or_else(String::new, |found| found.message.clone()));
    status.set_description(told.join("\n"));
    status
}

fn text(checked: &Checked, found: &Diagnostic) -> String {
    excerpt::diagnostic(&checked.report.files, found, Paint(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixtures::{broken, failing, passing, rendered};

    #[test]
    fn verdicts_are_counted_as_junit_counts() {
        let text = rendered(&[passing(), failing(), broken()], |out| Box::new(Junit::new(out)));
        let report = Report::deserialize_from_str(&text).expect("it is JUnit");
        let counts: Vec<(&str, usize, usize, usize)> =
            report.test_suites.iter().map(|it| (it.name.as_str(), it.tests, it.failures, it.errors)).collect();
        assert_eq!(counts, [("demo", 5, 0, 0), ("demo", 4, 2, 1), ("demo", 3, 0, 3)]);
        assert!(text.contains("CS0301") && text.contains("does not commute with this"), "{text}");
    }

    #[test]
    fn a_run_that_did_not_end_is_an_error() {
        let mut checked = passing();
        checked.report.outcomes.pop();
        let text = rendered(&[checked], |out| Box::new(Junit::new(out)));
        assert!(text.contains("the whole run"), "{text}");
    }
}
