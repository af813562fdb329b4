//! Partition: layers written for one key, used for all of them.
//!
//! Between its two ends a stack is written for one key `k`; its state is `S`. Lifted to all keys, a layer has the state `K ⇀ S`, defined on
//! the *valid* keys, and an operation acts on the entry of its key (CSPEC, section 6.4; `Horizontal.v` of its development). That each
//! obligation shown for one key holds of the lifted layers needs nothing more: steps at different keys touch different entries. What is
//! owed are the two ends.
//!
//! At the bottom the user gives `slice(s, k)`: the state of `k` in the state `s` for all, or nothing if `k` is not valid.
//!
//! ```text
//! own     slice(s, k) = t  and  s --p(k, args)/r,E--> s' alone     imply  some t --op(args)/r,E--> t' with slice(s', k) = t'
//! frame   slice(s, k) = t  and  s --p(k, args)--> s'  and  j ≠ k   imply  slice(s', j) = slice(s, j)
//! check   s --check(k)/r,E--> s'                                   imply  E is empty, slice(s', j) = slice(s, j) for all j, and
//!                                                                         if r then slice(s, k) is something
//! init    s is initial  and  slice(s, k) = t                       imply  t is initial
//! ```
//!
//! where `p` performs at most one operation, so that it is one step. So a key that is valid stays valid, and one that is not stays so.
//! At the top the state for all contains the map of the states for one:
//!
//! ```text
//! route   s[k] = t  and  t --op(args)/r,E--> t'     imply  s --op(k, args)/r,E--> s[k := t']
//! check   s --check(k)/false--> s, and if k is in s then s --check(k)/true--> s
//! init    all entries of s are initial              imply  s is initial
//! ```
//!
//! Nothing is claimed about calls with a key that is not valid: at the top they have no step. A program asks `check` first.

use super::{
    question::{Answered, Case, Confirmation, Effort, Refutes, Setting, Slots, Wanted, for_all_exists, replays},
    tell::Teller,
};
use crate::{
    counterexample::{Counterexample, RunRole},
    explore::{
        cells::{Asked, Quantifier, Root},
        code::{CodeId, Glue},
        machine::{Machine, Site},
        search::{Abort, Action, End, Search, Slot, Unmet},
        value::Value,
    },
    ir::{self, Anchor, Code as How, Implementation, ImplementationId, Justification, Layer, LayerId, Partition, Type},
};

/// An obligation about an end of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// An operation, by its index above, does at its key what the layer on the other side does.
    Own(usize),
    /// An operation, by its index above, leaves the states of other keys unchanged. Only at the bottom.
    Frame(usize),
    /// The operation that tells valid keys.
    Check,
}

/// The obligations of an end of a partition, besides its initial states.
pub fn parts(upper: &Layer, partition: &Partition) -> Vec<Part> {
    let is_bottom = matches!(partition.end, ir::PartitionEnd::Bottom { .. });
    let mut parts = Vec::new();
    for (operation, it) in upper.operations.iter().enumerate() {
        if partition.code.contains_key(&it.name) {
            parts.push(Part::Own(operation));
            parts.extend(is_bottom.then_some(Part::Frame(operation)));
        }
    }
    parts.extend(partition.check.is_some().then_some(Part::Check));
    parts
}

/// A run that refutes an obligation about an end of a partition.
pub struct Misplaced {
    /// The state, the run and what is wrong with it.
    pub counterexample: Counterexample<Anchor>,
    /// The end of the run.
    pub end: End,
    /// The place of its failure, if it failed.
    pub site: Option<Site>,
    /// Whether the run refutes the obligation.
    pub confirmation: Confirmation,
}

/// One end of a partition, with the code that converts between its two sides.
pub struct PartitionEnd<'a> {
    /// The context in which everything is checked.
    pub setting: &'a Setting<'a>,
    pub implementation: &'a Implementation,
    /// The functions that the user gives.
    pub partition: &'a Partition,
    glue: Glue,
}

/// A script whose runs are given, the run required after each, and the data for the counterexample.
struct Question {
    slots: Slots,
    entries: Vec<CodeId>,
    lower: Option<LayerId>,
    given: Vec<Action>,
    wanted: Vec<Action>,
    on_failure: OnFailure,
    /// The layer and the state that the given run starts from.
    from: (LayerId, Slot),
    /// The layer and the state that the required run starts from.
    wanted_from: (LayerId, Slot),
    /// Other values to show at the start: a description, a slot, and its type.
    shown: Vec<(&'static str, Slot, Type)>,
    /// The message that says what is wrong.
    but: String,
}

/// The requirement after a given run that fails.
#[derive(Clone, Copy)]
enum OnFailure {
    /// None: the failure does not matter.
    Ignore,
    /// It must not fail.
    Forbid,
    /// This action of `wanted` must be able to fail, too.
    Match(usize),
}

impl<'a> PartitionEnd<'a> {
    /// The end that `id` is, if it is one.
    pub fn of(setting: &'a Setting<'a>, id: ImplementationId) -> Option<PartitionEnd<'a>> {
        let implementation = &setting.program.implementations[id.0 as usize];
        let Justification::Partition(partition) = &implementation.by else { return None };
        let glue = setting.code.glue[id.0 as usize]?;
        Some(PartitionEnd { setting, implementation, partition, glue })
    }

    pub fn check(&self, part: Part) -> (Answered<Misplaced>, Effort) {
        let question = match (part, self.glue) {
            (Part::Own(operation), Glue::Top { entry, with_entry }) => self.route(operation, entry, with_entry),
            (Part::Own(operation), Glue::Bottom { slice, .. }) => self.own(operation, slice),
            (Part::Frame(operation), Glue::Bottom { slice, any_slice, differ }) => {
                self.frame(operation, slice, any_slice, differ)
            }
            (Part::Check, Glue::Top { entry, .. }) => return self.check_above(entry),
            (Part::Check, Glue::Bottom { slice, any_slice, .. }) => return self.check_below(slice, any_slice),
            (Part::Frame(_), Glue::Top { .. }) => None,
        };
        match question {
            Some(question) => self.ask(&question),
            None => (Answered::GivenUp(Abort::Unsupported), Effort::default()),
        }
    }

    /// Checks that initial states are initial on the other side.
    pub fn initial(&self) -> (Answered<Misplaced>, Effort) {
        let code = self.setting.code;
        let (upper, lower) = (self.implementation.upper, self.implementation.lower);
        let (above, below) = (code.init[upper.0 as usize], code.init[lower.0 as usize]);
        let mut slots = Slots::default();
        let holds = slots.empty();
        let requires = |function, state| {
            [Action::Call { function, arguments: vec![state], result: Some(holds) }, Action::When(holds)]
        };
        let key = &self.partition.key_type;
        let question = match self.glue {
            Glue::Bottom { slice, .. } => {
                let all = slots.unknown(self.setting.state(lower));
                let key_slot = slots.unknown(key);
                let one = slots.empty();
                let mut given = requires(below, all).to_vec();
                given.push(Action::Call { function: slice, arguments: vec![all, key_slot], result: Some(one) });
                Question {
                    entries: vec![above, below, slice],
                    lower: None,
                    given,
                    wanted: requires(above, one).to_vec(),
                    on_failure: OnFailure::Forbid,
                    from: (lower, all),
                    wanted_from: (upper, one),
                    shown: vec![("for the key", key_slot, key.clone())],
                    but: format!("but its state is not initial in `{}`", self.layer_name(upper)),
                    slots,
                }
            }
            Glue::Top { entry, .. } => return self.initial_above(entry, above, below),
        };
        self.ask(&question)
    }

    fn layer_name(&self, layer: LayerId) -> &str {
        &self.setting.program.layers[layer.0 as usize].name
    }

    fn operation_name(&self, operation: usize) -> &str {
        &self.setting.program.layers[self.implementation.upper.0 as usize].operations[operation].name
    }

    /// Whether an operation above takes the key first.
    fn takes_key(&self, operation: usize) -> bool {
        let upper = &self.setting.program.layers[self.implementation.upper.0 as usize];
        self.partition.is_keyed(&self.setting.program.functions[upper.operations[operation].function.0 as usize])
    }

    /// Runs `p(key, args)` alone, or the operation that needs no key.
    fn run_below(
        &self,
        operation: usize,
        state: Slot,
        me: Slot,
        key: Slot,
        arguments: &[Slot],
    ) -> Option<(Action, CodeId)> {
        let (name, lower) = (self.operation_name(operation), self.implementation.lower);
        Some(match self.partition.code.get(name)? {
            How::Pass => {
                let function = self.setting.step_named(lower, name)?;
                let mut all = vec![state, me];
                all.extend(arguments);
                (Action::Call { function, arguments: all, result: None }, function)
            }
            How::Procedure(function) => {
                let function = self.setting.code.function(*function);
                let mut all = vec![key];
                all.extend(arguments);
                (Action::Procedure { function, lower, state, me, arguments: all, result: None }, function)
            }
        })
    }

    fn own(&self, operation: usize, slice: CodeId) -> Option<Question> {
        let (setting, lower, upper) = (self.setting, self.implementation.lower, self.implementation.upper);
        let mut slots = Slots::default();
        let all = slots.unknown(setting.state(lower));
        let key = slots.unknown(&self.partition.key_type);
        let me = slots.process(0);
        let types = setting.arguments(upper, operation);
        let arguments = slots.unknowns(&types);
        let (after, one, one_after) = (slots.empty(), slots.empty(), slots.empty());
        let (result, events) = (slots.empty(), slots.empty());
        let (result_above, events_above) = (slots.empty(), slots.empty());
        let (run, entry) = self.run_below(operation, after, me, key, &arguments)?;
        let sliced = |state, one| Action::Call { function: slice, arguments: vec![state, key], result: Some(one) };
        let step_above = setting.code.step(upper, operation);
        let mut above = vec![one_after, me];
        above.extend(&arguments);
        let spare = slots.empty();
        Some(Question {
            entries: vec![entry, slice, step_above],
            lower: Some(lower),
            given: vec![
                sliced(all, one),
                Action::Copy(all, after),
                with_result(run, result),
                Action::TakeEvents(events),
            ],
            wanted: vec![
                Action::Copy(one, one_after),
                Action::Call { function: step_above, arguments: above, result: Some(result_above) },
                Action::Equal(result_above, result),
                Action::TakeEvents(events_above),
                Action::Equal(events_above, events),
                sliced(after, spare),
                Action::Equal(spare, one_after),
            ],
            on_failure: OnFailure::Match(1),
            from: (lower, all),
            wanted_from: (upper, one),
            shown: vec![self.shown_key(key)],
            but: format!(
                "but `{}::{}` has no such step in the state of that key",
                self.layer_name(upper),
                self.operation_name(operation)
            ),
            slots,
        })
    }

    fn frame(&self, operation: usize, slice: CodeId, any_slice: CodeId, differ: CodeId) -> Option<Question> {
        let (setting, lower, upper) = (self.setting, self.implementation.lower, self.implementation.upper);
        let mut slots = Slots::default();
        let all = slots.unknown(setting.state(lower));
        let key = slots.unknown(&self.partition.key_type);
        let me = slots.process(0);
        let types = setting.arguments(upper, operation);
        let arguments = slots.unknowns(&types);
        let other = slots.unknown(&self.partition.key_type);
        let (after, holds, spare) = (slots.empty(), slots.empty(), slots.empty());
        let (others, others_after, result) = (slots.empty(), slots.empty(), slots.empty());
        let (run, entry) = self.run_below(operation, after, me, key, &arguments)?;
        let of_other =
            |state, slot| Action::Call { function: any_slice, arguments: vec![state, other], result: Some(slot) };
        Some(Question {
            entries: vec![entry, slice, any_slice, differ],
            lower: Some(lower),
            given: vec![
                Action::Call { function: differ, arguments: vec![key, other], result: Some(holds) },
                Action::When(holds),
                Action::Call { function: slice, arguments: vec![all, key], result: Some(spare) },
                of_other(all, others),
                Action::Copy(all, after),
                with_result(run, result),
            ],
            wanted: vec![of_other(after, others_after), Action::Equal(others_after, others)],
            on_failure: OnFailure::Ignore,
            from: (lower, all),
            wanted_from: (lower, all),
            shown: vec![self.shown_key(key), ("the other key", other, self.partition.key_type.clone())],
            but: "but it changes the state of the other key".to_owned(),
            slots,
        })
    }

    fn route(&self, operation: usize, entry: CodeId, with_entry: CodeId) -> Option<Question> {
        let (setting, lower, upper) = (self.setting, self.implementation.lower, self.implementation.upper);
        if !self.takes_key(operation) {
            return self.pass_without_key(operation);
        }
        let step_below = setting.step_named(lower, self.operation_name(operation))?;
        let step_above = setting.code.step(upper, operation);
        let mut slots = Slots::default();
        let all = slots.unknown(setting.state(upper));
        let me = slots.process(0);
        let types = setting.arguments(upper, operation);
        let arguments = slots.unknowns(&types);
        let (key, rest) = arguments.split_first()?;
        let (one, one_before, all_after, spare) = (slots.empty(), slots.empty(), slots.empty(), slots.empty());
        let (result, events) = (slots.empty(), slots.empty());
        let (result_above, events_above) = (slots.empty(), slots.empty());
        let mut below = vec![one, me];
        below.extend(rest);
        let mut above = vec![all_after, me];
        above.extend(&arguments);
        Some(Question {
            entries: vec![entry, with_entry, step_below, step_above],
            lower: Some(lower),
            given: vec![
                Action::Call { function: entry, arguments: vec![all, *key], result: Some(one_before) },
                Action::Copy(one_before, one),
                Action::Call { function: step_below, arguments: below, result: Some(result) },
                Action::TakeEvents(events),
            ],
            wanted: vec![
                Action::Copy(all, all_after),
                Action::Call { function: step_above, arguments: above, result: Some(result_above) },
                Action::Equal(result_above, result),
                Action::TakeEvents(events_above),
                Action::Equal(events_above, events),
                Action::Call { function: with_entry, arguments: vec![all, *key, one], result: Some(spare) },
                Action::Equal(spare, all_after),
            ],
            on_failure: OnFailure::Match(1),
            from: (lower, one_before),
            wanted_from: (upper, all),
            shown: vec![self.shown_key(*key)],
            but: format!("but `{}::{}` has no such step", self.layer_name(upper), self.operation_name(operation)),
            slots,
        })
    }

    /// An operation that belongs to no key must not read or change the state of any key.
    fn pass_without_key(&self, operation: usize) -> Option<Question> {
        let (setting, lower, upper) = (self.setting, self.implementation.lower, self.implementation.upper);
        let step_below = setting.step_named(lower, self.operation_name(operation))?;
        let step_above = setting.code.step(upper, operation);
        let mut slots = Slots::default();
        let all = slots.unknown(setting.state(upper));
        let one = slots.unknown(setting.state(lower));
        let me = slots.process(0);
        let types = setting.arguments(upper, operation);
        let arguments = slots.unknowns(&types);
        let (one_after, all_after) = (slots.empty(), slots.empty());
        let (result, events) = (slots.empty(), slots.empty());
        let (result_above, events_above) = (slots.empty(), slots.empty());
        let on = |state| {
            let mut all = vec![state, me];
            all.extend(&arguments);
            all
        };
        Some(Question {
            entries: vec![step_below, step_above],
            lower: Some(lower),
            given: vec![
                Action::Copy(one, one_after),
                Action::Call { function: step_below, arguments: on(one_after), result: Some(result) },
                Action::TakeEvents(events),
            ],
            wanted: vec![
                Action::Equal(one_after, one),
                Action::Copy(all, all_after),
                Action::Call { function: step_above, arguments: on(all_after), result: Some(result_above) },
                Action::Equal(result_above, result),
                Action::TakeEvents(events_above),
                Action::Equal(events_above, events),
                Action::Equal(all_after, all),
            ],
            on_failure: OnFailure::Match(2),
            from: (lower, one),
            wanted_from: (upper, all),
            shown: Vec::new(),
            but: "but an operation without a key may change nothing, and must have this step above".to_owned(),
            slots,
        })
    }

    /// At the bottom: the check returns `true` only for valid keys, and changes nothing.
    fn check_below(&self, slice: CodeId, any_slice: CodeId) -> (Answered<Misplaced>, Effort) {
        let (setting, lower) = (self.setting, self.implementation.lower);
        let Some((_, step)) = self.check_operation(lower) else {
            return (Answered::GivenUp(Abort::Unsupported), Effort::default());
        };
        let question = |says_yes: bool| {
            let mut slots = Slots::default();
            let all = slots.unknown(setting.state(lower));
            let key = slots.unknown(&self.partition.key_type);
            let me = slots.process(0);
            let other = slots.unknown(&self.partition.key_type);
            let (after, before, spare) = (slots.empty(), slots.empty(), slots.empty());
            let (answer, events) = (slots.empty(), slots.empty());
            let none = slots.given(Value::seq(Vec::new()));
            let of_other =
                |state, slot| Action::Call { function: any_slice, arguments: vec![state, other], result: Some(slot) };
            let mut given = vec![
                of_other(all, before),
                Action::Copy(all, after),
                Action::Call { function: step, arguments: vec![after, me, key], result: Some(answer) },
                Action::TakeEvents(events),
            ];
            let (wanted, but) = if says_yes {
                given.push(Action::When(answer));
                let valid = Action::Call { function: slice, arguments: vec![all, key], result: Some(spare) };
                (vec![valid], "but the key is not valid: it has no state")
            } else {
                let wanted = vec![Action::Equal(events, none), of_other(after, spare), Action::Equal(spare, before)];
                (wanted, "but the check must change nothing and emit nothing")
            };
            Question {
                entries: vec![step, slice, any_slice],
                lower: Some(lower),
                given,
                wanted,
                on_failure: OnFailure::Forbid,
                from: (lower, all),
                wanted_from: (lower, all),
                shown: vec![self.shown_key(key)],
                but: but.to_owned(),
                slots,
            }
        };
        self.ask_both(&question(true), &question(false))
    }

    /// At the top: the check may always return `false`, and may return `true` for valid keys.
    fn check_above(&self, entry: CodeId) -> (Answered<Misplaced>, Effort) {
        let (setting, upper) = (self.setting, self.implementation.upper);
        let Some((_, step)) = self.check_operation(upper) else {
            return (Answered::GivenUp(Abort::Unsupported), Effort::default());
        };
        let question = |answer: bool| {
            let mut slots = Slots::default();
            let all = slots.unknown(setting.state(upper));
            let key = slots.unknown(&self.partition.key_type);
            let me = slots.process(0);
            let (after, spare, events, said) = (slots.empty(), slots.empty(), slots.empty(), slots.empty());
            let expected = slots.given(Value::Bool(answer));
            let none = slots.given(Value::seq(Vec::new()));
            let valid = Action::Call { function: entry, arguments: vec![all, key], result: Some(spare) };
            Question {
                entries: vec![step, entry],
                lower: None,
                given: if answer { vec![valid] } else { Vec::new() },
                wanted: vec![
                    Action::Copy(all, after),
                    Action::Call { function: step, arguments: vec![after, me, key], result: Some(said) },
                    Action::Equal(said, expected),
                    Action::TakeEvents(events),
                    Action::Equal(events, none),
                    Action::Equal(after, all),
                ],
                on_failure: OnFailure::Match(1),
                from: (upper, all),
                wanted_from: (upper, all),
                shown: vec![self.shown_key(key)],
                but: format!("the result may be `{answer}`, but there is no such step that changes nothing"),
                slots,
            }
        };
        self.ask_both(&question(true), &question(false))
    }

    /// The operation that checks keys, on one side.
    fn check_operation(&self, layer: LayerId) -> Option<(usize, CodeId)> {
        let name = self.partition.check.as_ref()?;
        let operations = &self.setting.program.layers[layer.0 as usize].operations;
        let operation = operations.iter().position(|it| it.name == *name)?;
        Some((operation, self.setting.code.step(layer, operation)))
    }

    /// At the top: a state all of whose entries are initial below is initial.
    fn initial_above(&self, entry: CodeId, above: CodeId, below: CodeId) -> (Answered<Misplaced>, Effort) {
        let setting = self.setting;
        let upper = self.implementation.upper;
        let mut slots = Slots::default();
        let all = slots.unknown(setting.state(upper));
        let (holds, one) = (slots.empty(), slots.empty());
        let given = [Action::Call { function: above, arguments: vec![all], result: Some(holds) }];
        let key = slots.empty();
        let not_initial = [
            Action::Call { function: entry, arguments: vec![all, key], result: Some(one) },
            Action::Call { function: below, arguments: vec![one], result: Some(holds) },
            Action::Equal(holds, slots.given(Value::Bool(false))),
        ];
        setting.ask_whole(&[entry, above, below], None, |search| {
            let mut start = slots.start(&mut search.world.cells, 1);
            let key_type = &self.partition.key_type;
            start.set(
                key,
                search.world.cells.root(Root::Slot(Asked::Obligation, key as u32), key_type, Quantifier::Existential),
            );
            let initial = start.clone();
            // Either it is initial above, or some entry is not initial below.
            let mut refuted = None;
            search.for_all(start, &given, &mut |search, machine, end| {
                if end != End::Done {
                    return Ok(true);
                }
                let held = machine.slots[holds].clone();
                let held = machine.settle(search.world, &held).ok();
                if held == Some(Value::Bool(true)) {
                    return Ok(true);
                }
                refuted = search.always_exists(&machine, &not_initial, &|_, end| *end == End::Done)?;
                Ok(refuted.is_none())
            })?;
            let Some(Unmet { known, within }) = refuted else { return Ok(None) };
            let mut teller = Teller::new(setting, search, known);
            let steps = teller.given(&initial.slots, &given, &End::Done, None)?;
            let run = teller.run(RunRole::Above, upper, &initial.slots[all]).with(steps);
            let names = (self.layer_name(self.implementation.lower), self.layer_name(upper));
            let conclusion =
                format!("every entry is initial in `{}`, but the whole state is not in `{}`", names.0, names.1);
            let counterexample = teller.conclude(vec![run], conclusion);
            Ok(Some(Misplaced {
                counterexample,
                end: End::Done,
                site: None,
                confirmation: Confirmation::within(within),
            }))
        })
    }

    fn shown_key(&self, key: Slot) -> (&'static str, Slot, Type) {
        ("for the key", key, self.partition.key_type.clone())
    }

    fn ask_both(&self, first: &Question, second: &Question) -> (Answered<Misplaced>, Effort) {
        let (answered, mut effort) = self.ask(first);
        if !matches!(answered, Answered::Holds) {
            return (answered, effort);
        }
        let (answered, more) = self.ask(second);
        effort.add(more);
        (answered, effort)
    }

    fn ask(&self, question: &Question) -> (Answered<Misplaced>, Effort) {
        self.setting.ask_whole(&question.entries, question.lower, |search| {
            let start = question.slots.start(&mut search.world.cells, 1);
            let initial = start.clone();
            let wanted = |_: &Machine, end: &End| match (end, question.on_failure) {
                (End::Done, OnFailure::Match(action)) => Wanted::Run(&question.wanted, Some(action)),
                (End::Done, _) => Wanted::Run(&question.wanted, None),
                (End::Failed(_), OnFailure::Match(action)) => Wanted::Failure(&question.wanted[..=action]),
                (End::Failed(_), OnFailure::Ignore) => Wanted::Nothing,
                _ => Wanted::Never,
            };
            let Some(case) = for_all_exists(search, start, &question.given, &wanted)? else { return Ok(None) };
            let confirmation = replays(search, &initial, &question.given, &case, &wanted)?;
            Ok(Some(question.misplaced(self.setting, search, &initial, case, confirmation)?))
        })
    }
}

impl Question {
    /// The case as a counterexample.
    fn misplaced<'p>(
        &self,
        setting: &Setting<'p>,
        search: &mut Search<'_, 'p>,
        initial: &Machine,
        case: Case,
        confirmation: Confirmation,
    ) -> Result<Misplaced, Abort> {
        let mut teller = Teller::new(setting, search, case.known.clone());
        let steps = teller.given(&initial.slots, &self.given, &case.end, Some(&case.slots))?;
        let shown =
            |(name, slot, ty): &(&str, Slot, Type)| ((*name).to_owned(), teller.datum(&initial.slots[*slot], ty));
        let values = self.shown.iter().map(shown).collect();
        // The starting state may be a slice of another state.
        let mut runs = vec![teller.run(RunRole::Possible, self.from.0, &case.slots[self.from.1]).with(steps)];
        if case.end == End::Done {
            let steps = teller.attempt(&case.slots, &self.wanted)?;
            let from = &case.slots[self.wanted_from.1];
            runs.push(teller.run(RunRole::Wanted, self.wanted_from.0, from).with(steps));
        }
        // If there is no step to show, because the slice function panics, show the state that it is applied to.
        let mut number = 0;
        runs.retain(|it| {
            number += 1;
            number == 1 || !it.steps.is_empty()
        });
        let conclusion = match &case.end {
            End::Done => self.but.clone(),
            End::Panicked(_, why) => format!("the run panics: {why}"),
            _ => "the run fails, and the operation above cannot fail there".to_owned(),
        };
        let counterexample = Counterexample { values, ..teller.conclude(runs, conclusion) };
        let site = match case.end {
            End::Failed(site) | End::Panicked(site, _) => Some(site),
            _ => None,
        };
        Ok(Misplaced { counterexample, end: case.end, site, confirmation })
    }
}

fn with_result(mut action: Action, slot: Slot) -> Action {
    if let Action::Call { result, .. } | Action::Procedure { result, .. } = &mut action {
        *result = Some(slot);
    }
    action
}

impl Refutes for Misplaced {
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
