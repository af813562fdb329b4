//! Turns a refuting case into the steps of a counterexample.
//!
//! The refutation of an obligation is a case: slots about which some facts are known. To show it, the script is run once more from concrete
//! slots, recording each step with its choices and the state after it. If a script cannot be run to its end, the record stops
//! at the first requirement that cannot be met. This module knows no obligations.

use std::{cell::RefCell, rc::Rc};

use super::question::{Setting, concrete_value};
use crate::{
    counterexample::{self, Choice, Counterexample, Datum, Mismatch, Run, RunRole, Step, StepEnd},
    explore::{
        cells::{Knowledge, Quantifier},
        code::CodeId,
        machine::{Chosen, Machine, Site, Tale, Told},
        order::{Numbering, numbering},
        search::{Abort, Action, Answer, End, Search, Slot},
        show::Show,
        value::Value,
    },
    ir::{Anchor, LayerId, Type},
};

/// Builds the counterexample of one case.
pub struct Teller<'t, 'w, 'p> {
    setting: &'t Setting<'p>,
    search: &'t mut Search<'w, 'p>,
    known: Knowledge,
    numbering: Numbering,
}

/// A function that a record mentions: its name, and the types of its state, arguments and result.
struct Called {
    operation: String,
    place: Option<Anchor>,
    has_process: bool,
    state: Type,
    arguments: Vec<Type>,
    result: Type,
}

impl<'t, 'w, 'p> Teller<'t, 'w, 'p> {
    /// Starts from the knowledge of a case; unknowns are settled as simply as possible, once and for all.
    pub fn new(setting: &'t Setting<'p>, search: &'t mut Search<'w, 'p>, known: Knowledge) -> Teller<'t, 'w, 'p> {
        let numbering = numbering(&mut search.world.cells, &known);
        Teller { setting, search, known, numbering }
    }

    fn show(&self) -> Show<'_, 'p> {
        Show { cells: &self.search.world.cells, numbering: &self.numbering }
    }

    pub fn known(&self) -> &Knowledge {
        &self.known
    }

    /// The value with every unknown settled.
    pub fn settle(&mut self, value: &Value) -> Value {
        concrete_value(self.search, &mut self.known, value)
    }

    /// The values with every unknown settled.
    pub fn settle_all(&mut self, values: &[Value]) -> Vec<Value> {
        values.iter().map(|it| self.settle(it)).collect()
    }

    /// The value as data.
    pub fn datum(&mut self, value: &Value, ty: &Type) -> Datum {
        let value = self.settle(value);
        self.show().datum(&value, ty)
    }

    /// The name of a layer.
    pub fn layer(&self, layer: LayerId) -> String {
        self.setting.program.layers[layer.0 as usize].name.clone()
    }

    /// A run without steps yet, from a state of this layer.
    pub fn run(&mut self, role: RunRole, layer: LayerId, from: &Value) -> Run<Anchor> {
        let from = self.datum(from, self.setting.state(layer));
        self.search.world.told = Some(self.known.clone());
        Run { role, layer: self.layer(layer), from, steps: Vec::new() }
    }

    /// The steps of a script that can be run from these slots with this end. If an end is given, slots that are filled in it must have the
    /// same values.
    ///
    /// # Errors
    /// If the search is stopped.
    pub fn given(
        &mut self,
        slots: &[Value],
        script: &[Action],
        ended: &End,
        finally: Option<&[Value]>,
    ) -> Result<Vec<Step<Anchor>>, Abort> {
        let slots = self.settle_all(slots);
        let finally = finally.map(|it| self.settle_all(it));
        let mut start = self.start(&slots);
        let mut script = script.to_vec();
        let mut wanted_stage = script.len();
        if let (End::Done, Some(finally)) = (ended, finally) {
            let count = start.slots.len();
            Rc::make_mut(&mut start.slots).extend(finally);
            script.extend((0..count).map(|slot| Action::Equal(slot, count + slot)));
            wanted_stage = script.len();
        }
        let is_it = |machine: &Machine, end: &End| match (ended, end) {
            (End::Done, End::Done) => machine.stage == wanted_stage,
            _ => ended == end,
        };
        match self.search.exists(start, &script, &is_it)? {
            Answer::Found(machine) => Ok(self.steps(&machine, ended)),
            Answer::None | Answer::Ask(..) => Ok(Vec::new()),
        }
    }

    /// The steps of a script that cannot be run to its end from these slots: as far as possible, with the missing step.
    ///
    /// # Errors
    /// If the search is stopped.
    pub fn attempt(&mut self, slots: &[Value], script: &[Action]) -> Result<Vec<Step<Anchor>>, Abort> {
        let mut furthest = self.start(slots);
        for length in 1..=script.len() {
            let start = self.start(slots);
            match self.search.exists(start, &script[..length], &|_, end| *end == End::Done)? {
                Answer::Found(machine) => furthest = *machine,
                Answer::None | Answer::Ask(..) => {
                    // A step that goes wrong is started, but does not finish.
                    let start = self.start(slots);
                    let ended = RefCell::new(End::Done);
                    let goes_wrong = |machine: &Machine, end: &End| {
                        let is_wrong = matches!(end, End::Failed(_) | End::Panicked(..)) && machine.stage + 1 == length;
                        if is_wrong {
                            ended.replace(end.clone());
                        }
                        is_wrong
                    };
                    if let Answer::Found(wrong) = self.search.exists(start, &script[..length], &goes_wrong)? {
                        return Ok(self.steps(&wrong, &ended.into_inner()));
                    }
                    let mut steps = self.steps(&furthest, &End::Done);
                    self.add_missing(&furthest, script, length - 1, &mut steps);
                    return Ok(steps);
                }
            }
        }
        Ok(self.steps(&furthest, &End::Done))
    }

    /// The values of two slots after the beginning of a script, given the slots at its end.
    ///
    /// # Errors
    /// If the search is stopped.
    pub fn start_of(
        &mut self,
        slots: &[Value],
        beginning: &[Action],
        (lo, hi): (Slot, Slot),
        finally: &[Value],
    ) -> Result<(Value, Value), Abort> {
        let mut start = self.start(slots);
        start.slots = Rc::new(start.slots.iter().cloned().chain(self.settle_all(&[finally[hi].clone()])).collect());
        let mut script = beginning.to_vec();
        script.push(Action::Equal(hi, slots.len()));
        match self.search.exists(start, &script, &|_, end| *end == End::Done)? {
            Answer::Found(machine) => Ok((machine.slots[lo].clone(), finally[hi].clone())),
            Answer::None | Answer::Ask(..) => Ok((slots[lo].clone(), finally[hi].clone())),
        }
    }

    fn start(&mut self, slots: &[Value]) -> Machine {
        let slots = self.settle_all(slots);
        let mut start = Machine::new(self.known.clone(), Quantifier::Existential);
        start.slots = Rc::new(slots);
        start.tale = Some(None);
        start
    }

    /// Adds the missing step after a run: the action of the script that could not be performed.
    fn add_missing(&mut self, machine: &Machine, script: &[Action], at: usize, steps: &mut Vec<Step<Anchor>>) {
        match &script[at] {
            Action::Call { function, arguments, .. } => {
                let values: Vec<Value> = arguments.iter().map(|it| machine.slots[*it].clone()).collect();
                if let Some(called) = self.called(*function, None) {
                    let (process, arguments) = self.arguments(machine, &called, &values);
                    steps.push(Step { process, arguments, ..blank(called.operation, called.place) });
                }
            }
            Action::Equal(a, b) => {
                let Some((function, kind)) = made_by(script, at, *a) else { return };
                let Some(called) = self.called(function, None) else {
                    // The relation between two states does not hold after the last step.
                    return;
                };
                let wanted = machine.slots[*b].clone();
                let mismatch = match kind {
                    Made::Result => Mismatch::Result(self.told(machine, &wanted, &called.result)),
                    Made::Events => Mismatch::Events(self.events(machine, &wanted)),
                    Made::State => Mismatch::State(self.told(machine, &wanted, &called.state)),
                };
                if let Some(last) = steps.last_mut() {
                    last.mismatch = Some(mismatch);
                }
            }
            _ => {}
        }
    }

    /// Adds a call that the rules of a layer do not allow.
    pub fn refused(
        &mut self,
        layer: LayerId,
        operation: usize,
        site: Option<Site>,
        me: &Value,
        arguments: &[Value],
    ) -> Step<Anchor> {
        let types = self.setting.arguments(layer, operation);
        let called = site.and_then(|it| Some(Anchor::Node(self.setting.code.functions[it.code].source?, it.node)));
        let name = self.setting.program.layers[layer.0 as usize].operations[operation].name.clone();
        Step {
            process: Some(self.datum(me, &Type::Pid)),
            arguments: arguments.iter().zip(&types).map(|(it, ty)| self.datum(it, ty)).collect(),
            end: StepEnd::NotAllowed,
            ..blank(name, called.or(Some(Anchor::Operation(layer, operation))))
        }
    }

    /// The steps that a run has made.
    pub fn steps(&mut self, machine: &Machine, end: &End) -> Vec<Step<Anchor>> {
        let mut tale = Vec::new();
        let mut at: Tale = machine.tale.clone().flatten();
        while let Some(telling) = at {
            at = telling.before.clone();
            tale.push(telling);
        }
        let mut steps: Vec<Step<Anchor>> = Vec::new();
        // The open calls: of steps, or of other functions.
        let mut open: Vec<Option<(Called, usize)>> = Vec::new();
        for telling in tale.iter().rev() {
            match &telling.told {
                Told::Called(function, values, site) => {
                    let called = self.called(*function, *site);
                    if let Some(called) = &called {
                        let (process, arguments) = self.arguments(machine, called, values);
                        steps.push(Step { process, arguments, ..blank(called.operation.clone(), called.place) });
                    }
                    open.push(called.map(|it| (it, telling.events.len())));
                }
                Told::Chose(site, chosen) => {
                    let choice = self.choice(machine, *site, chosen);
                    if let (Some(Some(_)), Some(step)) = (open.last(), steps.last_mut()) {
                        step.choices.push(choice);
                    }
                }
                Told::Took(_) => {}
                Told::BrokeRule => {
                    if let (Some(Some(_)), Some(step)) = (open.last(), steps.last_mut()) {
                        step.against_rules = true;
                    }
                }
                Told::Returned(state, result) => {
                    let Some(Some((called, events))) = open.pop() else { continue };
                    let result = self.told(machine, result, &called.result);
                    let after = self.told(machine, state, &called.state);
                    let emitted = telling.events.get(events..).unwrap_or_default().to_vec();
                    let emitted = self.events(machine, &Value::seq(emitted));
                    if let Some(step) = steps.last_mut() {
                        (step.end, step.after, step.events) = (StepEnd::Returns(result), Some(after), emitted);
                    }
                }
            }
        }
        if let (Some(Some(_)), Some(step)) = (open.last(), steps.last_mut()) {
            step.end = match end {
                End::Panicked(_, why) => StepEnd::Panics((*why).to_owned()),
                End::Failed(_) => StepEnd::Fails,
                _ => StepEnd::Disabled,
            };
        }
        steps
    }

    /// A function in a record, if it is a step of a layer or a condition on initial states.
    fn called(&self, function: CodeId, site: Option<Site>) -> Option<Called> {
        let code = self.setting.code;
        let place = site.and_then(|it| Some(Anchor::Node(code.functions[it.code].source?, it.node)));
        if let Some((layer, operation)) = code.operation_of(function) {
            return Some(Called {
                operation: self.setting.program.layers[layer.0 as usize].operations[operation].name.clone(),
                place: place.or(Some(Anchor::Operation(layer, operation))),
                has_process: true,
                state: self.setting.state(layer).clone(),
                arguments: self.setting.arguments(layer, operation),
                result: self.setting.result(layer, operation).clone(),
            });
        }
        let of_layer = |all: &[CodeId]| all.iter().position(|it| *it == function);
        let background = code.background.iter().position(|it| *it == Some(function));
        let (layer, operation, result) = match (of_layer(&code.init), background) {
            (Some(layer), _) => (layer, "init", Type::Bool),
            (None, Some(layer)) => (layer, "background", Type::UNIT),
            (None, None) => return None,
        };
        Some(Called {
            operation: operation.to_owned(),
            place: Some(Anchor::Layer(LayerId(layer as u32))),
            has_process: false,
            state: self.setting.program.layers[layer].state.clone(),
            arguments: Vec::new(),
            result,
        })
    }

    /// The process and the arguments of a call, from the values passed to it.
    fn arguments(&mut self, machine: &Machine, called: &Called, values: &[Value]) -> (Option<Datum>, Vec<Datum>) {
        let (process, rest) = match (called.has_process, values) {
            (true, [_, process, rest @ ..]) => (Some(self.told(machine, process, &Type::Pid)), rest),
            (false, [_, rest @ ..]) => (None, rest),
            _ => (None, values),
        };
        let arguments = rest.iter().zip(&called.arguments).map(|(it, ty)| self.told(machine, it, ty)).collect();
        (process, arguments)
    }

    fn choice(&mut self, machine: &Machine, site: Site, chosen: &Chosen) -> Choice<Anchor> {
        let source = self.setting.code.functions[site.code].source;
        let chosen = match chosen {
            Chosen::Maybe(yes) => counterexample::Chosen::Maybe(*yes),
            Chosen::Element(index) => counterexample::Chosen::Element(*index),
            Chosen::Drawn(value) => {
                let ty = match value {
                    Value::Cell(id) => Some((*self.search.world.cells.get(*id).ty).clone()),
                    _ => None,
                };
                counterexample::Chosen::Any(ty.map_or(Datum::Opaque, |ty| self.told(machine, value, &ty)))
            }
        };
        Choice { place: source.map(|it| Anchor::Node(it, site.node)), chosen }
    }

    /// A value of a run as data.
    fn told(&mut self, machine: &Machine, value: &Value, ty: &Type) -> Datum {
        let value = self.settled(machine, value);
        self.show().datum(&value, ty)
    }

    /// A value of a run with every unknown settled.
    fn settled(&mut self, machine: &Machine, value: &Value) -> Value {
        // Results of `any()`, choices and findings of the run are known only to it.
        let mut known = machine.known.clone();
        let own = machine.drawn.iter().chain(machine.chosen.iter());
        let own: Vec<_> = own.map(|(cell, value)| (*cell, value.clone())).collect();
        let settled = Rc::make_mut(&mut known.resolved);
        for (cell, value) in self.known.resolved.iter() {
            settled.entry(*cell).or_insert_with(|| value.clone());
        }
        settled.extend(own);
        let bases = Rc::make_mut(&mut known.bases);
        self.known.bases.iter().for_each(|(cell, facts)| drop(bases.insert(*cell, facts.clone())));
        concrete_value(self.search, &mut known, value)
    }

    /// Events as data: a sequence of tuples of a name and values.
    fn events(&mut self, machine: &Machine, events: &Value) -> Vec<Datum> {
        let Value::Seq(all) = self.settled(machine, events) else { return Vec::new() };
        let show = self.show();
        all.iter().map(|event| show.event(event, &self.setting.code.events)).collect()
    }

    pub fn conclude(self, runs: Vec<Run<Anchor>>, conclusion: String) -> Counterexample<Anchor> {
        self.search.world.told = Some(self.known);
        Counterexample { values: Vec::new(), runs, conclusion }
    }
}

/// The origin of a slot that is compared.
enum Made {
    Result,
    Events,
    State,
}

/// The last call before an action, and which of its values is in this slot.
fn made_by(script: &[Action], at: usize, slot: Slot) -> Option<(CodeId, Made)> {
    let before = script[..at].iter().rev();
    let mut kind = None;
    for action in before {
        match action {
            Action::TakeEvents(it) if *it == slot => kind = Some(Made::Events),
            Action::Call { function, arguments, result } => {
                let kind = kind.or_else(|| match result {
                    Some(it) if *it == slot => Some(Made::Result),
                    _ => (arguments.first() == Some(&slot)).then_some(Made::State),
                });
                return kind.map(|kind| (*function, kind));
            }
            _ => {}
        }
    }
    None
}

fn blank(operation: String, place: Option<Anchor>) -> Step<Anchor> {
    Step {
        process: None,
        operation,
        arguments: Vec::new(),
        end: StepEnd::Disabled,
        against_rules: false,
        events: Vec::new(),
        choices: Vec::new(),
        after: None,
        mismatch: None,
        place,
    }
}
