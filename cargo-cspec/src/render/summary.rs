//! Counts verdicts for a package and for a run. The engine gives the verdicts; this module only adds them up.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use cspec_analysis::{
    diagnostics::{Diagnostic, Severity, codes},
    report::PackageReport,
    verdict::{ObligationName, Outcome, Pattern, Scope, Verdict},
    workspace::{Compiled, Package},
};

use crate::exit::Status;

/// A package with its report.
#[derive(Clone, Debug)]
pub struct Checked {
    pub package: Package,
    /// The scope in which it was checked.
    pub scope: Scope,
    /// Whether another target of the package contains everything in this one.
    pub is_bare: bool,
    /// The engine's report on the package.
    pub report: PackageReport,
    /// For each outcome, whether it comes from the cache.
    pub cached: Vec<bool>,
    /// The number of explored obligations: all others were known.
    pub explored: usize,
    /// The number of obligations of the package. It is larger than the number of outcomes if the run was interrupted.
    pub planned: usize,
    /// Obligations without a verdict, in their fixed order. Settling them may add others.
    pub unsettled: Vec<ObligationName>,
    /// The duration of the check.
    pub elapsed: Duration,
}

impl Checked {
    /// The number of obligations without a verdict.
    pub fn unchecked(&self) -> usize {
        self.planned.saturating_sub(self.report.outcomes.len())
    }

    /// The number of errors in the source itself. An empty package does not count as an error.
    pub fn source_errors(&self) -> usize {
        self.report.diagnostics.iter().filter(|found| is_source_error(found)).count()
    }

    /// Whether nothing was checked, although the source has no errors and no other target of the package has the obligations.
    pub fn is_idle(&self) -> bool {
        self.planned == 0 && self.source_errors() == 0 && !self.is_bare
    }

    /// The number of obligations for each verdict.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.report.outcomes.iter().for_each(|(outcome, _)| tally.add(&outcome.verdict));
        tally
    }

    /// The bounds that any checked obligation met, each once, in the order of their first occurrence.
    pub fn bounds_met(&self) -> Vec<&str> {
        let mut bounds = Vec::new();
        let checked = self.report.outcomes.iter().filter(|(it, _)| it.verdict != Verdict::Searched);
        checked.for_each(|(outcome, _)| add_bounds(&mut bounds, outcome));
        bounds
    }

    /// What rests on the search alone: each implementation and stack, with what was run.
    pub fn searched(&self) -> Vec<(&str, Vec<&str>)> {
        let mut searched: Vec<(&str, Vec<&str>)> = Vec::new();
        for (outcome, _) in self.report.outcomes.iter().filter(|(it, _)| it.verdict == Verdict::Searched) {
            let name = row_name(outcome);
            let at = searched.iter().position(|it| it.0 == name).unwrap_or_else(|| {
                searched.push((name, Vec::new()));
                searched.len() - 1
            });
            add_bounds(&mut searched[at].1, outcome);
        }
        searched
    }

    /// The assumptions of all verdicts, each once.
    pub fn assumptions(&self) -> Vec<&'static str> {
        let all = self.report.outcomes.iter().flat_map(|(outcome, _)| &outcome.assumptions);
        all.collect::<BTreeSet<_>>().into_iter().map(|it| it.name()).collect()
    }
}

/// Whether a finding in the source makes a run fail. Errors of rustc are counted separately.
pub fn is_source_error(found: &Diagnostic) -> bool {
    found.severity == Severity::Error && ![codes::CS0002, codes::CS0004].contains(&found.code)
}

/// The number of obligations for each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Obligations that are proved.
    pub proved: usize,
    /// Obligations that are checked to scope.
    pub checked: usize,
    /// Obligations that are only searched: nothing is proved of them.
    pub searched: usize,
    /// Obligations that are violated.
    pub violated: usize,
    /// Obligations that are not shown.
    pub not_shown: usize,
    /// Obligations that are undecided.
    pub undecided: usize,
}

impl Tally {
    /// Counts the verdict on one obligation.
    pub fn add(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Proved => &mut self.proved,
            Verdict::Checked => &mut self.checked,
            Verdict::Searched => &mut self.searched,
            Verdict::Violated => &mut self.violated,
            Verdict::NotShown => &mut self.not_shown,
            Verdict::Undecided => &mut self.undecided,
        } += 1;
    }

    /// The number of all obligations.
    pub fn total(&self) -> usize {
        self.proved + self.checked + self.searched + self.violated + self.not_shown + self.undecided
    }

    /// The worst verdict that occurs.
    pub fn worst(&self) -> Option<Verdict> {
        let order = [
            (self.violated, Verdict::Violated),
            (self.not_shown, Verdict::NotShown),
            (self.undecided, Verdict::Undecided),
            (self.searched, Verdict::Searched),
            (self.checked, Verdict::Checked),
            (self.proved, Verdict::Proved),
        ];
        order.into_iter().find(|(count, _)| *count > 0).map(|(_, verdict)| verdict)
    }

    /// `1 violated`, `3 checked to scope`, `5 proved`: worst first, without zeros.
    pub fn words(&self) -> Vec<String> {
        let counts = [
            (self.violated, "violated"),
            (self.not_shown, "not shown"),
            (self.undecided, "undecided"),
            (self.searched, "searched"),
            (self.checked, "checked to scope"),
            (self.proved, "proved"),
        ];
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect()
    }
}

/// The summary of a run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The verdicts of all packages.
    pub tally: Tally,
    /// The number of errors in the source.
    pub source_errors: usize,
    /// The number of explored obligations: all others were known.
    pub explored: usize,
    /// The number of obligations without a verdict.
    pub unchecked: usize,
    /// Their names, as far as they are known.
    pub unsettled: Vec<String>,
    /// Targets without source errors and without obligations: the id of the package, and the target's title.
    idle: Vec<(String, String)>,
    /// Packages in which something was checked, by id.
    busy: HashSet<String>,
    /// Packages that an interrupted run did not reach.
    pub unreached: Vec<String>,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// The time limit, if it was exceeded: obligations without a verdict are undecided.
    pub out_of_time: Option<Duration>,
    /// The result of rustc, if it was run.
    pub rustc: Option<Compiled>,
    /// Whether there was no usable workspace.
    pub unusable: bool,
    /// Another note about the run.
    pub note: Option<String>,
    /// The duration of the run.
    pub elapsed: Duration,
}

impl Summary {
    /// Adds the results of one package.
    pub fn add(&mut self, checked: &Checked) {
        for (outcome, _) in &checked.report.outcomes {
            self.tally.add(&outcome.verdict);
        }
        self.explored += checked.explored;
        self.unchecked += checked.unchecked();
        self.unsettled.extend(checked.unsettled.iter().map(ObligationName::id));
        self.source_errors += checked.source_errors();
        let package = checked.report.package_id.clone();
        match checked.is_idle() {
            true => self.idle.push((package, checked.report.title.clone())),
            false => drop(self.busy.insert(package)),
        }
    }

    /// The packages in which nothing was checked, in any target, although the source has no errors.
    pub fn idle(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let idle = self.idle.iter().filter(|(package, _)| !self.busy.contains(package));
        idle.filter(|(package, _)| seen.insert(package)).map(|(_, title)| title.as_str()).collect()
    }

    /// The number of obligations without a verdict although the run was not interrupted and the source has no errors.
    pub fn lost(&self) -> usize {
        if self.interrupted || self.out_of_time.is_some() || self.source_errors > 0 { 0 } else { self.unchecked }
    }

    /// Whether every obligation of every package was evaluated.
    pub fn is_complete(&self) -> bool {
        !self.interrupted && !self.unusable && self.knows_rustc() && self.unchecked == 0 && self.unreached.is_empty()
    }

    /// The number of errors of rustc.
    fn refusals(&self) -> usize {
        match &self.rustc {
            Some(Compiled::Refused(refusals)) => refusals.len(),
            _ => 0,
        }
    }

    /// Whether rustc has finished, if it was run.
    fn knows_rustc(&self) -> bool {
        !matches!(self.rustc, Some(Compiled::Failed(_) | Compiled::Stopped))
    }

    /// The result of rustc in one word; `None` if it was not run.
    pub fn rustc(&self) -> Option<&'static str> {
        Some(match self.rustc.as_ref()? {
            Compiled::Accepted => "accepted",
            Compiled::Refused(_) => "refused",
            Compiled::Failed(_) => "failed",
            Compiled::Stopped => "stopped",
        })
    }

    /// The exit status of the run.
    pub fn status(&self) -> Status {
        if self.lost() > 0 {
            Status::Bug
        } else if self.interrupted {
            Status::Interrupted
        } else if self.tally.violated > 0 || self.tally.not_shown > 0 || self.source_errors > 0 || self.refusals() > 0 {
            Status::Violated
        } else if self.tally.undecided > 0 || self.out_of_time.is_some() {
            Status::Undecided
        } else if self.unusable || !self.knows_rustc() || !self.idle().is_empty() || self.tally.total() == 0 {
            Status::Usage
        } else {
            Status::Success
        }
    }

    /// The run in one line: `failed: 1 violated, 40 proved`.
    pub fn line(&self) -> String {
        let word = match self.status() {
            Status::Success => "passed",
            Status::Violated => "failed",
            Status::Undecided => "undecided",
            Status::Interrupted => "interrupted",
            Status::Usage => "not checked",
            Status::Bug => "incomplete",
        };
        let mut counts = Vec::new();
        match self.source_errors {
            0 => {}
            1 => counts.push("1 error in the source".to_owned()),
            errors => counts.push(format!("{errors} errors in the source")),
        }
        match (self.refusals(), &self.rustc) {
            (1, _) => counts.push("1 error of rustc".to_owned()),
            (errors @ 2.., _) => counts.push(format!("{errors} errors of rustc")),
            (_, Some(Compiled::Failed(_))) => counts.push("rustc could not be run".to_owned()),
            (_, Some(Compiled::Stopped)) => counts.push("rustc was stopped".to_owned()),
            _ => {}
        }
        counts.extend(self.tally.words());
        if self.unchecked > 0 {
            let why = self.out_of_time.map(|time| format!(" within {}", humantime::format_duration(time)));
            counts.push(format!("{} not checked{}", self.unchecked, why.unwrap_or_default()));
        }
        counts.extend(self.unreached.iter().map(|package| format!("package `{package}` not checked")));
        counts.extend(self.idle().iter().map(|package| format!("nothing in package `{package}`")));
        if counts.is_empty() {
            counts.push("nothing".to_owned());
        }
        counts.extend(self.note.clone());
        format!("{word}: {}", counts.join(", "))
    }
}

/// A row of a package's table: the obligations of one implementation, of all layers, of the movers of one layer, or of one stack or client.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The implementation, layer, stack or client; `layers` for all layers together.
    pub name: &'a str,
    /// The patterns, in order.
    pub patterns: Vec<Pattern>,
    /// The number of obligations for each verdict.
    pub tally: Tally,
    /// The bounds met, each once.
    pub bounds_met: Vec<&'a str>,
}

/// The rows of a package's table, in the order of the report.
pub fn rows(report: &PackageReport) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (outcome, _) in &report.outcomes {
        let (name, pattern) = (row_name(outcome), outcome.name.pattern);
        let owed = !outcome.name.implementation.is_empty();
        let same = |row: &Row<'_>| row.name == name && (owed || row.patterns == [pattern]);
        let at = rows.iter().position(same).unwrap_or_else(|| {
            rows.push(Row { name, patterns: Vec::new(), tally: Tally::default(), bounds_met: Vec::new() });
            rows.len() - 1
        });
        let row = &mut rows[at];
        if !row.patterns.contains(&pattern) {
            row.patterns.push(pattern);
        }
        row.tally.add(&outcome.verdict);
        add_bounds(&mut row.bounds_met, outcome);
    }
    rows
}

/// The row that an obligation belongs to.
pub fn row_name(outcome: &Outcome) -> &str {
    let name = &outcome.name;
    match name.pattern {
        _ if !name.implementation.is_empty() => &name.implementation,
        Pattern::Layer => "layers",
        Pattern::Movers => &name.layer,
        _ if !name.operation.is_empty() => &name.operation,
        _ => &name.layer,
    }
}

/// Adds the bounds that `outcome` met to those already known.
fn add_bounds<'a>(bounds: &mut Vec<&'a str>, outcome: &'a Outcome) {
    for bound in &outcome.bounds_met {
        if !bounds.contains(&bound.as_str()) {
            bounds.push(bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use cspec_analysis::workspace::Refusal;

    use super::*;
    use crate::render::fixtures::{broken, failing, passing};

    fn summary(packages: &[Checked]) -> Summary {
        let mut summary = Summary::default();
        packages.iter().for_each(|checked| summary.add(checked));
        summary
    }

    /// A package with layers, but nothing to check.
    fn idle() -> Checked {
        let mut checked = passing();
        checked.report.package_id = "idle".to_owned();
        checked.report.outcomes.clear();
        Checked { planned: 0, ..checked }
    }

    /// Undecided, and nothing worse.
    fn undecided() -> Checked {
        let mut checked = failing();
        checked.report.outcomes.retain(|(outcome, _)| outcome.verdict != Verdict::Violated);
        Checked { planned: checked.report.outcomes.len(), ..checked }
    }

    #[test]
    fn every_status_has_its_cause() {
        assert_eq!(summary(&[passing()]).status(), Status::Success);
        assert_eq!(summary(&[passing(), failing()]).status(), Status::Violated);
        assert_eq!(summary(&[broken(), undecided()]).status(), Status::Violated);
        assert_eq!(summary(&[passing(), undecided()]).status(), Status::Undecided);
        assert_eq!(summary(&[passing(), idle()]).status(), Status::Usage);
        assert_eq!(summary(&[]).status(), Status::Usage);
        assert_eq!(Summary { interrupted: true, ..summary(&[failing()]) }.status(), Status::Interrupted);
    }

    #[test]
    fn what_rustc_refuses_or_does_not_answer_for_does_not_pass() {
        let asked = |rustc: Compiled| Summary { rustc: Some(rustc), ..summary(&[passing()]) };
        let refusal = Refusal {
            package_id: "path+file:///work/demo#0.1.0".to_owned(),
            target: "demo".to_owned(),
            message: "use of moved value: `key`".to_owned(),
            code: Some("E0382".to_owned()),
            places: Vec::new(),
            notes: Vec::new(),
            help: None,
            rendered: "error[E0382]: use of moved value: `key`".to_owned(),
        };
        let accepted = asked(Compiled::Accepted);
        assert_eq!(
            (accepted.status(), accepted.line()),
            (Status::Success, "passed: 1 checked to scope, 4 proved".to_owned())
        );
        let refused = asked(Compiled::Refused(vec![refusal]));
        assert_eq!(
            (refused.status(), refused.line()),
            (Status::Violated, "failed: 1 error of rustc, 1 checked to scope, 4 proved".to_owned())
        );
        let failed = asked(Compiled::Failed("no such command".to_owned()));
        assert_eq!(
            (failed.status(), failed.line(), failed.is_complete()),
            (Status::Usage, "not checked: rustc could not be run, 1 checked to scope, 4 proved".to_owned(), false)
        );
        let late = Summary { out_of_time: Some(Duration::from_secs(1)), ..asked(Compiled::Stopped) };
        assert_eq!(
            (late.status(), late.line()),
            (Status::Undecided, "undecided: rustc was stopped, 1 checked to scope, 4 proved".to_owned())
        );
    }

    #[test]
    fn an_obligation_without_a_verdict_is_never_a_pass() {
        let mut checked = passing();
        checked.report.outcomes.pop();
        assert_eq!(summary(std::slice::from_ref(&checked)).status(), Status::Bug);
        let stopped = Summary { interrupted: true, ..summary(&[checked]) };
        assert_eq!((stopped.status(), stopped.lost()), (Status::Interrupted, 0));
        assert_eq!(stopped.line(), "interrupted: 1 checked to scope, 3 proved, 1 not checked");
    }

    #[test]
    fn a_row_is_as_good_as_its_worst_obligation() {
        let checked = failing();
        let rows = rows(&checked.report);
        let seen: Vec<_> = rows.iter().map(|row| (row.name, row.tally.worst())).collect();
        assert_eq!(seen, [("layers", Some(Verdict::Proved)), ("Count", Some(Verdict::Violated))]);
    }
}
