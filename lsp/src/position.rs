//! Converts between byte offsets and the protocol's positions. These count lines, and within a line bytes or UTF-16 units as client and
//! server agreed.
//!
//! Lines end at `\n`, `\r\n` and `\r`, exactly as in the protocol (the `line-index` crate does not handle a lone `\r`). Every position that
//! a client sends becomes an offset on a character boundary: a column past the end of a line becomes its end, a line past the end of the
//! text becomes the end of the text.

use std::sync::Arc;

use tower_lsp_server::ls_types::{Position, PositionEncodingKind, Range};

/// The encoding of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Columns are counted in bytes.
    Utf8,
    /// In UTF-16 code units: what every client understands.
    Utf16,
}

impl Encoding {
    /// The encoding to use with a client that offers these: bytes if possible.
    pub fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Encoding {
        match offered {
            Some(kinds) if kinds.contains(&PositionEncodingKind::UTF8) => Encoding::Utf8,
            _ => Encoding::Utf16,
        }
    }

    /// Its name in the protocol.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// The width of a text.
    pub fn width(self, text: &str) -> u32 {
        match self {
            Encoding::Utf8 => text.len() as u32,
            Encoding::Utf16 => text.chars().map(char::len_utf16).sum::<usize>() as u32,
        }
    }
}

/// A text, with the starts of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    content: Arc<str>,
    starts: Arc<[u32]>,
}

impl Text {
    /// Finds the lines of a text.
    pub fn new(content: Arc<str>) -> Text {
        let bytes = content.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends_line = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
            if ends_line {
                starts.push(at as u32 + 1);
            }
        }
        Text { content, starts: starts.into() }
    }

    /// The text itself, shared and not copied.
    pub fn content(&self) -> &Arc<str> {
        &self.content
    }

    /// The part of the text in `range`, clipped to the text.
    pub fn slice(&self, range: std::ops::Range<u32>) -> &str {
        self.content.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// The bytes of a line without its end.
    fn line(&self, line: usize) -> std::ops::Range<usize> {
        let start = self.starts[line] as usize;
        let end = self.starts.get(line + 1).map_or(self.content.len(), |it| *it as usize);
        start..start + self.content[start..end].trim_end_matches(['\n', '\r']).len()
    }

    /// The line of an offset, counted from 0.
    pub fn line_of(&self, offset: u32) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32 - 1
    }

    /// The position of an offset. An offset inside a character counts as its start.
    pub fn position(&self, offset: u32, encoding: Encoding) -> Position {
        let offset = self.content.floor_char_boundary(offset as usize);
        let line = self.line_of(offset as u32);
        let start = self.starts[line as usize] as usize;
        Position::new(line, encoding.width(&self.content[start..offset]))
    }

    /// The offset of a position.
    pub fn offset(&self, position: Position, encoding: Encoding) -> u32 {
        let line = position.line as usize;
        if line >= self.starts.len() {
            return self.content.len() as u32;
        }
        let range = self.line(line);
        let text = &self.content[range.clone()];
        let mut column = 0;
        for (at, character) in text.char_indices() {
            let width = encoding.width(character.encode_utf8(&mut [0; 4]));
            if column + width > position.character {
                return (range.start + at) as u32;
            }
            column += width;
        }
        range.end as u32
    }

    /// The range of positions that covers these bytes.
    pub fn range(&self, bytes: std::ops::Range<u32>, encoding: Encoding) -> Range {
        Range::new(self.position(bytes.start, encoding), self.position(bytes.end, encoding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 6] = [
        "",
        "one\ntwo\n",
        "a\r\nb\rc\nd",
        "p\u{e9}t\u{20ac} \u{1f980} crab\r\n\u{1f980}\u{1f980}",
        "\u{feff}bom\u{2028}same line",
        "\r\r\n\n\r",
    ];

    #[test]
    fn an_offset_survives_the_way_there_and_back() {
        for text in TEXTS {
            let lines = Text::new(Arc::from(text));
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
                    // There is no position between `\r` and `\n`; it counts as the end of the line.
                    if text[..offset].ends_with('\r') && text[offset..].starts_with('\n') {
                        continue;
                    }
                    let position = lines.position(offset as u32, encoding);
                    assert_eq!(lines.offset(position, encoding), offset as u32, "{text:?} {offset} {position:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_out_of_range_is_the_end_of_the_line_or_of_the_text() {
        let text = Text::new(Arc::from("ab\u{1f980}\r\ncd"));
        let offset = |line, character| text.offset(Position::new(line, character), Encoding::Utf16);
        assert_eq!(offset(0, 99), 6, "the end of the first line, before its `\\r`");
        assert_eq!(offset(0, 3), 2, "inside a surrogate pair: its start");
        assert_eq!(offset(1, u32::MAX), 10);
        assert_eq!(offset(u32::MAX, 0), 10);
    }

    #[test]
    fn only_three_line_ends_count() {
        let text = Text::new(Arc::from("a\rb\r\nc\nd\u{2028}e\u{b}f"));
        assert_eq!(text.position(text.content().len() as u32, Encoding::Utf8).line, 3);
    }
}
