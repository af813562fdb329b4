//! `cargo cspec check`: asks the engine for a report on each package, hands it to a renderer, and ends with the status of the whole.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use cspec_analysis::verdict::{ObligationName, Scope};

use crate::{
    cli::{CheckArguments, CheckFormat, Global},
    engine::{Engine, Job},
    exit::Status,
    filter::Filter,
    fix,
    git::Tree,
    interrupt::{self, Stop},
    output::{complain, delivered, warn},
    packages::{self, Prepared},
    render::{Render, github, human, json, junit, sarif, short, summary::Summary},
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

/// Checks once, and writes the results to standard output. The engine may be missing for a reason, which is a finished message.
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

/// Checks once, and writes the results to `out`. The engine may be missing for a reason, which is a finished message.
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
    let written = written.and_then(|()| renderer.finish(&summary));
    (summary, written)
}

/// The selected packages in the engine. The error is a finished message.
pub fn open(arguments: &CheckArguments) -> Result<Engine, String> {
    let packages = packages::prepare(&arguments.selection.selection(), &arguments.effort, &Scope::default())?;
    let engine = if arguments.staged {
        let staged = Tree::staged()?;
        Engine::with_texts(packages, arguments.no_cache, |session| staged.lay_over(session))
    } else {
        Engine::open(packages, arguments.no_cache)
    };
    filter(arguments).check(&names(&engine, arguments))?;
    Ok(engine)
}

/// All obligations of this kind of run.
fn names(engine: &Engine, arguments: &CheckArguments) -> Vec<ObligationName> {
    let all = |index| engine.obligations(index, arguments.end_to_end).into_iter().map(|it| it.name);
    (0..engine.packages().len()).flat_map(all).collect()
}

/// Which obligations the command line means.
fn filter(arguments: &CheckArguments) -> Filter {
    Filter { words: arguments.filters.clone(), partition: arguments.partition }
}

/// How long the run may take: what the command line says, or the smallest budget in the settings.
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
    /// Checks the packages one after the other, showing each when it is done. If that fails the checking goes on: the status still counts.
    fn check_all(&self, renderer: &mut dyn Render, summary: &mut Summary) -> io::Result<()> {
        let Run { arguments, progress, ref filter, .. } = *self;
        let only = |name: &ObligationName| filter.matches(name);
        let job = Job { end_to_end: arguments.end_to_end, only: &only, progress, stop: &self.stop.flag };
        let mut written = Ok(());
        for (index, Prepared { package, .. }) in self.engine.packages().iter().enumerate() {
            if self.stop.is_set() {
                summary.unreached.push(package.name.clone());
                continue;
            }
            let checked = self.engine.check(index, &job);
            if checked.is_idle() && !self.filter.is_all() {
                // The filter means something in another package, or the part is empty.
                continue;
            }
            if checked.is_idle() && checked.report.diagnostics.is_empty() && !self.stop.is_set() {
                let lacks = if arguments.end_to_end {
                    "it has no #[client] program, and no implementation to make one up for"
                } else {
                    "it owes no obligations"
                };
                complain(&format!("nothing was checked in package `{}`: {lacks}", package.name));
            }
            if let Some(Err(message)) = arguments.save_counterexamples.as_ref().map(|it| saved::save(it, &checked)) {
                complain(&message);
                summary.unusable = true;
            }
            summary.add(&checked);
            written = written.and_then(|()| renderer.package(&checked));
        }
        if let Some(partition) = self.filter.partition {
            summary.note = Some(format!("part {partition} of all obligations; the other parts were not looked at"));
        }
        summary.out_of_time = self.stop.out_of_time();
        summary.interrupted = self.stop.is_set() && summary.out_of_time.is_none();
        if let Some(failure) = self.engine.cache_failure() {
            warn(&format!("{failure}; nothing is kept of this run"));
        }
        written
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

/// Says on standard error that obligations got lost: then no verdict of the run counts.
fn complain_of_loss(summary: &Summary) {
    if summary.lost() > 0 {
        complain(&format!("{} obligations were not evaluated; this is a bug in cspec", summary.lost()));
    }
}
