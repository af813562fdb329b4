//! `cargo cspec list`: prints the contents of each package.

use std::{
    io::{self, BufWriter, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use cspec_analysis::{
    report::{Listing, Options, list_package},
    session::Session,
    verdict::Scope,
};

use crate::{
    cli::{Global, ListArguments, ListFormat},
    exit::Status,
    interrupt,
    outline::{self, Chain},
    output::{complain, delivered},
    packages::{self, Prepared},
    render::{figure, human_list::HumanList, json_list, summary::is_source_error},
};

/// Runs `cargo cspec list`.
pub fn run(arguments: &ListArguments, global: &Global) -> Status {
    // The scope of a check: the list must not show a type that a check refutes.
    let usual = Scope::default();
    let packages = match packages::prepare_each(&arguments.selection.selection(), &arguments.effort, &usual) {
        Ok(packages) => packages,
        Err(message) => {
            complain(&message);
            return Status::Usage;
        }
    };
    let mut stdout = BufWriter::new(io::stdout().lock());
    if arguments.figure {
        let (status, written) = figure(packages, &mut stdout);
        return delivered(status, written.and_then(|()| stdout.flush()));
    }
    let (status, written) = list(&packages, arguments, global, &interrupt::stop_flag(), &mut stdout);
    delivered(status, written.and_then(|()| stdout.flush()))
}

/// Prints the stacks of every package as tables; returns the status, and whether writing succeeded. Explores nothing.
fn figure(packages: Vec<Prepared>, out: &mut dyn Write) -> (Status, io::Result<()>) {
    let packages = packages.into_iter().map(|it| it.package).collect();
    let snapshot = Session::open(packages).snapshot();
    let chains = snapshot.packages().iter().flat_map(|it| outline::chains(it.program()));
    let stacks: Vec<Chain> = chains.filter(|it| !it.stack.is_empty()).collect();
    if stacks.is_empty() {
        complain("nothing to print: there is no #[stack] here");
        return (Status::Usage, Ok(()));
    }
    (Status::Success, figure::tables(&stacks, out))
}

/// Lists every package; returns the status, and whether writing succeeded.
fn list(
    packages: &[Prepared],
    arguments: &ListArguments,
    global: &Global,
    stop: &AtomicBool,
    out: &mut dyn Write,
) -> (Status, io::Result<()>) {
    let mut status = Status::Success;
    let mut written = Ok(());
    for Prepared { package, scope, .. } in packages {
        let options = Options { scope: scope.clone(), ..Options::default() };
        let human = HumanList {
            colour: global.colour(),
            matrix: arguments.matrix || global.verbose > 0,
            only_problems: global.quiet,
            scope,
        };
        let listing = list_package(package, &options, stop);
        if stop.load(Ordering::SeqCst) {
            complain(&format!("interrupted: the list of package `{}` is not complete", package.title));
            return (Status::Interrupted, written);
        }
        status = worse(status, of_source(&listing));
        written = written.and_then(|()| match arguments.message_format {
            ListFormat::Human => human.package(&listing, out),
            ListFormat::Json => json_list::package(package, &listing, scope, out),
        });
    }
    (status, written)
}

/// The status that a package's source implies: it may have errors, or nothing to list.
fn of_source(listing: &Listing) -> Status {
    if listing.diagnostics.iter().any(is_source_error) {
        Status::Violated
    } else if listing.layers.is_empty() {
        Status::Usage
    } else {
        Status::Success
    }
}

/// The worse of two statuses; errors are worst.
fn worse(one: Status, other: Status) -> Status {
    [Status::Violated, Status::Usage].into_iter().find(|it| [one, other].contains(it)).unwrap_or(Status::Success)
}
