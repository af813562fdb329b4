//! `cargo cspec debug`: prints the engine's view of a package, for developers of cspec. It checks nothing.

use std::{
    collections::BTreeSet,
    io::{self, BufWriter, Write},
};

use cspec_analysis::{
    ir::dump,
    report::Options,
    session::{PackageSnapshot, Session, Snapshot},
    verdict::{ObligationName, Scope},
};
use cspec_project::unknown;

use crate::{
    cli::{DebugArguments, DebugCommand},
    exit::Status,
    filter::Filter,
    output::{complain, delivered},
    packages,
};

/// Runs `cargo cspec debug`.
pub fn run(command: &DebugCommand) -> Status {
    let (DebugCommand::Ir(arguments) | DebugCommand::Slice(arguments)) = command;
    let packages = match packages::load(&arguments.selection.selection()) {
        Ok(packages) => packages,
        Err(message) => {
            complain(&message);
            return Status::Usage;
        }
    };
    let snapshot = Session::open(packages).snapshot();
    let text = match command {
        DebugCommand::Ir(arguments) => functions(&snapshot, arguments),
        DebugCommand::Slice(arguments) => slices(&snapshot, arguments),
    };
    match text {
        Ok(text) => {
            let mut stdout = BufWriter::new(io::stdout().lock());
            delivered(Status::Success, stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
        }
        Err(message) => {
            complain(&message);
            Status::Usage
        }
    }
}

/// The functions with these names. The error is a finished message.
fn functions(snapshot: &Snapshot, arguments: &DebugArguments) -> Result<String, String> {
    let programs: Vec<_> = snapshot.packages().iter().map(|it| it.program()).collect();
    let all: BTreeSet<&str> = programs.iter().flat_map(|it| &it.functions).map(|it| it.name.as_str()).collect();
    let means = |word: &str, name: &str| name == word || name.ends_with(&format!("::{word}"));
    if let Some(wrong) = arguments.names.iter().find(|word| !all.iter().any(|name| means(word, name))) {
        return Err(unknown("function", wrong, &all.iter().collect::<Vec<_>>()));
    }
    let is_wanted = |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|word| means(word, name));
    let wanted = programs.iter().flat_map(|program| {
        let functions = program.functions.iter().filter(|it| is_wanted(&it.name));
        functions.map(|it| dump::function(program, it) + "\n")
    });
    Ok(wanted.collect())
}

/// The slices of the selected obligations, each with the obligation's id. The error is a finished message.
fn slices(snapshot: &Snapshot, arguments: &DebugArguments) -> Result<String, String> {
    let options = Options { scope: Scope::default(), ..Options::default() };
    let filter = Filter { words: arguments.names.clone(), partition: None };
    let names = |package: &PackageSnapshot| -> Vec<ObligationName> {
        package.view().plan(&options).entries.iter().map(|it| it.name.clone()).collect()
    };
    filter.check(&snapshot.packages().iter().flat_map(|it| names(it)).collect::<Vec<_>>())?;
    let mut text = String::new();
    for package in snapshot.packages() {
        let entries = package.view().plan(&options).entries.iter();
        for entry in entries.filter(|it| filter.matches(&it.name)) {
            let slice = dump::program(entry.slice(package.program()));
            text.push_str(&format!("# {}\n{slice}\n", entry.name.id()));
        }
    }
    Ok(text)
}
