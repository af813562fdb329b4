//! A counterexample as a figure: a lane for each run, time from left to right, a shape for each process, and dashed lines that lead from a
//! call in one run to the same call in the next. This is how the paper on CSPEC draws interleavings and their reorderings.

use std::fmt::Write as _;

use cspec_analysis::counterexample::{Counterexample, Datum, Mismatch, Run, Step, StepEnd};

use super::super::picture::escape;

/// Where lanes begin, left of which is what they are called.
const LEFT: usize = 230;
/// From one lane to the next.
const LANE: usize = 128;
/// From the top of a lane to its line.
const RAIL: usize = 52;
/// From the line of the last lane to the end of the figure.
const BELOW: usize = 58;
/// The width of a character, about.
const CHARACTER: usize = 8;
/// Longer texts are cut; the whole is told when the mouse rests there, and in the table below.
const LONGEST: usize = 34;

/// The figure.
pub fn figure<P>(counterexample: &Counterexample<P>) -> String {
    let runs: Vec<&Run<P>> = counterexample.runs.iter().filter(|it| !it.steps.is_empty()).collect();
    if runs.is_empty() {
        return String::new();
    }
    let columns = columns(&runs);
    let (width, height) = (columns.last().copied().unwrap_or_default() + 20, (runs.len() - 1) * LANE + RAIL + BELOW);
    let mut svg = format!(
        "<div class=\"scroll\"><svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n",
        escape(&counterexample.conclusion)
    );
    let processes = processes(&runs);
    // First the lines, so that no text is crossed out by one.
    (0..runs.len()).for_each(|lane| draw_moves(&mut svg, &runs, lane, &columns));
    for (lane, run) in runs.iter().enumerate() {
        draw_lane(&mut svg, run, lane, &columns, &processes);
    }
    svg.push_str("</svg></div>\n");
    svg
}

/// The edges of the columns: each is as wide as its widest step.
fn columns<P>(runs: &[&Run<P>]) -> Vec<usize> {
    let count = runs.iter().map(|it| it.steps.len()).max().unwrap_or_default();
    let mut edges = vec![LEFT];
    for column in 0..count {
        let of_run = |run: &&Run<P>| {
            let step = run.steps.get(column)?;
            let texts = [step.call(), outcome(step), change(run, column).unwrap_or_default()];
            texts.iter().map(|it| cut(it).chars().count()).max()
        };
        let widest = runs.iter().filter_map(of_run).max().unwrap_or_default();
        edges.push(edges[column] + (widest * CHARACTER + 26).max(110));
    }
    edges
}

/// The processes, in the order in which they come.
fn processes<'c, P>(runs: &[&'c Run<P>]) -> Vec<&'c Datum> {
    let mut known = Vec::new();
    for process in runs.iter().flat_map(|it| &it.steps).filter_map(|it| it.process.as_ref()) {
        if !known.contains(&process) {
            known.push(process);
        }
    }
    known
}

/// Where a step is.
fn center(lane: usize, column: usize, columns: &[usize]) -> (usize, usize) {
    ((columns[column] + columns[column + 1]) / 2, lane * LANE + RAIL)
}

/// From each call in the lane before to the same call in this one.
fn draw_moves<P>(svg: &mut String, runs: &[&Run<P>], lane: usize, columns: &[usize]) {
    let Some(above) = lane.checked_sub(1) else { return };
    let mut taken = Vec::new();
    for (from, step) in runs[above].steps.iter().enumerate() {
        let same = |(at, it): &(usize, &Step<P>)| it.call() == step.call() && !taken.contains(at);
        let Some((to, _)) = runs[lane].steps.iter().enumerate().find(same) else { continue };
        taken.push(to);
        let ((x, y), (to_x, to_y)) = (center(above, from, columns), center(lane, to, columns));
        let _ = writeln!(svg, "<path class=\"move\" d=\"M{x} {}L{to_x} {}\"/>", y + 12, to_y - 12);
    }
}

fn draw_lane<P>(svg: &mut String, run: &Run<P>, lane: usize, columns: &[usize], processes: &[&Datum]) {
    let top = lane * LANE;
    let y = top + RAIL;
    let from = run.from.to_string();
    let end = columns[run.steps.len()];
    let dashed = if lane == 0 { "" } else { " dashed" };
    let _ = writeln!(
        svg,
        "<g class=\"lane{dashed}\"><text class=\"name\" x=\"0\" y=\"{}\">{}</text>",
        y - 4,
        escape(&run.title)
    );
    for (line, text) in wrapped(&from, 29).into_iter().take(3).enumerate() {
        let _ = writeln!(
            svg,
            "<text class=\"faint\" x=\"0\" y=\"{}\">{}<title>{}</title></text>",
            y + 14 + line * 15,
            escape(&text),
            escape(&from)
        );
    }
    let _ = writeln!(svg, "<path class=\"rail\" d=\"M{LEFT} {y}H{end}\"/>");
    for (column, step) in run.steps.iter().enumerate() {
        let (x, y) = center(lane, column, columns);
        let number = step.process.as_ref().and_then(|it| processes.iter().position(|known| *known == it));
        let wrong = if is_wrong(step) { " wrong" } else { "" };
        let _ = writeln!(svg, "<g class=\"p{}{wrong}\">{}", number.unwrap_or_default() % 3, shape(number, x, y));
        if matches!(step.end, StepEnd::Disabled | StepEnd::NotAllowed) {
            let (l, r, t, b) = (x - 5, x + 5, y - 5, y + 5);
            let _ = writeln!(svg, "<path class=\"cross\" d=\"M{l} {t}L{r} {b}M{r} {t}L{l} {b}\"/>");
        }
        text(svg, "", (x, y - 22), &step.call());
        text(svg, "", (x, y + 30), &outcome(step));
        if let Some(change) = change(run, column) {
            text(svg, " class=\"faint\"", (x, y + 47), &change);
        }
        svg.push_str("</g>\n");
    }
    svg.push_str("</g>\n");
}

/// Circles, squares and diamonds, as in the paper.
fn shape(process: Option<usize>, x: usize, y: usize) -> String {
    match process.map(|it| it % 3) {
        Some(1) => {
            format!("<rect class=\"glyph\" x=\"{}\" y=\"{}\" width=\"20\" height=\"20\" rx=\"2\"/>", x - 10, y - 10)
        }
        Some(2) => format!("<path class=\"glyph\" d=\"M{x} {}l12 12l-12 12l-12 -12z\"/>", y - 12),
        _ => format!("<circle class=\"glyph\" cx=\"{x}\" cy=\"{y}\" r=\"10.5\"/>"),
    }
}

/// A centred line, cut where it is too long.
fn text(svg: &mut String, class: &str, (x, y): (usize, usize), whole: &str) {
    let _ = writeln!(
        svg,
        "<text{class} x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}<title>{}</title></text>",
        escape(&cut(whole)),
        escape(whole)
    );
}

fn is_wrong<P>(step: &Step<P>) -> bool {
    step.mismatch.is_some() || !matches!(step.end, StepEnd::Returns(_))
}

/// How a step ends, and how it should.
fn outcome<P>(step: &Step<P>) -> String {
    let end = match &step.end {
        StepEnd::Returns(result) => format!("→ {result}"),
        StepEnd::Disabled => "not possible".to_owned(),
        StepEnd::NotAllowed => "not allowed".to_owned(),
        StepEnd::Fails => "fails".to_owned(),
        StepEnd::Panics(_) => "panics".to_owned(),
    };
    match &step.mismatch {
        Some(Mismatch::Result(wanted)) => format!("{end}, not {wanted}"),
        Some(Mismatch::Events(_)) => format!("{end}, other events"),
        Some(Mismatch::State(_)) => format!("{end}, other state"),
        None => end,
    }
}

/// What a step changes, the first of it.
fn change<P>(run: &Run<P>, column: usize) -> Option<String> {
    let step = run.steps.get(column)?;
    let after = step.after.as_ref()?;
    if let Some(Mismatch::State(wanted)) = &step.mismatch {
        let first = wanted.differences(after).into_iter().next()?;
        let wanted = first.before.map_or_else(|| "nothing".to_owned(), |it| it.to_string());
        return Some(format!("{} should be {wanted}", if first.path.is_empty() { "it" } else { &first.path }));
    }
    let changes = run.before(column).differences(after);
    let more = if changes.len() > 1 { format!(" +{}", changes.len() - 1) } else { String::new() };
    changes.first().map(|it| format!("{it}{more}"))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// Lines of at most so many characters, broken at spaces where there are some.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.len() > 3 {
        lines.truncate(3);
        lines[2].push_str(" …");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixtures::two_orders;

    #[test]
    fn the_same_call_is_joined_across_the_lanes() {
        let drawn = figure(&two_orders());
        assert_eq!(drawn.matches("class=\"move\"").count(), 1, "{drawn}");
        assert!(drawn.contains("<circle") && drawn.contains("<rect"), "one shape for each process: {drawn}");
        assert!(drawn.contains("→ 0, not 1") && drawn.contains("value: 0 → 1"), "{drawn}");
        assert_eq!(drawn.matches(" wrong\"").count(), 1, "{drawn}");
    }

    #[test]
    fn long_texts_are_cut_and_told_in_whole() {
        assert_eq!(cut(&"x".repeat(40)).chars().count(), LONGEST);
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
