//! `cargo cspec search --outcomes`: what the processes of each client can have shown at the end of a run.

use std::io::{self, BufWriter, Write};

use cspec_analysis::{
    counterexample::Counterexample,
    explore::search::Abort,
    obligations::{
        end_to_end::{Line, Outcomes, Subject},
        question::Answered,
    },
    report::{Options, SourceText},
    verdict::{ObligationName, Scope},
};
use serde::Serialize;

use crate::{
    cli::{CheckFormat, Global, SearchArguments},
    engine::Engine,
    exit::Status,
    filter::Filter,
    interrupt::{self, Stop},
    output::{complain, delivered},
    packages,
    render::{
        json::{LineSpan, line},
        summary::is_source_error,
    },
};

/// The outcomes of one client, with all that is shown of it.
struct Listed<'a> {
    package: &'a str,
    files: Vec<SourceText>,
    name: &'a ObligationName,
    client: &'a str,
    processes: u32,
    outcomes: Outcomes<cspec_analysis::ir::Span>,
    /// Why there may be more outcomes; `None` if these are all, within the bounds.
    cut: Option<String>,
}

/// Runs `cargo cspec search --outcomes`.
pub fn run(arguments: &SearchArguments, global: &Global) -> Status {
    list(arguments, global).unwrap_or_else(|message| {
        complain(&message);
        Status::Usage
    })
}

/// The error is a finished message.
fn list(arguments: &SearchArguments, global: &Global) -> Result<Status, String> {
    let is_json = match arguments.message_format.unwrap_or(CheckFormat::Human) {
        CheckFormat::Human => false,
        CheckFormat::Json | CheckFormat::JsonAnsi => true,
        other => return Err(format!("outcomes are shown as `human` or `json`, not as `{}`", other.name())),
    };
    let packages = packages::prepare(&arguments.selection.selection(), &arguments.effort, &Scope::default())?;
    let engine = Engine::open(packages, true);
    let options = Options { end_to_end: true, ..Options::default() };
    let filter = Filter { words: arguments.filters.clone(), partition: None };
    let whole = (0..engine.packages().len()).filter(|it| !engine.package(*it).is_bare);
    let clients: Vec<(usize, usize)> = whole
        .flat_map(|package| {
            let entries = engine.package(package).view().plan(&options).entries.iter().enumerate();
            entries
                .filter(|(_, it)| it.name.kind == "traces")
                .map(move |(entry, _)| (package, entry))
                .collect::<Vec<_>>()
        })
        .collect();
    let name = |it: &(usize, usize)| &engine.package(it.0).view().plan(&options).entries[it.1].name;
    let is_broken = (0..engine.packages().len()).any(|it| engine.package(it).diagnostics.iter().any(is_source_error));
    if clients.is_empty() {
        return Err(match is_broken {
            true => "the source has errors, so there is no client to run: `cargo cspec search` shows them".to_owned(),
            false => "there is no client here: outcomes are those of a `#[client]` of a stack".to_owned(),
        });
    }
    filter.check(&clients.iter().map(|it| name(it).clone()).collect::<Vec<_>>())?;
    let stop = Stop::after(arguments.budget, interrupt::stop_flag());
    let mut stdout = BufWriter::new(io::stdout().lock());
    let mut status = if is_broken { Status::Violated } else { Status::Success };
    let mut written = Ok(());
    for at in clients.iter().filter(|it| filter.matches(name(it))) {
        let Some(listed) = listed(&engine, &options, *at, &stop) else { continue };
        if listed.cut.is_some() && status == Status::Success {
            status = Status::Undecided;
        }
        written = written.and_then(|()| match is_json {
            true => line(&mut stdout, &Object::new(&listed)),
            false => human(&mut stdout, &listed, global.verbose > 0),
        });
        written = written.and_then(|()| stdout.flush());
    }
    if stop.is_set() && stop.out_of_time().is_none() {
        status = Status::Interrupted;
    }
    if is_broken {
        complain("the source has errors: clients that depend on them were not run; `cargo cspec search` shows them");
    }
    Ok(delivered(status, written))
}

fn listed<'a>(engine: &'a Engine, options: &Options, at: (usize, usize), stop: &Stop) -> Option<Listed<'a>> {
    let (snapshot, prepared) = (engine.package(at.0), &engine.packages()[at.0]);
    let entry = &snapshot.view().plan(options).entries[at.1];
    let outcomes = entry.outcomes(snapshot.program(), snapshot.source_map(), &prepared.scope, &stop.flag)?;
    let (client, processes) = entry.client(snapshot.program())?;
    let cut = match &outcomes.answered {
        Answered::Holds if outcomes.has_no_start => Some("no state within the scope is initial".to_owned()),
        Answered::Holds => None,
        Answered::GivenUp(Abort::Stopped) => Some("the run was stopped".to_owned()),
        Answered::GivenUp(Abort::OutOfFuel) => {
            Some(format!("the budget of {} steps ran out (`--scope budget=N`)", prepared.scope.budget))
        }
        Answered::GivenUp(Abort::Endless(_)) => Some("a loop, or a state, grows without end".to_owned()),
        Answered::GivenUp(_) | Answered::Violated(_) => Some("the engine met code that it cannot run".to_owned()),
    };
    let text = |it: &cspec_analysis::session::File| SourceText { path: it.shown.clone(), text: it.text.to_string() };
    Some(Listed {
        package: &prepared.package.title,
        files: snapshot.files.iter().map(text).collect(),
        name: &entry.name,
        client,
        processes,
        outcomes,
        cut,
    })
}

impl Listed<'_> {
    /// The run of an outcome, as a line for `replay`.
    fn line(&self, index: usize) -> String {
        let runs = Ok((self.client.to_owned(), self.processes));
        let subject = Subject { over: self.name.implementation.clone(), runs, question: None };
        Line { subject, schedule: self.outcomes.all[index].schedule.clone() }.to_string()
    }
}

fn human(out: &mut dyn Write, listed: &Listed<'_>, shows_runs: bool) -> io::Result<()> {
    let all = &listed.outcomes.all;
    let effort = &listed.outcomes.effort;
    let count = if all.len() == 1 { "1 outcome".to_owned() } else { format!("{} outcomes", all.len()) };
    let (stack, client, processes) = (&listed.name.implementation, listed.client, listed.processes);
    let bounds = effort.bounds_met.iter().cloned().collect::<Vec<_>>().join(", ");
    let whole = match &listed.cut {
        None => format!("{count}, and no others within {bounds}"),
        Some(why) => format!("{count} so far. There may be more: {why}"),
    };
    writeln!(out, "{stack}::{client} with {processes} processes: {whole}  ({} configurations)", effort.states)?;
    for assumption in &effort.assumptions {
        writeln!(out, "  assuming: {}", assumption.name())?;
    }
    for (index, outcome) in all.iter().enumerate() {
        let shown = outcome.shown.iter().enumerate().map(|(process, events)| {
            let events = if events.is_empty() { "nothing".to_owned() } else { events.join(" ") };
            format!("p{process}: {events}")
        });
        let shown: Vec<String> = shown.collect();
        let how = match outcome.how {
            cspec_analysis::obligations::end_to_end::How::Finished => String::new(),
            how => format!("  ({})", how.name()),
        };
        writeln!(out, "\n  {}{how}", shown.join("  |  "))?;
        if shows_runs {
            outcome.run.lines().iter().try_for_each(|it| writeln!(out, "    {it}"))?;
        }
        writeln!(out, "    cargo cspec replay {}", listed.line(index))?;
    }
    writeln!(out)
}

/// A line `{"reason":"cspec-outcomes",…}`: the outcomes of one client.
#[derive(Serialize)]
struct Object<'a> {
    reason: &'static str,
    package: &'a str,
    stack: &'a str,
    client: &'a str,
    processes: u32,
    complete: bool,
    cut: Option<&'a str>,
    bounds_met: Vec<&'a String>,
    assumptions: Vec<&'static str>,
    states: u64,
    outcomes: Vec<OutcomeObject<'a>>,
}

#[derive(Serialize)]
struct OutcomeObject<'a> {
    shown: &'a [Vec<String>],
    ends: &'static str,
    replay: String,
    run: Counterexample<LineSpan<'a>>,
}

impl<'a> Object<'a> {
    fn new(listed: &'a Listed<'_>) -> Object<'a> {
        let effort = &listed.outcomes.effort;
        let object = |(index, it): (usize, &'a cspec_analysis::obligations::end_to_end::Outcome<_>)| OutcomeObject {
            shown: &it.shown,
            ends: it.how.name(),
            replay: listed.line(index),
            run: it.run.at(|span| Some(LineSpan::new(&listed.files, *span))),
        };
        Object {
            reason: "cspec-outcomes",
            package: listed.package,
            stack: &listed.name.implementation,
            client: listed.client,
            processes: listed.processes,
            complete: listed.cut.is_none(),
            cut: listed.cut.as_deref(),
            bounds_met: effort.bounds_met.iter().collect(),
            assumptions: effort.assumptions.iter().map(|it| it.name()).collect(),
            states: effort.states,
            outcomes: listed.outcomes.all.iter().enumerate().map(object).collect(),
        }
    }
}
