//! `cargo cspec check --fix`: applies the fixes that are safe to apply without asking, until there are none left, and checks the result.
//!
//! It behaves like `cargo fix`: it changes a file only if version control has the current text. The engine decides which edit resolves a
//! finding.

use std::{
    collections::BTreeMap,
    fs, io,
    sync::atomic::{AtomicBool, Ordering},
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    diagnostics::{Applicability, Fix},
    report::SourceText,
};

use crate::{
    check,
    cli::{CheckArguments, Global},
    engine::{Engine, Job},
    exit::Status,
    filter::Filter,
    git::{self, Uncommitted},
    interrupt,
    output::{complain, note},
    render::{diagnostics, place::Place, summary::Checked},
};

/// The maximum number of rounds: a fix may uncover another finding.
const ROUNDS: usize = 8;

/// Runs `cargo cspec check --fix`.
pub fn run(arguments: &CheckArguments, global: &Global) -> Status {
    let stop = interrupt::stop_flag();
    let fixed = check::open(arguments).and_then(|mut engine| {
        let root = engine.packages().first().map(|it| it.package.workspace_root.clone()).unwrap_or_default();
        may_change(arguments, &root)?;
        fix_all(&mut engine, arguments, &stop)?;
        Ok(engine)
    });
    match fixed {
        Ok(engine) => check::show(Ok(&engine), arguments, global, stop),
        Err(message) => {
            complain(&message);
            Status::Usage
        }
    }
}

/// Refuses to change files that version control could not restore. The error is a finished message.
fn may_change(arguments: &CheckArguments, root: &Utf8Path) -> Result<(), String> {
    if arguments.allow_no_vcs || (arguments.allow_dirty && arguments.allow_staged) {
        return Ok(());
    }
    let uncommitted = git::uncommitted(root).map_err(|_| {
        "--fix changes files, and these are not in a git repository\nhelp: pass --allow-no-vcs to change them anyway"
            .to_owned()
    })?;
    let in_the_way = |it: &&Uncommitted| if it.is_staged { !arguments.allow_staged } else { !arguments.allow_dirty };
    let files: Vec<&Uncommitted> = uncommitted.iter().filter(in_the_way).collect();
    if files.is_empty() {
        return Ok(());
    }
    let word = |it: &Uncommitted| if it.is_staged { "staged" } else { "dirty" };
    let list: String = files.iter().map(|it| format!("  * {} ({})\n", it.path, word(it))).collect();
    Err(format!(
        "--fix changes files, and these have uncommitted changes:\n{list}help: commit them, or pass --allow-dirty or --allow-staged"
    ))
}

/// Applies fixes until there are none. The error is a finished message.
fn fix_all(engine: &mut Engine, arguments: &CheckArguments, stop: &AtomicBool) -> Result<(), String> {
    let filter = Filter { words: arguments.filters.clone(), partition: arguments.partition };
    let mut applied = 0;
    for _ in 0..ROUNDS {
        let only = |name: &_| filter.matches(name);
        let job = Job { end_to_end: arguments.end_to_end, only: &only, progress: false, stop };
        let checked: Vec<Checked> = (0..engine.packages().len()).map(|it| engine.check(it, &job)).collect();
        if stop.load(Ordering::SeqCst) {
            return Ok(());
        }
        let edits = edits(engine, &checked);
        if edits.is_empty() {
            tell_of_the_others(&checked, applied);
            return Ok(());
        }
        for (path, edits) in &edits {
            apply(path, edits)?;
            for edit in edits {
                applied += 1;
                note("fixed", &format!("{}: {}", edit.place, edit.fix.title));
            }
        }
        let changed: Vec<Utf8PathBuf> = edits.into_keys().collect();
        engine.changed_on_disk(&changed);
    }
    Ok(())
}

/// An edit of a file, with its place for messages.
struct Edit<'a> {
    fix: &'a Fix,
    place: String,
    /// The text before the edit.
    before: &'a str,
}

/// The edits that are safe to apply without asking, by file, from beginning to end. Of overlapping edits, only the first is included.
fn edits<'a>(engine: &Engine, checked: &'a [Checked]) -> BTreeMap<Utf8PathBuf, Vec<Edit<'a>>> {
    let mut edits: BTreeMap<Utf8PathBuf, Vec<Edit<'a>>> = BTreeMap::new();
    for (index, checked) in checked.iter().enumerate() {
        let first =
            |fixes: &'a Vec<Fix>| fixes.first().filter(|it| it.applicability == Applicability::MachineApplicable);
        for fix in diagnostics(&checked.report).filter_map(|it| first(&it.fixes)) {
            let Some(path) = engine.path(index, fix.span.file) else { continue };
            let files = &checked.report.files;
            let before = &files[fix.span.file as usize].text;
            edits.entry(path.to_owned()).or_default().push(Edit { fix, place: place(files, fix), before });
        }
    }
    for edits in edits.values_mut() {
        edits.sort_by_key(|it| (it.fix.span.start, it.fix.span.end));
        let mut end = None;
        edits.retain(|it| {
            let is_free = end.is_none_or(|end| end < it.fix.span.start);
            end = if is_free { Some(it.fix.span.end) } else { end };
            is_free
        });
    }
    edits
}

fn place(files: &[SourceText], fix: &Fix) -> String {
    Place::find(files, fix.span).map_or_else(String::new, |it| it.to_string())
}

/// Writes a file with its edits, all or none. The error is a finished message.
fn apply(path: &Utf8Path, edits: &[Edit<'_>]) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot change {path}: {error}");
    let mut text = fs::read_to_string(path).map_err(failed)?;
    if edits.iter().any(|it| it.before != text) {
        return Err(format!("{path} was changed in the meantime and is left as it is"));
    }
    for edit in edits.iter().rev() {
        text.replace_range(edit.fix.span.start as usize..edit.fix.span.end as usize, &edit.fix.replacement);
    }
    // A symbolic link stays one, and a concurrent reader sees the old text or the new one.
    let path = path.canonicalize_utf8().map_err(failed)?;
    let unfinished = path.with_extension(format!("cspec-{}", std::process::id()));
    let written = fs::write(&unfinished, text)
        .and_then(|()| fs::set_permissions(&unfinished, fs::metadata(&path)?.permissions()))
        .and_then(|()| fs::rename(&unfinished, &path));
    if written.is_err() {
        // Only the first error is reported.
        let _ = fs::remove_file(&unfinished);
    }
    written.map_err(failed)
}

/// Reports the findings with fixes that the user has to choose.
fn tell_of_the_others(checked: &[Checked], applied: usize) {
    let mut told = 0;
    for checked in checked {
        for fix in diagnostics(&checked.report).flat_map(|it| &it.fixes) {
            note("to decide", &format!("{}: {}", place(&checked.report.files, fix), fix.title));
            told += 1;
        }
    }
    if applied == 0 && told == 0 {
        note("fixed", "nothing: no finding has a fix that can be applied without asking");
    }
}
