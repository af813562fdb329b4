//! The functions of the language that choose, guard and report. Each is a few lines over the choice tape; [`crate::model`]
//! defines what a run of choices means and who makes them.

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::model::{Event, Outcome};
use crate::tape;
use crate::value::Value;

/// `true` or `false`.
///
/// # Panics
///
/// Outside a model run; so do all functions of this module.
pub fn maybe() -> bool {
    tape::pick(2) == 1
}

/// Any value of the type: one of those that the domain lists for it, or else any that can be built.
pub fn any<T: Value>() -> T {
    match tape::domain().listed::<T>() {
        Some(values) => tape::pick_listed(&values),
        None => T::arbitrary(),
    }
}

/// Any element; there is no transition if `from` is empty.
pub fn choose<'a, T: Clone + 'a>(from: impl IntoIterator<Item = &'a T>) -> T {
    let elements: Vec<&T> = from.into_iter().collect();
    elements[tape::pick(elements.len())].clone()
}

/// There is a transition only if `condition` holds.
pub fn when(condition: bool) {
    if !condition {
        tape::disable();
    }
}

/// Adds an event to the trace.
pub fn emit<T: Debug>(value: T) {
    tape::record(Event::Emitted { value: format!("{value:?}") });
}

/// Any result: the body of an external operation. The event is recorded by the operation itself.
pub fn external<T: Value>() -> T {
    any()
}

/// Takes `step` any number of times, including none.
///
/// Natively it computes all reachable states and chooses one of them.
///
/// # Panics
///
/// If more states are reachable than the domain's limit, or if a step emits an event.
pub fn repeat<S: Clone + Ord + 'static, R>(place: &mut S, mut step: impl FnMut(&mut S) -> R) {
    let reached = tape::pick_from(|| reach(place.clone(), &mut step));
    match reached {
        Ok(state) => *place = state,
        Err(message) => panic!("{message}"),
    }
}

/// Every state that `step` reaches from `start` (including `start`, which is first), then the failures.
fn reach<S: Clone + Ord, R>(start: S, step: &mut impl FnMut(&mut S) -> R) -> Vec<Result<S, String>> {
    let limit = tape::domain().limits.states;
    let mut seen = BTreeSet::from([start.clone()]);
    let mut failures = BTreeSet::new();
    let mut reached = vec![Ok(start.clone())];
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        let mut turn = || {
            let mut next = state.clone();
            step(&mut next);
            next
        };
        tape::enumerate(tape::domain(), &mut turn, &mut |outcome| match outcome {
            Outcome::Done { events, .. } if !events.is_empty() => tape::give_up(
                "a step under `repeat` emits an event; the executable model has no traces for that".into(),
            ),
            Outcome::Done { value, .. } => {
                if seen.insert(value.clone()) {
                    reached.push(Ok(value.clone()));
                    open.push(value);
                }
            }
            Outcome::Failed { message } => {
                failures.insert(message);
            }
        });
        if seen.len() > limit {
            tape::give_up(format!("`repeat` reaches more than {limit} states (Domain::limits.states)"));
        }
    }
    reached.extend(failures.into_iter().map(Err));
    reached
}
