//! `cargo cspec …`: the command line of cspec, as a library so that its exit statuses are documented and its parts can be tested.
//!
//! This crate parses arguments, calls the engine, and formats the answers. Every verdict and the text of every diagnostic come from
//! `cspec_analysis`. `render` formats the results of `check` and `list`; it does not call the
//! engine or read the disk.

mod as_test;
mod bug;
mod check;
mod clean;
mod cli;
mod debug;
mod engine;
pub mod exit;
mod explain;
mod filter;
mod fix;
mod git;
mod graph;
mod hook;
mod interrupt;
mod list;
mod log;
mod manual;
mod matrix;
mod mutate;
mod new;
mod origin;
mod outcomes;
mod outline;
mod output;
mod packages;
mod progress;
mod render;
mod replay;
mod report;
mod saved;
mod schedule;
mod watch;

use std::ffi::OsString;

pub use exit::Status;
pub use replay::shown;

/// Runs the command line `arguments`, whose first word is the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Status {
    let arguments = cli::without_repeated_name(arguments);
    let colour = cli::colour_before_parsing(&arguments);
    let command = <cli::Cli as clap::CommandFactory>::command().color(colour.for_clap());
    let parsed = command
        .try_get_matches_from(arguments)
        .and_then(|matches| <cli::Cli as clap::FromArgMatches>::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => run(&cli),
        Err(error) => {
            // If the terminal is gone, nothing can be reported.
            let _ = error.print();
            if error.use_stderr() { Status::Usage } else { Status::Success }
        }
    }
}

/// Runs a parsed command line. A panic below is a bug in cspec and is reported as one.
fn run(cli: &cli::Cli) -> Status {
    let json = cli.command.wants_json();
    log::start();
    bug::guard(json, || match &cli.command {
        cli::Command::Check(arguments) => check::run(arguments, &cli.global),
        cli::Command::Search(arguments) if arguments.outcomes => outcomes::run(arguments, &cli.global),
        cli::Command::Search(arguments) => check::run(&arguments.as_check(), &cli.global),
        cli::Command::List(arguments) => list::run(arguments, &cli.global),
        cli::Command::New(arguments) => new::new(arguments, &cli.global),
        cli::Command::Init(arguments) => new::init(arguments, &cli.global),
        cli::Command::Explain(arguments) => explain::run(arguments),
        cli::Command::Matrix(arguments) => matrix::run(arguments, &cli.global),
        cli::Command::Report(arguments) => report::run(arguments, &cli.global),
        cli::Command::Replay(arguments) => replay::run(arguments),
        cli::Command::Mutate(arguments) => mutate::run(arguments, &cli.global),
        cli::Command::Graph(arguments) => graph::run(arguments),
        cli::Command::Hook(command) => hook::run(command, &cli.global),
        cli::Command::Clean(arguments) => clean::run(arguments),
        cli::Command::Debug(command) => debug::run(command),
        cli::Command::Completions(arguments) => manual::completions(arguments),
        cli::Command::Man(arguments) => manual::man(arguments),
        cli::Command::Lsp => lsp(),
    })
}

/// Serves an editor. The protocol requires status 1 if the editor disconnects without `shutdown`.
fn lsp() -> Status {
    if cspec_lsp::run_stdio() { Status::Success } else { Status::Violated }
}
