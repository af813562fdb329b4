//! The findings, each with its counterexample.

use cspec_analysis::{
    counterexample::{Counterexample, Mismatch, Run, Step},
    diagnostics::{Diagnostic, WHY_THE_PROOF_FAILS},
    ir::Span,
    report::SourceText,
};
use maud::{Markup, display, html};

use super::{figure::figure, place_of};
use crate::render::{
    causes,
    place::{Place, TouchedLine},
    severity_name,
    summary::Checked,
};

/// The maximum number of source lines shown for a finding.
const MOST_LINES: usize = 8;

pub(super) fn findings(checked: &Checked) -> Markup {
    let found = causes(&checked.report);
    html! {
        @if !found.is_empty() {
            h3 id={ (checked.package.title) "-findings" } { "Findings" }
            @for it in &found { (finding(it, &checked.report.files)) }
        }
    }
}

fn finding(found: &Diagnostic, files: &[SourceText]) -> Markup {
    html! {
        article class={ "finding " (severity_name(found.severity)) } {
            h4 { span.code { (found.code) } (prose(&found.message)) }
            p.place { (place_of(files, found.span)) }
            (source(files, found.span))
            @if let Some(wrong) = &found.wrong_run {
                p { b { (prose(&wrong.message)) } }
                @for note in &wrong.notes { p { (prose(note)) } }
                (counterexample(&wrong.counterexample, files))
                p { b { (WHY_THE_PROOF_FAILS) } }
            }
            @for note in &found.notes { p { (prose(note)) } }
            @if let Some(it) = &found.counterexample { (counterexample(it, files)) }
            @if let Some(help) = &found.help { p.help { b { "help" } " " (prose(help)) } }
        }
    }
}

fn counterexample(it: &Counterexample, files: &[SourceText]) -> Markup {
    html! {
        @for (name, value) in &it.values { p { (name) " " code { (display(value)) } } }
        (figure(it))
        p.conclusion { "✗ " (prose(&it.conclusion)) }
        details {
            summary { "Step by step" }
            div.scroll { (steps(it, files)) }
        }
    }
}

/// A message, with quoted parts as code.
fn prose(text: &str) -> Markup {
    let is_paired = text.matches('`').count().is_multiple_of(2);
    html! {
        @if is_paired {
            @for (at, part) in text.split('`').enumerate() {
                @if at % 2 == 1 { code { (part) } } @else { (part) }
            }
        } @else { (text) }
    }
}

/// The lines of a span, with the span marked.
fn source(files: &[SourceText], span: Span) -> Markup {
    let place = Place::find(files, span).filter(|it| !it.text.trim().is_empty());
    let first = place.as_ref().map_or(1, |it| it.start().line);
    let lines = place.map(|it| it.lines()).unwrap_or_default();
    html! {
        @if !lines.is_empty() {
            div.source.mono tabindex="0" role="region" aria-label="source" {
                @for (at, line) in lines.iter().take(MOST_LINES).enumerate() {
                    @if at > 0 { "\n" }
                    i { (first + at) } (marked(line))
                }
            }
        }
    }
}

fn marked(line: &TouchedLine<'_>) -> Markup {
    let part =
        |from: usize, to: usize| -> String { line.text.chars().skip(from - 1).take(to.saturating_sub(from)).collect() };
    let meant = part(line.start, line.end);
    html! {
        (part(1, line.start))
        @if !meant.is_empty() { mark { (meant) } }
        (part(line.end, usize::MAX))
    }
}

/// A counterexample as a table: a column for each run, with its states between its steps. Mismatches at the end are marked.
fn steps(counterexample: &Counterexample, files: &[SourceText]) -> Markup {
    let lanes: Vec<Vec<Markup>> = counterexample.runs.iter().map(|run| lane(run, files)).collect();
    let height = lanes.iter().map(Vec::len).max().unwrap_or_default();
    html! {
        table.steps.mono {
            @for row in 0..height {
                tr {
                    @for lane in &lanes {
                        @if let Some(cell) = lane.get(row) { (cell) } @else { td {} }
                    }
                }
            }
        }
    }
}

/// The cells of a lane: title, state, step, state, step, ….
fn lane(run: &Run, files: &[SourceText]) -> Vec<Markup> {
    let mut cells = vec![
        html! { th scope="col" { (run.role.words()) ", in " (run.layer) } },
        html! { td.state { (display(&run.from)) } },
    ];
    for (number, step) in run.steps.iter().enumerate() {
        let place = step.place.and_then(|it| Place::find(files, it));
        let place = place.map(|it| format!("{}:{}", it.path, it.start().line)).unwrap_or_default();
        cells.push(html! { td.step { (display(step)) " " span.faint { (place) } } });
        cells.push(state_after(run, number, step));
    }
    cells
}

/// The changes of a step, and the mismatches of the end state.
fn state_after(run: &Run, number: usize, step: &Step<Span>) -> Markup {
    let changes: Vec<_> = step.after.iter().flat_map(|after| run.before(number).differences(after)).collect();
    let needed = match (&step.mismatch, run.end()) {
        (Some(Mismatch::State(wanted)), Some(end)) => wanted.differences(end),
        _ => Vec::new(),
    };
    html! {
        td.state {
            @for change in &changes { div { (display(change)) } }
            @for it in &needed {
                @let wanted = it.before.as_ref().map_or_else(|| "nothing".to_owned(), |it| it.to_string());
                div { mark { (it.path) " should be " (wanted) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixtures::{files, two_orders};

    #[test]
    fn each_run_has_its_column_with_states_between_its_steps() {
        let drawn = steps(&two_orders(), &files()).into_string();
        let rows: Vec<&str> = drawn.split("<tr>").skip(1).collect();
        assert!(rows[0].contains(">possible, in Lock<") && rows[0].contains(">other order, in Lock<"), "{drawn}");
        assert!(rows[2].contains("p1: write(1) → ()") && rows[2].contains("p2: read() → 0, not 1"), "{drawn}");
        assert!(rows[2].contains("demo/src/lock.rs:5"), "{drawn}");
        assert!(rows[3].contains("value: 0 → 1"), "{drawn}");
    }

    #[test]
    fn what_a_message_quotes_is_code() {
        assert_eq!(prose("`a<b>` is not `c`").into_string(), "<code>a&lt;b&gt;</code> is not <code>c</code>");
        assert_eq!(prose("a ` alone").into_string(), "a ` alone");
    }

    #[test]
    fn the_marked_part_of_a_line_is_what_is_meant() {
        let start = files()[0].text.find("right").expect("it is there") as u32;
        let shown = source(&files(), Span { file: 0, start, end: start + 5 }).into_string();
        assert!(shown.contains("<i>4</i>    #[op(<mark>right</mark>)]"), "{shown}");
    }
}
