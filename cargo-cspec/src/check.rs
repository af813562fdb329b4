//! `cargo cspec check`: asks the engine for a report on each package, hands it to a renderer, and ends with the status of the whole.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write},
    time::{Duration, Instant},
};

use cspec_analysis::{
    report::{Options, check_package},
    verdict::Scope,
};

use crate::{
    cli::{CheckArguments, CheckFormat, Global},
    exit::Status,
    interrupt::{self, Stop},
    output::{complain, delivered},
    packages::{self, Prepared},
    progress::Counter,
    render::{
        Render, github, human, json, junit, sarif, short,
        summary::{Checked, Summary},
    },
};

/// Runs `cargo cspec check`.
pub fn run(arguments: &CheckArguments, global: &Global) -> Status {
    let started = Instant::now();
    let mut stdout = BufWriter::new(io::stdout().lock());
    let mut renderer = renderer(arguments.message_format.unwrap_or(CheckFormat::Human), global, &mut stdout);

    let mut summary = Summary::default();
    let packages = packages::prepare(&arguments.selection.selection(), &arguments.effort, &Scope::default());
    let written = match packages {
        Ok(packages) => {
            let stop = Stop::after(budget(arguments, &packages), interrupt::stop_flag());
            let run = Run { arguments, progress: !global.quiet && io::stderr().is_terminal(), stop: &stop };
            run.check_all(&packages, renderer.as_mut(), &mut summary)
        }
        Err(message) => {
            complain(&message);
            summary.unusable = true;
            Ok(())
        }
    };
    summary.elapsed = started.elapsed();
    complain_of_loss(&summary);
    let written = written.and_then(|()| renderer.finish(&summary));
    drop(renderer);
    delivered(summary.status(), written.and_then(|()| stdout.flush()))
}

/// How long the run may take: what the command line says, or the smallest budget in the settings.
fn budget(arguments: &CheckArguments, packages: &[Prepared]) -> Option<Duration> {
    arguments.budget.or_else(|| packages.iter().filter_map(|it| it.settings.budget).min())
}

/// What checking a package needs to know of the run.
struct Run<'a> {
    arguments: &'a CheckArguments,
    progress: bool,
    stop: &'a Stop,
}

impl Run<'_> {
    /// Checks the packages one after the other, showing each when it is done. If that fails the checking goes on: the status still counts.
    fn check_all(&self, packages: &[Prepared], renderer: &mut dyn Render, summary: &mut Summary) -> io::Result<()> {
        let mut written = Ok(());
        for prepared in packages {
            if self.stop.is_set() {
                summary.unreached.push(prepared.package.name.clone());
                continue;
            }
            let checked = self.check(prepared);
            if checked.is_idle() && checked.report.diagnostics.is_empty() && !self.stop.is_set() {
                let end_to_end = self.arguments.end_to_end;
                let lacks = if end_to_end { "it has no #[client] program" } else { "it owes no obligations" };
                complain(&format!("nothing was checked in package `{}`: {lacks}", prepared.package.name));
            }
            summary.add(&checked);
            written = written.and_then(|()| renderer.package(&checked));
        }
        summary.out_of_time = self.stop.out_of_time();
        summary.interrupted = self.stop.is_set() && summary.out_of_time.is_none();
        written
    }

    /// Checks one package.
    fn check(&self, prepared: &Prepared) -> Checked {
        let started = Instant::now();
        let Prepared { package, scope, .. } = prepared;
        let options = Options { scope: scope.clone(), end_to_end: self.arguments.end_to_end };
        let counter = Counter::new(&package.name, self.progress);
        let report = check_package(package, &options, &counter, &self.stop.flag);
        let planned = counter.planned().max(report.outcomes.len());
        Checked { package: package.clone(), scope: scope.clone(), report, planned, elapsed: started.elapsed() }
    }
}

/// The renderer for a format.
fn renderer<'a>(format: CheckFormat, global: &Global, out: &'a mut dyn Write) -> Box<dyn Render + 'a> {
    match format {
        CheckFormat::Human => Box::new(human::Human::new(out, global.colour(), global.detail())),
        CheckFormat::Short => Box::new(short::Short::new(out, global.detail())),
        CheckFormat::Json => Box::new(json::Json::new(out)),
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
