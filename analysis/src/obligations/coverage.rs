//! Coverage: which branches the steps of an operation take. For each `maybe()` and each condition of an `if` in its code: does some step from some
//! state take one branch, and does some step take the other?
//!
//! This is not an obligation. Nothing is shown about a branch that no step takes: its guard is too strong, or the scope too small.

use std::collections::{BTreeMap, BTreeSet};

use super::question::{Answered, Refutes, Setting, Slots};
use crate::{
    explore::{
        machine::{Chosen, Machine, Site, Tale, Told},
        search::{Action, End},
    },
    ir::{Expr, ExprKind, FunctionId, LayerId, NodeId, Program},
};

/// A place in the code of a function.
type Place = (FunctionId, NodeId);

/// The branches taken by the steps of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ways {
    /// The places of choices and conditions, and whether some step takes `false` and `true` there.
    pub forks: BTreeMap<Place, [bool; 2]>,
    /// Whether some step exists.
    pub is_enabled: bool,
    /// Whether all steps in scope were explored.
    pub is_complete: bool,
}

/// Explores all steps of an operation from all states.
pub fn of_operation(setting: &Setting, layer: LayerId, operation: usize) -> Ways {
    let program = setting.program;
    let Forks { taken, branches } = Forks::of(program, layer, operation);
    let mut ways = Ways { forks: taken, is_enabled: false, is_complete: true };
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(layer));
    let me = slots.process(0);
    let arguments = slots.unknowns(&setting.arguments(layer, operation));
    let function = setting.code.step(layer, operation);
    let all = [&[state, me][..], &arguments].concat();
    let script = [Action::Call { function, arguments: all, result: None }];
    let (answered, _) = setting.ask::<Nothing>(&[function], None, |search| {
        let mut start = slots.start(&mut search.world.cells, 1);
        start.tale = Some(None);
        search.for_all(start, &script, &mut |_, machine, end| {
            if end == End::Done {
                ways.is_enabled = true;
                mark(setting, &machine, &branches, &mut ways.forks);
            }
            Ok(true)
        })?;
        Ok(None)
    });
    ways.is_complete = matches!(answered, Answered::Holds);
    ways
}

/// The refutation type of a search that cannot be refuted.
enum Nothing {}

impl Refutes for Nothing {
    fn is_confirmed(&self) -> bool {
        match *self {}
    }
}

/// Records the branches that a run took.
fn mark(
    setting: &Setting,
    machine: &Machine,
    branches: &BTreeMap<Place, (Place, bool)>,
    forks: &mut BTreeMap<Place, [bool; 2]>,
) {
    let place = |site: &Site| Some((setting.code.functions[site.code].source?, site.node));
    let mut at: Tale = machine.tale.clone().flatten();
    while let Some(telling) = at {
        let way = match &telling.told {
            Told::Chose(site, Chosen::Maybe(yes)) => place(site).map(|it| (it, *yes)),
            Told::Took(site) => place(site).and_then(|it| branches.get(&it).copied()),
            _ => None,
        };
        if let Some((fork, yes)) = way
            && let Some(taken) = forks.get_mut(&fork)
        {
            taken[usize::from(yes)] = true;
        }
        at = telling.before.clone();
    }
}

/// The choices and conditions in the code of an operation and its helpers.
#[derive(Default)]
struct Forks {
    /// Each `maybe()` and `if`; at first no branch is taken.
    taken: BTreeMap<Place, [bool; 2]>,
    /// For each branch of an `if`: its condition, and which branch it is.
    branches: BTreeMap<Place, (Place, bool)>,
}

impl Forks {
    fn of(program: &Program, layer: LayerId, operation: usize) -> Forks {
        let mut forks = Forks::default();
        let mut seen = BTreeSet::new();
        let mut pending = vec![program.layers[layer.0 as usize].operations[operation].function];
        while let Some(function) = pending.pop() {
            if seen.insert(function) {
                forks.collect(&program.functions[function.0 as usize].body, function, &mut pending);
            }
        }
        forks
    }

    fn collect(&mut self, expr: &Expr, function: FunctionId, called: &mut Vec<FunctionId>) {
        match &expr.kind {
            ExprKind::Maybe => drop(self.taken.insert((function, expr.node), [false; 2])),
            ExprKind::If(_, then, otherwise) => {
                let fork = (function, expr.node);
                self.taken.insert(fork, [false; 2]);
                self.branches.insert((function, then.node), (fork, true));
                self.branches.insert((function, otherwise.node), (fork, false));
            }
            ExprKind::Call(callee, _) => called.push(*callee),
            _ => {}
        }
        expr.for_each_child(&mut |it| self.collect(it, function, called));
    }
}
