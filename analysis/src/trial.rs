//! Tries a fix before it is offered: computes the findings that would remain.
//!
//! A fix helps if it leaves fewer errors and adds no new one. Results that the edit does not affect are stored already;
//! the rest is explored. The package itself does not change, nor does the state that front ends see.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    diagnostics::{CodeName, Diagnostic, Fix, Severity},
    plan::Entry,
    report::Options,
    results::Results,
    run::Nobody,
    session::{PackageSnapshot, Session},
    verdict::ObligationName,
};

/// An error without its position, since an edit moves positions: its code, and the obligation or the message.
type Found = (CodeName, String, String);

/// Tries fixes of one package.
pub(crate) struct Trial<'a> {
    pub package: &'a PackageSnapshot,
    /// The results that are known before the trial.
    pub results: &'a Arc<Results>,
    /// The options of the check.
    pub options: &'a Options,
    /// Set to stop; a fix whose trial is not complete does not count.
    pub stop: &'a AtomicBool,
}

impl Trial<'_> {
    /// Whether a fix leaves fewer errors and adds no new one, among the known obligations and new ones.
    pub(crate) fn helps(&self, fix: &Fix) -> bool {
        let Some(mut session) = self.edited(fix) else { return false };
        let snapshot = session.snapshot();
        let edited = &snapshot.packages()[0];
        let left_out = self.unknown();
        let before = self.errors(self.package, &left_out);
        let plan = edited.view().plan(self.options);
        let is_wanted = |entry: &usize| !left_out.contains(&plan.entries[*entry].name);
        let wanted: Vec<usize> = plan.by_weight().into_iter().filter(is_wanted).collect();
        // A search tells only what to say of a proof that fails.
        let options = Options { search_refused: false, ..self.options.clone() };
        edited.view().run(plan, &wanted, &options, self.results, &Nobody, self.stop);
        let after = self.errors(edited, &left_out);
        !self.stop.load(Ordering::Relaxed) && after.len() < before.len() && after.is_subset(&before)
    }

    /// Obligations without a result, which the trial ignores.
    fn unknown(&self) -> BTreeSet<ObligationName> {
        let view = self.package.view();
        let plan = view.plan(self.options);
        let owed = view.owed(plan, &self.options.scope, self.results).into_iter().map(|it| &plan.entries[it]);
        let is_unknown = |it: &&Entry| self.results.find(it.fingerprint(&self.options.scope)).is_none();
        owed.filter(is_unknown).map(|it| it.name.clone()).collect()
    }

    /// The package after the fix.
    fn edited(&self, fix: &Fix) -> Option<Session> {
        let mut session = Session::with_known(vec![self.package.package.clone()], Arc::clone(self.results));
        for (file, number) in self.package.files.iter().zip(0..) {
            let mut text = file.text.to_string();
            if number == fix.span.file {
                let span = fix.span.start as usize..fix.span.end as usize;
                text.get(span.clone())?;
                text.replace_range(span, &fix.replacement);
            }
            session.set_buffer(&file.path, text);
        }
        Some(session)
    }

    /// The errors in the source, and those of obligations as far as they are known.
    fn errors(&self, package: &PackageSnapshot, left_out: &BTreeSet<ObligationName>) -> BTreeSet<Found> {
        let is_error = |it: &&Diagnostic| it.severity == Severity::Error;
        let in_source = package.diagnostics.iter().filter(is_error);
        let mut found: BTreeSet<Found> = in_source.map(|it| (it.code, String::new(), it.message.clone())).collect();
        let (view, scope) = (package.view(), &self.options.scope);
        let plan = view.plan(self.options);
        let owed = view.owed(plan, scope, self.results).into_iter().map(|it| &plan.entries[it]);
        for entry in owed.filter(|it| !left_out.contains(&it.name)) {
            let known = self.results.find(entry.fingerprint(scope));
            let outcome = known.and_then(|it| view.outcome_of_proof(entry, &it));
            let errors = outcome.iter().flat_map(|it| &it.diagnostics).filter(is_error);
            found.extend(errors.map(|it| (it.code, entry.name.id(), String::new())));
        }
        found
    }
}
