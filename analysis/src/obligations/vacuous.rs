//! Vacuous verdicts: questions whose answers only lead to warnings.
//!
//! ```text
//! some state satisfies the invariants; some state is initial; some call is allowed
//! each branch of an operation that does something is part of some step
//! ```
//!
//! A negative answer only tells the user to look. If the exploration is given up, there is no warning.

use std::collections::BTreeSet;

use super::question::{Answered, Refutes, Setting, Slots};
use crate::{
    explore::{
        code::CodeId,
        machine::{Machine, Told},
        search::{Abort, Action, End, Slot},
    },
    ir::{Expr, ExprKind, LayerId, Literal, NodeId, Operation, Program},
    verdict::Scope,
};

/// The answer that something is possible; there is nothing to replay.
struct Possible;

impl Refutes for Possible {
    fn is_confirmed(&self) -> bool {
        true
    }
}

/// Whether something ever happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ever {
    /// It happens.
    Sometimes,
    Unknown,
    /// It does not happen within bounds.
    NotInScope,
    /// It never happens.
    Never,
}

/// Whether a condition holds for some values of its parameters. `None` if the search was stopped.
fn can_hold(setting: &Setting, function: CodeId, slots: &Slots, parameters: Vec<Slot>, holds: Slot) -> Option<Ever> {
    let script = [Action::Call { function, arguments: parameters, result: Some(holds) }, Action::When(holds)];
    let (answered, effort) = setting.ask(&[function], None, |search| {
        let mut found = None;
        let start = slots.start(&mut search.world.cells, 1);
        search.for_all(start, &script, &mut |_, _, end| {
            found = (end == End::Done).then_some(Possible);
            Ok(found.is_none())
        })?;
        Ok(found)
    });
    match answered {
        Answered::GivenUp(Abort::Stopped) => None,
        Answered::Holds if effort.bounds_met.is_empty() => Some(Ever::Never),
        Answered::Holds => Some(Ever::NotInScope),
        Answered::Violated(Possible) => Some(Ever::Sometimes),
        Answered::GivenUp(_) => Some(Ever::Unknown),
    }
}

fn some_state(setting: &Setting, layer: LayerId, condition: CodeId) -> Option<Ever> {
    let mut slots = Slots::default();
    let (state, holds) = (slots.unknown(setting.state(layer)), slots.empty());
    can_hold(setting, condition, &slots, vec![state], holds)
}

/// Whether some state satisfies the invariants of a layer. `None` if the search was stopped.
pub(super) fn some_state_satisfies_invariants(setting: &Setting, layer: LayerId) -> Option<Ever> {
    some_state(setting, layer, setting.code.invariant[layer.0 as usize])
}

/// Whether some state of a layer is initial. `None` if the search was stopped.
pub(super) fn some_state_is_initial(setting: &Setting, layer: LayerId) -> Option<Ever> {
    some_state(setting, layer, setting.code.init[layer.0 as usize])
}

/// How far scopes are enlarged in the search for an initial state, if the given scope has none.
const MUCH_LARGER: u32 = 6;

/// The budget for each of them.
const BUDGET_OF_LARGER: u64 = 5_000_000;

/// Command-line arguments for a larger scope in which some state of a layer is initial, if one is found: the first that changes few bounds.
/// The outer `None` if the search was stopped.
pub(super) fn scope_with_initial_state(setting: &Setting, layer: LayerId) -> Option<Option<String>> {
    let given = setting.scope;
    let larger = |entries: u32, ints: u32| {
        let mut words = Vec::new();
        let mut scope = Scope { budget: given.budget.min(BUDGET_OF_LARGER), ..given.clone() };
        if entries > 0 {
            scope.entries += entries;
            words.push(format!("entries={}", scope.entries));
        }
        if ints > 0 {
            // Bounds on numbers may be larger than those on collections.
            scope.ints = (scope.ints + 1) << (2 * ints);
            words.push(format!("int={}", scope.ints));
        }
        (scope, words.join(","))
    };
    let more = 1..=MUCH_LARGER;
    let entries = more.clone().map(|it| larger(it, 0));
    let ints = more.clone().map(|it| larger(0, it));
    let both = more.map(|it| larger(it, it));
    for (scope, words) in entries.chain(ints).chain(both) {
        let within = Setting { scope: &scope, ..*setting };
        if some_state_is_initial(&within, layer)? == Ever::Sometimes {
            return Some(Some(words));
        }
    }
    Some(None)
}

/// Whether the rules of a protocol allow some call of an operation. `None` if the search was stopped.
pub(super) fn some_call_is_allowed(setting: &Setting, layer: LayerId, operation: usize) -> Option<Ever> {
    let mut slots = Slots::default();
    let (state, me) = (slots.unknown(setting.state(layer)), slots.process(0));
    let arguments = slots.unknowns(&setting.arguments(layer, operation));
    let holds = slots.empty();
    let parameters = [state, me].into_iter().chain(arguments).collect();
    can_hold(setting, setting.code.allowed[layer.0 as usize][operation], &slots, parameters, holds)
}

/// Branches of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Branches {
    function: CodeId,
    /// The branches with an effect that no run has taken yet.
    pub(super) left: BTreeSet<NodeId>,
}

impl Branches {
    /// The branches of an operation.
    pub(super) fn of(program: &Program, operation: &Operation) -> Branches {
        let mut left = BTreeSet::new();
        if !operation.external {
            collect(&program.functions[operation.function.0 as usize].body, &mut left);
        }
        Branches { function: operation.function.0 as usize, left }
    }

    /// Removes those that a run has taken.
    pub(super) fn note(&mut self, run: &Machine) {
        let mut at = run.tale.as_ref().and_then(|it| it.as_ref());
        while let Some(telling) = at {
            if let Told::Took(site) = &telling.told
                && site.code == self.function
            {
                self.left.remove(&site.node);
            }
            at = telling.before.as_ref();
        }
    }
}

fn collect(expr: &Expr, found: &mut BTreeSet<NodeId>) {
    let mut branch = |it: &Expr| {
        if does_something(it) && !is_ruled_out(it) {
            found.insert(it.node);
        }
    };
    match &expr.kind {
        ExprKind::If(_, then, otherwise) => [then, otherwise].into_iter().for_each(|it| branch(it)),
        ExprKind::Match(_, arms) => arms.iter().for_each(|it| branch(&it.body)),
        _ => {}
    }
    expr.for_each_child(&mut |child| collect(child, found));
}

/// Whether an expression changes something, emits something, or leaves the function.
fn does_something(expr: &Expr) -> bool {
    let here = matches!(
        expr.kind,
        ExprKind::Assign(..) | ExprKind::Mutate(..) | ExprKind::Emit(_) | ExprKind::Return(_) | ExprKind::Call(..)
    );
    here || any_child(expr, does_something)
}

/// Whether it is marked as unreachable: `unreachable!()`, `when(false)`.
fn is_ruled_out(expr: &Expr) -> bool {
    let here = match &expr.kind {
        ExprKind::Assert(it) | ExprKind::When(it) => it.kind == ExprKind::Literal(Literal::Bool(false)),
        _ => false,
    };
    here || any_child(expr, is_ruled_out)
}

fn any_child(expr: &Expr, holds: fn(&Expr) -> bool) -> bool {
    let mut any = false;
    expr.for_each_child(&mut |child| any |= holds(child));
    any
}
