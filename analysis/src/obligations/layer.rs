//! What every layer owes by itself: no operation panics, in any state; and each can happen in some state.
//!
//! ```text
//! for all s, p, arguments: no run of op@p from s reads a missing key, overflows, divides by zero or falls through a `match`
//! ```
//!
//! An operation that has no transition in any state makes what is shown about it empty; that is a warning, not a violation.

use super::question::{Answered, Effort, Setting, Slots, concrete_value};
use crate::{
    explore::{
        machine::Site,
        search::{Action, End},
        show::Show,
        value::Value,
    },
    ir::{LayerId, Type},
};

/// A run of an operation that panics.
pub struct Panics {
    /// Where.
    pub site: Site,
    /// Why.
    pub why: &'static str,
    /// The state and the call, in words.
    pub notes: Vec<String>,
}

/// Checks one operation. The flag tells whether it is enabled in any state.
pub fn check(setting: &Setting, layer: LayerId, operation: usize) -> (Answered<Panics>, Effort, bool) {
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(layer));
    let me = slots.process(0);
    let arguments = slots.unknowns(&setting.arguments(layer, operation));
    let after = slots.empty();
    let step = setting.code.step(layer, operation);
    let mut all = vec![after, me];
    all.extend(&arguments);
    let script = [Action::Copy(state, after), Action::Call { function: step, arguments: all, result: None }];
    let mut enabled = false;
    let (answered, effort) = setting.ask(&[step], None, |search| {
        let start = slots.start(&mut search.world.cells, 1);
        let mut panics = None;
        enabled = false;
        search.for_all(start, &script, &mut |search, machine, end| {
            let End::Panicked(site, why) = end else {
                enabled = true;
                return Ok(true);
            };
            let mut known = machine.known.clone();
            let before = concrete_value(search, &mut known, &machine.slots[state]);
            let arguments: Vec<Value> =
                arguments.iter().map(|it| concrete_value(search, &mut known, &machine.slots[*it])).collect();
            let show = Show(&search.world.cells);
            let types = setting.arguments(layer, operation);
            let arguments: Vec<String> = arguments.iter().zip(&types).map(|(it, ty)| show.value(it, ty)).collect();
            let name = &setting.program.layers[layer.0 as usize].operations[operation].name;
            let process = show.value(&machine.slots[me], &Type::Pid);
            panics = Some(Panics {
                site,
                why,
                notes: vec![
                    format!("in the state  {}", show.value(&before, setting.state(layer))),
                    format!("the call      {process}: {name}({})", arguments.join(", ")),
                ],
            });
            Ok(false)
        })?;
        Ok(panics)
    });
    (answered, effort, enabled)
}
