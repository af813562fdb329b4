//! One diagnostic as text: the header, excerpts of the source, the notes, the help.
//!
//! Only this module names `ariadne`. It gets spans as character offsets into text without exotic line ends: it treats more characters
//! as line ends than Rust does, and with byte offsets it panics on a span that ends at a line end.

use std::fmt::Write as _;

use ariadne::{CharSet, Color, Config, IndexType, Label, LabelAttach, Report, ReportKind, Source};
use cspec_analysis::{
    diagnostics::{Applicability, Diagnostic, Severity},
    ir::Span,
    report::SourceText,
};

use super::{paint::Paint, place::Place, severity_name};

/// The text of a diagnostic, ending with a line end. Notes of one line are listed; longer ones are paragraphs.
pub fn diagnostic(files: &[SourceText], found: &Diagnostic, paint: Paint) -> String {
    let header = paint.severity(found.severity, &format!("{}[{}]", severity_name(found.severity), found.code));
    let mut text = format!("{header}: {}\n", paint.bold(&found.message));
    text.push_str(&excerpt(files, found, paint));
    let paragraphs = found.paragraphs();
    for (at, note) in paragraphs.iter().enumerate() {
        let follows_a_line = at > 0 && !paragraphs[at - 1].contains('\n') && !note.contains('\n');
        if !follows_a_line {
            text.push('\n');
        }
        for line in note.lines() {
            let _ = writeln!(text, "{}", format!("  {line}").trim_end());
        }
    }
    if let Some(help) = &found.help {
        let gap = if paragraphs.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}  {} {help}", paint.bold("help:"));
    }
    if let Some(replay) = &found.replay {
        let _ = writeln!(text, "  {} cargo cspec replay {replay}", paint.bold("replay:"));
    }
    if let Some(fix) = found.fixes.first().filter(|it| it.applicability == Applicability::MachineApplicable) {
        let _ = writeln!(text, "  {} {} (applied by `--fix`)", paint.bold("fix:"), fix.title);
    }
    text
}

/// The source around the spans of a diagnostic, or only their position if there is no source to show.
fn excerpt(files: &[SourceText], found: &Diagnostic, paint: Paint) -> String {
    let Some(place) = Place::find(files, found.span) else {
        return String::new();
    };
    if place.text.trim().is_empty() {
        return format!("  --> {}\n", place.path);
    }
    let primary = visible(files, found.span).unwrap_or((found.span.file as usize, 0..0));
    let config = Config::new()
        .with_color(paint.0)
        .with_char_set(CharSet::Unicode)
        .with_index_type(IndexType::Char)
        .with_label_attach(LabelAttach::Start);
    let mut report = Report::build(ReportKind::Error, primary).with_config(config);
    report.add_labels(labels(files, found));
    let mut drawn = Vec::new();
    if report.finish().write(Cache::new(files), &mut drawn).is_err() {
        return format!("  --> {}\n", place.path);
    }
    let drawn = String::from_utf8_lossy(&drawn);
    // The first line is ariadne's header, which is replaced by ours.
    let below = drawn.split_once('\n').map_or("", |(_, below)| below);
    below.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The labels: the primary span and the related ones, file by file and top to bottom, since ariadne repeats a file for a label that is out
/// of order.
fn labels(files: &[SourceText], found: &Diagnostic) -> Vec<Label<CharSpan>> {
    let colour = match found.severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
    };
    let primary = (found.span, found.label.as_str(), colour, 1);
    let related = found.related.iter().map(|(span, text)| (*span, text.as_str(), Color::Blue, 0));
    let mut all: Vec<_> = std::iter::once(primary).chain(related).collect();
    all.sort_by_key(|(span, ..)| (span.file != found.span.file, span.file, span.end, span.start));
    let label = |(span, text, colour, priority): (Span, &str, Color, i32)| {
        // Ariadne does not draw a label without a text.
        let text = if text.is_empty() { "here" } else { text };
        Some(Label::new(visible(files, span)?).with_message(text).with_color(colour).with_priority(priority))
    };
    all.into_iter().filter_map(label).collect()
}

/// A span for ariadne: the index of a file, and a range of characters in it.
type CharSpan = (usize, std::ops::Range<usize>);

/// The characters of a span. An empty span is widened to a visible character: the next on its line, or the last before it.
fn visible(files: &[SourceText], span: Span) -> Option<CharSpan> {
    let place = Place::find(files, span)?;
    let mut range = place.characters();
    if range.is_empty() {
        let next = place.text[place.bytes.start..].chars().next();
        let before = &place.text[..place.bytes.start];
        match next {
            Some(next) if !next.is_whitespace() => range.end += 1,
            _ => {
                let shown = before.trim_end().chars().count();
                range = shown.saturating_sub(1)..shown.max(1);
            }
        }
    }
    Some((span.file as usize, range))
}

/// The files, for ariadne. Only those with a label are read.
struct Cache<'a> {
    files: &'a [SourceText],
    sources: Vec<Option<Source<String>>>,
}

impl<'a> Cache<'a> {
    fn new(files: &'a [SourceText]) -> Cache<'a> {
        Cache { files, sources: vec![None; files.len()] }
    }
}

impl ariadne::Cache<usize> for Cache<'_> {
    type Storage = String;

    fn fetch(&mut self, file: &usize) -> Result<&Source<String>, impl std::fmt::Debug> {
        let text = &self.files.get(*file).ok_or("no such file")?.text;
        let source = self.sources.get_mut(*file).ok_or("no such file")?;
        Ok::<_, &str>(source.get_or_insert_with(|| Source::from(plain_lines(text))))
    }

    fn display<'b>(&self, file: &'b usize) -> Option<impl std::fmt::Display + 'b> {
        self.files.get(*file).map(|file| file.path.to_string())
    }
}

/// The text, character for character, without characters that end a line or move the cursor, except `\n`, `\r\n` and tabs.
fn plain_lines(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(it) = characters.next() {
        let kept = match it {
            '\n' | '\t' => true,
            '\r' => characters.peek() == Some(&'\n'),
            '\u{2028}' | '\u{2029}' => false,
            _ => !it.is_control(),
        };
        plain.push(if kept { it } else { ' ' });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_keeps_every_character_in_its_place() {
        let text = "a\r\nb\rc\u{2028}d\u{1b}[31me\tf\u{85}\n";
        let plain = plain_lines(text);
        assert_eq!(plain, "a\r\nb c d [31me\tf \n");
        assert_eq!(plain.chars().count(), text.chars().count());
    }
}
