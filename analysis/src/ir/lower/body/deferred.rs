//! Closures of iterators that Rust may not call for each element, because what consumes the iterator may stop before its end.
//!
//! The engine calls them for all elements. That makes no difference if a closure only computes a value. If it fails, the engine would
//! fail where Rust goes on; so such closures are refused: see [`super::super::words`].
//!
//! A closure is noted where `map`, `filter` and the like are lowered. It is forgotten again if the same expression consumes all of the iterator,
//! as `collect` does. An iterator that is bound to a name is not followed.

use std::collections::HashSet;

use super::Body;
use crate::{
    ir::lower::Deferred,
    ir::{Expr, ExprKind, NodeId},
};

/// The methods that consume all of an iterator.
const CONSUME_ALL: &[&str] = &[
    "collect",
    "count",
    "fold",
    "for_each",
    "last",
    "max",
    "max_by",
    "max_by_key",
    "min",
    "min_by",
    "min_by_key",
    "product",
    "reduce",
    "sum",
];

/// The methods that make an iterator that ends where the one before it ends.
const PASS_ON: &[&str] = &[
    "chain",
    "cloned",
    "copied",
    "enumerate",
    "filter",
    "filter_map",
    "flat_map",
    "flatten",
    "into_iter",
    "iter",
    "map",
    "rev",
    "skip",
    "skip_while",
    "step_by",
];

/// The closures noted in a body.
#[derive(Default)]
pub(super) struct Noted {
    closures: Vec<Deferred>,
    /// The first of them whose iterator may still be consumed as a whole.
    open: usize,
}

impl Body<'_> {
    /// Notes a closure that may be called for some elements only.
    pub(super) fn defer(&mut self, body: &Expr) {
        let mut closure = Deferred { node: body.node, fails: false, calls: Vec::new() };
        look_into(body, &mut closure);
        if closure.fails || !closure.calls.is_empty() {
            self.deferred.closures.push(closure);
        }
    }

    /// A method consumes an iterator, or passes it on.
    pub(super) fn consumed_by(&mut self, method: &str, sequence: &Expr) {
        if CONSUME_ALL.contains(&method) {
            self.consumed(sequence);
        } else if !PASS_ON.contains(&method) {
            self.deferred.open = self.deferred.closures.len();
        }
    }

    /// An iterator is consumed to its end.
    pub(super) fn consumed(&mut self, sequence: &Expr) {
        let Noted { closures, open } = &mut self.deferred;
        if *open < closures.len() {
            let mut nodes = HashSet::new();
            all_nodes(sequence, &mut nodes);
            let mut number = 0;
            closures.retain(|it| {
                number += 1;
                number <= *open || !nodes.contains(&it.node)
            });
        }
    }

    /// A loop over an iterator. It consumes all of it, unless something leaves it early.
    pub(super) fn consumed_by_loop(&mut self, sequence: &Expr, body: &Expr) {
        if !leaves(body) {
            self.consumed(sequence);
        }
    }

    /// Lowers a statement or the body of a closure. Iterators in it that are not consumed by its end may be consumed in any way.
    pub(super) fn closed<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.deferred.closures.len();
        let lowered = lower(self);
        if self.deferred.closures.len() > before {
            self.deferred.open = self.deferred.closures.len();
        }
        lowered
    }

    /// All that were noted.
    pub(super) fn take_deferred(&mut self) -> Vec<Deferred> {
        std::mem::take(&mut self.deferred).closures
    }
}

fn look_into(expr: &Expr, closure: &mut Deferred) {
    match &expr.kind {
        ExprKind::Assert(_) => closure.fails = true,
        ExprKind::Call(callee, _) => closure.calls.push(*callee),
        _ => {}
    }
    expr.for_each_child(&mut |it| look_into(it, closure));
}

fn all_nodes(expr: &Expr, nodes: &mut HashSet<NodeId>) {
    nodes.insert(expr.node);
    expr.for_each_child(&mut |it| all_nodes(it, nodes));
}

fn leaves(expr: &Expr) -> bool {
    let mut found = matches!(expr.kind, ExprKind::Break(_) | ExprKind::Return(_));
    expr.for_each_child(&mut |it| found |= leaves(it));
    found
}
