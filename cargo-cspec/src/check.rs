//! `cargo cspec check`: asks the engine for a report on each package, hands it to a renderer, and ends with the status of the whole.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use cspec_analysis::{
    report::{Options, check_package},
    verdict::Scope,
    workspace::Package,
};

use crate::{
    cli::{CheckArguments, CheckFormat, Global},
    exit::Status,
    interrupt,
    output::{complain, delivered},
    packages,
    progress::Counter,
    render::{
        Detail, Render, human, json, short,
        summary::{Checked, Summary},
    },
};

/// Runs `cargo cspec check`.
pub fn run(arguments: &CheckArguments, global: &Global) -> Status {
    let started = Instant::now();
    let options = Options { scope: arguments.effort.scope(Scope::default()), end_to_end: arguments.end_to_end };
    let mut stdout = BufWriter::new(io::stdout().lock());
    let mut renderer = renderer(arguments, global, &options, &mut stdout);

    let mut summary = Summary::default();
    let packages =
        packages::use_threads(arguments.effort.jobs).and_then(|()| packages::load(&arguments.selection.selection()));
    let written = match packages {
        Ok(packages) => {
            let progress = !global.quiet && io::stderr().is_terminal();
            check_all(&packages, &options, progress, renderer.as_mut(), &mut summary)
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

/// Checks the packages one after the other, showing each when it is done. If that fails the checking goes on: the status still counts.
fn check_all(
    packages: &[Package],
    options: &Options,
    progress: bool,
    renderer: &mut dyn Render,
    summary: &mut Summary,
) -> io::Result<()> {
    let stop = interrupt::stop_flag();
    let mut written = Ok(());
    for package in packages {
        if stop.load(Ordering::SeqCst) {
            summary.unreached.push(package.name.clone());
            continue;
        }
        let checked = check(package, options, progress, &stop);
        if checked.is_idle() && checked.report.diagnostics.is_empty() && !stop.load(Ordering::SeqCst) {
            let lacks = if options.end_to_end { "it has no #[client] program" } else { "it owes no obligations" };
            complain(&format!("nothing was checked in package `{}`: {lacks}", package.name));
        }
        summary.add(&checked);
        written = written.and_then(|()| renderer.package(&checked));
    }
    summary.interrupted = stop.load(Ordering::SeqCst);
    written
}

/// Checks one package.
fn check(package: &Package, options: &Options, progress: bool, stop: &AtomicBool) -> Checked {
    let started = Instant::now();
    let counter = Counter::new(&package.name, progress);
    let report = check_package(package, options, &counter, stop);
    let planned = counter.planned().max(report.outcomes.len());
    Checked { report, planned, elapsed: started.elapsed() }
}

/// The renderer that was asked for.
fn renderer<'a>(
    arguments: &CheckArguments,
    global: &Global,
    options: &Options,
    out: &'a mut dyn Write,
) -> Box<dyn Render + 'a> {
    let detail = match (global.quiet, global.verbose) {
        (true, _) => Detail::Problems,
        (_, true) => Detail::Everything,
        _ => Detail::Summary,
    };
    match arguments.message_format {
        CheckFormat::Human => Box::new(human::Human::new(out, global.colour(), detail)),
        CheckFormat::Short => Box::new(short::Short::new(out, detail)),
        CheckFormat::Json => Box::new(json::Json::new(out, options.scope.clone())),
    }
}

/// Says on standard error that obligations got lost: then no verdict of the run counts.
fn complain_of_loss(summary: &Summary) {
    if summary.lost() > 0 {
        complain(&format!("{} obligations were not evaluated; this is a bug in cspec", summary.lost()));
    }
}
