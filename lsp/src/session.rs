//! The session: the only owner of documents, packages and verdicts, on one thread, fed by one queue.
//!
//! It never waits for the client or for an exploration, and for the disk only while it reads a file. An edit only stores the new text;
//! the text is analysed once, when a request needs it or when the queue is empty.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    ir::{Program, Span},
    report::Options,
    session::{self as engine, State},
    verdict::{ObligationName, Scope},
    workspace::{self, LoadError, Package, Selection},
};
use cspec_project::{Settings, scalars};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tower_lsp_server::ls_types::*;

use crate::{
    capabilities::{self, Client, Refresh},
    config::{Config, Trigger},
    documents::{self, Documents, Refused},
    features::{Matrix, layers},
    keep::{Kept, found_out},
    publish::Publisher,
    run::{Heard, Job, Run, without_search},
    server::{Outgoing, Step},
    snapshot::{PackageView, View},
    verdicts::Verdicts,
};

/// A request for the session, which also sends the answer.
pub type Question = Box<dyn FnOnce(&mut Session) + Send>;

/// An event for the session.
pub enum Event {
    /// The client is ready.
    Initialized,
    /// A document was opened.
    Opened(TextDocumentItem),
    /// A document was edited.
    Changed(DidChangeTextDocumentParams),
    /// A document was saved.
    Saved(Uri),
    /// A document was closed.
    Closed(Uri),
    /// Files were changed outside of the client.
    FilesChanged(Vec<FileEvent>),
    /// Settings were changed; `null` if the client wants to be asked for them.
    Configuration(Value),
    /// Workspace folders were added or removed.
    Folders(WorkspaceFoldersChangeEvent),
    /// A request of the client.
    Ask(Question),
    /// The packages of a folder were loaded.
    Loaded(Utf8PathBuf, Result<Vec<Package>, LoadError>),
    /// A message from a run.
    Run(u64, Heard),
}

/// How long old findings are shown before they are marked as stale.
const STALE_AFTER: Duration = Duration::from_millis(250);
/// How long a run takes before its progress is shown.
const LONG: Duration = Duration::from_millis(400);
/// The interval in which findings of a run are published.
const PUBLISH_EVERY: Duration = Duration::from_millis(25);

/// The interval in which progress is sent to the client.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// The phase of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has been explored since the last edit, and nothing will be until requested.
    #[default]
    NotRun,
    /// It waits for its run.
    Queued,
    /// This many obligations are settled, of this many.
    Running(usize, usize),
    /// Everything is settled for the current text.
    Settled,
}

/// The state of a package, besides its text.
#[derive(Default)]
pub struct PackageState {
    pub verdicts: Verdicts,
    /// The phase of the package's run.
    pub phase: Phase,
    /// The last matrix of movers, with the program that it is about.
    pub matrix: Option<(Arc<Program>, Arc<Matrix>)>,
    /// The obligations that were not settled when they were last listed.
    pub open: BTreeSet<ObligationName>,
    /// Those of them in the declaration that was last edited.
    pub near: BTreeSet<ObligationName>,
    /// A scope that a command has requested, instead of the configured one.
    pub scope: Option<Scope>,
}

pub struct Session {
    /// The capabilities of the client.
    pub client: Client,
    /// The settings of the client.
    pub config: Config,
    /// The open documents of the client.
    pub documents: Documents,
    /// The states of packages, by [`Package::key`].
    pub states: HashMap<String, PackageState>,
    outgoing: UnboundedSender<Outgoing>,
    queue: Sender<Event>,
    roots: HashMap<Utf8PathBuf, Vec<Package>>,
    /// Folders whose packages are being loaded.
    loading: BTreeSet<Utf8PathBuf>,
    /// The settings of each manifest, and the error in it, if any.
    settings: HashMap<Utf8PathBuf, (Settings, Option<String>)>,
    kept: Arc<Kept>,
    engine: engine::Session,
    view: View,
    /// Whether the text has changed since `view`.
    dirty: bool,
    /// Whether the packages have changed since `view`.
    reloaded: bool,
    /// Whether an exploration is wanted.
    wanted: bool,
    runs: u64,
    run: Option<Run>,
    publisher: Publisher,
    /// Whether a user waits for the publication, so that it must not be delayed.
    is_urgent: bool,
    /// Whether the client must be told the state of packages, after the publication.
    status_due: bool,
    /// The place of the last edit.
    last_edited: Option<(Utf8PathBuf, u32)>,
    /// The time when the client was last told the state of packages.
    status_told: Instant,
}

impl Session {
    /// A session with a client that has just sent `initialize`.
    pub fn new(
        client: Client,
        config: Config,
        params: &InitializeParams,
        queue: Sender<Event>,
        outgoing: UnboundedSender<Outgoing>,
    ) -> Session {
        let kept = Arc::new(Kept::default());
        let mut engine = engine::Session::with_cache(Vec::new(), Arc::clone(&kept) as Arc<_>);
        let view = View::new(engine.snapshot(), None, client.encoding, &|_| None);
        let mut session = Session {
            client,
            config,
            documents: Documents::default(),
            states: HashMap::new(),
            outgoing,
            queue,
            roots: HashMap::new(),
            loading: BTreeSet::new(),
            settings: HashMap::new(),
            kept,
            engine,
            view,
            dirty: false,
            reloaded: false,
            wanted: false,
            runs: 0,
            run: None,
            publisher: Publisher::default(),
            is_urgent: false,
            status_due: false,
            last_edited: None,
            status_told: Instant::now(),
        };
        #[expect(deprecated, reason = "what older clients send in place of workspace folders")]
        let root = params.root_uri.clone();
        let folders = params.workspace_folders.iter().flatten().map(|it| it.uri.clone());
        let folders: Vec<Uri> = folders.collect();
        let folders = if folders.is_empty() { root.into_iter().collect() } else { folders };
        folders.iter().filter_map(documents::path_of).for_each(|it| session.load(it));
        session
    }

    /// Handles events until all senders are gone.
    pub fn run(mut self, events: &Receiver<Event>) {
        loop {
            let event = match self.next_tick() {
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(patience) => events.recv_timeout(patience),
            };
            match event {
                Ok(event) => self.handle(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(event) = events.try_recv() {
                self.handle(event);
            }
            self.catch_up();
        }
    }

    /// The time until something is due without an event.
    fn next_tick(&self) -> Option<Duration> {
        let run = self.run.as_ref()?;
        if let Some(due) = self.publisher.due() {
            return Some(PUBLISH_EVERY.saturating_sub(due.elapsed()));
        }
        let age = run.started.elapsed();
        let next = [STALE_AFTER, LONG].into_iter().find(|it| age < *it)?;
        Some(next - age)
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Initialized => self.initialized(),
            Event::Opened(document) => self.opened(document),
            Event::Changed(params) => self.changed(params),
            Event::Saved(uri) => self.saved(&uri),
            Event::Closed(uri) => self.closed(&uri),
            Event::FilesChanged(files) => self.files_changed(&files),
            Event::Configuration(settings) => self.configure(&settings),
            Event::Folders(change) => self.folders_changed(&change),
            Event::Ask(question) => question(self),
            Event::Loaded(root, packages) => self.loaded(root, packages),
            Event::Run(number, heard) => {
                if self.run.as_ref().is_some_and(|it| it.number == number) {
                    self.heard(heard);
                }
            }
        }
    }

    /// Does what is due after the last events.
    fn catch_up(&mut self) {
        self.refresh();
        if std::mem::take(&mut self.wanted) {
            self.start_run();
        }
        let age = self.run.as_ref().map(|it| it.started.elapsed());
        if age.is_some_and(|it| it >= LONG) {
            self.show_progress();
        }
        let mark_stale = age.is_none_or(|it| it >= STALE_AFTER);
        let waited = self.publisher.due().is_none_or(|it| it.elapsed() >= PUBLISH_EVERY);
        if std::mem::take(&mut self.is_urgent) || waited || self.run.is_none() {
            let mut publisher = std::mem::take(&mut self.publisher);
            publisher.publish(self, mark_stale);
            self.publisher = publisher;
        }
        let is_long_ago = self.run.is_some() && self.status_told.elapsed() >= TELL_EVERY;
        if std::mem::take(&mut self.status_due) || is_long_ago {
            self.tell_status();
        }
    }

    /// Sends a message to the client.
    pub fn say(&self, what: Outgoing) {
        // The client may have disconnected already.
        let _ = self.outgoing.send(what);
    }

    fn log(&self, text: String) {
        self.say(Outgoing::Log(MessageType::WARNING, text));
    }

    /// The view for requests, of the current text.
    pub fn view(&mut self) -> &View {
        self.refresh();
        &self.view
    }

    /// The package and number of a document's file, in the current text.
    pub fn file(&mut self, uri: &Uri) -> Option<(usize, u32)> {
        let path = documents::path_of(uri)?;
        self.view().find(&path)
    }

    /// The state of a package.
    pub fn state(&self, package: &PackageView) -> Option<&PackageState> {
        self.states.get(&package.facts.package.key())
    }

    /// The last view, which is current if the text has not changed.
    pub fn current_view(&self) -> &View {
        &self.view
    }

    fn initialized(&mut self) {
        let registrations = capabilities::registrations(&self.client);
        if !registrations.is_empty() {
            self.say(Outgoing::Register(registrations));
        }
        if self.client.configuration {
            self.say(Outgoing::Configuration);
        }
    }

    fn opened(&mut self, document: TextDocumentItem) {
        let Some(path) = documents::path_of(&document.uri) else { return };
        self.documents.open(path.clone(), document.uri, document.version, document.text);
        self.text_changed(&path, 0);
        self.load_homes();
    }

    /// Loads the workspaces of open documents that are in no known one: the client's folders may be above theirs, below, or elsewhere.
    fn load_homes(&mut self) {
        if !self.loading.is_empty() {
            // They may be in a workspace that is being loaded.
            return;
        }
        let is_known =
            |path: &Utf8Path| self.roots.values().flatten().any(|it: &Package| path.starts_with(&it.workspace_root));
        let lost = self.documents.paths().filter(|it| !is_known(it));
        let homes: BTreeSet<Utf8PathBuf> = lost
            .filter_map(|it| it.ancestors().skip(1).find(|it| it.join("Cargo.toml").is_file()))
            .filter(|it| !self.roots.contains_key(*it))
            .map(Utf8Path::to_owned)
            .collect();
        homes.into_iter().for_each(|it| self.load(it));
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let DidChangeTextDocumentParams {
            text_document: VersionedTextDocumentIdentifier { uri, version },
            content_changes,
        } = params;
        let Some(path) = documents::path_of(&uri) else { return };
        match self.documents.change(&path, version, content_changes, self.client.encoding) {
            Ok(at) => self.text_changed(&path, at),
            Err(refused) => {
                let why = match refused {
                    Refused::NotOpen => "it is not open",
                    Refused::OldVersion => "its version is not newer than the current one",
                    Refused::ReversedRange => "a range ends before it starts",
                };
                self.log(format!("an edit of {} to version {version} was not applied: {why}", uri.as_str()));
            }
        }
    }

    /// Records that the document at `path` has changed from the offset `at` on, or was opened.
    fn text_changed(&mut self, path: &Utf8PathBuf, at: u32) {
        if let Some(document) = self.documents.get(path) {
            self.engine.set_buffer(path, document.text.content().clone());
        }
        self.last_edited = Some((path.clone(), at));
        self.dirty = true;
        self.wanted |= self.config.check == Trigger::Edit;
        // The run explores an outdated text.
        if let Some(run) = &self.run {
            run.stop();
        }
    }

    fn saved(&mut self, uri: &Uri) {
        let Some(path) = documents::path_of(uri) else { return };
        self.documents.saved(&path);
        if let Some((package, _)) = self.view().find(&path) {
            self.keep(package);
        }
        self.wanted |= self.config.check == Trigger::Save;
        if path.file_name() == Some("Cargo.toml") {
            self.reload(&path);
        }
    }

    fn closed(&mut self, uri: &Uri) {
        let Some(path) = documents::path_of(uri) else { return };
        if self.documents.close(&path) {
            self.engine.close_buffer(&path);
            self.dirty = true;
            self.wanted |= self.config.check != Trigger::Command;
        }
    }

    fn files_changed(&mut self, files: &[FileEvent]) {
        for path in files.iter().filter_map(|it| documents::path_of(&it.uri)) {
            if path.file_name() == Some("Cargo.toml") {
                self.reload(&path);
            } else if self.documents.get(&path).is_none() {
                self.engine.changed_on_disk(&path);
                self.dirty = true;
                self.wanted |= self.config.check != Trigger::Command;
            }
        }
    }

    /// Reloads the folders that a manifest may affect.
    fn reload(&mut self, manifest: &Utf8Path) {
        let folders: Vec<Utf8PathBuf> = self.roots.keys().filter(|it| manifest.starts_with(it)).cloned().collect();
        folders.into_iter().for_each(|it| self.load(it));
    }

    fn folders_changed(&mut self, change: &WorkspaceFoldersChangeEvent) {
        for folder in change.removed.iter().filter_map(|it| documents::path_of(&it.uri)) {
            self.roots.remove(&folder);
        }
        change.added.iter().filter_map(|it| documents::path_of(&it.uri)).for_each(|it| self.load(it));
        self.packages_changed();
    }

    fn configure(&mut self, settings: &Value) {
        if settings.is_null() && self.client.configuration {
            self.say(Outgoing::Configuration);
            return;
        }
        match Config::read(settings) {
            Ok(config) => {
                // Capabilities that were announced at initialization stay unchanged.
                let mode = self.config.diagnostics.mode;
                let reads_others = !config.reads_as(&self.config);
                self.config = config;
                self.config.diagnostics.mode = mode;
                if reads_others {
                    let folders: Vec<Utf8PathBuf> = self.roots.keys().cloned().collect();
                    folders.into_iter().for_each(|it| self.load(it));
                }
                self.wanted |= self.config.check == Trigger::Edit;
                // The scope may have changed.
                self.dirty = true;
                self.say(Outgoing::Refresh(self.client.refresh));
            }
            Err(error) => self.say(Outgoing::Show(MessageType::WARNING, error)),
        }
    }

    /// Asks cargo for the packages of a folder, on a thread of its own.
    fn load(&mut self, folder: Utf8PathBuf) {
        self.loading.insert(folder.clone());
        let (queue, kept) = (self.queue.clone(), Arc::clone(&self.kept));
        let usual = self.config.selection();
        std::thread::spawn(move || {
            let manifest = folder.join("Cargo.toml");
            let selection = Selection { manifest_path: Some(manifest.clone()), ..usual };
            let packages = if manifest.is_file() { workspace::load(&selection) } else { Ok(Vec::new()) };
            if let Ok([first, rest @ ..]) = packages.as_deref() {
                let wants_cache = |it: &Package| Settings::of(it).is_ok_and(|it| it.cache != Some(false));
                match wants_cache(first) && rest.iter().all(wants_cache) {
                    true => kept.open(&first.target_directory),
                    false => kept.close(&first.target_directory),
                }
            }
            let _ = queue.send(Event::Loaded(folder, packages));
        });
    }

    fn loaded(&mut self, folder: Utf8PathBuf, packages: Result<Vec<Package>, LoadError>) {
        let packages = match packages {
            Ok(packages) => packages,
            // An ordinary Rust workspace without layers: nothing to do.
            Err(LoadError::NoPackageWithLayers) => Vec::new(),
            Err(LoadError::Metadata(words)) => {
                let text = format!("cargo cannot read the workspace in {folder}: {words}");
                match self.roots.get(&folder) {
                    // A manifest is broken for a while during an edit: keep the known packages.
                    Some(known) => {
                        self.log(text);
                        known.clone()
                    }
                    // Nothing is checked until the workspace can be loaded: that must not look like success.
                    None => {
                        self.say(Outgoing::Show(MessageType::ERROR, text));
                        Vec::new()
                    }
                }
            }
            Err(other) => {
                self.log(format!("the workspace in {folder} cannot be read: {other:?}"));
                Vec::new()
            }
        };
        self.loading.remove(&folder);
        self.roots.insert(folder, packages);
        self.packages_changed();
        self.load_homes();
    }

    fn packages_changed(&mut self) {
        let mut seen = BTreeSet::new();
        let mut roots: Vec<_> = self.roots.iter().collect();
        roots.sort_by_key(|(folder, _)| (*folder).clone());
        let packages = roots.into_iter().flat_map(|(_, packages)| packages);
        let packages: Vec<Package> = packages.filter(|it| seen.insert(it.key())).cloned().collect();
        self.states.retain(|key, _| seen.contains(key));
        self.settings.retain(|manifest, _| packages.iter().any(|it| it.manifest_path == *manifest));
        let mut of_manifest = BTreeSet::new();
        packages.iter().filter(|it| of_manifest.insert(&it.manifest_path)).for_each(|it| self.read_settings(it));
        self.engine.set_packages(packages);
        self.dirty = true;
        self.reloaded = true;
        self.wanted |= self.config.check != Trigger::Command;
    }

    /// Reads the settings of a package. If they are invalid, the previous ones stay.
    fn read_settings(&mut self, package: &Package) {
        let (before, known_error) = self.settings.remove(&package.manifest_path).unwrap_or_default();
        let (settings, error) = match Settings::of(package) {
            Ok(settings) => (settings, None),
            Err(error) => (before, Some(error)),
        };
        if let Some(error) = error.as_ref().filter(|it| Some(*it) != known_error.as_ref()) {
            self.say(Outgoing::Show(MessageType::ERROR, error.clone()));
        }
        self.settings.insert(package.manifest_path.clone(), (settings, error));
    }

    /// Reports settings that name unknown scalars.
    fn check_settings(&mut self) {
        let packages = self.view.packages.clone();
        for targets in packages.chunk_by(|one, other| one.facts.package.id == other.facts.package.id) {
            let of_package = &targets[0].facts.package;
            let Some((settings, None)) = self.settings.get(&of_package.manifest_path) else { continue };
            let scalars: Vec<String> = targets.iter().flat_map(|it| scalars(it.facts.program())).collect();
            if let Err(error) = settings.check(of_package, &scalars) {
                self.say(Outgoing::Show(MessageType::ERROR, error));
            }
        }
    }

    /// Updates the view if the text has changed.
    fn refresh(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let engine = self.engine.snapshot();
        let documents = &self.documents;
        let uri_of = |path: &Utf8Path| {
            let open = documents.get(&path.to_owned()).map(|it| it.uri.clone());
            open.or_else(|| Uri::from_file_path(path))
        };
        self.view = View::new(engine, Some(&self.view), self.client.encoding, &uri_of);
        for package in 0..self.view.packages.len() {
            self.relist(package);
        }
        if std::mem::take(&mut self.reloaded) {
            self.check_settings();
        }
        self.publisher.touch();
    }

    /// The scope to explore a package in.
    pub fn scope_of(&self, package: &PackageView) -> Scope {
        let own = self.state(package).and_then(|it| it.scope.clone());
        own.unwrap_or_else(|| self.usual_scope_of(&package.facts.package.manifest_path))
    }

    /// The scope of a package unless a command overrides it: the manifests', overridden by the client's.
    fn usual_scope_of(&self, manifest: &Utf8Path) -> Scope {
        let of_manifests = match self.settings.get(manifest) {
            Some((settings, _)) => settings.scope(Scope::default(), &[]),
            None => Scope::default(),
        };
        self.config.over(of_manifests)
    }

    /// Whether the manifests let a search follow where a proof of a package fails.
    fn searches_refused(&self, package: &PackageView) -> bool {
        let settings = self.settings.get(&package.facts.package.manifest_path);
        settings.is_none_or(|(settings, _)| settings.search_refused != Some(false))
    }

    /// Stores the results of a package, if it is complete and its text is saved.
    fn keep(&self, package: usize) {
        let view = &self.view.packages[package];
        let is_saved = |path: &Utf8PathBuf| self.documents.get(path).is_none_or(|it| it.is_saved);
        let is_settled = self.state(view).is_some_and(|it| it.phase == Phase::Settled);
        if !is_settled || view.facts.is_kept || !view.files.iter().all(|it| is_saved(&it.path)) {
            return;
        }
        let (engine, scope) = (self.view.engine.clone(), self.scope_of(view));
        let target = view.facts.package.target_directory.clone();
        let (kept, outgoing) = (Arc::clone(&self.kept), self.outgoing.clone());
        std::thread::spawn(move || {
            let results = found_out(&engine, package, &scope);
            if let Some(why) = kept.keep(&target, results) {
                let _ = outgoing.send(Outgoing::Log(MessageType::WARNING, why));
            }
        });
    }

    /// Lists the obligations of a package with their states.
    fn relist(&mut self, package: usize) {
        let it = Arc::clone(&self.view.packages[package]);
        let scope = self.scope_of(&it);
        let options = Options { search_refused: self.searches_refused(&it), ..without_search(&scope) };
        let asked = self.view.engine.obligations(package, &options);
        let is_open = |it: &&engine::Listed| matches!(it.state, State::Stale(_) | State::Unknown);
        let open: BTreeSet<ObligationName> = asked.iter().filter(is_open).map(|it| it.name.clone()).collect();
        let edited = self.edited_declaration(package);
        let is_near = |it: &&engine::Listed| edited.is_some_and(|edited| edited.contains(it.span));
        let near = asked.iter().filter(is_open).filter(is_near).map(|it| it.name.clone()).collect();
        let smaller = match open.is_empty() {
            true => Vec::new(),
            false => self.view.engine.obligations(package, &without_search(&scope.smallest())),
        };
        let state = self.states.entry(it.facts.package.key()).or_default();
        state.verdicts.list(asked, smaller);
        state.phase = match open.is_empty() {
            true => Phase::Settled,
            // It will be explored as soon as the queue is empty.
            false if self.wanted => Phase::Queued,
            false => Phase::NotRun,
        };
        (state.open, state.near) = (open, near);
    }

    /// The function that was last edited, if it belongs to this package.
    fn edited_declaration(&self, package: usize) -> Option<Span> {
        let (path, at) = self.last_edited.as_ref()?;
        let (edited, file) = self.view.find(path)?;
        let function = self.view.packages[edited].files.get(file as usize)?.function_around(*at)?;
        (edited == package).then_some(Span { file, start: function.start, end: function.end })
    }

    /// Starts a run for the unsettled obligations of the current text, replacing the current run.
    fn start_run(&mut self) {
        self.run = None;
        let mut jobs = Vec::new();
        for package in 0..self.view.packages.len() {
            let it = Arc::clone(&self.view.packages[package]);
            // While brackets do not match, a run would find nothing new.
            if it.facts.is_kept {
                continue;
            }
            let Some(state) = self.state_of(package) else { continue };
            let (open, near) = (state.open.clone(), state.near.clone());
            state.phase = if open.is_empty() { Phase::Settled } else { Phase::Queued };
            let search_refused = self.searches_refused(&it);
            jobs.push(Job { package, scope: self.scope_of(&it), search_refused, open, near });
        }
        let edited = self.last_edited.as_ref().and_then(|(it, _)| self.view.find(it)).map(|(package, _)| package);
        jobs.sort_by_key(|it| Some(it.package) != edited);
        if !jobs.is_empty() {
            self.runs += 1;
            self.run = Some(Run::start(self.runs, self.view.engine.clone(), jobs, self.queue.clone()));
            self.tell_status();
        }
    }

    fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Planned(package, total) => {
                if let Some(state) = self.state_of(package) {
                    state.phase = Phase::Running(0, total);
                }
            }
            Heard::Settled { package, listed } => {
                let Some(state) = self.state_of(package) else { return };
                if let Phase::Running(done, total) = state.phase {
                    state.phase = Phase::Running((done + 1).min(total), total);
                }
                let is_near = state.near.contains(&listed.name);
                if state.verdicts.settled(*listed) {
                    self.is_urgent |= is_near;
                    self.publisher.touch();
                }
            }
            Heard::Complete(package) => {
                self.relist(package);
                self.keep(package);
                self.publisher.touch();
                self.is_urgent = true;
                self.status_due = true;
                self.say(Outgoing::Refresh(self.client.refresh));
            }
            Heard::Movers { package, program, matrix } => {
                self.keep(package);
                let Some(state) = self.state_of(package) else { return };
                let is_same = state.matrix.as_ref().is_some_and(|(about, it)| *about == program && **it == matrix);
                state.matrix = Some((program, Arc::new(matrix)));
                if !is_same {
                    self.say(Outgoing::Refresh(self.client.refresh));
                }
            }
            Heard::Failed(words) => {
                let text = format!("a bug in cspec ended the run; its verdicts are missing. Please report it: {words}");
                self.say(Outgoing::Show(MessageType::ERROR, text));
            }
            Heard::Over => {
                self.run = None;
                self.forget_phases();
                self.publisher.touch();
                self.status_due = true;
            }
        }
    }

    fn state_of(&mut self, package: usize) -> Option<&mut PackageState> {
        let key = self.view.packages.get(package)?.facts.package.key();
        self.states.get_mut(&key)
    }

    /// Shows the progress of a long run.
    fn show_progress(&mut self) {
        if !self.client.progress {
            return;
        }
        let running = self.view.packages.iter().filter_map(|it| match self.state(it)?.phase {
            Phase::Running(done, total) => Some((it.facts.package.title.clone(), done, total)),
            _ => None,
        });
        let Some((name, done, total)) = running.last() else { return };
        let Some(run) = &mut self.run else { return };
        let sender = match &run.progress {
            Some(sender) => sender,
            None => {
                let (sender, receiver) = unbounded_channel();
                let _ = self.outgoing.send(Outgoing::Progress(receiver));
                run.progress.insert(sender)
            }
        };
        let percentage = (100 * done / total.max(1)) as u32;
        let _ = sender.send(Step { message: format!("{name}: {done} of {total} obligations"), percentage });
    }

    fn tell_status(&mut self) {
        self.status_told = Instant::now();
        if self.config.status {
            self.say(Outgoing::Status(layers::status(self)));
        }
    }

    /// Explores a package again, or all packages; `scope` computes the scope from the configured one.
    pub fn check(&mut self, package: Option<usize>, scope: Option<&dyn Fn(Scope) -> Scope>) {
        for (at, it) in self.view.packages.iter().enumerate() {
            let manifest = &it.facts.package.manifest_path;
            let scope = scope.map(|it| it(self.usual_scope_of(manifest)));
            if package.is_none_or(|wanted| wanted == at)
                && let Some(state) = self.states.get_mut(&it.facts.package.key())
            {
                state.scope = scope;
            }
        }
        self.dirty = true;
        self.wanted = true;
    }

    /// Stops the current run.
    pub fn stop(&mut self) {
        self.run = None;
        self.wanted = false;
        self.forget_phases();
        self.tell_status();
    }

    /// Resets the phases: nothing is being explored.
    fn forget_phases(&mut self) {
        for state in self.states.values_mut().filter(|it| matches!(it.phase, Phase::Queued | Phase::Running(..))) {
            state.phase = Phase::NotRun;
        }
    }

    /// The parts that the client must refresh.
    pub fn refresh_diagnostics(&self) {
        if self.client.refresh.diagnostics {
            self.say(Outgoing::Refresh(Refresh { hints: false, lenses: false, diagnostics: true }));
        }
    }
}
