//! The command line: its flags and their meanings. This module reads no files and starts no work.

mod commands;
mod effort;
mod selection;

use std::{ffi::OsString, io::IsTerminal as _};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use commands::{
    CheckArguments, CheckFormat, CleanArguments, CompletionsArguments, DebugArguments, DebugCommand, ExplainArguments,
    GraphArguments, GraphFormat, HookCommand, HookInstallArguments, HookRunArguments, InitArguments, ListArguments,
    ListFormat, ManArguments, MatrixArguments, MutateArguments, NewArguments, NewPackage, OriginArguments,
    ReplayArguments, ReportArguments, SearchArguments,
};
pub use effort::{EffortArguments, Partition};
pub use selection::{PackageArguments, SelectionArguments};

use crate::render::Detail;

/// Checks layered concurrency proofs.
#[derive(Debug, Parser)]
#[command(name = "cargo-cspec", bin_name = "cargo cspec", version, about, long_about = None, after_help = EXIT_STATUSES)]
#[command(subcommand_required = true, arg_required_else_help = true, propagate_version = true)]
pub struct Cli {
    /// The command to run, with its arguments.
    #[command(subcommand)]
    pub command: Command,
    /// The flags that every command has.
    #[command(flatten)]
    pub global: Global,
}

const EXIT_STATUSES: &str = "\
Exit status:
    0  everything is proved, or checked to scope
    1  something is violated or not shown, the source has errors, or rustc refuses it
    2  wrong usage, no usable workspace, nothing to check, or rustc cannot run
    3  nothing is violated or not shown, but something is undecided
  101  a bug in cspec
  130  interrupted";

/// The commands of `cargo cspec`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check every obligation of the selected packages.
    Check(CheckArguments),
    /// Search for wrong runs of the client programs, or of generated programs if there is no client.
    Search(SearchArguments),
    /// List layers, operations with their mover types, implementations and stacks.
    List(ListArguments),
    /// Show which operation moves past which, as a matrix for each layer.
    Matrix(MatrixArguments),
    /// Draw the stacks of layers, as SVG or DOT.
    Graph(GraphArguments),
    /// Write one HTML page with everything: stacks, verdicts, matrices, counterexamples.
    Report(ReportArguments),
    /// Step through a saved counterexample, and say whether the source still has it.
    ///
    /// This does not run rustc: it interprets the operations of layers, and compiles nothing.
    Replay(ReplayArguments),
    /// Change operations, guards, calls and claims one at a time, and show the changes that no obligation notices.
    ///
    /// This does not run rustc, since the changes are made in memory. `cargo cspec check` runs rustc on the unchanged package.
    Mutate(MutateArguments),
    /// Create a package: a small example that checks, runs, and suggests a mistake to try.
    New(NewArguments),
    /// Create the package in an existing folder.
    Init(InitArguments),
    /// Explain a diagnostic, or list all of them.
    Explain(ExplainArguments),
    /// Serve an editor: speak the language server protocol on standard input and output.
    Lsp,
    /// Check before each commit: install or remove a git hook.
    #[command(subcommand)]
    Hook(HookCommand),
    /// Remove the cache of verdicts.
    Clean(CleanArguments),
    /// Print what the engine sees; for developers of cspec.
    #[command(subcommand)]
    Debug(DebugCommand),
    /// Print the completion script for a shell.
    Completions(CompletionsArguments),
    /// Write the manual pages.
    Man(ManArguments),
}

impl Command {
    /// Whether standard output is for a program that reads cargo's messages.
    pub fn wants_json(&self) -> bool {
        match self {
            Command::Check(check) => matches!(check.message_format, Some(CheckFormat::Json | CheckFormat::JsonAnsi)),
            Command::Search(search) => matches!(search.message_format, Some(CheckFormat::Json | CheckFormat::JsonAnsi)),
            Command::List(list) => list.message_format == ListFormat::Json,
            Command::Mutate(mutate) => mutate.message_format == ListFormat::Json,
            _ => false,
        }
    }
}

/// The flags that every command has.
#[derive(Debug, Args)]
pub struct Global {
    /// Whether to use colour.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        help = "Use colour: auto, always or never [default: CARGO_TERM_COLOR, or auto]"
    )]
    #[arg(hide_possible_values = true)]
    pub color: Option<ColourWhen>,
    /// Print only problems: nothing if all is well.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print every obligation; for `list`, the whole matrix.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

impl Global {
    /// How much to print.
    pub fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Problems,
            (_, 0) => Detail::Summary,
            _ => Detail::Everything,
        }
    }

    /// Whether to write colours to standard output.
    pub fn colour(&self) -> bool {
        ColourWhen::resolve(self.color, &environment("CARGO_TERM_COLOR"), &environment("NO_COLOR"))
            .wanted(std::io::stdout().is_terminal())
    }
}

/// An environment variable; empty if it is not set.
fn environment(name: &str) -> OsString {
    std::env::var_os(name).unwrap_or_default()
}

/// When to use colour: the value of `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColourWhen {
    /// If the output is a terminal.
    Auto,
    /// For every kind of output.
    Always,
    /// For no kind of output.
    Never,
}

impl ColourWhen {
    /// The flag takes precedence, then `CARGO_TERM_COLOR`, then `NO_COLOR`.
    fn resolve(flag: Option<ColourWhen>, cargo: &OsString, no_color: &OsString) -> ColourWhen {
        let from_cargo = || cargo.to_str().and_then(|word| ColourWhen::from_str(word, true).ok());
        let from_no_color = || (!no_color.is_empty()).then_some(ColourWhen::Never);
        flag.or_else(from_cargo).or_else(from_no_color).unwrap_or(ColourWhen::Auto)
    }

    /// Whether it means colour on a stream that is, or is not, a terminal.
    fn wanted(self, terminal: bool) -> bool {
        match self {
            ColourWhen::Auto => terminal,
            ColourWhen::Always => true,
            ColourWhen::Never => false,
        }
    }

    /// The same, for help and usage errors.
    pub fn for_clap(self) -> clap::ColorChoice {
        match self {
            ColourWhen::Auto => clap::ColorChoice::Auto,
            ColourWhen::Always => clap::ColorChoice::Always,
            ColourWhen::Never => clap::ColorChoice::Never,
        }
    }
}

/// Cargo runs `cargo-cspec cspec check` for `cargo cspec check`; people run `cargo-cspec check`. Both mean the same.
pub fn without_repeated_name(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|word| word == "cspec") {
        arguments.remove(1);
    }
    arguments
}

/// The value of `--color`, found before the command line is parsed, so that help and usage errors obey it too.
pub fn colour_before_parsing(arguments: &[OsString]) -> ColourWhen {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let flag = words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix("--color") {
        Some("") => words.get(at + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    let flag = flag.and_then(|word| ColourWhen::from_str(word, false).ok());
    ColourWhen::resolve(flag, &environment("CARGO_TERM_COLOR"), &environment("NO_COLOR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<CheckArguments, clap::Error> {
        let words = line.split(' ').map(OsString::from);
        match Cli::try_parse_from(without_repeated_name(words))?.command {
            Command::Check(arguments) => Ok(arguments),
            other => panic!("not a check: {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    /// The generated part of `docs/cli.md`: exit statuses, and each command with its arguments.
    fn reference() -> String {
        let mut cli = <Cli as clap::CommandFactory>::command();
        cli.build();
        let mut page = format!("## Exit status\n\n```text\n{EXIT_STATUSES}\n```\n\n## For every command\n\n");
        let is_global = |it: &&clap::Arg| it.is_global_set();
        cli.get_arguments().filter(is_global).for_each(|it| page.push_str(&row(it)));
        add_commands(&mut page, "cargo cspec", &cli);
        page
    }

    fn add_commands(page: &mut String, name: &str, command: &clap::Command) {
        for inner in command.get_subcommands().filter(|it| it.get_name() != "help") {
            let name = format!("{name} {}", inner.get_name());
            let about = inner.get_about().map(ToString::to_string).unwrap_or_default();
            page.push_str(&format!("\n## {name}\n\n{about}.\n"));
            let own = |it: &&clap::Arg| !it.is_global_set() && !["help", "version"].contains(&it.get_id().as_str());
            let rows: String = inner.get_arguments().filter(own).map(row).collect();
            if !rows.is_empty() {
                page.push_str(&format!("\n{rows}"));
            }
            add_commands(page, &name, inner);
        }
    }

    /// `* `-p`, `--package NAME`: what it does`.
    fn row(argument: &clap::Arg) -> String {
        let value = argument.get_action().takes_values().then(|| argument.get_value_names().map(|it| it.join(" ")));
        let value = value.flatten().unwrap_or_default();
        let flag = |text: String| format!("`{}`", format!("{text} {value}").trim());
        let short = argument.get_short().map(|it| format!("`-{it}`, ")).unwrap_or_default();
        let named = argument.get_long().map_or_else(|| format!("`{value}`"), |it| flag(format!("--{it}")));
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let values = argument.get_possible_values();
        let shown = values.iter().filter(|it| !it.is_hide_set() && it.get_help().is_some());
        let values: String = shown
            .map(|it| {
                format!("  * `{}`: {}\n", it.get_name(), it.get_help().map(ToString::to_string).unwrap_or_default())
            })
            .collect();
        format!("* {short}{named}: {help}\n{values}")
    }

    #[test]
    fn the_page_on_the_command_line_is_true() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        let page = std::fs::read_to_string(path).expect("the page is there");
        let own_words = page.split("## Exit status").next().unwrap_or_default();
        expect_test::expect_file![path].assert_eq(&format!("{own_words}{}", reference()));
    }

    #[test]
    fn the_name_may_be_repeated() {
        for line in ["cargo-cspec check -p tso", "cargo-cspec cspec check -p tso"] {
            assert_eq!(check(line).expect("it parses").selection.packages.packages, ["tso"]);
        }
    }

    #[test]
    fn a_wrong_scope_is_refused() {
        for wrong in ["Pid", "Pid=", "Pid=0", "Pid=-1", "pid=3", "entries=x", "=3", "entries=4294967296", ","] {
            assert!(check(&format!("cargo-cspec check --scope {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_flag_beats_cargo_and_cargo_beats_no_color() {
        let resolve = |flag, cargo: &str, no_color: &str| ColourWhen::resolve(flag, &cargo.into(), &no_color.into());
        assert_eq!(resolve(None, "", ""), ColourWhen::Auto);
        assert_eq!(resolve(None, "", "1"), ColourWhen::Never);
        assert_eq!(resolve(None, "always", "1"), ColourWhen::Always);
        assert_eq!(resolve(None, "nonsense", ""), ColourWhen::Auto);
        assert_eq!(resolve(Some(ColourWhen::Never), "always", ""), ColourWhen::Never);
    }
}
