//! The flags that select packages and targets. They mean what they mean to cargo.

use camino::Utf8PathBuf;
use clap::Args;
use cspec_analysis::workspace::{FeatureSelection, Selection, TargetSelection};

/// The packages and the targets to work on.
#[derive(Clone, Debug, Default, Args)]
pub struct SelectionArguments {
    /// The packages to work on.
    #[command(flatten)]
    pub packages: PackageArguments,
    /// The targets of these packages.
    #[command(flatten)]
    pub targets: TargetArguments,
    /// The features and the platform.
    #[command(flatten)]
    pub features: FeatureArguments,
}

impl SelectionArguments {
    /// The flags as the engine takes them.
    pub fn selection(&self) -> Selection {
        let FeatureArguments { features, all_features, no_default_features, target } = &self.features;
        Selection {
            targets: self.targets.targets(),
            features: FeatureSelection {
                names: features.clone(),
                all: *all_features,
                no_default: *no_default_features,
            },
            platform: target.clone(),
            ..self.packages.selection()
        }
    }
}

/// The targets. Without any of these: the library and the binaries.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target selection")]
pub struct TargetArguments {
    /// Only the libraries of the packages.
    #[arg(long)]
    pub lib: bool,
    /// All binaries of the packages.
    #[arg(long)]
    pub bins: bool,
    /// A binary, or a pattern with * and ?; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub bin: Vec<String>,
    /// All examples of the packages.
    #[arg(long)]
    pub examples: bool,
    /// An example, or a pattern; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub example: Vec<String>,
    /// All targets that cargo tests, including code under cfg(test).
    #[arg(long)]
    pub tests: bool,
    /// A test target, or a pattern; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub test: Vec<String>,
    /// All benchmarks of the packages.
    #[arg(long)]
    pub benches: bool,
    /// A benchmark, or a pattern; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub bench: Vec<String>,
    /// Everything: the library, the binaries, the examples, the tests and the benchmarks.
    #[arg(long)]
    pub all_targets: bool,
}

impl TargetArguments {
    fn targets(&self) -> TargetSelection {
        TargetSelection {
            lib: self.lib,
            bins: self.bins,
            bin: self.bin.clone(),
            examples: self.examples,
            example: self.example.clone(),
            tests: self.tests,
            test: self.test.clone(),
            benches: self.benches,
            bench: self.bench.clone(),
            all_targets: self.all_targets,
        }
    }
}

/// The features and the platform, as `cfg` sees them.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Feature selection")]
pub struct FeatureArguments {
    /// Features to enable, separated by commas or spaces; may be given more than once.
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Enable all features of the packages.
    #[arg(long)]
    pub all_features: bool,
    /// Do not enable the default features.
    #[arg(long)]
    pub no_default_features: bool,
    /// The platform to read and compile for [default: this one].
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
}

/// The packages to work on, and the workspace that they are in.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Package selection")]
pub struct PackageArguments {
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
    /// The directory for build output; the cache is in its folder `cspec`.
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

impl PackageArguments {
    /// The flags as the engine takes them.
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
