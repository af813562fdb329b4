//! `check` for people: excerpts of the source, then a table for each package, then one line.

use std::io::{self, Write};

use cspec_analysis::verdict::{ObligationName, Outcome, Pattern, Verdict};

use super::{
    Detail, Render, causes, excerpt,
    paint::Paint,
    summary::{Checked, Row, Summary, rows},
};
use crate::exit::Status;

/// The maximum number of obligations without a verdict that are named.
const MOST_UNSETTLED: usize = 8;

/// Renders the results of `check` for people.
pub struct Human<'a> {
    out: &'a mut dyn Write,
    paint: Paint,
    detail: Detail,
    /// Whether a diagnostic was shown: then the run ends with a hint on `explain`.
    showed_a_code: bool,
}

impl<'a> Human<'a> {
    /// Creates a renderer that writes to `out`.
    pub fn new(out: &'a mut dyn Write, colour: bool, detail: Detail) -> Human<'a> {
        Human { out, paint: Paint(colour), detail, showed_a_code: false }
    }

    /// The first line of a package: `tso: 41 obligations in 0.27 s: 3 checked to scope, 38 proved`.
    fn head(&self, checked: &Checked) -> String {
        let name = self.paint.bold(&checked.report.title);
        let seconds = checked.elapsed.as_secs_f64();
        let mut counts = checked.tally().words();
        if checked.unchecked() > 0 {
            counts.push(format!("{} not checked", checked.unchecked()));
        }
        match (checked.planned, checked.source_errors()) {
            (0, 0) => format!("{name}: nothing was checked: the package has no obligations"),
            (0, _) => format!("{name}: nothing was checked: the source has errors"),
            (all, _) => format!("{name}: {} in {seconds:.2} s: {}", count(all as u64, "obligation"), counts.join(", ")),
        }
    }

    /// The table of a package, a row for each implementation.
    fn table(&mut self, checked: &Checked) -> io::Result<()> {
        let rows = rows(&checked.report);
        let names = rows.iter().map(|row| width(row.name)).max().unwrap_or(0);
        let kinds = rows.iter().map(|row| width(&patterns(row))).max().unwrap_or(0);
        for row in &rows {
            let worst = row.tally.worst().unwrap_or(Verdict::Undecided);
            let verdict = self.paint.verdict(&worst, &format!("{:9}", worst.name()));
            let (name, pattern) = (pad(row.name, names), pad(&patterns(row), kinds));
            writeln!(self.out, "  {name}  {pattern}  {verdict}  {}", row.tally.words().join(", "))?;
        }
        let bounds = checked.bounds_met();
        if !bounds.is_empty() {
            writeln!(self.out, "  checked to scope: {}", bounds.join(", "))?;
        }
        for (name, runs) in checked.searched() {
            writeln!(self.out, "  searched, not proved: {name}: {}", runs.join(", "))?;
        }
        let assumptions = checked.assumptions();
        if !assumptions.is_empty() {
            writeln!(self.out, "  assuming: {}", assumptions.join(", "))?;
        }
        Ok(())
    }

    /// The obligations without a verdict, by name: all of them in verbose mode, otherwise the first few.
    fn unsettled(&mut self, checked: &Checked) -> io::Result<()> {
        let most = if self.detail == Detail::Everything { usize::MAX } else { MOST_UNSETTLED };
        for name in checked.unsettled.iter().take(most) {
            writeln!(self.out, "  not checked: {}", obligation(name))?;
        }
        match checked.unsettled.len().saturating_sub(most) {
            0 => Ok(()),
            more => writeln!(self.out, "  not checked: {more} more, which `--verbose` lists"),
        }
    }

    /// Prints one line for each obligation.
    fn obligations(&mut self, checked: &Checked) -> io::Result<()> {
        for ((outcome, took), cached) in checked.report.outcomes.iter().zip(&checked.cached) {
            let verdict = self.paint.verdict(&outcome.verdict, &format!("{:9}", outcome.verdict.name()));
            let took = if *cached { "cached".to_owned() } else { format!("{} ms", took.as_millis()) };
            let effort = self.paint.faint(&effort(outcome, &took));
            writeln!(self.out, "  {verdict}  {}  {effort}", obligation(&outcome.name))?;
            if !outcome.at_start.is_empty() {
                let known = format!("known where it starts: {}", outcome.at_start.join(", "));
                writeln!(self.out, "             {}", self.paint.faint(&known))?;
            }
            if !outcome.at_calls.is_empty() {
                let at_calls = format!("others call {}", outcome.at_calls.join("; "));
                writeln!(self.out, "             {}", self.paint.faint(&at_calls))?;
            }
            if !outcome.even_if.is_empty() {
                let even_if = format!("even if {}", outcome.even_if.join(", "));
                writeln!(self.out, "             {}", self.paint.faint(&even_if))?;
            }
        }
        if checked.report.outcomes.is_empty() { Ok(()) } else { writeln!(self.out) }
    }
}

impl Render for Human<'_> {
    fn package(&mut self, checked: &Checked) -> io::Result<()> {
        for found in &causes(&checked.report) {
            writeln!(self.out, "{}", excerpt::diagnostic(&checked.report.files, found, self.paint))?;
            self.showed_a_code = true;
        }
        if self.detail != Detail::Problems {
            writeln!(self.out, "{}", self.head(checked))?;
            if self.detail == Detail::Everything {
                self.obligations(checked)?;
            }
            self.table(checked)?;
            self.unsettled(checked)?;
            writeln!(self.out)?;
        }
        self.out.flush()
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let quiet = self.detail == Detail::Problems && summary.status() == Status::Success;
        if quiet || summary.unusable {
            return Ok(());
        }
        writeln!(self.out, "{}", self.paint.bold(&summary.line()))?;
        if self.showed_a_code {
            writeln!(self.out, "`cargo cspec explain CODE` explains a diagnostic.")?;
        }
        Ok(())
    }
}

/// The name of an obligation: `CriticalSection: movers, right-mover, Lock::read against Lock::write`.
pub fn obligation(name: &ObligationName) -> String {
    let qualified = |operation: &str| match (name.layer.as_str(), operation) {
        ("", operation) => operation.to_owned(),
        (layer, "") => layer.to_owned(),
        (layer, operation) => format!("{layer}::{operation}"),
    };
    let owner = if name.implementation.is_empty() { String::new() } else { format!("{}: ", name.implementation) };
    let against = match name.against.as_str() {
        "" => String::new(),
        // Not an operation, but who runs.
        runs if matches!(name.pattern, Pattern::EndToEnd | Pattern::Search) => format!(" with {runs}"),
        operation => format!(" against {}", qualified(operation)),
    };
    format!("{owner}{} {} {}{against}", name.pattern.name(), name.kind, qualified(&name.operation))
}

/// `(12 cases, 36 states, 8 ms; Pid ≤ 3)`: the effort of an obligation, the bounds that it met, and its assumptions.
fn effort(outcome: &Outcome, took: &str) -> String {
    let bounds =
        if outcome.bounds_met.is_empty() { String::new() } else { format!("; {}", outcome.bounds_met.join(", ")) };
    let assumed: Vec<&str> = outcome.assumptions.iter().map(|it| it.name()).collect();
    let assumed = if assumed.is_empty() { String::new() } else { format!("; assuming {}", assumed.join(", ")) };
    let (cases, states) = (count(outcome.cases, "case"), count(outcome.states, "state"));
    format!("({cases}, {states}, {took}{bounds}{assumed})")
}

/// A number with a noun: `1 case`, `2 cases`.
fn count(number: u64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// The patterns of a row: `movers, protocol`.
fn patterns(row: &Row<'_>) -> String {
    row.patterns.iter().map(|pattern| pattern.name()).collect::<Vec<_>>().join(", ")
}

/// The displayed width of a text.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// A text padded with spaces.
fn pad(text: &str, to: usize) -> String {
    format!("{text:to$}")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::render::fixtures::{broken, failing, passing, rendered};

    #[track_caller]
    fn check(checked: Checked, detail: Detail, expected: Expect) {
        let text = rendered(&[checked], |out| Box::new(Human::new(out, false, detail)));
        assert!(!text.contains('\x1b'), "no colour was asked for");
        expected.assert_eq(&text);
    }

    #[test]
    fn a_failing_run() {
        check(
            failing(),
            Detail::Summary,
            expect![[r#"
                error[CS0301]: `Lock::write` is not a right mover: `Lock::read` sees what it wrote
                    ╭─[ demo/src/lock.rs:4:10 ]
                    │
                  4 │     #[op(right)]
                    │          ┬────
                    │          ╰────── claimed here
                    │
                  6 │         self.value = größe;
                    │                      ┬────
                    │                      ╰────── the value written
                    │
                 10 │     fn read(&mut self, me: Pid) -> u64 {
                    │        ┬───
                    │        ╰───── does not commute with this
                    │
                    ├─[ demo/src/count.rs:4:3 ]
                    │
                  4 │        lo.write(1)
                    │        ┬──────────
                    │        ╰──────────── used as a right mover
                ────╯

                  in the state  Locked { value: 0 }
                  possible      p1: write(1) → ()
                  then          p2: read() → 1
                  ending in     Locked { value: 1 }
                  in the state  Locked { value: 0 }
                  other order   p2: read() → 0, not 1
                  in the other order `read` cannot return 1

                  help: claim #[op(non)], or guard the operation with a lock
                  fix: Correct the claim: change `right` to `non` (applied by `--fix`)

                error[CS0901]: whether `inc` does what `Counter::inc` allows is undecided: the budget ran out
                   ╭─[ demo/src/count.rs:3:2 ]
                   │
                 3 │ ╭─▶     fn inc(lo: &mut impl Lock) {
                   ┆ ┆
                 5 │ ├─▶     }
                   │ │
                   │ ╰──────────── here
                ───╯

                  4000 cases were closed

                demo: 4 obligations in 0.27 s: 2 violated, 1 undecided, 1 proved
                  layers  layer   proved     1 proved
                  Count   movers  violated   2 violated, 1 undecided

                failed: 2 violated, 1 undecided, 1 proved
                `cargo cspec explain CODE` explains a diagnostic.
            "#]],
        );
    }

    #[test]
    fn a_passing_run_with_every_obligation() {
        check(
            passing(),
            Detail::Everything,
            expect![[r#"
                warning[CS1001]: `read` is never enabled: it has no transition in any state
                    ╭─[ demo/src/lock.rs:10:8 ]
                    │
                 10 │     fn read(&mut self, me: Pid) -> u64 {
                    │        ┬───
                    │        ╰───── here
                ────╯

                demo: 5 obligations in 0.27 s: 1 checked to scope, 4 proved
                  proved     layer no-panic Lock::write  (1 case, 3 states, 0 ms)
                  proved     layer no-panic Lock::read  (2 cases, 6 states, 1 ms)
                  proved     Count: movers right-mover Lock::write against Lock::read  (12 cases, 36 states, 8 ms)
                  checked    Count: movers atomic-spec Lock::inc  (40 cases, 120 states, 28 ms; Pid ≤ 3, Seq ≤ 2 entries)
                  proved     Count: protocol follows Lock::inc  (5 cases, 15 states, 3 ms)

                  layers  layer             proved     2 proved
                  Count   movers, protocol  checked    1 checked to scope, 2 proved
                  checked to scope: Pid ≤ 3, Seq ≤ 2 entries

                passed: 1 checked to scope, 4 proved
                `cargo cspec explain CODE` explains a diagnostic.
            "#]],
        );
    }

    #[test]
    fn a_source_with_errors() {
        check(
            broken(),
            Detail::Summary,
            expect![[r#"
                error[CS0101]: expected a type
                   ╭─[ demo/src/count.rs:7:4 ]
                   │
                 7 │ impl
                   │    ┬
                   │    ╰── the file ends here
                ───╯

                error[CS0001]: `demo/src/binary.rs` is not UTF-8
                  --> demo/src/binary.rs
                  help: save the file as UTF-8

                error[CS0002]: package `demo` declares no layers

                demo: nothing was checked: the source has errors

                failed: 2 errors in the source
                `cargo cspec explain CODE` explains a diagnostic.
            "#]],
        );
    }

    #[test]
    fn quiet_shows_problems_only() {
        let mut checked = passing();
        checked.report.outcomes.iter_mut().for_each(|(outcome, _)| outcome.diagnostics.clear());
        check(checked, Detail::Problems, expect![[""]]);
    }

    #[test]
    fn quiet_says_how_a_run_ended_that_did_not_pass() {
        let mut checked = failing();
        checked.report.outcomes.iter_mut().for_each(|(outcome, _)| outcome.diagnostics.clear());
        check(
            checked,
            Detail::Problems,
            expect![[r#"
            failed: 2 violated, 1 undecided, 1 proved
        "#]],
        );
    }

    #[test]
    fn what_was_not_reached_is_not_checked() {
        let mut checked = passing();
        checked.report.outcomes.truncate(2);
        check(
            checked,
            Detail::Summary,
            expect![[r#"
                demo: 5 obligations in 0.27 s: 2 proved, 3 not checked
                  layers  layer  proved     2 proved

                incomplete: 2 proved, 3 not checked
            "#]],
        );
    }

    #[test]
    fn colour_is_for_those_who_ask() {
        let text = rendered(&[failing()], |out| Box::new(Human::new(out, true, Detail::Summary)));
        assert!(text.starts_with("\x1b[1;31merror[CS0301]\x1b[0m: "));
    }
}
