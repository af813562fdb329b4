//! `cargo cspec report`: checks the selected packages and writes one HTML page about them.

use std::{
    fs,
    io::{self, Write as _},
    process::Command,
    sync::Arc,
    time::Instant,
};

use camino::Utf8Path;
use cspec_analysis::{
    report::list_package,
    verdict::Scope,
    workspace::{Compilation, Compiled, Package},
};

use crate::{
    check::{complain_of_rustc, show_with},
    cli::{Global, ReportArguments},
    engine::{Engine, Job},
    exit::Status,
    interrupt::{self, Stop},
    outline,
    output::{complain, delivered, warn},
    packages,
    render::{
        html::{self, Section},
        summary::{Checked, Summary},
    },
};

/// Runs `cargo cspec report`. The status is that of the check.
pub fn run(arguments: &ReportArguments, global: &Global) -> Status {
    match write_report(arguments, global) {
        Ok(status) => status,
        Err(message) => {
            complain(&message);
            Status::Usage
        }
    }
}

/// The error is a finished message.
fn write_report(arguments: &ReportArguments, global: &Global) -> Result<Status, String> {
    let started = Instant::now();
    let prepared = packages::prepare_each(&arguments.selection.selection(), &arguments.effort, &Scope::default())?;
    let target = prepared.first().map(|it| it.package.target_directory.clone()).unwrap_or_default();
    let output = arguments.output.clone().unwrap_or_else(|| target.join("cspec").join("report.html"));
    let engine = Engine::open(prepared, arguments.no_cache);
    let stop = Stop::after(None, interrupt::stop_flag());
    let progress = !global.quiet && io::IsTerminal::is_terminal(&io::stderr());
    let job = Job { end_to_end: false, only: &|_| true, progress, stop: &stop.flag };
    let packages: Vec<Package> = engine.packages().iter().map(|it| it.package.clone()).collect();
    let compile = || {
        let jobs = arguments.effort.jobs;
        Compilation::start(&arguments.selection.selection(), &packages, jobs, Arc::clone(&stop.flag))
    };
    let compilation = (!arguments.no_rustc).then(compile);
    let mut summary = Summary::default();
    let mut checked: Vec<Checked> = (0..packages.len()).map(|index| engine.check(index, &job)).collect();
    checked.iter().for_each(|it| summary.add(it));
    summary.rustc = compilation.map(Compilation::wait);
    if let Some(Compiled::Refused(refusals)) = &summary.rustc {
        show_with(&mut checked, refusals);
    }
    complain_of_rustc(&summary);
    let mut sections = Vec::new();
    for ((index, prepared), checked) in engine.packages().iter().enumerate().zip(checked) {
        let options = prepared.options();
        let listing = list_package(&prepared.package, &options, &stop.flag);
        let coverage = engine.coverage(index, &stop.flag);
        sections.push(Section { checked, listing, coverage, chains: outline::chains(engine.program(index)) });
    }
    if stop.is_set() {
        complain("interrupted: no report was written");
        return Ok(Status::Interrupted);
    }
    summary.elapsed = started.elapsed();
    let failed = |error: io::Error| format!("cannot write {output}: {error}");
    fs::create_dir_all(output.parent().unwrap_or(Utf8Path::new(""))).map_err(failed)?;
    fs::write(&output, html::page(&sections, &summary)).map_err(failed)?;
    if arguments.open {
        open(&output);
    }
    let told = if global.quiet { Ok(()) } else { writeln!(io::stdout(), "{}\nwritten to {output}", summary.line()) };
    Ok(delivered(summary.status(), told))
}

/// Opens a file as the desktop would.
fn open(path: &Utf8Path) {
    let opener = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    if let Err(error) = Command::new(opener).arg(path).spawn() {
        warn(&format!("cannot open {path} with {opener}: {error}"));
    }
}
