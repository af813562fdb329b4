//! Slicing: what an obligation depends on, as a [`Keep`] for the part of the program and a set of lemmas.
//!
//! The engine settles an obligation on the slice that this module keeps for it, and sees nothing else of the program. If this module keeps too
//! little, the obligation is checked on an incomplete program, which tests detect; a stale result cannot be the consequence.

use std::collections::BTreeSet;

use super::{About, Asking, Doubt, Lemma, Obligation, Over, given, idle, layer::Part, partition, stack};
use crate::ir::{
    Code as How, Expr, ExprKind, FunctionId, ImplementationId, Justification, LayerId, Partition, Program,
    slice::{Keep, KeptImplementation, KeptOperation, Outline},
};

/// The slice of an obligation.
pub fn keep(program: &Program, obligation: &Obligation) -> Keep {
    let mut keep = Keep::default();
    match obligation {
        Obligation::Lemma(lemma) => {
            let layer = keep.layer(lemma.layer).steps().operation(lemma.operation, KeptOperation::Whole);
            if let About::Moves(_, other) | About::StablyEnabled(other) = lemma.about {
                layer.operation(other, KeptOperation::Whole);
            }
        }
        Obligation::NoPanic(id, part) => keep_part(program, &mut keep, *id, *part),
        Obligation::Shape(id, operation) => {
            // Nothing can come between if there is but one step.
            if lemmas_of_shape(program, *id, *operation).is_empty() {
                keep_procedure(program, &mut keep, *id, *operation, [KeptOperation::Signature; 2]);
            } else {
                keep_procedure(program, &mut keep, *id, *operation, [KeptOperation::Whole; 2]);
                keep_unrestricted(program, &mut keep, *id, *operation);
                keep_called_steps(program, &mut keep, *id);
                keep_stated(program, &mut keep, *id);
            }
        }
        Obligation::FromRest(obligation) => {
            keep = self::keep(program, obligation);
            if let Obligation::Shape(id, _)
            | Obligation::FollowsProtocol(id, _)
            | Obligation::AtomicSpec(id, _)
            | Obligation::Retry(id, _) = **obligation
            {
                keep_idle(program, &mut keep, id);
            }
        }
        Obligation::Idle(id, part) => {
            keep_idle(program, &mut keep, *id);
            keep.layer(program.implementations[id.0 as usize].lower).steps();
            if let idle::Part::Returns(operation) = part {
                keep_procedure(program, &mut keep, *id, *operation, [KeptOperation::Signature; 2]);
            }
        }
        Obligation::FollowsProtocol(id, operation) => {
            let above =
                if has_gate(program, *id, *operation) { KeptOperation::Whole } else { KeptOperation::Signature };
            keep_procedure(program, &mut keep, *id, *operation, [above, KeptOperation::Rules]);
            match how(program, *id, *operation) {
                Some(How::Procedure(_)) => keep_called_steps(program, &mut keep, *id),
                _ => keep.layer(program.implementations[id.0 as usize].lower).invariants = true,
            }
            keep_stated(program, &mut keep, *id);
        }
        Obligation::StaysAllowed(id, operation, other) => {
            keep.implementations.push(nothing_of(*id));
            let lower = program.implementations[id.0 as usize].lower;
            let layer = keep.layer(lower).steps();
            layer.operation(*operation, KeptOperation::Rules).operation(*other, KeptOperation::Whole);
        }
        Obligation::AtomicSpec(id, operation) => {
            keep_procedure(program, &mut keep, *id, *operation, [KeptOperation::Whole; 2]);
            keep_unrestricted(program, &mut keep, *id, *operation);
            keep_stated(program, &mut keep, *id);
            // A wrong run from an initial state is one of the program.
            keep.layer(program.implementations[id.0 as usize].lower).init = true;
        }
        Obligation::Retry(id, operation) => {
            keep_procedure(program, &mut keep, *id, *operation, [KeptOperation::Whole; 2]);
            keep_unrestricted(program, &mut keep, *id, *operation);
            if has_several_calls(program, *id, *operation) {
                keep_called_steps(program, &mut keep, *id);
                keep_stated(program, &mut keep, *id);
            }
        }
        Obligation::Initial(id) => {
            let implementation = &program.implementations[id.0 as usize];
            keep.implementations.push(KeptImplementation { relation: true, ..nothing_of(*id) });
            for layer in [implementation.upper, implementation.lower] {
                let layer = keep.layer(layer);
                layer.init = true;
                layer.invariants = true;
            }
        }
        Obligation::Absorbs(id) => {
            let implementation = &program.implementations[id.0 as usize];
            keep.implementations.push(KeptImplementation { relation: true, ..nothing_of(*id) });
            keep.layer(implementation.upper).invariants = true;
            keep.layer(implementation.lower).background = true;
        }
        Obligation::Simulation(id, operation) => {
            let implementation = &program.implementations[id.0 as usize];
            keep.implementations.push(KeptImplementation { relation: true, ..nothing_of(*id) });
            keep.layer(implementation.upper).steps().operation(*operation, KeptOperation::Whole);
            let name = operation_name(program, implementation.upper, *operation);
            let below = operation_named(program, implementation.lower, name);
            let lower = keep.layer(implementation.lower).steps();
            if let Some(below) = below {
                lower.operation(below, KeptOperation::Whole);
            }
        }
        Obligation::Partition(id, partition::Part::Own(operation) | partition::Part::Frame(operation)) => {
            keep_procedure(program, &mut keep, *id, *operation, [KeptOperation::Whole; 2]);
            keep.implementations.iter_mut().for_each(|it| it.relation = true);
        }
        Obligation::Partition(id, partition::Part::Check) => {
            keep.implementations.push(KeptImplementation { relation: true, ..nothing_of(*id) });
            let implementation = &program.implementations[id.0 as usize];
            if let Justification::Partition(Partition { check: Some(check), .. }) = &implementation.by {
                for layer in [implementation.upper, implementation.lower] {
                    let kept = keep.layer(layer).steps();
                    if let Some(operation) = operation_named(program, layer, check) {
                        kept.operation(operation, KeptOperation::Whole);
                    }
                }
            }
        }
        Obligation::Stack(index) => {
            keep.stacks.push(*index);
            keep.implementations.extend(program.stacks[*index].implementations.iter().map(|it| nothing_of(*it)));
        }
        Obligation::NeverFails(index, operation) => {
            keep.stacks.push(*index);
            if let Some(top) = stack::top(program, &program.stacks[*index]) {
                keep_part(program, &mut keep, top, Part::Operation(*operation));
                if may_assert(program, top, *operation) {
                    keep_clients_at_top(program, &mut keep, *index, top);
                }
            }
        }
        Obligation::EndToEnd(index, _) => keep_client(program, &mut keep, *index),
        Obligation::TriedOut(over) => {
            if let Over::Stack(index) = over {
                keep.stacks.push(*index);
            }
            keep_chain(program, &mut keep, &over.implementations(program));
        }
        Obligation::Searched(id, asking) => {
            keep_runs(program, &mut keep, *asking);
            if *asking == Asking::Nowhere {
                keep.implementations.push(nothing_of(*id));
            }
        }
        Obligation::Asked(layer, _, asking) => {
            keep_runs(program, &mut keep, *asking);
            if *asking != Asking::Nowhere {
                let raw = program.layers[layer.0 as usize].protocol.as_ref().map_or(*layer, |it| it.raw);
                keep_all_steps(program, &mut keep, raw);
                keep.layer(raw).init = true;
            }
            keep.layer(*layer).questions = true;
        }
        Obligation::PastDecisive(id, _) | Obligation::OverWeaker(id) => keep_procedures(program, &mut keep, *id),
        Obligation::WithRely(id) => {
            keep_procedures(program, &mut keep, *id);
            keep_idle(program, &mut keep, *id);
        }
        Obligation::Search(Doubt::Programs(id, _)) => keep_chain(program, &mut keep, &[*id]),
        Obligation::Search(Doubt::Client(client, ..)) => keep_client(program, &mut keep, *client as usize),
    }
    keep
}

/// What runs of clients and of generated programs depend on.
fn keep_runs(program: &Program, keep: &mut Keep, asking: Asking) {
    match asking {
        Asking::Client(index, _) => keep_client(program, keep, index),
        Asking::Programs(over) => {
            if let Over::Stack(index) = over {
                keep.stacks.push(index);
            }
            keep_chain(program, keep, &over.implementations(program));
        }
        Asking::Nowhere => {}
    }
}

/// An implementation with only its name, its pattern and its layers.
fn nothing_of(implementation: ImplementationId) -> KeptImplementation {
    KeptImplementation { implementation, code: Vec::new(), relation: false }
}

/// The code of one operation, besides what is kept of the implementation already.
fn keep_code(keep: &mut Keep, id: ImplementationId, name: &str) {
    match keep.implementations.iter_mut().find(|it| it.implementation == id) {
        Some(kept) if kept.code.iter().any(|it| it == name) => {}
        Some(kept) => kept.code.push(name.to_owned()),
        None => keep.implementations.push(KeptImplementation { code: vec![name.to_owned()], ..nothing_of(id) }),
    }
}

/// A part of a layer as it is run by itself: with invariants, the background belongs to it.
fn keep_part(program: &Program, keep: &mut Keep, id: LayerId, part: Part) {
    let has_invariants = !program.layers[id.0 as usize].invariants.is_empty();
    let layer = keep.layer(id);
    layer.invariants = has_invariants;
    layer.background = has_invariants || part == Part::Background;
    if let Part::Operation(operation) = part {
        layer.operation(operation, KeptOperation::Whole);
    }
}

/// A procedure, with this much of the operation that it implements, and of those that it performs.
fn keep_procedure(
    program: &Program,
    keep: &mut Keep,
    id: ImplementationId,
    operation: usize,
    [upper, lower]: [KeptOperation; 2],
) {
    let implementation = &program.implementations[id.0 as usize];
    let name = operation_name(program, implementation.upper, operation);
    keep_code(keep, id, name);
    let performed = match how(program, id, operation) {
        Some(How::Procedure(function)) => performed(program, *function),
        _ => vec![name],
    };
    let below = performed.into_iter().filter_map(|it| operation_named(program, implementation.lower, it));
    let above = (implementation.upper, operation, upper);
    for (layer, operation, kept) in below.map(|it| (implementation.lower, it, lower)).chain([above]) {
        let layer = keep.layer(layer).operation(operation, kept);
        if kept == KeptOperation::Whole {
            layer.steps();
        }
    }
}

/// The operations that a procedure performs, without the rules of the protocol: this distinguishes a procedure that waits for ever from one
/// that breaks a rule.
fn keep_unrestricted(program: &Program, keep: &mut Keep, id: ImplementationId, operation: usize) {
    let lower = &program.layers[program.implementations[id.0 as usize].lower.0 as usize];
    if let (Some(protocol), Some(How::Procedure(function))) = (&lower.protocol, how(program, id, operation)) {
        for name in performed(program, *function) {
            if let Some(performed) = operation_named(program, protocol.raw, name) {
                keep.layer(protocol.raw).operation(performed, KeptOperation::Whole).steps();
            }
        }
    }
}

/// All procedures of an implementation, and all that processes do in its lower layer.
fn keep_procedures(program: &Program, keep: &mut Keep, id: ImplementationId) {
    let upper = program.implementations[id.0 as usize].upper;
    let operations = &program.layers[upper.0 as usize].operations;
    for operation in 0..operations.len() {
        keep_procedure(program, keep, id, operation, [KeptOperation::Whole; 2]);
        keep_unrestricted(program, keep, id, operation);
    }
    keep_called_steps(program, keep, id);
    let code = operations.iter().map(|it| it.name.clone()).collect();
    keep.implementations = vec![KeptImplementation { code, ..nothing_of(id) }];
}

/// All that processes do in the lower layer of an implementation.
fn keep_called_steps(program: &Program, keep: &mut Keep, id: ImplementationId) {
    let layer = keep.layer(program.implementations[id.0 as usize].lower).steps();
    for operation in called(program, id) {
        layer.operation(operation, KeptOperation::Whole);
        layer.given.insert(operation, given::given(program, id, operation));
    }
}

/// All that the condition on idle processes depends on: what is stated, the initial states, and all procedures of an implementation with the
/// steps that they make.
fn keep_idle(program: &Program, keep: &mut Keep, id: ImplementationId) {
    let implementation = &program.implementations[id.0 as usize];
    let upper = &program.layers[implementation.upper.0 as usize];
    for operation in 0..upper.operations.len() {
        keep_procedure(program, keep, id, operation, [KeptOperation::Signature; 2]);
    }
    if !keep.implementations.iter().any(|it| it.implementation == id) {
        keep.implementations.push(nothing_of(id));
    }
    keep_called_steps(program, keep, id);
    let lower = keep.layer(implementation.lower);
    (lower.init, lower.idle) = (true, true);
}

/// The same, if something is stated of idle processes.
fn keep_stated(program: &Program, keep: &mut Keep, id: ImplementationId) {
    if idle::is_stated(program, id) {
        keep_idle(program, keep, id);
    }
}

/// The operations of the lower layer that one procedure of an implementation calls, or passes on.
pub fn called_by(program: &Program, id: ImplementationId, operation: usize) -> BTreeSet<usize> {
    let implementation = &program.implementations[id.0 as usize];
    let names = match how(program, id, operation) {
        Some(How::Procedure(function)) => performed(program, *function),
        Some(How::Pass) => vec![operation_name(program, implementation.upper, operation)],
        None => Vec::new(),
    };
    names.into_iter().filter_map(|it| operation_named(program, implementation.lower, it)).collect()
}

/// The operations of its lower layer that some procedure of an implementation calls, or passes on.
pub fn called(program: &Program, id: ImplementationId) -> BTreeSet<usize> {
    let implementation = &program.implementations[id.0 as usize];
    let code = match &implementation.by {
        Justification::Movers(code)
        | Justification::Retry(code)
        | Justification::Search(code)
        | Justification::Partition(Partition { code, .. }) => code,
        Justification::Abstraction(_) => return BTreeSet::new(),
    };
    let names = code.iter().flat_map(|(name, how)| match how {
        How::Procedure(function) => performed(program, *function),
        How::Pass => vec![name.as_str()],
    });
    names.filter_map(|it| operation_named(program, implementation.lower, it)).collect()
}

/// All that any process may do in a layer.
fn keep_all_steps(program: &Program, keep: &mut Keep, id: LayerId) {
    let layer = keep.layer(id).steps();
    for operation in 0..program.layers[id.0 as usize].operations.len() {
        layer.operation(operation, KeptOperation::Whole);
    }
}

/// A client with its stack.
fn keep_client(program: &Program, keep: &mut Keep, index: usize) {
    let stack = program.clients[index].stack as usize;
    keep.clients.push(index);
    keep.stacks.push(stack);
    keep_chain(program, keep, &program.stacks[stack].implementations);
}

/// The clients of a stack, with all that they do in its top layer.
fn keep_clients_at_top(program: &Program, keep: &mut Keep, index: usize, top: LayerId) {
    keep.clients.extend((0..program.clients.len()).filter(|it| program.clients[*it].stack as usize == index));
    keep.processes = true;
    keep_all_steps(program, keep, top);
    keep.layer(top).init = true;
}

/// Adjacent implementations of a stack, with their procedures, the signatures of their operations, and the steps of the layers at both
/// ends.
fn keep_chain(program: &Program, keep: &mut Keep, implementations: &[ImplementationId]) {
    for id in implementations {
        let upper_id = program.implementations[id.0 as usize].upper;
        let upper = &program.layers[upper_id.0 as usize];
        // The parameters of an operation tell whether it takes a key.
        for operation in 0..upper.operations.len() {
            keep.layer(upper_id).operation(operation, KeptOperation::Signature);
        }
        let code = upper.operations.iter().map(|it| it.name.clone()).collect();
        keep.implementations.push(KeptImplementation { code, ..nothing_of(*id) });
    }
    let top = implementations.first().map(|it| program.implementations[it.0 as usize].upper);
    let bottom = implementations.last().map(|it| program.implementations[it.0 as usize].lower);
    let unrestricted = |it: LayerId| program.layers[it.0 as usize].protocol.as_ref().map_or(it, |it| it.raw);
    for layer in [top, bottom.map(unrestricted)].into_iter().flatten() {
        keep_all_steps(program, keep, layer);
        keep.layer(layer).init = true;
    }
}

/// The code by which an implementation implements an operation.
pub fn how(program: &Program, id: ImplementationId, operation: usize) -> Option<&How> {
    let implementation = &program.implementations[id.0 as usize];
    let name = operation_name(program, implementation.upper, operation);
    match &implementation.by {
        Justification::Movers(code)
        | Justification::Retry(code)
        | Justification::Search(code)
        | Justification::Partition(Partition { code, .. }) => code.get(name),
        Justification::Abstraction(_) => None,
    }
}

fn operation_name(program: &Program, layer: LayerId, operation: usize) -> &str {
    &program.layers[layer.0 as usize].operations[operation].name
}

fn operation_named(program: &Program, layer: LayerId, name: &str) -> Option<usize> {
    program.layers[layer.0 as usize].operations.iter().position(|it| it.name == name)
}

/// The lemmas that the shape of a procedure may rely on. A single operation needs no mover.
pub fn lemmas_of_shape(program: &Program, id: ImplementationId, operation: usize) -> BTreeSet<Lemma> {
    let Some(How::Procedure(function)) = how(program, id, operation) else { return BTreeSet::new() };
    let layer = program.implementations[id.0 as usize].lower;
    let others = called(program, id);
    let mut lemmas = BTreeSet::new();
    for operation in performed_before_the_last(program, layer, *function) {
        let lemma = |about| Lemma { layer, operation, about };
        lemmas.insert(lemma(About::Silent));
        for &other in &others {
            lemmas.insert(lemma(About::Moves(super::movers::Direction::Right, other)));
            lemmas.insert(lemma(About::StablyEnabled(other)));
        }
    }
    lemmas
}

/// The operations that a procedure performs, if it may perform more than one in a run.
pub fn performed_before_the_last(program: &Program, lower: LayerId, function: FunctionId) -> BTreeSet<usize> {
    let names = performed(program, function);
    let operations = names.into_iter().filter_map(|it| operation_named(program, lower, it));
    let operations: Vec<usize> = operations.collect();
    if operations.len() > 1 { operations.into_iter().collect() } else { BTreeSet::new() }
}

/// Whether an operation of the upper layer may fail by an `assert!` in it: then its procedure is not started where it does.
pub fn has_gate(program: &Program, id: ImplementationId, operation: usize) -> bool {
    may_assert(program, program.implementations[id.0 as usize].upper, operation)
}

/// Whether there is an `assert!` in an operation, or in a function that it calls.
fn may_assert(program: &Program, layer: LayerId, operation: usize) -> bool {
    fn asserts(program: &Program, expr: &Expr, inside: &mut Vec<FunctionId>) -> bool {
        let mut found = match &expr.kind {
            ExprKind::Assert(_) => true,
            ExprKind::Call(callee, _) if !inside.contains(callee) => {
                inside.push(*callee);
                asserts(program, &program.functions[callee.0 as usize].body, inside)
            }
            _ => false,
        };
        expr.for_each_child(&mut |child| found = found || asserts(program, child, inside));
        found
    }
    let function = program.layers[layer.0 as usize].operations[operation].function;
    asserts(program, &program.functions[function.0 as usize].body, &mut Vec::new())
}

/// Whether there is more than one call in the text of a procedure: then it is no retry loop of the simplest form.
pub fn has_several_calls(program: &Program, id: ImplementationId, operation: usize) -> bool {
    fn count(program: &Program, expr: &Expr, inside: &mut Vec<FunctionId>) -> usize {
        let mut calls = match &expr.kind {
            ExprKind::Perform(..) => 1,
            ExprKind::Call(callee, _) if !inside.contains(callee) => {
                inside.push(*callee);
                count(program, &program.functions[callee.0 as usize].body, inside)
            }
            _ => 0,
        };
        expr.for_each_child(&mut |child| calls += count(program, child, inside));
        calls
    }
    let Some(How::Procedure(function)) = how(program, id, operation) else { return false };
    count(program, &program.functions[function.0 as usize].body, &mut Vec::new()) > 1
}

/// Whether a procedure may make calls in a loop other than `for`.
pub fn loops_over_calls(program: &Program, id: ImplementationId, operation: usize) -> bool {
    let Some(How::Procedure(function)) = how(program, id, operation) else { return false };
    has_loop_over_calls(program, &program.functions[function.0 as usize].body)
}

fn has_loop_over_calls(program: &Program, expr: &Expr) -> bool {
    let is_loop = matches!(expr.kind, ExprKind::While(..) | ExprKind::Loop(_));
    let mut found = is_loop && makes_calls(program, expr, &mut Vec::new());
    expr.for_each_child(&mut |child| found |= has_loop_over_calls(program, child));
    found
}

fn makes_calls(program: &Program, expr: &Expr, inside: &mut Vec<FunctionId>) -> bool {
    let mut found = match &expr.kind {
        ExprKind::Perform(..) => true,
        ExprKind::Call(callee, _) if !inside.contains(callee) => {
            inside.push(*callee);
            makes_calls(program, &program.functions[callee.0 as usize].body, inside)
        }
        _ => false,
    };
    expr.for_each_child(&mut |child| found |= makes_calls(program, child, inside));
    found
}

/// The names of the operations that a function performs, each as often as the text does; twice in a function that loops or recurs.
fn performed(program: &Program, function: FunctionId) -> Vec<&str> {
    let mut reader = PerformedReader { program, names: Vec::new(), inside: Vec::new(), recurs: false };
    reader.function(function);
    if reader.recurs {
        reader.names.extend_from_within(..);
    }
    reader.names
}

struct PerformedReader<'p> {
    program: &'p Program,
    names: Vec<&'p str>,
    /// The functions being read.
    inside: Vec<FunctionId>,
    /// Whether some function calls itself, directly or indirectly.
    recurs: bool,
}

impl<'p> PerformedReader<'p> {
    fn function(&mut self, id: FunctionId) {
        if self.inside.contains(&id) {
            self.recurs = true;
            return;
        }
        self.inside.push(id);
        let before = self.names.len();
        if self.expr(&self.program.functions[id.0 as usize].body) {
            self.names.extend_from_within(before..);
        }
        self.inside.pop();
    }

    /// Reads an expression; returns whether it contains a loop.
    fn expr(&mut self, expr: &'p Expr) -> bool {
        let mut repeats = match &expr.kind {
            ExprKind::For(..) | ExprKind::Each(..) | ExprKind::While(..) | ExprKind::Loop(_) => true,
            ExprKind::Call(callee, _) => {
                self.function(*callee);
                false
            }
            ExprKind::Perform(name, _) => {
                self.names.push(name);
                false
            }
            _ => false,
        };
        expr.for_each_child(&mut |child| repeats |= self.expr(child));
        repeats
    }
}

impl Lemma {
    /// The corresponding lemma of a slice.
    pub fn within(&self, slice: &Outline) -> Option<Lemma> {
        let other = |other: usize| slice.operation(self.layer, other);
        let about = match self.about {
            About::Silent => About::Silent,
            About::Moves(direction, past) => About::Moves(direction, other(past)?),
            About::StablyEnabled(past) => About::StablyEnabled(other(past)?),
        };
        Some(Lemma { layer: slice.layer(self.layer)?, operation: other(self.operation)?, about })
    }

    /// The lemma of the program that corresponds to this one of a slice.
    pub fn outside(&self, slice: &Outline) -> Option<Lemma> {
        let other = |other: usize| slice.origin(self.layer, other).map(|it| it.1);
        let (layer, operation) = slice.origin(self.layer, self.operation)?;
        let about = match self.about {
            About::Silent => About::Silent,
            About::Moves(direction, past) => About::Moves(direction, other(past)?),
            About::StablyEnabled(past) => About::StablyEnabled(other(past)?),
        };
        Some(Lemma { layer, operation, about })
    }
}

impl Asking {
    /// The same runs, in terms of a slice.
    fn within(self, slice: &Outline) -> Option<Asking> {
        Some(match self {
            Asking::Client(index, processes) => Asking::Client(slice.client(index)?, processes),
            Asking::Programs(Over::Stack(index)) => Asking::Programs(Over::Stack(slice.stack(index)?)),
            Asking::Programs(Over::Implementation(id)) => {
                Asking::Programs(Over::Implementation(slice.implementation(id)?))
            }
            Asking::Nowhere => Asking::Nowhere,
        })
    }
}

impl Obligation {
    /// The corresponding obligation of a slice.
    pub fn within(&self, program: &Program, slice: &Outline) -> Option<Obligation> {
        let upper =
            |id: ImplementationId, operation| slice.operation(program.implementations[id.0 as usize].upper, operation);
        let lower =
            |id: ImplementationId, operation| slice.operation(program.implementations[id.0 as usize].lower, operation);
        let implementation = |id: ImplementationId| slice.implementation(id);
        Some(match *self {
            Obligation::Lemma(lemma) => Obligation::Lemma(lemma.within(slice)?),
            Obligation::NoPanic(layer, Part::Background) => Obligation::NoPanic(slice.layer(layer)?, Part::Background),
            Obligation::NoPanic(layer, Part::Operation(operation)) => {
                Obligation::NoPanic(slice.layer(layer)?, Part::Operation(slice.operation(layer, operation)?))
            }
            Obligation::Shape(id, it) => Obligation::Shape(implementation(id)?, upper(id, it)?),
            Obligation::Idle(id, idle::Part::Initially) => Obligation::Idle(implementation(id)?, idle::Part::Initially),
            Obligation::Idle(id, idle::Part::Returns(it)) => {
                Obligation::Idle(implementation(id)?, idle::Part::Returns(upper(id, it)?))
            }
            Obligation::FollowsProtocol(id, it) => Obligation::FollowsProtocol(implementation(id)?, upper(id, it)?),
            Obligation::StaysAllowed(id, it, other) => {
                Obligation::StaysAllowed(implementation(id)?, lower(id, it)?, lower(id, other)?)
            }
            Obligation::AtomicSpec(id, it) => Obligation::AtomicSpec(implementation(id)?, upper(id, it)?),
            Obligation::Initial(id) => Obligation::Initial(implementation(id)?),
            Obligation::Absorbs(id) => Obligation::Absorbs(implementation(id)?),
            Obligation::Simulation(id, it) => Obligation::Simulation(implementation(id)?, upper(id, it)?),
            Obligation::Retry(id, it) => Obligation::Retry(implementation(id)?, upper(id, it)?),
            Obligation::Partition(id, partition::Part::Own(it)) => {
                Obligation::Partition(implementation(id)?, partition::Part::Own(upper(id, it)?))
            }
            Obligation::Partition(id, partition::Part::Frame(it)) => {
                Obligation::Partition(implementation(id)?, partition::Part::Frame(upper(id, it)?))
            }
            Obligation::Partition(id, part @ partition::Part::Check) => {
                Obligation::Partition(implementation(id)?, part)
            }
            Obligation::Stack(index) => Obligation::Stack(slice.stack(index)?),
            Obligation::NeverFails(index, operation) => {
                let top = stack::top(program, &program.stacks[index])?;
                Obligation::NeverFails(slice.stack(index)?, slice.operation(top, operation)?)
            }
            Obligation::FromRest(ref asked) => Obligation::FromRest(Box::new(asked.within(program, slice)?)),
            Obligation::EndToEnd(index, processes) => Obligation::EndToEnd(slice.client(index)?, processes),
            Obligation::TriedOut(Over::Stack(index)) => Obligation::TriedOut(Over::Stack(slice.stack(index)?)),
            Obligation::TriedOut(Over::Implementation(id)) => {
                Obligation::TriedOut(Over::Implementation(implementation(id)?))
            }
            Obligation::Asked(layer, question, asking) => {
                Obligation::Asked(slice.layer(layer)?, question, asking.within(slice)?)
            }
            Obligation::Searched(id, asking) => Obligation::Searched(implementation(id)?, asking.within(slice)?),
            Obligation::PastDecisive(id, it) => Obligation::PastDecisive(implementation(id)?, upper(id, it)?),
            Obligation::WithRely(id) => Obligation::WithRely(implementation(id)?),
            Obligation::OverWeaker(id) => Obligation::OverWeaker(implementation(id)?),
            Obligation::Search(Doubt::Programs(id, it)) => {
                Obligation::Search(Doubt::Programs(implementation(id)?, upper(id, it)?))
            }
            Obligation::Search(Doubt::Client(client, count, id)) => {
                Obligation::Search(Doubt::Client(slice.client(client as usize)? as u32, count, implementation(id)?))
            }
        })
    }
}
