//! The report: one self-contained HTML page that needs no network, and no script for reading.
//!
//! It has the findings, each with its counterexample as a figure; the stacks as a picture with the verdicts; a table of implementations,
//! with their obligations; the matrix of each layer as a heat map; the coverage of operations; and the slowest obligations. Colours follow
//! the reader's light or dark theme; a small script moves the focus through a matrix with the arrow keys and describes the focused cell.

mod coverage;
mod figure;
mod findings;
mod movers;
mod obligations;

use cspec_analysis::{
    ir::Span,
    report::{Listing, SourceText},
    session::Coverage,
    verdict::{Scope, Verdict},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    diagnostics, picture,
    place::Place,
    summary::{Checked, Summary, Tally, rows},
};
use crate::outline::Chain;

/// The part of the report on one package.
pub struct Section {
    /// The results of the check.
    pub checked: Checked,
    /// The contents of the package, with the matrices.
    pub listing: Listing,
    /// The coverage, for each layer and operation.
    pub coverage: Vec<Vec<Coverage>>,
    /// The stacks of the package.
    pub chains: Vec<Chain>,
}

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

pub fn page(sections: &[Section], summary: &Summary) -> String {
    let names: Vec<&str> = sections.iter().map(|it| it.checked.package.title.as_str()).collect();
    let title = format!("cspec report: {}", names.join(", "));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                header {
                    h1 { (title) }
                    p { (summary.line()) }
                    (bar(&summary.tally))
                }
                nav aria-label="Contents" { @for section in sections { (contents(section)) } }
                main #main { @for it in sections { (section(it)) } }
                footer {
                    "Written by cspec " (env!("CARGO_PKG_VERSION")) ". What each verdict promises: proved holds for any number of "
                    "processes, values and entries; checked to scope holds within the stated bounds; violated comes with a "
                    "run; not shown means that the proof fails and no wrong run was found; undecided is not a success."
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// The table of contents of a package.
fn contents(Section { checked, listing, .. }: &Section) -> Markup {
    let name = &checked.package.title;
    let mut parts = vec![("layers", "Layers"), ("obligations", "Obligations")];
    if diagnostics(&checked.report).next().is_some() {
        parts.insert(0, ("findings", "Findings"));
    }
    if !listing.layers.is_empty() {
        parts.extend([("movers", "Movers"), ("coverage", "Coverage")]);
    }
    parts.push(("time", "Time"));
    html! {
        ul {
            li { strong { (name) } }
            @for (id, words) in parts { li { a href={ "#" (name) "-" (id) } { (words) } } }
        }
    }
}

fn section(Section { checked, listing, coverage, chains }: &Section) -> Markup {
    let name = &checked.package.title;
    let verdicts = rows(&checked.report);
    let verdict = |name: &str| verdicts.iter().find(|row| row.name == name).and_then(|row| row.tally.worst());
    html! {
        section {
            h2 { (name) }
            (facts(checked))
            (findings::findings(checked))
            h3 id={ (name) "-layers" } { "Layers" }
            div.picture tabindex="0" role="region" aria-label={ "The stacks of " (name) } {
                (picture::svg(chains, &verdict, None))
            }
            (obligations::obligations(checked, listing))
            @if !listing.layers.is_empty() {
                (movers::matrices(checked, listing))
                (coverage::coverage(checked, listing, coverage))
            }
            (obligations::slowest(checked))
        }
    }
}

/// The numbers of obligations by verdict, as a bar.
fn bar(tally: &Tally) -> Markup {
    let counts = [
        (tally.violated, Verdict::Violated),
        (tally.not_shown, Verdict::NotShown),
        (tally.undecided, Verdict::Undecided),
        (tally.searched, Verdict::Searched),
        (tally.checked, Verdict::Checked),
        (tally.proved, Verdict::Proved),
    ];
    html! {
        div.bar role="img" aria-label=(tally.words().join(", ")) {
            @for (count, verdict) in counts.iter().filter(|(count, _)| *count > 0) {
                span class=(verdict.name()) style={ "flex:" (count) } title={ (count) " " (words(*verdict)) } {}
            }
        }
    }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Checked => "checked to scope",
        other => other.name(),
    }
}

/// A verdict as a badge.
fn badge(verdict: Verdict) -> Markup {
    html! { span class={ "verdict " (verdict.name()) } { (words(verdict)) } }
}

/// The scope of the check, and its duration.
fn facts(checked: &Checked) -> Markup {
    let cached = checked.cached.iter().filter(|it| **it).count();
    let (bounds, assumptions) = (checked.bounds_met(), checked.assumptions());
    html! {
        ul.facts {
            li { b { (checked.report.outcomes.len()) } " obligations" }
            li { (checked.tally().words().join(", ")) }
            li { b { (format!("{:.2} s", checked.elapsed.as_secs_f64())) } }
            @if cached > 0 { li { b { (cached) } " cached" } }
            li { "scope " (scope(&checked.scope)) }
            @if !bounds.is_empty() { li { "bounds met: " (bounds.join(", ")) } }
            @if !assumptions.is_empty() { li { "assuming: " (assumptions.join(", ")) } }
        }
    }
}

/// A scope, with the names of the command line.
fn scope(scope: &Scope) -> String {
    let Scope { pids, entries, ints, scalars, scalars_default, .. } = scope;
    let named: String = scalars.iter().map(|(name, bound)| format!(", {name}={bound}")).collect();
    format!("Pid={pids}, entries={entries}, int={ints}, scalar={scalars_default}{named}")
}

fn place_of(files: &[SourceText], span: Span) -> String {
    Place::find(files, span).map_or_else(String::new, |it| it.to_string())
}

/// The number of operations, as text.
fn operations(count: usize) -> String {
    if count == 1 { "1 operation".to_owned() } else { format!("{count} operations") }
}

#[cfg(test)]
mod tests {
    use cspec_analysis::session::Fork;

    use super::*;
    use crate::render::fixtures::{failing, files, listing};

    fn section() -> Section {
        let at = |needle: &str| {
            let start = files()[0].text.find(needle).expect("it is there") as u32;
            Span { file: 0, start, end: start + needle.len() as u32 }
        };
        let fork = Fork { span: at("self.value = größe"), taken: [false, true] };
        let coverage = vec![vec![
            Coverage { forks: vec![fork], is_enabled: true, is_complete: true },
            Coverage { forks: Vec::new(), is_enabled: false, is_complete: true },
        ]];
        Section { checked: failing(), listing: listing(), coverage, chains: Vec::new() }
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let mut summary = Summary::default();
        summary.add(&failing());
        let page = page(&[section()], &summary);
        for word in ["http:", "https:", "src=", "@import", "url("] {
            let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!elsewhere.contains(word), "{word}");
        }
        for word in ["CS0301", "is not a right mover", "moves right past", "verdict violated", "4000", "never enabled"]
        {
            assert!(page.contains(word), "{word}");
        }
        assert!(page.contains("<code>self.value = größe</code> is never false"), "{page}");
        assert!(page.contains("data-see=\"demo-movers-right-mover-Count-Lock-write-read\""), "{page}");
    }
}
