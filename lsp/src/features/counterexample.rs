//! A counterexample as a document: both orders side by side, and links to the places that take part.
//!
//! The engine lays a counterexample out as lines of a word and what it introduces: `in the state`, `possible`, `then`, `ending in`,
//! `other order`. A pair of steps becomes two columns; everything else stays as it is.

use std::fmt::Write as _;

use crate::{
    snapshot::{PackageView, View},
    verdicts::{Age, Entry},
};

/// The document. `None` if the obligation has no counterexample.
pub fn document(view: &View, package: &PackageView, entry: &Entry) -> Option<String> {
    let outcome = entry.outcome.as_ref()?;
    let found = outcome.diagnostics.iter().find(|it| !it.notes.is_empty())?;
    let name = &entry.name;
    let mut text = format!("# {}\n\n", found.message);
    let stale = if entry.age == Age::Fresh { "" } else { ", stale: found before the last edit" };
    let _ = writeln!(text, "{} · {} · **{}**{stale}\n", found.code, name.kind, outcome.verdict.name());
    let _ = writeln!(text, "```text\n{}```\n", steps(&found.notes));
    let mut places = vec![(found.span, found.label.clone())];
    places.extend(found.related.clone());
    for (span, label) in places {
        if let Some((file, range)) = package.range(span, view.encoding) {
            let line = range.start.line + 1;
            let source = file.text.slice(line_of(&file.text, span.start)).trim().to_owned();
            let file_name = file.path.file_name().unwrap_or_default();
            let label = if label.is_empty() { String::new() } else { format!(" — {label}") };
            let _ = writeln!(text, "- [{file_name}:{line}]({}#L{line}){label}  \n  `{source}`", file.uri.as_str());
        }
    }
    if let Some(help) = &found.help {
        let _ = writeln!(text, "\n**What to do:** {help}");
    }
    Some(text)
}

/// The bytes of the line around an offset.
fn line_of(text: &crate::position::Text, offset: u32) -> std::ops::Range<u32> {
    let content = text.content();
    let offset = content.floor_char_boundary(offset as usize);
    let start = content[..offset].rfind('\n').map_or(0, |it| it + 1);
    let end = content[offset..].find('\n').map_or(content.len(), |it| it + offset);
    start as u32..end as u32
}

/// The notes, a pair of steps as two columns.
fn steps(notes: &[String]) -> String {
    let lines: Vec<&str> = notes.iter().flat_map(|it| it.lines()).collect();
    let of = |word: &str| lines.iter().find_map(|it| it.strip_prefix(word)).map(str::trim);
    let mut text = String::new();
    let (Some(first), Some(second)) = (of("possible "), of("then ")) else {
        return lines.iter().map(|it| format!("{it}\n")).collect();
    };
    if let Some(state) = of("in the state ") {
        let _ = writeln!(text, "from   {state}\n");
    }
    let end = of("ending in ").unwrap_or_default();
    let other = of("other order ").unwrap_or_default();
    let rows = [("possible", "the other order"), ("────────", "───────────────"), (first, second), (second, first)];
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default();
    for (left, right) in rows {
        let _ = writeln!(text, "       {left:width$}   │ {right}");
    }
    let _ = writeln!(text, "\nends in {end}\n✗ other order: {other}");
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::steps;

    #[test]
    fn two_steps_stand_side_by_side() {
        let notes = [
            "in the state  Locked { value: 0, owner: None }",
            "possible      p0: acquire() → true",
            "then          p1: release() → ()",
            "ending in     Locked { value: 0, owner: None }",
            "other order   the same results are possible, but not the same end state",
        ];
        expect![[r#"
            from   Locked { value: 0, owner: None }

                   possible               │ the other order
                   ────────               │ ───────────────
                   p0: acquire() → true   │ p1: release() → ()
                   p1: release() → ()     │ p0: acquire() → true

            ends in Locked { value: 0, owner: None }
            ✗ other order: the same results are possible, but not the same end state
        "#]]
        .assert_eq(&steps(&notes.map(str::to_owned)));
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        let notes = ["p0: acquire() is possible,\nbut not after  p1: acquire() → true".to_owned()];
        assert_eq!(steps(&notes), "p0: acquire() is possible,\nbut not after  p1: acquire() → true\n");
    }
}
