//! Coverage: which branches the operations of each layer take.

use cspec_analysis::{
    report::{ListedLayer, Listing, SourceText},
    session::{Coverage, Fork},
    verdict::Verdict,
};
use maud::{Markup, html};

use super::{badge, operations, place_of};
use crate::render::{place::Place, summary::Checked};

pub(super) fn coverage(checked: &Checked, listing: &Listing, coverage: &[Vec<Coverage>]) -> Markup {
    html! {
        h3 id={ (checked.package.title) "-coverage" } { "Coverage of transitions" }
        p {
            "For each " code { "maybe()" } " and each " code { "if" } " of an operation: whether some step in scope takes one branch, "
            "and whether some step takes the other."
        }
        @for (layer, coverage) in listing.layers.iter().zip(coverage) {
            (of_layer(layer, coverage, &checked.report.files))
        }
    }
}

fn of_layer(layer: &ListedLayer, coverage: &[Coverage], files: &[SourceText]) -> Markup {
    let all: usize = coverage.iter().map(ways).sum();
    let taken: usize = coverage.iter().map(ways_taken).sum();
    let is_complete = taken == all && coverage.iter().all(|it| it.is_enabled);
    let told = if all == 0 { "one branch each".to_owned() } else { format!("{taken} of {all} branches") };
    html! {
        details open[!is_complete] {
            summary { b { (layer.name) } span.end { (told) " · " (operations(coverage.len())) } }
            div.scroll {
                table.list {
                    tr { th { "operation" } th { "ways taken" } th { "never" } }
                    @for (operation, it) in layer.operations.iter().zip(coverage) {
                        tr {
                            td { (operation.name) }
                            td { (meter(it)) }
                            td { (never(it, files)) }
                        }
                    }
                }
            }
        }
    }
}

fn ways(coverage: &Coverage) -> usize {
    coverage.forks.len() * 2
}

fn ways_taken(coverage: &Coverage) -> usize {
    coverage.forks.iter().flat_map(|it| it.taken).filter(|it| *it).count()
}

fn meter(coverage: &Coverage) -> Markup {
    html! {
        @match ways(coverage) {
            0 => "one way",
            all => { meter value=(ways_taken(coverage)) max=(all) {} " " (ways_taken(coverage)) " of " (all) },
        }
    }
}

/// The branches that no step takes.
fn never(coverage: &Coverage, files: &[SourceText]) -> Markup {
    html! {
        @if !coverage.is_complete { div { (badge(Verdict::Undecided)) " not all steps were explored" } }
        @if coverage.is_enabled {
            @for fork in &coverage.forks { (never_taken(fork, files)) }
        } @else {
            div { span.verdict.violated { "never enabled" } }
        }
    }
}

fn never_taken(fork: &Fork, files: &[SourceText]) -> Markup {
    let code = Place::find(files, fork.span).map_or("", |it| it.text[it.bytes].lines().next().unwrap_or_default());
    let code = code.strip_suffix('{').unwrap_or(code).trim_end();
    let never = ["false", "true"].into_iter().zip(fork.taken).filter(|(_, taken)| !taken);
    html! {
        @for (word, _) in never {
            div { code { (code) } " is never " (word) " " span.place { (place_of(files, fork.span)) } }
        }
    }
}
