//! The layers of the mail server, unchanged or with text replaced.
//!
//! All checks of one test share their results, so a patch explores only what it changes.

// Each test file is a crate of its own and uses only some of these functions.
#![allow(dead_code)]

use std::sync::{Mutex, atomic::AtomicBool};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    diagnostics::{Diagnostic, Severity},
    report::Options,
    session::{Request, Session, Snapshot, State},
    verdict::{ObligationName, Outcome, Scope, Verdict},
    workspace::Package,
};

/// A file in `cmail/src/layers`, a text that occurs in it once, and the replacement.
pub type Edit = (&'static str, &'static str, &'static str);

/// A session on the layers, shared by the checks of a test.
pub struct Layers(Mutex<Session>);

/// The results of checking some obligations.
pub struct Checked {
    /// The engine's snapshot of the layers.
    pub snapshot: Snapshot,
    /// The outcomes of the requested obligations that have a verdict.
    pub outcomes: Vec<Outcome>,
}

/// The options of the command by default.
pub fn patterns() -> Options {
    Options::default()
}

/// The options of the end-to-end search.
pub fn end_to_end() -> Options {
    Options { scope: Scope { budget: 20_000_000, ..Scope::default() }, end_to_end: true, ..Options::default() }
}

fn folder() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../cmail/src/layers").canonicalize_utf8().expect("the layers")
}

impl Layers {
    /// Opens the layers, without any results.
    pub fn open() -> Layers {
        let folder = folder();
        Layers(Mutex::new(Session::open(vec![Package::library("cmail", &folder, &folder.join("mod.rs"))])))
    }

    /// Checks all obligations of the layers with some text replaced.
    #[track_caller]
    pub fn check(&self, edits: &[Edit], options: &Options) -> Checked {
        self.check_only(edits, options, &|_| true)
    }

    /// Checks the obligations with these names, and the lemmas that they need.
    #[track_caller]
    pub fn check_only(
        &self,
        edits: &[Edit],
        options: &Options,
        only: &(dyn Fn(&ObligationName) -> bool + Sync),
    ) -> Checked {
        let snapshot = self.patched(edits);
        let stop = AtomicBool::new(false);
        snapshot.run(&Request { only, ..Request::all(options) }, &|_| (), &stop);
        let owed = snapshot.obligations(0, options);
        let outcomes = owed.into_iter().filter_map(|it| match it.state {
            State::Settled(outcome, _) => Some(outcome),
            State::Stale(_) | State::Unknown | State::Broken => None,
        });
        Checked { outcomes: outcomes.collect(), snapshot }
    }

    /// The snapshot of the layers with some text replaced; explores nothing.
    #[track_caller]
    pub fn patched(&self, edits: &[Edit]) -> Snapshot {
        let mut texts: Vec<(Utf8PathBuf, String)> = Vec::new();
        for (file, find, replace) in edits {
            let path = folder().join(file);
            let index = texts.iter().position(|(it, _)| *it == path).unwrap_or_else(|| {
                let text = std::fs::read_to_string(&path).expect("a source file");
                texts.push((path, text));
                texts.len() - 1
            });
            let text = &mut texts[index].1;
            assert_eq!(text.matches(find).count(), 1, "`{find}` should be in {file} once");
            *text = text.replacen(find, replace, 1);
        }
        let mut session = self.0.lock().expect("no test that holds the session panics");
        for (path, text) in &texts {
            session.set_buffer(path, text.as_str());
        }
        let snapshot = session.snapshot();
        for (path, _) in &texts {
            session.close_buffer(path);
        }
        snapshot
    }
}

impl Checked {
    /// The errors in the source.
    pub fn source_errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.snapshot.packages()[0].diagnostics.iter().filter(|it| it.severity == Severity::Error)
    }

    /// The obligations that are neither proved nor checked.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|it| !matches!(it.verdict, Verdict::Proved | Verdict::Checked))
    }

    /// The text of the line that a finding is in, and the name of its file.
    pub fn place(&self, diagnostic: &Diagnostic) -> (&str, &str) {
        let file = &self.snapshot.packages()[0].files[diagnostic.span.file as usize];
        let start = diagnostic.span.start as usize;
        let line = file.text[..start].matches('\n').count();
        (file.shown.file_name().unwrap_or_default(), file.text.lines().nth(line).unwrap_or_default().trim())
    }

    /// Every finding, as a user would read it, with its obligation.
    pub fn in_words(&self) -> String {
        let of_source = self.source_errors().map(|it| (it, "the source".to_owned()));
        let of_obligations = self.failed().flat_map(|outcome| {
            let id = format!("{} {}", outcome.verdict.name(), outcome.name.id());
            outcome.diagnostics.iter().map(move |it| (it, id.clone()))
        });
        let line = |(it, about): (&Diagnostic, String)| {
            let (file, line) = self.place(it);
            format!("{} {about}\n    {file}: {line}\n    {}\n", it.code, it.message)
        };
        of_source.chain(of_obligations).map(line).collect()
    }
}
