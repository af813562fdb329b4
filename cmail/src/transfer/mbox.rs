//! mbox, the variant `mboxrd`: messages one after the other, each after a line that begins with `From `. A line of a message of this form,
//! with any number of `>` before it, gets one more `>`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use super::Leaving;

/// The messages of a file.
pub fn split(text: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut after_blank = true;
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        let is_blank = matches!(line, b"\n" | b"\r\n");
        if after_blank && line.starts_with(b"From ") {
            messages.push(Vec::new());
        } else {
            let message = messages.last_mut().ok_or("it does not begin with a line `From `, as an mbox file does")?;
            message.extend_from_slice(if is_quoted(line) { &line[1..] } else { line });
        }
        after_blank = is_blank;
    }
    // The blank line before the next message is not part of this one.
    for message in &mut messages {
        let text = message.strip_suffix(b"\r\n").or_else(|| message.strip_suffix(b"\n"));
        let end = match text {
            Some(text) if text.is_empty() || text.ends_with(b"\n") => text.len(),
            _ => message.len(),
        };
        message.truncate(end);
    }
    Ok(messages)
}

/// Whether a line begins with `>From `, or with more of `>`.
fn is_quoted(line: &[u8]) -> bool {
    line.starts_with(b">") && needs_quoting(line)
}

fn needs_quoting(line: &[u8]) -> bool {
    let from = line.iter().position(|octet| *octet != b'>').unwrap_or(line.len());
    line[from..].starts_with(b"From ")
}

/// Writes a new file with these messages; it gets its name when it is complete. An existing file is left alone.
pub fn create(path: &Path, messages: &[Leaving]) -> io::Result<()> {
    let mut text = Vec::new();
    for message in messages {
        let sender = match message.sender.as_str() {
            "" => "MAILER-DAEMON",
            // The `From ` line is split at spaces.
            sender if sender.contains(' ') => "unknown",
            sender => sender,
        };
        text.extend_from_slice(format!("From {sender} {}\n", date(message.time)).as_bytes());
        for line in message.text.split_inclusive(|octet| *octet == b'\n') {
            if needs_quoting(line) {
                text.push(b'>');
            }
            text.extend_from_slice(line);
        }
        text.extend_from_slice(if message.text.ends_with(b"\n") || message.text.is_empty() { b"\n" } else { b"\n\n" });
    }
    let new = path.with_added_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(&text)?;
    file.sync_all()?;
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    linked
}

/// A date such as `Tue Nov 14 22:13:20 2023`, in UTC.
fn date(time: SystemTime) -> String {
    let words = httpdate::fmt_http_date(time);
    let words: Vec<&str> = words.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    match words[..] {
        [day, number, month, year, clock, _] => format!("{day} {month} {number} {clock} {year}"),
        _ => "Thu Jan 01 00:00:00 1970".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn leaving(text: &str) -> Leaving {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Leaving { name: "1.1".to_owned(), text: text.into(), sender: "a@b".to_owned(), time }
    }

    #[test]
    fn what_is_written_is_read() {
        let texts = ["Subject: x\n\nFrom me\n>From you\n>>From us\n\n", "a\n", "\n", "From here\n\nFrom there\n"];
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let path = scratch.path().join("mbox");
        create(&path, &texts.map(leaving)).expect("it is writable");
        let text = fs::read(&path).expect("it is there");
        assert!(
            text.starts_with(b"From a@b Tue Nov 14 22:13:20 2023\nSubject: x\n\n>From me\n>>From you\n>>>From us\n")
        );
        let read = split(&text).expect("it is an mbox file");
        assert_eq!(read, texts.map(|text| text.as_bytes().to_vec()));
        create(&path, &[]).expect_err("there is a file");
        assert_eq!(fs::read(&path).expect("it is there"), text);
    }

    #[test]
    fn what_others_write() {
        // The text has no blank lines between messages, and CRLF instead of LF.
        let text = b"From a Tue\r\nx: y\r\n\r\nbody\r\nFrom within\r\n\r\nFrom b Tue\r\n\r\nlast";
        let read = split(text).expect("it is an mbox file");
        assert_eq!(read, [b"x: y\r\n\r\nbody\r\nFrom within\r\n".to_vec(), b"\r\nlast".to_vec()]);
        assert_eq!(split(b"").expect("an empty one"), Vec::<Vec<u8>>::new());
        assert!(split(b"no mbox\n").is_err());
    }
}
