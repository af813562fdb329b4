//! The entry point for front ends: texts go in, snapshots come out.
//!
//! One thread owns a [`Session`] and tells it of edits. A [`Snapshot`] is the state of the packages at one moment: plain data that can be
//! sent to any thread. It does not block edits and is not changed by them. It provides the findings in the source, the obligations with
//! their states, and runs. The results of a run are available to all snapshots of the session at once, since they are stored by what they
//! depend on: see [`crate::results`].
//!
//! While brackets do not match, the items of a file cannot be determined. Then a snapshot shows the syntax errors of the current text, and
//! keeps the program of the last text in which they did match, with its positions moved to the current text.

mod targets;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use camino::{Utf8Path, Utf8PathBuf};
use dissimilar::Chunk;
use salsa::Setter;
use targets::Targets;

use crate::{
    db::{self, Database, PackageSources, SourceFile},
    diagnostics::{Applicability, Diagnostic, Fix},
    explore::compile::compile,
    fixes::Fixer,
    index::{Indexed, ModuleDeclaration},
    ir::{
        Anchor, LayerId, Program, SourceMap, Span,
        lower::{Declared, Named},
    },
    obligations::{
        coverage::{self, Ways},
        question::Setting,
    },
    plan::{Plan, View},
    report::{Movers, Options},
    results::{Cache, Fingerprint, Known, Provenance, Results},
    run::Listener,
    syntax::Parse,
    trial::Trial,
    verdict::{ObligationName, Outcome, Scope},
    workspace::{self, CfgOptions, Crates, Files, Package, Texts},
};

/// A session: the packages in work, and their database.
pub struct Session {
    db: Database,
    texts: Texts,
    files: InputFiles,
    packages: Vec<Loaded>,
    /// The sources of packages without files.
    nothing: Option<PackageSources>,
    results: Arc<Results>,
    /// The snapshot of the current texts, if one was taken.
    current: Option<Snapshot>,
}

/// The files in the database. A file that is compiled under different options is several files.
type InputFiles = HashMap<(Utf8PathBuf, Arc<CfgOptions>), SourceFile>;

/// A package with its last results.
struct Loaded {
    package: Package,
    sources: Option<PackageSources>,
    /// The last snapshot in which all brackets match.
    good: Option<Arc<PackageSnapshot>>,
}

/// The packages of a session at one moment.
#[derive(Clone)]
pub struct Snapshot {
    packages: Arc<[Arc<PackageSnapshot>]>,
    results: Arc<Results>,
}

/// A package at one moment.
pub struct PackageSnapshot {
    /// The package itself, as it was opened.
    pub package: Package,
    /// Its files, root file first. A [`Span`]'s `file` is an index into this.
    pub files: Vec<File>,
    /// The findings in the source itself.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether brackets do not match: then the program and the obligations are those of an earlier text.
    pub is_kept: bool,
    /// Whether it contains nothing that another target of the package does not: no layers, or the same program.
    pub is_bare: bool,
    /// Earlier targets of the same package that share files with it. They report the findings that both have.
    earlier: Vec<usize>,
    /// The numbers of the crates that are packages of the session themselves: they report their own obligations.
    elsewhere: Vec<u32>,
    view: View,
    declared: Arc<Declared>,
}

/// A file at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path of the file.
    pub path: Utf8PathBuf,
    /// The path as shown: relative to the workspace root where possible.
    pub shown: Utf8PathBuf,
    /// Its text; empty if it cannot be read.
    pub text: Arc<str>,
    /// The number of the crate that it is text of: 0 for the package itself, above that the libraries that are read with it.
    pub krate: u32,
    /// Its syntax tree, without code that `#[cfg]` excludes.
    pub parse: Parse,
    pub indexed: Arc<Indexed>,
}

/// An obligation in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name of the obligation. Its [`id`](ObligationName::id) stays the same after any edit that keeps the obligation.
    pub name: ObligationName,
    /// The fingerprint of its result.
    pub fingerprint: Fingerprint,
    /// The place where it is stated.
    pub span: Span,
    /// The state of its result.
    pub state: State,
}

/// The state of an obligation's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The outcome is known.
    Settled(Outcome, Provenance),
    /// Only the outcome of an earlier text is known. Its places are moved to the current text, as far as possible.
    Stale(Outcome),
    /// No result of this obligation is known.
    Unknown,
    /// It depends on source with errors: it has no outcome until they are fixed.
    Broken,
}

/// The coverage of an operation: which branches its steps take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The choices and conditions in its code.
    pub forks: Vec<Fork>,
    /// Whether it has a step in some state.
    pub is_enabled: bool,
    /// Whether all its steps in scope were explored.
    pub is_complete: bool,
}

/// A `maybe()`, or an `if`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The place of the choice or condition.
    pub span: Span,
    /// Whether some step takes it with `false`, and with `true`.
    pub taken: [bool; 2],
}

/// The parameters of a run.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The bounds of explorations, and whether the run is end to end.
    pub options: &'a Options,
    /// The packages to run, by index; all of them if it is `None`.
    pub packages: Option<&'a [usize]>,
    /// Selects the obligations to run.
    pub only: &'a (dyn Fn(&ObligationName) -> bool + Sync),
    /// Selects the obligations to run first.
    pub first: &'a (dyn Fn(&ObligationName) -> bool + Sync),
}

impl<'a> Request<'a> {
    /// A request for all obligations, in no particular order.
    pub fn all(options: &'a Options) -> Request<'a> {
        Request { options, packages: None, only: &|_| true, first: &|_| false }
    }
}

/// An event of a run, from any of its threads.
#[derive(Clone, Debug)]
pub enum Event {
    /// The number of obligations of the package. Sent again when one turns out to need others.
    Planned {
        /// The index of the package.
        package: usize,
        /// The number of obligations.
        total: usize,
    },
    /// An obligation is being explored.
    Started {
        /// The index of its package.
        package: usize,
        name: ObligationName,
    },
    /// An obligation is settled, now or already.
    Settled {
        /// The index of its package.
        package: usize,
        /// The obligation; never [`State::Stale`] or [`State::Unknown`].
        listed: Box<Listed>,
    },
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Whether it was not stopped.
    pub is_complete: bool,
    /// The obligations that were explored, by package: all others were known.
    pub explored: BTreeSet<(usize, ObligationName)>,
}

impl Session {
    /// A session on these packages, with the texts on the disk.
    pub fn open(packages: Vec<Package>) -> Session {
        Session::with_known(packages, Arc::default())
    }

    /// Opens a session with a cache of results.
    pub fn with_cache(packages: Vec<Package>, cache: Arc<dyn Cache>) -> Session {
        Session::with_known(packages, Arc::new(Results::with_cache(cache)))
    }

    /// Opens a session with known results.
    pub(crate) fn with_known(packages: Vec<Package>, results: Arc<Results>) -> Session {
        let (db, texts, files) = Default::default();
        let mut session = Session { db, texts, files, packages: Vec::new(), nothing: None, results, current: None };
        session.set_packages(packages);
        session
    }

    /// A session whose database reports its events to `callback`.
    pub fn with_events(packages: Vec<Package>, callback: impl Fn(salsa::Event) + Send + Sync + 'static) -> Session {
        let mut session = Session::open(packages);
        session.db = Database::with_events(callback);
        session
    }

    /// Replaces the packages. Packages that stay keep their results.
    pub fn set_packages(&mut self, packages: Vec<Package>) {
        let mut before = std::mem::take(&mut self.packages);
        let loaded = packages.into_iter().map(|package| {
            let known = before.iter().position(|it| it.package.key() == package.key()).map(|it| before.swap_remove(it));
            let (sources, good) = known.map_or((None, None), |it| (it.sources, it.good));
            Loaded { package, sources, good }
        });
        self.packages = loaded.collect();
        self.current = None;
    }

    /// Gives a file this text, whatever is on disk.
    pub fn set_buffer(&mut self, path: &Utf8Path, text: impl Into<Arc<str>>) {
        self.texts.set_buffer(path, text.into());
        self.current = None;
    }

    /// Hides everything on disk below this folder, except buffers: so another state of the files, such as the index of git, can be checked
    /// without writing it to disk.
    pub fn hide(&mut self, folder: &Utf8Path) {
        self.texts.hide(folder);
        self.current = None;
    }

    /// Drops the buffer of a file: the text on disk is used again.
    pub fn close_buffer(&mut self, path: &Utf8Path) {
        self.texts.close_buffer(path);
        self.current = None;
    }

    /// Records that the file on disk was changed, created or removed.
    pub fn changed_on_disk(&mut self, path: &Utf8Path) {
        self.texts.changed_on_disk(path);
        self.current = None;
    }

    /// The packages as they are now. Reads, parses and lowers what has changed; explores nothing.
    pub fn snapshot(&mut self) -> Snapshot {
        if let Some(current) = &self.current {
            return current.clone();
        }
        let sources: Vec<PackageSources> = (0..self.packages.len()).map(|it| self.read(it)).collect();
        let targets = Targets::new(&self.db, &self.packages, &sources);
        let mut packages = Vec::new();
        for (index, sources) in sources.into_iter().enumerate() {
            packages.push(self.package_snapshot(index, sources, &targets, &packages));
        }
        let snapshot = Snapshot { packages: packages.into(), results: Arc::clone(&self.results) };
        self.current = Some(snapshot.clone());
        snapshot
    }

    fn package_snapshot(
        &mut self,
        index: usize,
        sources: PackageSources,
        targets: &Targets,
        before: &[Arc<PackageSnapshot>],
    ) -> Arc<PackageSnapshot> {
        let is_bare = targets.is_bare(index);
        // A file without declarations needs no work.
        let sources = if is_bare { self.no_sources() } else { sources };
        let is_unbalanced = sources.files(&self.db).iter().any(|it| db::parse(&self.db, *it).is_unbalanced());
        let mut snapshot = self.as_it_stands(index, sources);
        if targets.tells(index) {
            let not_read = self.left_out(&snapshot.package);
            snapshot.diagnostics.extend(not_read);
        }
        snapshot.elsewhere = targets.of_libraries(&snapshot.package);
        snapshot.leave_to_libraries();
        snapshot.earlier = targets.before(index);
        snapshot.earlier.retain(|it| before[*it].shares_with(&snapshot.files));
        let earlier: Vec<&PackageSnapshot> = snapshot.earlier.iter().map(|it| &*before[*it]).collect();
        snapshot.is_bare = is_bare || earlier.iter().any(|it| snapshot.adds_nothing_to(it));
        if targets.have_nothing(index) && !is_bare {
            snapshot.diagnostics.push(db::no_layers(&snapshot.package));
        }
        if let Some(good) = self.packages[index].good.as_ref().filter(|_| is_unbalanced) {
            let db = &self.db;
            let syntax = sources.files(db).iter().zip(0..).flat_map(|(it, file)| db::parse(db, *it).diagnostics(file));
            snapshot.diagnostics = sources.unread(db).iter().cloned().chain(syntax).collect();
            snapshot.view = good.view.moved(moves(&good.files, &snapshot.files));
            snapshot.declared = Arc::clone(&good.declared);
            snapshot.is_kept = true;
        }
        targets::only_own(&mut snapshot.diagnostics, &snapshot.files, &earlier);
        let snapshot = Arc::new(snapshot);
        if !snapshot.is_kept {
            self.packages[index].good = (!is_unbalanced).then(|| Arc::clone(&snapshot));
        }
        snapshot
    }

    /// A package by itself, whether or not its brackets match.
    fn as_it_stands(&self, index: usize, sources: PackageSources) -> PackageSnapshot {
        let package = self.packages[index].package.clone();
        let db = &self.db;
        let lowered = db::lowered(db, sources);
        let found = (0..).zip(sources.files(db)).zip(sources.paths(db));
        let files: Vec<File> = found
            .map(|((number, file), shown)| File {
                krate: sources.crates(db).of_file(number),
                path: file.path(db).clone(),
                shown: shown.clone(),
                text: Arc::clone(file.text(db)),
                parse: db::parse(db, *file).clone(),
                indexed: Arc::clone(db::indexed(db, *file)),
            })
            .collect();
        let planned = Arc::clone(db::planned(db, sources));
        let view = View::new(planned, Arc::clone(&lowered.source_map), &lowered.diagnostics);
        let (diagnostics, declared) = (lowered.diagnostics.clone(), Arc::clone(db::declared(db, sources)));
        let (is_kept, is_bare, earlier, elsewhere) = Default::default();
        PackageSnapshot { package, files, diagnostics, is_kept, is_bare, earlier, elsewhere, view, declared }
    }

    /// The sources of a package without files.
    fn no_sources(&mut self) -> PackageSources {
        let db = &self.db;
        let new = || PackageSources::new(db, Vec::new(), Vec::new(), Vec::new(), Vec::new(), Arc::default());
        *self.nothing.get_or_insert_with(new)
    }

    /// Brings the database up to date with the files of a package.
    fn read(&mut self, index: usize) -> PackageSources {
        let Session { db, texts, files, packages, .. } = self;
        let package = packages[index].package.clone();
        let mut reader = Reader { db, texts, files, package: &package };
        let found = workspace::source_files(&package, &mut reader);
        let paths: Vec<Utf8PathBuf> = found.files.iter().map(|it| it.shown.clone()).collect();
        let parents: Vec<Option<(u32, u32)>> = found.files.iter().map(|it| it.parent).collect();
        let files: Vec<SourceFile> = found.files.iter().map(|it| reader.file(it.krate, &it.path).0).collect();
        let of_files = found.files.iter().map(|it| it.krate).collect();
        let unread = found.diagnostics;
        let db = &mut self.db;
        let sources = &mut self.packages[index].sources;
        let crates = Crates::new(of_files, Arc::clone(&package.reading), Arc::clone(&package.dependencies));
        let new = || PackageSources::new(db, Vec::new(), Vec::new(), Vec::new(), Vec::new(), Arc::default());
        let sources = *sources.get_or_insert_with(new);
        // Setting an input, even to the same value, invalidates what depends on it.
        if *sources.files(db) != files || *sources.paths(db) != paths {
            sources.set_files(db).to(files);
            sources.set_paths(db).to(paths);
        }
        if *sources.parents(db) != parents {
            sources.set_parents(db).to(parents);
        }
        if **sources.crates(db) != crates {
            sources.set_crates(db).to(Arc::new(crates));
        }
        if *sources.unread(db) != unread {
            sources.set_unread(db).to(unread);
        }
        sources
    }
}

/// Reads files into the database.
struct Reader<'s> {
    db: &'s mut Database,
    texts: &'s mut Texts,
    files: &'s mut InputFiles,
    package: &'s Package,
}

impl Reader<'_> {
    /// The file in the database, with its current text; and the error if it cannot be read.
    fn file(&mut self, krate: u32, path: &Utf8Path) -> (SourceFile, Option<String>) {
        let (text, unreadable) = match self.texts.read(path) {
            Ok(text) => (text, None),
            Err(reason) => (Arc::from(""), Some(reason)),
        };
        let db = &mut *self.db;
        let cfg = &self.package.reading_of(krate).cfg;
        let file = self.files.entry((path.to_owned(), Arc::clone(cfg)));
        let new = || SourceFile::new(db, path.to_owned(), Arc::clone(&text), Arc::clone(cfg));
        let file = *file.or_insert_with(new);
        if *file.text(db) != text {
            file.set_text(db).to(text);
        }
        (file, unreadable)
    }
}

impl Files for Reader<'_> {
    fn modules(&mut self, krate: u32, path: &Utf8Path) -> Result<Vec<ModuleDeclaration>, String> {
        let (file, unreadable) = self.file(krate, path);
        unreadable.map_or_else(|| Ok(db::modules(self.db, file).clone()), Err)
    }

    fn has_word(&mut self, krate: u32, path: &Utf8Path, word: &str) -> bool {
        let (file, _) = self.file(krate, path);
        let is_part = |it: char| it.is_alphanumeric() || it == '_';
        let text = file.text(self.db);
        text.match_indices(word)
            .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
    }

    fn exists(&self, path: &Utf8Path) -> bool {
        self.texts.exists(path)
    }
}

/// Reports the events of the run of one package.
struct Teller<'a> {
    index: usize,
    package: &'a PackageSnapshot,
    plan: &'a Plan,
    scope: &'a Scope,
    results: &'a Results,
    told: &'a (dyn Fn(Event) + Sync),
    explored: &'a Mutex<BTreeSet<(usize, ObligationName)>>,
}

impl Teller<'_> {
    fn name(&self, entry: usize) -> ObligationName {
        self.plan.entries[entry].name.clone()
    }
}

impl Listener for Teller<'_> {
    fn planned(&self, total: usize) {
        (self.told)(Event::Planned { package: self.index, total });
    }

    fn started(&self, entry: usize) {
        (self.told)(Event::Started { package: self.index, name: self.name(entry) });
    }

    fn explored(&self, entry: usize) {
        let mut explored = self.explored.lock().unwrap_or_else(PoisonError::into_inner);
        explored.insert((self.index, self.name(entry)));
    }

    fn settled(&self, entry: usize, known: &Known) {
        let (view, index) = (&self.package.view, entry);
        let entry = &self.plan.entries[index];
        let fingerprint = entry.fingerprint(self.scope);
        self.results.note_latest(&self.package.package.key(), &entry.name, fingerprint, known);
        let Some(state) = view.state(self.plan, index, known) else { return };
        let listed = Listed { name: entry.name.clone(), fingerprint, span: view.span(entry), state };
        (self.told)(Event::Settled { package: self.index, listed: Box::new(listed) });
    }
}

impl View {
    /// The state of an obligation with this result, if it is an obligation.
    fn state(&self, plan: &Plan, entry: usize, known: &Known) -> Option<State> {
        match self.outcome(plan, entry, known) {
            Some(outcome) => Some(State::Settled(outcome, known.provenance)),
            None => self.is_owed(&plan.entries[entry], known).then_some(State::Broken),
        }
    }
}

/// The new positions of the parts of an earlier text.
enum Moves {
    /// The text has not changed.
    Nowhere,
    /// Equal parts: start and end in the old text, start in the new one.
    Parts(Vec<(u32, u32, u32)>),
}

impl Moves {
    fn between(before: &str, now: &str) -> Moves {
        if before == now {
            return Moves::Nowhere;
        }
        let (mut old, mut new) = (0, 0);
        let mut parts = vec![(0, 0, 0)];
        for chunk in dissimilar::diff(before, now) {
            match chunk {
                Chunk::Equal(text) => {
                    let length = text.len() as u32;
                    parts.push((old, old + length, new));
                    (old, new) = (old + length, new + length);
                }
                Chunk::Delete(text) => old += text.len() as u32,
                Chunk::Insert(text) => new += text.len() as u32,
            }
        }
        Moves::Parts(parts)
    }

    /// The new offset; a removed part maps to the place where it was removed.
    fn place(&self, offset: u32) -> u32 {
        let Moves::Parts(parts) = self else { return offset };
        let last = parts.iter().rev().find(|(start, ..)| *start <= offset);
        last.map_or(0, |(start, end, now)| now + offset.min(*end) - start)
    }

    fn span(&self, file: u32, span: Span) -> Span {
        let start = self.place(span.start);
        // Text added right after a span does not belong to it.
        let end = if span.start < span.end { self.place(span.end - 1) + 1 } else { start };
        Span { file, start, end: end.max(start) }
    }
}

/// Maps spans of earlier texts to the current ones.
fn moves(before: &[File], now: &[File]) -> impl Fn(Span) -> Span {
    let of_file = |old: &File| {
        let file = now.iter().position(|it| it.path == old.path)?;
        Some((file as u32, Moves::between(&old.text, &now[file].text)))
    };
    let files: Vec<Option<(u32, Moves)>> = before.iter().map(of_file).collect();
    move |span| match files.get(span.file as usize) {
        Some(Some((file, moves))) => moves.span(*file, span),
        _ => Span { file: 0, start: 0, end: 0 },
    }
}

impl PackageSnapshot {
    /// The program of the package.
    pub fn program(&self) -> &Arc<Program> {
        &self.view.planned.program
    }

    /// The positions of the program.
    pub fn source_map(&self) -> &Arc<SourceMap> {
        &self.view.source_map
    }

    /// The layer, implementation or stack that a path refers to in a scope of a file, given by its number there.
    pub fn named(&self, file: u32, scope: u32, path: &[String]) -> Option<Named> {
        self.declared.named(file, scope, path)
    }

    /// The planned program, with its positions.
    pub fn view(&self) -> &View {
        &self.view
    }
}

impl Snapshot {
    /// The packages, in the given order.
    pub fn packages(&self) -> &[Arc<PackageSnapshot>] {
        &self.packages
    }

    /// The known results, by fingerprint.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// The obligations of a package, in a fixed order, with their states; without those that an earlier target of the same package has at
    /// the same place. Explores nothing.
    pub fn obligations(&self, package: usize, options: &Options) -> Vec<Listed> {
        let elsewhere = self.stated_before(package, options);
        let package = &self.packages[package];
        let view = &package.view;
        let plan = view.plan(options);
        let listed = view.owed(plan, &options.scope, &self.results).into_iter().filter_map(|index| {
            let entry = &plan.entries[index];
            if !package.tells(entry, options, &elsewhere) {
                return None;
            }
            let fingerprint = entry.fingerprint(&options.scope);
            let known = plan.known(index, options, &self.results);
            let earlier = || {
                let known = self.results.latest(&package.package.key(), &entry.name)?;
                Some(State::Stale(view.outcome(plan, index, &known)?))
            };
            let state = match &known {
                Some(known) => match view.state(plan, index, known)? {
                    State::Settled(outcome, _) if package.is_kept => State::Stale(outcome),
                    state => state,
                },
                None => earlier().unwrap_or(State::Unknown),
            };
            Some(Listed { name: entry.name.clone(), fingerprint, span: view.span(entry), state })
        });
        listed.collect()
    }

    /// Settles unknown obligations, and reports every settled obligation, known ones first. Works on all cores until it is done or `stop`
    /// is set, and blocks the calling thread until then.
    ///
    /// A package whose brackets do not match is not run.
    pub fn run(&self, request: &Request<'_>, told: &(dyn Fn(Event) + Sync), stop: &AtomicBool) -> Summary {
        let explored = Mutex::new(BTreeSet::new());
        let all: Vec<usize> = (0..self.packages.len()).collect();
        for &index in request.packages.unwrap_or(&all) {
            if !self.packages[index].is_kept {
                self.run_package(index, request, told, &explored, stop);
            }
        }
        let explored = explored.into_inner().unwrap_or_else(PoisonError::into_inner);
        Summary { is_complete: !stop.load(Ordering::Relaxed), explored }
    }

    fn run_package(
        &self,
        index: usize,
        request: &Request<'_>,
        told: &(dyn Fn(Event) + Sync),
        explored: &Mutex<BTreeSet<(usize, ObligationName)>>,
        stop: &AtomicBool,
    ) {
        let package = &self.packages[index];
        let view = &package.view;
        let plan = view.plan(request.options);
        let elsewhere = self.stated_before(index, request.options);
        let wanted = |entry: &usize| {
            let entry = &plan.entries[*entry];
            package.tells(entry, request.options, &elsewhere) && (request.only)(&entry.name)
        };
        let (first, rest): (Vec<usize>, Vec<usize>) =
            plan.by_weight().into_iter().filter(wanted).partition(|entry| (request.first)(&plan.entries[*entry].name));
        let scope = &request.options.scope;
        let teller = Teller { index, package, plan, scope, results: &self.results, told, explored };
        view.run(plan, &[first, rest].concat(), request.options, &self.results, &teller, stop);
    }

    /// Edits that resolve a finding of a package, the best first; `about` is the obligation that it refutes, if any. The replacement of a
    /// wrong claim depends on the known mover types: see [`Self::run_movers`]. Each edit is tried: one that does not leave fewer errors, or
    /// that adds a new one, is left out. Explores what the edit affects, until `stop` is set.
    pub fn fixes(
        &self,
        package: usize,
        options: &Options,
        found: &Diagnostic,
        about: Option<&ObligationName>,
        stop: &AtomicBool,
    ) -> Vec<Fix> {
        let movers = || self.movers(package, options);
        let package = &self.packages[package];
        // The text of a library is not this package's to change.
        if package.files.get(found.span.file as usize).is_some_and(|it| it.krate != 0) {
            return Vec::new();
        }
        let mut fixes = Fixer { package, movers: &movers }.fixes(found, about);
        let trial = Trial { package, results: &self.results, options, stop };
        // An edit that a person has to complete cannot be tried.
        fixes.retain(|it| it.applicability == Applicability::HasPlaceholders || trial.helps(it));
        fixes
    }

    /// The known mover types of a package's operations: for each layer and operation, its type and its row of the matrix. Explores nothing.
    pub fn movers(&self, package: usize, options: &Options) -> Vec<Vec<(Movers, Vec<Movers>)>> {
        self.packages[package].view.movers(&options.scope, &self.results)
    }

    /// The coverage of a package's operations: for each layer and operation, in order. Explores each time, without stored results.
    pub fn coverage(&self, package: usize, options: &Options, stop: &AtomicBool) -> Vec<Vec<Coverage>> {
        let package = &self.packages[package];
        let (program, source_map) = (package.program(), package.source_map());
        let code = compile(program);
        let setting = Setting::new(program, &code, &options.scope, stop);
        let of_operation = |layer, operation| {
            let Ways { forks, is_enabled, is_complete } = coverage::of_operation(&setting, layer, operation);
            let forks = forks.into_iter().filter_map(|((function, node), taken)| {
                Some(Fork { span: source_map.span(Anchor::Node(function, node))?, taken })
            });
            Coverage { forks: forks.collect(), is_enabled, is_complete }
        };
        let layers = program.layers.iter().zip((0..).map(LayerId));
        layers.map(|(it, layer)| (0..it.operations.len()).map(|at| of_operation(layer, at)).collect()).collect()
    }

    /// Infers the mover types of a package's operations, which [`Self::movers`] then returns.
    pub fn run_movers(&self, package: usize, options: &Options, stop: &AtomicBool) {
        self.packages[package].view.run_movers(&options.scope, &self.results, stop);
    }
}
