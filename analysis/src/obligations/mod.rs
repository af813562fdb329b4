//! Obligations: the statements to be shown, one file for each pattern, each opening with its formal statement.
//!
//! This module lists the obligations of a program ([`plan`]), settles a [lemma](Lemma) ([`Lemma::settle`]), and states the order in which
//! obligations depend on each other: lemmas about single operations first, then everything else. [`report`] settles the rest and writes the messages.

mod absorbed;
pub mod abstraction;
pub mod atomic;
mod blocks;
mod candidates;
pub mod coverage;
pub mod decisive;
pub mod edges;
pub mod end_to_end;
pub mod facts;
pub mod given;
pub mod idle;
mod known_words;
pub mod layer;
mod loops;
pub mod mints;
mod modulo_failure;
pub mod movers;
pub mod needs;
pub mod one_step;
pub mod partition;
pub mod protocol;
pub mod question;
pub mod rely;
mod replay;
pub mod report;
pub mod retry;
mod same_parts;
pub mod shape;
pub mod stack;
pub mod taken;
pub mod tell;
pub mod tokens;
mod vacuous;
pub mod weaker;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    ir::{Claim, Code as How, ImplementationId, Justification, LayerId, Program},
    verdict::Assumption,
};
use movers::{Direction, Refutation};
use question::{Answered, Effort, Setting};

/// A statement about one operation of a layer that other obligations rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lemma {
    /// The layer of the operation.
    pub layer: LayerId,
    /// The operation, by index.
    pub operation: usize,
    /// The property of the operation.
    pub about: About,
}

/// The property that a lemma states about its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum About {
    /// It emits nothing and does not fail.
    Silent,
    /// It moves past this operation, in all states.
    Moves(Direction, usize),
    /// It stays enabled when this operation happens.
    StablyEnabled(usize),
}

/// The result of settling a lemma.
#[derive(Clone, Debug)]
pub struct LemmaResult {
    /// Whether it holds; `None`: not settled.
    pub holds: Option<bool>,
    /// The refutation, if it does not hold.
    pub refutation: Option<Refutation>,
    /// The bounds and assumptions of the result.
    pub within: Within,
}

/// The bounds and assumptions of a result. A result that relies on it has the same.
#[derive(Clone, Debug, Default)]
pub struct Within {
    /// Bounds that were met while showing it.
    pub bounds_met: Vec<String>,
    /// The assumptions it uses.
    pub assumptions: Vec<Assumption>,
}

/// The settled results that an obligation relies on.
#[derive(Clone, Debug, Default)]
pub struct Lemmas {
    /// Lemmas about operations.
    pub settled: BTreeMap<Lemma, LemmaResult>,
    /// Abstractions whose relation absorbs the background steps below.
    pub absorbing: BTreeMap<ImplementationId, Within>,
    /// For an obligation that is [asked again](Obligation::FromRest): the result that it had at first.
    pub earlier: Option<Box<report::Settled>>,
}

impl Lemmas {
    /// The result of a lemma, if it is settled.
    pub fn get(&self, lemma: &Lemma) -> Option<&LemmaResult> {
        self.settled.get(lemma)
    }
}

/// A statement to be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obligation {
    /// A lemma on its own: claimed, or needed by a shape.
    Lemma(Lemma),
    /// An operation, or a background step, does not panic.
    NoPanic(LayerId, layer::Part),
    /// A procedure has the shape of a mover proof.
    Shape(ImplementationId, usize),
    /// What is stated of idle processes.
    Idle(ImplementationId, idle::Part),
    /// A procedure follows the protocol of the layer below.
    FollowsProtocol(ImplementationId, usize),
    /// What a protocol allows stays allowed: for an operation, against another.
    StaysAllowed(ImplementationId, usize, usize),
    /// A procedure, run alone, does what the operation above allows.
    AtomicSpec(ImplementationId, usize),
    /// Initial states are initial above.
    Initial(ImplementationId),
    /// Background steps below preserve the relation. Only an obligation if it holds: then it simplifies the simulations.
    Absorbs(ImplementationId),
    /// Steps of an operation are matched above.
    Simulation(ImplementationId, usize),
    /// A turn of a retry loop.
    Retry(ImplementationId, usize),
    /// An end of a partition.
    Partition(ImplementationId, partition::Part),
    /// A stack has no gap.
    Stack(usize),
    /// An operation at the top of a stack does not fail.
    NeverFails(usize, usize),
    /// A client of a stack, with this many processes.
    EndToEnd(usize, u32),
    /// Generated programs, where there is no client.
    TriedOut(Over),
    /// The runs over an implementation that rests on the search alone.
    Searched(ImplementationId, Asking),
    /// A question of a layer, by its index, in the states that runs reach.
    Asked(LayerId, usize, Asking),
    /// A procedure has its shape if calls after the commit point move past [decisive] steps only. It is no obligation: it is asked where a
    /// shape does not hold, and then shows it.
    PastDecisive(ImplementationId, usize),
    /// The procedures of an implementation have their shape if others make their calls where they are [made](rely). It is no obligation: it is
    /// asked where a shape does not hold and no wrong run is found, and then shows it.
    WithRely(ImplementationId),
    /// The procedures of an implementation are shown over a [weaker] layer. It is no obligation: it is asked where a shape does
    /// not hold and no wrong run is found, and then shows it.
    OverWeaker(ImplementationId),
    /// A search for a wrong run. It is no obligation: it tells what to say of one that does not hold.
    Search(Doubt),
    /// One about a procedure that does not hold of every start, with what is found of starts. It takes the place of the other.
    FromRest(Box<Obligation>),
}

/// A search for a wrong run that an implementation is to blame for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// Generated programs over the implementation, about one operation of its upper layer.
    Programs(ImplementationId, usize),
    /// A client of a stack that contains the implementation, by its index, with this many processes.
    Client(u32, u32, ImplementationId),
}

/// The runs that a question is asked of. They are over the implementations down to the layer, or over the layer alone if it is at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asking {
    /// Of a client, by its index, with this many processes.
    Client(usize, u32),
    /// Of generated programs.
    Programs(Over),
    /// No run reaches the layer.
    Nowhere,
}

/// The chain that generated programs run over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Over {
    Stack(usize),
    /// An implementation by itself.
    Implementation(ImplementationId),
}

impl Over {
    /// The implementations, top to bottom.
    pub fn implementations(self, program: &Program) -> Vec<ImplementationId> {
        match self {
            Over::Stack(index) => program.stacks[index].implementations.clone(),
            Over::Implementation(id) => vec![id],
        }
    }
}

impl Obligation {
    /// The lemma, if it is one.
    pub fn lemma(&self) -> Option<Lemma> {
        match self {
            Obligation::Lemma(lemma) => Some(*lemma),
            _ => None,
        }
    }
}

impl Lemma {
    /// Settles the lemma.
    pub fn settle(&self, setting: &Setting) -> (Answered<Refutation>, Effort) {
        let Lemma { layer, operation, about } = *self;
        match about {
            About::Silent => movers::silent(setting, layer, operation),
            About::Moves(direction, other) => movers::moves(setting, layer, operation, other, direction),
            About::StablyEnabled(other) => movers::stably_enabled(setting, layer, operation, other),
        }
    }
}

/// All lemmas that make `operation` a mover in this direction.
pub fn mover_lemmas(program: &Program, layer: LayerId, operation: usize, direction: Direction) -> Vec<Lemma> {
    let lemma = |about| Lemma { layer, operation, about };
    let mut lemmas = vec![lemma(About::Silent)];
    for other in 0..program.layers[layer.0 as usize].operations.len() {
        lemmas.push(lemma(About::Moves(direction, other)));
        if direction == Direction::Left {
            lemmas.push(lemma(About::StablyEnabled(other)));
        }
    }
    lemmas
}

/// Lemmas that the shapes of procedures may rely on, and those that users claim.
pub fn needed_lemmas(program: &Program) -> BTreeSet<Lemma> {
    let mut lemmas = claimed_lemmas(program);
    for (index, implementation) in program.implementations.iter().enumerate() {
        let id = ImplementationId(index as u32);
        let operations = 0..program.layers[implementation.upper.0 as usize].operations.len();
        let may_be_asked = |operation: &usize| match &implementation.by {
            Justification::Movers(_) => true,
            Justification::Retry(_) => needs::has_several_calls(program, id, *operation),
            _ => false,
        };
        let shapes = operations.filter(may_be_asked).map(|it| needs::lemmas_of_shape(program, id, it));
        lemmas.extend(shapes.flatten());
    }
    lemmas
}

/// Obligations about procedures that may hold of the states in which these start, if they do not hold of all.
pub fn from_rest(program: &Program) -> Vec<Obligation> {
    let may_be = |it: &Obligation| match it {
        Obligation::Shape(id, _) | Obligation::FollowsProtocol(id, _) | Obligation::AtomicSpec(id, _) => {
            !idle::is_stated(program, *id)
        }
        Obligation::Retry(id, operation) => {
            !idle::is_stated(program, *id) && needs::has_several_calls(program, *id, *operation)
        }
        _ => false,
    };
    plan(program).into_iter().filter(may_be).map(|it| Obligation::FromRest(Box::new(it))).collect()
}

/// Lemmas that users claim.
pub fn claimed_lemmas(program: &Program) -> BTreeSet<Lemma> {
    let mut lemmas = BTreeSet::new();
    for (layer, it) in program.layers.iter().enumerate() {
        let layer = LayerId(layer as u32);
        for (index, operation) in it.operations.iter().enumerate() {
            // An inherited operation keeps its claim, but is checked again among the operations of its layer.
            for direction in claimed(operation.claim) {
                lemmas.extend(mover_lemmas(program, layer, index, *direction));
            }
        }
    }
    lemmas
}

/// The directions of a claim.
pub fn claimed(claim: Option<Claim>) -> &'static [Direction] {
    match claim {
        Some(Claim::Right) => &[Direction::Right],
        Some(Claim::Left) => &[Direction::Left],
        Some(Claim::Both) => &[Direction::Right, Direction::Left],
        Some(Claim::Non) | None => &[],
    }
}

/// All obligations of a program, in a fixed order, except the lemmas that shapes will turn out to need.
pub fn plan(program: &Program) -> Vec<Obligation> {
    let mut obligations: Vec<Obligation> = claimed_lemmas(program).into_iter().map(Obligation::Lemma).collect();
    for (index, layer) in program.layers.iter().enumerate() {
        // The operations of a protocol layer are those of the layer it restricts.
        if layer.protocol.is_none() {
            let id = LayerId(index as u32);
            obligations.extend(layer::Part::all(layer).into_iter().map(|part| Obligation::NoPanic(id, part)));
        }
    }
    for (index, implementation) in program.implementations.iter().enumerate() {
        let id = ImplementationId(index as u32);
        let upper = &program.layers[implementation.upper.0 as usize];
        let lower = &program.layers[implementation.lower.0 as usize];
        let implemented = |code: &BTreeMap<String, How>| -> Vec<usize> {
            (0..upper.operations.len()).filter(|it| code.contains_key(&upper.operations[*it].name)).collect()
        };
        match &implementation.by {
            Justification::Movers(code) => {
                for operation in implemented(code) {
                    if lower.protocol.is_some() {
                        obligations.push(Obligation::FollowsProtocol(id, operation));
                    }
                    obligations.push(Obligation::Shape(id, operation));
                    if !needs::loops_over_calls(program, id, operation) {
                        obligations.push(Obligation::AtomicSpec(id, operation));
                    }
                }
                // What nobody calls breaks no rule, and needs none. That its rule allows some call is looked at all the same.
                let called = needs::called(program, id);
                for operation in (0..lower.operations.len()).filter(|it| !lower.operations[*it].allowed.is_empty()) {
                    let of_nobody = BTreeSet::from([operation]);
                    let others = if called.contains(&operation) { &called } else { &of_nobody };
                    obligations.extend(others.iter().map(|other| Obligation::StaysAllowed(id, operation, *other)));
                }
            }
            Justification::Retry(code) => {
                obligations.extend(implemented(code).into_iter().map(|it| Obligation::Retry(id, it)));
            }
            Justification::Search(_) => {}
            Justification::Abstraction(_) => {
                if lower.background.is_some() && lower.invariants.is_empty() {
                    obligations.push(Obligation::Absorbs(id));
                }
                obligations.extend((0..upper.operations.len()).map(|it| Obligation::Simulation(id, it)));
            }
            Justification::Partition(given) => {
                let parts = partition::parts(upper, given);
                obligations.extend(parts.into_iter().map(|part| Obligation::Partition(id, part)));
            }
        }
        if let Justification::Search(_) = implementation.by {
            obligations.extend(searched(program, id).into_iter().map(|it| Obligation::Searched(id, it)));
            continue;
        }
        obligations.push(Obligation::Initial(id));
        obligations.extend(idle::parts(program, id).into_iter().map(|it| Obligation::Idle(id, it)));
    }
    for (index, stack) in program.stacks.iter().enumerate() {
        obligations.push(Obligation::Stack(index));
        if let Some(top) = stack::top(program, stack) {
            let operations = 0..program.layers[top.0 as usize].operations.len();
            obligations.extend(operations.map(|it| Obligation::NeverFails(index, it)));
        }
    }
    obligations
}

/// The runs that an implementation rests on: the clients of all stacks that contain it, over the whole stack, and generated programs over
/// the implementation alone.
fn searched(program: &Program, id: ImplementationId) -> Vec<Asking> {
    let clients = program.clients.iter().enumerate();
    let clients = clients.filter(|(_, it)| program.stacks[it.stack as usize].implementations.contains(&id));
    let mut searched: Vec<Asking> = clients
        .flat_map(|(index, client)| client.processes.iter().map(move |count| Asking::Client(index, *count)))
        .collect();
    let upper = program.implementations[id.0 as usize].upper;
    // A generated program does not know the protocol of the upper layer.
    if program.layers[upper.0 as usize].protocol.is_none() {
        searched.push(Asking::Programs(Over::Implementation(id)));
    }
    if searched.is_empty() {
        searched.push(Asking::Nowhere);
    }
    searched
}

/// The obligations of the end-to-end search: clients; and generated programs, for stacks without a client, and for implementations that are
/// part of no stack.
pub fn plan_end_to_end(program: &Program) -> Vec<Obligation> {
    let clients = program.clients.iter().enumerate();
    let mut obligations: Vec<Obligation> = clients
        .flat_map(|(index, client)| client.processes.iter().map(move |count| Obligation::EndToEnd(index, *count)))
        .collect();
    let has_client = |stack: usize| program.clients.iter().any(|it| it.stack as usize == stack);
    // A generated program does not know the protocol of the layer at the top.
    let is_free = |over: &Over| {
        let first = over.implementations(program).first().copied();
        let upper = first.map(|it| program.implementations[it.0 as usize].upper);
        upper.is_some_and(|it| program.layers[it.0 as usize].protocol.is_none())
    };
    let stacks = (0..program.stacks.len()).filter(|it| !has_client(*it)).map(Over::Stack);
    let in_stack = |id: &ImplementationId| program.stacks.iter().any(|it| it.implementations.contains(id));
    let ids = (0..program.implementations.len() as u32).map(ImplementationId).filter(|it| !in_stack(it));
    // The two ends of a partition are meaningful only together.
    let whole = ids.filter(|id| !matches!(program.implementations[id.0 as usize].by, Justification::Partition(_)));
    let programs: Vec<Over> = stacks.chain(whole.map(Over::Implementation)).filter(is_free).collect();
    obligations.extend(programs.iter().copied().map(Obligation::TriedOut));
    for (layer, it) in (0..).map(LayerId).zip(&program.layers) {
        for question in 0..it.questions.len() {
            let askings = askings(program, layer, &programs);
            obligations.extend(askings.into_iter().map(|asking| Obligation::Asked(layer, question, asking)));
        }
    }
    obligations
}

/// The runs that the questions of a layer are asked of: clients of all stacks that contain the layer, and these generated programs.
fn askings(program: &Program, layer: LayerId, programs: &[Over]) -> Vec<Asking> {
    let reaches = |implementations: &[ImplementationId]| end_to_end::depth(program, implementations, layer).is_some();
    let clients = program.clients.iter().enumerate();
    let clients = clients.filter(|(_, it)| reaches(&program.stacks[it.stack as usize].implementations));
    let mut askings: Vec<Asking> = clients
        .flat_map(|(index, client)| client.processes.iter().map(move |count| Asking::Client(index, *count)))
        .collect();
    let programs = programs.iter().filter(|it| reaches(&it.implementations(program)));
    askings.extend(programs.copied().map(Asking::Programs));
    if askings.is_empty() {
        askings.push(Asking::Nowhere);
    }
    askings
}

/// The largest number of processes of a client that is searched because an obligation does not hold.
const MOST_PROCESSES: u32 = 3;

/// The searches that tell whether a program is wrong where an obligation does not hold, in order.
pub fn searches(program: &Program, obligation: &Obligation) -> Vec<Doubt> {
    let (id, operation) = match *obligation {
        Obligation::Shape(id, operation)
        | Obligation::FollowsProtocol(id, operation)
        | Obligation::AtomicSpec(id, operation)
        | Obligation::Simulation(id, operation)
        | Obligation::Retry(id, operation) => (id, Some(operation)),
        Obligation::StaysAllowed(id, ..) | Obligation::Initial(id) | Obligation::Partition(id, _) => (id, None),
        Obligation::FromRest(ref asked) => return searches(program, asked),
        _ => return Vec::new(),
    };
    let upper = &program.layers[program.implementations[id.0 as usize].upper.0 as usize];
    let is_free = upper.protocol.is_none();
    // The two ends of a partition are meaningful only together.
    let is_whole = !matches!(program.implementations[id.0 as usize].by, Justification::Partition(_));
    let programs = operation.filter(|it| is_free && is_whole && !upper.operations[*it].external);
    let has_it = |client: &u32| {
        let stack = program.clients[*client as usize].stack as usize;
        program.stacks[stack].implementations.contains(&id)
    };
    let counts = |it: u32| program.clients[it as usize].processes.iter().map(move |count| (it, *count));
    let clients = (0..program.clients.len() as u32).filter(has_it).flat_map(counts);
    let clients = clients.filter(|(_, count)| *count <= MOST_PROCESSES).map(|(it, count)| Doubt::Client(it, count, id));
    // The clients are few, and what users have written is what they look at.
    clients.chain(programs.map(|it| Doubt::Programs(id, it))).collect()
}

/// What shows an obligation that does not hold as it is stated.
pub fn otherwise(program: &Program, obligation: &Obligation) -> Option<Obligation> {
    match obligation {
        Obligation::Shape(id, operation) if !needs::lemmas_of_shape(program, *id, *operation).is_empty() => {
            Some(Obligation::PastDecisive(*id, *operation))
        }
        Obligation::FromRest(asked) => otherwise(program, asked),
        _ => None,
    }
}

/// What shows an obligation that does not hold otherwise either, and for which no wrong run is found, in order. Each is one for all procedures of
/// an implementation.
pub fn jointly(program: &Program, obligation: &Obligation) -> Vec<Obligation> {
    // Where rules are stated, the procedures are judged by these, so that one that is missing is found.
    let with_rely = |id: ImplementationId| {
        let implementation = &program.implementations[id.0 as usize];
        let has_rules = program.layers[implementation.lower.0 as usize].protocol.is_some();
        let may_be = matches!(implementation.by, Justification::Movers(_)) && !has_rules;
        may_be.then_some(Obligation::WithRely(id))
    };
    match obligation {
        Obligation::Shape(id, operation) if !needs::lemmas_of_shape(program, *id, *operation).is_empty() => {
            let weaker = (!weaker::candidates(program, *id).is_empty()).then_some(Obligation::OverWeaker(*id));
            with_rely(*id).into_iter().chain(weaker).collect()
        }
        Obligation::AtomicSpec(id, _) => with_rely(*id).into_iter().collect(),
        Obligation::FromRest(asked) => jointly(program, asked),
        _ => Vec::new(),
    }
}

/// The known properties of the operations of a layer, for the shape of procedures over it.
pub struct LayerLemmas<'l> {
    /// The program of the layer.
    pub program: &'l Program,
    /// The layer of the operations.
    pub layer: LayerId,
    /// Settled lemmas.
    pub lemmas: &'l Lemmas,
}

impl LayerLemmas<'_> {
    fn all_hold(&self, mut lemmas: impl Iterator<Item = Lemma>) -> bool {
        lemmas.all(|it| self.lemmas.get(&it).and_then(|it| it.holds) == Some(true))
    }
}

impl edges::Table for LayerLemmas<'_> {
    fn right(&self, operation: usize) -> bool {
        self.all_hold(mover_lemmas(self.program, self.layer, operation, Direction::Right).into_iter())
    }

    fn silent_and_stable(&self, operation: usize) -> bool {
        let lemmas = mover_lemmas(self.program, self.layer, operation, Direction::Left);
        self.all_hold(lemmas.into_iter().filter(|it| !matches!(it.about, About::Moves(..))))
    }
}
