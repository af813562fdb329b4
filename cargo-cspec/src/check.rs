//! `cargo cspec check`: asks the engine for a report on each package, passes it to a renderer, and ends with the overall status.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use cspec_analysis::{
    verdict::{ObligationName, Scope},
    workspace::{Compilation, Compiled, Package, Refusal},
};

use crate::{
    cli::{CheckArguments, CheckFormat, EffortArguments, Global},
    engine::{Engine, Job},
    exit::Status,
    filter::Filter,
    fix,
    git::Tree,
    interrupt::{self, Stop},
    output::{complain, delivered, warn},
    packages::{self, Prepared},
    render::{
        Render, github, human, json, junit, sarif, short,
        summary::{Checked, Summary},
    },
    saved, watch,
};

/// Runs `cargo cspec check`.
pub fn run(arguments: &CheckArguments, global: &Global) -> Status {
    if arguments.watch {
        return watch::run(arguments, global);
    }
    if arguments.fix {
        return fix::run(arguments, global);
    }
    show(open(arguments).as_ref(), arguments, global, interrupt::stop_flag())
}

/// Checks once, and writes the results to standard output. `engine` may be an error, which is a finished message.
pub fn show(
    engine: Result<&Engine, &String>,
    arguments: &CheckArguments,
    global: &Global,
    stop: Arc<AtomicBool>,
) -> Status {
    let mut stdout = BufWriter::new(io::stdout().lock());
    let (summary, written) = check(engine, arguments, global, stop, &mut stdout);
    delivered(summary.status(), written.and_then(|()| stdout.flush()))
}

/// Checks once, and writes the results to `out`. `engine` may be an error, which is a finished message.
pub fn check(
    engine: Result<&Engine, &String>,
    arguments: &CheckArguments,
    global: &Global,
    stop: Arc<AtomicBool>,
    out: &mut dyn Write,
) -> (Summary, io::Result<()>) {
    let started = Instant::now();
    let mut renderer = renderer(arguments.message_format.unwrap_or(CheckFormat::Human), global, out);
    let mut summary = Summary::default();
    let written = match engine {
        Ok(engine) => {
            let stop = Stop::after(budget(arguments, engine.packages()), stop);
            let progress = !global.quiet && io::stderr().is_terminal();
            let run = Run { arguments, engine, filter: filter(arguments), progress, stop: &stop };
            run.check_all(renderer.as_mut(), &mut summary)
        }
        Err(message) => {
            complain(message);
            summary.unusable = true;
            Ok(())
        }
    };
    summary.elapsed = started.elapsed();
    complain_of_loss(&summary);
    complain_of_rustc(&summary);
    let written = written.and_then(|()| renderer.finish(&summary));
    (summary, written)
}

/// The selected packages with the settings of these arguments. The error is a finished message.
pub fn prepare(arguments: &CheckArguments, effort: &EffortArguments) -> Result<Vec<Prepared>, String> {
    let mut packages = packages::prepare(&arguments.selection.selection(), effort, &Scope::default())?;
    if arguments.no_symmetry {
        packages.iter_mut().for_each(|it| it.scope.symmetry = false);
    }
    if arguments.no_search {
        packages.iter_mut().for_each(|it| it.settings.search_refused = Some(false));
    }
    Ok(packages)
}

/// The selected packages in the engine. The error is a finished message.
pub fn open(arguments: &CheckArguments) -> Result<Engine, String> {
    let packages = prepare(arguments, &arguments.effort)?;
    let engine = if arguments.staged {
        let staged = Tree::staged()?;
        Engine::with_texts(packages, arguments.no_cache, |session| staged.lay_over(session))
    } else {
        Engine::open(packages, arguments.no_cache)
    };
    filter(arguments).check(&names(&engine, arguments))?;
    Ok(engine)
}

/// All obligations of this kind of run, by name.
fn names(engine: &Engine, arguments: &CheckArguments) -> Vec<ObligationName> {
    let all = |index| engine.obligations(index, arguments.end_to_end).into_iter().map(|it| it.name);
    (0..engine.packages().len()).flat_map(all).collect()
}

/// The obligations that the command line selects.
fn filter(arguments: &CheckArguments) -> Filter {
    Filter { words: arguments.filters.clone(), partition: arguments.partition }
}

/// The time limit of the run: from the command line, or the smallest budget in the settings.
fn budget(arguments: &CheckArguments, packages: &[Prepared]) -> Option<Duration> {
    arguments.budget.or_else(|| packages.iter().filter_map(|it| it.settings.budget).min())
}

/// A run over packages.
struct Run<'a> {
    arguments: &'a CheckArguments,
    engine: &'a Engine,
    filter: Filter,
    progress: bool,
    stop: &'a Stop,
}

impl Run<'_> {
    /// Checks the packages one after the other, in parallel with rustc. Shows each when both are done. If showing fails, checking
    /// continues, since the exit status is still needed.
    fn check_all(&self, renderer: &mut dyn Render, summary: &mut Summary) -> io::Result<()> {
        let compilation = self.compile();
        let mut written = Ok(());
        let mut done = Vec::new();
        for index in 0..self.engine.packages().len() {
            done.extend(self.check_package(index, summary));
            if compilation.is_none() {
                written = written.and_then(|()| done.drain(..).try_for_each(|it| renderer.package(&it)));
            }
        }
        summary.rustc = compilation.map(Compilation::wait);
        if let Some(Compiled::Refused(refusals)) = &summary.rustc {
            show_with(&mut done, refusals);
        }
        written = written.and_then(|()| done.iter().try_for_each(|it| renderer.package(it)));
        self.complain_of_idle(summary);
        if let Some(partition) = self.filter.partition {
            summary.note = Some(format!("part {partition} of all obligations; the other parts were not checked"));
        }
        summary.out_of_time = self.stop.out_of_time();
        summary.interrupted = self.stop.is_set() && summary.out_of_time.is_none();
        if let Some(failure) = self.engine.cache_failure() {
            warn(&format!("{failure}; the results of this run are not stored"));
        }
        written
    }

    /// Starts rustc, unless it is disabled. For staged files it is, since rustc reads the files on disk.
    fn compile(&self) -> Option<Compilation> {
        let CheckArguments { selection, effort, no_rustc, staged, .. } = self.arguments;
        let packages: Vec<Package> = self.engine.packages().iter().map(|it| it.package.clone()).collect();
        let start = || Compilation::start(&selection.selection(), &packages, effort.jobs, Arc::clone(&self.stop.flag));
        (!no_rustc && !staged).then(start)
    }

    /// Checks one package, unless there is nothing to check in it.
    fn check_package(&self, index: usize, summary: &mut Summary) -> Option<Checked> {
        let Run { arguments, progress, ref filter, .. } = *self;
        let package = &self.engine.packages()[index].package;
        if self.engine.package(index).is_bare {
            return None;
        }
        if self.stop.is_set() {
            summary.unreached.push(package.title.clone());
            return None;
        }
        let only = |name: &ObligationName| filter.matches(name);
        let job = Job { end_to_end: arguments.end_to_end, only: &only, progress, stop: &self.stop.flag };
        let checked = self.engine.check(index, &job);
        if checked.is_idle() && !self.filter.is_all() {
            // The filter selects something in another package, or the partition is empty.
            return None;
        }
        if let Some(Err(message)) = arguments.save_counterexamples.as_ref().map(|it| saved::save(it, &checked)) {
            complain(&message);
            summary.unusable = true;
        }
        summary.add(&checked);
        Some(checked)
    }

    /// Reports on standard error the packages without anything to check, unless a finding reports it.
    fn complain_of_idle(&self, summary: &Summary) {
        let lacks = if self.arguments.end_to_end {
            "it has no #[client] program, and no implementation to generate one for"
        } else {
            "it has no obligations"
        };
        let is_told = |title: &str| {
            let packages = self.engine.packages().iter().enumerate().filter(|(_, it)| it.package.title == title);
            packages.into_iter().any(|(index, _)| !self.engine.package(index).diagnostics.is_empty())
        };
        for idle in summary.idle().into_iter().filter(|it| !is_told(it) && !self.stop.is_set()) {
            complain(&format!("nothing was checked in package `{idle}`: {lacks}"));
        }
    }
}

/// Shows each error of rustc with its package.
pub fn show_with(checked: &mut [Checked], refusals: &[Refusal]) {
    let packages: Vec<Package> = checked.iter().map(|it| it.package.clone()).collect();
    let packages: Vec<&Package> = packages.iter().collect();
    for refusal in refusals {
        if let Some(checked) = checked.get_mut(refusal.shown_with(&packages)) {
            checked.report.refuse(std::slice::from_ref(refusal));
        }
    }
}

/// The renderer for a format.
fn renderer<'a>(format: CheckFormat, global: &Global, out: &'a mut dyn Write) -> Box<dyn Render + 'a> {
    match format {
        CheckFormat::Human => Box::new(human::Human::new(out, global.colour(), global.detail())),
        CheckFormat::Short => Box::new(short::Short::new(out, global.detail())),
        CheckFormat::Json => Box::new(json::Json::new(out, false)),
        CheckFormat::JsonAnsi => Box::new(json::Json::new(out, true)),
        CheckFormat::Sarif => Box::new(sarif::Sarif::new(out)),
        CheckFormat::Github => Box::new(github::Github::new(out)),
        CheckFormat::Junit => Box::new(junit::Junit::new(out)),
    }
}

/// Reports on standard error that obligations were lost: then no verdict of the run counts.
fn complain_of_loss(summary: &Summary) {
    if summary.lost() > 0 {
        complain(&format!("{} obligations were not evaluated; this is a bug in cspec", summary.lost()));
    }
}

/// Reports on standard error why rustc did not check the program.
pub fn complain_of_rustc(summary: &Summary) {
    if let Some(Compiled::Failed(words)) = &summary.rustc {
        let words = words.trim().trim_start_matches("error: ");
        complain(&format!(
            "rustc could not check the program: `cargo check` failed: {words}\nhelp: pass --no-rustc if rustc is run elsewhere"
        ));
    }
}
