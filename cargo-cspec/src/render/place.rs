//! Converts byte offsets to lines and columns.
//!
//! Lines end at `\n`; a `\r` before it belongs to no line. Columns count characters from 1, as rustc's do. Spans outside a file
//! or inside a character are moved to the nearest valid place, so that a renderer never fails on one.

use std::{fmt, ops::Range};

use camino::Utf8Path;
use cspec_analysis::{ir::Span, report::SourceText};

/// A span in its file, with both ends on the boundaries of characters.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The path as shown.
    pub path: &'a Utf8Path,
    pub text: &'a str,
    /// The bytes of the span.
    pub bytes: Range<usize>,
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The number of the line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A line of a file that a span touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchedLine<'a> {
    /// The line without its end.
    pub text: &'a str,
    /// The first character touched, from 1.
    pub start: usize,
    /// One past the last character touched, from 1.
    pub end: usize,
}

/// `path:line:column` of the beginning.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.start();
        write!(f, "{}:{line}:{column}", self.path)
    }
}

impl<'a> Place<'a> {
    /// The place of `span`; `None` if `files` has no such file.
    pub fn find(files: &'a [SourceText], span: Span) -> Option<Place<'a>> {
        let file = files.get(span.file as usize)?;
        let start = file.text.floor_char_boundary(span.start as usize);
        let end = file.text.ceil_char_boundary(span.end as usize).max(start);
        Some(Place { path: &file.path, text: &file.text, bytes: start..end })
    }

    /// The position of the first byte.
    pub fn start(&self) -> Position {
        position(self.text, self.bytes.start)
    }

    /// The position after the last byte.
    pub fn end(&self) -> Position {
        position(self.text, self.bytes.end)
    }

    /// The lines that the span touches, in order.
    pub fn lines(&self) -> Vec<TouchedLine<'a>> {
        let mut line_start = self.text[..self.bytes.start].rfind('\n').map_or(0, |at| at + 1);
        let mut lines = Vec::new();
        loop {
            let rest = &self.text[line_start..];
            let length = rest.find('\n').unwrap_or(rest.len());
            let line = rest[..length].strip_suffix('\r').unwrap_or(&rest[..length]);
            let column = |byte: usize| {
                let inside = byte.saturating_sub(line_start).min(line.len());
                line[..inside].chars().count() + 1
            };
            lines.push(TouchedLine { text: line, start: column(self.bytes.start), end: column(self.bytes.end) });
            line_start += length + 1;
            if line_start >= self.bytes.end.max(self.bytes.start + 1) || line_start > self.text.len() {
                return lines;
            }
        }
    }

    /// The characters of the span, counted from the start of the file.
    pub fn characters(&self) -> Range<usize> {
        let start = self.text[..self.bytes.start].chars().count();
        start..start + self.text[self.bytes.clone()].chars().count()
    }
}

/// The position of a byte on a character boundary.
fn position(text: &str, byte: usize) -> Position {
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].trim_end_matches('\r').chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Vec<SourceText> {
        vec![SourceText { path: "a.rs".into(), text: text.to_owned() }]
    }

    fn span(start: u32, end: u32) -> Span {
        Span { file: 0, start, end }
    }

    #[test]
    fn columns_count_characters() {
        let files = files("// läuft\r\nfn größe() {}\r\n");
        let place = Place::find(&files, span(14, 21)).expect("the file exists");
        assert_eq!(&place.text[place.bytes.clone()], "größe");
        assert_eq!((place.start(), place.end()), (Position { line: 2, column: 4 }, Position { line: 2, column: 9 }));
        assert_eq!(place.lines(), [TouchedLine { text: "fn größe() {}", start: 4, end: 9 }]);
    }

    #[test]
    fn spans_are_moved_to_places_that_exist() {
        let files = files("aé\n");
        assert_eq!(Place::find(&files, span(2, 2)).expect("the file exists").bytes, 1..3);
        assert_eq!(Place::find(&files, span(9, 12)).expect("the file exists").bytes, 4..4);
        assert_eq!(Place::find(&files, span(3, 1)).expect("the file exists").bytes, 3..3);
        assert!(Place::find(&files, Span { file: 1, start: 0, end: 0 }).is_none());
    }

    #[test]
    fn a_span_may_touch_several_lines_or_none() {
        let text = "one\r\ntwo\nthree";
        let files = files(text);
        let touched = |start, end| {
            let place = Place::find(&files, span(start, end)).expect("the file exists");
            place.lines().iter().map(|line| (line.text, line.start, line.end)).collect::<Vec<_>>()
        };
        assert_eq!(touched(1, 11), [("one", 2, 4), ("two", 1, 4), ("three", 1, 3)]);
        assert_eq!(touched(0, 5), [("one", 1, 4)]);
        assert_eq!(touched(14, 14), [("three", 6, 6)]);
        assert_eq!(touched(3, 5), [("one", 4, 4)]);
    }
}
