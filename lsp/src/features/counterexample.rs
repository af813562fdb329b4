//! A counterexample as a document: the run that happens beside the run that should be possible, with links to the places involved.
//!
//! Each run is a column: its starting state and its steps, each a link to its call or declaration, with the changes that it makes
//! below it. The mismatch at the end is in bold. A run that leads up to the others is shown before them.
//!
//! The document is Markdown that is readable as plain text: columns are aligned, and link targets are at the end.

use std::{cell::RefCell, fmt::Write as _};

use cspec_analysis::{
    counterexample::{Counterexample, Difference, Mismatch, Run},
    diagnostics::WHY_THE_PROOF_FAILS,
    ir::Span,
};

use crate::{
    snapshot::{PackageView, View},
    verdicts::{Age, Entry},
};

/// The document. `None` if the obligation has no counterexample.
pub fn document(view: &View, package: &PackageView, entry: &Entry) -> Option<String> {
    let outcome = entry.outcome.as_ref()?;
    let found = outcome.diagnostics.iter().find(|it| it.counterexample.is_some() || it.wrong_run.is_some())?;
    let name = &entry.name;
    let mut text = format!("# {}\n\n", found.message);
    let stale = if entry.age == Age::Fresh { "" } else { ", stale: found before the last edit" };
    let _ = writeln!(text, "{} · {} · **{}**{stale}\n", found.code, name.kind, outcome.verdict.name());
    let links = Links::default();
    let link = |words: &str, span: Span| {
        let (file, range) = package.range(span, view.encoding)?;
        Some(links.link(words, format!("{}#L{}", file.uri.as_str(), range.start.line + 1)))
    };
    if let Some(wrong) = &found.wrong_run {
        let _ = writeln!(text, "{}  ", wrong.message);
        wrong.notes.iter().for_each(|it| text.push_str(&format!("{it}  \n")));
        text.push('\n');
        text.push_str(&columns(&wrong.counterexample, &link));
        let _ = writeln!(text, "✗ {}\n", wrong.counterexample.conclusion);
        if found.counterexample.is_some() {
            let _ = writeln!(text, "{WHY_THE_PROOF_FAILS}\n");
        }
    }
    if let Some(counterexample) = &found.counterexample {
        text.push_str(&columns(counterexample, &link));
        let _ = writeln!(text, "✗ {}\n", counterexample.conclusion);
    }
    let mut places = vec![(found.span, found.label.clone())];
    places.extend(found.related.clone());
    for (span, label) in places {
        if let Some((file, range)) = package.range(span, view.encoding) {
            let line = range.start.line + 1;
            let source = file.text.slice(line_of(&file.text, span.start)).trim().to_owned();
            let file_name = file.path.file_name().unwrap_or_default();
            let label = if label.is_empty() { String::new() } else { format!(" — {label}") };
            let place = link(&format!("{file_name}:{line}"), span).unwrap_or_default();
            let _ = writeln!(text, "- {place}{label}  \n  `{source}`");
        }
    }
    if let Some(help) = &found.help {
        let _ = writeln!(text, "\n**What to do:** {help}");
    }
    text.push_str(&links.definitions());
    Some(text)
}

/// The link targets of a document, by number.
#[derive(Default)]
struct Links(RefCell<Vec<String>>);

impl Links {
    /// A link to a place.
    fn link(&self, words: &str, place: String) -> String {
        let mut places = self.0.borrow_mut();
        let number = places.iter().position(|it| *it == place).unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        });
        format!("[{words}][{}]", number + 1)
    }

    /// The link definitions, for the end of the document.
    fn definitions(&self) -> String {
        let numbered = self.0.borrow();
        let lines = numbered.iter().zip(1..).map(|(place, number)| format!("[{number}]: {place}\n"));
        format!("\n{}", lines.collect::<String>())
    }
}

/// Makes a text a link to a place, if the place is known.
type Link<'a> = &'a dyn Fn(&str, Span) -> Option<String>;

/// The line that contains an offset.
fn line_of(text: &crate::position::Text, offset: u32) -> std::ops::Range<u32> {
    let content = text.content();
    let offset = content.floor_char_boundary(offset as usize);
    let start = content[..offset].rfind('\n').map_or(0, |it| it + 1);
    let end = content[offset..].find('\n').map_or(content.len(), |it| it + offset);
    start as u32..end as u32
}

/// The runs, the last two side by side.
fn columns(counterexample: &Counterexample, link: Link<'_>) -> String {
    let mut text = String::new();
    for (name, value) in &counterexample.values {
        let _ = writeln!(text, "{name}: `{value}`\n");
    }
    let differing: Vec<String> = counterexample.end_differences().into_iter().map(|it| it.path).collect();
    let (before, beside) = counterexample.runs.split_at(counterexample.runs.len().saturating_sub(2));
    for runs in before.chunks(1).chain([beside]) {
        let columns: Vec<Vec<String>> = runs.iter().map(|run| column(run, &differing, link)).collect();
        let height = columns.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: &Vec<String>| column.iter().map(|it| it.chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = columns.iter().map(width).collect();
        for row in 0..height {
            let cell = |(column, &width): (&Vec<String>, &usize)| {
                format!("| {:width$} ", column.get(row).map_or("", String::as_str))
            };
            let _ = writeln!(text, "{}|", columns.iter().zip(&widths).map(cell).collect::<String>());
            if row == 0 {
                let _ = writeln!(
                    text,
                    "{}|",
                    widths.iter().map(|it| format!("|{}", "-".repeat(it + 2))).collect::<String>()
                );
            }
        }
        text.push('\n');
    }
    text
}

/// The cells of one run: its title, its starting state, then two for each step.
fn column(run: &Run, differing: &[String], link: Link<'_>) -> Vec<String> {
    let mut cells = vec![run.role.words().to_owned(), code(&run.from.to_string())];
    for (number, step) in run.steps.iter().enumerate() {
        let words = step.to_string().replace('|', "\\|").replace('[', "\\[").replace(']', "\\]");
        cells.push(step.place.and_then(|it| link(&words, it)).unwrap_or(words));
        let is_last = number + 1 == run.steps.len();
        let change = |it: Difference| {
            let is_marked = is_last && differing.iter().any(|path| it.path.starts_with(path.as_str()));
            let words = code(&it.to_string());
            if is_marked { format!("**{words}**") } else { words }
        };
        let changes = step.after.iter().flat_map(|after| run.before(number).differences(after));
        let mut changes: Vec<String> = changes.map(change).collect();
        if let (true, Some(Mismatch::State(wanted)), Some(end)) = (is_last, &step.mismatch, run.end()) {
            changes.extend(wanted.differences(end).into_iter().map(|it| format!("**{}**", needed(&it))));
        }
        cells.push(if changes.is_empty() { "nothing changes".to_owned() } else { changes.join("<br>") });
    }
    cells
}

/// The wanted value of a part of the end state.
fn needed(it: &Difference) -> String {
    let wanted = it.before.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let path = if it.path.is_empty() { "the state" } else { &it.path };
    format!("{} should be {}", code(path), code(&wanted))
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use cspec_analysis::counterexample::{Datum, RunRole, Step, StepEnd};
    use expect_test::expect;

    use super::*;

    fn owner(process: Option<u32>) -> Datum {
        let some = |it| Datum::Variant("Option".to_owned(), "Some".to_owned(), vec![Datum::Pid(it)]);
        let none = Datum::Variant("Option".to_owned(), "None".to_owned(), Vec::new());
        Datum::Struct("Locked".to_owned(), vec![("owner".to_owned(), process.map_or(none, some))])
    }

    fn step(process: u32, operation: &str, result: Datum, after: Datum) -> Step {
        Step {
            process: Some(Datum::Pid(process)),
            operation: operation.to_owned(),
            arguments: Vec::new(),
            end: StepEnd::Returns(result),
            against_rules: false,
            events: Vec::new(),
            choices: Vec::new(),
            after: Some(after),
            mismatch: None,
            place: Some(Span { file: 0, start: process, end: process }),
        }
    }

    #[test]
    fn two_orders_stand_side_by_side() {
        let run = |role, steps| Run { role, layer: String::new(), from: owner(None), steps };
        let mut last = step(1, "release", Datum::Unit, owner(None));
        last.mismatch = Some(Mismatch::State(owner(Some(0))));
        let counterexample = Counterexample {
            values: Vec::new(),
            runs: vec![
                run(
                    RunRole::Possible,
                    vec![
                        step(1, "release", Datum::Unit, owner(None)),
                        step(0, "acquire", Datum::Bool(true), owner(Some(0))),
                    ],
                ),
                run(RunRole::OtherOrder, vec![step(0, "acquire", Datum::Bool(true), owner(Some(0))), last]),
            ],
            conclusion: String::new(),
        };
        expect![[r#"
            | possible                     | other order                                                      |
            |------------------------------|------------------------------------------------------------------|
            | `Locked { owner: None }`     | `Locked { owner: None }`                                         |
            | [p1: release() → ()](#1)     | [p0: acquire() → true](#0)                                       |
            | nothing changes              | `owner: None → Some(p0)`                                         |
            | [p0: acquire() → true](#0)   | [p1: release() → ()](#1)                                         |
            | **`owner: None → Some(p0)`** | **`owner: Some(p0) → None`**<br>**`owner` should be `Some(p0)`** |

        "#]]
        .assert_eq(&columns(&counterexample, &|words, span| Some(format!("[{words}](#{})", span.start))));
    }
}
