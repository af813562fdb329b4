//! `cargo cspec completions` and `cargo cspec man`: both are generated from the definition of the command line.

use std::{fs, io};

use clap::{Command, CommandFactory as _};

use crate::{
    cli::{Cli, CompletionsArguments, ManArguments},
    exit::Status,
    output::{complain, delivered},
};

/// Runs `cargo cspec completions`. The completions are for `cargo-cspec`, since cargo completes only its own commands.
pub fn completions(arguments: &CompletionsArguments) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "cargo-cspec", &mut script);
    delivered(Status::Success, io::Write::write_all(&mut io::stdout(), &script))
}

/// Runs `cargo cspec man`.
pub fn man(arguments: &ManArguments) -> Status {
    let mut cli = Cli::command().name("cargo-cspec");
    cli.build();
    match write_pages(arguments, &cli) {
        Ok(count) => {
            let words = format!("{count} pages written to {}\n", arguments.folder);
            delivered(Status::Success, io::Write::write_all(&mut io::stdout(), words.as_bytes()))
        }
        Err(error) => {
            complain(&format!("cannot write the manual pages to {}: {error}", arguments.folder));
            Status::Usage
        }
    }
}

/// Writes a page for the command and one for each subcommand; returns their number.
fn write_pages(arguments: &ManArguments, cli: &Command) -> io::Result<usize> {
    fs::create_dir_all(&arguments.folder)?;
    let pages = pages("cargo-cspec", cli);
    for (name, command) in &pages {
        let mut page = Vec::new();
        clap_mangen::Man::new((*command).clone()).title(name.to_uppercase()).render(&mut page)?;
        fs::write(arguments.folder.join(format!("{name}.1")), page)?;
    }
    Ok(pages.len())
}

fn pages<'a>(name: &str, command: &'a Command) -> Vec<(String, &'a Command)> {
    let mut found = vec![(name.to_owned(), command)];
    for inner in command.get_subcommands().filter(|it| it.get_name() != "help") {
        found.extend(pages(&format!("{name}-{}", inner.get_name()), inner));
    }
    found
}
