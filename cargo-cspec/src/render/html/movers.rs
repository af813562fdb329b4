//! Which operation moves past which: the matrix of each layer, as a heat map.

use cspec_analysis::{
    report::{ListedLayer, Listing, Movers},
    verdict::Outcome,
};
use maud::{Markup, html};

use super::{obligations::anchor, operations, words};
use crate::render::summary::Checked;

/// The maximum number of operations of matrices that are shown side by side.
const SIDE_BY_SIDE: usize = 7;

/// The meanings of the colours.
const LEGEND: [(&str, &str); 5] = [
    ("both", "both ways"),
    ("right", "right only"),
    ("left", "left only"),
    ("non", "not at all"),
    ("unknown", "undecided"),
];

pub(super) fn matrices(checked: &Checked, listing: &Listing) -> Markup {
    html! {
        h3 id={ (checked.package.title) "-movers" } { "Which operation moves past which" }
        p {
            "Whether the operation of the row moves past that of the column by another process. Select a cell by a click or the arrow keys for details."
        }
        p.legend {
            @for (colour, words) in LEGEND { span { i style={ "background:var(--" (colour) ")" } {} (words) } }
        }
        div.matrices { @for layer in &listing.layers { (matrix(checked, layer)) } }
    }
}

fn matrix(checked: &Checked, layer: &ListedLayer) -> Markup {
    let shown: Vec<usize> = (0..layer.operations.len()).filter(|it| !layer.operations[*it].external).collect();
    html! {
        @if !shown.is_empty() {
            details.wide[shown.len() > SIDE_BY_SIDE] open {
                summary { b { (layer.name) } span.end { (operations(shown.len())) } }
                div.scroll {
                    table.matrix {
                        tr {
                            td {}
                            @for column in &shown { th scope="col" { span { (layer.operations[*column].name) } } }
                        }
                        @for row in &shown { (line(checked, layer, *row, &shown)) }
                    }
                    p.told aria-live="polite" {}
                }
            }
        }
    }
}

fn line(checked: &Checked, layer: &ListedLayer, row: usize, shown: &[usize]) -> Markup {
    let operation = &layer.operations[row];
    let cells = shown.iter().filter_map(|it| Some((&layer.operations[*it].name, *operation.row.get(*it)?)));
    html! {
        tr {
            th scope="row" { (operation.name) " " small { (operation.inferred.name()) } }
            @for (other, moves) in cells {
                td { (cell(&operation.name, other, moves, seen(checked, &layer.name, &operation.name, other))) }
            }
        }
    }
}

/// A cell, with a link to its obligation, if the package has one.
fn cell(operation: &str, other: &str, moves: Movers, seen: Option<(String, String)>) -> Markup {
    let words = cell_words(operation, other, moves);
    let (see, verdict) = seen.unzip();
    html! {
        button type="button" class={ "cell " (moves.name()) } data-words=(words) data-see=[see] data-verdict=[verdict]
            title=(words) { (moves.name()) }
    }
}

/// The obligation about a cell and its verdict, if the page has one.
fn seen(checked: &Checked, layer: &str, operation: &str, against: &str) -> Option<(String, String)> {
    let is_it = |it: &Outcome| it.name.layer == layer && it.name.operation == operation && it.name.against == against;
    let found = checked.report.outcomes.iter().map(|(it, _)| it).find(|it| is_it(it))?;
    Some((anchor(&checked.package.title, found), format!("{}: {}", found.name.kind, words(found.verdict))))
}

/// The text of a cell.
fn cell_words(operation: &str, other: &str, moves: Movers) -> String {
    match moves.name() {
        "both" => format!("`{operation}` moves past `{other}` in both directions."),
        "non" => format!("`{operation}` does not move past `{other}`."),
        "undecided" => format!("Whether `{operation}` moves past `{other}` is undecided."),
        way => format!("`{operation}` moves {way} past `{other}`, and not the other way."),
    }
}
