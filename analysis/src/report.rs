//! What the front ends ask of the engine, and what they get: one call to check a workspace, one to list what is in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use camino::Utf8PathBuf;
use rayon::prelude::*;

use crate::{
    db,
    diagnostics::{Diagnostic, Severity},
    explore::compile::compile,
    ir::{
        Claim, Implementation, ImplementationId, Justification, LayerId, Operation, Program, Span, Type, lower::Lowered,
    },
    obligations::{
        About, Lemma, LemmaResult, Lemmas, Obligation,
        abstraction::absorbs_background,
        mover_lemmas,
        movers::Direction,
        needed_lemmas, plan, plan_end_to_end,
        question::{Answered, Effort, Setting},
        report::{Reporter, Settled},
    },
    verdict::{Outcome, Scope},
    workspace::Package,
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
    package: &Package,
    options: &Options,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> PackageReport {
    let database = db::Database::default();
    let (files, sources) = db::load_package(&database, package);
    let lowered = db::lowered(&database, sources);
    let outcomes = check_program(lowered, options, progress, stop);
    PackageReport {
        package: package.name.clone(),
        package_id: package.id.clone(),
        manifest_path: package.manifest_path.clone(),
        target: package.target.clone(),
        files,
        diagnostics: lowered.diagnostics.clone(),
        outcomes,
    }
}

/// Checks a program: lemmas first, then everything that relies on them. Independent obligations run in parallel; the result is in a fixed
/// order.
pub fn check_program(
    lowered: &Lowered,
    options: &Options,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Vec<(Outcome, Duration)> {
    let (program, source_map) = (&*lowered.program, &*lowered.source_map);
    let source_is_broken = lowered.diagnostics.iter().any(|it| it.severity == Severity::Error);
    let code = compile(program);
    let setting = Setting { program, code: &code, scope: &options.scope, stop };
    let needed = if options.end_to_end { BTreeSet::new() } else { needed_lemmas(&setting) };
    let mut plan = if options.end_to_end { plan_end_to_end(program) } else { plan(program) };
    progress.planned(plan.len());
    let (mut lemmas, times) = settle_lemmas(&setting, needed);
    if !options.end_to_end {
        lemmas.absorbing = absorbing(&setting);
    }
    plan.retain(|it| !matches!(it, Obligation::Absorbs(id) if !lemmas.absorbing.contains_key(id)));
    let reporter = Reporter { setting, source_map, lemmas: &lemmas, source_is_broken };
    let settle = |obligation: &Obligation| {
        let started = Instant::now();
        let settled = reporter.settle(obligation)?;
        let time = match obligation {
            Obligation::Lemma(lemma) => times.get(lemma).copied().unwrap_or_default(),
            _ => started.elapsed(),
        };
        progress.finished(&settled.outcome);
        Some((settled, time))
    };
    let settled: Vec<Option<(Settled, Duration)>> = plan.par_iter().with_max_len(1).map(settle).collect();
    let claimed: BTreeSet<_> = plan.iter().filter_map(Obligation::lemma).collect();
    let relied: BTreeSet<_> = settled.iter().flatten().flat_map(|(it, _)| it.relied.iter().copied()).collect();
    let relied: Vec<_> = relied.into_iter().filter(|it| !claimed.contains(it)).map(Obligation::Lemma).collect();
    progress.planned(plan.len() + relied.len());
    let relied = relied.iter().map(settle);
    settled.into_iter().chain(relied).flatten().map(|(settled, time)| (settled.outcome, time)).collect()
}

/// The abstractions whose relation absorbs the background steps below.
fn absorbing(setting: &Setting) -> BTreeMap<ImplementationId, Effort> {
    let abstractions = setting.program.implementations.iter().enumerate().filter_map(|(index, it)| match &it.by {
        Justification::Abstraction(relation) => Some((ImplementationId(index as u32), it, relation)),
        _ => None,
    });
    let with_background: Vec<_> = abstractions
        .filter(|(_, it, _)| {
            let lower = &setting.program.layers[it.lower.0 as usize];
            lower.background.is_some() && lower.invariants.is_empty()
        })
        .collect();
    with_background
        .into_par_iter()
        .filter_map(|(id, implementation, relation)| {
            let (answered, effort) = absorbs_background(setting, implementation, relation);
            matches!(answered, Answered::Holds).then_some((id, effort))
        })
        .collect()
}

fn settle_lemmas(setting: &Setting, needed: BTreeSet<Lemma>) -> (Lemmas, BTreeMap<Lemma, Duration>) {
    let settled: Vec<(Lemma, LemmaResult, Duration)> = needed
        .into_iter()
        .collect::<Vec<_>>()
        .into_par_iter()
        .with_max_len(1)
        .map(|lemma| {
            let started = Instant::now();
            let result = lemma.settle(setting);
            (lemma, result, started.elapsed())
        })
        .collect();
    let mut lemmas = Lemmas::default();
    let mut times = BTreeMap::new();
    for (lemma, result, time) in settled {
        lemmas.settled.insert(lemma, result);
        times.insert(lemma, time);
    }
    (lemmas, times)
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
pub fn list_package(package: &Package, options: &Options, stop: &AtomicBool) -> Listing {
    let database = db::Database::default();
    let (files, sources) = db::load_package(&database, package);
    let lowered = db::lowered(&database, sources);
    let (program, source_map) = (&lowered.program, &lowered.source_map);
    let movers = infer_movers(program, options, stop);
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
        layers: layers.collect(),
        implementations: implementations.collect(),
        stacks: stacks.collect(),
        diagnostics: lowered.diagnostics.clone(),
        files,
    }
}

fn signature(program: &Program, operation: &Operation) -> String {
    let function = &program.functions[operation.function.0 as usize];
    let parameters = function.parameters as usize;
    let arguments = function.locals[2.min(parameters)..parameters].iter();
    let arguments: Vec<String> = arguments.map(|it| format!("{}: {}", it.name, program.type_name(&it.ty))).collect();
    match function.result {
        Type::Tuple(ref fields) if fields.is_empty() => format!("({})", arguments.join(", ")),
        ref result => format!("({}) -> {}", arguments.join(", "), program.type_name(result)),
    }
}

/// For each layer and operation: its mover type, and its row of the commutativity matrix.
pub fn infer_movers(program: &Program, options: &Options, stop: &AtomicBool) -> Vec<Vec<(Movers, Vec<Movers>)>> {
    let code = compile(program);
    let setting = Setting { program, code: &code, scope: &options.scope, stop };
    let mut needed = BTreeSet::new();
    for (index, layer) in program.layers.iter().enumerate() {
        for operation in 0..layer.operations.len() {
            for direction in [Direction::Right, Direction::Left] {
                needed.extend(mover_lemmas(program, LayerId(index as u32), operation, direction));
            }
        }
    }
    let (lemmas, _) = settle_lemmas(&setting, needed);
    let all = |layer, operation, direction, past: Option<usize>| {
        let lemmas_of = mover_lemmas(program, LayerId(layer), operation, direction);
        let relevant = lemmas_of.into_iter().filter(|it| match (it.about, past) {
            (_, None) => true,
            (About::Moves(_, other), Some(past)) => other == past,
            // The matrix shows commutation alone.
            (About::Silent | About::StablyEnabled(_), Some(_)) => false,
        });
        conjunction(relevant.map(|it| lemmas.get(&it).and_then(|it| it.holds)))
    };
    let movers = |layer, operation, past| Movers {
        right: all(layer, operation, Direction::Right, past),
        left: all(layer, operation, Direction::Left, past),
    };
    let layers = program.layers.iter().enumerate();
    layers
        .map(|(index, layer)| {
            let count = layer.operations.len();
            let row = |operation| (0..count).map(|other| movers(index as u32, operation, Some(other))).collect();
            (0..count).map(|operation| (movers(index as u32, operation, None), row(operation))).collect()
        })
        .collect()
}

/// Whether all hold: one that does not settles it, even if another is not known.
fn conjunction(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut answer = Some(true);
    for holds in all {
        match holds {
            Some(true) => {}
            Some(false) => return Some(false),
            None => answer = None,
        }
    }
    answer
}
