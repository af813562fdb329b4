//! The table of implementations, with each obligation below; and the obligations that took longest.

use std::{cmp::Reverse, time::Duration};

use cspec_analysis::{report::Listing, verdict::Outcome};
use maud::{Markup, html};

use super::badge;
use crate::render::{
    human::obligation,
    summary::{Checked, Row, row_name, rows},
};

/// The number of slowest obligations that are shown.
const SLOWEST: usize = 10;

/// The anchor of an obligation in the page.
pub(super) fn anchor(package: &str, outcome: &Outcome) -> String {
    let plain = |it: char| if it.is_alphanumeric() || it == '_' { it } else { '-' };
    format!("{package}-{}", outcome.name.id().chars().map(plain).collect::<String>())
}

pub(super) fn obligations(checked: &Checked, listing: &Listing) -> Markup {
    html! {
        h3 id={ (checked.package.title) "-obligations" } { "Obligations" }
        @for row in &rows(&checked.report) { (implementation(checked, listing, row)) }
    }
}

/// An obligation, its duration, and whether its verdict was known.
type Timed<'a> = (&'a Outcome, Duration, bool);

fn timed(checked: &Checked) -> impl Iterator<Item = Timed<'_>> {
    checked.report.outcomes.iter().zip(&checked.cached).map(|((outcome, took), cached)| (outcome, *took, *cached))
}

fn implementation(checked: &Checked, listing: &Listing, row: &Row<'_>) -> Markup {
    let is_of_row = |(outcome, ..): &Timed<'_>| {
        row_name(outcome) == row.name
            && (!outcome.name.implementation.is_empty() || row.patterns == [outcome.name.pattern])
    };
    let of_row: Vec<Timed<'_>> = timed(checked).filter(is_of_row).collect();
    let time: Duration = of_row.iter().map(|(_, took, _)| *took).sum();
    let between = listing.implementations.iter().find(|it| it.name == row.name);
    let patterns: Vec<&str> = row.patterns.iter().map(|it| it.name()).collect();
    html! {
        details {
            summary {
                @if let Some(worst) = row.tally.worst() { (badge(worst)) }
                b { (row.name) }
                @if let Some(it) = between { " " small { (it.to) " over " (it.from) } }
                " " small { (patterns.join(", ")) }
                span.end { (row.tally.words().join(", ")) " · " (duration(time)) }
            }
            div.scroll {
                table.list {
                    tr {
                        th { "verdict" } th { "obligation" } th.number { "cases" } th.number { "states" } th.number { "time" }
                        th { "bounds met" } th { "assuming" }
                    }
                    @for (outcome, took, cached) in of_row {
                        tr id=(anchor(&checked.package.title, outcome)) {
                            td { (badge(outcome.verdict)) }
                            td { (obligation(&outcome.name)) }
                            td.number { (outcome.cases) }
                            td.number { (outcome.states) }
                            td.number { @if cached { "cached" } @else { (duration(took)) } }
                            td { (outcome.bounds_met.join(", ")) }
                            td { (outcome.assumptions.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ")) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn slowest(checked: &Checked) -> Markup {
    let mut fresh: Vec<Timed<'_>> = timed(checked).filter(|(.., cached)| !cached).collect();
    fresh.sort_by_key(|(_, took, _)| Reverse(*took));
    let longest = fresh.first().map_or(Duration::ZERO, |(_, took, _)| *took);
    let part = |took: Duration| format!("width:{:.2}rem", 10.0 * took.as_secs_f64() / longest.as_secs_f64());
    html! {
        h3 id={ (checked.package.title) "-time" } { "Slowest obligations" }
        @if longest.is_zero() {
            p { "All verdicts are from the cache; " code { "--no-cache" } " checks them again." }
        } @else {
            div.scroll {
                table.list {
                    tr { th { "obligation" } th.number { "cases" } th { "time" } }
                    @for (outcome, took, _) in fresh.iter().take(SLOWEST) {
                        tr {
                            td { a href={ "#" (anchor(&checked.package.title, outcome)) } { (obligation(&outcome.name)) } }
                            td.number { (outcome.cases) }
                            td { span.amount style=(part(*took)) {} (duration(*took)) }
                        }
                    }
                }
            }
        }
    }
}

/// A duration as text.
fn duration(time: Duration) -> String {
    match (time.as_millis(), time.as_micros()) {
        (0, micros) => format!("{micros} µs"),
        (millis, _) => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_the_unit_that_fits() {
        assert_eq!(duration(Duration::from_micros(840)), "840 µs");
        assert_eq!(duration(Duration::from_micros(1_250_400)), "1250 ms");
    }
}
