//! Replays the engine's counterexamples: their steps must be possible, and they must refute the obligation.
//!
//! A counterexample is data: states, steps, choices. Each of its steps is made again from its state, with its choices, and must have the
//! outcome that is shown; the steps of a procedure must be its own, for some arguments. Then [`crate::claims`] evaluates the obligation in
//! the starting state of the counterexample, over a universe of the values that it mentions: it must fail there. The printed text is
//! checked too: the state before each step must be shown.

use std::collections::{BTreeMap, BTreeSet};

use cspec_analysis::{
    counterexample::{Chosen, Counterexample, Datum, Mismatch, Run, RunRole, Step, StepEnd, TextPart},
    diagnostics::WrongRun,
    ir::{Code, FunctionId, Implementation, Justification, LayerId, Program, Question, Type, TypeDefKind},
    verdict::{ObligationName, Pattern},
};
use fastrand::Rng;

use crate::{
    claims::{Claims, ME, States},
    eval::{DontKnow, Logged, Outcome, Told},
    shape::{At, Procedure},
    value::{Scope, Value},
};

/// The result of replaying a counterexample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// All steps happen, and the obligation fails in the starting state.
    Confirmed,
    /// It cannot be determined, for this reason.
    Unknown(String),
    /// A step does not happen, or the obligation is not refuted; the reason.
    Refuted(String),
}

/// Replays a counterexample, and checks that it refutes the obligation.
pub fn replay<P>(program: &Program, name: &ObligationName, told: &Counterexample<P>) -> Replayed {
    let reader = Reader::of(program, told);
    if reader.scope.pids > 6 {
        return Replayed::Unknown("it has too many processes".to_owned());
    }
    let mut claims = Claims::new(program, reader.scope.clone());
    claims.fuel = 3_000_000;
    let replay = Replay { program, name, claims: &claims, reader: &reader };
    replay.what_became(|| is_readable(told).and_then(|()| replay.happens(told)).and_then(|()| replay.refutes(told)))
}

/// Replays only the steps of a counterexample, without checking that they refute the obligation.
pub fn happens<P>(program: &Program, name: &ObligationName, told: &Counterexample<P>) -> Replayed {
    let reader = Reader::of(program, told);
    let mut claims = Claims::new(program, reader.scope.clone());
    claims.fuel = 3_000_000;
    let replay = Replay { program, name, claims: &claims, reader: &reader };
    replay.what_became(|| is_readable(told).and_then(|()| replay.happens(told)))
}

/// Replays the run to a state in which a question has the wrong answer, and asks the question there.
pub fn answers<P>(program: &Program, name: &ObligationName, told: &Counterexample<P>) -> Replayed {
    let reader = Reader::of(program, told);
    let mut claims = Claims::new(program, reader.scope.clone());
    claims.fuel = 3_000_000;
    let replay = Replay { program, name, claims: &claims, reader: &reader };
    replay.what_became(|| {
        is_readable(told).and_then(|()| replay.happens(told)).and_then(|()| replay.is_answered_wrongly(told))
    })
}

/// Replays the steps of a wrong run that a search found where a proof fails.
pub fn ran<P: Clone>(program: &Program, name: &ObligationName, wrong: &WrongRun<P>) -> Replayed {
    let mut told = wrong.counterexample.clone();
    // Showing a result is no step of a layer.
    told.runs.iter_mut().for_each(|run| run.steps.retain(|it| !it.operation.starts_with("shows ")));
    happens(program, &ObligationName { kind: "traces", ..name.clone() }, &told)
}

/// A number in the starting state that could be 0 as well, since the obligation fails in that state, too. Considers only fields, and only
/// if no step takes arguments, which would have to change as well.
pub fn could_be_smaller<P>(program: &Program, name: &ObligationName, told: &Counterexample<P>) -> Option<String> {
    const KINDS: [&str; 6] = ["silent", "right-mover", "left-mover", "stays-allowed", "no-panic", "atomic-spec"];
    let takes_arguments = told.runs.iter().flat_map(|it| &it.steps).any(|it| !it.arguments.is_empty());
    let first = told.runs.first().filter(|_| KINDS.contains(&name.kind) && !takes_arguments)?;
    let reader = Reader::of(program, told);
    let mut claims = Claims::new(program, reader.scope.clone());
    claims.fuel = 3_000_000;
    let layer = claims.layer_named(&first.layer).ok()?;
    smaller(&first.from).into_iter().find_map(|datum| {
        let state = reader.value(&datum, &program.layers[layer.0 as usize].state)?;
        let mut random = Rng::with_seed(1);
        let refuted = claims.refute(name, &mut States::only(vec![state], Vec::new(), &mut random)).ok()??;
        Some(format!("{datum} would do: {refuted}"))
    })
}

/// The states in which one field with a number is 0 instead.
fn smaller(datum: &Datum) -> Vec<Datum> {
    match datum {
        Datum::Int(number) if *number != 0 => vec![Datum::Int(0)],
        Datum::Struct(name, fields) => {
            let with = |(index, less): (usize, Datum)| {
                let mut fields = fields.clone();
                fields[index].1 = less;
                Datum::Struct(name.clone(), fields)
            };
            let all = fields.iter().enumerate();
            all.flat_map(|(index, (_, it))| smaller(it).into_iter().map(move |less| (index, less))).map(with).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the text of a counterexample shows the state before each step: a reader from the top must have seen the starting state of a run
/// at its start, and the state before a step that is impossible.
fn is_readable<P>(told: &Counterexample<P>) -> Result<(), Trouble> {
    let lines = told.lines();
    let mut lines =
        lines.iter().skip(told.values.len()).map(|it| (it.get(..13).unwrap_or_default().trim(), it)).peekable();
    let mut shown = String::new();
    let wrong = |what: &str, step: String| Err(Trouble::Wrong(format!("{what}: {step}")));
    for run in &told.runs {
        for (number, step) in run.steps.iter().enumerate() {
            let text = step.to_string();
            for (word, line) in lines.by_ref() {
                if matches!(word, "in the state" | "ending in") {
                    line[13..].trim().clone_into(&mut shown);
                }
                if line.ends_with(&text) {
                    break;
                }
            }
            let before = run.before(number);
            let must_stand_there = number == 0 || step.after.is_none();
            if must_stand_there && *before != Datum::Opaque && shown != before.to_string() {
                return wrong("the reader has another state before them", text);
            }
            if step.after.is_none() && number + 1 < run.steps.len() {
                return wrong("a step follows one that did not end", text);
            }
        }
        while let Some((_, line)) = lines.next_if(|(word, _)| *word == "ending in") {
            line[13..].trim().clone_into(&mut shown);
        }
        if let Some(end) = run.end().filter(|it| **it != Datum::Opaque && shown != it.to_string()) {
            return wrong("the end of a run is not shown", end.to_string());
        }
    }
    Ok(())
}

enum Trouble {
    Unknown(String),
    Wrong(String),
}

impl From<DontKnow> for Trouble {
    fn from(it: DontKnow) -> Trouble {
        Trouble::Unknown(it.0)
    }
}

fn unknown(why: &str) -> Trouble {
    Trouble::Unknown(why.to_owned())
}

struct Replay<'r, 'p> {
    program: &'p Program,
    name: &'r ObligationName,
    claims: &'r Claims<'p>,
    reader: &'r Reader<'p>,
}

impl Replay<'_, '_> {
    fn what_became(&self, replayed: impl FnOnce() -> Result<(), Trouble>) -> Replayed {
        match replayed() {
            Ok(()) => Replayed::Confirmed,
            Err(Trouble::Unknown(why)) => Replayed::Unknown(why),
            Err(Trouble::Wrong(what)) => Replayed::Refuted(what),
        }
    }

    /// Performs the steps of all runs.
    fn happens<P>(&self, told: &Counterexample<P>) -> Result<(), Trouble> {
        const WITH_A_STEP: [&str; 6] =
            ["silent", "right-mover", "left-mover", "stably-enabled", "stays-allowed", "no-panic"];
        if WITH_A_STEP.contains(&self.name.kind) && told.runs.first().is_none_or(|it| it.steps.is_empty()) {
            return Err(Trouble::Wrong("it has no steps".to_owned()));
        }
        told.runs.iter().try_for_each(|run| self.run(run))
    }

    /// Performs the steps of one run in order.
    fn run<P>(&self, run: &Run<P>) -> Result<(), Trouble> {
        let layer = self.claims.layer_named(&run.layer)?;
        for (number, step) in run.steps.iter().enumerate() {
            let before = self.state(layer, run.before(number))?;
            self.step(layer, &before, step).map_err(|trouble| match trouble {
                Trouble::Wrong(what) => Trouble::Wrong(format!("{step}: from {before}: {what}")),
                Trouble::Unknown(why) => Trouble::Unknown(why),
            })?;
        }
        Ok(())
    }

    fn state(&self, layer: LayerId, datum: &Datum) -> Result<Value, Trouble> {
        let ty = &self.program.layers[layer.0 as usize].state;
        self.reader.value(datum, ty).ok_or_else(|| unknown("a state is incomplete"))
    }

    fn step<P>(&self, layer: LayerId, before: &Value, step: &Step<P>) -> Result<(), Trouble> {
        let evaluator = &self.claims.evaluator;
        evaluator.set_fuel(self.claims.fuel);
        let Some(process) = &step.process else { return self.condition(layer, before, step) };
        let operation = self.claims.operation_named(layer, &step.operation)?;
        let me = self.reader.value(process, &Type::Pid).ok_or_else(|| unknown("the process of a step is missing"))?;
        let types = evaluator.argument_types(layer, operation);
        let arguments = step.arguments.iter().zip(&types).map(|(it, ty)| self.reader.value(it, ty));
        let arguments: Option<Vec<Value>> = arguments.collect();
        let arguments = arguments.ok_or_else(|| unknown("an argument is incomplete"))?;
        let layer_of = &self.program.layers[layer.0 as usize];
        self.is_marked(layer, (operation, &me, &arguments), before, step)?;
        match &step.end {
            StepEnd::NotAllowed => {
                let all = [&[before.clone(), me], arguments.as_slice()].concat();
                match evaluator.all_hold(&layer_of.operations[operation].allowed, &all)? {
                    true => Err(Trouble::Wrong("it is allowed".to_owned())),
                    false => Ok(()),
                }
            }
            StepEnd::Disabled => {
                let outcomes = evaluator.step(layer, operation, before, &me, &arguments)?;
                match outcomes.first() {
                    Some(outcome) => Err(Trouble::Wrong(format!("it is possible, or goes wrong: {outcome:?}"))),
                    None => Ok(()),
                }
            }
            _ => {
                let choices: Vec<Told> = step.choices.iter().map(|it| self.reader.told(&it.chosen)).collect();
                // A trace does not contain the choices of its steps.
                let outcomes = match self.name.kind {
                    "traces" | "never" | "always" => evaluator.step(layer, operation, before, &me, &arguments)?,
                    _ => evaluator
                        .told_step((layer, operation), before, &me, &arguments, &choices)
                        .map_err(|it| Trouble::Wrong(format!("with the choices {choices:?}: {}", it.0)))?,
                };
                let result = &evaluator.function(layer_of.operations[operation].function).result;
                match outcomes.iter().any(|it| self.ends_so(it, step, &layer_of.state, result)) {
                    true => Ok(()),
                    false => Err(Trouble::Wrong(format!("with the choices {choices:?} it ends in {outcomes:?}"))),
                }
            }
        }
    }

    /// A step of a nilpotent layer is marked if it breaks the rules. With background steps, the rules are evaluated in a state that is not
    /// shown.
    fn is_marked<P>(
        &self,
        layer: LayerId,
        (operation, me, arguments): (usize, &Value, &[Value]),
        before: &Value,
        step: &Step<P>,
    ) -> Result<(), Trouble> {
        let layer = &self.program.layers[layer.0 as usize];
        let is_nilpotent = layer.protocol.as_ref().is_some_and(|it| it.nilpotent);
        if !is_nilpotent || layer.background.is_some() || !matches!(step.end, StepEnd::Returns(_)) {
            let is_wrong = step.against_rules && !is_nilpotent;
            return if is_wrong { Err(Trouble::Wrong("no rules can be broken there".to_owned())) } else { Ok(()) };
        }
        let all = [&[before.clone(), me.clone()], arguments].concat();
        let is_allowed = self.claims.evaluator.all_hold(&layer.operations[operation].allowed, &all)?;
        match is_allowed == step.against_rules {
            true => Err(Trouble::Wrong(format!("that it is allowed is {is_allowed}"))),
            false => Ok(()),
        }
    }

    /// A condition on a state: that it is initial. Explicit background steps are followed by the steps after them.
    fn condition<P>(&self, layer: LayerId, before: &Value, step: &Step<P>) -> Result<(), Trouble> {
        let evaluator = &self.claims.evaluator;
        match (step.operation.as_str(), &step.end) {
            ("init", StepEnd::Returns(Datum::Bool(told))) => match evaluator.is_initial(layer, before)? == *told {
                true => Ok(()),
                false => {
                    Err(Trouble::Wrong("the condition on initial states does not have the shown value".to_owned()))
                }
            },
            ("background", StepEnd::Returns(_)) => {
                let after = step.after.as_ref().ok_or_else(|| unknown("a state after a background step"))?;
                let after = self.state(layer, after)?;
                let background = self.program.layers[layer.0 as usize].background;
                let background = background.ok_or_else(|| Trouble::Wrong("there is no background".to_owned()))?;
                let outcomes = evaluator.call(background, std::slice::from_ref(before))?;
                let leads = outcomes.iter().any(|it| it.done().is_some_and(|((_, state), _)| state.contains(&after)));
                if leads { Ok(()) } else { Err(Trouble::Wrong("no background step leads there".to_owned())) }
            }
            _ => Ok(()),
        }
    }

    fn ends_so<P>(&self, outcome: &Outcome<(Value, Value)>, step: &Step<P>, state: &Type, result: &Type) -> bool {
        match (outcome, &step.end) {
            (Outcome::Done((returned, after), events), StepEnd::Returns(told)) => {
                let fits = |told: &Datum, value: &Value, ty: &Type| self.reader.value(told, ty).as_ref() == Some(value);
                fits(told, returned, result)
                    && step.after.as_ref().is_some_and(|it| fits(it, after, state))
                    && step.events.len() == events.len()
                    && step.events.iter().zip(events).all(|(told, event)| self.reader.shows(told, event))
            }
            (Outcome::Failed, StepEnd::Fails) | (Outcome::Panicked(_), StepEnd::Panics(_)) => true,
            _ => false,
        }
    }

    /// Checks that the obligation fails in the states that the counterexample starts from.
    fn refutes<P>(&self, told: &Counterexample<P>) -> Result<(), Trouble> {
        let mut states = Vec::new();
        let mut rows: Vec<Vec<Value>> = Vec::new();
        for run in &told.runs {
            let layer = self.claims.layer_named(&run.layer)?;
            for (number, step) in run.steps.iter().enumerate() {
                // The violation of a procedure is after its last step.
                if run.role == RunRole::Procedure && self.name.kind == "shape" {
                    continue;
                }
                if number == 0 {
                    states.push(self.state(layer, &run.from)?);
                }
                rows.extend(self.arguments(step));
            }
            if run.steps.is_empty() {
                states.push(self.state(layer, &run.from)?);
            }
        }
        rows.sort();
        rows.dedup();
        if let ("shape" | "follows" | "atomic-spec" | "idle-returns", Some(run)) = (self.name.kind, told.runs.first()) {
            self.is_path(run)?;
        }
        let mut random = Rng::with_seed(1);
        let mut states = States::only(states, rows, &mut random);
        let name = match self.name.kind {
            // It was checked above that the call is not allowed there.
            "follows" => return Ok(()),
            "idle-initially" | "idle-returns" => return self.is_not_idle(told),
            "shape" => match self.blamed(told)? {
                Some(name) => name,
                None => return Ok(()),
            },
            _ => self.name.clone(),
        };
        match self.claims.refute(&name, &mut states)? {
            Some(_) => Ok(()),
            None => Err(Trouble::Wrong(format!("`{}` holds of the states that it starts from", name.id()))),
        }
    }

    /// A question has the wrong answer, or none, at the end of a run.
    fn is_answered_wrongly<P>(&self, told: &Counterexample<P>) -> Result<(), Trouble> {
        let run = told.runs.first().ok_or_else(|| unknown("a run"))?;
        let end = self.state(self.claims.layer_named(&run.layer)?, run.end().unwrap_or(&run.from))?;
        let layer = &self.program.layers[self.claims.layer_named(&self.name.layer)?.0 as usize];
        let is_asked = |function: &FunctionId| {
            let name = &self.program.functions[function.0 as usize].name;
            name.rsplit("::").next() == Some(&self.name.operation)
        };
        let (question, function) =
            layer.questions.iter().find(|it| is_asked(&it.1)).ok_or_else(|| unknown("the question"))?;
        let right = Value::Bool(*question == Question::Always);
        let outcomes = self.claims.evaluator.call(*function, &[end])?;
        match outcomes.iter().all(|it| it.done().is_some_and(|((answer, _), _)| *answer == right)) {
            true => Err(Trouble::Wrong("the question has the right answer there".to_owned())),
            false => Ok(()),
        }
    }

    /// What is said of idle processes does not hold at the end of a run, which is an initial state if there are no steps.
    fn is_not_idle<P>(&self, told: &Counterexample<P>) -> Result<(), Trouble> {
        let run = told.runs.first().ok_or_else(|| unknown("a run"))?;
        let layer = self.claims.layer_named(&run.layer)?;
        let evaluator = &self.claims.evaluator;
        let end = self.state(layer, run.end().unwrap_or(&run.from))?;
        if self.name.kind == "idle-initially" && !evaluator.is_initial(layer, &end)? {
            return Err(Trouble::Wrong("the state is not initial".to_owned()));
        }
        match evaluator.all_hold(&self.program.layers[layer.0 as usize].idle, &[end, ME])? {
            true => Err(Trouble::Wrong("what is said of idle processes holds there".to_owned())),
            false => Ok(()),
        }
    }

    /// Checks that the process's own steps in a run of a procedure are those of the procedure, for some arguments.
    fn is_path<P>(&self, run: &Run<P>) -> Result<(), Trouble> {
        let owner = self.program.implementations.iter().find(|it| it.name == self.name.implementation);
        let Some(Implementation { by: Justification::Movers(all), upper, lower, .. }) = owner else { return Ok(()) };
        let Some(code @ Code::Procedure(function)) = all.get(&self.name.operation) else { return Ok(()) };
        let procedure = Procedure {
            claims: self.claims,
            upper: *upper,
            lower: *lower,
            code,
            name: &self.name.operation,
            called: BTreeMap::new(),
            alone_is_claimed: true,
        };
        let function = self.claims.evaluator.function(*function);
        let types = function.locals[..function.parameters as usize].iter().map(|it| it.ty.clone()).collect();
        let rows = self.claims.evaluator.universe.values(&Type::Tuple(types));
        let rows = rows.map_err(|_| unknown("too many arguments of the procedure"))?;
        for row in rows.iter() {
            let Value::Tuple(arguments) = row else { continue };
            if self.follows(&procedure, arguments, &run.steps)? {
                return Ok(());
            }
        }
        Err(Trouble::Wrong("these are not the steps of the procedure".to_owned()))
    }

    /// Whether a procedure with these arguments makes the steps of its own process among these.
    fn follows<P>(
        &self,
        procedure: &Procedure<'_, '_>,
        arguments: &[Value],
        steps: &[Step<P>],
    ) -> Result<bool, Trouble> {
        let mut logs = vec![Vec::new()];
        for step in steps {
            if step.process.as_ref().and_then(|it| self.reader.value(it, &Type::Pid)) != Some(ME) {
                continue;
            }
            let operation = self.claims.operation_named(procedure.lower, &step.operation)?;
            let types = self.claims.evaluator.argument_types(procedure.lower, operation);
            let with: Option<Vec<Value>> =
                step.arguments.iter().zip(&types).map(|(it, ty)| self.reader.value(it, ty)).collect();
            let with = with.ok_or_else(|| unknown("an argument is incomplete"))?;
            let layer = &self.program.layers[procedure.lower.0 as usize];
            let result = &self.claims.evaluator.function(layer.operations[operation].function).result;
            let returned = match &step.end {
                StepEnd::Returns(it) => self.reader.value(it, result),
                _ => None,
            };
            let mut next = Vec::new();
            for log in &logs {
                for at in procedure.next(arguments, log)? {
                    if let At::Wants(mut log, wanted, called_with, _) = at
                        && (wanted, &called_with) == (operation, &with)
                    {
                        log.extend(returned.clone().map(Logged::Result));
                        next.push(log);
                    }
                }
            }
            logs = next;
        }
        // A run that is compared with an atomic step is complete, even one without steps.
        let returned = |it: &Step<P>| matches!(it.end, StepEnd::Returns(_));
        if self.name.kind == "atomic-spec" && steps.iter().all(returned) {
            for log in &logs {
                if procedure.next(arguments, log)?.iter().any(|it| matches!(it, At::Ended(_))) {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        Ok(!logs.is_empty())
    }

    /// The violation of a procedure with a wrong shape: that a call does not move left there, or never does. `None` if it may block, since
    /// it was checked above that it is disabled there.
    fn blamed<P>(&self, told: &Counterexample<P>) -> Result<Option<ObligationName>, Trouble> {
        let owner = self.program.implementations.iter().find(|it| it.name == self.name.implementation);
        let lower = owner.ok_or_else(|| unknown("an implementation of this name"))?.lower;
        let runs: Vec<&Run<P>> = told.runs.iter().filter(|it| it.role != RunRole::Procedure).collect();
        let operation = |run: &Run<P>, step: usize| run.steps.get(step).map(|it| it.operation.clone());
        let (kind, mover, other) = match (runs.as_slice(), runs.first().map_or(0, |it| it.steps.len())) {
            ([run], _) if run.role == RunRole::There => return Ok(None),
            // It was checked above that the last step of the procedure fails.
            ([], _) if told.runs.iter().all(|it| matches!(it.steps.last().map(|it| &it.end), Some(StepEnd::Fails))) => {
                return Ok(None);
            }
            // The run of the procedure was replayed. The violation is that the operation above has no such step.
            ([run], _) if run.role == RunRole::Above => return Ok(None),
            ([run], _) => ("silent", operation(run, 0), Some(String::new())),
            ([happened, after], _) if after.role == RunRole::ButAfter => {
                ("stably-enabled", operation(happened, 0), operation(after, 0))
            }
            ([happened, _], 2) => ("left-mover", operation(happened, 1), operation(happened, 0)),
            // The other operation fails, so that the mover is never performed.
            ([happened, swapped], 1) => ("left-mover", operation(swapped, 0), operation(happened, 0)),
            _ => return Err(unknown("what a procedure is blamed for")),
        };
        Ok(Some(ObligationName {
            implementation: String::new(),
            pattern: Pattern::Movers,
            kind,
            layer: self.program.layers[lower.0 as usize].name.clone(),
            operation: mover.ok_or_else(|| unknown("the call that is blamed"))?,
            against: other.ok_or_else(|| unknown("the operation that a call does not pass"))?,
        }))
    }

    /// The arguments of a step, if some layer has its operation.
    fn arguments<P>(&self, step: &Step<P>) -> Option<Vec<Value>> {
        let layers = self.program.layers.iter().enumerate();
        let mut found = layers.filter_map(|(layer, it)| {
            let operation = it.operations.iter().position(|it| it.name == step.operation)?;
            let types = self.claims.evaluator.argument_types(LayerId(layer as u32), operation);
            if types.len() != step.arguments.len() {
                return None;
            }
            step.arguments.iter().zip(&types).map(|(it, ty)| self.reader.value(it, ty)).collect()
        });
        found.next()
    }
}

/// Converts data to values.
struct Reader<'p> {
    program: &'p Program,
    /// A scope with everything that is mentioned.
    scope: Scope,
    /// The values of scalar types that the code does not name: for each type, from the shown number to a small one, in the same order.
    fresh: BTreeMap<String, BTreeMap<u32, usize>>,
}

impl<'p> Reader<'p> {
    fn of<P>(program: &'p Program, told: &Counterexample<P>) -> Reader<'p> {
        let mut mentioned = Mentioned::default();
        told.values.iter().for_each(|(_, it)| mentioned.look_at(it));
        for run in &told.runs {
            mentioned.look_at(&run.from);
            run.steps.iter().for_each(|it| mentioned.look_at_step(it));
        }
        let numbered = |all: BTreeSet<u32>| all.into_iter().enumerate().map(|(rank, number)| (number, rank)).collect();
        let fresh: BTreeMap<String, BTreeMap<u32, usize>> =
            mentioned.fresh.into_iter().map(|(name, all)| (name, numbered(all))).collect();
        let scalars = fresh.values().map(BTreeMap::len).max().unwrap_or_default();
        let scope = Scope {
            ends: false,
            pids: mentioned.pids.max(2),
            ints: mentioned.ints.into_iter().chain([0, 1]).collect::<BTreeSet<i128>>().into_iter().collect(),
            strings: mentioned.strings.into_iter().collect(),
            scalars: scalars + 1,
            entries: mentioned.entries.max(1),
            length: mentioned.length.max(1),
        };
        Reader { program, scope, fresh }
    }

    fn told(&self, chosen: &Chosen) -> Told {
        match chosen {
            Chosen::Maybe(yes) => Told::Maybe(*yes),
            Chosen::Element(index) => Told::Element(*index),
            Chosen::Any(datum) => Told::Any(self.untyped(datum)),
        }
    }

    /// Converts data to a value of a type; `None` if it is incomplete or not of that type.
    fn value(&self, datum: &Datum, ty: &Type) -> Option<Value> {
        let all = |data: &[Datum], ty: &Type| data.iter().map(|it| self.value(it, ty)).collect::<Option<Vec<_>>>();
        let entries = |data: &[(Datum, Datum)], key: &Type, value: &Type| {
            data.iter()
                .map(|(k, v)| Some((self.value(k, key)?, self.value(v, value)?)))
                .collect::<Option<BTreeMap<_, _>>>()
        };
        match (datum, ty) {
            (Datum::Unit, _) if *ty == Type::UNIT => Some(Value::UNIT),
            (Datum::Tuple(data), Type::Tuple(types)) => {
                data.iter().zip(types).map(|(it, ty)| self.value(it, ty)).collect::<Option<_>>().map(Value::Tuple)
            }
            (Datum::Struct(_, data), Type::User(id)) => {
                let TypeDefKind::Struct(fields) = &self.program.types[id.0 as usize].kind else { return None };
                let values = data.iter().zip(fields).map(|((_, it), field)| self.value(it, &field.ty));
                values.collect::<Option<_>>().map(Value::Tuple)
            }
            (Datum::Variant(_, name, data), Type::Option(inner)) => {
                Some(Value::Variant(u32::from(name == "Some"), all(data, inner)?))
            }
            (Datum::Variant(_, name, data), Type::Result(ok, err)) => {
                let tag = u32::from(name == "Err");
                Some(Value::Variant(tag, all(data, if tag == 0 { ok } else { err })?))
            }
            (Datum::Variant(_, name, data), Type::User(id)) => {
                let TypeDefKind::Enum(variants) = &self.program.types[id.0 as usize].kind else { return None };
                let tag = variants.iter().position(|it| it.name == *name)?;
                let values = data.iter().zip(&variants[tag].fields).map(|(it, field)| self.value(it, &field.ty));
                Some(Value::Variant(tag as u32, values.collect::<Option<_>>()?))
            }
            (Datum::Seq(data), Type::Seq(ty)) => Some(Value::Seq(all(data, ty)?)),
            (Datum::Set(data), Type::Set(ty)) => Some(Value::Set(all(data, ty)?.into_iter().collect())),
            (Datum::Map(data), Type::Map(key, value)) => Some(Value::Map(entries(data, key, value)?)),
            (Datum::Total(data), Type::Total(key, value)) => {
                let default = self.default(value);
                Some(Value::Total(entries(data, key, value)?, Box::new(default)))
            }
            _ => self.untyped(datum),
        }
    }

    fn default(&self, ty: &Type) -> Value {
        crate::value::Universe::new(self.program, self.scope.clone()).default(ty)
    }

    /// Converts data that needs no type.
    fn untyped(&self, datum: &Datum) -> Option<Value> {
        let all = |data: &[Datum]| data.iter().map(|it| self.untyped(it)).collect::<Option<Vec<_>>>();
        Some(match datum {
            Datum::Unit => Value::UNIT,
            Datum::Bool(it) => Value::Bool(*it),
            Datum::Int(it) => Value::Int(*it),
            Datum::Str(it) => Value::str(it),
            Datum::Text(parts) => Value::str(&text(parts)),
            Datum::Pid(number) => Value::Pid(u64::from(*number)),
            Datum::Named(name, text) if name == "Pid" => Value::Pid(text.parse().ok()?),
            Datum::Named(_, text) => Value::Scalar(text.as_str().into()),
            Datum::Fresh(name, number) => Value::Scalar(format!("?{}", self.fresh.get(name)?.get(number)?).into()),
            Datum::Tuple(data) => Value::Tuple(all(data)?),
            Datum::Struct(_, data) => Value::Tuple(data.iter().map(|(_, it)| self.untyped(it)).collect::<Option<_>>()?),
            Datum::Variant(of, name, data) => Value::Variant(self.tag(of, name)?, all(data)?),
            Datum::Seq(data) => Value::Seq(all(data)?),
            Datum::Set(data) => Value::Set(all(data)?.into_iter().collect()),
            Datum::Map(data) => {
                let entries = data.iter().map(|(k, v)| Some((self.untyped(k)?, self.untyped(v)?)));
                Value::Map(entries.collect::<Option<_>>()?)
            }
            Datum::Total(_) | Datum::Opaque => return None,
        })
    }

    fn tag(&self, of: &str, name: &str) -> Option<u32> {
        if of == "Option" {
            return Some(u32::from(name == "Some"));
        }
        if of == "Result" {
            return Some(u32::from(name == "Err"));
        }
        let variants = self.program.types.iter().find_map(|it| match &it.kind {
            TypeDefKind::Enum(variants) if it.name == of => Some(variants),
            _ => None,
        })?;
        variants.iter().position(|it| it.name == name).map(|it| it as u32)
    }

    /// Whether data stands for this value.
    fn shows(&self, datum: &Datum, value: &Value) -> bool {
        match (datum, value) {
            (Datum::Tuple(data), Value::Tuple(values)) | (Datum::Seq(data), Value::Seq(values)) => {
                data.len() == values.len() && data.iter().zip(values).all(|(it, value)| self.shows(it, value))
            }
            _ => self.untyped(datum).as_ref() == Some(value),
        }
    }
}

fn text(parts: &[TextPart]) -> String {
    let part = |it: &TextPart| match it {
        TextPart::Characters(text) | TextPart::Of(Datum::Str(text)) => text.clone(),
        TextPart::Of(Datum::Pid(number)) => number.to_string(),
        TextPart::Of(other) => other.to_string(),
    };
    parts.iter().map(part).collect()
}

/// The values that a counterexample mentions.
#[derive(Default)]
struct Mentioned {
    pids: u64,
    ints: BTreeSet<i128>,
    strings: BTreeSet<String>,
    fresh: BTreeMap<String, BTreeSet<u32>>,
    entries: usize,
    length: usize,
}

impl Mentioned {
    fn look_at_step<P>(&mut self, step: &Step<P>) {
        let all = step.process.iter().chain(&step.arguments).chain(&step.events).chain(&step.after);
        all.for_each(|it| self.look_at(it));
        if let StepEnd::Returns(it) = &step.end {
            self.look_at(it);
        }
        for choice in &step.choices {
            if let Chosen::Any(it) = &choice.chosen {
                self.look_at(it);
            }
        }
        match &step.mismatch {
            Some(Mismatch::Result(it) | Mismatch::State(it)) => self.look_at(it),
            Some(Mismatch::Events(all)) => all.iter().for_each(|it| self.look_at(it)),
            None => {}
        }
    }

    fn look_at(&mut self, datum: &Datum) {
        match datum {
            Datum::Unit | Datum::Bool(_) | Datum::Named(..) | Datum::Opaque => {}
            Datum::Int(it) => drop(self.ints.insert(*it)),
            Datum::Str(it) => drop(self.strings.insert(it.clone())),
            Datum::Text(parts) => drop(self.strings.insert(text(parts))),
            Datum::Pid(number) => self.pids = self.pids.max(u64::from(*number) + 1),
            Datum::Fresh(name, number) => drop(self.fresh.entry(name.clone()).or_default().insert(*number)),
            Datum::Tuple(all) | Datum::Variant(_, _, all) => all.iter().for_each(|it| self.look_at(it)),
            Datum::Struct(_, fields) => fields.iter().for_each(|(_, it)| self.look_at(it)),
            Datum::Seq(all) => {
                self.length = self.length.max(all.len());
                all.iter().for_each(|it| self.look_at(it));
            }
            Datum::Set(all) => {
                self.entries = self.entries.max(all.len());
                all.iter().for_each(|it| self.look_at(it));
            }
            Datum::Map(all) | Datum::Total(all) => {
                self.entries = self.entries.max(all.len());
                for (key, value) in all {
                    self.look_at(key);
                    self.look_at(value);
                }
            }
        }
    }
}
