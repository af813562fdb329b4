//! `cargo cspec hook`: checks what is staged before it is committed.
//!
//! The hook reads only the index: files that were not added are missing, and no file on disk is touched. It checks only what the
//! commit changes: obligations that depend on the same text as in the last commit are skipped.

use std::{
    collections::HashSet,
    fs,
    io::{self, Write as _},
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use cspec_analysis::{
    results::Fingerprint,
    session::Session,
    verdict::{ObligationName, Scope},
    workspace::{self, LoadError},
};

use crate::{
    cli::{EffortArguments, Global, HookCommand, HookInstallArguments, HookRunArguments},
    engine::{Engine, Job},
    exit::Status,
    git::{self, Tree},
    interrupt::{self, Stop},
    output::{complain, delivered, warn},
    packages::{self, Prepared},
    render::{
        Detail, Render as _, human, short,
        summary::{Checked, Summary},
    },
};

/// The default time limit of the hook.
const BUDGET: Duration = Duration::from_secs(10);
/// The number of lines that fit on a screen.
const SCREEN: usize = 24;
/// The line that identifies our script.
const MARK: &str = "# Installed by `cargo cspec hook install`. `cargo cspec hook uninstall` removes it.";

/// Runs `cargo cspec hook`.
pub fn run(command: &HookCommand, global: &Global) -> Status {
    let done = match command {
        HookCommand::Install(arguments) => install(arguments).map(|told| say(&told)),
        HookCommand::Uninstall => uninstall().map(|told| say(&told)),
        HookCommand::Run(arguments) => check_staged(arguments, global),
    };
    done.unwrap_or_else(|message| {
        complain(&message);
        Status::Usage
    })
}

fn say(told: &str) -> Status {
    delivered(Status::Success, writeln!(io::stdout(), "{told}"))
}

/// Writes the hook, unless another one exists.
fn install(arguments: &HookInstallArguments) -> Result<String, String> {
    let hooks = git::hooks()?;
    let path = hooks.join("pre-commit");
    let command = command(arguments)?;
    match fs::read_to_string(&path) {
        Ok(text) if !text.contains(MARK) => {
            return Err(format!("there is another hook in {path}\nhelp: add this line to it: {command}"));
        }
        _ => {}
    }
    let failed = |error: io::Error| format!("cannot write {path}: {error}");
    fs::create_dir_all(&hooks).map_err(failed)?;
    fs::write(&path, format!("#!/bin/sh\n{MARK}\nexec {command}\n")).map_err(failed)?;
    make_executable(&path).map_err(failed)?;
    Ok(format!("installed {path}: every commit is checked by `{command}`"))
}

/// The command that the hook runs. Git runs it in the root of the work tree, so it gets the path of the workspace if that is elsewhere.
fn command(arguments: &HookInstallArguments) -> Result<String, String> {
    let root = git::root()?;
    let manifest = match &arguments.manifest_path {
        Some(path) => Some(path.clone()),
        None => workspace::nearest_manifest(),
    };
    let manifest = manifest.and_then(|path| path.canonicalize_utf8().ok());
    let manifest = manifest.ok_or("there is no Cargo.toml here, nor in a parent folder")?;
    let inside = manifest.strip_prefix(&root).map_err(|_| format!("{manifest} is not in the repository {root}"))?;
    Ok(if root.join("Cargo.toml").is_file() && arguments.manifest_path.is_none() {
        "cargo cspec hook run".to_owned()
    } else {
        format!("cargo cspec hook run --manifest-path '{inside}'")
    })
}

#[cfg(unix)]
fn make_executable(path: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Utf8Path) -> io::Result<()> {
    Ok(())
}

fn uninstall() -> Result<String, String> {
    let path = git::hooks()?.join("pre-commit");
    match fs::read_to_string(&path) {
        Ok(text) if text.contains(MARK) => {
            fs::remove_file(&path).map_err(|error| format!("cannot remove {path}: {error}"))?;
            Ok(format!("removed {path}"))
        }
        Ok(_) => Err(format!("the hook in {path} was not installed by cspec: it is left as it is")),
        Err(_) => Ok("there is no hook to remove".to_owned()),
    }
}

/// Checks what the commit changes. The error is a finished message.
fn check_staged(arguments: &HookRunArguments, global: &Global) -> Result<Status, String> {
    let started = Instant::now();
    let changed = git::changed()?;
    let packages = touched(arguments, &changed)?;
    if packages.is_empty() {
        return Ok(Status::Success);
    }
    let budget = arguments.budget.or_else(|| packages.iter().filter_map(|it| it.settings.hook_budget).min());
    let stop = Stop::after(Some(budget.unwrap_or(BUDGET)), interrupt::stop_flag());
    let allow_undecided = packages.iter().any(|it| it.settings.hook_allow_undecided == Some(true));
    let before = fingerprints(&packages, &Tree::last_commit()?);
    let staged = Tree::staged()?;
    let engine = Engine::with_texts(packages, false, |session| staged.lay_over(session));

    let mut summary = Summary::default();
    let mut all = Vec::new();
    for index in 0..engine.packages().len() {
        let affected = affected(&engine, index, &before);
        let only = |name: &ObligationName| affected.contains(name);
        let job = Job { end_to_end: false, only: &only, progress: false, stop: &stop.flag };
        let checked = engine.check(index, &job);
        if !checked.is_idle() && !checked.is_bare {
            summary.add(&checked);
            all.push(checked);
        }
    }
    summary.out_of_time = stop.out_of_time();
    summary.interrupted = stop.is_set() && summary.out_of_time.is_none();
    summary.elapsed = started.elapsed();
    for manifest in git::unstaged_manifests()? {
        warn(&format!("{manifest} has unstaged changes; it is read from disk"));
    }
    if all.is_empty() && summary.out_of_time.is_none() {
        return Ok(Status::Success);
    }
    let status = match summary.status() {
        Status::Undecided if allow_undecided => Status::Success,
        status => status,
    };
    let screen = one_screen(&all, &summary, global).map_err(|error| format!("cannot write the results: {error}"))?;
    Ok(delivered(status, io::stdout().write_all(screen.as_bytes())))
}

/// The packages that a change of these files may affect.
fn touched(arguments: &HookRunArguments, changed: &[Utf8PathBuf]) -> Result<Vec<Prepared>, String> {
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let mut selection = arguments.selection.selection();
    selection.workspace = selection.packages.is_empty();
    if matches!(workspace::load(&selection), Err(LoadError::NoPackageWithLayers)) {
        return Ok(Vec::new());
    }
    let mut packages = packages::prepare(&selection, &EffortArguments::default(), &Scope::default())?;
    packages.retain(|it| {
        let folder = it.package.manifest_path.parent().unwrap_or(Utf8Path::new(""));
        let folder = folder.canonicalize_utf8().unwrap_or_else(|_| folder.to_owned());
        changed.iter().any(|path| path.starts_with(&folder) || path.parent() == Some(&it.package.workspace_root))
    });
    Ok(packages)
}

/// The fingerprints of the obligations of the packages in another state of their files.
fn fingerprints(packages: &[Prepared], tree: &Tree) -> HashSet<Fingerprint> {
    let mut session = Session::open(packages.iter().map(|it| it.package.clone()).collect());
    tree.lay_over(&mut session);
    let snapshot = session.snapshot();
    let of_package = |(index, it): (usize, &Prepared)| {
        snapshot.obligations(index, &it.options()).into_iter().map(|it| it.fingerprint)
    };
    packages.iter().enumerate().flat_map(of_package).collect()
}

/// The obligations of a package whose fingerprints have changed.
fn affected(engine: &Engine, index: usize, before: &HashSet<Fingerprint>) -> HashSet<ObligationName> {
    let all = engine.obligations(index, false).into_iter();
    all.filter(|it| !before.contains(&it.fingerprint)).map(|it| it.name).collect()
}

/// The results on one screen: with excerpts if they fit, otherwise line by line, and always with the last line.
fn one_screen(all: &[Checked], summary: &Summary, global: &Global) -> io::Result<String> {
    let mut long = Vec::new();
    let mut human = human::Human::new(&mut long, global.colour(), Detail::Problems);
    all.iter().try_for_each(|it| human.package(it))?;
    human.finish(summary)?;
    let long = String::from_utf8_lossy(&long).into_owned();
    if long.lines().count() <= SCREEN {
        return Ok(long);
    }
    let mut lines = Vec::new();
    let mut short = short::Short::new(&mut lines, Detail::Problems);
    all.iter().try_for_each(|it| short.package(it))?;
    let lines = String::from_utf8_lossy(&lines).into_owned();
    let fitting = SCREEN - 3;
    let mut text: String = lines.lines().take(fitting).flat_map(|line| [line, "\n"]).collect();
    if let Some(more) = lines.lines().count().checked_sub(fitting).filter(|more| *more > 0) {
        text.push_str(&format!("and {more} more\n"));
    }
    text.push_str(&format!("{}\n`cargo cspec check` shows the states and the source.\n", summary.line()));
    Ok(text)
}
