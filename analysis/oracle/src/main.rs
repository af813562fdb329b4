//! The command line of `cspec-oracle`, which checks the checker.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use clap::{Parser, Subcommand};
use cspec_oracle::{
    fuzz::{Effort, Fate, checked, run},
    generate::{Case, Pattern, case},
    mutants::{MUTANTS, SEEDS, build, caught_after},
    shrink::shrink,
};

#[derive(Parser)]
#[command(about = "Checks the checker of cspec")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check random packages: where every obligation holds, brute force must find no new trace
    Fuzz {
        /// Number of packages to check
        #[arg(long, default_value_t = 10_000)]
        cases: u64,
        /// First seed; each case uses the next one
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Only packages of this family
        #[arg(long, value_parser = pattern)]
        pattern: Option<Pattern>,
        /// Number of threads to use
        #[arg(long, default_value_t = 2)]
        jobs: u64,
        /// Stop at the first finding.
        #[arg(long)]
        fail_fast: bool,
        /// Only search accepted packages for new traces: do not replay counterexamples, do not repeat proofs by evaluation, and do not
        /// shrink findings.
        #[arg(long)]
        only_search: bool,
        /// Only compare the program of a package with that of the same package in disguise: with code that is not compiled, conditional
        /// attributes, and macros that shadow others.
        #[arg(long, conflicts_with = "only_search")]
        only_reading: bool,
    },
    /// Measure after how many packages each mutant of the checker is caught, from three seeds.
    Mutants {
        /// Maximum number of packages for each mutant and seed.
        #[arg(long, default_value_t = 5_000)]
        cases: u64,
        /// Folder for the copy of the engine, and its build.
        #[arg(long, default_value = "target/mutants")]
        scratch: PathBuf,
        /// Only mutants whose family or name contains this.
        #[arg(long)]
        only: Option<String>,
    },
    /// Print the source of a case, and the engine's report on it.
    Show {
        /// The family of the case.
        #[arg(long, value_parser = pattern)]
        pattern: Pattern,
        /// The seed of the case.
        #[arg(long)]
        seed: u64,
    },
}

fn pattern(name: &str) -> Result<Pattern, String> {
    let known: Vec<&str> = Pattern::ALL.iter().map(|it| it.name()).collect();
    let found = Pattern::ALL.into_iter().find(|it| it.name() == name);
    found.ok_or_else(|| format!("there is no such family; there are {}", known.join(", ")))
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Fuzz { cases, seed, pattern, jobs, fail_fast, only_search, only_reading } => {
            let effort = match only_search {
                true => Effort { confirm: false, asked_again: 0, ..Effort::default() },
                false => Effort { only_reading, ..Effort::default() },
            };
            fuzz(cases, seed, pattern, jobs, fail_fast, &effort)
        }
        Command::Mutants { cases, scratch, only } => match mutants(cases, &scratch, only.as_deref()) {
            Ok(code) => code,
            Err(why) => {
                eprintln!("error: {why}");
                ExitCode::FAILURE
            }
        },
        Command::Show { pattern, seed } => {
            show(&case(pattern, seed));
            ExitCode::SUCCESS
        }
    }
}

fn show(case: &Case) {
    println!("{}", case.source);
    for outcome in checked(&case.source).outcomes {
        println!("{:<10} {}", outcome.verdict.name(), outcome.name.id());
        for line in outcome.diagnostics.iter().flat_map(|it| it.paragraphs()) {
            println!("           {line}");
        }
    }
}

/// Builds the mutants and runs each; prints a table with a row for each.
fn mutants(cases: u64, scratch: &Path, only: Option<&str>) -> Result<ExitCode, String> {
    let program = build(Path::new("."), scratch)?;
    let mut missed = 0;
    for mutant in
        MUTANTS.iter().filter(|it| only.is_none_or(|only| it.name.contains(only) || it.family().contains(only)))
    {
        print!("| {} | {} |", mutant.family(), mutant.name);
        for seed in SEEDS {
            let caught = caught_after(&program, mutant, seed, cases)?;
            print!(" {} |", caught.map_or_else(|| "not caught".to_owned(), |it| it.to_string()));
            // A row is printed bit by bit, so that it is visible during the run.
            let _ = std::io::stdout().flush();
            missed += u32::from(caught.is_none());
        }
        println!();
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Counts the results of cases.
#[derive(Default)]
struct Counts {
    accepted: u64,
    searched: u64,
    traces: u64,
    rejected: u64,
    undecided: u64,
    confirmed: u64,
    unconfirmed: BTreeMap<String, u64>,
    wrong: u64,
}

fn fuzz(cases: u64, seed: u64, only: Option<Pattern>, jobs: u64, fail_fast: bool, effort: &Effort) -> ExitCode {
    let patterns: Vec<Pattern> = only.map_or_else(|| Pattern::ALL.to_vec(), |it| vec![it]);
    let counts: Mutex<BTreeMap<Pattern, Counts>> = Mutex::default();
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= cases {
                return;
            }
            let case = case(patterns[(number % patterns.len() as u64) as usize], seed + number);
            let fate = run(&case, effort);
            // A poisoned lock means that another thread has panicked; the counts are consistent all the same.
            let mut counts = counts.lock().unwrap_or_else(|it| it.into_inner());
            count(counts.entry(case.pattern).or_default(), &case, fate, number, effort);
            if fail_fast && counts.values().any(|it| it.wrong > 0) {
                next.store(cases, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    let counts = counts.into_inner().unwrap_or_else(|it| it.into_inner());
    for (pattern, it) in &counts {
        println!(
            "{:<12} {:>7} accepted ({} programs, {} traces), {:>7} rejected ({} violations confirmed, not: {:?}), {} undecided, {} wrong",
            pattern.name(),
            it.accepted,
            it.searched,
            it.traces,
            it.rejected,
            it.confirmed,
            it.unconfirmed,
            it.undecided,
            it.wrong
        );
    }
    if counts.values().all(|it| it.wrong == 0) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn count(counts: &mut Counts, case: &Case, fate: Fate, number: u64, effort: &Effort) {
    match fate {
        Fate::Accepted { searched, traces } => {
            counts.accepted += 1;
            counts.searched += searched as u64;
            counts.traces += traces as u64;
        }
        Fate::Rejected { confirmed, unconfirmed } => {
            counts.rejected += 1;
            counts.confirmed += confirmed as u64;
            for kind in unconfirmed {
                println!("case {number}: {} with seed {}: not confirmed: {kind}", case.pattern.name(), case.seed);
                *counts.unconfirmed.entry(kind).or_default() += 1;
            }
        }
        Fate::Undecided => counts.undecided += 1,
        Fate::Wrong(wrong) => {
            counts.wrong += 1;
            println!("case {number}: {} with seed {}\n{wrong}\n{}", case.pattern.name(), case.seed, case.source);
            if effort.confirm {
                let (small, wrong) = shrink(case, &wrong, effort);
                println!("the same, made small\n{wrong}\n{}", small.source);
            }
        }
    }
}
