//! Runs the engine: opens the packages with the cache, settles the selected obligations, and returns the outcomes in a fixed order.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    diagnostics::{Diagnostic, codes},
    ir::Program,
    report::{Options, PackageReport, SourceText},
    results::Provenance,
    session::{Coverage, Event, File, Listed, PackageSnapshot, Request, Session, Snapshot, State},
    verdict::{ObligationName, Outcome, Verdict},
};
use cspec_project::cache::Cache;

use crate::{packages::Prepared, progress::Counter, render::summary::Checked};

/// Packages in an engine that stays open: after an edit, the results that it does not affect are still known.
pub struct Engine {
    session: Session,
    snapshot: Snapshot,
    packages: Vec<Prepared>,
    cache: Option<Arc<Cache>>,
}

/// The parameters of a check of one package.
pub struct Job<'a> {
    /// Whether to search end to end instead of checking the patterns.
    pub end_to_end: bool,
    /// Selects the obligations to check.
    pub only: &'a (dyn Fn(&ObligationName) -> bool + Sync),
    /// Whether to draw a progress bar.
    pub progress: bool,
    /// Set to stop the run.
    pub stop: &'a AtomicBool,
}

impl Engine {
    /// Opens the packages on disk; with the cache, unless `without_cache` or the settings disable it.
    pub fn open(packages: Vec<Prepared>, without_cache: bool) -> Engine {
        Engine::with_texts(packages, without_cache, |_| {})
    }

    /// Opens the packages with texts that `change` puts over those on disk.
    pub fn with_texts(packages: Vec<Prepared>, without_cache: bool, change: impl FnOnce(&mut Session)) -> Engine {
        let wanted = !without_cache && packages.iter().all(|it| it.settings.cache != Some(false));
        let target = packages.first().filter(|_| wanted).map(|it| &it.package.target_directory);
        let cache = target.map(|it| Arc::new(Cache::new(it)));
        let all = packages.iter().map(|it| it.package.clone()).collect();
        let mut session = match &cache {
            Some(cache) => Session::with_cache(all, Arc::clone(cache) as Arc<_>),
            None => Session::open(all),
        };
        change(&mut session);
        Engine { snapshot: session.snapshot(), session, packages, cache }
    }

    /// Records that these files, or those in these folders, may have changed on disk. Returns the packages' files whose text has changed,
    /// that were added, or that were removed.
    pub fn changed_on_disk(&mut self, paths: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
        let files: Vec<Utf8PathBuf> = self.files().map(|it| it.path.clone()).collect();
        let inside = files.iter().filter(|file| paths.iter().any(|it| file.starts_with(it)));
        paths.iter().chain(inside).for_each(|it| self.session.changed_on_disk(it));
        let before = std::mem::replace(&mut self.snapshot, self.session.snapshot());
        different(&before, &self.snapshot)
    }

    /// Replaces the packages after a change of their manifests.
    pub fn set_packages(&mut self, packages: Vec<Prepared>) {
        self.session.set_packages(packages.iter().map(|it| it.package.clone()).collect());
        self.packages = packages;
        self.snapshot = self.session.snapshot();
    }

    /// The files of all packages.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.snapshot.packages().iter().flat_map(|it| &it.files)
    }

    /// The path of a file of a package, by its number.
    pub fn path(&self, package: usize, file: u32) -> Option<&Utf8Path> {
        Some(&self.snapshot.packages()[package].files.get(file as usize)?.path)
    }

    pub fn packages(&self) -> &[Prepared] {
        &self.packages
    }

    /// The current snapshot of a package.
    pub fn package(&self, package: usize) -> &PackageSnapshot {
        &self.snapshot.packages()[package]
    }

    /// The program of a package.
    pub fn program(&self, package: usize) -> &Program {
        self.snapshot.packages()[package].program()
    }

    /// Why verdicts could not be stored, if storing failed.
    pub fn cache_failure(&self) -> Option<String> {
        self.cache.as_ref().and_then(|it| it.failure())
    }

    /// Every obligation of a package. Explores nothing.
    pub fn obligations(&self, package: usize, end_to_end: bool) -> Vec<Listed> {
        let options = Options { end_to_end, ..self.packages[package].options() };
        self.snapshot.obligations(package, &options)
    }

    /// The coverage of a package's operations: for each layer and operation.
    pub fn coverage(&self, package: usize, stop: &AtomicBool) -> Vec<Vec<Coverage>> {
        let options = self.packages[package].options();
        self.snapshot.coverage(package, &options, stop)
    }

    /// Checks one package, given by its index.
    pub fn check(&self, index: usize, job: &Job<'_>) -> Checked {
        let started = Instant::now();
        let Prepared { package, scope, .. } = &self.packages[index];
        let options = Options { end_to_end: job.end_to_end, ..self.packages[index].options() };
        let counter = Counter::new(&package.title, "obligations", job.progress);
        let settled: Mutex<HashMap<ObligationName, (Outcome, Provenance)>> = Mutex::default();
        let told = |event: Event| match event {
            Event::Planned { total, .. } => counter.planned(total),
            Event::Started { .. } => {}
            Event::Settled { listed, .. } => {
                if let State::Settled(outcome, provenance) = listed.state {
                    counter.finished();
                    let mut settled = settled.lock().unwrap_or_else(PoisonError::into_inner);
                    settled.insert(listed.name, (outcome, provenance));
                }
            }
        };
        let request = Request { options: &options, packages: Some(&[index]), only: job.only, first: &|_| false };
        let explored = self.snapshot.run(&request, &told, job.stop).explored.len();
        let mut settled = settled.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut outcomes = Vec::new();
        let mut cached = Vec::new();
        let mut unsettled = Vec::new();
        for Listed { name, .. } in self.obligations(index, job.end_to_end) {
            match settled.remove(&name) {
                Some((outcome, provenance)) => {
                    outcomes.push((outcome, provenance.time()));
                    cached.push(provenance == Provenance::Cached);
                }
                None if (job.only)(&name) => unsettled.push(name),
                None => {}
            }
        }
        // Another target of the package reports the rest.
        let planned = counter.total().saturating_sub(settled.len()).max(outcomes.len());
        let mut report = self.report(index, outcomes);
        self.add_fixes(index, &mut report, job.stop);
        Checked {
            package: package.clone(),
            scope: scope.clone(),
            is_bare: self.snapshot.packages()[index].is_bare,
            report,
            cached,
            explored,
            planned,
            unsettled,
            elapsed: started.elapsed(),
        }
    }

    /// Adds the fixes of every finding. Only a wrong claim needs the inferred mover types.
    fn add_fixes(&self, index: usize, report: &mut PackageReport, stop: &AtomicBool) {
        let options = self.packages[index].options();
        let is_claim = |it: &Diagnostic| codes::CLAIMS.contains(&it.code);
        if report.outcomes.iter().any(|(it, _)| it.diagnostics.iter().any(is_claim)) {
            self.snapshot.run_movers(index, &options, stop);
        }
        for found in &mut report.diagnostics {
            found.fixes = self.snapshot.fixes(index, &options, found, None, stop);
        }
        let refuted = |it: &Outcome| matches!(it.verdict, Verdict::Violated | Verdict::NotShown);
        let violated = report.outcomes.iter_mut().filter(|(it, _)| refuted(it));
        for (outcome, _) in violated {
            for found in &mut outcome.diagnostics {
                found.fixes = self.snapshot.fixes(index, &options, found, Some(&outcome.name), stop);
            }
        }
    }

    fn report(&self, index: usize, outcomes: Vec<(Outcome, Duration)>) -> PackageReport {
        let snapshot = &self.snapshot.packages()[index];
        let package = &snapshot.package;
        let text =
            |it: &cspec_analysis::session::File| SourceText { path: it.shown.clone(), text: it.text.to_string() };
        PackageReport {
            package: package.name.clone(),
            title: package.title.clone(),
            package_id: package.id.clone(),
            manifest_path: package.manifest_path.clone(),
            target: package.target.clone(),
            files: snapshot.files.iter().map(text).collect(),
            diagnostics: snapshot.diagnostics.clone(),
            outcomes,
        }
    }
}

/// The shown paths of files whose text is in only one of the snapshots.
fn different(before: &Snapshot, now: &Snapshot) -> Vec<Utf8PathBuf> {
    let files = |it: &Snapshot| -> BTreeMap<Utf8PathBuf, Arc<str>> {
        let files = it.packages().iter().flat_map(|it| &it.files);
        files.map(|it| (it.shown.clone(), Arc::clone(&it.text))).collect()
    };
    let (before, now) = (files(before), files(now));
    let paths: BTreeSet<&Utf8PathBuf> = before.keys().chain(now.keys()).collect();
    paths.into_iter().filter(|it| before.get(*it) != now.get(*it)).cloned().collect()
}
