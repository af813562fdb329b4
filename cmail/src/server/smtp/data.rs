//! The text of a message after `DATA`: it ends at CRLF `.` CRLF and nowhere else, and the dot that a client adds
//! before a line that starts with one is removed. A CR or LF that is not part of a CRLF invalidates the message, wherever it is: two
//! servers that disagree about line endings can be made to disagree about the end of a message. An invalid message is read to
//! its real end, so that no part of it is taken for a command, but it is not kept.

use memchr::memchr2;

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It contains a CR or LF that is not part of a CRLF.
    BareNewline,
    /// It has a line longer than the limit.
    LongLine,
    /// It has more octets than the limit.
    TooBig,
}

/// The parser's position relative to line endings and dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    /// After a dot at the start of a line.
    Dot,
    /// After a dot and a CR at the start of a line.
    DotCr,
    Text,
    /// After a CR that may begin a CRLF.
    Cr,
    End,
}

/// A message during its transmission.
#[derive(Debug)]
pub struct Data {
    message: Vec<u8>,
    place: Place,
    /// The octets of the current line so far.
    line: usize,
    fault: Option<Fault>,
    longest_line: usize,
    largest: usize,
}

impl Data {
    /// Creates an empty message. Lines have at most `longest_line` octets with their end, the message at most `largest`.
    pub fn new(longest_line: usize, largest: usize) -> Data {
        Data { message: Vec::new(), place: Place::LineStart, line: 0, fault: None, longest_line, largest }
    }

    /// Consumes the input up to the end of the message, and returns the number of consumed octets.
    pub fn receive(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        while at < input.len() && !self.ended() {
            if self.place == Place::Text {
                let run = memchr2(b'\r', b'\n', &input[at..]).unwrap_or(input.len() - at);
                self.keep(&input[at..at + run]);
                at += run;
            }
            if let Some(&octet) = input.get(at) {
                self.octet(octet);
                at += 1;
            }
        }
        at
    }

    /// Whether CRLF `.` CRLF, the end of the message, has arrived.
    pub fn ended(&self) -> bool {
        self.place == Place::End
    }

    /// The message, or the reason why it is refused.
    pub fn finish(self) -> Result<Vec<u8>, Fault> {
        self.fault.map_or(Ok(self.message), Err)
    }

    fn octet(&mut self, octet: u8) {
        self.place = match (self.place, octet) {
            (Place::DotCr, b'\n') => Place::End,
            (Place::Cr, b'\n') => {
                self.keep(b"\r\n");
                self.line = 0;
                Place::LineStart
            }
            (Place::Cr | Place::DotCr, _) => {
                self.spoil(Fault::BareNewline);
                self.text(octet)
            }
            (Place::LineStart, b'.') => Place::Dot,
            (Place::Dot, b'\r') => Place::DotCr,
            _ => self.text(octet),
        }
    }

    /// Adds an ordinary octet; returns the position after it.
    fn text(&mut self, octet: u8) -> Place {
        match octet {
            b'\r' => Place::Cr,
            b'\n' => {
                self.spoil(Fault::BareNewline);
                Place::Text
            }
            _ => {
                self.keep(&[octet]);
                Place::Text
            }
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        self.line += octets.len();
        if self.line > self.longest_line {
            self.spoil(Fault::LongLine);
        }
        if self.message.len() + octets.len() > self.largest {
            self.spoil(Fault::TooBig);
        }
        if self.fault.is_none() {
            self.message.extend_from_slice(octets);
        }
    }

    fn spoil(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
        self.message = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};

    type Received = (Result<Vec<u8>, Fault>, Vec<u8>);

    /// The message and the rest of the input; `None` if the message has not ended.
    fn receive(input: &[u8], step: usize) -> Option<Received> {
        let mut data = Data::new(1000, 10_000);
        let mut at = 0;
        while at < input.len() && !data.ended() {
            let end = (at + step).min(input.len());
            at += data.receive(&input[at..end]);
        }
        data.ended().then(|| (data.finish(), input[at..].to_vec()))
    }

    /// The definition of the RFC, on a whole text: cut at the first CRLF.CRLF, refuse lone CR and LF, remove the stuffed dots.
    fn by_definition(input: &[u8]) -> Option<Received> {
        let whole = [b"\r\n", input].concat();
        let end = whole.windows(5).position(|window| window == b"\r\n.\r\n")?;
        let (text, rest) = (&whole[..end + 2], &whole[end + 5..]);
        let lines: Vec<&[u8]> = split_crlf(&text[2.min(text.len())..]);
        let message = if lines.iter().any(|line| line.contains(&b'\r') || line.contains(&b'\n')) {
            Err(Fault::BareNewline)
        } else {
            Ok(lines.iter().flat_map(|line| [line.strip_prefix(b".").unwrap_or(line), b"\r\n"].concat()).collect())
        };
        Some((message, rest.to_vec()))
    }

    /// The lines of a text that ends with CRLF, or is empty.
    fn split_crlf(mut text: &[u8]) -> Vec<&[u8]> {
        let mut lines = Vec::new();
        while let Some(end) = text.windows(2).position(|window| window == b"\r\n") {
            lines.push(&text[..end]);
            text = &text[end + 2..];
        }
        lines
    }

    #[test]
    fn all_texts_of_eight_octets_end_where_the_rfc_says() {
        const OCTETS: [u8; 4] = [b'\r', b'\n', b'.', b'a'];
        let mut texts = 0;
        for length in 1..=8 {
            for number in 0..4_usize.pow(length) {
                let mut text: Vec<u8> = (0..length).map(|place| OCTETS[number >> (2 * place) & 3]).collect();
                text.extend_from_slice(b"\r\n.\r\nMAIL");
                let expected = by_definition(&text);
                for step in [1, 2, 3, text.len()] {
                    assert_eq!(
                        receive(&text, step),
                        expected,
                        "{:?} in steps of {step}",
                        text.escape_ascii().to_string()
                    );
                }
                texts += 1;
            }
        }
        assert_eq!(texts, 87_380);
    }

    #[test]
    fn fuzz_of_message_text() {
        let target = Target {
            seeds: &["Subject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n", "..\r\n...\r\n.a\r\n.\r\n", "a\n.\r\nb\r.\r\n.\r\n"],
            words: &[
                "\r\n.\r\n",
                "\r\n",
                ".",
                "..",
                "\r",
                "\n",
                "\n.\n",
                "\r\n.\r",
                "\0",
                "0123456789012345678901234567890",
            ],
        };
        fuzz::run(&target, |input| {
            let expected = by_definition(input);
            for step in [1, 5, input.len().max(1)] {
                assert_eq!(receive(input, step), expected, "in steps of {step}");
            }
            // With narrow limits the message ends at the same position.
            let mut data = Data::new(20, 60);
            let used = data.receive(input);
            assert_eq!(data.ended(), expected.is_some());
            let Some((message, rest)) = expected else { return };
            assert_eq!(input[used..], rest);
            match data.finish() {
                Ok(kept) => {
                    let lines = kept.split_inclusive(|octet| *octet == b'\n');
                    assert!(kept.len() <= 60 && lines.clone().all(|line| line.len() <= 20));
                    assert_eq!(message.as_ref(), Ok(&kept));
                }
                Err(Fault::BareNewline) => assert_eq!(message, Err(Fault::BareNewline)),
                Err(Fault::LongLine | Fault::TooBig) => {}
            }
        });
    }

    #[test]
    fn endings_that_smuggle_are_not_endings() {
        for ending in [
            "\n.\n",
            "\r.\r",
            "\r.\n",
            "\n.\r",
            "\n.\r\n",
            "\r\n.\n",
            "\r.\r\n",
            "\r\n.\r",
            "\r\n\0.\r\n",
            "\r\n.\0\r\n",
            "\r\n.\r\r\n",
        ] {
            let text = format!("hello{ending}MAIL FROM:<evil@localhost>\r\n.\r\nQUIT");
            let (message, rest) = receive(text.as_bytes(), 7).expect("the text ends");
            assert_eq!(rest, b"QUIT", "{ending:?}");
            match ending.contains('\0') {
                true => assert!(message.is_ok()),
                false => assert_eq!(message, Err(Fault::BareNewline), "{ending:?}"),
            }
        }
    }

    #[test]
    fn limits_are_exact() {
        let text = |octets: usize| [vec![b'x'; octets], b"\r\n.\r\n".to_vec()].concat();
        assert!(receive(&text(998), 64).is_some_and(|(message, _)| message.is_ok()));
        assert_eq!(receive(&text(999), 64).map(|(message, _)| message), Some(Err(Fault::LongLine)));
        // A stuffed dot does not count towards the limit.
        let stuffed = [b"..".to_vec(), text(997)].concat();
        assert!(receive(&stuffed, 64).is_some_and(|(message, _)| message.is_ok()));
        let lines = |count: usize| [b"12345678\r\n".repeat(count), b".\r\n".to_vec()].concat();
        assert!(receive(&lines(1000), 64).is_some_and(|(message, _)| message.is_ok()));
        assert_eq!(receive(&lines(1001), 64).map(|(message, _)| message), Some(Err(Fault::TooBig)));
    }
}
