//! `cargo cspec matrix`: which operation moves past which, layer by layer.

use std::{
    io::{self, BufWriter, Write},
    sync::atomic::Ordering,
};

use cspec_analysis::{
    report::{Listing, list_package},
    verdict::Scope,
};
use cspec_project::unknown;

use crate::{
    cli::{Global, MatrixArguments},
    exit::Status,
    interrupt,
    output::{complain, delivered},
    packages::{self, Prepared},
    render::{human_list::HumanMatrix, summary::is_source_error},
};

/// Runs `cargo cspec matrix`.
pub fn run(arguments: &MatrixArguments, global: &Global) -> Status {
    let usual = Scope::default();
    match packages::prepare_each(&arguments.selection.selection(), &arguments.effort, &usual) {
        Ok(packages) => show(&packages, arguments, global),
        Err(message) => {
            complain(&message);
            Status::Usage
        }
    }
}

fn show(packages: &[Prepared], arguments: &MatrixArguments, global: &Global) -> Status {
    let stop = interrupt::stop_flag();
    let mut listings: Vec<(&Prepared, Listing)> = Vec::new();
    for prepared in packages {
        let options = prepared.options();
        let listing = list_package(&prepared.package, &options, &stop);
        if stop.load(Ordering::SeqCst) {
            complain(&format!("interrupted: the matrix of package `{}` is not complete", listing.title));
            return Status::Interrupted;
        }
        listings.push((prepared, listing));
    }
    let known: Vec<&str> = listings.iter().flat_map(|(_, it)| &it.layers).map(|layer| layer.name.as_str()).collect();
    if let Some(wrong) = arguments.layers.iter().find(|name| !known.contains(&name.as_str())) {
        complain(&unknown("layer", wrong, &known));
        return Status::Usage;
    }
    let mut stdout = BufWriter::new(io::stdout().lock());
    let written = listings.iter().try_for_each(|(prepared, listing)| {
        let matrix = HumanMatrix { colour: global.colour(), layers: &arguments.layers, scope: &prepared.scope };
        matrix.package(listing, &mut stdout)
    });
    let broken = listings.iter().any(|(_, it)| it.diagnostics.iter().any(is_source_error));
    delivered(if broken { Status::Violated } else { Status::Success }, written.and_then(|()| stdout.flush()))
}
