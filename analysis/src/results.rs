//! Stored results, by fingerprint: in memory, and in a cache if the front end supplies one.
//!
//! A [`Fingerprint`] identifies everything that a result depends on: the engine, the scope, the obligation and the slice. So a stored
//! result is never out of date. It may become useless; old results are dropped when there are too many.

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    ir::slice,
    obligations::{Obligation, report::Settled},
    verdict::{ObligationName, Scope},
};

/// The engine: its version, and a hash of its source.
pub const ENGINE: &str = env!("CSPEC_ENGINE");

/// Identifies everything that a result depends on. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint of an obligation of the slice with this hash.
    pub(crate) fn new(slice: u128, obligation: &Obligation, scope: &Scope) -> Fingerprint {
        Fingerprint(slice::hash(&(ENGINE, scope, slice, obligation)))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Fingerprint, Self::Err> {
        u128::from_str_radix(text, 16).map(Fingerprint)
    }
}

/// Results that outlive the process. A cache must return what was stored, or nothing: a result that it does not have or does not trust is
/// missing.
pub trait Cache: Send + Sync {
    /// The result with this fingerprint.
    fn load(&self, fingerprint: Fingerprint) -> Option<Settled>;
    /// Keeps a result for later runs.
    fn store(&self, fingerprint: Fingerprint, settled: &Settled);
}

/// The origin of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It was explored in this run, in this time.
    Computed(Duration),
    /// It was explored by this process, in an earlier run, in that time.
    Remembered(Duration),
    /// It comes from the cache.
    Cached,
}

impl Provenance {
    /// The time of its exploration in this process.
    pub fn time(self) -> Duration {
        match self {
            Provenance::Computed(time) | Provenance::Remembered(time) => time,
            Provenance::Cached => Duration::ZERO,
        }
    }
}

/// A result with its origin.
#[derive(Clone, Debug)]
pub struct Known {
    /// The result itself, shared.
    pub settled: Arc<Settled>,
    /// If it does not hold as it is: the result that shows it otherwise.
    pub otherwise: Option<Arc<Settled>>,
    /// The results of searches for a wrong run, as far as it needs them. `None` if they were not made, or not all of them.
    pub searched: Option<Vec<Arc<Settled>>>,
    /// The origin of the result.
    pub provenance: Provenance,
}

/// An obligation of a package, whatever its current text: used to show the result before an edit.
type Name = (String, ObligationName);

/// The fingerprint of its result, the result that shows it otherwise, and the results of the searches that it needed.
type Latest = (Fingerprint, Option<Arc<Settled>>, Option<Vec<Arc<Settled>>>);

/// The results of this process, shared by the threads that compute and show them.
#[derive(Default)]
pub struct Results {
    known: Mutex<Memory>,
    latest: Mutex<HashMap<Name, Latest>>,
    cache: Option<Arc<dyn Cache>>,
}

#[derive(Default)]
struct Memory {
    known: FxHashMap<Fingerprint, Remembered>,
    /// Counts accesses: recently used results are kept longest.
    clock: u64,
}

struct Remembered {
    known: Known,
    used: u64,
}

/// The maximum number of results in memory. A result is small; a workspace has hundreds.
const MOST: usize = 20_000;

impl Results {
    /// Creates an empty store on top of a cache.
    pub fn with_cache(cache: Arc<dyn Cache>) -> Results {
        Results { cache: Some(cache), ..Results::default() }
    }

    /// A result, if this process or the cache has it.
    pub fn find(&self, fingerprint: Fingerprint) -> Option<Known> {
        if let Some(known) = self.peek(fingerprint) {
            return Some(known);
        }
        let settled = Arc::new(self.cache.as_ref()?.load(fingerprint)?);
        let known = Known { settled, otherwise: None, searched: None, provenance: Provenance::Cached };
        locked(&self.known).insert(fingerprint, known.clone());
        Some(known)
    }

    /// A result, if this process has it in memory.
    pub fn peek(&self, fingerprint: Fingerprint) -> Option<Known> {
        let mut memory = locked(&self.known);
        memory.clock += 1;
        let now = memory.clock;
        let remembered = memory.known.get_mut(&fingerprint)?;
        remembered.used = now;
        Some(remembered.known.clone())
    }

    /// Stores a result, with the time that it took.
    pub(crate) fn insert(&self, fingerprint: Fingerprint, settled: Settled, time: Duration) -> Known {
        if let Some(cache) = &self.cache {
            cache.store(fingerprint, &settled);
        }
        let settled = Arc::new(settled);
        let provenance = Provenance::Remembered(time);
        let remembered = Known { settled: Arc::clone(&settled), otherwise: None, searched: None, provenance };
        locked(&self.known).insert(fingerprint, remembered);
        Known { settled, otherwise: None, searched: None, provenance: Provenance::Computed(time) }
    }

    /// Records the current result for an obligation of a package.
    pub(crate) fn note_latest(&self, package: &str, name: &ObligationName, fingerprint: Fingerprint, known: &Known) {
        let latest = (fingerprint, known.otherwise.clone(), known.searched.clone());
        locked(&self.latest).insert((package.to_owned(), name.clone()), latest);
    }

    /// The last result for an obligation of a package, possibly of an earlier text.
    pub(crate) fn latest(&self, package: &str, name: &ObligationName) -> Option<Known> {
        let (fingerprint, otherwise, searched) = locked(&self.latest).get(&(package.to_owned(), name.clone()))?.clone();
        Some(Known { otherwise, searched, ..self.peek(fingerprint)? })
    }
}

impl Memory {
    fn insert(&mut self, fingerprint: Fingerprint, known: Known) {
        self.clock += 1;
        self.known.insert(fingerprint, Remembered { known, used: self.clock });
        if self.known.len() > MOST {
            let mut used: Vec<u64> = self.known.values().map(|it| it.used).collect();
            let (_, &mut median, _) = used.select_nth_unstable(MOST / 2);
            self.known.retain(|_, it| it.used >= median);
        }
    }
}

/// The data under these locks is consistent whenever they are free, even after a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
