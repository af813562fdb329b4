//! The command line: runs the checked counter on this machine, or runs litmus tests on the lowest layer. Exit codes: 0 as expected,
//! 1 not as expected, 2 wrong usage or a file that cannot be read, 3 undecided.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tso::counting::{self, Plan};
use tso::hardware;
use tso::litmus::{self, Bounds};

/// A counter on x86-TSO: ten layers, checked and running.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    count: Count,
}

#[derive(Subcommand)]
enum Command {
    /// Explores litmus tests on the executable model of the lowest layer.
    Litmus(Litmus),
}

/// Counts with the checked procedures on this machine's memory.
#[derive(Args)]
struct Count {
    /// Number of threads that count at the same time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    threads: u64,
    /// How often each thread counts up.
    #[arg(long, value_name = "K", default_value_t = 100_000)]
    iterations: u64,
    /// Also counts down once after each time up.
    #[arg(long)]
    dec: bool,
}

#[derive(Args)]
struct Litmus {
    /// The tests, as JSON.
    file: PathBuf,
    /// Maximum number of pending stores of a process; a test that needs more is undecided.
    #[arg(long, value_name = "N")]
    buffer: Option<usize>,
    /// Maximum number of states to visit in one test; a test that needs more is undecided.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    states: usize,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Litmus(arguments)) => run_litmus(&arguments),
        None => run_count(&cli.count),
    }
}

fn run_count(arguments: &Count) -> ExitCode {
    if !hardware::IS_X86_64 {
        println!("note: not x86-64; every access is sequentially consistent, which is one way to be x86-TSO");
    }
    let plan = Plan { threads: arguments.threads, iterations: arguments.iterations, down: arguments.dec };
    let Some(expected) = plan.expected() else {
        eprintln!("error: {} × {} does not fit the counter", plan.threads, plan.iterations);
        return ExitCode::from(2);
    };
    let counted = counting::count(plan);
    println!("count     {}", counted.value);
    println!("expected  {expected}");
    println!("speed     {:.0} {}/s", counted.speed(), if plan.down { "changes" } else { "increments" });
    ExitCode::from(u8::from(counted.value != expected))
}

fn run_litmus(arguments: &Litmus) -> ExitCode {
    let file = arguments.file.display();
    let text = match fs::read_to_string(&arguments.file) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("error: {file}: {error}");
            return ExitCode::from(2);
        }
    };
    let tests = match litmus::parse(&text) {
        Ok(tests) => tests,
        Err(error) => {
            eprintln!("error: {file}: {error}");
            return ExitCode::from(2);
        }
    };
    let bounds = Bounds { buffer: arguments.buffer, states: arguments.states };
    let summary = litmus::report(&tests, bounds, &mut |line| println!("{line}"));
    println!("{summary}");
    ExitCode::from(summary.exit_code())
}
