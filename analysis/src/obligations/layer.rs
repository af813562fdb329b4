//! What every layer owes by itself: no operation panics, in any state; and each can happen in some state. The layer at the top of a stack
//! owes more: that no operation fails.
//!
//! ```text
//! for all s, p, arguments: no run of op@p from s reads a missing key, overflows, divides by zero or falls through a `match`
//! for all s, p, arguments: no run of op@p from s fails                                                   (top of a stack)
//! ```
//!
//! Most code cannot panic, as its text shows; then only the smallest scope is explored.
//!
//! An operation that has no transition in any state makes what is shown about it empty; that is a warning, not a violation.

use super::{
    question::{Answered, Effort, Refutes, Setting, Slots},
    tell::Teller,
};
use crate::{
    counterexample::Counterexample,
    explore::{
        machine::Site,
        search::{Action, End},
    },
    ir::{Anchor, Layer, LayerId},
};

/// A run of an operation that panics, or fails.
pub struct Panics {
    /// Where.
    pub site: Site,
    /// Why.
    pub why: &'static str,
    /// The state and the call.
    pub counterexample: Counterexample<Anchor>,
}

/// What of a layer is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// An operation. Background steps around it are another part, unless an invariant ties them together.
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

    /// Its name.
    pub fn name(self, layer: &Layer) -> &str {
        match self {
            Part::Operation(operation) => &layer.operations[operation].name,
            Part::Background => "background",
        }
    }
}

/// Checks that one part does not panic; and, if it `must_succeed`, that it does not fail. The flag tells whether it is enabled in any state.
pub fn check(setting: &Setting, id: LayerId, part: Part, must_succeed: bool) -> (Answered<Panics>, Effort, bool) {
    let layer = &setting.program.layers[id.0 as usize];
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(id));
    let me = slots.process(0);
    let after = slots.empty();
    let (function, types) = match part {
        Part::Operation(operation) if layer.invariants.is_empty() => {
            (setting.code.core(id, operation), setting.arguments(id, operation))
        }
        Part::Operation(operation) => (setting.code.step(id, operation), setting.arguments(id, operation)),
        Part::Background => (setting.code.background[id.0 as usize].unwrap_or_default(), Vec::new()),
    };
    let arguments = slots.unknowns(&types);
    let mut all = vec![after];
    if let Part::Operation(_) = part {
        all.push(me);
    }
    all.extend(&arguments);
    let script = [Action::Copy(state, after), Action::Call { function, arguments: all, result: None }];
    let mut enabled = false;
    // Without a panic to find, the smallest scope shows that the operation can happen, and that its loops end.
    let nothing_to_find = !must_succeed && !setting.code.functions[function].might_panic;
    let smallest = setting.scope.smallest();
    let setting = if nothing_to_find { &Setting { scope: &smallest, ..*setting } } else { setting };
    let (answered, effort) = setting.ask(&[function], None, |search| {
        let start = slots.start(&mut search.world.cells, 1);
        let initial = start.clone();
        let mut panics = None;
        enabled = false;
        search.for_all(start, &script, &mut |search, machine, end| {
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
            let run = teller.run("possible", id, &initial.slots[state]).with(steps);
            let counterexample = teller.conclude(vec![run], format!("`{}` {}: {why}", part.name(layer), ends(&end)));
            panics = Some(Panics { site, why, counterexample });
            Ok(false)
        })?;
        Ok(panics)
    });
    let effort = if nothing_to_find && enabled { Effort { bounds_met: Default::default(), ..effort } } else { effort };
    (answered, effort, enabled)
}

fn ends(end: &End) -> &'static str {
    if matches!(end, End::Panicked(..)) { "panics" } else { "fails" }
}

impl Refutes for Panics {
    fn is_confirmed(&self) -> bool {
        // The run is from any state; there is nothing to replay.
        true
    }
}
