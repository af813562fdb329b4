//! Shrinks a finding: removes pieces of a package as long as the disagreement stays.
//!
//! It works on text and knows only the brackets of the language. It removes an operation with its helper and its mentions, then items,
//! functions, statements, fields, and conditions around statements, the longest pieces first. A text that does not compile shows no
//! disagreement, so it is not kept.

use std::ops::Range;

use crate::{
    fuzz::{Effort, Fate, Wrong, run},
    generate::Case,
};

/// The maximum number of texts to try for one finding.
const MOST_TRIES: usize = 4_000;

/// The number of seeds to try for a smaller package: other clients may be needed to show the same finding.
const SEEDS: u64 = 6;

/// The smallest package found with the same kind of finding, and the finding there.
pub fn shrink(case: &Case, wrong: &Wrong, effort: &Effort) -> (Case, Wrong) {
    let kind = std::mem::discriminant(wrong);
    let (mut smallest, mut last) = (case.clone(), wrong.clone());
    let mut tries = MOST_TRIES;
    let mut goes_on = true;
    while goes_on {
        goes_on = false;
        for source in smaller(&smallest.source) {
            let Some(left) = tries.checked_sub(1) else { return (smallest, last) };
            tries = left;
            let found = (0..SEEDS).find_map(|more| {
                let tried = Case { source: source.clone(), seed: case.seed + more, ..case.clone() };
                match run(&tried, effort) {
                    Fate::Wrong(wrong) if std::mem::discriminant(&wrong) == kind => Some((tried, wrong)),
                    _ => None,
                }
            });
            if let Some((tried, wrong)) = found {
                (smallest, last) = (tried, wrong);
                goes_on = true;
                break;
            }
        }
    }
    (smallest, last)
}

/// Variants of this text with one part removed.
fn smaller(text: &str) -> Vec<String> {
    let without_operations = functions(text).into_iter().map(|name| without_function(text, &name));
    let pieces = pieces(text);
    let fields = text.match_indices("\n    pub ").filter_map(|(at, _)| {
        let end = at + 1 + text[at + 1..].find('\n')?;
        text[..end].ends_with(',').then_some(at..end)
    });
    let mut ranges: Vec<(Range<usize>, String)> = fields.map(|it| (it, String::new())).collect();
    ranges.extend(pieces.iter().map(|it| (it.clone(), String::new())));
    ranges.extend(pieces.iter().filter_map(|it| Some((it.clone(), without_condition(&text[it.clone()])?))));
    ranges.sort_by_key(|(range, instead)| (std::cmp::Reverse(range.len() - instead.len()), range.start));
    let replaced = ranges.into_iter().map(|(range, instead)| {
        let (before, after) = (&text[..range.start], &text[range.end..]);
        [before, &instead, after].concat()
    });
    without_operations.chain(replaced).filter(|it| it.len() < text.len()).collect()
}

/// The names of all functions, each once; helpers are not listed separately.
fn functions(text: &str) -> Vec<String> {
    let names = text.split("fn ").skip(1).filter_map(|it| it.split_once('(').map(|(name, _)| name.to_owned()));
    let mut names: Vec<String> = names.filter(|it| !it.starts_with("do_")).collect();
    names.sort();
    names.dedup();
    names
}

/// The text without a function and its helper, and without their names in lists.
fn without_function(text: &str, name: &str) -> String {
    let mut rest = text.to_owned();
    for name in [name.to_owned(), format!("do_{name}")] {
        let header = format!("fn {name}(");
        while let Some(piece) = pieces(&rest).into_iter().find(|it| {
            let lines = rest[it.clone()].lines().map(str::trim);
            lines.clone().find(|it| !it.is_empty() && !it.starts_with("#[")).is_some_and(|it| it.starts_with(&header))
        }) {
            rest.replace_range(piece, "");
        }
    }
    for (list, end) in [(format!(", {name},"), ","), (format!(", {name})"), ")"), (format!("({name}, "), "(")] {
        rest = rest.replace(&list, end);
    }
    rest.replace(&format!(": {name}, "), ": ").replace(&format!(", pass({name})"), "")
}

/// The pieces that end with `;`, or with a block, at the same depth of braces: items, functions, statements.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut starts = vec![0];
    let mut round = 0_i32;
    for (at, character) in text.char_indices() {
        match character {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            '{' => starts.push(at + 1),
            '}' => {
                starts.pop();
                end_piece(&mut starts, at + 1, &mut found);
            }
            ';' if round == 0 => end_piece(&mut starts, at + 1, &mut found),
            _ => {}
        }
    }
    found
}

fn end_piece(starts: &mut [usize], end: usize, found: &mut Vec<Range<usize>>) {
    if let Some(start) = starts.last_mut() {
        found.push(*start..end);
        *start = end;
    }
}

/// The statements of `if condition { statements }`.
fn without_condition(piece: &str) -> Option<String> {
    let inner = piece.trim_start().strip_prefix("if ")?;
    let (_, block) = inner.split_once(" { ")?;
    let statements = block.strip_suffix('}')?;
    (!statements.contains(" else ")).then(|| format!(" {statements}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_items_functions_and_statements() {
        let text = "use a; impl B { fn c(d: E) { if f { g; } h(i) } }";
        let pieces: Vec<&str> = pieces(text).into_iter().map(|it| text[it].trim()).collect();
        assert_eq!(
            pieces,
            [
                "use a;",
                "g;",
                "if f { g; }",
                "fn c(d: E) { if f { g; } h(i) }",
                "impl B { fn c(d: E) { if f { g; } h(i) } }"
            ]
        );
        assert_eq!(without_condition(" if f { g; }").as_deref(), Some(" g; "));
    }

    #[test]
    fn an_operation_goes_with_its_helper_and_its_mentions() {
        let text =
            "#[layer(inherit(Low: ant, bee))] impl A { #[op]\n fn ant(&mut self) { self.do_ant(); } fn do_ant() {} }";
        assert_eq!(without_function(text, "ant"), "#[layer(inherit(Low: bee))] impl A { }");
    }
}
