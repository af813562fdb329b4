//! Loops, and methods that run code for each element of a sequence.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use cspec_analysis::ir::{Each, Expr, ExprKind, FunctionKind, Pattern};

use super::{Below, Frame, MOST_TURNS, Run, Stop, dont_know, expr::bind};
use crate::value::Value;

/// One way in which a `while maybe()` loop can end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LoopEnd {
    Leaves(Environment),
    Returns(Environment, Value),
    Fails,
    Panics(&'static str),
}

/// Everything that a turn of a loop can change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Environment {
    locals: Vec<Option<Value>>,
    events: Vec<Value>,
    state: Option<Value>,
}

/// Records, during a run of a procedure, whether it has the form of a retry loop.
#[derive(Default)]
pub(crate) struct Form<'p> {
    /// The body of the current loop.
    inside: Option<&'p Expr>,
    /// The number of operations since the run was last at the head of the loop.
    steps: usize,
    /// Whether the run has come to the head of a loop that makes calls: since the last call, and between that call and the one before it.
    at_loop: [bool; 2],
    /// The reason why it is not a retry loop.
    pub(crate) flaw: Option<&'static str>,
}

impl<'p> Form<'p> {
    fn at_head(&mut self, body: &'p Expr) {
        let flaw = match self.inside {
            None if self.steps > 0 => Some("an operation is performed before the loop"),
            Some(other) if !std::ptr::eq(other, body) => Some("there is a second loop"),
            _ => None,
        };
        *self = Form { inside: Some(body), steps: 0, flaw: self.flaw.or(flaw), at_loop: self.at_loop };
    }

    /// Whether it came to the head of a loop that makes calls before the call that it wants to make, and after the one before it.
    pub(crate) fn comes_from_loop(&self) -> bool {
        self.at_loop[1]
    }

    pub(super) fn performs(&mut self) {
        if self.steps > 0 {
            self.flaw = self.flaw.or(Some("a second operation is performed in one turn"));
        }
        self.steps += 1;
        self.at_loop = [false, self.at_loop[0]];
    }
}

/// Whether an expression makes calls of the layer below by itself, without those of its helpers.
fn performs(expr: &Expr) -> bool {
    let mut found = matches!(expr.kind, ExprKind::Perform(..));
    expr.for_each_child(&mut |child| found = found || performs(child));
    found
}

impl<'p> Run<'_, 'p> {
    /// Runs the body of a loop once. `Some`: the loop is left with this value.
    fn turn(&mut self, frame: &mut Frame<'p>, body: &'p Expr) -> Result<Option<Value>, Stop> {
        match self.expr(frame, body) {
            Ok(_) | Err(Stop::Continue) => Ok(None),
            Err(Stop::Break(value)) => Ok(Some(value)),
            Err(stop) => Err(stop),
        }
    }

    pub(super) fn while_loop(
        &mut self,
        frame: &mut Frame<'p>,
        condition: &'p Expr,
        body: &'p Expr,
    ) -> Result<Value, Stop> {
        if condition.kind == ExprKind::Maybe {
            return self.star(frame, body);
        }
        let mut seen = BTreeMap::new();
        loop {
            self.at_loop_head(frame, body, &mut seen);
            if !self.is_true(frame, condition)? || self.turn(frame, body)?.is_some() {
                return Ok(Value::UNIT);
            }
        }
    }

    pub(super) fn endless_loop(&mut self, frame: &mut Frame<'p>, body: &'p Expr) -> Result<Value, Stop> {
        let mut seen = BTreeMap::new();
        loop {
            self.at_loop_head(frame, body, &mut seen);
            if let Some(value) = self.turn(frame, body)? {
                return Ok(value);
            }
        }
    }

    /// A procedure that returns to the head of a loop with the same variables as before continues as it did then, so its decisions in
    /// between are removed from the log. Therefore a process that spins has only finitely many situations.
    fn at_loop_head(&mut self, frame: &Frame<'p>, body: &'p Expr, seen: &mut BTreeMap<Vec<Option<Value>>, usize>) {
        if matches!(frame.function.kind, FunctionKind::Procedure(_)) {
            self.form.at_head(body);
            self.form.at_loop[0] |= performs(body);
            match seen.get(&frame.locals) {
                Some(length) => self.log.truncate(*length),
                None => drop(seen.insert(frame.locals.clone(), self.log.len())),
            }
        }
    }

    pub(super) fn sequence(&mut self, frame: &mut Frame<'p>, sequence: &'p Expr) -> Result<Vec<Value>, Stop> {
        match self.expr(frame, sequence)? {
            Value::Seq(elements) => Ok(elements),
            Value::Set(elements) => Ok(elements.into_iter().collect()),
            other => Err(dont_know(&format!("{other} is no sequence"))),
        }
    }

    pub(super) fn for_loop(
        &mut self,
        frame: &mut Frame<'p>,
        pattern: &'p Pattern,
        sequence: &'p Expr,
        body: &'p Expr,
    ) -> Result<Value, Stop> {
        for element in self.sequence(frame, sequence)? {
            if !bind(frame, pattern, &element)? {
                return Err(Stop::Panicked("a pattern does not fit"));
            }
            if self.turn(frame, body)?.is_some() {
                break;
            }
        }
        Ok(Value::UNIT)
    }

    pub(super) fn each(
        &mut self,
        frame: &mut Frame<'p>,
        each: Each,
        sequence: &'p Expr,
        pattern: &'p Pattern,
        body: &'p Expr,
    ) -> Result<Value, Stop> {
        let mut kept = Vec::new();
        for element in self.sequence(frame, sequence)? {
            if !bind(frame, pattern, &element)? {
                return Err(Stop::Panicked("a pattern does not fit"));
            }
            let value = self.expr(frame, body)?;
            let is_true = value == Value::Bool(true);
            match each {
                Each::Map => kept.push(value),
                Each::Filter if is_true => kept.push(element),
                Each::All if !is_true => return Ok(Value::Bool(false)),
                Each::Any if is_true => return Ok(Value::Bool(true)),
                Each::Find if is_true => return Ok(Value::option(Some(element))),
                _ => {}
            }
        }
        Ok(match each {
            Each::Map | Each::Filter => Value::Seq(kept),
            Each::All => Value::Bool(true),
            Each::Any => Value::Bool(false),
            Each::Find => Value::option(None),
        })
    }

    /// `while maybe()`: any number of turns. All ends are found by following one turn after the other; then one of them is chosen.
    fn star(&mut self, frame: &mut Frame<'p>, body: &'p Expr) -> Result<Value, Stop> {
        if matches!(self.below, Below::Stack(_)) {
            return Err(dont_know("`while maybe()` in a procedure"));
        }
        if self.told.is_some() {
            while self.maybe()? && self.turn(frame, body)?.is_none() {}
            return Ok(Value::UNIT);
        }
        let known = self.tape.get(self.at).and_then(|it| it.ends.clone());
        let ends = match known {
            Some(ends) => ends,
            None => Rc::new(self.loop_ends(frame, body)?),
        };
        if ends.is_empty() {
            return Err(Stop::Disabled);
        }
        let picked = self.choose_anew(ends.len(), Some(ends.clone()));
        let (environment, returned) = match ends[picked].clone() {
            LoopEnd::Leaves(environment) => (environment, None),
            LoopEnd::Returns(environment, value) => (environment, Some(value)),
            LoopEnd::Fails => return Err(Stop::Failed),
            LoopEnd::Panics(why) => return Err(Stop::Panicked(why)),
        };
        self.enter(frame, environment);
        returned.map_or(Ok(Value::UNIT), |value| Err(Stop::Return(value)))
    }

    fn loop_ends(&mut self, frame: &Frame<'p>, body: &'p Expr) -> Result<Vec<LoopEnd>, Stop> {
        let start = self.environment(frame);
        let mut ends = BTreeSet::new();
        let mut seen = BTreeSet::from([start.clone()]);
        let mut pending = vec![start];
        while let Some(environment) = pending.pop() {
            ends.insert(LoopEnd::Leaves(environment.clone()));
            let mut unknown = None;
            let turns = self.evaluator.each_run(&[], self.below.clone(), &mut |run| {
                let mut frame = Frame { function: frame.function, locals: Vec::new() };
                run.enter(&mut frame, environment.clone());
                match run.turn(&mut frame, body) {
                    Ok(None) => {
                        let next = run.environment(&frame);
                        if seen.insert(next.clone()) {
                            pending.push(next);
                        }
                    }
                    Ok(Some(_)) => drop(ends.insert(LoopEnd::Leaves(run.environment(&frame)))),
                    Err(Stop::Return(value)) => drop(ends.insert(LoopEnd::Returns(run.environment(&frame), value))),
                    Err(Stop::Disabled) => {}
                    Err(Stop::Failed) => drop(ends.insert(LoopEnd::Fails)),
                    Err(Stop::Panicked(why)) => drop(ends.insert(LoopEnd::Panics(why))),
                    Err(stop) => unknown = Some(stop),
                }
                Ok(())
            });
            turns.map_err(|it| Stop::DontKnow(it.0))?;
            if let Some(stop) = unknown {
                return Err(stop);
            }
            if seen.len() > MOST_TURNS {
                return Err(dont_know("`while maybe()` goes on and on"));
            }
        }
        Ok(ends.into_iter().collect())
    }

    fn environment(&self, frame: &Frame<'p>) -> Environment {
        let state = match &self.below {
            Below::Alone { state, .. } => Some(state.clone()),
            _ => None,
        };
        Environment { locals: frame.locals.clone(), events: self.events.clone(), state }
    }

    fn enter(&mut self, frame: &mut Frame<'p>, environment: Environment) {
        frame.locals = environment.locals;
        self.events = environment.events;
        if let (Below::Alone { state, .. }, Some(changed)) = (&mut self.below, environment.state) {
            *state = changed;
        }
    }
}
