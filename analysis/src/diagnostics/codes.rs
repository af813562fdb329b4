//! The codes of diagnostics: one constant for each, its title, and the page that explains it.
//!
//! The pages are the files of `analysis/diagnostics`, so that the book, `cargo cspec explain` and the JSON interface show the same text. This
//! module does not know when a code is used; the stage that finds the fault does.

/// A code with its explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `CS0301`.
    pub code: &'static str,
    /// What it says, without the names of the case at hand.
    pub title: &'static str,
    /// One page of Markdown. Its first line is `# CODE: TITLE`.
    pub page: &'static str,
}

/// The code that a user means: `CS0301`, `cs301`, `301`, `cspec::CS0301`.
pub fn explain(code: &str) -> Option<&'static Code> {
    let wanted = normalize(code)?;
    ALL.iter().find(|known| known.code == wanted)
}

/// `CS` and four digits.
fn normalize(code: &str) -> Option<String> {
    let code = code.trim().to_ascii_uppercase();
    let code = code.strip_prefix("CSPEC::").unwrap_or(&code);
    let digits = code.strip_prefix("CS").unwrap_or(code);
    let number: u16 = digits.parse().ok()?;
    Some(format!("CS{number:04}"))
}

macro_rules! codes {
    ($($code:ident: $title:literal,)*) => {
        $(
            #[doc = $title]
            pub const $code: &str = stringify!($code);
        )*

        /// Every code, in order.
        pub const ALL: &[Code] = &[$(
            Code {
                code: $code,
                title: $title,
                page: include_str!(concat!("../../diagnostics/", stringify!($code), ".md")),
            },
        )*];
    };
}

/// A claim about an operation does not hold.
pub const CLAIMS: &[&str] = &[CS0301, CS0302, CS0303, CS0304];

codes! {
    CS0001: "file cannot be read",
    CS0002: "package without layers",
    CS0003: "layers in a target that is not read",
    CS0004: "rustc refuses the program",

    CS0101: "syntax error",
    CS0102: "unsupported construct",
    CS0103: "unknown name",
    CS0104: "type error",
    CS0105: "a condition of `cfg` without an answer",
    CS0106: "a macro that is not known",
    CS0107: "what a macro makes is not read",

    CS0201: "operation not implemented",
    CS0202: "unknown layer, operation or implementation",
    CS0203: "declared twice",
    CS0204: "states do not match",
    CS0205: "signatures do not match",
    CS0206: "cycle of layers",
    CS0207: "malformed attribute",
    CS0208: "stack does not fit together",

    CS0301: "not a right mover",
    CS0302: "not a left mover",
    CS0303: "a mover emits an event or may fail",
    CS0304: "a left mover can be disabled by others",
    CS0305: "a call after the commit point is not a left mover",
    CS0306: "a call after the commit point may be disabled",
    CS0307: "a procedure does what its specification does not allow",
    CS0308: "a loop in a procedure of movers",
    CS0309: "initial states are not initial above",

    CS0401: "operation used where it is not allowed",
    CS0402: "what is allowed does not stay allowed",

    CS0501: "a step has no match above",
    CS0502: "initial states are not related",

    CS0601: "a failed turn of a retry loop changes something",
    CS0602: "the exit of a retry loop is not the operation above",
    CS0603: "not a retry loop",

    CS0701: "an assertion may fail",
    CS0702: "a panic",

    CS0801: "a trace of the bottom is not a trace of the top",
    CS0802: "a client gets stuck",

    CS0901: "undecided: the budget ran out",
    CS0902: "undecided: a mistake of cspec",
    CS0903: "undecided: a loop or a state grows without end",
    CS0904: "undecided: what would match may lie beyond the bounds",
    CS0905: "undecided: a turn is wrong only after values that no turn is known to leave",
    CS0906: "undecided: no initial state within the scope",
    CS0907: "undecided: too little is known at a call",
    CS0908: "undecided: it relies on what is undecided",
    CS0909: "undecided: numbers stand side by side in strings",

    CS1001: "an operation is never enabled",
    CS1002: "a branch is never taken",
    CS1003: "the scope is too small for a branch or an operation",
    CS1004: "an obligation holds with no case",
    CS1005: "an operation is never allowed",
    CS1006: "an invariant holds in no state",
    CS1007: "no state is initial",
    CS1008: "a client cannot run to its end",
    CS1009: "a client shows nothing",

    CS1101: "a step at one key has no match on the other side",
    CS1102: "a step at one key changes another",
    CS1103: "the check of keys is wrong",
    CS1104: "more than one step at the end of a partition",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_starts_with_its_title_and_ends_with_a_newline() {
        for Code { code, title, page } in ALL {
            assert_eq!(page.lines().next(), Some(format!("# {code}: {title}").as_str()));
            assert!(page.ends_with('\n') && !page.ends_with("\n\n"), "{code}: one newline at the end");
            assert!(page.contains("## How to fix it"), "{code}: no way out");
        }
    }

    #[test]
    fn every_page_is_in_the_table_once() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/diagnostics");
        let mut pages: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder is part of the repository")
            .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "README.md")
            .collect();
        pages.sort();
        let known: Vec<String> = ALL.iter().map(|code| format!("{}.md", code.code)).collect();
        assert_eq!(pages, known);
    }

    #[test]
    fn codes_are_found_however_they_are_written() {
        for written in ["CS0301", "cs0301", "301", "0301", "cs301", " CS0301 ", "cspec::CS0301"] {
            assert_eq!(explain(written).map(|code| code.code), Some(CS0301), "{written}");
        }
        for written in ["", "CS", "E0308", "CS9999", "301x", "-301", "99999999"] {
            assert_eq!(explain(written), None, "{written}");
        }
    }
}
