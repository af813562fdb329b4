//! `cargo cspec graph`: the stacks of the selected packages as a picture.

use std::io::{self, Write};

use cspec_analysis::session::Session;

use crate::{
    cli::{GraphArguments, GraphFormat},
    exit::Status,
    outline,
    output::{complain, delivered},
    packages,
    render::picture,
};

/// Runs `cargo cspec graph`.
pub fn run(arguments: &GraphArguments) -> Status {
    let packages = match packages::load(&arguments.selection.selection()) {
        Ok(packages) => packages,
        Err(message) => {
            complain(&message);
            return Status::Usage;
        }
    };
    let mut chains = Vec::new();
    for package in Session::open(packages).snapshot().packages() {
        chains.extend(outline::chains(package.program()));
    }
    if chains.is_empty() {
        complain("nothing to draw: there is no #[stack] and no #[implement] here");
        return Status::Usage;
    }
    let picture = match arguments.format {
        GraphFormat::Svg => picture::svg_alone(&chains),
        GraphFormat::Dot => picture::dot(&chains),
    };
    delivered(Status::Success, io::stdout().write_all(picture.as_bytes()))
}
