//! Searches runs: all of them (universal), or one that fits (existential).
//!
//! The input is a [`Script`]: a few calls on numbered slots, with requirements between them. A universal run forks at every choice and
//! at every read of something unknown. A witness search forks at its own choices only. If it has to read something unknown and
//! nothing else succeeds, it *asks*, and the universal side splits the case. Both drop a path that reaches the head of a
//! nondeterministic loop in a state already visited there; this is how such loops end.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering},
};

use rustc_hash::FxHashMap;

use super::{
    cells::{Cells, Knowledge, Need, Numbers, Quantifier, WITNESS_ATOMS},
    code::CodeId,
    hints::Hints,
    machine::{Chosen, Frame, Machine, Site, Stop, Told, World},
    value::{CellId, Sort, Value},
};
use crate::ir::{LayerId, Program, Type, int::IntType};

/// The number of a value of a script: an index into [`Machine::slots`].
pub type Slot = usize;

/// The next action of a script.
#[derive(Clone, Debug)]
pub enum Action {
    /// Calls a function. The in-out parameter, if there is one, is written back to the first argument's slot.
    Call {
        /// The function to call.
        function: CodeId,
        arguments: Vec<Slot>,
        /// The slot for the result.
        result: Option<Slot>,
    },
    /// Runs a procedure alone, from start to end, over the steps of a layer.
    Procedure {
        /// The procedure to run.
        function: CodeId,
        /// The layer whose steps it performs.
        lower: LayerId,
        /// The slot of the state of the layer below.
        state: Slot,
        /// The slot of the process.
        me: Slot,
        /// The slots of the arguments.
        arguments: Vec<Slot>,
        /// The slot for the result.
        result: Option<Slot>,
    },
    /// Continues only if the slot holds `true`.
    When(Slot),
    /// Continues only if the slots are equal, choosing values for the search's own cells.
    Equal(Slot, Slot),
    /// Stores the events so far in a slot, as a sequence, and clears them.
    TakeEvents(Slot),
    /// Copies the first slot to the second.
    Copy(Slot, Slot),
}

/// The actions of a script, in order.
pub type Script = [Action];

/// How a path ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The script ran to its end.
    Done,
    /// `assert!` failed in the action number `stage`.
    Failed(Site),
    /// The code panicked here, for this reason.
    Panicked(Site, &'static str),
    /// A procedure calls this step of the layer below; only if [`Search::pausing`].
    Wants(String, Vec<Value>),
    /// A step of the layer below has been made; only if [`Search::pausing`].
    Stepped,
    /// No step is possible; only if [`Search::sees_disabled`].
    Disabled,
    /// The procedure itself has reached the head of a loop; only if [`Search::pausing`].
    Turn,
}

/// Why a search gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Abort {
    /// Restart with concrete integers.
    NumbersNeeded,
    /// The budget of the obligation is used up.
    OutOfFuel,
    /// A loop does not terminate.
    Endless(Site),
    /// Numbers are adjacent in strings that code builds, so strings with different parts may be equal.
    DigitsRunTogether,
    /// The code has a diagnostic and cannot be run.
    Unsupported,
    /// The user, or an edit, stopped the search.
    Stopped,
    /// It does not hold as far as questions about whole collections tell: restart, and list their entries.
    Unsettled,
}

/// Provides the value of an unknown that a run begins with.
pub trait Given {
    /// The knowledge once a need is met; or, if the need is not about the unknown value, the knowledge in each case that it is split into.
    ///
    /// # Errors
    /// The need is not about the unknown value.
    fn answer(&mut self, cells: &mut Cells<'_>, known: &Knowledge, need: &Need) -> Result<Knowledge, Knowledge>;
}

/// The ends of a path that a search looks for.
pub type Accept<'a> = &'a dyn Fn(&Machine, &End) -> bool;

/// The result of advancing a machine.
#[expect(
    clippy::large_enum_variant,
    reason = "one for each path, taken apart at once: a box would cost more than the move"
)]
enum Advance {
    Fork(Vec<Machine>),
    End(Machine, End),
    Dead,
    Ask(Need, bool),
}

/// States seen at heads of nondeterministic loops, with the knowledge there.
type Seen = FxHashMap<Head, Vec<Knowledge>>;

/// A machine at the head of a loop, without its knowledge.
#[derive(PartialEq, Eq, Hash)]
struct Head {
    frames: Vec<Rc<Frame>>,
    stack: Vec<Value>,
    state: Value,
    slots: Rc<Vec<Value>>,
    stage: usize,
    events: Rc<Vec<Value>>,
    chosen: Rc<BTreeMap<CellId, Value>>,
}

/// Runs scripts in a world.
pub struct Search<'w, 'p> {
    /// The world of the question.
    pub world: &'w mut World<'p>,
    /// The program, for its layers.
    pub program: &'p Program,
    /// Set to stop the search.
    pub stop: &'w AtomicBool,
    /// Whether paths end before and after each step of the layer below, so that the caller can insert steps of others.
    pub pausing: bool,
    /// Paths also end where a step is not possible.
    pub sees_disabled: bool,
    /// Whether it is shown elsewhere of each turn of a procedure's loop of calls that nobody notices it: then such a loop need not end.
    pub turns_are_judged: bool,
    /// Whether witnesses are also searched for beyond the scope, if there are none within it.
    pub looks_far: bool,
    /// Provides the values of unknowns that universal runs read; without it, they fork.
    pub given: Option<Rc<RefCell<dyn Given>>>,
}

/// The maximum number of paths that are tried for choices without a hint.
const MAX_TRIES: u32 = 16;

/// The maximum number of paths that are tried for a witness beyond the scope.
const MAX_FAR_PATHS: u64 = 500;

/// After a case in which no witness was found within bounds: the number of further cases in which one without any witness is looked for.
const MAX_MORE_CASES: u32 = 100;

/// How often a path may reach the head of a loop before the loop is considered endless.
const MAX_TURNS: u32 = 2_000;

/// The most turns of a loop that makes calls in a helper. Each call adds to what is known, so a long path takes a lot of memory. Loops of the
/// procedure itself are not followed turn by turn.
const MAX_TURNS_OF_CALLS: u32 = 100;

/// After that many turns, a loop is followed this much further, to see whether it comes back to where it was.
const LONGEST_CYCLE: u32 = 16;

impl<'p> Search<'_, 'p> {
    /// Runs a script universally; `visit` is called with every path that ends, and may stop the run by returning `false`.
    ///
    /// # Errors
    /// If the run cannot be completed: then nothing follows from the paths visited.
    pub fn for_all(
        &mut self,
        start: Machine,
        script: &Script,
        visit: &mut dyn FnMut(&mut Search<'_, 'p>, Machine, End) -> Result<bool, Abort>,
    ) -> Result<(), Abort> {
        let mut seen = Seen::default();
        let mut pending = vec![start];
        while let Some(machine) = pending.pop() {
            self.world.paths += 1;
            match self.advance(machine, script, &mut seen)? {
                Advance::Fork(machines) => {
                    tracing::trace!(ways = machines.len(), "split");
                    self.world.cases += machines.len().saturating_sub(1) as u64;
                    pending.extend(machines.into_iter().rev());
                }
                Advance::End(machine, end) => {
                    self.world.ends += u64::from(matches!(end, End::Done | End::Failed(_) | End::Panicked(..)));
                    if !visit(self, machine, end)? {
                        return Ok(());
                    }
                }
                Advance::Dead => {}
                // A universal run owns all unknowns, so it never asks.
                Advance::Ask(..) => return Err(Abort::Unsupported),
            }
        }
        Ok(())
    }

    /// Searches for one run of the script with an end that `accept` accepts.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn exists(&mut self, start: Machine, script: &Script, accept: Accept) -> Result<Answer, Abort> {
        self.exists_within(start, script, accept, u64::MAX)
    }

    /// The same; after this many paths it counts as if there were none.
    fn exists_within(&mut self, start: Machine, script: &Script, accept: Accept, paths: u64) -> Result<Answer, Abort> {
        let mut seen = Seen::default();
        let mut pending = vec![start];
        let mut question = None;
        let mut left = paths;
        while let Some(machine) = pending.pop()
            && left > 0
        {
            left -= 1;
            match self.advance(machine, script, &mut seen)? {
                Advance::Fork(machines) => pending.extend(machines.into_iter().rev()),
                Advance::End(machine, end) if accept(&machine, &end) => {
                    self.note_bounds(&machine);
                    return Ok(Answer::Found(Box::new(machine)));
                }
                Advance::End(..) | Advance::Dead => {}
                Advance::Ask(need, bounded) => {
                    question.get_or_insert((need, bounded));
                }
            }
        }
        Ok(question.map_or(Answer::None, |(need, bounded)| Answer::Ask(need, bounded)))
    }

    /// Whether, for all values of the unknowns in `machine`, some run of the script has an end that `accept` accepts. Returns a case in
    /// which none does; preferably one in which there is none at all, not only within bounds.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn always_exists(
        &mut self,
        machine: &Machine,
        script: &Script,
        accept: Accept,
    ) -> Result<Option<Unmet>, Abort> {
        self.one_always_exists(machine, &[(script, accept)])
    }

    /// The same for several scripts: in each case one of them suffices.
    ///
    /// # Errors
    /// If the search cannot be completed.
    pub fn one_always_exists(
        &mut self,
        machine: &Machine,
        wanted: &[(&Script, Accept)],
    ) -> Result<Option<Unmet>, Abort> {
        let mut pending = vec![machine.known.clone()];
        let mut not_found = None;
        let mut left = MAX_MORE_CASES;
        while let Some(known) = pending.pop()
            && left > 0
        {
            left -= u32::from(not_found.is_some());
            match self.one_exists(machine, &known, wanted)? {
                Answer::Found(_) => {}
                Answer::Ask(need, bounded) => {
                    let cases = self.split(&need, &known, bounded)?;
                    self.world.cases += cases.len().saturating_sub(1) as u64;
                    pending.extend(cases.into_iter().rev());
                }
                Answer::None => {
                    if !self.survives(&known)? {
                        continue;
                    }
                    let within = std::mem::take(&mut self.world.cells.witness_bounds);
                    if within.is_empty() {
                        return Ok(Some(Unmet { known, within }));
                    }
                    if self.looks_far && not_found.is_none() && self.one_exists_far(machine, &known, wanted)? {
                        continue;
                    }
                    let further = std::mem::take(&mut self.world.cells.witness_bounds);
                    let within = if further.is_empty() { within } else { further };
                    not_found.get_or_insert(Unmet { known, within });
                }
            }
        }
        Ok(not_found)
    }

    /// A run of one of these scripts under this knowledge: first with the choices of `machine`, then any within the scope.
    fn one_exists(
        &mut self,
        machine: &Machine,
        known: &Knowledge,
        wanted: &[(&Script, Accept)],
    ) -> Result<Answer, Abort> {
        self.world.cells.witness_bounds.clear();
        let mut question = None;
        for (script, accept) in wanted {
            let start = witness(machine, known);
            let met = self.world.cells.witness_bounds.clone();
            let hinted = self.follows_hints(machine, &start, script, accept)?;
            if matches!(hinted, Answer::Found(_)) {
                return Ok(hinted);
            }
            // Hints are only a few tries, so a bound that they meet means nothing.
            self.world.cells.witness_bounds = met;
            let found = self.exists(start, script, accept)?;
            // With other choices, the entries of the collection would be listed.
            if let (Answer::Ask(need, bounded), Answer::Ask(..) | Answer::None) = (hinted, &found) {
                question.get_or_insert((need, bounded));
            }
            match found {
                Answer::None => {}
                Answer::Ask(need, bounded) => drop(question.get_or_insert((need, bounded))),
                found => return Ok(found),
            }
        }
        Ok(question.map_or(Answer::None, |(need, bounded)| Answer::Ask(need, bounded)))
    }

    /// Whether one of these scripts has a run beyond the scope. If that depends on unknown facts, the answer counts as no; it never leads
    /// to a refutation.
    fn one_exists_far(
        &mut self,
        machine: &Machine,
        known: &Knowledge,
        wanted: &[(&Script, Accept)],
    ) -> Result<bool, Abort> {
        self.world.cells.far = true;
        let mut found = Ok(false);
        for (script, accept) in wanted {
            let answer = self.exists_within(witness(machine, known), script, accept, MAX_FAR_PATHS);
            found = answer.map(|it| matches!(it, Answer::Found(_)));
            if !matches!(found, Ok(false)) {
                break;
            }
        }
        self.world.cells.far = false;
        found
    }

    /// A run from `start` to an accepted end, by the choices of `given`. If there is none: the first question about a whole collection
    /// that such a run depends on.
    fn follows_hints(
        &mut self,
        given: &Machine,
        start: &Machine,
        script: &Script,
        accept: Accept,
    ) -> Result<Answer, Abort> {
        if given.trail.is_none() {
            return Ok(Answer::None);
        }
        let mut question = None;
        for refusals in [true, false] {
            let hints = Hints::of(given);
            let hints = Some(Box::new(if refusals { hints } else { hints.without_refusals() }));
            let mut seen = Seen::default();
            let mut pending = vec![Machine { hints, ..start.clone() }];
            let mut tries = 0;
            while let Some(machine) = pending.pop()
                && tries < MAX_TRIES
            {
                tries += 1;
                match self.advance(machine, script, &mut seen)? {
                    Advance::Fork(machines) => pending.extend(machines.into_iter().rev()),
                    Advance::End(machine, end) if accept(&machine, &end) => {
                        self.note_bounds(&machine);
                        return Ok(Answer::Found(Box::new(machine)));
                    }
                    Advance::Ask(need @ Need::Holds(_), bounded) => drop(question.get_or_insert((need, bounded))),
                    Advance::End(..) | Advance::Dead | Advance::Ask(..) => {}
                }
            }
        }
        Ok(question.map_or(Answer::None, |(need, bounded)| Answer::Ask(need, bounded)))
    }

    /// Records a bound if the run relies on an unused integer of a small type, all of whose values may be in use.
    fn note_bounds(&mut self, found: &Machine) {
        if let Some(IntType { bits, signed }) = found.made_up_few {
            let sign = if signed { 'i' } else { 'u' };
            self.world.cells.bounds_met.insert(format!("not every {sign}{bits} in use"));
        }
        self.world.cells.assumptions.extend(&found.assumed);
    }

    /// Runs a machine until it forks or ends.
    fn advance(&mut self, mut machine: Machine, script: &Script, seen: &mut Seen) -> Result<Advance, Abort> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Abort::Stopped);
            }
            if machine.frames.is_empty() && machine.stack.is_empty() {
                match self.begin(&mut machine, script) {
                    Ok(Some(true)) => {}
                    Ok(Some(false)) => return Ok(Advance::Dead),
                    Ok(None) => return Ok(Advance::End(machine, End::Done)),
                    Err(Stop::Need(need)) => return self.meet(machine, need),
                    Err(stop) => return Err(give_up(stop)),
                }
                continue;
            }
            match machine.run(self.world) {
                Stop::Need(need) => return self.meet(machine, need),
                Stop::Maybe if machine.is_guided(self.world) => {
                    let yes = machine.hint(self.world) == Some(Chosen::Maybe(true));
                    machine.answer(self.world, yes);
                }
                Stop::Choose(values) if machine.hints.is_some() => {
                    let index = match machine.hint(self.world) {
                        Some(Chosen::Element(index)) => index,
                        _ => 0,
                    };
                    match values.into_iter().nth(index) {
                        Some(value) => machine.push(value),
                        None => return Ok(Advance::Dead),
                    }
                }
                Stop::Maybe => {
                    let mut yes = machine.clone();
                    machine.answer(self.world, false);
                    yes.answer(self.world, true);
                    return Ok(Advance::Fork(vec![machine, yes]));
                }
                Stop::Choose(values) => {
                    let forks = values.into_iter().enumerate().map(|(index, value)| {
                        let mut fork = machine.clone();
                        fork.note(self.world, Chosen::Element(index));
                        fork.push(value);
                        fork
                    });
                    return Ok(Advance::Fork(forks.collect()));
                }
                Stop::StarHead => {
                    machine.turns += 1;
                    self.check_turns(&machine)?;
                    if machine.hints.is_none() && self.is_seen(&mut machine, seen) {
                        return Ok(Advance::Dead);
                    }
                }
                Stop::LoopHead => {
                    machine.turns += 1;
                    if machine.turns > MAX_TURNS && self.has_an_end(&machine) {
                        return Ok(self.beyond(&machine, format!("loops ≤ {MAX_TURNS} turns")));
                    }
                    if self.never_ends(&mut machine) {
                        self.world.endless = machine.site(self.world);
                        let end = self.sees_disabled.then_some(End::Disabled);
                        return Ok(end.map_or(Advance::Dead, |end| Advance::End(machine, end)));
                    }
                    self.check_turns(&machine)?;
                    if self.pausing && machine.frames.len() == 1 {
                        return Ok(Advance::End(machine, End::Turn));
                    }
                    if self.pausing
                        && machine.turns > MAX_TURNS_OF_CALLS
                        && machine.is_at_loop_of_calls(self.world.code)
                        && let Some(site) = machine.site(self.world)
                    {
                        return Err(Abort::Endless(site));
                    }
                }
                Stop::Perform(name, arguments) if self.pausing => {
                    return Ok(Advance::End(machine, End::Wants(name, arguments)));
                }
                Stop::Perform(name, arguments) => self.perform(&mut machine, script, &name, arguments)?,
                Stop::Performed if self.pausing => return Ok(Advance::End(machine, End::Stepped)),
                Stop::Performed => {}
                Stop::Finished(result) => self.finish(&mut machine, script, result),
                Stop::Disabled if self.sees_disabled => return Ok(Advance::End(machine, End::Disabled)),
                Stop::Disabled => return Ok(Advance::Dead),
                Stop::AssumedAway(assumption) => {
                    self.world.cells.assumptions.insert(assumption);
                    return Ok(Advance::Dead);
                }
                Stop::Beyond(bound) => return Ok(self.beyond(&machine, bound)),
                Stop::Failed(site) => return Ok(Advance::End(machine, End::Failed(site))),
                Stop::Panicked(site, why) => return Ok(Advance::End(machine, End::Panicked(site, why))),
                stop @ (Stop::NumbersNeeded | Stop::Unsupported(_) | Stop::TooDeep(_) | Stop::OutOfFuel) => {
                    return Err(give_up(stop));
                }
            }
        }
    }

    /// Gives up one path, because it exceeds this bound.
    fn beyond(&mut self, machine: &Machine, bound: String) -> Advance {
        let cells = &mut self.world.cells;
        match machine.quantifier {
            Quantifier::Universal => cells.bounds_met.insert(bound),
            Quantifier::Existential => cells.witness_bounds.insert(bound),
        };
        Advance::Dead
    }

    /// Whether this path has tried an integer that is near an end of its type and that the code does not name: a loop that counts up to it
    /// terminates, but not soon.
    fn has_an_end(&self, machine: &Machine) -> bool {
        let Cells { int_literals, numbers, .. } = &self.world.cells;
        let is_far = |value: &Value| matches!(value, Value::Int(it) if it.get().unsigned_abs() > u128::from(MAX_TURNS) && !int_literals.contains(&it.get()));
        *numbers != Numbers::Atoms
            && (machine.known.resolved.values().any(is_far) || machine.chosen.values().any(is_far))
    }

    /// Whether a run at the head of a loop never ends, and need not be looked at. A step that never ends is no step. Around a loop of calls,
    /// nothing is noticed of a procedure if that is shown of each turn. A procedure that never ends otherwise is another matter, since others
    /// see what it has done; and so is a predicate, which has to say yes or no. What the run could do instead of coming back is explored from
    /// its earlier visit.
    fn never_ends(&self, machine: &mut Machine) -> bool {
        let code = self.world.code;
        machine.hints.is_none()
            && machine.comes_back(MAX_TURNS)
            && (machine.is_in_step(code) || self.turns_are_judged && machine.is_at_loop_of_calls(code))
    }

    fn check_turns(&self, machine: &Machine) -> Result<(), Abort> {
        match machine.site(self.world) {
            Some(site) if machine.turns > MAX_TURNS + LONGEST_CYCLE => Err(Abort::Endless(site)),
            _ => Ok(()),
        }
    }

    /// Begins the next action. `Ok(None)`: there is none; `Ok(Some(false))`: a requirement does not hold.
    fn begin(&mut self, machine: &mut Machine, script: &Script) -> Result<Option<bool>, Stop> {
        let Some(action) = script.get(machine.stage) else { return Ok(None) };
        let slot = |machine: &Machine, slot: &Slot| machine.slots[*slot].clone();
        match action {
            Action::Call { function, arguments, .. } => {
                let values: Vec<Value> = arguments.iter().map(|it| slot(machine, it)).collect();
                machine.tell(|_| Told::Called(*function, values.clone(), None));
                machine.call(self.world.code, *function, values);
                // A value that is changed in place is not kept: paths that differ only in their start need not be distinguished.
                if let (Some(state), [0]) = (arguments.first(), &self.world.code.functions[*function].inout[..]) {
                    machine.set(*state, Value::Unit);
                }
                return Ok(Some(true));
            }
            Action::Procedure { function, state, arguments, .. } => {
                machine.state = machine.slots[*state].clone();
                machine.set(*state, Value::Unit);
                let arguments = arguments.iter().map(|it| slot(machine, it)).collect();
                machine.call(self.world.code, *function, arguments);
                return Ok(Some(true));
            }
            Action::When(it) => {
                let value = slot(machine, it);
                if machine.force(self.world, &value).map_err(Stop::Need)? != Value::Bool(true) {
                    return Ok(Some(false));
                }
            }
            Action::Equal(a, b) => {
                let (a, b) = (slot(machine, a), slot(machine, b));
                if !machine.unify(self.world, &a, &b)? {
                    return Ok(Some(false));
                }
            }
            Action::TakeEvents(it) => {
                let events = std::mem::take(&mut machine.events);
                machine.set(*it, Value::Seq(events));
            }
            Action::Copy(from, to) => {
                let value = slot(machine, from);
                machine.set(*to, value);
            }
        }
        machine.stage += 1;
        Ok(Some(true))
    }

    /// Called when the function of the current action has returned.
    fn finish(&mut self, machine: &mut Machine, script: &Script, value: Value) {
        let inouts = std::mem::take(&mut machine.stack);
        match &script[machine.stage] {
            Action::Call { arguments, result, .. } => {
                if let (Some(state), Some(slot)) = (inouts.into_iter().next(), arguments.first()) {
                    machine.set(*slot, state);
                }
                let state = arguments.first().map_or(Value::Unit, |it| machine.slots[*it].clone());
                machine.tell(|_| Told::Returned(state, value.clone()));
                if let Some(slot) = result {
                    machine.set(*slot, value);
                }
            }
            Action::Procedure { state, result, .. } => {
                let after = std::mem::replace(&mut machine.state, Value::Unit);
                machine.set(*state, after);
                if let Some(slot) = result {
                    machine.set(*slot, value);
                }
            }
            _ => {}
        }
        machine.stage += 1;
    }

    /// Called when a procedure calls a step of the layer below.
    fn perform(
        &mut self,
        machine: &mut Machine,
        script: &Script,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<(), Abort> {
        let Some(Action::Procedure { lower, me, .. }) = script.get(machine.stage) else {
            return Err(Abort::Unsupported);
        };
        let operations = &self.program.layers[lower.0 as usize].operations;
        let Some(index) = operations.iter().position(|it| it.name == name) else { return Err(Abort::Unsupported) };
        let step = self.world.code.step(*lower, index);
        let me = machine.slots[*me].clone();
        machine.perform(self.world.code, step, me, arguments);
        Ok(())
    }

    /// Whether an earlier path that reached this loop head covers this one. If not, records this one.
    fn is_seen(&mut self, machine: &mut Machine, seen: &mut Seen) -> bool {
        machine.forget_choices(self.world);
        let head = Head {
            frames: machine.frames.clone(),
            stack: machine.stack.clone(),
            state: machine.state.clone(),
            slots: machine.slots.clone(),
            stage: machine.stage,
            events: machine.events.clone(),
            chosen: machine.chosen.clone(),
        };
        let known = seen.entry(head).or_default();
        if known.iter().any(|it| it.is_weaker_than(&machine.known)) {
            return true;
        }
        known.push(machine.known.clone());
        false
    }

    /// Forks over the facts that a machine needs, or asks.
    fn meet(&mut self, machine: Machine, need: Need) -> Result<Advance, Abort> {
        let bounded = machine.stars > 0;
        let owner = self.world.cells.get(need.cell()).quantifier;
        if owner != machine.quantifier {
            return Ok(Advance::Ask(need, bounded));
        }
        Ok(match (machine.quantifier, &need) {
            (Quantifier::Existential, Need::Resolve(cell)) => self.choose(machine, *cell),
            (Quantifier::Universal, _) if self.given.is_some() => Advance::Fork(self.cases(machine, &need, bounded)),
            (quantifier, _) => {
                let before = std::mem::take(&mut self.world.cells.bounds_met);
                let cases = self.split(&need, &machine.known, bounded);
                let met = std::mem::replace(&mut self.world.cells.bounds_met, before);
                if quantifier == Quantifier::Existential {
                    self.world.cells.witness_bounds.extend(met.iter().cloned());
                }
                self.world.cells.bounds_met.extend(met);
                Advance::Fork(cases?.into_iter().map(|known| Machine { known, ..machine.clone() }).collect())
            }
        })
    }

    /// The cases of a universal run that needs a fact; only one, if the fact is given.
    pub fn cases(&mut self, mut machine: Machine, need: &Need, bounded: bool) -> Vec<Machine> {
        if let Some(given) = &self.given {
            match given.borrow_mut().answer(&mut self.world.cells, &machine.known, need) {
                Ok(known) => return vec![Machine { known, ..machine }],
                Err(known) => machine.known = known,
            }
        }
        let cases = self.world.cells.split(need, &machine.known, bounded);
        cases.into_iter().map(|known| Machine { known, ..machine.clone() }).collect()
    }

    /// Integers and strings that the code has computed: a witness may be one of them, even beyond the scope.
    fn made_by(&self, machine: &Machine, cell: CellId) -> BTreeSet<Value> {
        let mut found = BTreeSet::new();
        let ty = &self.world.cells.get(cell).ty;
        let int = match (IntType::of(ty), &**ty) {
            (Some(int), _) if self.world.cells.numbers != Numbers::Atoms => Some(int),
            (_, Type::Str) => None,
            _ => return found,
        };
        machine.slots.iter().for_each(|slot| collect_made(machine, slot, int.is_some(), &mut found));
        if let Some(int) = int {
            found.retain(|it| matches!(it, Value::Int(number) if int.contains(number.get())));
        }
        found
    }

    /// Forks over the values that a witness search may choose: those mentioned, those it has invented, and a new one.
    fn choose(&mut self, machine: Machine, cell: CellId) -> Advance {
        let before = std::mem::take(&mut self.world.cells.bounds_met);
        let mut forks = Vec::new();
        let mut values = self.world.cells.values(cell, &machine.known, false);
        for value in self.made_by(&machine, cell) {
            if values.iter().all(|(old, _)| *old != value) {
                values.push((value, machine.known.clone()));
            }
        }
        // No state can hold all integers of 64 bits.
        let few = IntType::of(&self.world.cells.get(cell).ty).filter(|it| it.bits < 64);
        for (value, _) in values {
            let mut options = vec![(value.clone(), machine.invented.clone())];
            let made_up = matches!(value, Value::Atom(sort, number) if number >= machine.known.mentioned(sort));
            if let (Value::Atom(sort, _), true) = (&value, made_up) {
                options = invented(*sort, &machine.invented);
            }
            for (value, invented) in options {
                let mut fork = machine.clone();
                fork.invented = invented;
                if made_up && few.is_some() {
                    fork.made_up_few = few;
                }
                Rc::make_mut(&mut fork.chosen).insert(cell, value);
                forks.push(fork);
            }
        }
        // A bound on a witness search can only lose witnesses: it does not weaken a proof, but it weakens a refutation.
        let met = std::mem::replace(&mut self.world.cells.bounds_met, before);
        self.world.cells.witness_bounds.extend(met);
        Advance::Fork(forks)
    }
}

/// A machine that searches for a witness from the slots of another, under this knowledge.
fn witness(machine: &Machine, known: &Knowledge) -> Machine {
    let mut start = Machine::new(known.clone(), Quantifier::Existential);
    start.slots = machine.slots.clone();
    start.draws = machine.draws;
    start
}

/// All integers (or strings, whose characters are known or not) in a value.
fn collect_made(machine: &Machine, value: &Value, wants_integers: bool, found: &mut BTreeSet<Value>) {
    let mut all = |values: &mut dyn Iterator<Item = &Value>| {
        values.for_each(|it| collect_made(machine, it, wants_integers, found));
    };
    match &machine.resolve(value) {
        Value::Tuple(fields) | Value::Variant(_, fields) => all(&mut fields.iter()),
        Value::Seq(elements) => all(&mut elements.iter()),
        Value::Unordered(entries) => all(&mut entries.iter().map(|(_, element)| element)),
        Value::Map(map) => {
            let facts = map.base.cell().and_then(|base| machine.known.bases.get(&base));
            let under = facts.into_iter().flat_map(|it| &it.entries);
            all(&mut map.over.iter().chain(under).flat_map(|(key, entry)| std::iter::once(key).chain(entry)));
        }
        value @ Value::Int(_) if wants_integers => drop(found.insert(value.clone())),
        value @ (Value::Str(_) | Value::Text(_)) if !wants_integers => drop(found.insert(value.clone())),
        _ => {}
    }
}

/// Atoms that occur nowhere in the unknown state: those chosen before, and a new one.
fn invented(sort: Sort, sofar: &Rc<BTreeMap<Sort, u32>>) -> Vec<(Value, Rc<BTreeMap<Sort, u32>>)> {
    let count = sofar.get(&sort).copied().unwrap_or(0);
    let mut options: Vec<_> = (0..count).map(|it| (Value::Atom(sort, WITNESS_ATOMS + it), sofar.clone())).collect();
    let mut more = sofar.clone();
    Rc::make_mut(&mut more).insert(sort, count + 1);
    options.push((Value::Atom(sort, WITNESS_ATOMS + count), more));
    options
}

fn give_up(stop: Stop) -> Abort {
    match stop {
        Stop::NumbersNeeded => Abort::NumbersNeeded,
        Stop::OutOfFuel => Abort::OutOfFuel,
        Stop::TooDeep(site) => Abort::Endless(site),
        _ => Abort::Unsupported,
    }
}

/// A case in which no witness was found.
#[derive(Clone)]
pub struct Unmet {
    /// The knowledge in this case.
    pub known: Knowledge,
    /// The bounds that the search has met: if there are any, there may be a witness beyond them.
    pub within: BTreeSet<String>,
}

/// The result of a witness search.
pub enum Answer {
    /// A run that fits.
    Found(Box<Machine>),
    /// There is no such run, for any values of the unknowns.
    None,
    /// It depends on this need; `true` if the question arose inside a loop that may continue.
    Ask(Need, bool),
}
