//! `cargo cspec check --watch`: checks, waits for an edit, checks what the edit affects, until Ctrl-C.
//!
//! The engine stays open in between. An edit during a run cancels it: its results are not shown. Saving a file without a change is not an
//! edit. The engine reads the files; this module only knows their folders.

use std::{
    collections::HashMap,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

use camino::Utf8PathBuf;
use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{RecommendedWatcher, RecursiveMode},
};

use crate::{
    check,
    cli::{CheckArguments, CheckFormat, EffortArguments, Global},
    engine::Engine,
    exit::Status,
    interrupt,
    output::{complain, warn},
    render::summary::Summary,
};

/// How long files must be unchanged before they are read: an editor may write a file in several steps, a checkout many files.
const QUIET: Duration = Duration::from_millis(50);

/// Runs `cargo cspec check --watch`. It ends with Ctrl-C, or if it cannot continue.
pub fn run(arguments: &CheckArguments, global: &Global) -> Status {
    if let Some(format @ (CheckFormat::Sarif | CheckFormat::Junit | CheckFormat::Github)) = arguments.message_format {
        complain(&format!("--watch prints one run after the other, which is not possible with `{}`", format.name()));
        return Status::Usage;
    }
    let ended = check::open(arguments).and_then(|engine| Watch::start(engine, arguments, global)?.go_on());
    ended.unwrap_or_else(|message| {
        complain(&message);
        Status::Usage
    })
}

/// The event that ends the waiting.
enum Wake {
    /// These files were written, created or removed.
    Changed(Vec<Utf8PathBuf>),
    /// Changes may have been missed; the reason.
    Missed(String),
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// A check that is repeated after every edit.
struct Watch<'a> {
    arguments: &'a CheckArguments,
    global: &'a Global,
    engine: Engine,
    /// Why the current manifests cannot be used, if they cannot.
    unusable: Option<String>,
    folders: Folders,
    woken: Receiver<Wake>,
    /// Set when an edit or Ctrl-C cancels the current run.
    stop: Arc<AtomicBool>,
}

/// The folders that are watched.
struct Folders {
    debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
    known: HashMap<Utf8PathBuf, RecursiveMode>,
}

impl<'a> Watch<'a> {
    /// Starts watching. The error is a finished message.
    fn start(engine: Engine, arguments: &'a CheckArguments, global: &'a Global) -> Result<Watch<'a>, String> {
        let (wake, woken) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (interrupted, stopped) = (wake.clone(), Arc::clone(&stop));
        interrupt::on_interrupt(move || {
            stopped.store(true, Ordering::SeqCst);
            // If the watch has ended already, there is no receiver.
            let _ = interrupted.send(Wake::Interrupted);
        });
        let folders = Folders { debouncer: debouncer(wake, Arc::clone(&stop))?, known: HashMap::new() };
        Ok(Watch { arguments, global, engine, unusable: None, folders, woken, stop })
    }

    /// Alternates between checking and waiting.
    fn go_on(mut self) -> Result<Status, String> {
        let mut changed = Vec::new();
        loop {
            self.stop.store(false, Ordering::SeqCst);
            // An event between these two lines sets the flag again: the run ends at once and is repeated.
            while let Ok(wake) = self.woken.try_recv() {
                if !self.take_in(wake, &mut changed) {
                    return Ok(Status::Interrupted);
                }
            }
            self.folders.watch(&self.engine)?;
            if self.check(&changed).map_err(|error| format!("cannot write the results: {error}"))? {
                changed.clear();
                loop {
                    let wake = self.woken.recv().map_err(|_| "the file watcher has stopped".to_owned())?;
                    if !self.take_in(wake, &mut changed) {
                        return Ok(Status::Interrupted);
                    }
                    if !changed.is_empty() {
                        break;
                    }
                }
            }
        }
    }

    /// Returns whether to continue; adds files that have really changed to `changed`.
    fn take_in(&mut self, wake: Wake, changed: &mut Vec<Utf8PathBuf>) -> bool {
        match wake {
            Wake::Interrupted => return false,
            Wake::Missed(reason) => warn(&format!("changes of files may have been missed: {reason}")),
            Wake::Changed(paths) => {
                let root =
                    self.engine.packages().first().map(|it| it.package.workspace_root.clone()).unwrap_or_default();
                let shown = |it: &Utf8PathBuf| it.strip_prefix(&root).unwrap_or(it).to_owned();
                let manifests: Vec<Utf8PathBuf> = paths.iter().filter(|it| is_manifest(it)).map(shown).collect();
                if !manifests.is_empty() {
                    self.read_manifests();
                    changed.extend(manifests);
                }
                changed.extend(self.engine.changed_on_disk(&paths));
            }
        }
        true
    }

    fn read_manifests(&mut self) {
        // The threads exist already.
        let effort = EffortArguments { jobs: None, ..self.arguments.effort.clone() };
        match check::prepare(self.arguments, &effort) {
            Ok(packages) => {
                self.engine.set_packages(packages);
                self.unusable = None;
            }
            Err(message) => self.unusable = Some(message),
        }
    }

    /// Checks once and shows the results. `false` if an edit cancelled the run: then nothing is shown.
    fn check(&self, changed: &[Utf8PathBuf]) -> io::Result<bool> {
        let is_for_people = self.arguments.message_format != Some(CheckFormat::Json);
        if is_for_people && io::stdout().is_terminal() {
            console::Term::stdout().clear_screen()?;
        }
        let mut results = Vec::new();
        let engine = self.unusable.as_ref().map_or(Ok(&self.engine), Err);
        let (summary, written) =
            check::check(engine, self.arguments, self.global, Arc::clone(&self.stop), &mut results);
        written?;
        if summary.interrupted {
            return Ok(false);
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(&results)?;
        if is_for_people && !self.global.quiet {
            writeln!(stdout, "{}", footer(changed, &summary))?;
        }
        stdout.flush()?;
        Ok(true)
    }
}

/// The result of the edit, and how to end.
fn footer(changed: &[Utf8PathBuf], summary: &Summary) -> String {
    let all = summary.tally.total();
    let explored = match summary.explored {
        _ if summary.unusable => String::new(),
        0 => format!("all {all} obligations were already known"),
        explored if explored >= all => format!("all {all} obligations were explored"),
        explored => format!("{explored} of {all} obligations were explored, the others were already known"),
    };
    let mut files: Vec<String> = changed.iter().map(|it| it.to_string()).collect();
    files.sort();
    files.dedup();
    let files = match files.as_slice() {
        [] => String::new(),
        [first, second, third, _, rest @ ..] => format!("{first}, {second}, {third} and {} more", rest.len() + 1),
        few => few.join(", "),
    };
    let told: Vec<String> = [files, explored].into_iter().filter(|it| !it.is_empty()).collect();
    format!("{}\nWaiting for changes; Ctrl-C ends.", told.join(": "))
}

/// A file watcher that sends changes and stops the current run. The error is a finished message.
fn debouncer(
    wake: Sender<Wake>,
    stop: Arc<AtomicBool>,
) -> Result<Debouncer<RecommendedWatcher, RecommendedCache>, String> {
    let told = move |result: DebounceEventResult| {
        let wakes = match result {
            Ok(events) => {
                // Reading a file is an event too.
                let written = events.into_iter().filter(|it| !it.kind.is_access());
                let paths = written.flat_map(|it| it.event.paths).filter_map(relevant).collect::<Vec<_>>();
                if paths.is_empty() { Vec::new() } else { vec![Wake::Changed(paths)] }
            }
            Err(errors) => errors.into_iter().map(|it| Wake::Missed(it.to_string())).collect(),
        };
        for it in wakes {
            stop.store(true, Ordering::SeqCst);
            // If the watch has ended already, there is no receiver.
            let _ = wake.send(it);
        }
    };
    new_debouncer(QUIET, None, told).map_err(|error| format!("cannot watch files: {error}"))
}

/// The path, if it can be a source file, a manifest or a folder: a created or removed folder stands for its contents.
fn relevant(path: PathBuf) -> Option<Utf8PathBuf> {
    let path = Utf8PathBuf::from_path_buf(path).ok()?;
    let is_source = path.extension().is_none_or(|it| it == "rs");
    (is_source || is_manifest(&path) || path.is_dir()).then_some(path)
}

fn is_manifest(path: &Utf8PathBuf) -> bool {
    path.file_name() == Some("Cargo.toml")
}

impl Folders {
    /// Watches the folders of all files and manifests. The folders of root files are watched recursively, since new modules will be there,
    /// unless that would be the whole package with cargo's output. The error is a finished message.
    fn watch(&mut self, engine: &Engine) -> Result<(), String> {
        let mut wanted = Vec::new();
        for package in engine.packages().iter().map(|it| &it.package) {
            let manifests =
                [package.manifest_path.parent().map(Utf8PathBuf::from), Some(package.workspace_root.clone())];
            let of_root = package.target.root.parent().map(Utf8PathBuf::from);
            wanted.extend(
                of_root.filter(|it| !manifests.contains(&Some(it.clone()))).map(|it| (it, RecursiveMode::Recursive)),
            );
            wanted.extend(manifests.into_iter().flatten().map(|it| (it, RecursiveMode::NonRecursive)));
        }
        let of_files = engine.files().filter_map(|it| it.path.parent()).map(Utf8PathBuf::from);
        wanted.extend(of_files.map(|it| (it, RecursiveMode::NonRecursive)));
        for (folder, mode) in wanted {
            let covers = |(known, mode): (&Utf8PathBuf, &RecursiveMode)| {
                folder == *known || (*mode == RecursiveMode::Recursive && folder.starts_with(known))
            };
            if !self.known.iter().any(covers) && folder.is_dir() {
                self.debouncer.watch(&folder, mode).map_err(|error| format!("cannot watch {folder}: {error}"))?;
                self.known.insert(folder, mode);
            }
        }
        Ok(())
    }
}
