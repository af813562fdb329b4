//! Runs `cargo check` on the selected targets and collects rustc's messages, on a thread of its own, in parallel with other work.
//!
//! It uses cargo's own target directory, so builds are shared with other uses of cargo.

use std::{
    collections::HashSet,
    io::{self, BufReader, Read},
    num::NonZero,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{
    CompilerMessage, Message,
    diagnostic::{Diagnostic, DiagnosticLevel, DiagnosticSpan},
};

use super::{Package, Selection};

/// The interval at which the end of cargo is checked for.
const TICK: Duration = Duration::from_millis(5);

/// A running `cargo check`.
#[derive(Debug)]
pub struct Compilation(JoinHandle<Compiled>);

/// The result of `cargo check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiled {
    /// rustc accepts the program.
    Accepted,
    /// rustc rejects the program, for these reasons.
    Refused(Vec<Refusal>),
    /// Cargo or rustc could not be run; cargo's message.
    Failed(String),
    /// It was stopped before it ended.
    Stopped,
}

/// An error that rustc reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The cargo id of the package that was being compiled.
    pub package_id: String,
    /// The name of the target that was being compiled.
    pub target: String,
    /// The message of rustc, one line.
    pub message: String,
    /// rustc's code, such as `E0382`.
    pub code: Option<String>,
    /// The places: first the primary one, then related ones, each with rustc's label.
    pub places: Vec<RefusedPlace>,
    /// The notes of rustc, in order.
    pub notes: Vec<String>,
    /// The help of rustc, if there is any.
    pub help: Option<String>,
    /// The whole error as rustc prints it.
    pub rendered: String,
}

/// A place in a message of rustc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedPlace {
    /// The file, relative to the root of the workspace where possible.
    pub path: Utf8PathBuf,
    /// The text of the file.
    pub text: Arc<str>,
    /// The offset of the first byte.
    pub start: u32,
    /// The offset after the last byte.
    pub end: u32,
    /// The label that rustc prints below it; may be empty.
    pub label: String,
}

impl Refusal {
    /// The index of the package to show it with: the one whose target was compiled, or else one of the same cargo package, or else any.
    pub fn shown_with(&self, packages: &[&Package]) -> usize {
        let of_package = |it: &&&Package| it.id == self.package_id;
        let position = |wanted: &dyn Fn(&&&Package) -> bool| packages.iter().position(|it| wanted(&it));
        let exact = position(&|it| of_package(it) && it.target.name == self.target);
        exact.or_else(|| position(&of_package)).unwrap_or(0)
    }
}

impl Compilation {
    /// Starts `cargo check` on the selected targets of these packages, with the flags of the selection. It ends early once `stop` is set.
    pub fn start(
        selection: &Selection,
        packages: &[Package],
        jobs: Option<NonZero<usize>>,
        stop: Arc<AtomicBool>,
    ) -> Compilation {
        let mut command = command(selection, packages, jobs);
        let root = packages.first().map(|it| it.workspace_root.clone()).unwrap_or_default();
        Compilation(thread::spawn(move || {
            run(&mut command, &root, &stop).unwrap_or_else(|error| Compiled::Failed(format!("cargo: {error}")))
        }))
    }

    /// Whether `cargo check` has ended.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for the end, and returns the result.
    pub fn wait(self) -> Compiled {
        self.0.join().unwrap_or_else(|_| Compiled::Failed("the thread that watches cargo panicked".to_owned()))
    }
}

fn command(selection: &Selection, packages: &[Package], jobs: Option<NonZero<usize>>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["check", "--quiet", "--keep-going", "--message-format", "json"]);
    if let Some(path) = &selection.manifest_path {
        command.args(["--manifest-path", path.as_str()]);
    }
    if let Some(folder) = &selection.target_directory {
        command.args(["--target-dir", folder.as_str()]);
    }
    if let Some(jobs) = jobs {
        command.args(["--jobs", &jobs.to_string()]);
    }
    let mut seen = HashSet::new();
    for package in packages.iter().filter(|it| seen.insert(&it.id)) {
        command.args(["--package", &package.id]);
    }
    command.args(selection.targets.flags()).args(selection.features.flags()).args(&selection.cargo_flags);
    command.args(selection.platform.iter().flat_map(|it| ["--target", it.as_str()]));
    // In a git hook these variables refer to the repository of the commit, which may not be the one that cargo reads.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command, root: &Utf8Path, stop: &AtomicBool) -> io::Result<Compiled> {
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let root = root.to_owned();
    let refusals = thread::spawn(move || stdout.map(|it| read(it, &root)).unwrap_or_default());
    let words = thread::spawn(move || {
        let mut words = Vec::new();
        // On an error, the message consists of the output so far.
        let _ = stderr.map(|mut it| it.read_to_end(&mut words));
        String::from_utf8_lossy(&words).trim().to_owned()
    });
    let succeeded = wait(&mut child, stop)?;
    let refusals = refusals.join().unwrap_or_default();
    let words = words.join().unwrap_or_default();
    Ok(match succeeded {
        None => Compiled::Stopped,
        Some(_) if !refusals.is_empty() => Compiled::Refused(refusals),
        Some(true) => Compiled::Accepted,
        Some(false) => Compiled::Failed(words),
    })
}

/// Waits for the child; returns whether it succeeded, or `None` if it was stopped.
fn wait(child: &mut Child, stop: &AtomicBool) -> io::Result<Option<bool>> {
    loop {
        if let Some(status) = child.try_wait()? {
            // Ctrl-C also ends cargo by a signal, which is not a failure of cargo.
            let is_stopped = !status.success() && (stop.load(Ordering::SeqCst) || status.code().is_none());
            return Ok((!is_stopped).then(|| status.success()));
        }
        if stop.load(Ordering::SeqCst) {
            // It may have ended already.
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(TICK);
    }
}

/// The errors in the output of cargo, each once: a library and its tests have the same ones.
fn read(stdout: ChildStdout, root: &Utf8Path) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for message in Message::parse_stream(BufReader::new(stdout)).map_while(Result::ok) {
        let Message::CompilerMessage(message) = message else { continue };
        let refusal = refusal(&message, root);
        let is_known = |it: &Refusal| refusals.iter().any(|known| known.rendered == it.rendered);
        refusals.extend(refusal.filter(|it| !is_known(it)));
    }
    refusals
}

/// Converts a message of rustc, if it is an error and not a count of earlier errors.
fn refusal(message: &CompilerMessage, root: &Utf8Path) -> Option<Refusal> {
    let found = &message.message;
    let is_error = matches!(found.level, DiagnosticLevel::Error | DiagnosticLevel::Ice);
    let is_count = found.code.is_none() && found.spans.is_empty() && found.message.starts_with("aborting due to");
    if !is_error || is_count {
        return None;
    }
    let of_level = |level: DiagnosticLevel| found.children.iter().filter(move |it| it.level == level);
    Some(Refusal {
        package_id: message.package_id.repr.clone(),
        target: message.target.name.clone(),
        message: found.message.clone(),
        code: found.code.as_ref().map(|it| it.code.clone()),
        places: places(found, root),
        notes: of_level(DiagnosticLevel::Note).map(|it| it.message.clone()).collect(),
        help: of_level(DiagnosticLevel::Help).next().map(|it| it.message.clone()),
        rendered: found.rendered.clone().unwrap_or_else(|| found.message.clone()),
    })
}

/// The places of a message in the user's files, the primary one first.
fn places(found: &Diagnostic, root: &Utf8Path) -> Vec<RefusedPlace> {
    let mut spans: Vec<&DiagnosticSpan> = found.spans.iter().collect();
    spans.sort_by_key(|it| !it.is_primary);
    spans.into_iter().filter_map(|it| place(it, root)).collect()
}

/// A span, or the macro call that it comes from; `None` if neither is in the user's files.
fn place(span: &DiagnosticSpan, root: &Utf8Path) -> Option<RefusedPlace> {
    let mut at = span;
    loop {
        let path = Utf8Path::new(&at.file_name);
        let whole = root.join(path);
        let shown = whole.strip_prefix(root).unwrap_or(&whole).to_owned();
        let text = std::fs::read_to_string(&whole).ok().filter(|_| !is_foreign(&whole));
        let end = at.byte_end as usize;
        match text.filter(|it| it.is_char_boundary(at.byte_start as usize) && it.is_char_boundary(end)) {
            Some(text) => {
                let label = span.label.clone().unwrap_or_default();
                let (start, end) = (at.byte_start, at.byte_end);
                return Some(RefusedPlace { path: shown, text: text.into(), start, end, label });
            }
            None => at = &at.expansion.as_ref()?.span,
        }
    }
}

/// Whether a file belongs to the standard library, or was downloaded by cargo.
fn is_foreign(path: &Utf8Path) -> bool {
    let folders: Vec<&str> = path.components().map(|it| it.as_str()).collect();
    folders.windows(2).any(|it| matches!(it, ["registry", "src"] | ["git", "checkouts"] | ["rustlib", "src"]))
}
