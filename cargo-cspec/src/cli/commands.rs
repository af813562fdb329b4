//! The arguments of each command.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};
use cspec_project::duration;

use super::{EffortArguments, PackageArguments, Partition, SelectionArguments};

/// The arguments of `cargo cspec check`.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArguments {
    /// Check only what these name: a layer, an implementation, a stack, an operation, or Layer::operation.
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// The packages to work on.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The scope to explore.
    #[command(flatten)]
    pub effort: EffortArguments,
    /// Time limit of the run, such as 30s or 5m; what is not settled by then is undecided.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
    /// Check one part of the obligations only: hash:M/N is the M-th of N.
    #[arg(long, value_name = "hash:M/N")]
    pub partition: Option<Partition>,
    /// Search all interleavings of the client programs instead of checking the patterns.
    #[arg(long)]
    pub end_to_end: bool,
    /// Visit all configurations, also those that differ only in which process is which.
    #[arg(long, requires = "end_to_end")]
    pub no_symmetry: bool,
    /// Do not search for a wrong run where a proof fails or is undecided.
    #[arg(long, conflicts_with = "end_to_end")]
    pub no_search: bool,
    /// Check the files staged for the next commit instead of those on disk.
    #[arg(long)]
    pub staged: bool,
    /// After every edit, check again what it affects, until Ctrl-C.
    #[arg(long, conflicts_with = "staged")]
    pub watch: bool,
    /// Apply the fixes that are safe to apply without asking, then check again.
    #[arg(long, conflicts_with_all = ["staged", "watch"])]
    pub fix: bool,
    /// Fix files even if they are not under version control.
    #[arg(long, requires = "fix")]
    pub allow_no_vcs: bool,
    /// Fix files even if the work tree has unstaged changes.
    #[arg(long, requires = "fix")]
    pub allow_dirty: bool,
    /// Fix files even if there are staged, uncommitted changes.
    #[arg(long, requires = "fix")]
    pub allow_staged: bool,
    /// Do not ask rustc whether it accepts the program.
    #[arg(long)]
    pub no_rustc: bool,
    /// Neither read nor write the cache of verdicts.
    #[arg(long)]
    pub no_cache: bool,
    /// Write each counterexample to a file in this folder, for `cargo cspec replay`.
    #[arg(long, value_name = "DIR")]
    pub save_counterexamples: Option<Utf8PathBuf>,
    /// How to print the results [default: human].
    #[arg(long, value_name = "FORMAT")]
    pub message_format: Option<CheckFormat>,
}

/// The arguments of `cargo cspec search`.
#[derive(Clone, Debug, Args)]
pub struct SearchArguments {
    /// Search only what these name: a client, a stack, or an implementation.
    #[arg(value_name = "CLIENT")]
    pub filters: Vec<String>,
    /// List what the processes of each client can have shown at the end of a run, each with a run that leads there.
    #[arg(long)]
    pub outcomes: bool,
    /// Visit all configurations, also those that differ only in which process is which.
    #[arg(long)]
    pub no_symmetry: bool,
    /// The packages to work on.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The scope to explore.
    #[command(flatten)]
    pub effort: EffortArguments,
    /// Time limit of the run, such as 30s or 5m; what is not settled by then is undecided.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
    /// Neither read nor write the cache of verdicts.
    #[arg(long)]
    pub no_cache: bool,
    /// Do not ask rustc whether it accepts the program.
    #[arg(long)]
    pub no_rustc: bool,
    /// Write each counterexample to a file in this folder, for `cargo cspec replay`.
    #[arg(long, value_name = "DIR")]
    pub save_counterexamples: Option<Utf8PathBuf>,
    /// How to print the results [default: human].
    #[arg(long, value_name = "FORMAT")]
    pub message_format: Option<CheckFormat>,
}

impl SearchArguments {
    /// The same as `check --end-to-end`.
    pub fn as_check(&self) -> CheckArguments {
        CheckArguments {
            filters: self.filters.clone(),
            selection: self.selection.clone(),
            effort: self.effort.clone(),
            budget: self.budget,
            no_cache: self.no_cache,
            no_rustc: self.no_rustc,
            save_counterexamples: self.save_counterexamples.clone(),
            message_format: self.message_format,
            end_to_end: true,
            no_symmetry: self.no_symmetry,
            ..CheckArguments::default()
        }
    }
}

/// The arguments of `cargo cspec replay`.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The line that a finding of `search` ends with, or a file that `check --save-counterexamples` wrote.
    #[arg(value_name = "LINE|FILE")]
    pub run: String,
    /// Print the run of a file as a Rust test over the models of the layers, instead of stepping through it.
    #[arg(long)]
    pub as_test: bool,
    /// Where its package is.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The scope in which its obligation is checked again.
    #[command(flatten)]
    pub effort: EffortArguments,
}

/// The output format of `check` and `search`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// Excerpts of the source, and a summary.
    Human,
    /// One line for each diagnostic.
    Short,
    /// One JSON object on each line.
    Json,
    /// The same, with colours in the rendered text; the name is cargo's.
    #[value(name = "json-diagnostic-rendered-ansi")]
    JsonAnsi,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow.
    Github,
    /// JUnit XML, for CI systems.
    Junit,
}

impl CheckFormat {
    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |it| it.get_name().to_owned())
    }
}

/// The arguments of `cargo cspec mutate`.
#[derive(Debug, Args)]
pub struct MutateArguments {
    /// Change only what these name: a layer, an implementation, a function, or Layer::operation.
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// The packages to work on.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The scope to explore.
    #[command(flatten)]
    pub effort: EffortArguments,
    /// Time limit of the run, such as 30s or 5m; mutants that are not reached by then are not tried.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
    /// List the mutants, and check nothing.
    #[arg(long)]
    pub list: bool,
    /// Do not read the cache of verdicts.
    #[arg(long)]
    pub no_cache: bool,
    /// How to print the mutants.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: ListFormat,
}

/// The arguments of `cargo cspec list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// The packages to work on.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The scope to explore.
    #[command(flatten)]
    pub effort: EffortArguments,
    /// Print the matrix of each layer: which operation moves past which.
    #[arg(long)]
    pub matrix: bool,
    /// Print each stack as a Markdown table, and nothing else.
    #[arg(long, conflicts_with_all = ["matrix", "message_format"])]
    pub figure: bool,
    /// How to print the list.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: ListFormat,
}

/// The output format of `list` and `mutate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Text for people to read.
    Human,
    /// One JSON object on each line.
    Json,
}

/// The arguments of `cargo cspec matrix`.
#[derive(Debug, Args)]
pub struct MatrixArguments {
    /// Print only the matrices of these layers.
    #[arg(value_name = "LAYER")]
    pub layers: Vec<String>,
    /// The packages to work on.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The scope to explore.
    #[command(flatten)]
    pub effort: EffortArguments,
}

/// The arguments of `cargo cspec graph`.
#[derive(Debug, Args)]
pub struct GraphArguments {
    /// The packages to work on.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// A picture, or the language of Graphviz.
    #[arg(long, value_name = "FORMAT", default_value = "svg")]
    pub format: GraphFormat,
}

/// The output format of `graph`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A picture that browsers show.
    Svg,
    /// The language of Graphviz.
    Dot,
}

/// The arguments of `cargo cspec report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// The packages to work on.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The scope to explore.
    #[command(flatten)]
    pub effort: EffortArguments,
    /// The file to write [default: cspec/report.html in the target directory].
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
    /// Open it in a browser.
    #[arg(long)]
    pub open: bool,
    /// Do not ask rustc whether it accepts the program.
    #[arg(long)]
    pub no_rustc: bool,
    /// Neither read nor write the cache of verdicts.
    #[arg(long)]
    pub no_cache: bool,
}

/// The arguments of `cargo cspec explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A diagnostic: CS0301, or 301.
    pub code: Option<String>,
}

/// The subcommands of `cargo cspec hook`.
#[derive(Debug, Subcommand)]
pub enum HookCommand {
    /// Add a pre-commit hook to this git repository.
    Install(HookInstallArguments),
    /// Remove the hook that `install` added.
    Uninstall,
    /// What the hook runs: check what is staged, within ten seconds and one screen of output.
    Run(Box<HookRunArguments>),
}

/// `cargo cspec hook install`.
#[derive(Debug, Args)]
pub struct HookInstallArguments {
    /// The Cargo.toml of the workspace to check.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
}

/// `cargo cspec hook run`.
#[derive(Debug, Args)]
pub struct HookRunArguments {
    /// The packages to check [default: those that the commit touches].
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Time limit of the run.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
}

/// The arguments of `cargo cspec new`.
#[derive(Debug, Args)]
pub struct NewArguments {
    /// The folder to create.
    #[arg(value_name = "PATH")]
    pub path: Utf8PathBuf,
    /// The package to create in it.
    #[command(flatten)]
    pub package: NewPackage,
}

/// The arguments of `cargo cspec init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The folder to start in.
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: Utf8PathBuf,
    /// The package to create in it.
    #[command(flatten)]
    pub package: NewPackage,
}

/// The package to create. The flags mean what they mean to `cargo new`.
#[derive(Debug, Args)]
pub struct NewPackage {
    /// The name of the package [default: the name of the folder].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The version control system to initialise: git, hg, pijul, fossil or none.
    #[arg(long, value_name = "VCS")]
    pub vcs: Option<String>,
    /// Where the crate `cspec` is.
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// Where a new package gets the crate `cspec` from [default: where this program was built].
#[derive(Debug, Default, Args)]
pub struct OriginArguments {
    /// The folder of the crate `cspec`, or a clone of its repository [default: the one this program was built from].
    #[arg(long, value_name = "PATH")]
    pub cspec_path: Option<Utf8PathBuf>,
    /// The git repository of the crate `cspec`.
    #[arg(long, value_name = "URL", conflicts_with = "cspec_path")]
    pub cspec_git: Option<String>,
}

/// The arguments of `cargo cspec clean`.
#[derive(Debug, Args)]
pub struct CleanArguments {
    /// Where the workspace is.
    #[command(flatten)]
    pub selection: PackageArguments,
}

/// The subcommands of `cargo cspec debug`.
#[derive(Debug, Subcommand)]
pub enum DebugCommand {
    /// Print the IR of functions, as the engine sees them: resolved and typed.
    Ir(DebugArguments),
    /// Print the slice of each obligation: the part of the program that its verdict depends on.
    Slice(DebugArguments),
}

/// The arguments of `cargo cspec debug`.
#[derive(Debug, Args)]
pub struct DebugArguments {
    /// Functions (`Lock::read`, `read`) for `ir`; filters as for `check` for `slice`. Without any, everything.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// The packages to work on.
    #[command(flatten)]
    pub selection: SelectionArguments,
}

/// The arguments of `cargo cspec completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell to complete for.
    pub shell: clap_complete::Shell,
}

/// The arguments of `cargo cspec man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The folder to write the pages to.
    pub folder: Utf8PathBuf,
}
