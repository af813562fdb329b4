//! A counterexample as a figure: a lane for each run, time from left to right, a shape for each process, and dashed lines from a
//! call in one run to the same call in the next. The CSPEC paper draws interleavings and their reorderings this way.

use cspec_analysis::counterexample::{Counterexample, Datum, Mismatch, Run, Step, StepEnd};
use maud::{Markup, html};

/// The x position where lanes begin, right of their names.
const LEFT: usize = 230;
/// The distance between lanes.
const LANE: usize = 128;
/// The distance from the top of a lane to its line.
const RAIL: usize = 52;
/// The distance from the line of the last lane to the end of the figure.
const BELOW: usize = 58;
/// The approximate width of a character.
const CHARACTER: usize = 8;
/// The maximum length of a text; longer ones are cut, with the full text as a tooltip and in the table below.
const LONGEST: usize = 34;

/// Draws a counterexample as an SVG figure.
pub fn figure<P>(counterexample: &Counterexample<P>) -> Markup {
    let runs: Vec<&Run<P>> = counterexample.runs.iter().filter(|it| !it.steps.is_empty()).collect();
    let columns = columns(&runs);
    let width = columns.last().copied().unwrap_or_default() + 20;
    let height = runs.len().saturating_sub(1) * LANE + RAIL + BELOW;
    let processes = processes(&runs);
    html! {
        @if !runs.is_empty() {
            div.scroll {
                svg.figure xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
                    viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(counterexample.conclusion)
                {
                    // The lines come first, so that they do not cross out a text.
                    @for lane in 1..runs.len() { (moves(&runs, lane, &columns)) }
                    @for (at, run) in runs.iter().enumerate() { (lane(run, at, &columns, &processes)) }
                }
            }
        }
    }
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

/// The center of a step.
fn center(lane: usize, column: usize, columns: &[usize]) -> (usize, usize) {
    ((columns[column] + columns[column + 1]) / 2, lane * LANE + RAIL)
}

/// From each call in the lane above to the same call in this one.
fn moves<P>(runs: &[&Run<P>], lane: usize, columns: &[usize]) -> Markup {
    let mut paths = Vec::new();
    let mut taken = Vec::new();
    for (from, step) in runs[lane - 1].steps.iter().enumerate() {
        let same = |(at, it): &(usize, &Step<P>)| it.call() == step.call() && !taken.contains(at);
        let Some((to, _)) = runs[lane].steps.iter().enumerate().find(same) else { continue };
        taken.push(to);
        let ((x, y), (to_x, to_y)) = (center(lane - 1, from, columns), center(lane, to, columns));
        paths.push(format!("M{x} {}L{to_x} {}", y + 12, to_y - 12));
    }
    html! { @for path in paths { path.move d=(path) {} } }
}

fn lane<P>(run: &Run<P>, lane: usize, columns: &[usize], processes: &[&Datum]) -> Markup {
    let y = lane * LANE + RAIL;
    let from = run.from.to_string();
    html! {
        g.lane.dashed[lane > 0] {
            text.name x="0" y=(y - 4) { (run.role.words()) }
            @for (line, text) in wrapped(&from, 29).iter().enumerate() {
                text.faint x="0" y=(y + 14 + line * 15) { (text) title { (from) } }
            }
            path.rail d=(format!("M{LEFT} {y}H{}", columns[run.steps.len()])) {}
            @for (column, it) in run.steps.iter().enumerate() {
                @let number = it.process.as_ref().and_then(|it| processes.iter().position(|known| *known == it));
                (step(it, number.unwrap_or_default(), change(run, column), center(lane, column, columns)))
            }
        }
    }
}

/// A step, with the number of its process and its change.
fn step<P>(it: &Step<P>, process: usize, change: Option<String>, (x, y): (usize, usize)) -> Markup {
    let is_refused = matches!(it.end, StepEnd::Disabled | StepEnd::NotAllowed);
    let (left, right, top, bottom) = (x - 5, x + 5, y - 5, y + 5);
    html! {
        g.{ "p" (process % 3) }.wrong[is_wrong(it)] {
            (shape(process, x, y))
            @if is_refused {
                path.cross d=(format!("M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}")) {}
            }
            (centred(x, y - 22, &it.call(), false))
            (centred(x, y + 30, &outcome(it), false))
            @if let Some(change) = change { (centred(x, y + 47, &change, true)) }
        }
    }
}

/// Circles, squares and diamonds, as in the paper.
fn shape(process: usize, x: usize, y: usize) -> Markup {
    html! {
        @match process % 3 {
            1 => { rect.glyph x=(x - 10) y=(y - 10) width="20" height="20" rx="2" {} },
            2 => { path.glyph d=(format!("M{x} {}l12 12l-12 12l-12 -12z", y - 12)) {} },
            _ => { circle.glyph cx=(x) cy=(y) r="10.5" {} },
        }
    }
}

/// A centred line of text, cut if it is too long.
fn centred(x: usize, y: usize, whole: &str, is_faint: bool) -> Markup {
    html! { text.faint[is_faint] x=(x) y=(y) text-anchor="middle" { (cut(whole)) title { (whole) } } }
}

fn is_wrong<P>(step: &Step<P>) -> bool {
    step.mismatch.is_some() || !matches!(step.end, StepEnd::Returns(_))
}

/// The end of a step, and the wanted end.
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

/// The first change that a step makes.
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

/// Lines of at most this many characters, broken at spaces where possible.
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
        let drawn = figure(&two_orders()).into_string();
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
