//! The simple interface for front ends: one call checks a workspace, another lists its contents.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use camino::Utf8PathBuf;

use crate::{
    diagnostics::{Diagnostic, codes},
    ir::{Claim, Implementation, LayerId, Operation, Program, Span, lower::Lowered},
    plan::{Plan, Planned, View},
    results::{Known, Results},
    run::Listener,
    session::{File, PackageSnapshot, Session, Snapshot},
    verdict::{Outcome, Scope},
    workspace::{Package, Refusal, RefusedPlace, Target},
};

/// A file, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// The path, relative to the workspace root where possible.
    pub path: Utf8PathBuf,
    /// The text. Empty if the file could not be read as UTF-8.
    pub text: String,
}

/// The options of a check.
#[derive(Clone, Debug)]
pub struct Options {
    /// The bounds of explorations.
    pub scope: Scope,
    /// Whether to run the client programs instead of checking the patterns.
    pub end_to_end: bool,
    /// Whether to search for a wrong run where a proof fails or is undecided.
    pub search_refused: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { scope: Scope::default(), end_to_end: false, search_refused: true }
    }
}

/// The result for one package.
#[derive(Clone, Debug)]
pub struct PackageReport {
    /// The package's name.
    pub package: String,
    /// The package and target as shown.
    pub title: String,
    /// Its cargo package id.
    pub package_id: String,
    /// The path of its manifest.
    pub manifest_path: Utf8PathBuf,
    /// The target that was read.
    pub target: Target,
    /// Its files; a [`Span`]'s `file` is an index into this.
    pub files: Vec<SourceText>,
    /// Findings in the source itself: syntax errors, unsupported constructs, missing implementations.
    pub diagnostics: Vec<Diagnostic>,
    /// The outcome of every obligation with its time, in a fixed order that does not depend on the number of cores.
    pub outcomes: Vec<(Outcome, Duration)>,
}

impl PackageReport {
    /// Adds rustc's errors as findings in the source.
    pub fn refuse(&mut self, refusals: &[Refusal]) {
        for refusal in refusals {
            let places: Vec<_> = refusal.places.iter().map(|it| (self.span(it), it.label.clone())).collect();
            let mut places = places.into_iter();
            let (span, label) = places.next().unwrap_or((Span::NOWHERE, String::new()));
            let related = places.filter(|(_, label)| !label.is_empty()).collect();
            let code = refusal.code.as_ref().map(|it| format!(" [{it}]")).unwrap_or_default();
            let shown = (span == Span::NOWHERE).then(|| refusal.rendered.trim_end().to_owned());
            let message = format!("rustc refuses the program: {}{code}", refusal.message);
            self.diagnostics.push(Diagnostic {
                label,
                related,
                notes: shown.map_or_else(|| refusal.notes.clone(), |it| vec![it]),
                help: refusal.help.clone(),
                ..Diagnostic::error(codes::CS0004, span, message)
            });
        }
    }

    /// A place that rustc names, in a file of the package, or in a file that is added to it.
    fn span(&mut self, place: &RefusedPlace) -> Span {
        let known = self.files.iter().position(|it| it.path == place.path);
        let file = known.unwrap_or_else(|| {
            self.files.push(SourceText { path: place.path.clone(), text: place.text.to_string() });
            self.files.len() - 1
        });
        Span { file: file as u32, start: place.start, end: place.end }
    }
}

/// Receives progress, from any thread.
pub trait Progress: Sync {
    /// `total` obligations are known.
    fn planned(&self, total: usize);
    /// One more obligation is settled.
    fn finished(&self, outcome: &Outcome);
}

/// Checks one package. Returns early, with the outcomes so far, once `stop` is set.
pub fn check_package(
    package: &Package,
    options: &Options,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> PackageReport {
    let snapshot = Session::open(vec![package.clone()]).snapshot();
    check_snapshot(&snapshot, 0, options, progress, stop)
}

/// Checks one package of a session. Returns early, with the outcomes so far, once `stop` is set.
pub fn check_snapshot(
    snapshot: &Snapshot,
    package: usize,
    options: &Options,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> PackageReport {
    let results = snapshot.results();
    let checked = &snapshot.packages()[package];
    let PackageSnapshot { package, files, diagnostics, .. } = &**checked;
    PackageReport {
        package: package.name.clone(),
        title: package.title.clone(),
        package_id: package.id.clone(),
        manifest_path: package.manifest_path.clone(),
        target: package.target.clone(),
        files: source_texts(files),
        diagnostics: diagnostics.clone(),
        outcomes: check_view(checked.view(), options, results, progress, stop),
    }
}

fn source_texts(files: &[File]) -> Vec<SourceText> {
    files.iter().map(|it| SourceText { path: it.shown.clone(), text: it.text.to_string() }).collect()
}

/// Checks a program without stored results.
pub fn check_program(
    lowered: &Lowered,
    options: &Options,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Vec<(Outcome, Duration)> {
    check_view(&view(lowered), options, &Results::default(), progress, stop)
}

fn view(lowered: &Lowered) -> View {
    let planned = Arc::new(Planned::new(Arc::clone(&lowered.program)));
    View::new(planned, Arc::clone(&lowered.source_map), &lowered.diagnostics)
}

/// Settles all obligations of a program. The outcomes are in a fixed order.
fn check_view(
    view: &View,
    options: &Options,
    results: &Results,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Vec<(Outcome, Duration)> {
    let plan = view.plan(options);
    let scope = &options.scope;
    view.run(plan, &plan.by_weight(), options, results, &ToProgress { view, plan, progress }, stop);
    let owed = view.owed(plan, scope, results).into_iter();
    owed.filter_map(|index| {
        let known = plan.known(index, options, results)?;
        Some((view.outcome(plan, index, &known)?, known.provenance.time()))
    })
    .collect()
}

/// Converts events of a run to progress.
struct ToProgress<'a> {
    view: &'a View,
    plan: &'a Plan,
    progress: &'a dyn Progress,
}

impl Listener for ToProgress<'_> {
    fn planned(&self, total: usize) {
        self.progress.planned(total);
    }

    fn settled(&self, entry: usize, known: &Known) {
        if let Some(outcome) = self.view.outcome(self.plan, entry, known) {
            self.progress.finished(&outcome);
        }
    }
}

/// The contents of a package.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The package's name.
    pub package: String,
    /// The package and target as shown.
    pub title: String,
    /// Its files; a [`Span`]'s `file` is an index into this.
    pub files: Vec<SourceText>,
    /// Findings in the source itself.
    pub diagnostics: Vec<Diagnostic>,
    /// Its layers, in source order.
    pub layers: Vec<ListedLayer>,
    /// Its implementations, in source order.
    pub implementations: Vec<ListedImplementation>,
    pub stacks: Vec<ListedStack>,
}

/// A layer in a [`Listing`].
#[derive(Clone, Debug)]
pub struct ListedLayer {
    /// The name of the layer.
    pub name: String,
    /// The place of its declaration.
    pub span: Span,
    /// The layer it restricts, if it is a protocol layer.
    pub protocol: Option<String>,
    pub operations: Vec<ListedOperation>,
}

/// An operation in a [`ListedLayer`].
#[derive(Clone, Debug)]
pub struct ListedOperation {
    /// The name of the operation.
    pub name: String,
    /// The place of its declaration.
    pub span: Span,
    /// The signature, without `self` and `me`.
    pub signature: String,
    /// The claimed mover type.
    pub claim: Option<Claim>,
    /// The inferred mover type.
    pub inferred: Movers,
    /// Whether it is an interaction with the outside world.
    pub external: bool,
    /// The row of the commutativity matrix: for each operation of the layer, in order, whether this one moves past it.
    pub row: Vec<Movers>,
}

/// Whether an operation is a right and a left mover. `None`: undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movers {
    /// Whether it is a right mover.
    pub right: Option<bool>,
    /// Whether it is a left mover.
    pub left: Option<bool>,
}

impl Movers {
    /// The name of the type: `both`, `right`, `left`, `non`, or `undecided`.
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
    /// The name of the implementation.
    pub name: String,
    /// The place of its declaration.
    pub span: Span,
    /// The name of the pattern: `movers`, `retry`, `abstraction`.
    pub pattern: &'static str,
    /// The layer below.
    pub from: String,
    /// The layer that it implements.
    pub to: String,
}

/// A stack in a [`Listing`].
#[derive(Clone, Debug)]
pub struct ListedStack {
    /// The name of the stack.
    pub name: String,
    /// The place of its declaration.
    pub span: Span,
    /// Implementations, top to bottom.
    pub implementations: Vec<String>,
    /// Layers, top to bottom.
    pub layers: Vec<String>,
}

/// Lists one package; infers the mover type of every operation.
pub fn list_package(package: &Package, options: &Options, stop: &AtomicBool) -> Listing {
    let snapshot = Session::open(vec![package.clone()]).snapshot();
    snapshot.run_movers(0, options, stop);
    let movers = snapshot.movers(0, options);
    let listed = &snapshot.packages()[0];
    let (program, source_map) = (listed.program(), listed.source_map());
    let layer_name = |id: LayerId| program.layers[id.0 as usize].name.clone();
    let layers = program.layers.iter().zip(movers).enumerate().map(|(index, (layer, rows))| ListedLayer {
        name: layer.name.clone(),
        span: source_map.layers[index],
        protocol: layer.protocol.as_ref().map(|it| layer_name(it.raw)),
        operations: layer
            .operations
            .iter()
            .zip(rows)
            .enumerate()
            .map(|(operation, (it, (inferred, row)))| ListedOperation {
                name: it.name.clone(),
                span: source_map.operations[index][operation],
                signature: signature(program, it),
                claim: it.claim,
                inferred,
                external: it.external,
                row,
            })
            .collect(),
    });
    let implementations = program.implementations.iter().enumerate().map(|(index, it)| ListedImplementation {
        name: it.name.clone(),
        span: source_map.implementations[index],
        pattern: it.by.name(),
        from: layer_name(it.lower),
        to: layer_name(it.upper),
    });
    let stacks = program.stacks.iter().enumerate().map(|(index, stack)| {
        let implementations: Vec<&Implementation> =
            stack.implementations.iter().map(|it| &program.implementations[it.0 as usize]).collect();
        let mut layers: Vec<String> = implementations.first().iter().map(|it| layer_name(it.upper)).collect();
        layers.extend(implementations.iter().map(|it| layer_name(it.lower)));
        ListedStack {
            name: stack.name.clone(),
            span: source_map.stacks[index],
            implementations: implementations.iter().map(|it| it.name.clone()).collect(),
            layers,
        }
    });
    Listing {
        package: package.name.clone(),
        title: package.title.clone(),
        layers: layers.collect(),
        implementations: implementations.collect(),
        stacks: stacks.collect(),
        diagnostics: listed.diagnostics.clone(),
        files: source_texts(&listed.files),
    }
}

/// The signature of an operation as users write it, without `self` and `me`.
pub fn signature(program: &Program, operation: &Operation) -> String {
    let (parameters, result) = program.signature(operation);
    let parameters: Vec<String> = parameters.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let result = if result == "()" { String::new() } else { format!(" -> {result}") };
    format!("({}){result}", parameters.join(", "))
}

/// For each layer and operation of a program: its mover type, and its row of the commutativity matrix.
pub fn infer_movers(lowered: &Lowered, options: &Options, stop: &AtomicBool) -> Vec<Vec<(Movers, Vec<Movers>)>> {
    let (view, results) = (view(lowered), Results::default());
    view.run_movers(&options.scope, &results, stop);
    view.movers(&options.scope, &results)
}
