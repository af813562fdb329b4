//! The command line: words and their meanings, nothing else. It reads no files and starts no work.

use std::{ffi::OsString, io::IsTerminal as _, num::NonZero};

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use cspec_analysis::{verdict::Scope, workspace::Selection};

/// Checks layered concurrency proofs.
#[derive(Debug, Parser)]
#[command(name = "cargo-cspec", bin_name = "cargo cspec", version, about, long_about = None, after_help = EXIT_STATUSES)]
#[command(subcommand_required = true, arg_required_else_help = false, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
}

const EXIT_STATUSES: &str = "\
Exit status:
    0  everything is proved, or checked to scope
    1  something is violated, or the source has errors
    2  wrong usage, no usable workspace, or nothing to check
    3  nothing is violated, but something is undecided
  101  a bug in cspec
  130  interrupted";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check every obligation of the selected packages.
    Check(CheckArguments),
    /// List layers, operations with their mover types, implementations and stacks.
    List(ListArguments),
    /// Explain a diagnostic, or list all of them.
    Explain(ExplainArguments),
}

impl Command {
    /// Whether standard output is for a program.
    pub fn wants_json(&self) -> bool {
        match self {
            Command::Check(check) => check.message_format == CheckFormat::Json,
            Command::List(list) => list.message_format == ListFormat::Json,
            Command::Explain(_) => false,
        }
    }
}

/// What every command takes.
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
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

impl Global {
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

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColourWhen {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl ColourWhen {
    /// The flag decides, then `CARGO_TERM_COLOR`, then `NO_COLOR`.
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

/// Which packages.
#[derive(Debug, Args)]
#[command(next_help_heading = "Package selection")]
pub struct SelectionArguments {
    /// A package; may be given more than once.
    #[arg(short, long = "package", value_name = "NAME")]
    pub packages: Vec<String>,
    /// All packages of the workspace.
    #[arg(long, conflicts_with = "packages")]
    pub workspace: bool,
    /// The Cargo.toml to start from.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// Require that Cargo.lock is up to date.
    #[arg(long)]
    pub locked: bool,
    /// Do not use the network.
    #[arg(long)]
    pub offline: bool,
    /// The same as --locked and --offline.
    #[arg(long)]
    pub frozen: bool,
}

impl SelectionArguments {
    /// What to ask of the engine.
    pub fn selection(&self) -> Selection {
        let flags = [("--locked", self.locked), ("--offline", self.offline), ("--frozen", self.frozen)];
        Selection {
            manifest_path: self.manifest_path.clone(),
            packages: self.packages.clone(),
            workspace: self.workspace,
            cargo_flags: flags.iter().filter(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned()).collect(),
        }
    }
}

/// How far to explore.
#[derive(Debug, Args)]
pub struct EffortArguments {
    /// Bounds that replace the usual ones: `Pid=3,entries=2,int=2`, a scalar by its name, `scalar=N` for the others, `budget=N` steps.
    #[arg(long, value_name = "NAME=N,…", value_delimiter = ',', value_parser = Bound::parse)]
    #[arg(help = "How far to explore: Pid=3,entries=2,int=2, Name=N for a scalar, scalar=N for the others, budget=N")]
    pub scope: Vec<Bound>,
    /// Threads; as many as there are cores unless told.
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZero<usize>>,
}

impl EffortArguments {
    /// The scope: `usual`, with what was given in its place. The last word on a name counts.
    pub fn scope(&self, usual: Scope) -> Scope {
        let mut scope = usual;
        for bound in &self.scope {
            bound.apply(&mut scope);
        }
        scope
    }
}

/// One `NAME=N` of `--scope`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    name: String,
    limit: NonZero<u64>,
}

impl Bound {
    /// Reads `NAME=N`.
    fn parse(text: &str) -> Result<Bound, String> {
        let (name, limit) = text.split_once('=').ok_or("expected NAME=N, such as Pid=3")?;
        let (name, limit) = (name.trim(), limit.trim().replace('_', ""));
        let known = ["Pid", "entries", "int", "scalar", "budget"];
        if !known.contains(&name) && !is_type_name(name) {
            return Err(format!(
                "no bound is called `{name}`; there are {}, and the names of #[scalar] types",
                known.join(", ")
            ));
        }
        let limit: NonZero<u64> = limit.parse().map_err(|_| "expected a whole number from 1 upwards".to_owned())?;
        if name != "budget" && u32::try_from(limit.get()).is_err() {
            return Err(format!("expected a number up to {}", u32::MAX));
        }
        Ok(Bound { name: name.to_owned(), limit })
    }

    /// Puts the bound into `scope`.
    fn apply(&self, scope: &mut Scope) {
        let limit = u32::try_from(self.limit.get()).unwrap_or(u32::MAX);
        match self.name.as_str() {
            "Pid" => scope.pids = limit,
            "entries" => scope.entries = limit,
            "int" => scope.ints = limit,
            "scalar" => scope.scalars_default = limit,
            "budget" => scope.budget = self.limit.get(),
            scalar => {
                scope.scalars.insert(scalar.to_owned(), limit);
            }
        }
    }
}

/// Whether `name` could be a type: it starts with a capital letter.
fn is_type_name(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && name.chars().all(|it| it.is_alphanumeric() || it == '_')
}

/// `cargo cspec check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Which packages.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// How far.
    #[command(flatten)]
    pub effort: EffortArguments,
    /// Search all interleavings of the client programs instead of checking the patterns.
    #[arg(long)]
    pub end_to_end: bool,
    /// How to print the results.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: CheckFormat,
}

/// How `check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// Excerpts of the source, and a summary.
    Human,
    /// One line for each diagnostic.
    Short,
    /// One JSON object on each line.
    Json,
}

/// `cargo cspec list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Which packages.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// How far.
    #[command(flatten)]
    pub effort: EffortArguments,
    /// Print the matrix of each layer: which operation moves past which.
    #[arg(long)]
    pub matrix: bool,
    /// How to print the list.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: ListFormat,
}

/// How `list` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Tables.
    Human,
    /// One JSON object for each package.
    Json,
}

/// `cargo cspec explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A diagnostic: CS0301, or 301.
    pub code: Option<String>,
}

/// Cargo runs `cargo-cspec cspec check` for `cargo cspec check`; people run `cargo-cspec check`. Both mean the same.
pub fn without_repeated_name(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|word| word == "cspec") {
        arguments.remove(1);
    }
    arguments
}

/// What `--color` says, found before the line is parsed, so that help and usage errors obey it too.
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

    #[test]
    fn the_name_may_be_repeated() {
        for line in ["cargo-cspec check -p tso", "cargo-cspec cspec check -p tso"] {
            assert_eq!(check(line).expect("it parses").selection.packages, ["tso"]);
        }
    }

    #[test]
    fn a_scope_changes_what_it_names() {
        let scope = check("cargo-cspec check --scope Pid=2,Message=4 --scope budget=1_000,int=5")
            .expect("it parses")
            .effort
            .scope(Scope::default());
        let expected =
            Scope { pids: 2, ints: 5, budget: 1000, scalars: [("Message".to_owned(), 4)].into(), ..Scope::default() };
        assert_eq!(scope, expected);
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
