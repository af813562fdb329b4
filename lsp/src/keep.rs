//! Stored verdicts: the server starts with the results of the command and of earlier servers, and stores its own
//! for the next.
//!
//! The engine looks results up here but stores none: most explorations during typing are about a text that is never seen again.
//! The session passes on the results worth storing when a package is complete and its text is saved. The list of stored results is
//! read once, so a lookup of a missing one costs nothing; results that others add later are not noticed.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    obligations::report::Settled,
    plan::for_a_while,
    report::Options,
    results::{self, Fingerprint, Provenance},
    session::Snapshot,
    verdict::Scope,
};
use cspec_project::cache::Cache;

/// The stored results of all workspaces.
#[derive(Default)]
pub struct Kept {
    /// The stores, by target directory.
    shelves: Mutex<BTreeMap<Utf8PathBuf, Arc<Shelf>>>,
}

/// The stored results of one workspace.
struct Shelf {
    cache: Cache,
    present: Mutex<HashSet<Fingerprint>>,
}

/// A result with its fingerprint.
pub type Named = (Fingerprint, Arc<Settled>);

impl Kept {
    /// Loads the list of results in this target directory. Reads the disk.
    pub fn open(&self, target_directory: &Utf8Path) {
        let cache = Cache::new(target_directory);
        let present = Mutex::new(cache.fingerprints());
        locked(&self.shelves).insert(target_directory.to_owned(), Arc::new(Shelf { cache, present }));
    }

    /// Forgets the results in this target directory.
    pub fn close(&self, target_directory: &Utf8Path) {
        locked(&self.shelves).remove(target_directory);
    }

    /// Writes results into an open target directory. Returns the error of the first failure.
    pub fn keep(&self, target_directory: &Utf8Path, results: Vec<Named>) -> Option<String> {
        let shelf = locked(&self.shelves).get(target_directory).cloned()?;
        let failed_before = shelf.cache.failure().is_some();
        for (fingerprint, settled) in results {
            if locked(&shelf.present).insert(fingerprint) {
                results::Cache::store(&shelf.cache, fingerprint, &settled);
            }
        }
        shelf.cache.failure().filter(|_| !failed_before)
    }
}

impl results::Cache for Kept {
    fn load(&self, fingerprint: Fingerprint) -> Option<Settled> {
        let has = |it: &&Arc<Shelf>| locked(&it.present).contains(&fingerprint);
        let shelf = locked(&self.shelves).values().find(has).cloned()?;
        let found = results::Cache::load(&shelf.cache, fingerprint);
        if found.is_none() {
            // It cannot be trusted, so it will be rewritten.
            locked(&shelf.present).remove(&fingerprint);
        }
        found
    }

    fn store(&self, _: Fingerprint, _: &Settled) {}
}

/// The results of this process for a package in a scope: of its obligations, of those that they rely on, and of its matrix.
pub fn found_out(engine: &Snapshot, package: usize, scope: &Scope) -> Vec<Named> {
    let view = engine.packages()[package].view();
    let plan = view.plan(&Options::default());
    let matrix = view.planned.matrix();
    let movers = for_a_while(scope);
    let smallest = scope.smallest();
    let asked = [(plan, scope), (plan, &smallest), (matrix, &movers), (matrix, &smallest)];
    let fingerprints = asked.into_iter().flat_map(|(plan, scope)| plan.entries.iter().map(|it| it.fingerprint(scope)));
    let known = fingerprints.filter_map(|it| Some((it, engine.results().peek(it)?)));
    known.filter(|(_, it)| it.provenance != Provenance::Cached).map(|(name, it)| (name, it.settled)).collect()
}

/// The data under these locks is consistent whenever they are free, even after a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use cspec_analysis::verdict::Verdict;
    use results::Cache as _;

    use super::*;

    fn result() -> (Fingerprint, Arc<Settled>) {
        let settled = Settled {
            verdict: Verdict::Proved,
            bounds_met: Vec::new(),
            assumptions: Vec::new(),
            cases: 1,
            states: 1,
            diagnostics: Vec::new(),
            relied: Vec::new(),
            refutation: None,
            at_start: Vec::new(),
            at_calls: Vec::new(),
            even_if: Vec::new(),
            is_superseded: false,
            tried: String::new(),
            met_unsupported: false,
            may_be_unreachable: false,
        };
        ("00112233445566778899aabbccddeeff".parse().expect("it is one"), Arc::new(settled))
    }

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("it is UTF-8");
        (folder, path)
    }

    #[test]
    fn what_is_kept_is_there_for_the_next_and_what_is_damaged_is_written_anew() {
        let (_folder, target) = folder();
        let (name, settled) = result();
        let first = Kept::default();
        first.open(&target);
        assert!(first.load(name).is_none());
        assert_eq!(first.keep(&target, vec![(name, Arc::clone(&settled))]), None);

        let second = Kept::default();
        second.open(&target);
        assert_eq!(second.load(name).as_ref(), Some(&*settled));
        let file = target.join("cspec/cache/00/112233445566778899aabbccddeeff");
        std::fs::write(&file, "nonsense").expect("it is writable");
        assert!(second.load(name).is_none());
        second.keep(&target, vec![(name, Arc::clone(&settled))]);
        assert_eq!(second.load(name).as_ref(), Some(&*settled));
    }

    #[test]
    fn nothing_is_kept_where_it_is_not_wanted() {
        let (_folder, target) = folder();
        let (name, settled) = result();
        let kept = Kept::default();
        kept.open(&target);
        kept.close(&target);
        kept.keep(&target, vec![(name, settled)]);
        assert!(kept.load(name).is_none() && !target.join("cspec").exists());
    }

    #[test]
    fn a_disk_that_cannot_be_written_is_told_of_once() {
        let (_folder, target) = folder();
        std::fs::write(target.join("cspec"), "a file where the folder should be").expect("it is writable");
        let (name, settled) = result();
        let kept = Kept::default();
        kept.open(&target);
        assert!(
            kept.keep(&target, vec![(name, Arc::clone(&settled))]).is_some_and(|it| it.contains("cannot be written"))
        );
        assert_eq!(kept.keep(&target, vec![(name, settled)]), None);
    }
}
