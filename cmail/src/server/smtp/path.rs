//! Addresses and parameters of `MAIL` and `RCPT` (RFC 5321, 4.1.2). It is lenient where common clients are sloppy (spaces around the
//! path); source routes are parsed and ignored. It parses addresses and does not resolve them.

/// The text between `<` and `>`.
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    /// The local part, without quotes.
    pub local: String,
    /// The domain, as written.
    pub domain: Option<String>,
    /// The whole path as written, without a source route.
    pub written: String,
}

/// A path and the parameters after it.
#[derive(Debug, PartialEq, Eq)]
pub struct Argument<'a> {
    /// `None` for the empty path `<>`.
    pub path: Option<Path>,
    /// Keywords with their values.
    pub parameters: Vec<(&'a str, Option<&'a str>)>,
}

/// The maximum length of local part, domain and path that the RFC requires.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;
const PATH: usize = 256;

/// `FROM:<path> parameters`, or `TO:<path> parameters`.
pub fn argument<'a>(text: &'a str, keyword: &str) -> Option<Argument<'a>> {
    let (before, after) = text.split_at_checked(keyword.len())?;
    if !before.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let after = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('<')?;
    let end = end_of_path(after)?;
    let path = &after[..end];
    let rest = &after[end + 1..];
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let path = match path {
        "" => None,
        path if path.len() + 2 > PATH => return None,
        path => Some(parse(path)?),
    };
    let parameters = rest.split_ascii_whitespace().map(|word| match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    });
    Some(Argument { path, parameters: parameters.collect() })
}

/// The position of the `>` outside quotes.
fn end_of_path(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn parse(path: &str) -> Option<Path> {
    let mailbox = match path.strip_prefix('@') {
        Some(route) => route.split_once(':')?.1,
        None => path,
    };
    let (local, rest) = match mailbox.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = mailbox.find('@').unwrap_or(mailbox.len());
            let (local, rest) = mailbox.split_at(end);
            is_dot_string(local).then(|| (local.to_owned(), rest))?
        }
    };
    let domain = match rest {
        "" => None,
        rest => Some(rest.strip_prefix('@').filter(|domain| is_domain(domain))?.to_owned()),
    };
    (!local.is_empty() && local.len() <= LOCAL).then(|| Path { local, domain, written: mailbox.to_owned() })
}

/// The contents of a quoted string after its first quote, and the text after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    if !text.is_ascii() {
        return None;
    }
    let mut local = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((local, &text[at + 1..])),
            '\\' => local.push(letters.next()?.1),
            letter => local.push(letter),
        }
    }
    None
}

fn is_dot_string(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
}

fn is_atom(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&letter)
}

/// Whether this is a domain, or an address in brackets.
pub fn is_domain(text: &str) -> bool {
    if text.len() > DOMAIN {
        return false;
    }
    match text.strip_prefix('[') {
        Some(literal) => literal.strip_suffix(']').is_some_and(|inside| {
            !inside.is_empty()
                && inside.bytes().all(|letter| letter.is_ascii_graphic() && !b"[]\\\"<>".contains(&letter))
        }),
        None => text.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_')
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{self, Target};
    use crate::questions;

    fn to(text: &str) -> Option<(String, Option<String>)> {
        argument(text, "TO")?.path.map(|path| (path.local, path.domain))
    }

    fn is(local: &str, domain: &str) -> Option<(String, Option<String>)> {
        Some((local.to_owned(), (!domain.is_empty()).then(|| domain.to_owned())))
    }

    #[test]
    fn paths() {
        assert_eq!(to("TO:<u1@localhost>"), is("u1", "localhost"));
        assert_eq!(to("to: <u1>"), is("u1", ""));
        assert_eq!(to("TO:<@a.example,@b:u1@[127.0.0.1]>"), is("u1", "[127.0.0.1]"));
        assert_eq!(to("TO:<\"a>b \\\"c\"@localhost>"), is("a>b \"c", "localhost"));
        assert_eq!(to("TO:<a!b%c@localhost>"), is("a!b%c", "localhost"));
        let sender = argument("FROM:<@a:\"b \\\"c\"@d>", "FROM").and_then(|argument| argument.path).expect("a path");
        assert_eq!(sender.written, "\"b \\\"c\"@d");
        assert_eq!(argument("FROM:<>", "FROM"), Some(Argument { path: None, parameters: vec![] }));
    }

    #[test]
    fn what_is_not_a_path() {
        for text in [
            "",
            "TO",
            "TO:",
            "TO:u1",
            "TO:<u1",
            "FROM:<u1>",
            "TO:<u1>x",
            "TO:<.u1@localhost>",
            "TO:<u1@>",
            "TO:<@localhost>",
            "TO:<\"\"@localhost>",
            "TO:<u1@a..b>",
            "TO:<u1@a>b>",
            "TO:<u 1>",
            "TO:<u1@[]>",
            "TO:<é@localhost>",
            "TO:<\"u1>",
            "TO:<\"é\"@localhost>",
            "é",
        ] {
            assert_eq!(argument(text, "TO"), None, "{text}");
        }
    }

    #[test]
    fn fuzz_of_paths() {
        let target = Target {
            seeds: &[
                "TO:<u1@localhost>",
                "to: <@a.example,@b:u1@[127.0.0.1]> X=1",
                "TO:<\"a>b \\\"c\"@localhost> SIZE=12 BODY=8BITMIME",
                "TO:<>",
            ],
            words: &["<", ">", "\"", "\\", "@", ":", ",", ".", "..", "[", "]", " ", "=", "u1", "é", "(", "TO:", "//"],
        };
        fuzz::run(&target, questions::address);
    }

    /// A parser that searches for the end of the path, also one that reads a message's `Return-Path`, would take a quotation mark in
    /// brackets for the start of a quoted string.
    #[test]
    fn an_address_in_brackets_holds_no_quotation_mark() {
        assert!(to("TO:<u1@[127.0.0.1]>").is_some() && to("TO:<u1@[x:a=b;c]>").is_some());
        assert!(to("TO:<u1@[127.\"0=.0.1;]>").is_none());
        assert!(to("TO:<@a.\"example,@b:u1@[127.\"0=.0.1;]> X=1").is_none());
    }

    #[test]
    fn lengths() {
        let local = |octets: usize| to(&format!("TO:<{}@b>", "a".repeat(octets))).is_some();
        assert!(local(63) && local(64) && !local(65));
        let path = |octets: usize| to(&format!("TO:<a@{}>", "b".repeat(octets - 4))).is_some();
        assert!(path(255) && path(256) && !path(257));
    }

    #[test]
    fn parameters() {
        let argument = argument("FROM:<a@b> SIZE=12 BODY=8BITMIME X", "FROM").expect("a path");
        assert_eq!(argument.parameters, [("SIZE", Some("12")), ("BODY", Some("8BITMIME")), ("X", None)]);
    }
}
