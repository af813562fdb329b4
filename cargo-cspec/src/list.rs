//! `cargo cspec list`: asks the engine what is in each package and prints it.

use std::{
    io::{self, BufWriter, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use cspec_analysis::{
    diagnostics::Severity,
    report::{Listing, Options, list_package},
    workspace::Package,
};

use crate::{
    cli::{Global, ListArguments, ListFormat},
    exit::Status,
    interrupt,
    output::{complain, delivered},
    packages,
    render::{human_list::HumanList, json_list},
};

/// Runs `cargo cspec list`.
pub fn run(arguments: &ListArguments, global: &Global) -> Status {
    let packages =
        packages::use_threads(arguments.effort.jobs).and_then(|()| packages::load(&arguments.selection.selection()));
    let packages = match packages {
        Ok(packages) => packages,
        Err(message) => {
            complain(&message);
            return Status::Usage;
        }
    };
    let mut stdout = BufWriter::new(io::stdout().lock());
    let (status, written) = list(&packages, arguments, global, &interrupt::stop_flag(), &mut stdout);
    delivered(status, written.and_then(|()| stdout.flush()))
}

/// Lists every package; the status, and whether it could be written.
fn list(
    packages: &[Package],
    arguments: &ListArguments,
    global: &Global,
    stop: &AtomicBool,
    out: &mut dyn Write,
) -> (Status, io::Result<()>) {
    let options = Options { scope: arguments.effort.scope(), end_to_end: false };
    let human =
        HumanList { colour: global.colour(), matrix: arguments.matrix || global.verbose, only_problems: global.quiet };
    let mut status = Status::Success;
    let mut written = Ok(());
    for package in packages {
        let listing = list_package(package, &options, stop);
        if stop.load(Ordering::SeqCst) {
            complain(&format!("interrupted: the list of package `{}` is not complete", package.name));
            return (Status::Interrupted, written);
        }
        if has_errors(&listing) {
            status = Status::Violated;
        }
        written = written.and_then(|()| match arguments.message_format {
            ListFormat::Human => human.package(&listing, out),
            ListFormat::Json => json_list::package(package, &listing, out),
        });
    }
    (status, written)
}

/// Whether the source itself has errors.
fn has_errors(listing: &Listing) -> bool {
    listing.diagnostics.iter().any(|found| found.severity == Severity::Error)
}
