//! Checks where `maybe`, `any`, `choose`, `when` and `emit` are used: in operations and background steps, and in the relations of
//! abstractions.
//!
//! Procedures and clients run as written. If a procedure waited by itself after its commit point, or emitted an event between
//! two steps, no step of a layer would account for it, and no obligation would cover it. A condition on a state (an initial
//! state, an invariant, a rule of a protocol, the slice of a key) must have a single answer. Rust's iterators are lazy, and may not call a
//! closure for each element; so a function with an effect may not be called in one, and one that may not be called for each element may not
//! fail.

use std::{collections::HashSet, sync::Arc};

use super::{
    Deferred,
    report::{DiagnosticExt, error},
};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::{Anchor, Expr, ExprKind, Function, FunctionId, FunctionKind, Justification, NodeId, PartitionEnd, Program},
};

/// A function in which `maybe`, `any` and the like are not allowed.
struct Root {
    function: FunctionId,
    /// Its description: "a procedure".
    what: &'static str,
    help: &'static str,
}

/// Reports the uses in procedures, clients and conditions, and in the functions that they call. Obligations that depend on them are not
/// checked.
pub(super) fn check(program: &mut Program, deferred: &[Vec<Deferred>]) -> Vec<Diagnostic<Anchor>> {
    let mut found = in_closures(program);
    found.extend(in_deferred(program, deferred));
    for root in roots(program) {
        let Some((at, node, word)) = word_in(program, root.function) else {
            continue;
        };
        let name = &program.functions[root.function.0 as usize].name;
        let message = format!("`{word}` in {} is not supported: `{name}` reaches it", root.what);
        let diagnostic = error(codes::CS0102, Anchor::Node(at, node), message).help(root.help);
        found.push(diagnostic.related(Anchor::Function(root.function), root.what));
        refuse(program, root.function);
    }
    found
}

fn roots(program: &Program) -> Vec<Root> {
    let runs = |function, what| Root {
        function,
        what,
        help: "this code runs as written: put choices, waiting and events into an operation of the layer below",
    };
    let asks = |function, what| Root {
        function,
        what,
        help: "express the condition without it, for example with `all`, `any`, `is_some_and` or a loop",
    };
    let clients: Vec<FunctionId> = program.clients.iter().map(|it| it.function).collect();
    let over_a_layer = program.functions.iter().zip(0..).filter(|(it, _)| it.kind != FunctionKind::Plain);
    let mut roots: Vec<Root> = over_a_layer
        .map(|(_, id)| FunctionId(id))
        .map(|it| runs(it, if clients.contains(&it) { "a client" } else { "a procedure" }))
        .collect();
    for layer in &program.layers {
        roots.extend(layer.init.iter().map(|it| asks(*it, "a condition on initial states")));
        roots.extend(layer.invariants.iter().map(|it| asks(*it, "an invariant")));
        roots.extend(layer.idle.iter().map(|it| asks(*it, "a condition on idle processes")));
        roots.extend(layer.questions.iter().map(|it| asks(it.1, "a question about states")));
        for operation in &layer.operations {
            roots.extend(operation.allowed.iter().map(|it| asks(*it, "a rule of a protocol")));
        }
    }
    for implementation in &program.implementations {
        if let Justification::Partition(partition) = &implementation.by
            && let PartitionEnd::Bottom { slice } = partition.end
        {
            roots.push(asks(slice, "the part of a key"));
        }
    }
    roots.sort_by_key(|it| it.function);
    roots.dedup_by_key(|it| it.function);
    roots
}

/// Reports functions with a use that are called in the closure of an iterator.
fn in_closures(program: &mut Program) -> Vec<Diagnostic<Anchor>> {
    let mut found = Vec::new();
    for id in (0..program.functions.len() as u32).map(FunctionId) {
        let mut calls = Vec::new();
        called_in_closures(&program.functions[id.0 as usize].body, false, &mut calls);
        let Some((node, word)) = calls.into_iter().find_map(|(node, it)| Some((node, word_in(program, it)?.2))) else {
            continue;
        };
        let message = format!("`{word}` in the closure of an iterator is not supported: this call reaches it");
        found.push(error(codes::CS0102, Anchor::Node(id, node), message).help("use a `for` loop"));
        refuse(program, id);
    }
    found
}

/// Reports closures that may not be called for each element and may fail, or have a use.
fn in_deferred(program: &mut Program, deferred: &[Vec<Deferred>]) -> Vec<Diagnostic<Anchor>> {
    let fails = may_fail(program);
    let mut found = Vec::new();
    for (id, closures) in (0..).map(FunctionId).zip(deferred) {
        // What has been refused has been reported.
        if program.functions[id.0 as usize].body.kind == ExprKind::Unsupported {
            continue;
        }
        let refused = |it: &&Deferred| {
            it.fails || it.calls.iter().any(|it| fails[it.0 as usize] || word_in(program, *it).is_some())
        };
        let Some(closure) = closures.iter().find(refused) else { continue };
        let message = "a closure that may fail or has an effect is not supported here: Rust calls it only for the elements that are needed";
        let help = "consume all elements in the same expression, for example with `collect`, or use a `for` loop";
        found.push(error(codes::CS0102, Anchor::Node(id, closure.node), message).help(help));
        refuse(program, id);
    }
    found
}

/// For each function, whether it may fail, by its text.
fn may_fail(program: &Program) -> Vec<bool> {
    let mut fails = vec![false; program.functions.len()];
    loop {
        let more: Vec<bool> = program.functions.iter().map(|it| is_failure_in(&it.body, &fails)).collect();
        if more == fails {
            return fails;
        }
        fails = more;
    }
}

fn is_failure_in(expr: &Expr, fails: &[bool]) -> bool {
    let mut found = match &expr.kind {
        ExprKind::Assert(_) => true,
        ExprKind::Call(callee, _) => fails[callee.0 as usize],
        _ => false,
    };
    expr.for_each_child(&mut |it| found = found || is_failure_in(it, fails));
    found
}

/// The calls in the closures of iterators.
fn called_in_closures(expr: &Expr, is_inside: bool, calls: &mut Vec<(NodeId, FunctionId)>) {
    match &expr.kind {
        ExprKind::Call(callee, _) if is_inside => calls.push((expr.node, *callee)),
        ExprKind::Each(_, sequence, _, body) => {
            called_in_closures(sequence, is_inside, calls);
            return called_in_closures(body, true, calls);
        }
        _ => {}
    }
    expr.for_each_child(&mut |child| called_in_closures(child, is_inside, calls));
}

/// Obligations that depend on the function are not checked.
fn refuse(program: &mut Program, id: FunctionId) {
    let function = &mut program.functions[id.0 as usize];
    let body = Expr { kind: ExprKind::Unsupported, ..function.body.clone() };
    *function = Arc::new(Function { body, ..Function::clone(function) });
}

/// A use, with its place.
type Found = (FunctionId, NodeId, &'static str);

/// The first use in a function, or in a function that it calls.
fn word_in(program: &Program, function: FunctionId) -> Option<Found> {
    let (mut seen, mut pending) = (HashSet::from([function]), vec![function]);
    while let Some(at) = pending.pop() {
        let mut calls = Vec::new();
        if let Some((node, word)) = word_of(&program.functions[at.0 as usize].body, &mut calls) {
            return Some((at, node, word));
        }
        pending.extend(calls.into_iter().rev().filter(|it| seen.insert(*it)));
    }
    None
}

/// The first use in an expression; if there is none, the functions that it calls.
fn word_of(expr: &Expr, calls: &mut Vec<FunctionId>) -> Option<(NodeId, &'static str)> {
    if let Some(word) = word(&expr.kind) {
        return Some((expr.node, word));
    }
    if let ExprKind::Call(callee, _) = &expr.kind {
        calls.push(*callee);
    }
    let mut found = None;
    expr.for_each_child(&mut |child| found = found.or_else(|| word_of(child, calls)));
    found
}

fn word(kind: &ExprKind) -> Option<&'static str> {
    Some(match kind {
        ExprKind::Maybe => "maybe",
        ExprKind::Any => "any",
        ExprKind::Choose(_) => "choose",
        ExprKind::When(_) => "when",
        ExprKind::Emit(_) => "emit",
        ExprKind::External => "external",
        _ => return None,
    })
}
