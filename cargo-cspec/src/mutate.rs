//! `cargo cspec mutate`: makes one small change after the other, in memory, and shows those that no obligation notices.
//!
//! The engine lists the changes and checks the changed text as it checks an edit in an editor: results that the change does not affect are
//! reused. A change is killed as soon as one obligation is violated, at a small scope if that suffices, or if the check gives a new
//! warning. Neither the files nor the cache are written.

use std::{
    collections::{BTreeSet, HashSet},
    io::{self, IsTerminal as _, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use cspec_analysis::{
    diagnostics::{CodeName, Severity},
    mutation::{self, Mutant},
    obligations::report::Settled,
    report::{Options, SourceText},
    results::Fingerprint,
    session::{Event, Request, Session, Snapshot, State},
    verdict::{ObligationName, Scope, Verdict},
};
use cspec_project::{cache::Cache, unknown};

use crate::{
    cli::{Global, ListFormat, MutateArguments},
    exit::Status,
    interrupt::{self, Stop},
    output::{complain, delivered},
    packages::{self, Prepared},
    progress::Counter,
    render::{
        mutants::{self, Counts, Fate, Render, Tried},
        summary::is_source_error,
    },
};

/// The default budget for one obligation: if it takes much longer than before the change, it is undecided.
const BUDGET: u64 = 20_000_000;

/// Runs `cargo cspec mutate`.
pub fn run(arguments: &MutateArguments, global: &Global) -> Status {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::new(AtomicBool::new(false));
    let (noted, raised) = (Arc::clone(&interrupted), Arc::clone(&flag));
    interrupt::on_interrupt(move || {
        noted.store(true, Ordering::SeqCst);
        raised.store(true, Ordering::SeqCst);
    });
    let ending = Ending {
        started: Instant::now(),
        budget: arguments.budget,
        interrupted,
        stop: Stop::after(arguments.budget, flag),
    };
    mutate_all(arguments, global, &ending).unwrap_or_else(|message| {
        complain(&message);
        Status::Usage
    })
}

/// The error is a finished message.
fn mutate_all(arguments: &MutateArguments, global: &Global, ending: &Ending) -> Result<Status, String> {
    let usual = Scope { budget: BUDGET, ..Scope::default() };
    let packages = packages::prepare_each(&arguments.selection.selection(), &arguments.effort, &usual)?;
    let mut trials: Vec<Trials> = packages.iter().map(|it| Trials::open(it, arguments, ending)).collect();
    let known: Vec<String> = trials.iter().flat_map(|it| it.mutants.iter().flat_map(words)).collect();
    check_filters(&arguments.filters, known)?;
    let mut status = Status::Success;
    for trials in &mut trials {
        let wanted =
            |it: &Mutant| arguments.filters.is_empty() || words(it).iter().any(|word| arguments.filters.contains(word));
        trials.mutants.retain(wanted);
        let mut stdout = io::stdout();
        let mut render: Box<dyn Render> = match arguments.message_format {
            ListFormat::Human => Box::new(mutants::Human::new(&mut stdout, global.colour(), global.detail())),
            ListFormat::Json => Box::new(mutants::Json::new(&mut stdout)),
        };
        let failed = |error: io::Error| (Status::Success, Err(error));
        let (next, written) = match arguments.list {
            true => trials.list(render.as_mut()).map_or_else(failed, |()| (Status::Success, Ok(()))),
            false => {
                trials.check_unchanged()?;
                let is_visible = !global.quiet && io::stderr().is_terminal();
                trials.run(render.as_mut(), is_visible).map_or_else(failed, |counts| (counts.status(), Ok(())))
            }
        };
        status = delivered(worse(status, next), written.and_then(|()| io::stdout().flush()));
        if ending.interrupted.load(Ordering::SeqCst) {
            return Ok(Status::Interrupted);
        }
    }
    Ok(status)
}

/// The combined status of two packages: a survivor is worse than an undecided mutant.
fn worse(one: Status, other: Status) -> Status {
    let rank = |it: Status| match it {
        Status::Success => 0,
        Status::Undecided => 1,
        _ => 2,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// The words that select a mutant.
fn words(mutant: &Mutant) -> Vec<String> {
    vec![mutant.owner.clone(), mutant.function.clone(), mutant.place()]
}

fn check_filters(filters: &[String], mut known: Vec<String>) -> Result<(), String> {
    known.sort();
    known.dedup();
    let wrong = filters.iter().find(|word| !known.contains(word));
    wrong.map_or(Ok(()), |word| {
        let known: Vec<&String> = known.iter().filter(|it| !it.is_empty()).collect();
        Err(unknown("layer, implementation or function to change", word, &known))
    })
}

/// The conditions under which the run ends early.
struct Ending {
    started: Instant,
    budget: Option<Duration>,
    interrupted: Arc<AtomicBool>,
    stop: Stop,
}

impl Ending {
    /// Ends only the current exploration, because the change is killed.
    fn end_this(&self) {
        self.stop.flag.store(true, Ordering::SeqCst);
    }

    /// Allows the next exploration, unless the run must end.
    fn go_on(&self) -> bool {
        self.stop.flag.store(false, Ordering::SeqCst);
        let is_late = self.budget.is_some_and(|it| self.started.elapsed() >= it);
        let is_over = is_late || self.interrupted.load(Ordering::SeqCst);
        if is_over {
            self.end_this();
        }
        !is_over
    }
}

/// A read-only cache, for unchanged obligations: results about mutants are not worth storing.
struct ReadOnly(Cache);

impl cspec_analysis::results::Cache for ReadOnly {
    fn load(&self, fingerprint: Fingerprint) -> Option<Settled> {
        self.0.load(fingerprint)
    }

    fn store(&self, _: Fingerprint, _: &Settled) {}
}

/// One package, changed repeatedly.
struct Trials<'a> {
    prepared: &'a Prepared,
    session: Session,
    files: Vec<SourceText>,
    unchanged: Snapshot,
    mutants: Vec<Mutant>,
    ending: &'a Ending,
    /// The warnings of the unchanged package: an obligation, and a code.
    warnings: HashSet<Warned>,
    /// The killer of the last mutant is more likely than any other to kill the next one.
    last_killer: Option<ObligationName>,
}

impl<'a> Trials<'a> {
    fn open(prepared: &'a Prepared, arguments: &MutateArguments, ending: &'a Ending) -> Trials<'a> {
        let packages = vec![prepared.package.clone()];
        let mut session = match arguments.no_cache || prepared.settings.cache == Some(false) {
            true => Session::open(packages),
            false => Session::with_cache(packages, Arc::new(ReadOnly(Cache::new(&prepared.package.target_directory)))),
        };
        let unchanged = session.snapshot();
        let package = &unchanged.packages()[0];
        let files = package.files.iter().map(|it| SourceText { path: it.shown.clone(), text: it.text.to_string() });
        let (files, mutants) = (files.collect(), mutation::mutants(package));
        let warnings = HashSet::new();
        Trials { prepared, session, files, unchanged, mutants, ending, warnings, last_killer: None }
    }

    fn list(&self, render: &mut dyn Render) -> io::Result<()> {
        self.mutants.iter().try_for_each(|mutant| render.listed(&self.files, mutant))?;
        render.count(&self.prepared.package.title, self.mutants.len())
    }

    /// Refuses a package with violated obligations. The error is a finished message.
    fn check_unchanged(&mut self) -> Result<(), String> {
        let name = &self.prepared.package.title;
        let first =
            || format!("mutants of package `{name}` would be meaningless: run `cargo cspec check -p {name}` first");
        if self.unchanged.packages()[0].diagnostics.iter().any(is_source_error) {
            return Err(format!("the source of package `{name}` has errors\nhelp: {}", first()));
        }
        match self.explore(&self.unchanged, &self.prepared.scope, Verdict::Undecided) {
            Explored::Found(name, verdict) => {
                Err(format!("`{}` is {} as it is\nhelp: {}", name.id(), verdict.name(), first()))
            }
            Explored::Holds(warnings) => {
                self.warnings = warnings.into_iter().collect();
                Ok(())
            }
            Explored::Ended => Ok(()),
        }
    }

    /// Tries all mutants of the package; stops early if the run must end.
    fn run(&mut self, render: &mut dyn Render, is_visible: bool) -> io::Result<Counts> {
        let counter = Counter::new(&self.prepared.package.title, "mutants", is_visible);
        let mutants = std::mem::take(&mut self.mutants);
        counter.planned(mutants.len());
        let mut counts = Counts::new(self.prepared.package.title.clone(), mutants.len());
        for mutant in mutants {
            let started = Instant::now();
            let Some(fate) = self.fate(&mutant) else { break };
            let tried = Tried { mutant, fate, time: started.elapsed() };
            counts.add(&tried.fate);
            counter.finished();
            counter.suspend(|| render.tried(&self.files, &tried))?;
        }
        counts.elapsed = self.ending.started.elapsed();
        drop(counter);
        render.finish(&counts)?;
        Ok(counts)
    }

    /// The fate of a mutant. `None` if the run must end.
    fn fate(&mut self, mutant: &Mutant) -> Option<Fate> {
        let file = &self.unchanged.packages()[0].files[mutant.span.file as usize];
        let path = file.path.clone();
        self.session.set_buffer(&path, mutant.apply(&file.text));
        let changed = self.session.snapshot();
        let fate = self.fate_of(&changed);
        self.session.close_buffer(&path);
        fate
    }

    fn fate_of(&mut self, changed: &Snapshot) -> Option<Fate> {
        let wrong = changed.packages()[0].diagnostics.iter().find(|it| is_source_error(it));
        if let Some(wrong) = wrong {
            return Some(Fate::NoProgram(wrong.message.clone()));
        }
        let scope = &self.prepared.scope;
        for (scope, enough) in [(&scope.smallest(), Verdict::Violated), (scope, Verdict::Undecided)] {
            match self.explore(changed, scope, enough) {
                Explored::Found(killer, Verdict::Violated) => {
                    self.last_killer = Some(killer.clone());
                    return Some(Fate::Killed(killer));
                }
                Explored::Found(name, _) => return Some(Fate::Undecided(name)),
                Explored::Ended => return None,
                Explored::Holds(warnings) if enough == Verdict::Undecided => {
                    let new = warnings.into_iter().find(|it| !self.warnings.contains(it));
                    return Some(new.map_or(Fate::Survived, |(name, _)| Fate::Killed(name)));
                }
                Explored::Holds(_) => {}
            }
        }
        Some(Fate::Survived)
    }

    /// Explores until an obligation is violated; to the end if none is. Then, if the scope is `enough`, an undecided one counts.
    fn explore(&self, snapshot: &Snapshot, scope: &Scope, enough: Verdict) -> Explored {
        if !self.ending.go_on() {
            return Explored::Ended;
        }
        // A proof that fails kills a mutant, whether or not the program is wrong.
        let options = Options { scope: scope.clone(), search_refused: false, ..Options::default() };
        let found: Mutex<Option<(ObligationName, Verdict)>> = Mutex::default();
        let warnings: Mutex<BTreeSet<Warned>> = Mutex::default();
        let told = |event: Event| {
            let Event::Settled { listed, .. } = event else { return };
            let State::Settled(outcome, _) = listed.state else { return };
            let of_warnings = outcome.diagnostics.iter().filter(|it| it.severity == Severity::Warning);
            let warned = of_warnings.map(|it| (listed.name.clone(), it.code));
            warnings.lock().unwrap_or_else(PoisonError::into_inner).extend(warned);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            match outcome.verdict {
                Verdict::Violated | Verdict::NotShown if !matches!(*found, Some((_, Verdict::Violated))) => {
                    *found = Some((listed.name, Verdict::Violated));
                    self.ending.end_this();
                }
                Verdict::Undecided if found.is_none() && enough == Verdict::Undecided => {
                    *found = Some((listed.name, Verdict::Undecided));
                }
                _ => {}
            }
        };
        let killer = self.last_killer.as_ref();
        let first = |name: &ObligationName| Some(name) == killer;
        let request = Request { options: &options, packages: None, only: &|_| true, first: &first };
        let summary = snapshot.run(&request, &told, &self.ending.stop.flag);
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        match found {
            Some((name, Verdict::Violated)) => Explored::Found(name, Verdict::Violated),
            _ if !summary.is_complete => Explored::Ended,
            Some((name, verdict)) => Explored::Found(name, verdict),
            None => Explored::Holds(warnings.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

/// An obligation that holds with a warning, and the warning's code.
type Warned = (ObligationName, CodeName);

/// The result of exploring all obligations.
enum Explored {
    /// This obligation is violated, or else undecided.
    Found(ObligationName, Verdict),
    /// All hold, with these warnings.
    Holds(BTreeSet<Warned>),
    /// The run must end.
    Ended,
}
