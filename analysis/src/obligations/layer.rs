//! The obligations of a layer: no operation panics, in any state; and each can happen in some state. The layer at the top of a stack
//! has one more: no operation fails.
//!
//! ```text
//! for all s, p, arguments: no run of op@p from s reads a missing key, overflows, divides by zero or falls through a `match`
//! for all s, p, arguments: no run of op@p from s fails                                                   (top of a stack)
//! ```
//!
//! Most code cannot panic, as its text shows; then only the smallest scope is explored.
//!
//! An operation without a transition in any state makes every result about it vacuous, and so does a branch that no step takes
//! (`vacuous`); these are warnings, not violations.

use std::collections::BTreeSet;

use super::{
    question::{Answered, Confirmation, Effort, Refutes, Setting, Slots},
    tell::Teller,
    vacuous::Branches,
};
use crate::{
    counterexample::{Counterexample, RunRole},
    explore::{
        code::CodeId,
        machine::Site,
        search::{Abort, Action, End},
    },
    ir::{Anchor, Layer, LayerId, NodeId},
};

/// A run of an operation that panics, or fails.
pub struct Panics {
    /// The place of the panic or failure.
    pub site: Site,
    /// The reason of the panic.
    pub why: &'static str,
    /// The state and the call.
    pub counterexample: Counterexample<Anchor>,
    /// Whether the case refutes the obligation.
    pub confirmation: Confirmation,
}

/// A part of a layer that can panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// An operation. Background steps around it are a separate part, unless an invariant connects them.
    Operation(usize),
    /// The background steps.
    Background,
}

impl Part {
    /// The parts of a layer.
    pub fn all(layer: &Layer) -> Vec<Part> {
        let background = layer.background.is_some() && layer.invariants.is_empty();
        let operations = (0..layer.operations.len()).map(Part::Operation);
        operations.chain(background.then_some(Part::Background)).collect()
    }

    /// The name of the part.
    pub fn name(self, layer: &Layer) -> &str {
        match self {
            Part::Operation(operation) => &layer.operations[operation].name,
            Part::Background => "background",
        }
    }
}

/// The result of exploring a part.
pub struct Explored {
    /// Whether it never panics, and never fails if it must succeed.
    pub answered: Answered<Panics>,
    /// The effort it took.
    pub effort: Effort,
    /// Whether it is enabled in any state.
    pub enabled: bool,
    /// Branches of the operation that no step takes.
    pub untaken: BTreeSet<NodeId>,
    /// Whether they were searched for in states up to a bound only.
    pub untaken_in_scope: bool,
}

/// Checks that one part does not panic; and, if it `must_succeed`, that it does not fail.
pub fn check(setting: &Setting, id: LayerId, part: Part, must_succeed: bool) -> Explored {
    let layer = &setting.program.layers[id.0 as usize];
    let mut branches = match part {
        Part::Operation(operation) if !must_succeed => Branches::of(setting.program, &layer.operations[operation]),
        _ => Branches::default(),
    };
    // If it cannot panic, the smallest scope suffices to show that the operation can happen, and that its loops end.
    let function = function_of(setting, id, part);
    let nothing_to_find = !must_succeed && !setting.code.functions[function].might_panic;
    let smallest = setting.scope.smallest();
    let within = if nothing_to_find { &Setting { scope: &smallest, ..*setting } } else { setting };
    let (answered, mut effort, mut enabled) = explore(within, id, part, must_succeed, &mut branches);
    let mut untaken_in_scope = !effort.bounds_met.is_empty();
    let looks_further = untaken_in_scope && (!enabled || !branches.left.is_empty());
    if nothing_to_find && matches!(answered, Answered::Holds) && looks_further {
        let (again, more, enabled_then) = explore(setting, id, part, must_succeed, &mut branches);
        untaken_in_scope = !more.bounds_met.is_empty();
        effort.bounds_met.clone_from(&more.bounds_met);
        match again {
            Answered::Holds => enabled |= enabled_then,
            Answered::GivenUp(Abort::Stopped) => return stopped(),
            // Not every branch could be searched for, and perhaps not every state.
            Answered::GivenUp(_) | Answered::Violated(_) => {
                branches.left.clear();
                enabled = true;
            }
        }
    }
    if nothing_to_find && enabled {
        effort.bounds_met.clear();
    }
    Explored { answered, effort, enabled, untaken: branches.left, untaken_in_scope }
}

fn stopped() -> Explored {
    let (effort, untaken) = Default::default();
    Explored { answered: Answered::GivenUp(Abort::Stopped), effort, enabled: true, untaken, untaken_in_scope: false }
}

fn function_of(setting: &Setting, id: LayerId, part: Part) -> CodeId {
    match part {
        Part::Operation(operation) if setting.program.layers[id.0 as usize].invariants.is_empty() => {
            setting.code.core(id, operation)
        }
        Part::Operation(operation) => setting.code.step(id, operation),
        Part::Background => setting.code.background[id.0 as usize].unwrap_or_default(),
    }
}

/// Runs a part from every state. The flag tells whether a run finished; the branches taken are recorded.
fn explore(
    setting: &Setting,
    id: LayerId,
    part: Part,
    must_succeed: bool,
    branches: &mut Branches,
) -> (Answered<Panics>, Effort, bool) {
    let layer = &setting.program.layers[id.0 as usize];
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(id));
    let me = slots.process(0);
    let after = slots.empty();
    let function = function_of(setting, id, part);
    let mut all = vec![after];
    if let Part::Operation(operation) = part {
        all.push(me);
        all.extend(slots.unknowns(&setting.arguments(id, operation)));
    }
    let script = [Action::Copy(state, after), Action::Call { function, arguments: all, result: None }];
    let mut enabled = false;
    let (answered, effort) = setting.ask(&[function], None, |search| {
        let mut start = slots.start(&mut search.world.cells, 1);
        let initial = start.clone();
        start.tale = (!branches.left.is_empty()).then_some(None);
        let mut panics = None;
        enabled = false;
        search.for_all(start, &script, &mut |search, machine, end| {
            branches.note(&machine);
            let (site, why) = match &end {
                End::Panicked(site, why) => (*site, *why),
                End::Failed(site) if must_succeed => (*site, "this may not hold"),
                _ => {
                    enabled = true;
                    return Ok(true);
                }
            };
            let mut teller = Teller::new(setting, search, machine.known.clone());
            let steps = teller.given(&initial.slots, &script, &end, None)?;
            let run = teller.run(RunRole::Possible, id, &initial.slots[state]).with(steps);
            let counterexample = teller.conclude(vec![run], format!("`{}` {}: {why}", part.name(layer), ends(&end)));
            panics = Some(Panics { site, why, counterexample, confirmation: Confirmation::Replayed });
            Ok(false)
        })?;
        match search.world.endless {
            // It is enabled nowhere because of a loop, which is what the reader has to know.
            Some(site) if !enabled && panics.is_none() => Err(Abort::Endless(site)),
            _ => Ok(panics),
        }
    });
    (answered, effort, enabled)
}

fn ends(end: &End) -> &'static str {
    if matches!(end, End::Panicked(..)) { "panics" } else { "fails" }
}

impl Refutes for Panics {
    fn is_confirmed(&self) -> bool {
        self.confirmation.is_confirmed()
    }

    fn not_replayed(&mut self) {
        self.confirmation = Confirmation::NotReplayed;
    }

    fn counterexample(&self) -> Option<&Counterexample<Anchor>> {
        Some(&self.counterexample)
    }
}
