//! The words of the language that choose, guard and report. Each is a few lines over the choice tape; what a run of choices
//! means, and who makes them, is [`crate::model`]'s business.

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::model::{Event, Outcome};
use crate::tape;
use crate::value::Value;

/// `true` or `false`.
///
/// # Panics
///
/// Outside a model run; so do all the words of this module.
pub fn maybe() -> bool {
    tape::pick(2) == 1
}

/// Any value of the type: of the values that the domain lists for it, or else of all that it can be made of.
pub fn any<T: Value>() -> T {
    match tape::domain().listed::<T>() {
        Some(values) => tape::pick_listed(&values),
        None => T::arbitrary(),
    }
}

/// Any element; the transition does not exist if there is none.
pub fn choose<'a, T: Clone + 'a>(from: impl IntoIterator<Item = &'a T>) -> T {
    let elements: Vec<&T> = from.into_iter().collect();
    elements[tape::pick(elements.len())].clone()
}

/// The transition exists only if `condition` holds.
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

/// Takes `step` any number of times, from none upwards.
///
/// Natively all states that can be reached are computed, and one of them is chosen.
///
/// # Panics
///
/// If more states can be reached than the domain's limit, or if a step emits an event.
pub fn repeat<S: Clone + Ord + 'static, R>(place: &mut S, mut step: impl FnMut(&mut S) -> R) {
    let reached = tape::pick_from(|| reach(place.clone(), &mut step));
    match reached {
        Ok(state) => *place = state,
        Err(message) => panic!("{message}"),
    }
}

/// Every state that `step` reaches from `start` (itself first), then the failures.
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
