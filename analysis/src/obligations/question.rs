//! The common form of obligations: *for every run of this, there is a run of that*.
//!
//! Sets up the world of a question, asks it (first with integers as atoms, then with concrete ones if the code calculates),
//! and replays a violation on concrete values before it is reported. Does not know the meaning of the question.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::atomic::AtomicBool,
};

use serde::{Deserialize, Serialize};

use super::{
    Within,
    rely::Rely,
    replay::{self, Small},
};
use crate::{
    counterexample::Counterexample,
    explore::{
        cells::{Asked, Cells, Knowledge, Need, Numbers, Pins, Quantifier, Root},
        code::{Code, CodeId, Op},
        machine::{Machine, Trail, World},
        order::in_order,
        search::{Abort, Action, Answer, End, Search, Slot, Unmet},
        text::{Shape, told_apart},
        value::{MapValue, Sort, Value},
    },
    ir::{
        Anchor, LayerId, Literal, Prim, Program, Type,
        int::{Computed, IntType, compute},
    },
    verdict::{Assumption, Scope},
};

/// The maximum number of times that a question is asked again because strings of new shapes were met.
const MOST_RESTARTS: u32 = 12;

/// Whether questions about all entries of a collection are put [as a whole](crate::explore::questions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Their entries are listed.
    Never,
    /// Until something does not hold.
    Once,
    /// Also after something does not hold, if in the end all does.
    InParts,
}

/// The context in which an obligation is checked.
#[derive(Clone, Copy)]
pub struct Setting<'p> {
    /// The program, a slice.
    pub program: &'p Program,
    /// The code of the program.
    pub code: &'p Code,
    /// The bounds of explorations.
    pub scope: &'p Scope,
    /// Set to stop all explorations.
    pub stop: &'p AtomicBool,
    /// Where other processes make their steps, if that is looked at. Without it, they make them in all states.
    pub rely: Option<&'p Rely>,
}

/// The effort of an exploration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// The bounds that were met.
    pub bounds_met: BTreeSet<String>,
    /// The assumptions that were used.
    pub assumptions: BTreeSet<Assumption>,
    /// The number of splits.
    pub cases: u64,
    /// The number of paths.
    pub states: u64,
    /// The number of runs that were followed to their end.
    pub ends: u64,
}

impl Effort {
    /// Adds the bounds and assumptions of a result that is relied on.
    pub fn rely_on(&mut self, within: &Within) {
        self.bounds_met.extend(within.bounds_met.iter().cloned());
        self.assumptions.extend(&within.assumptions);
    }

    /// Adds the effort of another exploration for the same obligation.
    pub fn add(&mut self, more: Effort) {
        self.bounds_met.extend(more.bounds_met);
        self.assumptions.extend(more.assumptions);
        self.cases += more.cases;
        self.states += more.states;
        self.ends += more.ends;
    }
}

/// The answer to a question.
pub enum Answered<V> {
    /// It holds, within the bounds that the effort lists.
    Holds,
    /// It does not hold.
    Violated(V),
    /// The search was given up.
    GivenUp(Abort),
}

/// A refutation.
pub trait Refutes {
    /// Whether it refutes, as far as is known.
    fn is_confirmed(&self) -> bool;
    /// Records that it could not be replayed from concrete values. A refutation without a run is not replayed.
    fn not_replayed(&mut self) {}
    /// Whether each of the runs that it rests on was made again from concrete values where it was found. There may be several, from different
    /// states: then it cannot be found again from the values of one of them.
    fn was_replayed_in_parts(&self) -> bool {
        false
    }
    /// What is told of it, if that is a run.
    fn counterexample(&self) -> Option<&Counterexample<Anchor>> {
        None
    }
}

/// It does not hold, and that is all there is to say.
pub struct Unrefuted;

impl Refutes for Unrefuted {
    fn is_confirmed(&self) -> bool {
        false
    }
}

/// Whether a case refutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// It was replayed on concrete values, or holds of all.
    Replayed,
    /// It could not be replayed.
    NotReplayed,
    /// A match was searched for within these bounds only: there may be one beyond them.
    Within(BTreeSet<String>),
    /// It refutes under the facts that a procedure has established, but not in states that were reached exactly.
    OnlyFacts,
    /// It starts from values in variables that this many turns of the loop do not leave: later ones may, or none.
    CarriedOver(u32),
}

impl Confirmation {
    /// The confirmation of a case without a match within these bounds; if there are no bounds, there is no match.
    pub fn within(bounds: BTreeSet<String>) -> Confirmation {
        if bounds.is_empty() { Confirmation::Replayed } else { Confirmation::Within(bounds) }
    }

    /// Whether the case refutes.
    pub fn is_confirmed(&self) -> bool {
        *self == Confirmation::Replayed
    }
}

impl<'p> Setting<'p> {
    /// Other processes make their steps in all states.
    pub fn new(program: &'p Program, code: &'p Code, scope: &'p Scope, stop: &'p AtomicBool) -> Setting<'p> {
        Setting { program, code, scope, stop, rely: None }
    }

    /// Asks a question in a fresh world, in which the literals of the code reachable from `entries` are known. The smallest scope comes
    /// first, so that counterexamples are simple; if no bound was met there, that is the answer.
    pub fn ask<V: Refutes>(
        &self,
        entries: &[CodeId],
        lower: Option<LayerId>,
        question: impl FnMut(&mut Search<'_, 'p>) -> Result<Option<V>, Abort>,
    ) -> (Answered<V>, Effort) {
        self.ask_as((true, Whole::Never), entries, lower, question)
    }

    /// The same for a question whose answer *none* is all that counts: it may put questions about all entries of a collection
    /// [as a whole](crate::explore::questions). If it finds anything then, it is asked again.
    pub fn ask_whole<V: Refutes>(
        &self,
        entries: &[CodeId],
        lower: Option<LayerId>,
        question: impl FnMut(&mut Search<'_, 'p>) -> Result<Option<V>, Abort>,
    ) -> (Answered<V>, Effort) {
        self.ask_as((true, Whole::Once), entries, lower, question)
    }

    /// The same for a question that consists of others, and for which less is known where one of them does not hold.
    pub fn ask_in_parts<V: Refutes>(
        &self,
        entries: &[CodeId],
        lower: Option<LayerId>,
        question: impl FnMut(&mut Search<'_, 'p>) -> Result<Option<V>, Abort>,
    ) -> (Answered<V>, Effort) {
        self.ask_as((true, Whole::InParts), entries, lower, question)
    }

    /// The same; a refutation that will be `shown` is replayed from concrete values and shrunk.
    pub fn ask_as<V: Refutes>(
        &self,
        (shown, whole): (bool, Whole),
        entries: &[CodeId],
        lower: Option<LayerId>,
        mut question: impl FnMut(&mut Search<'_, 'p>) -> Result<Option<V>, Abort>,
    ) -> (Answered<V>, Effort) {
        if self.code.has_unknown_total {
            return (Answered::GivenUp(Abort::Unsupported), Effort::default());
        }
        let named = self.named(entries, lower);
        let smallest = self.scope.smallest();
        let mut whole = if self.scope.whole_questions { whole } else { Whole::Never };
        let mut effort = Effort::default();
        if smallest != *self.scope {
            // If nothing is found within it, the larger scope is searched.
            let (answered, first) = self.ask_within((&smallest, false, shown), &mut whole, &named, &mut question);
            effort = first;
            let settled = match &answered {
                Answered::Holds => effort.bounds_met.is_empty(),
                Answered::Violated(violation) => violation.is_confirmed(),
                Answered::GivenUp(abort) => *abort == Abort::Stopped,
            };
            if settled {
                return (answered, effort);
            }
        }
        let (answered, more) = self.ask_within((self.scope, true, shown), &mut whole, &named, &mut question);
        effort.bounds_met.clear();
        effort.assumptions.clear();
        effort.add(more);
        (answered, effort)
    }

    /// Asks within one scope. Restarts with concrete integers, or with a bound on entries, if necessary; and with all entries listed, unless
    /// nothing is found with questions put as a whole. Then they are not put any more in a larger scope, either.
    fn ask_within<V: Refutes>(
        &self,
        (scope, looks_far, shown): (&Scope, bool, bool),
        whole: &mut Whole,
        named: &Named,
        question: &mut impl FnMut(&mut Search<'_, 'p>) -> Result<Option<V>, Abort>,
    ) -> (Answered<V>, Effort) {
        let mut effort = Effort::default();
        let mut numbers = Numbers::Atoms;
        let mut few_entries = false;
        let mut shapes = BTreeSet::new();
        let mut restarts = 0;
        loop {
            let mut world = self.world(scope, numbers, named, &shapes);
            world.cells.tries_ends = looks_far;
            world.cells.few_entries = few_entries;
            world.cells.puts_questions = *whole != Whole::Never;
            world.cells.goes_on_without = *whole == Whole::InParts;
            let mut search = Search {
                world: &mut world,
                program: self.program,
                stop: self.stop,
                pausing: false,
                sees_disabled: false,
                turns_are_judged: false,
                looks_far,
                given: None,
            };
            let answer = question(&mut search);
            let has_put_one = search.world.cells.has_put_one;
            let pins = match &answer {
                // If strings contain the digits of processes, the processes have numbers that are not pinned.
                Ok(Some(violation))
                    if shown && violation.is_confirmed() && numbers != Numbers::Digits && !has_put_one =>
                {
                    search.world.told.take().map(|known| replay::pins(&mut search, known))
                }
                _ => None,
            };
            effort.cases += world.cases + 1;
            effort.states += world.paths;
            effort.ends += world.ends;
            effort.bounds_met = std::mem::take(&mut world.cells.bounds_met);
            effort.assumptions = std::mem::take(&mut world.cells.assumptions);
            let new_shapes = std::mem::take(&mut world.cells.new_shapes);
            let answered = match answer {
                Err(Abort::Stopped) => Answered::GivenUp(Abort::Stopped),
                Err(Abort::OutOfFuel) if has_put_one => {
                    *whole = Whole::Never;
                    (numbers, few_entries, shapes) = (Numbers::Atoms, false, BTreeSet::new());
                    continue;
                }
                Err(Abort::OutOfFuel) => Answered::GivenUp(Abort::OutOfFuel),
                _ if !new_shapes.is_empty() && numbers != Numbers::Digits => {
                    shapes.extend(new_shapes);
                    let all: Vec<Shape> = shapes.iter().cloned().collect();
                    restarts += 1;
                    // The numbers in a new string are tried, too, and may lead to the next new string.
                    if restarts > MOST_RESTARTS || !told_apart(&all) {
                        (numbers, shapes) = (Numbers::Digits, BTreeSet::new());
                    }
                    continue;
                }
                Err(Abort::NumbersNeeded) if numbers == Numbers::Atoms => {
                    numbers = Numbers::Concrete;
                    continue;
                }
                // Paths were followed that need not exist.
                Ok(Some(_)) | Err(_) if has_put_one => {
                    *whole = Whole::Never;
                    (numbers, few_entries, shapes) = (Numbers::Atoms, false, BTreeSet::new());
                    continue;
                }
                // A loop follows the entries of a map one by one. Within a bound on their number it comes to an end.
                Err(Abort::Endless(_)) if !few_entries => {
                    few_entries = true;
                    continue;
                }
                // Then unknown strings do not include those that code builds: a counterexample counts, its absence does not.
                Ok(None) if numbers == Numbers::Digits => Answered::GivenUp(Abort::DigitsRunTogether),
                Ok(None) => Answered::Holds,
                Ok(Some(violation)) => match pins {
                    Some(pins) => {
                        let small = Small::of(&world.cells, self.code);
                        let mut again = |pins: &Pins, fuel: u64| {
                            let mut world = self.world(scope, numbers, named, &shapes);
                            world.cells.pinned = pins.clone();
                            world.cells.few_entries = few_entries;
                            world.fuel = fuel;
                            let world = &mut world;
                            let (program, stop) = (self.program, self.stop);
                            question(&mut Search {
                                world,
                                program,
                                stop,
                                pausing: false,
                                sees_disabled: false,
                                turns_are_judged: false,
                                looks_far,
                                given: None,
                            })
                        };
                        let replayed = replay::replayed(violation, pins, &small, scope.budget, &mut again);
                        replayed.map_or_else(Answered::GivenUp, Answered::Violated)
                    }
                    None => Answered::Violated(violation),
                },
                Err(abort) => Answered::GivenUp(abort),
            };
            return (answered, effort);
        }
    }

    fn world(&self, scope: &Scope, numbers: Numbers, named: &Named, shapes: &BTreeSet<Shape>) -> World<'p> {
        let mut cells = Cells::new(self.program, scope.clone(), numbers);
        cells.is_unsigned = !self.code.has_signed;
        cells.bit_types.clone_from(&named.bit_types);
        shapes.iter().for_each(|shape| cells.add_shape(shape));
        // The first literal of a scalar is its default.
        for scalar in &self.code.defaults {
            if let Some(text) = &self.program.types[scalar.0 as usize].default {
                cells.literal(&Literal::Scalar(Type::User(*scalar), text.clone()));
            }
        }
        let mut known = |index: usize, literal: &Literal| {
            // A process named in the code would have to be tried as equal to every other one; such code is refused.
            let names_a_process = matches!(literal, Literal::Scalar(Type::Pid, _));
            (named.literals.contains(&(index as u32)) && !names_a_process).then(|| cells.literal(literal))
        };
        let literals = self.code.literals.iter().enumerate().map(|(index, literal)| known(index, literal)).collect();
        if numbers != Numbers::Atoms {
            cells.int_literals.extend(&named.constants);
        }
        let (cases, paths, ends, told, endless) = Default::default();
        World { code: self.code, cells, literals, fuel: scope.budget, cases, paths, ends, told, endless }
    }

    /// The literals in the code reachable from `entries`, and in all steps of `lower`, which procedures and other processes perform.
    fn named(&self, entries: &[CodeId], lower: Option<LayerId>) -> Named {
        let mut pending = entries.to_vec();
        if let Some(lower) = lower {
            let operations = 0..self.program.layers[lower.0 as usize].operations.len();
            pending.extend(operations.map(|operation| self.code.step(lower, operation)));
        }
        let mut seen: BTreeSet<CodeId> = pending.iter().copied().collect();
        let mut named = Named::default();
        while let Some(function) = pending.pop() {
            let mut reach = |callee: CodeId| {
                if seen.insert(callee) {
                    pending.push(callee);
                }
            };
            named.constants.extend(self.constants(&self.code.functions[function].ops));
            for op in &self.code.functions[function].ops {
                match op {
                    Op::Literal(index) => drop(named.literals.insert(*index)),
                    // A cast cuts off at the ends of its type.
                    Op::Prim(Prim::Cast, _, ty) => {
                        let int = IntType::of(&self.code.types[*ty as usize]);
                        named.constants.extend(int.into_iter().flat_map(|it| [it.min(), it.max()]));
                    }
                    Op::Prim(prim, _, ty) if prim.is_about_bits() => {
                        named.bit_types.extend(IntType::of(&self.code.types[*ty as usize]));
                    }
                    Op::Call(callee) => reach(*callee as usize),
                    _ => {}
                }
            }
        }
        named
    }

    /// What operators make of literals alone, such as `1 << 31`. Where code jumps in between, it may be a number that never occurs.
    fn constants(&self, ops: &[Op]) -> Vec<i128> {
        let (mut known, mut made): (Vec<i128>, Vec<i128>) = Default::default();
        for op in ops {
            match op {
                Op::Literal(index) if let Literal::Int(it) = self.code.literals[*index as usize] => known.push(it),
                Op::Prim(prim, count, ty) if let Some(rest) = known.len().checked_sub(*count as usize) => {
                    let operands = known.split_off(rest);
                    let int = IntType::of(&self.code.types[*ty as usize]);
                    match int.and_then(|int| compute(*prim, &operands, int)) {
                        Some(Computed::Int(it)) => {
                            known.push(it);
                            made.push(it);
                        }
                        _ => known.clear(),
                    }
                }
                _ => known.clear(),
            }
        }
        made
    }

    /// The step of the operation with this name.
    pub fn step_named(&self, layer: LayerId, name: &str) -> Option<CodeId> {
        let operations = &self.program.layers[layer.0 as usize].operations;
        operations.iter().position(|it| it.name == name).map(|index| self.code.step(layer, index))
    }

    /// The types of an operation's arguments, without the state and `me`.
    pub fn arguments(&self, layer: LayerId, operation: usize) -> Vec<Type> {
        let function = self.program.layers[layer.0 as usize].operations[operation].function;
        let function = &self.program.functions[function.0 as usize];
        let parameters = function.parameters as usize;
        function.locals[2.min(parameters)..parameters].iter().map(|it| it.ty.clone()).collect()
    }

    /// The type of an operation's result.
    pub fn result(&self, layer: LayerId, operation: usize) -> &'p Type {
        let function = self.program.layers[layer.0 as usize].operations[operation].function;
        &self.program.functions[function.0 as usize].result
    }

    /// The type of a layer's state.
    pub fn state(&self, layer: LayerId) -> &'p Type {
        &self.program.layers[layer.0 as usize].state
    }
}

/// The literals that code names.
#[derive(Default)]
struct Named {
    /// Literals, by their number in the code.
    literals: BTreeSet<u32>,
    /// What operators make of literals alone, and the ends of types that values are cast to.
    constants: BTreeSet<i128>,
    /// Types of integers to which operators on bits are applied.
    bit_types: BTreeSet<IntType>,
}

/// Builds the slots that a question starts from, and its scripts.
#[derive(Clone, Default)]
pub struct Slots {
    values: Vec<SlotValue>,
    asked: Asked,
}

#[derive(Clone)]
enum SlotValue {
    Unknown(Type),
    Given(Value),
    Empty,
}

impl Slots {
    /// Slots whose unknowns differ from those of other kinds of question, for questions within a question.
    pub fn of(asked: Asked) -> Slots {
        Slots { values: Vec::new(), asked }
    }

    /// A slot that holds an unknown value of this type.
    pub fn unknown(&mut self, ty: &Type) -> Slot {
        self.add(SlotValue::Unknown(ty.clone()))
    }

    /// Slots for unknown values of these types.
    pub fn unknowns(&mut self, types: &[Type]) -> Vec<Slot> {
        types.iter().map(|ty| self.unknown(ty)).collect()
    }

    /// A slot that is filled later.
    pub fn empty(&mut self) -> Slot {
        self.add(SlotValue::Empty)
    }

    /// A slot that holds this value.
    pub fn given(&mut self, value: Value) -> Slot {
        self.add(SlotValue::Given(value))
    }

    /// A slot that holds the process with this number, different from those with other numbers.
    pub fn process(&mut self, number: u32) -> Slot {
        self.given(Value::Atom(Sort::Pid, number))
    }

    fn add(&mut self, value: SlotValue) -> Slot {
        self.values.push(value);
        self.values.len() - 1
    }

    /// A universal machine with these slots, in which `processes` processes (after the literals of the code) have been mentioned.
    pub fn start(&self, cells: &mut Cells, processes: u32) -> Machine {
        let mut known = cells.start();
        let literals = cells.scalar_literals(Sort::Pid).len() as u32;
        known.mention(Sort::Pid, literals + processes);
        let mut machine = Machine::new(known, Quantifier::Universal);
        for (number, value) in self.values.iter().enumerate() {
            let value = match value {
                SlotValue::Unknown(ty) => cells.root(Root::Slot(self.asked, number as u32), ty, Quantifier::Universal),
                SlotValue::Given(Value::Atom(Sort::Pid, number)) => Value::Atom(Sort::Pid, literals + number),
                SlotValue::Given(value) => value.clone(),
                SlotValue::Empty => Value::Unit,
            };
            Rc::make_mut(&mut machine.slots).push(value);
        }
        machine
    }
}

/// A case in which a question fails.
#[derive(Clone)]
pub struct Case {
    /// The knowledge in the case.
    pub known: Knowledge,
    /// The slots after the universal run.
    pub slots: Vec<Value>,
    /// The end of the universal run.
    pub end: End,
    /// The number of the action in which it ended.
    pub stage: usize,
    /// The choices of the universal run.
    pub trail: Trail,
    /// Bounds within which no match was found; empty if there is no match at all.
    pub within: BTreeSet<String>,
}

impl Case {
    /// The size of the case for a reader: values that are not the simplest of their kind, entries, processes and other scalars, choices.
    fn size(&self) -> usize {
        let weight = |value: &Value| match value {
            Value::Bool(it) => usize::from(*it),
            Value::Int(it) => it.get().unsigned_abs().min(8) as usize,
            Value::Variant(tag, fields) => usize::from(*tag > 0) + fields.len(),
            Value::Seq(elements) => 2 * elements.len(),
            _ => 1,
        };
        let values = self.known.resolved.values().map(weight).sum::<usize>();
        let entries = self.known.bases.values().flat_map(|it| it.entries.values()).filter(|it| it.is_some()).count();
        let scalars = self.known.atoms.values().sum::<u32>() as usize;
        let choices = std::iter::successors(self.trail.as_ref(), |it| it.before.as_ref()).count();
        values + 2 * entries + 4 * scalars + choices
    }

    /// The case of a universal run, with more knowledge.
    fn of(machine: &Machine, end: End, Unmet { known, within }: Unmet) -> Case {
        Case { known, slots: machine.slots.to_vec(), end, stage: machine.stage, trail: machine.trail.clone(), within }
    }
}

/// The requirement after a universal run.
pub enum Wanted<'a> {
    /// None: this path does not matter.
    Nothing,
    /// The run should not have happened.
    Never,
    /// Some run of this script must finish. If a number is given, a failure in that action is accepted too.
    Run(&'a [Action], Option<usize>),
    /// Some run of this script must fail in its last action.
    Failure(&'a [Action]),
}

/// The maximum number of paths that are followed in search of a simpler case, once there is one.
const SIMPLER_WITHIN: u64 = 2_000;

/// For every run of `given` from `start`, there must be a run as `wanted` says. Returns a case in which there is none: not the first one
/// found, but the simplest of those close to it.
///
/// # Errors
/// If the search cannot be completed, and no case has been found before.
pub fn for_all_exists<'w, 'p>(
    search: &mut Search<'_, 'p>,
    start: Machine,
    given: &[Action],
    wanted: &dyn Fn(&Machine, &End) -> Wanted<'w>,
) -> Result<Option<Case>, Abort> {
    let _span = tracing::debug_span!("ask").entered();
    let mut simplest: Option<((bool, usize), Case)> = None;
    let mut last_path = u64::MAX;
    let searched = search.for_all(start, given, &mut |search, machine, end| {
        if let Some(unmet) = unmet(search, &machine, &wanted(&machine, &end))? {
            if search.world.cells.has_put_one && !search.world.cells.goes_on_without {
                return Err(Abort::Unsettled);
            }
            if simplest.is_none() {
                last_path = search.world.paths + SIMPLER_WITHIN;
            }
            let case = Case::of(&machine, end, unmet);
            // A case that refutes precedes all that may refute; of the latter, one suffices.
            search.looks_far &= case.within.is_empty();
            let size = (!case.within.is_empty(), case.size());
            if simplest.as_ref().is_none_or(|(least, _)| size < *least) {
                simplest = Some((size, case));
            }
        }
        Ok(search.world.paths < last_path)
    });
    match (simplest, searched) {
        (Some(_), Err(Abort::Stopped)) => Err(Abort::Stopped),
        (Some((_, case)), _) => Ok(Some(case)),
        (None, searched) => searched.map(|()| None),
    }
}

/// Whether the required run after a universal run is missing; then, in which case.
///
/// # Errors
/// If the search cannot be completed.
pub fn unmet(search: &mut Search<'_, '_>, machine: &Machine, wanted: &Wanted) -> Result<Option<Unmet>, Abort> {
    match wanted {
        Wanted::Nothing => Ok(None),
        Wanted::Never if !search.survives(&machine.known)? => Ok(None),
        Wanted::Never => Ok(Some(Unmet { known: machine.known.clone(), within: BTreeSet::new() })),
        Wanted::Run(script, may_fail_in) => search.always_exists(machine, script, &|machine, end| match end {
            End::Done => true,
            End::Failed(_) => *may_fail_in == Some(machine.stage),
            _ => false,
        }),
        Wanted::Failure(script) => search.always_exists(machine, script, &|machine, end| {
            matches!(end, End::Failed(_)) && machine.stage + 1 == script.len()
        }),
    }
}

/// Makes a case concrete: every unknown gets its first value, and unknown maps get no further entries.
pub fn concrete(search: &mut Search<'_, '_>, case: &Case) -> Case {
    let mut known = case.known.clone();
    let slots = case.slots.iter().map(|it| concrete_value(search, &mut known, it)).collect();
    Case { known, slots, ..case.clone() }
}

/// The value with every unknown in it settled as simply as possible; the choices are recorded in `known`.
pub fn concrete_value(search: &mut Search<'_, '_>, known: &mut Knowledge, value: &Value) -> Value {
    let all = |search: &mut Search<'_, '_>, known: &mut Knowledge, fields: &[Value]| {
        fields.iter().map(|it| concrete_value(search, known, it)).collect::<Vec<_>>()
    };
    match value {
        Value::Cell(id) => {
            if let Some(value) = known.resolved.get(id).cloned() {
                return concrete_value(search, known, &value);
            }
            if let Some(value) = search.world.cells.expand(*id) {
                return concrete_value(search, known, &value);
            }
            if let Some(first) = search.world.cells.split(&Need::Resolve(*id), known, true).into_iter().next() {
                *known = first;
            }
            match known.resolved.get(id).cloned() {
                Some(value) => concrete_value(search, known, &value),
                None => Value::Unit,
            }
        }
        Value::Tuple(fields) => Value::tuple(all(search, known, fields)),
        Value::Variant(tag, fields) => Value::Variant(*tag, Rc::from(all(search, known, fields))),
        Value::Seq(elements) => Value::seq(all(search, known, elements)),
        Value::Unordered(entries) => match in_order(&mut search.world.cells, known, entries) {
            Ok(elements) => Value::seq(all(search, known, &elements)),
            Err(need) => match search.world.cells.split(&need, known, true).pop() {
                Some(last) => {
                    *known = last;
                    concrete_value(search, known, value)
                }
                None => Value::Unit,
            },
        },
        Value::Map(map) => concrete_map(search, known, map),
        _ => value.clone(),
    }
}

fn concrete_map(search: &mut Search<'_, '_>, known: &mut Knowledge, map: &MapValue) -> Value {
    let mut entries: BTreeMap<Value, Option<Value>> = BTreeMap::new();
    if let Some(base) = map.base.cell() {
        if let Some(closed) = search.world.cells.split(&Need::Close(base), known, true).into_iter().next() {
            *known = closed;
        }
        let under = known.bases.get(&base).map(|facts| facts.entries.clone()).unwrap_or_default();
        entries.extend(under.into_iter().map(|(key, entry)| (key, map.base.entry(entry))));
    }
    entries.extend(map.over.iter().map(|(key, entry)| (key.clone(), entry.clone())));
    let mut result = MapValue::empty(map.default.as_deref().cloned());
    for (key, entry) in entries {
        if let Some(value) = entry {
            result = result.with(key, Some(concrete_value(search, known, &value)));
        }
    }
    Value::Map(result)
}

/// Replays a case on concrete values: from the concrete initial slots, the given script must be able to end in the same way, and the
/// required run must still be missing, whatever the bounds. Only then is it a counterexample.
///
/// # Errors
/// If the search cannot be completed.
pub fn replays<'w>(
    search: &mut Search<'_, '_>,
    initial: &Machine,
    given: &[Action],
    case: &Case,
    wanted: &dyn Fn(&Machine, &End) -> Wanted<'w>,
) -> Result<Confirmation, Abort> {
    let mut known = case.known.clone();
    let mut start = Machine::new(known.clone(), Quantifier::Existential);
    start.slots = Rc::new(initial.slots.iter().map(|it| concrete_value(search, &mut known, it)).collect());
    let concrete = concrete(search, &Case { known: known.clone(), ..case.clone() });
    start.known = concrete.known.clone();
    let mut script = given.to_vec();
    if case.end == End::Done {
        let count = start.slots.len();
        Rc::make_mut(&mut start.slots).extend(concrete.slots.iter().cloned());
        script.extend((0..count).map(|slot| Action::Equal(slot, count + slot)));
    }
    let stage = if case.end == End::Done { script.len() } else { case.stage };
    let reached = search.exists(start, &script, &|machine, end| {
        std::mem::discriminant(end) == std::mem::discriminant(&case.end) && machine.stage == stage
    })?;
    // A run that continues where the code panics does not count.
    if !matches!(reached, Answer::Found(machine) if machine.assumed.is_empty()) {
        return Ok(Confirmation::NotReplayed);
    }
    let mut end = Machine::new(concrete.known, Quantifier::Universal);
    end.slots = Rc::new(concrete.slots);
    end.stage = case.stage;
    let unmet = unmet(search, &end, &wanted(&end, &case.end))?;
    Ok(unmet.map_or(Confirmation::NotReplayed, |it| Confirmation::within(it.within)))
}
