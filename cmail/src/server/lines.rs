//! Splits a stream of bytes into command lines, for both protocols. A line ends with CRLF; a line with another ending, one that is too
//! long, and one with control characters are distinguished, so that the session can report them and continue with the next line. Memory is
//! bounded by the limit and the size of one read. This module knows no commands.

use memchr::memchr;

/// Input that has arrived and is not used yet.
#[derive(Debug)]
pub struct Lines {
    bytes: Vec<u8>,
    used: usize,
    limit: usize,
    /// Whether the current line is too long: the rest of it is dropped.
    skipping: bool,
}

/// A command line, without its line ending.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line of printable characters.
    Text(String),
    /// It is longer than the limit.
    TooLong,
    /// It ends with LF alone, holds a CR or another control character, or is not UTF-8.
    Malformed,
}

impl Lines {
    /// No input yet. `limit` octets are the longest line, its end included.
    pub fn new(limit: usize) -> Lines {
        Lines { bytes: Vec::new(), used: 0, limit, skipping: false }
    }

    /// Adds input that has arrived.
    pub fn push(&mut self, input: &[u8]) {
        self.bytes.drain(..self.used);
        self.used = 0;
        self.bytes.extend_from_slice(input);
    }

    /// The input that is not used yet.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    /// Marks some of the rest as used.
    pub fn consume(&mut self, octets: usize) {
        self.used = (self.used + octets).min(self.bytes.len());
    }

    /// The next complete line, if there is one.
    pub fn next_line(&mut self) -> Option<Line> {
        let rest = &self.bytes[self.used..];
        let Some(end) = memchr(b'\n', rest) else {
            if self.skipping || rest.len() >= self.limit {
                self.skipping = true;
                self.used = self.bytes.len();
            }
            return None;
        };
        let line = if self.skipping || end + 1 > self.limit { Line::TooLong } else { parse(&rest[..end]) };
        self.skipping = false;
        self.used += end + 1;
        Some(line)
    }
}

/// The line up to its LF.
fn parse(line: &[u8]) -> Line {
    let Some(text) = line.strip_suffix(b"\r").and_then(|text| str::from_utf8(text).ok()) else {
        return Line::Malformed;
    };
    if text.chars().any(char::is_control) {
        return Line::Malformed;
    }
    Line::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};
    use crate::questions::assert_same_in_pieces;

    fn lines(limit: usize, chunks: &[&[u8]]) -> Vec<Line> {
        let mut input = Lines::new(limit);
        let mut found = Vec::new();
        for chunk in chunks {
            input.push(chunk);
            while let Some(line) = input.next_line() {
                found.push(line);
            }
        }
        found
    }

    fn text(line: &str) -> Line {
        Line::Text(line.to_owned())
    }

    #[test]
    fn only_crlf_ends_a_line_in_good_order() {
        assert_eq!(
            lines(100, &[b"a\r\n\r\nb\nc\rd\r\n\0\r\n"]),
            [text("a"), text(""), Line::Malformed, Line::Malformed, Line::Malformed]
        );
    }

    #[test]
    fn lines_that_arrive_in_pieces() {
        assert_eq!(lines(100, &[b"he", b"llo\r", b"\nworld\r\n"]), [text("hello"), text("world")]);
    }

    #[test]
    fn the_limit_counts_the_end_of_the_line() {
        assert_eq!(lines(6, &[b"1234\r\n12345\r\n1\r\n"]), [text("1234"), Line::TooLong, text("1")]);
    }

    /// The lines of a whole text, without input that arrives in pieces.
    fn by_definition(input: &[u8]) -> Vec<Line> {
        let whole = input.split_inclusive(|octet| *octet == b'\n').filter(|line| line.ends_with(b"\n"));
        whole.map(|line| if line.len() > 20 { Line::TooLong } else { super::parse(&line[..line.len() - 1]) }).collect()
    }

    #[test]
    fn fuzz_of_lines() {
        let target = Target {
            seeds: &["EHLO me\r\nNOOP\r\n", "a\nb\rc\r\n\r\n\0\r\n", "1234567890123456789012345\r\nü\r\n"],
            words: &["\r\n", "\n", "\r", "\u{85}", "\u{202e}", "1234567890123456789"],
        };
        fuzz::run(&target, |input| {
            let expected = by_definition(input);
            assert_eq!(lines(20, &[input]), expected);
            assert_same_in_pieces(input, &expected, |pieces| lines(20, &pieces.collect::<Vec<_>>()));
            let is_plain = |line: &Line| match line {
                Line::Text(text) => text.len() <= 18 && !text.chars().any(char::is_control),
                Line::TooLong | Line::Malformed => true,
            };
            assert!(expected.iter().all(is_plain));
        });
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let mut input = Lines::new(512);
        for _ in 0..10_000 {
            input.push(&[b'x'; 1000]);
            assert_eq!(input.next_line(), None);
            assert!(input.bytes.capacity() <= 4096);
        }
        input.push(b"\r\nNOOP\r\n");
        assert_eq!(input.next_line(), Some(Line::TooLong));
        assert_eq!(input.next_line(), Some(text("NOOP")));
    }
}
