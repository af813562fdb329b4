//! `cargo xtask`: the commands that contributors use most, under names that are easy to remember.
//!
//! Each task is a list of programs with their arguments; nothing is decided here. It uses the standard library only, so that it builds in a
//! second.

use std::{
    env,
    process::{Command, ExitCode},
};

/// A task: its name, what it is for, and the commands that it runs, in order, until one fails.
struct Task {
    name: &'static str,
    about: &'static str,
    commands: &'static [&'static str],
}

/// The tasks. Arguments after the task's name are added to its last command.
const TASKS: &[Task] = &[
    Task {
        name: "quick",
        about: "check format, lints and the engine's corpus: finds most mistakes",
        commands: &[
            "cargo fmt --all -- --check",
            "cargo clippy --workspace --all-targets -- -D warnings",
            "cargo test -p cspec-analysis --test corpus",
        ],
    },
    Task { name: "test", about: "run all tests", commands: &["cargo test --workspace"] },
    Task { name: "ci", about: "run what must pass before a change lands", commands: &["bash .ci/run"] },
    Task {
        name: "bless",
        about: "run all tests and rewrite the snapshots",
        commands: &["env UPDATE_EXPECT=1 cargo test --workspace --no-fail-fast"],
    },
    Task {
        name: "doc",
        about: "build the API documentation; warnings are errors",
        commands: &["env RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --document-private-items"],
    },
    Task {
        name: "fuzz",
        about: "compare the engine with brute force on random packages: `cargo xtask fuzz --cases 100000 --seed 1`",
        commands: &["cargo run --release -p cspec-oracle -- fuzz"],
    },
    Task {
        name: "mutants",
        about: "remove one clause of the checker at a time; brute force must notice each",
        commands: &["cargo run -p cspec-oracle -- mutants"],
    },
    Task { name: "bench", about: "run the benchmarks of the engine", commands: &["cargo bench -p cspec-analysis"] },
    Task {
        name: "package",
        about: "check that the published crates build from the packed files",
        commands: &["cargo package --workspace --allow-dirty"],
    },
];

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".to_owned());
    let more: Vec<String> = arguments.collect();
    if ["help", "--help", "-h"].contains(&name.as_str()) {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|it| it.name == name) else {
        eprint!("error: there is no task `{name}`\n\n{}", help());
        return ExitCode::from(2);
    };
    let last = task.commands.len() - 1;
    let ends_well = task.commands.iter().enumerate().all(|(at, command)| {
        let more: &[String] = if at == last { &more } else { &[] };
        runs(command, more)
    });
    if ends_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn help() -> String {
    let rows = TASKS.iter().map(|Task { name, about, .. }| format!("  {name:8} {about}\n"));
    format!("usage: cargo xtask TASK [ARGUMENTS]\n\n{}", rows.collect::<String>())
}

/// Runs a command with more arguments; returns whether it succeeded.
fn runs(command: &str, more: &[String]) -> bool {
    println!("$ {command} {}", more.join(" "));
    let mut words = command.split(' ').filter(|it| !it.is_empty());
    let program = words.next().unwrap_or_default();
    match Command::new(program).args(words).args(more).status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("error: cannot start {program}: {error}");
            false
        }
    }
}
