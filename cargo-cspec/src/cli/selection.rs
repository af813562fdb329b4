//! The words for which packages, with cargo's meanings.

use camino::Utf8PathBuf;
use clap::Args;
use cspec_analysis::workspace::Selection;

/// Which packages.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Package selection")]
pub struct SelectionArguments {
    /// A package, or a pattern with * and ?; may be given more than once.
    #[arg(short, long = "package", value_name = "NAME")]
    pub packages: Vec<String>,
    /// All packages of the workspace.
    #[arg(long, alias = "all", conflicts_with = "packages")]
    pub workspace: bool,
    /// Leave a package out of --workspace; may be given more than once.
    #[arg(long, value_name = "NAME", requires = "workspace")]
    pub exclude: Vec<String>,
    /// The Cargo.toml to start from.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// Where cargo puts what it makes; the cache is in its folder `cspec`.
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<Utf8PathBuf>,
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
            exclude: self.exclude.clone(),
            target_directory: self.target_dir.clone(),
            cargo_flags: flags.iter().filter(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned()).collect(),
            ..Selection::default()
        }
    }
}
