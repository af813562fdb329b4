//! What the front ends ask of the engine, and what they get: one call to check a workspace, one to list what is in it.

use std::{sync::atomic::AtomicBool, time::Duration};

use camino::Utf8PathBuf;

use crate::{
    diagnostics::Diagnostic,
    ir::{Claim, Span},
    verdict::{Outcome, Scope},
};

/// A file, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// Relative to the workspace root where possible.
    pub path: Utf8PathBuf,
    /// The text. Empty if the file could not be read as UTF-8.
    pub text: String,
}

/// What to check, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How far explorations go.
    pub scope: Scope,
    /// Run the client programs instead of the patterns.
    pub end_to_end: bool,
}

/// The result for one package.
#[derive(Clone, Debug)]
pub struct PackageReport {
    /// The package's name.
    pub package: String,
    /// Its cargo package id.
    pub package_id: String,
    /// Its manifest.
    pub manifest_path: Utf8PathBuf,
    /// Its target: name, kind (`bin`, `lib`) and root file.
    pub target: (String, String, Utf8PathBuf),
    /// Its files; a [`Span`]'s `file` is an index into this.
    pub files: Vec<SourceText>,
    /// Findings in the source itself: syntax errors, unsupported constructs, missing implementations.
    pub diagnostics: Vec<Diagnostic>,
    /// One for every obligation, in a fixed order: whatever the number of cores.
    pub outcomes: Vec<(Outcome, Duration)>,
}

/// Told about progress, from any thread.
pub trait Progress: Sync {
    /// `total` obligations are known.
    fn planned(&self, total: usize);
    /// One more is done.
    fn finished(&self, outcome: &Outcome);
}

/// Checks one package. Returns early, with the outcomes so far, once `stop` is set.
pub fn check_package(
    package: &crate::workspace::Package,
    options: &Options,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> PackageReport {
    let _ = (package, options, progress, stop);
    unreachable!("under construction")
}

/// What is in a package.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The package's name.
    pub package: String,
    /// Its files; a [`Span`]'s `file` is an index into this.
    pub files: Vec<SourceText>,
    /// Findings in the source itself.
    pub diagnostics: Vec<Diagnostic>,
    /// Its layers, in source order.
    pub layers: Vec<ListedLayer>,
    /// Its implementations, in source order.
    pub implementations: Vec<ListedImplementation>,
    /// Its stacks.
    pub stacks: Vec<ListedStack>,
}

/// A layer in a [`Listing`].
#[derive(Clone, Debug)]
pub struct ListedLayer {
    /// The name.
    pub name: String,
    /// Where.
    pub span: Span,
    /// The layer it restricts, if it is a protocol layer.
    pub protocol: Option<String>,
    /// Its operations.
    pub operations: Vec<ListedOperation>,
}

/// An operation in a [`ListedLayer`].
#[derive(Clone, Debug)]
pub struct ListedOperation {
    /// The name.
    pub name: String,
    /// Where.
    pub span: Span,
    /// The signature, without `self` and `me`.
    pub signature: String,
    /// What the user claims.
    pub claim: Option<Claim>,
    /// What holds.
    pub inferred: Movers,
    /// An interaction with the outside.
    pub external: bool,
    /// The row of the commutativity matrix: for each operation of the layer, in order, does this one move right past it, and left.
    pub row: Vec<Movers>,
}

/// Which ways an operation moves. `None`: undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movers {
    /// Right.
    pub right: Option<bool>,
    /// Left.
    pub left: Option<bool>,
}

impl Movers {
    /// `both`, `right`, `left`, `non`, or `undecided`.
    pub fn name(self) -> &'static str {
        match (self.right, self.left) {
            (Some(true), Some(true)) => "both",
            (Some(true), Some(false)) => "right",
            (Some(false), Some(true)) => "left",
            (Some(false), Some(false)) => "non",
            _ => "undecided",
        }
    }
}

/// An implementation in a [`Listing`].
#[derive(Clone, Debug)]
pub struct ListedImplementation {
    /// The name.
    pub name: String,
    /// Where.
    pub span: Span,
    /// `movers`, `retry`, `abstraction`.
    pub pattern: &'static str,
    /// The layer below.
    pub from: String,
    /// The layer implemented.
    pub to: String,
}

/// A stack in a [`Listing`].
#[derive(Clone, Debug)]
pub struct ListedStack {
    /// The name.
    pub name: String,
    /// Where.
    pub span: Span,
    /// Implementations, top to bottom.
    pub implementations: Vec<String>,
    /// Layers, top to bottom.
    pub layers: Vec<String>,
}

/// Lists one package; infers the mover type of every operation.
pub fn list_package(package: &crate::workspace::Package, options: &Options, stop: &AtomicBool) -> Listing {
    let _ = (package, options, stop);
    unreachable!("under construction")
}
