//! Movers: when operations of different processes commute.
//!
//! Write `s --A@p/r,E--> s'` for a step of operation `A` by process `p` with result `r` and events `E` (CSPEC, OSDI'18, section 6.1,
//! Figure 10; `step` includes background steps, invariants and the protocol, and ranges over *all* states of the layer's type).
//! For processes `p ≠ q`:
//!
//! * **silent** `A`: `s --A@p/r,E--> s'` implies `E = []`, and `A` does not fail. (After a failure anything may be emitted.)
//! * **right mover** `A` past `B`: silent, and
//!   `s --A@p/r--> s1 --B@q/v,E--> s2` implies `∃ s'. s --B@q/v,E--> s' --A@p/r--> s2`.
//! * **left mover** `A` past `B`, at the states `P` of `p`: silent in the states of `P`, stably enabled, and
//!   `P(s)` and `s --B@q/v,E--> s1 --A@p/r--> s2` implies `∃ s'. s --A@p/r--> s' --B@q/v,E--> s2`.
//! * **stably enabled** `A` against `B`: if `A@p` is enabled in `s` and `s --B@q--> s'`, then `A@p` is enabled in `s'`. In all states, not
//!   only in `P`.
//!
//! `B` is every operation of the layer, `A` included, with any arguments. Both orders must have the same results, events and
//! final state; only the state in between may differ. `P` is evaluated before `B`. A failure of `B` is matched by a failure of `B` in the
//! other order; this is the *strict* view of failure. If `B` fails before a left mover `A`, then `A` has not been called yet: it is enough
//! that `A` can be called, with some result, and that `B` may fail after it.

use serde::{Deserialize, Serialize};

use super::{
    question::{
        Answered, Case, Confirmation, Effort, Refutes, Setting, Slots, Wanted, Whole, for_all_exists, replays, unmet,
    },
    tell::Teller,
};
use crate::{
    counterexample::{Counterexample, Mismatch, RunRole, Step, StepEnd},
    explore::{
        cells::Knowledge,
        machine::Machine,
        search::{Abort, Action, End, Search, Slot},
        value::Value,
    },
    ir::{Anchor, LayerId},
};

/// The direction in which an operation is to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Later: past a step that follows it.
    Right,
    /// Earlier: past a step that precedes it.
    Left,
}

impl Direction {
    /// `right` or `left`.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Right => "right",
            Direction::Left => "left",
        }
    }
}

/// Why an operation is not a mover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refutation {
    /// Explanations, if there is no counterexample.
    pub notes: Vec<String>,
    /// The state and the two orders of the operations.
    pub counterexample: Option<Counterexample<Anchor>>,
    /// Whether the counterexample was confirmed by a replay.
    pub confirmation: Confirmation,
}

impl Refutation {
    /// A refutation by a counterexample.
    pub fn new(counterexample: Counterexample<Anchor>, confirmation: Confirmation) -> Refutation {
        Refutation { notes: Vec::new(), counterexample: Some(counterexample), confirmation }
    }
}

/// Operations of two processes, as slots of a script.
#[derive(Clone)]
pub struct Pair {
    pub slots: Slots,
    /// The state from which both orders start.
    pub state: Slot,
    /// The operation to be moved.
    pub mover: Call,
    /// The other operation.
    pub other: Call,
    /// What the mover returns, where only that result is meant.
    taken: Option<Slot>,
    first_end: Slot,
    pub(super) second_end: Slot,
}

/// One call of an operation, with slots for its results.
#[derive(Clone)]
pub struct Call {
    operation: usize,
    process: Slot,
    arguments: Vec<Slot>,
    result: Slot,
    events: Slot,
    /// Its result in the other order.
    pub(super) swapped_result: Slot,
    pub(super) swapped_events: Slot,
}

impl Call {
    fn new(setting: &Setting, slots: &mut Slots, layer: LayerId, operation: usize, process: u32) -> Call {
        let process = slots.process(process);
        Call::with_arguments(setting, slots, layer, operation, process)
    }

    fn with_arguments(setting: &Setting, slots: &mut Slots, layer: LayerId, operation: usize, process: Slot) -> Call {
        Call {
            operation,
            process,
            arguments: slots.unknowns(&setting.arguments(layer, operation)),
            result: slots.unknown(setting.result(layer, operation)),
            events: slots.empty(),
            swapped_result: slots.empty(),
            swapped_events: slots.empty(),
        }
    }

    /// The step on the state in `state`; writes the result and the events to these slots.
    pub(super) fn step(
        &self,
        setting: &Setting,
        layer: LayerId,
        state: Slot,
        result: Slot,
        events: Slot,
    ) -> [Action; 2] {
        let mut arguments = vec![state, self.process];
        arguments.extend(&self.arguments);
        let function = setting.code.step(layer, self.operation);
        [Action::Call { function, arguments, result: Some(result) }, Action::TakeEvents(events)]
    }
}

impl Pair {
    /// `mover` by process 0 and `other` by process 1 of `layer`, with unknown arguments, from an unknown state.
    pub fn new(setting: &Setting, layer: LayerId, mover: usize, other: usize, mut slots: Slots) -> Pair {
        let state = slots.unknown(setting.state(layer));
        let mover = Call::new(setting, &mut slots, layer, mover, 0);
        let other = Call::new(setting, &mut slots, layer, other, 1);
        let (first_end, second_end) = (slots.empty(), slots.empty());
        Pair { slots, state, mover, other, taken: None, first_end, second_end }
    }

    /// The same, where only the steps of the mover with one result are meant: [`Pair::take`] says which.
    pub fn with_one_result(mut self) -> Pair {
        self.taken = Some(self.slots.empty());
        self
    }

    /// Says which result of the mover is meant.
    pub fn take(&self, machine: &mut Machine, result: &Value) {
        if let Some(slot) = self.taken {
            machine.set(slot, result.clone());
        }
    }

    /// Sets up the pair at a place in a procedure: with this state, this process and its arguments, and that other process.
    pub fn place(&self, machine: &mut Machine, state: Value, me: &Value, arguments: &[Value], other: &Value) {
        machine.set(self.state, state);
        machine.set(self.mover.process, me.clone());
        machine.set(self.other.process, other.clone());
        for (slot, argument) in self.mover.arguments.iter().zip(arguments) {
            machine.set(*slot, argument.clone());
        }
    }

    /// Gives arguments to the other operation.
    pub fn give(&self, machine: &mut Machine, arguments: &[Value]) {
        for (slot, argument) in self.other.arguments.iter().zip(arguments) {
            machine.set(*slot, argument.clone());
        }
    }

    fn order(&self, direction: Direction) -> [&Call; 2] {
        match direction {
            Direction::Right => [&self.mover, &self.other],
            Direction::Left => [&self.other, &self.mover],
        }
    }

    /// The order that happens.
    pub(super) fn given(&self, setting: &Setting, layer: LayerId, direction: Direction) -> Vec<Action> {
        let mut script = vec![Action::Copy(self.state, self.first_end)];
        for call in self.order(direction) {
            script.extend(call.step(setting, layer, self.first_end, call.result, call.events));
            if let Some(taken) = self.taken
                && call.result == self.mover.result
            {
                script.push(Action::Equal(call.result, taken));
            }
        }
        script
    }

    /// The mover's step alone.
    pub(super) fn alone(&self, setting: &Setting, layer: LayerId) -> Vec<Action> {
        let mut script = vec![Action::Copy(self.state, self.first_end)];
        script.extend(self.mover.step(setting, layer, self.first_end, self.mover.result, self.mover.events));
        script.extend(self.taken.map(|taken| Action::Equal(self.mover.result, taken)));
        script
    }

    /// Whether the mover has emitted nothing.
    pub(super) fn is_silent(&self, machine: &Machine) -> bool {
        machine.slots[self.mover.events] == Value::seq(vec![])
    }

    /// The other order, with the same results and events, to the same end.
    pub(super) fn wanted(&self, setting: &Setting, layer: LayerId, direction: Direction) -> Vec<Action> {
        let mut script = vec![Action::Copy(self.state, self.second_end)];
        let [second, first] = self.order(direction);
        for call in [first, second] {
            script.extend(call.step(setting, layer, self.second_end, call.swapped_result, call.swapped_events));
            script.push(Action::Equal(call.swapped_result, call.result));
            script.push(Action::Equal(call.swapped_events, call.events));
        }
        script.push(Action::Equal(self.second_end, self.first_end));
        script
    }

    /// The other order, in which `other` fails. If `other` comes after the mover, the mover may have any result there: in the order that
    /// happens `other` came first and the mover was never called, so nobody has seen its result.
    fn wanted_failure(&self, setting: &Setting, layer: LayerId, direction: Direction) -> Vec<Action> {
        let mut script = vec![Action::Copy(self.state, self.second_end)];
        if direction == Direction::Left {
            let mover = &self.mover;
            script.extend(mover.step(setting, layer, self.second_end, mover.swapped_result, mover.swapped_events));
        }
        let [step, _] =
            self.other.step(setting, layer, self.second_end, self.other.swapped_result, self.other.swapped_events);
        script.push(step);
        script
    }
}

/// Whether an operation is claimed to be a mover: if so, a refutation is shown.
fn is_claimed(setting: &Setting, layer: LayerId, operation: usize) -> bool {
    setting.program.layers[layer.0 as usize].operations[operation].claim.is_some()
}

/// Whether `mover` is silent: emits nothing and does not fail.
pub fn silent(setting: &Setting, layer: LayerId, mover: usize) -> (Answered<Refutation>, Effort) {
    let mut slots = Slots::default();
    let state = slots.unknown(setting.state(layer));
    let call = Call::new(setting, &mut slots, layer, mover, 0);
    setting.ask_as(
        (is_claimed(setting, layer, mover), Whole::Once),
        &[setting.code.step(layer, mover)],
        None,
        |search| {
            let start = slots.start(&mut search.world.cells, 2);
            Ok(silent_from(setting, search, layer, (state, &call), start)?.map(|(refutation, _)| refutation))
        },
    )
}

/// Whether a call is silent in all states of `start`; if not, returns the case that refutes it.
///
/// # Errors
/// If the search cannot be completed.
pub fn silent_from<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    layer: LayerId,
    (state, call): (Slot, &Call),
    start: Machine,
) -> Result<Option<(Refutation, Knowledge)>, Abort> {
    let script = call.step(setting, layer, state, call.result, call.events);
    let initial = start.clone();
    let wanted = |machine: &Machine, end: &End| match end {
        End::Done if machine.slots[call.events] == Value::seq(vec![]) => Wanted::Nothing,
        End::Panicked(..) => Wanted::Nothing,
        _ => Wanted::Never,
    };
    let Some(case) = for_all_exists(search, start, &script, &wanted)? else { return Ok(None) };
    let confirmation = replays(search, &initial, &script, &case, &wanted)?;
    let what =
        if case.end == End::Done { "emits an event" } else { "may fail, and after a failure anything may be emitted" };
    let name = &setting.program.layers[layer.0 as usize].operations[call.operation].name;
    let mut teller = Teller::new(setting, search, case.known.clone());
    let steps = teller.given(&initial.slots, &script, &case.end, Some(&case.slots))?;
    let run = teller.run(RunRole::Possible, layer, &initial.slots[state]).with(steps);
    let known = teller.known().clone();
    let counterexample = teller.conclude(vec![run], format!("`{name}` {what}: a mover must be silent"));
    Ok(Some((Refutation::new(counterexample, confirmation), known)))
}

/// Whether `mover` moves past `other`, in all states.
pub fn moves(
    setting: &Setting,
    layer: LayerId,
    mover: usize,
    other: usize,
    direction: Direction,
) -> (Answered<Refutation>, Effort) {
    let pair = Pair::new(setting, layer, mover, other, Slots::default());
    let entries = [setting.code.step(layer, mover), setting.code.step(layer, other)];
    setting.ask_as((is_claimed(setting, layer, mover), Whole::Once), &entries, None, |search| {
        let start = pair.slots.start(&mut search.world.cells, 2);
        Ok(moves_from(setting, search, layer, &pair, direction, start)?.map(|(refutation, _)| refutation))
    })
}

/// The order that is given, and what is wanted of the other.
struct Orders {
    given: Vec<Action>,
    swapped: Vec<Action>,
    failing: Vec<Action>,
    /// The action in which the other operation makes its step.
    other_stage: usize,
}

impl Orders {
    fn new(setting: &Setting, layer: LayerId, pair: &Pair, direction: Direction) -> Orders {
        let given = pair.given(setting, layer, direction);
        let is_other =
            |it: &Action| matches!(it, Action::Call { result: Some(slot), .. } if *slot == pair.other.result);
        Orders {
            other_stage: given.iter().position(is_other).unwrap_or_default(),
            swapped: pair.wanted(setting, layer, direction),
            failing: pair.wanted_failure(setting, layer, direction),
            given,
        }
    }

    fn wanted(&self, machine: &Machine, end: &End) -> Wanted<'_> {
        match end {
            End::Done => Wanted::Run(&self.swapped, None),
            End::Failed(_) if machine.stage == self.other_stage => Wanted::Failure(&self.failing),
            // That the mover fails, or that anything panics, is reported where it is the question.
            _ => Wanted::Nothing,
        }
    }
}

/// Whether the mover of `pair` moves past the other operation, in the states of `start`: the answer alone, for those who ask about many
/// pairs and tell of few. Only the results of the other operation that count are looked at; where it fails always counts.
///
/// # Errors
/// If the search cannot be completed.
pub fn does_move_from<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    layer: LayerId,
    pair: &Pair,
    direction: Direction,
    start: Machine,
    counts: &dyn Fn(&Value) -> bool,
) -> Result<bool, Abort> {
    let orders = Orders::new(setting, layer, pair, direction);
    let mut moves = true;
    search.for_all(start, &orders.given, &mut |search, machine, end| {
        if end == End::Done && !counts(&machine.resolve(&machine.slots[pair.other.result])) {
            return Ok(true);
        }
        moves = unmet(search, &machine, &orders.wanted(&machine, &end))?.is_none();
        Ok(moves)
    })?;
    Ok(moves)
}

/// Whether the mover of `pair` does not move past the other operation in some state of `start`, whatever bounds there are.
///
/// # Errors
/// If the search cannot be completed.
pub fn certainly_does_not_move_from<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    layer: LayerId,
    pair: &Pair,
    direction: Direction,
    start: Machine,
) -> Result<bool, Abort> {
    let orders = Orders::new(setting, layer, pair, direction);
    let mut is_certain = false;
    search.for_all(start, &orders.given, &mut |search, machine, end| {
        let unmet = unmet(search, &machine, &orders.wanted(&machine, &end))?;
        is_certain = unmet.is_some_and(|it| it.within.is_empty());
        Ok(!is_certain)
    })?;
    Ok(is_certain)
}

/// Whether the mover of `pair` emits nothing in the states of `start`. If only one result is meant, steps that fail have another; otherwise
/// it must not fail either.
///
/// # Errors
/// If the search cannot be completed.
pub fn is_silent_from<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    layer: LayerId,
    pair: &Pair,
    start: Machine,
) -> Result<bool, Abort> {
    let mut silent = true;
    search.for_all(start, &pair.alone(setting, layer), &mut |_, machine, end| {
        silent = match end {
            End::Done => pair.is_silent(&machine),
            End::Failed(_) => pair.taken.is_some(),
            _ => true,
        };
        Ok(silent)
    })?;
    Ok(silent)
}

/// A case in which the mover of `pair` emits something in the states of `start`, or fails if no single result is meant.
///
/// # Errors
/// If the search cannot be completed.
pub fn not_silent_from<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    layer: LayerId,
    pair: &Pair,
    start: Machine,
) -> Result<Option<(Refutation, Knowledge)>, Abort> {
    let script = pair.alone(setting, layer);
    let initial = start.clone();
    let wanted = |machine: &Machine, end: &End| match end {
        End::Done if pair.is_silent(machine) => Wanted::Nothing,
        End::Failed(_) if pair.taken.is_some() => Wanted::Nothing,
        End::Panicked(..) | End::Disabled => Wanted::Nothing,
        _ => Wanted::Never,
    };
    let Some(case) = for_all_exists(search, start, &script, &wanted)? else { return Ok(None) };
    let confirmation = replays(search, &initial, &script, &case, &wanted)?;
    let what = if case.end == End::Done { "emits an event" } else { "may fail" };
    let name = &setting.program.layers[layer.0 as usize].operations[pair.mover.operation].name;
    let mut teller = Teller::new(setting, search, case.known.clone());
    let steps = teller.given(&initial.slots, &script, &case.end, Some(&case.slots))?;
    let run = teller.run(RunRole::There, layer, &initial.slots[pair.state]).with(steps);
    let known = teller.known().clone();
    let counterexample = teller.conclude(vec![run], format!("`{name}` {what}: a mover must be silent"));
    Ok(Some((Refutation::new(counterexample, confirmation), known)))
}

/// Whether the mover of `pair` moves past the other operation, in the states of `start`; if not, with what is known in the case that
/// refutes it.
///
/// # Errors
/// If the search cannot be completed.
pub fn moves_from<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    layer: LayerId,
    pair: &Pair,
    direction: Direction,
    start: Machine,
) -> Result<Option<(Refutation, Knowledge)>, Abort> {
    let orders = Orders::new(setting, layer, pair, direction);
    let wanted = |machine: &Machine, end: &End| orders.wanted(machine, end);
    let Orders { given, swapped, failing, .. } = &orders;
    let initial = start.clone();
    let Some(case) = for_all_exists(search, start, given, &wanted)? else { return Ok(None) };
    let confirmation = replays(search, &initial, given, &case, &wanted)?;
    let other = if matches!(case.end, End::Failed(_)) { failing } else { swapped };
    let mut teller = Teller::new(setting, search, case.known.clone());
    let steps = teller.given(&initial.slots, given, &case.end, Some(&case.slots))?;
    let happened = teller.run(RunRole::Possible, layer, &initial.slots[pair.state]).with(steps);
    let mut slots = case.slots.clone();
    slots[pair.state] = initial.slots[pair.state].clone();
    let steps = teller.attempt(&slots, other)?;
    let missing = match (&case.end, steps.last()) {
        (End::Failed(_), Some(Step { operation, end: StepEnd::Returns(_), .. })) => {
            format!("`{operation}` cannot fail")
        }
        (_, last) => first_difference(last),
    };
    let conclusion = format!("in the other order {missing}");
    let swapped = teller.run(RunRole::OtherOrder, layer, &initial.slots[pair.state]).with(steps);
    let known = teller.known().clone();
    let counterexample = teller.conclude(vec![happened, swapped], conclusion);
    Ok(Some((Refutation::new(counterexample, confirmation), known)))
}

/// Whether `mover` stays enabled after any step of `other`.
pub fn stably_enabled(setting: &Setting, layer: LayerId, mover: usize, other: usize) -> (Answered<Refutation>, Effort) {
    let pair = Pair::new(setting, layer, mover, other, Slots::default());
    let entries = [setting.code.step(layer, mover), setting.code.step(layer, other)];
    let shown = is_claimed(setting, layer, mover);
    let (mover, other) = (&pair.mover, &pair.other);
    let mut given = vec![Action::Copy(pair.state, pair.first_end)];
    given.extend(mover.step(setting, layer, pair.first_end, mover.result, mover.events));
    given.push(Action::Copy(pair.state, pair.first_end));
    given.extend(other.step(setting, layer, pair.first_end, other.result, other.events));
    let mut enabled = vec![Action::Copy(pair.first_end, pair.second_end)];
    enabled.push(mover.step(setting, layer, pair.second_end, mover.swapped_result, mover.swapped_events)[0].clone());
    setting.ask_as((shown, Whole::Once), &entries, None, |search| {
        let start = pair.slots.start(&mut search.world.cells, 2);
        let wanted = |_: &Machine, end: &End| match end {
            End::Done => Wanted::Run(&enabled, Some(1)),
            _ => Wanted::Nothing,
        };
        let initial = start.clone();
        let Some(case) = for_all_exists(search, start, &given, &wanted)? else { return Ok(None) };
        let confirmation = replays(search, &initial, &given, &case, &wanted)?;
        let mut teller = Teller::new(setting, search, case.known.clone());
        let mut steps = teller.given(&initial.slots, &given, &case.end, Some(&case.slots))?;
        let mut after = steps.split_off(steps.len().min(1));
        after.extend(teller.attempt(&case.slots, &enabled)?);
        let state = &initial.slots[pair.state];
        let runs = vec![
            teller.run(RunRole::Possible, layer, state).with(steps),
            teller.run(RunRole::ButAfter, layer, state).with(after),
        ];
        let operations = &setting.program.layers[layer.0 as usize].operations;
        let names = (&operations[mover.operation].name, &operations[other.operation].name);
        let conclusion = format!("`{}` has disabled `{}`", names.1, names.0);
        Ok(Some(Refutation::new(teller.conclude(runs, conclusion), confirmation)))
    })
}

/// Whether the mover of a pair is enabled in all states of `start`.
///
/// # Errors
/// If the search cannot be completed.
pub fn enabled_from<'p>(
    setting: &Setting<'p>,
    search: &mut Search<'_, 'p>,
    layer: LayerId,
    pair: &Pair,
    start: &Machine,
) -> Result<Option<(Refutation, Knowledge)>, Abort> {
    let mover = &pair.mover;
    let mut enabled = vec![Action::Copy(pair.state, pair.second_end)];
    enabled.push(mover.step(setting, layer, pair.second_end, mover.swapped_result, mover.swapped_events)[0].clone());
    // Only states in which the invariants hold can be reached.
    let holds = pair.second_end;
    let given = [
        Action::Call {
            function: setting.code.invariant[layer.0 as usize],
            arguments: vec![pair.state],
            result: Some(holds),
        },
        Action::When(holds),
    ];
    let wanted = |_: &Machine, end: &End| match end {
        End::Done => Wanted::Run(&enabled, Some(1)),
        _ => Wanted::Nothing,
    };
    let Some(case) = for_all_exists(search, start.clone(), &given, &wanted)? else { return Ok(None) };
    let Case { known, within, .. } = case;
    let mut teller = Teller::new(setting, search, known);
    let steps = teller.attempt(&start.slots, &enabled)?;
    let run = teller.run(RunRole::There, layer, &start.slots[pair.state]).with(steps);
    let known = teller.known().clone();
    let name = &setting.program.layers[layer.0 as usize].operations[mover.operation].name;
    let counterexample = teller.conclude(vec![run], format!("`{name}` may have to wait at this point"));
    Ok(Some((Refutation::new(counterexample, Confirmation::within(within)), known)))
}

/// Describes, as a clause, why a run that should be possible stops.
pub fn first_difference(last: Option<&Step<Anchor>>) -> String {
    let Some(last) = last else { return "nothing is possible".to_owned() };
    let name = &last.operation;
    match (&last.mismatch, &last.end) {
        (Some(Mismatch::Result(wanted)), _) => format!("`{name}` cannot return {wanted}"),
        (Some(Mismatch::Events(_)), _) => format!("`{name}` cannot emit the same events"),
        (Some(Mismatch::State(_)), _) => "the same results are possible, but not the same end state".to_owned(),
        (None, StepEnd::Disabled) => format!("`{name}` is not possible"),
        (None, StepEnd::Fails) => format!("`{name}` fails"),
        (None, StepEnd::Panics(why)) => format!("`{name}` panics: {why}"),
        (None, _) => "it cannot end in the same way".to_owned(),
    }
}

impl Refutes for Refutation {
    fn is_confirmed(&self) -> bool {
        self.confirmation.is_confirmed()
    }

    fn not_replayed(&mut self) {
        self.confirmation = Confirmation::NotReplayed;
    }

    fn counterexample(&self) -> Option<&Counterexample<Anchor>> {
        self.counterexample.as_ref()
    }
}
