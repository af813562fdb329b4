//! Layers with the findings written under them.
//!
//! A comment line points with carets at columns of the line above it and says what is found there: the code, and for a finding of an
//! obligation which one it is: its kind and, after a `/`, the other operation.
//!
//! ```text
//!     #[op(left)]
//!     //   ^^^^ CS0302 left-mover / write
//!     fn read(&mut self, me: Pid) -> u64 {
//! ```
//!
//! Several findings may share a line (`^^^ CS0101 ^^^ CS0103`), and a line of text may have several such lines below it.

// Each test file is a crate of its own and uses only some of these functions.
#![allow(dead_code)]

use std::{
    fmt::{self, Write as _},
    sync::atomic::AtomicBool,
};

use cspec_analysis::{
    db::lower_sources,
    diagnostics::{Diagnostic, Severity},
    ir::lower::Lowered,
    report::{Options, Progress, check_program},
    verdict::{ObligationName, Outcome, Verdict},
};

/// Lowered files, and the outcomes of their obligations.
pub struct Checked {
    /// The files, by path and text.
    pub files: Vec<(String, String)>,
    /// The result of lowering them.
    pub lowered: Lowered,
    /// The outcome of each obligation.
    pub outcomes: Vec<Outcome>,
}

/// An error at a place: line and columns, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    line: usize,
    columns: (usize, usize),
    /// The code and the obligation: `CS0302 left-mover / write`.
    what: String,
}

struct Quiet;

impl Progress for Quiet {
    fn planned(&self, _: usize) {}
    fn finished(&self, _: &Outcome) {}
}

/// Lowers the files as one package and checks all its obligations.
pub fn run(files: &[(String, String)], options: &Options) -> Checked {
    let texts: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let lowered = lower_sources(&texts);
    let outcomes = check_program(&lowered, options, &Quiet, &AtomicBool::new(false));
    Checked { files: files.to_vec(), lowered, outcomes: outcomes.into_iter().map(|(it, _)| it).collect() }
}

/// Checks one file, and compares its errors with its annotations.
#[track_caller]
pub fn check(source: &str) -> Checked {
    check_with(source, &Options::default())
}

/// Like [`check`], with these options.
#[track_caller]
pub fn check_with(source: &str, options: &Options) -> Checked {
    let checked = run(&[("layers.rs".to_owned(), source.to_owned())], options);
    let (expected, found) = (annotations(source), checked.errors());
    assert!(expected == found, "{}", checked.difference(&expected, &found));
    checked
}

/// Checks a wrong layer, and its right twin, which differs from it by these replacements only.
#[track_caller]
pub fn pair(source: &str, repair: &[(&str, &str)]) -> Checked {
    let checked = check(source);
    assert!(checked.failed().next().is_some(), "nothing fails");
    assert!(checked.failed().all(|it| it.verdict != Verdict::Undecided), "{}", checked.in_words());
    holds(&mended(source, repair));
    checked
}

/// Checks a source without findings and with at least one obligation.
#[track_caller]
pub fn holds(source: &str) -> Checked {
    let checked = check(source);
    assert!(!checked.outcomes.is_empty(), "nothing was checked");
    checked
}

/// The source without annotations, and with the replacements, each of which must apply exactly once.
#[track_caller]
pub fn mended(source: &str, repair: &[(&str, &str)]) -> String {
    let lines = source.lines().filter(|it| !is_annotation(it));
    let mut text = lines.fold(String::new(), |text, line| text + line + "\n");
    for (find, replace) in repair {
        assert!(text.matches(find).count() == 1, "`{find}` should occur once, in\n{text}");
        text = text.replacen(find, replace, 1);
    }
    text
}

impl Checked {
    /// All findings, with the obligation that each is about.
    pub fn diagnostics(&self) -> impl Iterator<Item = (&Diagnostic, Option<&ObligationName>)> {
        let of_source = self.lowered.diagnostics.iter().map(|it| (it, None));
        let of_obligations =
            self.outcomes.iter().flat_map(|it| it.diagnostics.iter().map(|found| (found, Some(&it.name))));
        of_source.chain(of_obligations)
    }

    /// The errors in the source and of obligations, in order.
    pub fn errors(&self) -> Vec<Found> {
        self.found(|it| it.severity == Severity::Error)
    }

    /// The errors and warnings, in order.
    pub fn findings(&self) -> Vec<Found> {
        self.found(|_| true)
    }

    fn found(&self, counts: fn(&Diagnostic) -> bool) -> Vec<Found> {
        let mut found: Vec<Found> = self
            .diagnostics()
            .filter(|(it, _)| counts(it))
            .map(|(it, obligation)| {
                let (line, from, to) = self.place(it);
                let obligation = obligation.map_or_else(String::new, |it| format!(" {}", which(it)));
                Found { line, columns: (from, to), what: format!("{}{obligation}", it.code) }
            })
            .collect();
        found.sort();
        found
    }

    /// The line and columns of a finding; if it spans several lines, up to the end of the first.
    fn place(&self, diagnostic: &Diagnostic) -> (usize, usize, usize) {
        let text = &self.files[diagnostic.span.file as usize].1;
        let (start, end) = (diagnostic.span.start as usize, diagnostic.span.end as usize);
        let line_start = text[..start].rfind('\n').map_or(0, |it| it + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |it| start + it);
        (text[..start].matches('\n').count(), start - line_start, end.min(line_end) - line_start)
    }

    /// The text of the line that a finding is in.
    pub fn line(&self, diagnostic: &Diagnostic) -> &str {
        let text = &self.files[diagnostic.span.file as usize].1;
        text.lines().nth(self.place(diagnostic).0).unwrap_or_default().trim()
    }

    /// The obligations that are neither proved nor checked.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|it| !matches!(it.verdict, Verdict::Proved | Verdict::Checked))
    }

    /// The verdicts on the obligations of this kind, by operation.
    #[track_caller]
    pub fn verdicts(&self, kind: &str) -> Vec<(&str, &Verdict)> {
        let of_kind: Vec<_> = self.outcomes.iter().filter(|it| it.name.kind == kind).collect();
        assert!(!of_kind.is_empty(), "no obligation of the kind `{kind}`");
        of_kind.iter().map(|it| (it.name.operation.as_str(), &it.verdict)).collect()
    }

    /// The codes of the warnings.
    pub fn warnings(&self) -> Vec<&'static str> {
        self.diagnostics().filter(|(it, _)| it.severity == Severity::Warning).map(|(it, _)| it.code).collect()
    }

    /// Every finding, as a user would read it.
    pub fn in_words(&self) -> String {
        let mut text = String::new();
        for (it, _) in self.diagnostics() {
            let (line, from, _) = self.place(it);
            let _ = writeln!(text, "{} at {}:{}: {}", it.code, line + 1, from + 1, it.message);
            for note in it.paragraphs() {
                let _ = writeln!(text, "    {note}");
            }
        }
        text
    }

    fn difference(&self, expected: &[Found], found: &[Found]) -> String {
        let missing = expected.iter().filter(|it| !found.contains(it)).map(|it| format!("- {it}\n"));
        let surplus = found.iter().filter(|it| !expected.contains(it)).map(|it| format!("+ {it}\n"));
        let lines: String = missing.chain(surplus).collect();
        let mut source = String::new();
        for (number, line) in self.files[0].1.lines().enumerate() {
            let _ = writeln!(source, "{:3} {line}", number + 1);
        }
        format!("the findings differ: - expected, + found\n{lines}\n{}\n{source}", self.in_words())
    }
}

impl Found {
    /// The code of the expected finding.
    pub fn code(&self) -> &str {
        self.what.split(' ').next().unwrap_or_default()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, columns {}..{}: {}", self.line + 1, self.columns.0, self.columns.1, self.what)
    }
}

/// The kind of an obligation, and the other operation.
pub fn which(name: &ObligationName) -> String {
    if name.against.is_empty() { name.kind.to_owned() } else { format!("{} / {}", name.kind, name.against) }
}

fn is_annotation(line: &str) -> bool {
    line.trim_start().strip_prefix("//").is_some_and(|rest| rest.trim_start().starts_with('^'))
}

/// The annotations in a source.
pub fn annotations(source: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut above = 0;
    for (number, line) in source.lines().enumerate() {
        if !is_annotation(line) {
            above = number;
            continue;
        }
        let mut at = line.find('^');
        while let Some(start) = at {
            let end = line[start..].find(|it| it != '^').map_or(line.len(), |it| start + it);
            let next = line[end..].find('^').map(|it| end + it);
            let what = line[end..next.unwrap_or(line.len())].trim().to_owned();
            found.push(Found { line: above, columns: (start, end), what });
            at = next;
        }
    }
    found.sort();
    found
}
