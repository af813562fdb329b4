//! The displayed verdicts on a package: fresh ones, and old ones that stay until they are replaced.
//!
//! This module knows no text: every span in an outcome refers to the current text, and the list is rebuilt when that changes.

use std::collections::BTreeMap;

use cspec_analysis::{
    diagnostics::Diagnostic,
    session::{Listed, State},
    verdict::{ObligationName, Outcome, Verdict},
};

/// The verdicts on a package.
#[derive(Default)]
pub struct Verdicts {
    by_id: BTreeMap<String, Entry>,
}

/// An obligation, and the verdict on it.
pub struct Entry {
    /// The name of the obligation.
    pub name: ObligationName,
    /// The verdict and its findings; `None` if there is none yet, or cannot be one.
    pub outcome: Option<Outcome>,
    /// Which text the verdict belongs to.
    pub age: Age,
}

/// The text that a verdict belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// The verdict is about the current text.
    Fresh,
    /// The verdict is about an earlier text.
    Stale,
    /// There is no verdict yet.
    Unknown,
    /// There is no verdict, because of errors in the source.
    Broken,
}

impl Entry {
    /// The findings of the obligation.
    pub fn findings(&self) -> &[Diagnostic] {
        self.outcome.as_ref().map(|it| &*it.diagnostics).unwrap_or_default()
    }
}

/// The number of obligations for each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Obligations that are proved.
    pub proved: usize,
    /// Obligations that are checked to scope.
    pub checked: usize,
    /// Obligations that are violated.
    pub violated: usize,
    /// Obligations that are not shown.
    pub not_shown: usize,
    /// Obligations that are only searched.
    pub searched: usize,
    /// Obligations that are undecided.
    pub undecided: usize,
    /// The number of verdicts that belong to an earlier text.
    pub stale: usize,
    /// The number of obligations without a verdict.
    pub waiting: usize,
}

impl Verdicts {
    /// Lists all obligations with their states: in the requested scope or, where that is not settled, in a smaller one.
    pub fn list(&mut self, asked: Vec<Listed>, smaller: Vec<Listed>) {
        let settled = |it: Listed| match it.state {
            State::Settled(outcome, _) => Some((it.name, outcome)),
            _ => None,
        };
        let mut smaller: BTreeMap<ObligationName, Outcome> = smaller.into_iter().filter_map(settled).collect();
        self.by_id.clear();
        for Listed { name, state, .. } in asked {
            let (age, outcome) = match (state, smaller.remove(&name)) {
                (State::Settled(outcome, _), _) => (Age::Fresh, Some(outcome)),
                (State::Broken, _) => (Age::Broken, None),
                (_, Some(outcome)) => (Age::Fresh, Some(outcome)),
                (State::Stale(outcome), None) => (Age::Stale, Some(outcome)),
                (State::Unknown, None) => (Age::Unknown, None),
            };
            self.by_id.insert(name.id(), Entry { name, outcome, age });
        }
    }

    /// Records a settled obligation; returns whether findings are added, removed or changed.
    pub fn settled(&mut self, listed: Listed) -> bool {
        let (age, outcome) = match listed.state {
            State::Settled(outcome, _) => (Age::Fresh, Some(outcome)),
            State::Broken => (Age::Broken, None),
            State::Stale(_) | State::Unknown => return false,
        };
        let id = listed.name.id();
        let now = Entry { name: listed.name, outcome, age };
        let is_same = match self.by_id.get(&id) {
            Some(before) => before.findings() == now.findings() && (before.age == now.age || now.findings().is_empty()),
            None => now.findings().is_empty(),
        };
        self.by_id.insert(id, now);
        !is_same
    }

    /// The verdict on an obligation.
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.by_id.get(id)
    }

    /// All obligations with a verdict, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry, &Outcome)> {
        self.by_id.iter().filter_map(|(id, entry)| Some((id.as_str(), entry, entry.outcome.as_ref()?)))
    }

    /// An obligation that `about` selects and that has a counterexample.
    pub fn refuted(&self, about: &dyn Fn(&ObligationName) -> bool) -> Option<&str> {
        let has_run = |it: &Diagnostic| it.counterexample.is_some() || it.wrong_run.is_some();
        let has_counterexample = |it: &Outcome| it.diagnostics.iter().any(has_run);
        self.iter().find(|(_, entry, outcome)| about(&entry.name) && has_counterexample(outcome)).map(|(id, ..)| id)
    }

    /// Counts the verdicts on some obligations.
    pub fn tally(&self, about: &dyn Fn(&ObligationName) -> bool) -> Tally {
        let mut tally = Tally::default();
        for entry in self.by_id.values().filter(|it| about(&it.name)) {
            match entry.outcome.as_ref().map(|it| &it.verdict) {
                Some(Verdict::Proved) => tally.proved += 1,
                Some(Verdict::Checked) => tally.checked += 1,
                Some(Verdict::Searched) => tally.searched += 1,
                Some(Verdict::Violated) => tally.violated += 1,
                Some(Verdict::NotShown) => tally.not_shown += 1,
                Some(Verdict::Undecided) => tally.undecided += 1,
                None => tally.waiting += 1,
            }
            tally.stale += usize::from(entry.age == Age::Stale);
        }
        tally
    }
}

impl Tally {
    /// The number of verdicts.
    pub fn total(self) -> usize {
        self.proved + self.checked + self.searched + self.violated + self.not_shown + self.undecided
    }

    /// The name of the worst verdict.
    pub fn worst(self) -> Option<&'static str> {
        let counts = [
            (self.violated, "violated"),
            (self.not_shown, "not shown"),
            (self.undecided, "undecided"),
            (self.searched, "searched"),
            (self.checked, "checked"),
            (self.proved, "proved"),
        ];
        counts.into_iter().find(|(count, _)| *count > 0).map(|(_, name)| name)
    }

    /// The counts as text, the worst first: `1 violated · 3 checked to scope · 12 proved`.
    pub fn in_words(self) -> String {
        let counts = [
            (self.violated, "violated"),
            (self.not_shown, "not shown"),
            (self.undecided, "undecided"),
            (self.searched, "searched"),
            (self.checked, "checked to scope"),
            (self.proved, "proved"),
            (self.waiting, "without a verdict"),
        ];
        let words = counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
        words.collect::<Vec<_>>().join(" · ")
    }
}
