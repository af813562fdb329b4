//! The report: one HTML page with everything in it, no network, no script that is needed for reading.
//!
//! What was found, each with its counterexample as a figure; the stacks as a picture with the verdicts; a table of implementations, with
//! each obligation below; the matrix of each layer as a heat map; which ways the operations take; what took long. Colours follow the
//! reader's light or dark; a small script moves the focus through a matrix with the arrow keys and tells of the cell that has it.

mod figure;

use std::{fmt::Write as _, time::Duration};

use cspec_analysis::{
    counterexample::{Counterexample, Mismatch, Run},
    diagnostics::Diagnostic,
    ir::Span,
    report::{ListedLayer, Listing, Movers, SourceText},
    session::Coverage,
    verdict::{Outcome, Scope, Verdict},
};

use super::{
    diagnostics,
    human::obligation,
    picture::{self, escape},
    place::Place,
    severity_name,
    summary::{Checked, Summary, Tally, row_name, rows},
};
use crate::outline::Chain;

/// What the report says of one package.
pub struct Section {
    /// What was checked.
    pub checked: Checked,
    /// What is in it, with the matrices.
    pub listing: Listing,
    /// For each layer and operation in it, which ways its steps take.
    pub coverage: Vec<Vec<Coverage>>,
    /// Its stacks.
    pub chains: Vec<Chain>,
}

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// How many obligations are shown among those that took longest.
const SLOWEST: usize = 10;

/// Matrices of up to so many operations stand beside each other.
const SIDE_BY_SIDE: usize = 7;

/// The page.
pub fn page(sections: &[Section], summary: &Summary) -> String {
    let names: Vec<&str> = sections.iter().map(|it| it.checked.package.name.as_str()).collect();
    let title = format!("cspec report: {}", names.join(", "));
    let mut body = String::new();
    let _ = write!(
        body,
        "<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header><h1>{}</h1><p>{}</p>{}</header>\n",
        escape(&title),
        escape(&summary.line()),
        bar(&summary.tally)
    );
    navigation(&mut body, sections);
    body.push_str("<main id=\"main\">\n");
    for section in sections {
        write_section(&mut body, section);
    }
    let _ = writeln!(
        body,
        "</main>\n<footer>Written by cspec {}. What each verdict promises: proved holds of any number of processes, values and entries; \
         checked to scope holds within the bounds that are named; violated comes with a run; undecided is no success.</footer>",
        env!("CARGO_PKG_VERSION")
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        escape(&title)
    )
}

fn navigation(out: &mut String, sections: &[Section]) {
    out.push_str("<nav aria-label=\"Contents\">");
    for Section { checked, listing, .. } in sections {
        let name = escape(&checked.package.name);
        let mut parts = vec![("layers", "Layers"), ("obligations", "Obligations")];
        if diagnostics(&checked.report).next().is_some() {
            parts.insert(0, ("findings", "Findings"));
        }
        if !listing.layers.is_empty() {
            parts.extend([("movers", "Movers"), ("coverage", "Coverage")]);
        }
        parts.push(("time", "Time"));
        let links: String =
            parts.iter().map(|(id, words)| format!("<li><a href=\"#{name}-{id}\">{words}</a></li>")).collect();
        let _ = writeln!(out, "<ul><li><strong>{name}</strong></li>{links}</ul>");
    }
    out.push_str("</nav>\n");
}

/// How many of the obligations have which verdict, as a picture.
fn bar(tally: &Tally) -> String {
    let counts = [
        (tally.violated, "violated"),
        (tally.undecided, "undecided"),
        (tally.checked, "checked"),
        (tally.proved, "proved"),
    ];
    let parts: String = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, class)| {
            format!("<span class=\"{class}\" style=\"flex:{count}\" title=\"{count} {}\"></span>", words_of(class))
        })
        .collect();
    format!("<div class=\"bar\" role=\"img\" aria-label=\"{}\">{parts}</div>", tally.words().join(", "))
}

fn words_of(verdict: &str) -> &str {
    if verdict == "checked" { "checked to scope" } else { verdict }
}

/// A verdict as a badge.
fn badge(verdict: Verdict) -> String {
    format!("<span class=\"verdict {0}\">{1}</span>", verdict.name(), words_of(verdict.name()))
}

fn write_section(out: &mut String, section: &Section) {
    let Section { checked, listing, coverage, chains } = section;
    let name = escape(&checked.package.name);
    let _ = writeln!(out, "<section><h2>{name}</h2>{}", facts(checked));
    findings(out, checked);
    let verdicts = rows(&checked.report);
    let verdict = |name: &str| verdicts.iter().find(|row| row.name == name).and_then(|row| row.tally.worst());
    let _ = writeln!(
        out,
        "<h3 id=\"{name}-layers\">Layers</h3>\n<div class=\"picture\" tabindex=\"0\" role=\"region\" aria-label=\"The stacks of {name}\">{}</div>",
        picture::svg(chains, &verdict, "")
    );
    obligations(out, checked, listing);
    if !listing.layers.is_empty() {
        matrices(out, checked, listing);
        covered(out, checked, listing, coverage);
    }
    slowest(out, checked);
    out.push_str("</section>\n");
}

/// What was checked, within which scope, in what time.
fn facts(checked: &Checked) -> String {
    let known = checked.cached.iter().filter(|it| **it).count();
    let mut facts = vec![
        format!("<b>{}</b> obligations", checked.report.outcomes.len()),
        escape(&checked.tally().words().join(", ")),
        format!("<b>{:.2} s</b>", checked.elapsed.as_secs_f64()),
    ];
    if known > 0 {
        facts.push(format!("<b>{known}</b> cached"));
    }
    facts.push(format!("scope {}", escape(&scope(&checked.scope))));
    let bounds = checked.bounds_met();
    if !bounds.is_empty() {
        facts.push(format!("bounds met: {}", escape(&bounds.join(", "))));
    }
    facts.iter().fold("<ul class=\"facts\">".to_owned(), |list, it| format!("{list}<li>{it}</li>")) + "</ul>"
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

/// What was found, each with its counterexample.
fn findings(out: &mut String, checked: &Checked) {
    let found: Vec<&Diagnostic> = diagnostics(&checked.report).collect();
    if found.is_empty() {
        return;
    }
    let files = &checked.report.files;
    let _ = writeln!(out, "<h3 id=\"{}-findings\">Findings</h3>", escape(&checked.package.name));
    for found in found {
        let severity = severity_name(found.severity);
        let _ = writeln!(
            out,
            "<article class=\"finding {severity}\"><h4><span class=\"code\">{}</span>{}</h4><p class=\"place\">{}</p>{}",
            found.code,
            prose(&found.message),
            escape(&place_of(files, found.span)),
            source(files, found.span)
        );
        for note in &found.notes {
            let _ = writeln!(out, "<p>{}</p>", prose(note));
        }
        if let Some(counterexample) = &found.counterexample {
            for (name, value) in &counterexample.values {
                let _ = writeln!(out, "<p>{} <code>{}</code></p>", escape(name), escape(&value.to_string()));
            }
            out.push_str(&figure::figure(counterexample));
            let _ = writeln!(out, "<p class=\"conclusion\">✗ {}</p>", prose(&counterexample.conclusion));
            let _ = writeln!(
                out,
                "<details><summary>Step by step</summary><div class=\"scroll\">{}</div></details>",
                steps(counterexample, files)
            );
        }
        if let Some(help) = &found.help {
            let _ = writeln!(out, "<p class=\"help\"><b>help</b> {}</p>", prose(help));
        }
        out.push_str("</article>\n");
    }
}

/// A message: what it quotes is code.
fn prose(text: &str) -> String {
    let escaped = escape(text);
    if !escaped.matches('`').count().is_multiple_of(2) {
        return escaped;
    }
    let parts = escaped.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

/// The lines of a span, with what is meant marked.
fn source(files: &[SourceText], span: Span) -> String {
    let Some(place) = Place::find(files, span).filter(|it| !it.text.trim().is_empty()) else { return String::new() };
    let first = place.start().line;
    let lines = place.lines();
    let line = |(at, line): (usize, &super::place::TouchedLine<'_>)| {
        let part = |from: usize, to: usize| -> String {
            escape(&line.text.chars().skip(from - 1).take(to.saturating_sub(from)).collect::<String>())
        };
        let marked = part(line.start, line.end);
        let marked = if marked.is_empty() { marked } else { format!("<mark>{marked}</mark>") };
        format!("<i>{}</i>{}{marked}{}", first + at, part(1, line.start), part(line.end, usize::MAX))
    };
    let shown: Vec<String> = lines.iter().take(8).enumerate().map(line).collect();
    format!(
        "<div class=\"source mono\" tabindex=\"0\" role=\"region\" aria-label=\"source\">{}</div>",
        shown.join("\n")
    )
}

/// A counterexample as a table: a column for each run, its states between its steps. What of an end is not as wanted is marked.
fn steps(counterexample: &Counterexample, files: &[SourceText]) -> String {
    let mut table = String::from("<table class=\"steps mono\">");
    let lanes: Vec<Vec<String>> = counterexample.runs.iter().map(|run| lane(run, files)).collect();
    let height = lanes.iter().map(Vec::len).max().unwrap_or_default();
    for row in 0..height {
        let cells: String = lanes.iter().map(|lane| lane.get(row).map_or("<td></td>", String::as_str)).collect();
        let _ = write!(table, "<tr>{cells}</tr>");
    }
    table + "</table>\n"
}

/// The cells of a lane: title, state, step, state, step, ….
fn lane(run: &Run, files: &[SourceText]) -> Vec<String> {
    let mut cells = vec![
        format!("<th scope=\"col\">{}, in {}</th>", escape(&run.title), escape(&run.layer)),
        format!("<td class=\"state\">{}</td>", escape(&run.from.to_string())),
    ];
    for (number, step) in run.steps.iter().enumerate() {
        let place = step.place.and_then(|it| Place::find(files, it));
        let place = place.map(|it| format!("{}:{}", it.path, it.start().line)).unwrap_or_default();
        let words = escape(&step.to_string());
        cells.push(format!("<td class=\"step\">{words} <span class=\"faint\">{}</span></td>", escape(&place)));
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

/// What an address in the page calls an obligation.
fn anchor(package: &str, outcome: &Outcome) -> String {
    let plain = |it: char| if it.is_alphanumeric() || it == '_' { it } else { '-' };
    format!("{package}-{}", outcome.name.id().chars().map(plain).collect::<String>())
}

/// A table of implementations, and below each its obligations.
fn obligations(out: &mut String, checked: &Checked, listing: &Listing) {
    let package = &checked.package.name;
    let _ = writeln!(out, "<h3 id=\"{}-obligations\">Obligations</h3>", escape(package));
    for row in rows(&checked.report) {
        let worst = row.tally.worst().map_or(String::new(), badge);
        let words = escape(&row.tally.words().join(", "));
        let patterns: Vec<&str> = row.patterns.iter().map(|it| it.name()).collect();
        let of_row: Vec<_> = checked
            .report
            .outcomes
            .iter()
            .zip(checked.cached.iter().copied())
            .filter(|((outcome, _), _)| {
                row_name(outcome) == row.name
                    && (!outcome.name.implementation.is_empty() || row.patterns == [outcome.name.pattern])
            })
            .collect();
        let time: Duration = of_row.iter().map(|((_, took), _)| *took).sum();
        let between = listing.implementations.iter().find(|it| it.name == row.name);
        let between = between.map(|it| format!(" <small>{} over {}</small>", escape(&it.to), escape(&it.from)));
        let _ = writeln!(
            out,
            "<details><summary>{worst}<b>{}</b>{} <small>{}</small><span class=\"end\">{words} · {}</span></summary>\
             <div class=\"scroll\"><table class=\"list\"><tr><th>verdict</th><th>obligation</th><th class=\"number\">cases</th>\
             <th class=\"number\">states</th><th class=\"number\">time</th><th>bounds met</th></tr>",
            escape(row.name),
            between.unwrap_or_default(),
            patterns.join(", "),
            duration(time)
        );
        for ((outcome, took), cached) in of_row {
            let took = if cached { "cached".to_owned() } else { duration(*took) };
            let _ = writeln!(
                out,
                "<tr id=\"{}\"><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{took}</td><td>{}</td></tr>",
                escape(&anchor(package, outcome)),
                badge(outcome.verdict),
                escape(&obligation(&outcome.name)),
                outcome.cases,
                outcome.states,
                escape(&outcome.bounds_met.join(", "))
            );
        }
        out.push_str("</table></div></details>\n");
    }
}

/// How long something took.
fn duration(time: Duration) -> String {
    match (time.as_millis(), time.as_micros()) {
        (0, micros) => format!("{micros} µs"),
        (millis, _) => format!("{millis} ms"),
    }
}

/// So many operations.
fn operations(count: usize) -> String {
    if count == 1 { "1 operation".to_owned() } else { format!("{count} operations") }
}

/// The matrix of each layer.
fn matrices(out: &mut String, checked: &Checked, listing: &Listing) {
    let _ = writeln!(
        out,
        "<h3 id=\"{}-movers\">Which operation moves past which</h3>\n\
         <p>The operation of the row, past that of the column by another process. A click or the arrow keys tell of a cell.</p>\n\
         <p class=\"legend\"><span><i style=\"background:var(--both)\"></i>both ways</span><span><i style=\"background:var(--right)\"></i>right only</span>\
         <span><i style=\"background:var(--left)\"></i>left only</span><span><i style=\"background:var(--non)\"></i>not at all</span>\
         <span><i style=\"background:var(--unknown)\"></i>undecided</span></p>\n<div class=\"matrices\">",
        escape(&checked.package.name)
    );
    for layer in &listing.layers {
        matrix(out, checked, layer);
    }
    out.push_str("</div>\n");
}

fn matrix(out: &mut String, checked: &Checked, layer: &ListedLayer) {
    let shown: Vec<usize> = (0..layer.operations.len()).filter(|it| !layer.operations[*it].external).collect();
    if shown.is_empty() {
        return;
    }
    let wide = if shown.len() > SIDE_BY_SIDE { " class=\"wide\"" } else { "" };
    let _ = writeln!(
        out,
        "<details open{wide}><summary><b>{}</b><span class=\"end\">{}</span></summary><div class=\"scroll\">\
         <table class=\"matrix\"><tr><td></td>",
        escape(&layer.name),
        operations(shown.len())
    );
    for column in &shown {
        let _ = write!(out, "<th scope=\"col\"><span>{}</span></th>", escape(&layer.operations[*column].name));
    }
    out.push_str("</tr>\n");
    for row in &shown {
        let operation = &layer.operations[*row];
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{} <small>{}</small></th>",
            escape(&operation.name),
            operation.inferred.name()
        );
        for column in &shown {
            let Some(moves) = operation.row.get(*column) else { continue };
            let other = &layer.operations[*column].name;
            let words = escape(&cell_words(&operation.name, other, *moves));
            let see = seen(checked, &layer.name, &operation.name, other);
            let _ = write!(
                out,
                "<td><button type=\"button\" class=\"cell {0}\" data-words=\"{words}\"{see} title=\"{words}\">{0}</button></td>",
                moves.name()
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table><p class=\"told\" aria-live=\"polite\"></p></div></details>\n");
}

/// Where the page has an obligation about a cell, if the package owes one.
fn seen(checked: &Checked, layer: &str, operation: &str, against: &str) -> String {
    let is_it = |it: &Outcome| it.name.layer == layer && it.name.operation == operation && it.name.against == against;
    let found = checked.report.outcomes.iter().map(|(it, _)| it).find(|it| is_it(it));
    found.map_or_else(String::new, |it| {
        let verdict = words_of(it.verdict.name());
        format!(
            " data-see=\"{}\" data-verdict=\"{}: {verdict}\"",
            escape(&anchor(&checked.package.name, it)),
            it.name.kind
        )
    })
}

/// What a cell says.
fn cell_words(operation: &str, other: &str, moves: Movers) -> String {
    match moves.name() {
        "both" => format!("`{operation}` moves past `{other}` in both directions."),
        "non" => format!("`{operation}` does not move past `{other}`."),
        "undecided" => format!("Whether `{operation}` moves past `{other}` is undecided."),
        way => format!("`{operation}` moves {way} past `{other}`, and not the other way."),
    }
}

/// Which ways the operations of each layer take.
fn covered(out: &mut String, checked: &Checked, listing: &Listing, coverage: &[Vec<Coverage>]) {
    let _ = writeln!(
        out,
        "<h3 id=\"{}-coverage\">Coverage of transitions</h3>\n<p>For each <code>maybe()</code> and each <code>if</code> of an operation: \
         whether some step in scope goes one way, and whether some step goes the other.</p>",
        escape(&checked.package.name)
    );
    for (layer, coverage) in listing.layers.iter().zip(coverage) {
        let all: usize = coverage.iter().map(|it| it.forks.len() * 2).sum();
        let taken: usize = coverage.iter().map(ways_taken).sum();
        let never: usize = coverage.iter().filter(|it| !it.is_enabled).count();
        let ways = if all == 0 { "one way each".to_owned() } else { format!("{taken} of {all} ways") };
        let open = if taken < all || never > 0 { " open" } else { "" };
        let _ = writeln!(
            out,
            "<details{open}><summary><b>{}</b><span class=\"end\">{ways} · {}</span></summary>\
             <div class=\"scroll\"><table class=\"list\"><tr><th>operation</th><th>ways taken</th><th>never</th></tr>",
            escape(&layer.name),
            operations(coverage.len())
        );
        for (operation, it) in layer.operations.iter().zip(coverage) {
            let all = it.forks.len() * 2;
            let meter = match all {
                0 => "one way".to_owned(),
                _ => format!("<meter value=\"{0}\" max=\"{all}\"></meter> {0} of {all}", ways_taken(it)),
            };
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{meter}</td><td>{}</td></tr>",
                escape(&operation.name),
                never_taken(&checked.report.files, it).join("<br>")
            );
        }
        out.push_str("</table></div></details>\n");
    }
}

fn ways_taken(coverage: &Coverage) -> usize {
    coverage.forks.iter().flat_map(|it| it.taken).filter(|it| *it).count()
}

/// The ways that no step takes.
fn never_taken(files: &[SourceText], coverage: &Coverage) -> Vec<String> {
    let mut never = Vec::new();
    if !coverage.is_complete {
        never.push("<span class=\"verdict undecided\">undecided</span> not all steps were looked at".to_owned());
    }
    if !coverage.is_enabled {
        never.push("<span class=\"verdict violated\">never enabled</span>".to_owned());
        return never;
    }
    for fork in &coverage.forks {
        let Some(place) = Place::find(files, fork.span) else { continue };
        let code = place.text[place.bytes.clone()].lines().next().unwrap_or_default();
        let code = code.strip_suffix('{').unwrap_or(code).trim_end();
        for (word, _) in ["false", "true"].iter().zip(fork.taken).filter(|(_, taken)| !taken) {
            never.push(format!(
                "<code>{}</code> is never {word} <span class=\"place\">{}</span>",
                escape(code),
                escape(&place_of(files, fork.span))
            ));
        }
    }
    never
}

/// The obligations that took longest.
fn slowest(out: &mut String, checked: &Checked) {
    let _ = writeln!(out, "<h3 id=\"{}-time\">What took longest</h3>", escape(&checked.package.name));
    let outcomes = checked.report.outcomes.iter().zip(&checked.cached);
    let mut timed: Vec<_> =
        outcomes.filter(|(_, cached)| !**cached).map(|((outcome, took), _)| (outcome, *took)).collect();
    timed.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    let longest = timed.first().map_or(Duration::ZERO, |(_, took)| *took);
    if longest.is_zero() {
        out.push_str("<p>All verdicts are from the cache; <code>--no-cache</code> finds them out again.</p>\n");
        return;
    }
    out.push_str("<div class=\"scroll\"><table class=\"list\"><tr><th>obligation</th><th class=\"number\">cases</th><th>time</th></tr>");
    for (outcome, took) in timed.iter().take(SLOWEST) {
        let part = 10.0 * took.as_secs_f64() / longest.as_secs_f64();
        let _ = writeln!(
            out,
            "<tr><td><a href=\"#{}\">{}</a></td><td class=\"number\">{}</td><td><span class=\"amount\" style=\"width:{part:.2}rem\"></span>{}</td></tr>",
            escape(&anchor(&checked.package.name, outcome)),
            escape(&obligation(&outcome.name)),
            outcome.cases,
            duration(*took)
        );
    }
    out.push_str("</table></div>\n");
}

#[cfg(test)]
mod tests {
    use cspec_analysis::session::Fork;

    use super::*;
    use crate::render::fixtures::{failing, files, listing, two_orders};

    #[test]
    fn each_run_has_its_column_with_states_between_its_steps() {
        let drawn = steps(&two_orders(), &files());
        let rows: Vec<&str> = drawn.split("<tr>").skip(1).collect();
        assert!(rows[0].contains(">possible, in Lock<") && rows[0].contains(">other order, in Lock<"), "{drawn}");
        assert!(rows[2].contains("p1: write(1) → ()") && rows[2].contains("p2: read() → 0, not 1"), "{drawn}");
        assert!(rows[2].contains("demo/src/lock.rs:5"), "{drawn}");
        assert!(rows[3].contains("value: 0 → 1"), "{drawn}");
    }

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

    #[test]
    fn what_a_message_quotes_is_code() {
        assert_eq!(prose("`a<b>` is not `c`"), "<code>a&lt;b&gt;</code> is not <code>c</code>");
        assert_eq!(prose("a ` alone"), "a ` alone");
    }

    #[test]
    fn a_duration_is_told_in_the_unit_that_fits() {
        assert_eq!(duration(Duration::from_micros(840)), "840 µs");
        assert_eq!(duration(Duration::from_micros(1_250_400)), "1250 ms");
    }

    #[test]
    fn the_marked_part_of_a_line_is_what_is_meant() {
        let start = files()[0].text.find("right").expect("it is there") as u32;
        let shown = source(&files(), Span { file: 0, start, end: start + 5 });
        assert!(shown.contains("<i>4</i>    #[op(<mark>right</mark>)]"), "{shown}");
    }
}
