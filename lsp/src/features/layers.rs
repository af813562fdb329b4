//! The layers of each package with their verdicts, for clients that show them as a tree; and the state of the runs.
//!
//! `cspec/layers` is a request, `cspec/status` a notification. `docs/editors.md` describes both.

use serde::Serialize;
use tower_lsp_server::ls_types::Location;

use super::{Spot, hover, is_about, mover_of, name_of, symbols};
use crate::{
    mentions::Symbol,
    publish,
    session::{Phase, Session},
    snapshot::PackageView,
    verdicts::Tally,
};

/// The state of all runs, as sent in `cspec/status`.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The state of every package.
    pub packages: Vec<PackageStatus>,
}

/// The state of the runs of one package.
#[derive(Clone, Debug, Serialize)]
pub struct PackageStatus {
    /// The name of the package.
    pub package: String,
    /// The phase: `notRun`, `queued`, `running` or `settled`.
    pub phase: &'static str,
    /// The number of settled obligations.
    pub done: usize,
    /// The number of obligations, while it runs.
    pub total: usize,
    /// Whether the brackets of a file do not match: then all verdicts belong to an older text.
    pub broken: bool,
    /// The numbers of verdicts.
    pub verdicts: Counts,
}

/// The number of obligations for each verdict.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Counts {
    proved: usize,
    checked: usize,
    searched: usize,
    violated: usize,
    not_shown: usize,
    undecided: usize,
    stale: usize,
    /// The number of obligations without a verdict, or that cannot have one because of errors.
    waiting: usize,
    /// The worst verdict; `null` if there are none.
    worst: Option<&'static str>,
}

impl From<Tally> for Counts {
    fn from(tally: Tally) -> Counts {
        let Tally { proved, checked, searched, violated, not_shown, undecided, stale, waiting } = tally;
        Counts { proved, checked, searched, violated, not_shown, undecided, stale, waiting, worst: tally.worst() }
    }
}

/// A package as a tree, as sent in `cspec/layers`.
#[derive(Debug, Serialize)]
pub struct Package {
    /// The state of the package.
    pub status: PackageStatus,
    /// Its stacks, top to bottom: layers and implementations alternate.
    pub stacks: Vec<Node>,
    /// Declarations that are in no stack.
    pub others: Vec<Node>,
}

/// A declaration with its verdicts and its parts.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// The kind: `layer`, `operation`, `implementation`, `procedure`, `stack`, `client`.
    pub kind: &'static str,
    /// The name of the declaration.
    pub name: String,
    /// A short description, such as the layer that an operation was inherited from.
    pub detail: String,
    /// The place of the declaration.
    pub location: Option<Location>,
    /// The verdicts on it.
    pub verdicts: Counts,
    /// The inferred mover type, of an operation.
    pub mover: Option<&'static str>,
    /// An obligation with a counterexample, if there is one.
    pub counterexample: Option<String>,
    /// The parts of the declaration.
    pub children: Vec<Node>,
}

/// The current state of all packages.
pub fn status(session: &Session) -> Status {
    let packages = session.current_view().packages.iter().filter(|it| !it.facts.is_bare);
    Status { packages: packages.map(|it| of_package(session, it)).collect() }
}

fn of_package(session: &Session, package: &PackageView) -> PackageStatus {
    let state = session.state(package);
    let (phase, done, total) = match state.map(|it| it.phase).unwrap_or_default() {
        Phase::NotRun => ("notRun", 0, 0),
        Phase::Queued => ("queued", 0, 0),
        Phase::Running(done, total) => ("running", done, total),
        Phase::Settled => ("settled", 0, 0),
    };
    let verdicts = state.map(|it| it.verdicts.tally(&|_| true)).unwrap_or_default().into();
    let name = package.facts.package.title.clone();
    PackageStatus { package: name, phase, done, total, broken: package.facts.is_kept, verdicts }
}

/// All packages as trees, in the order of the session.
pub fn packages(session: &mut Session) -> Vec<Package> {
    let view = session.view().clone();
    let mut found = Vec::new();
    for (index, package) in view.packages.iter().enumerate() {
        let Some(spot) = Spot::of_package(&view, index).filter(|_| !package.facts.is_bare) else { continue };
        let (stacks, others) = trees(session, &spot);
        found.push(Package { status: of_package(session, package), stacks, others });
    }
    found
}

fn trees(session: &Session, spot: &Spot) -> (Vec<Node>, Vec<Node>) {
    let program = spot.program();
    let mut shown = Vec::new();
    let mut stacks = Vec::new();
    for (at, stack) in program.stacks.iter().enumerate() {
        let mut chain = Vec::new();
        for id in &stack.implementations {
            chain.push(Symbol::Layer(program.implementations[id.0 as usize].upper));
            chain.push(Symbol::Implementation(*id));
        }
        chain
            .extend(stack.implementations.last().map(|it| Symbol::Layer(program.implementations[it.0 as usize].lower)));
        chain.dedup();
        shown.extend(chain.iter().copied());
        let children = chain.into_iter().map(|it| whole(session, spot, it)).collect();
        stacks.push(Node { children, ..node(session, spot, Symbol::Stack(at)) });
    }
    let layers = (0..program.layers.len() as u32).map(|it| Symbol::Layer(cspec_analysis::ir::LayerId(it)));
    let ids = (0..program.implementations.len() as u32).map(cspec_analysis::ir::ImplementationId);
    let rest = layers.chain(ids.map(Symbol::Implementation)).chain((0..program.clients.len()).map(Symbol::Client));
    let others = rest.filter(|it| !shown.contains(it)).map(|it| whole(session, spot, it)).collect();
    (stacks, others)
}

/// A layer with its operations, or an implementation with its procedures.
fn whole(session: &Session, spot: &Spot, symbol: Symbol) -> Node {
    let program = spot.program();
    let parts: Vec<Symbol> = match symbol {
        Symbol::Layer(id) => {
            (0..program.layers[id.0 as usize].operations.len()).map(|it| Symbol::Operation(id, it)).collect()
        }
        Symbol::Implementation(id) => {
            let upper = program.implementations[id.0 as usize].upper;
            (0..program.layers[upper.0 as usize].operations.len()).map(|it| Symbol::Procedure(id, it)).collect()
        }
        _ => Vec::new(),
    };
    let children = parts.into_iter().map(|it| node(session, spot, it)).collect();
    Node { children, ..node(session, spot, symbol) }
}

fn node(session: &Session, spot: &Spot, symbol: Symbol) -> Node {
    let program = spot.program();
    let verdicts = publish::verdicts(session, &spot.package);
    let tally = verdicts.map(|it| it.tally(&|name| is_about(program, symbol, name))).unwrap_or_default();
    let refuted = verdicts.and_then(|it| it.refuted(&|name| is_about(program, symbol, name)));
    let matrix = spot.movers(session);
    let mover = match symbol {
        Symbol::Operation(layer, at) => mover_of(matrix, layer, at).and_then(hover::claim_for),
        _ => None,
    };
    let declared = spot.package.mentions().declaration(symbol);
    Node {
        kind: match symbol {
            Symbol::Layer(_) => "layer",
            Symbol::Operation(..) => "operation",
            Symbol::Implementation(_) => "implementation",
            Symbol::Procedure(..) => "procedure",
            Symbol::Stack(_) => "stack",
            Symbol::Client(_) => "client",
        },
        name: name_of(program, symbol).to_owned(),
        detail: symbols::detail(&spot.package, symbol),
        location: declared.and_then(|it| spot.view.location(&spot.package, it)),
        verdicts: tally.into(),
        mover,
        counterexample: refuted.map(str::to_owned),
        children: Vec::new(),
    }
}
