//! The messages of one session: numbered and measured once, at login. Sizes count octets as they are sent, with CRLF at the end
//! of every line and without dot stuffing.

use memchr::memchr;

/// A message of the mailbox, with its unique name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    uid: String,
    text: Vec<u8>,
    marked: bool,
}

/// The messages, numbered from 1 for the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maildrop(Vec<Entry>);

impl Entry {
    /// Creates a message with its unique name; converts its line endings to CRLF.
    pub fn new(uid: String, text: Vec<u8>) -> Entry {
        Entry { uid, text: with_crlf(text), marked: false }
    }

    /// The unique name, as listed by UIDL.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The size in octets, as it is sent.
    pub fn octets(&self) -> usize {
        self.text.len()
    }

    /// Writes the text with dot stuffing, and the end. With `lines`, only the header and this many lines of the body.
    pub fn write(&self, lines: Option<u64>, output: &mut Vec<u8>) {
        let mut left = lines;
        let mut in_header = true;
        let mut rest = &self.text[..];
        output.reserve(rest.len() + 8);
        while !rest.is_empty() {
            if !in_header && let Some(left) = &mut left {
                match left.checked_sub(1) {
                    Some(less) => *left = less,
                    None => break,
                }
            }
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let line = &rest[..end];
            if line.first() == Some(&b'.') {
                output.push(b'.');
            }
            output.extend_from_slice(line);
            in_header &= line != b"\r\n";
            rest = &rest[end..];
        }
        output.extend_from_slice(b".\r\n");
    }
}

impl Maildrop {
    /// The messages in their order.
    pub fn new(entries: Vec<Entry>) -> Maildrop {
        Maildrop(entries)
    }

    /// The number of messages that are not marked.
    pub fn count(&self) -> usize {
        self.unmarked().count()
    }

    /// The total size in octets of the messages that are not marked.
    pub fn octets(&self) -> usize {
        self.unmarked().map(|(_, entry)| entry.octets()).sum()
    }

    /// The place and the message of a number; an error reply if the number is not valid, or the message is marked.
    pub fn find(&self, text: &str) -> Result<(usize, &Entry), &'static str> {
        let place = number(text).ok_or("-ERR Expected a message number")?;
        let at = usize::try_from(place).ok().and_then(|place| place.checked_sub(1)).ok_or(NO_SUCH)?;
        match self.0.get(at) {
            Some(entry) if !entry.marked => Ok((at, entry)),
            Some(_) => Err("-ERR The message is deleted"),
            None => Err(NO_SUCH),
        }
    }

    /// Marks a message; returns its place.
    pub fn mark(&mut self, text: &str) -> Result<usize, &'static str> {
        let (at, _) = self.find(text)?;
        self.0[at].marked = true;
        Ok(at)
    }

    /// Removes the marks of all messages.
    pub fn unmark(&mut self) {
        for entry in &mut self.0 {
            entry.marked = false;
        }
    }

    /// The places of the marked messages.
    pub fn marked(&self) -> Vec<usize> {
        self.0.iter().enumerate().filter(|(_, entry)| entry.marked).map(|(at, _)| at).collect()
    }

    /// The whole reply to LIST without an argument.
    pub fn list(&self) -> String {
        let header = format!("+OK {} messages ({} octets)\r\n", self.count(), self.octets());
        self.listing(header, |entry| entry.octets().to_string())
    }

    /// The whole reply to UIDL without an argument.
    pub fn uids(&self) -> String {
        self.listing("+OK\r\n".to_owned(), |entry| entry.uid.clone())
    }

    fn listing(&self, header: String, what: impl Fn(&Entry) -> String) -> String {
        let lines = self.unmarked().map(|(at, entry)| format!("{} {}\r\n", at + 1, what(entry)));
        std::iter::once(header).chain(lines).collect::<String>() + "."
    }

    fn unmarked(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.0.iter().enumerate().filter(|(_, entry)| !entry.marked)
    }
}

const NO_SUCH: &str = "-ERR No such message";

/// Parses a number in the form of the protocol: digits and nothing else.
pub fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The text with CRLF at the end of every line. A message received by SMTP has it already.
pub fn with_crlf(text: Vec<u8>) -> Vec<u8> {
    let lone = |at: usize| text[at] == b'\n' && (at == 0 || text[at - 1] != b'\r');
    let complete = text.is_empty() || text.ends_with(b"\n");
    if complete && !memchr::memchr_iter(b'\n', &text).any(lone) {
        return text;
    }
    let mut fixed = Vec::with_capacity(text.len() + text.len() / 32 + 2);
    for (at, &octet) in text.iter().enumerate() {
        if lone(at) {
            fixed.push(b'\r');
        }
        fixed.push(octet);
    }
    if !complete {
        fixed.extend_from_slice(if fixed.ends_with(b"\r") { b"\n" } else { b"\r\n" });
    }
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};

    fn written(text: &str, lines: Option<u64>) -> String {
        let mut output = Vec::new();
        Entry::new("1.1".to_owned(), text.into()).write(lines, &mut output);
        String::from_utf8(output).expect("the texts here are UTF-8")
    }

    #[test]
    fn dots_are_put_in() {
        assert_eq!(written(".\r\n..a\r\nb.\r\n", None), "..\r\n...a\r\nb.\r\n.\r\n");
    }

    #[test]
    fn lines_end_with_crlf_whatever_the_file_says() {
        assert_eq!(written("a\nb\r\nc", None), "a\r\nb\r\nc\r\n.\r\n");
        assert_eq!(written("a\r", None), "a\r\n.\r\n");
        assert_eq!(written("", None), ".\r\n");
        assert_eq!(Entry::new(String::new(), b"a\nb\n".to_vec()).octets(), 6);
    }

    /// Any stored file is sent in lines, with the announced length, and ends.
    #[test]
    fn fuzz_of_stored_messages() {
        let target = Target {
            seeds: &["Subject: x\r\n\r\n.1\r\n2\r\n", "a\nb\r\nc\rd", "\r\r\n\n\r", "..\n.\n"],
            words: &["\r\n", "\n", "\r", ".", "\r\n.\r\n", "\0", "text"],
        };
        fuzz::run(&target, |input| {
            let entry = Entry::new("1.1".to_owned(), input.to_vec());
            let sent = |lines| {
                let mut output = Vec::new();
                entry.write(lines, &mut output);
                let text = output.strip_suffix(b".\r\n").expect("it ends with a dot");
                let lines = text.split_inclusive(|octet| *octet == b'\n');
                lines.map(|line| line.strip_prefix(b".").unwrap_or(line).to_vec()).collect::<Vec<_>>()
            };
            let all = sent(None);
            assert!(all.iter().all(|line| line.ends_with(b"\r\n")));
            assert_eq!(all.concat().len(), entry.octets());
            let header = all.iter().position(|line| line == b"\r\n").map_or(all.len(), |at| at + 1);
            for lines in 0..3 {
                let whole = (header + lines).min(all.len());
                assert_eq!(sent(Some(lines as u64)), all[..whole]);
            }
            // A message received by SMTP is sent unchanged.
            if !input.iter().any(|octet| b"\r\n".contains(octet)) {
                let line = [input, b"\r\n"].concat();
                assert_eq!(Entry::new(String::new(), line.clone()).text, line);
            }
        });
    }

    #[test]
    fn top() {
        let text = "Subject: x\r\n\r\n1\r\n.2\r\n3\r\n";
        assert_eq!(written(text, Some(0)), "Subject: x\r\n\r\n.\r\n");
        assert_eq!(written(text, Some(2)), "Subject: x\r\n\r\n1\r\n..2\r\n.\r\n");
        assert_eq!(written(text, Some(u64::MAX)), written(text, None));
        assert_eq!(written("no header", Some(0)), "no header\r\n.\r\n");
    }

    #[test]
    fn numbers() {
        let drop = Maildrop::new(vec![Entry::new("a".into(), vec![]), Entry::new("b".into(), vec![])]);
        for good in ["1", "2", "02"] {
            assert!(drop.find(good).is_ok(), "{good}");
        }
        for bad in ["0", "-1", "+1", "1x", " 1", "3", "2147483649", "4294967297", "18446744073709551617", "1.0", ""] {
            assert!(drop.find(bad).is_err(), "{bad}");
        }
    }
}
