//! The report: one HTML page with everything in it, no network, no script that is needed for reading.
//!
//! The stacks as a picture with the verdicts; a table of implementations, with each obligation below; the matrix of each layer as a heat
//! map; findings with their counterexamples, a lane for each run. Colours follow the reader's light or dark; a small script moves the
//! focus through a matrix with the arrow keys and tells of the cell that has it.

use std::fmt::Write as _;

use cspec_analysis::{
    counterexample::{Counterexample, Mismatch, Run},
    diagnostics::Diagnostic,
    report::{Listing, Movers, SourceText},
    verdict::Outcome,
};

use super::{
    diagnostics,
    human::obligation,
    picture::{self, escape},
    place::Place,
    severity_name,
    summary::{Checked, Summary, rows},
};
use crate::outline::Chain;

/// What the report says of one package.
pub struct Section {
    /// What was checked.
    pub checked: Checked,
    /// What is in it, with the matrices.
    pub listing: Listing,
    /// Its stacks.
    pub chains: Vec<Chain>,
}

/// The page.
pub fn page(sections: &[Section], summary: &Summary) -> String {
    let mut body = String::new();
    let line = escape(&summary.line());
    let _ = write!(body, "<header><h1>cspec report</h1><p class=\"summary\">{line}</p></header>\n<main>\n");
    for section in sections {
        write_section(&mut body, section);
    }
    body.push_str("</main>\n");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>cspec report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn write_section(out: &mut String, section: &Section) {
    let Section { checked, listing, chains } = section;
    let name = escape(&checked.package.name);
    let _ = writeln!(out, "<section><h2>package {name}</h2>");
    let counts = checked.tally().words().join(", ");
    let _ = writeln!(
        out,
        "<p>{} obligations in {:.2} s: {counts}</p>",
        checked.report.outcomes.len(),
        checked.elapsed.as_secs_f64()
    );
    let bounds = checked.bounds_met();
    if !bounds.is_empty() {
        let _ = writeln!(out, "<p>checked to scope: {}</p>", escape(&bounds.join(", ")));
    }
    findings(out, checked);
    let verdicts = rows(&checked.report);
    let verdict = |name: &str| verdicts.iter().find(|row| row.name == name).and_then(|row| row.tally.worst());
    let _ = writeln!(out, "<h3>Layers</h3>\n<div class=\"picture\">{}</div>", picture::svg(chains, &verdict, ""));
    obligations(out, checked);
    matrices(out, listing);
    out.push_str("</section>\n");
}

/// What was found, each with its counterexample.
fn findings(out: &mut String, checked: &Checked) {
    let found: Vec<&Diagnostic> = diagnostics(&checked.report).collect();
    if found.is_empty() {
        return;
    }
    out.push_str("<h3>Findings</h3>\n");
    for found in found {
        let place = Place::find(&checked.report.files, found.span)
            .map(|place| format!("{}:{}:{}", place.path, place.start().line, place.start().column))
            .unwrap_or_default();
        let (severity, message) = (severity_name(found.severity), escape(&found.message));
        let _ = writeln!(
            out,
            "<article class=\"finding {severity}\"><h4><span class=\"code\">{}</span> {message}</h4><p class=\"place\">{}</p>",
            found.code,
            escape(&place)
        );
        for note in &found.notes {
            let _ = writeln!(out, "<p>{}</p>", escape(note));
        }
        out.extend(found.counterexample.iter().map(|it| lanes(it, &checked.report.files)));
        if let Some(help) = &found.help {
            let _ = writeln!(out, "<p class=\"help\">{}</p>", escape(help));
        }
        out.push_str("</article>\n");
    }
}

/// A counterexample: a lane for each run, its states between its steps. What of an end is not as wanted is marked.
fn lanes(counterexample: &Counterexample, files: &[SourceText]) -> String {
    let mut table = String::from("<table class=\"lanes\">");
    let width = counterexample.runs.len().max(1);
    for (name, value) in &counterexample.values {
        let _ = write!(table, "<tr><td colspan=\"{width}\">{} {}</td></tr>", escape(name), escape(&value.to_string()));
    }
    let lanes: Vec<Vec<String>> = counterexample.runs.iter().map(|run| lane(run, files)).collect();
    let height = lanes.iter().map(Vec::len).max().unwrap_or_default();
    for row in 0..height {
        let cells: String = lanes.iter().map(|lane| lane.get(row).map_or("<td></td>", String::as_str)).collect();
        let _ = write!(table, "<tr>{cells}</tr>");
    }
    let _ = write!(table, "<tr><td colspan=\"{width}\">✗ {}</td></tr>", escape(&counterexample.conclusion));
    table + "</table>\n"
}

/// The cells of a lane: title, state, step, state, step, ….
fn lane(run: &Run, files: &[SourceText]) -> Vec<String> {
    let mut cells = vec![
        format!("<th scope=\"col\">{}</th>", escape(&run.title)),
        format!("<td class=\"state\">{}</td>", escape(&run.from.to_string())),
    ];
    for (number, step) in run.steps.iter().enumerate() {
        let place = step.place.and_then(|it| Place::find(files, it));
        let place = place.map(|it| format!("{}:{}", it.path, it.start().line)).unwrap_or_default();
        let words = escape(&step.to_string());
        cells.push(format!("<td class=\"step\" title=\"{}\">{words}</td>", escape(&place)));
        let changes = step.after.iter().flat_map(|after| run.before(number).differences(after));
        let mut lines: Vec<String> = changes.map(|it| escape(&it.to_string())).collect();
        if let (Some(Mismatch::State(wanted)), Some(end)) = (&step.mismatch, run.end()) {
            let needed = wanted.differences(end).into_iter().map(|it| {
                let wanted = it.before.map_or_else(|| "nothing".to_owned(), |it| it.to_string());
                format!("<mark>{} should be {}</mark>", escape(&it.path), escape(&wanted))
            });
            lines.extend(needed);
        }
        cells.push(format!("<td class=\"state\">{}</td>", lines.join("<br>")));
    }
    cells
}

/// A table of implementations, and below each its obligations.
fn obligations(out: &mut String, checked: &Checked) {
    out.push_str("<h3>Obligations</h3>\n");
    for row in rows(&checked.report) {
        let worst = row.tally.worst().map_or("", |it| it.name());
        let words = escape(&row.tally.words().join(", "));
        let patterns: Vec<&str> = row.patterns.iter().map(|it| it.name()).collect();
        let _ = writeln!(
            out,
            "<details><summary><span class=\"verdict {worst}\">{worst}</span> {} <small>{}: {words}</small></summary><table>",
            escape(row.name),
            patterns.join(", ")
        );
        out.push_str("<tr><th>verdict</th><th>obligation</th><th>cases</th><th>time</th><th>bounds met</th></tr>\n");
        let of_row = |it: &&(&(Outcome, _), bool)| super::summary::row_name(&it.0.0) == row.name;
        let all: Vec<_> = checked.report.outcomes.iter().zip(checked.cached.iter().copied()).collect();
        for ((outcome, took), cached) in all.iter().filter(of_row) {
            let verdict = outcome.verdict.name();
            let took = if *cached { "cached".to_owned() } else { format!("{} ms", took.as_millis()) };
            let _ = writeln!(
                out,
                "<tr><td class=\"verdict {verdict}\">{verdict}</td><td>{}</td><td>{}</td><td>{took}</td><td>{}</td></tr>",
                escape(&obligation(&outcome.name)),
                outcome.cases,
                escape(&outcome.bounds_met.join(", "))
            );
        }
        out.push_str("</table></details>\n");
    }
}

/// The matrix of each layer.
fn matrices(out: &mut String, listing: &Listing) {
    out.push_str("<h3>Which operation moves past which</h3>\n");
    out.push_str(
        "<p>The row's operation past the column's of another process. Arrow keys move through a matrix.</p>\n",
    );
    for layer in &listing.layers {
        let shown: Vec<usize> = (0..layer.operations.len()).filter(|it| !layer.operations[*it].external).collect();
        if shown.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "<details open><summary>{}</summary><table class=\"matrix\"><tr><td></td>",
            escape(&layer.name)
        );
        for column in &shown {
            let _ = write!(out, "<th scope=\"col\">{}</th>", escape(&layer.operations[*column].name));
        }
        out.push_str("</tr>\n");
        for row in &shown {
            let operation = &layer.operations[*row];
            let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escape(&operation.name));
            for column in &shown {
                let Some(moves) = operation.row.get(*column) else { continue };
                let other = &layer.operations[*column].name;
                let words = escape(&cell_words(&operation.name, other, *moves));
                let _ = write!(
                    out,
                    "<td><button class=\"cell {0}\" data-words=\"{words}\" title=\"{words}\">{0}</button></td>",
                    moves.name()
                );
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</table><p class=\"told\" aria-live=\"polite\"></p></details>\n");
    }
}

/// What a cell says.
fn cell_words(operation: &str, other: &str, moves: Movers) -> String {
    match moves.name() {
        "both" => format!("`{operation}` moves past `{other}` in both directions"),
        "non" => format!("`{operation}` does not move past `{other}`"),
        "undecided" => format!("whether `{operation}` moves past `{other}` is undecided"),
        way => format!("`{operation}` moves {way} past `{other}`, and not the other way"),
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --text: #1c1e21; --faint: #5d6470; --page: #fff; --box: #f4f6f9; --line: #c9ced6;
  --proved: #1a7f45; --checked: #0b7285; --violated: #c62f2f; --undecided: #a36a00; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --faint: #9aa3b0; --page: #15181d; --box: #20252c; --line: #3a414b;
  --proved: #4ec27d; --checked: #4db8cc; --violated: #ff7b72; --undecided: #e0a93b; } }
body { font: 15px/1.5 ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif; color: var(--text); background: var(--page); margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } .summary { font-weight: 600; } small, .place, .label { color: var(--faint); }
table { border-collapse: collapse; margin: .5rem 0 1rem; } td, th { padding: .15rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
details { margin: .4rem 0; } summary { cursor: pointer; } :focus-visible { outline: 2px solid var(--checked); outline-offset: 2px; }
.picture { overflow-x: auto; } svg text { fill: var(--text); font-size: 13px; } svg .title { font-weight: 600; font-size: 14px; } svg .small { fill: var(--faint); font-size: 11.5px; }
svg .layer rect { fill: var(--box); stroke: var(--faint); } svg .protocol rect { stroke-dasharray: 5 3; } svg .arrow { stroke: var(--faint); fill: none; stroke-width: 1.5; } svg .head { fill: var(--faint); }
svg .proved .arrow { stroke: var(--proved); } svg .proved .head { fill: var(--proved); } svg .checked .arrow { stroke: var(--checked); } svg .checked .head { fill: var(--checked); }
svg .violated .arrow { stroke: var(--violated); } svg .violated .head { fill: var(--violated); } svg .undecided .arrow { stroke: var(--undecided); } svg .undecided .head { fill: var(--undecided); }
.verdict { font-weight: 600; } .verdict.proved { color: var(--proved); } .verdict.checked { color: var(--checked); } .verdict.violated { color: var(--violated); } .verdict.undecided { color: var(--undecided); }
.finding { border-left: 4px solid var(--violated); background: var(--box); padding: .5rem 1rem; margin: 1rem 0; } .finding.warning { border-color: var(--undecided); } h4 { margin: 0; } .place { margin: 0; font-family: ui-monospace, monospace; }
.lanes { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 13px; } .lanes th { min-width: 14rem; } .step { background: var(--page); border: 1px solid var(--line); } .state { color: var(--faint); } .state mark { color: var(--violated); background: none; font-weight: 600; }
.cell { font: inherit; font-size: 12px; width: 5.5rem; border: 0; padding: .3rem 0; color: #fff; border-radius: 3px; } .matrix td { padding: 1px; border: 0; }
.cell.both { background: #1a7f45; } .cell.right { background: #0b7285; } .cell.left { background: #5b4fc4; } .cell.non { background: #c62f2f; } .cell.undecided { background: #8a5a00; }
";

const SCRIPT: &str = "
for (const table of document.querySelectorAll('.matrix')) {
  const told = table.nextElementSibling;
  const tell = event => { if (event.target.dataset.words) told.textContent = event.target.dataset.words; };
  table.addEventListener('focusin', tell);
  table.addEventListener('click', tell);
  table.addEventListener('keydown', event => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest('td');
    if (!step || !cell) return;
    const row = table.rows[cell.parentElement.rowIndex + step[0]];
    const next = row && row.cells[cell.cellIndex + step[1]];
    const button = next && next.querySelector('button');
    if (button) { button.focus(); event.preventDefault(); }
  });
}
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixtures::{failing, listing, two_orders};

    #[test]
    fn each_run_has_its_lane_with_states_between_its_steps() {
        let drawn = lanes(&two_orders(), &crate::render::fixtures::files());
        let rows: Vec<&str> = drawn.split("<tr>").skip(1).collect();
        assert!(rows[0].contains(">possible<") && rows[0].contains(">other order<"), "{drawn}");
        assert!(rows[2].contains("p1: write(1) → ()") && rows[2].contains("p2: read() → 0, not 1"), "{drawn}");
        assert!(rows[2].contains("title=\"demo/src/lock.rs:5\""), "{drawn}");
        assert!(rows[3].contains("value: 0 → 1"), "{drawn}");
        assert!(drawn.contains("`read` cannot return 1"), "{drawn}");
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let mut summary = Summary::default();
        summary.add(&failing());
        let section = Section { checked: failing(), listing: listing(), chains: Vec::new() };
        let page = page(&[section], &summary);
        for word in ["http:", "https:", "src=", "@import", "url("] {
            let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!elsewhere.contains(word), "{word}");
        }
        for word in ["CS0301", "is not a right mover", "moves right past", "verdict violated", "4000"] {
            assert!(page.contains(word), "{word}");
        }
    }
}
