//! A direct evaluator of the IR over plain values, which gives *all* results of what it is asked.
//!
//! Evaluation walks the tree. A choice is a number on a tape; to get all results, the same code is run again and again until every
//! sequence of choices has been tried. A run ends in one of a few ways: it is done, a guard left it ([disabled](Stop::Disabled), which is
//! no result), an assertion failed, or it panicked. What this evaluator cannot decide (no end in sight, code outside the subset) is a
//! [`DontKnow`], never a result.
//!
//! Procedures reach the layer below through [`Below`]: either each step is made at once, on a state that only this procedure changes, or
//! the run stops and says which step it wants ([`crate::search`] interleaves those).
//!
//! Written from `docs/language.md` and the documentation of the IR, and from nothing else of the engine.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use cspec_analysis::ir::{
    Argument, Each, Expr, ExprKind, Function, FunctionId, FunctionKind, LayerId, Literal, Mutation, Pattern, Place,
    Program, Projection, Stmt, Type,
};

use crate::{
    prim,
    stack::Descent,
    value::{Scope, Universe, Value},
};

/// The evaluator did not get to a result. Nothing follows from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DontKnow(pub String);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome<T> {
    /// It returned this, and emitted these events.
    Done(T, Vec<Value>),
    /// An `assert!` did not hold.
    Failed,
    /// A missing key, an overflow, a `match` without a fitting arm.
    Panicked(&'static str),
}

/// How a call of a function ended: its result, and what its in-out parameters hold.
pub type Returned = Outcome<(Value, Vec<Value>)>;

impl<T> Outcome<T> {
    /// What it returned and emitted, if it did.
    pub fn done(&self) -> Option<(&T, &[Value])> {
        match self {
            Outcome::Done(value, events) => Some((value, events)),
            _ => None,
        }
    }
}

/// Why evaluation does not go on to the next expression.
#[derive(Clone, Debug)]
pub enum Stop {
    /// `break`.
    Break(Value),
    /// `continue`.
    Continue,
    /// `return`.
    Return(Value),
    /// The transition does not exist.
    Disabled,
    /// An assertion does not hold.
    Failed,
    /// The code panics.
    Panicked(&'static str),
    /// The procedure wants something that others see: see [`crate::stack`].
    Wants(Want),
    /// No result.
    DontKnow(String),
}

/// What a procedure stops for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// A step of the layer at the end of the stack: the index of the operation, and its arguments.
    Step(usize, Vec<Value>),
    /// To show a value to the outside.
    Show(Value),
}

/// A decision that a run which was stopped has taken, or been given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Logged {
    /// Which alternative was chosen.
    Choice(usize),
    /// What a step of the layer below returned.
    Result(Value),
}

/// A choice that a run is told to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What `maybe()` is.
    Maybe(bool),
    /// What `any()` gives; or anything, if it is not said.
    Any(Option<Value>),
    /// Which element `choose()` takes.
    Element(usize),
}

/// A choice on the tape.
struct Choice {
    picked: usize,
    of: usize,
    /// The ends of a `while maybe()` loop; the same whenever the choices before it are.
    ends: Option<Rc<Vec<LoopEnd>>>,
}

/// One way in which a `while maybe()` loop can end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum LoopEnd {
    Leaves(Environment),
    Returns(Environment, Value),
    Fails,
    Panics(&'static str),
}

/// All that a turn of a loop can change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Environment {
    locals: Vec<Option<Value>>,
    events: Vec<Value>,
    state: Option<Value>,
}

/// What lies below the code that is run.
#[derive(Clone)]
pub enum Below<'a> {
    /// Nothing: an operation, a predicate, a helper.
    Nothing,
    /// A layer, in a state that nobody else changes.
    Alone {
        /// The layer.
        layer: LayerId,
        /// The process.
        me: Value,
        /// The state.
        state: Value,
    },
    /// A stack, whose last layer is shared with others.
    Stack(Descent<'a>),
}

/// Evaluates the functions of a program.
pub struct Evaluator<'p> {
    /// The program.
    pub program: &'p Program,
    /// What `any()` ranges over.
    pub universe: Universe<'p>,
    /// Expressions that may still be evaluated.
    fuel: Cell<u64>,
}

/// The most runs for one question.
const MOST_RUNS: usize = 200_000;
/// The most ways to be in at the head of one `while maybe()` loop.
const MOST_TURNS: usize = 20_000;
/// The deepest nesting of calls.
const MOST_CALLS: u32 = 64;

impl<'p> Evaluator<'p> {
    /// An evaluator whose `any()` ranges over this scope.
    pub fn new(program: &'p Program, scope: Scope) -> Evaluator<'p> {
        Evaluator { program, universe: Universe::new(program, scope), fuel: Cell::new(u64::MAX) }
    }

    /// Sets how many expressions may be evaluated from now on.
    pub fn set_fuel(&self, fuel: u64) {
        self.fuel.set(fuel);
    }

    /// A function of the program.
    pub fn function(&self, id: FunctionId) -> &'p Function {
        &self.program.functions[id.0 as usize]
    }

    /// The types of an operation's arguments, without the state and `me`.
    pub fn argument_types(&self, layer: LayerId, operation: usize) -> Vec<Type> {
        let function = self.function(self.program.layers[layer.0 as usize].operations[operation].function);
        let parameters = function.parameters as usize;
        function.locals[2.min(parameters)..parameters].iter().map(|it| it.ty.clone()).collect()
    }

    /// All outcomes of calling a function: its result, and what its in-out parameters hold at the end.
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn call(&self, function: FunctionId, arguments: &[Value]) -> Result<Vec<Returned>, DontKnow> {
        self.outcomes(|run| run.call(function, arguments.to_vec()))
    }

    /// All outcomes of a step of a layer, as the layer takes it: the result, and the state after it.
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn step(
        &self,
        layer: LayerId,
        operation: usize,
        state: &Value,
        me: &Value,
        arguments: &[Value],
    ) -> Result<Vec<Outcome<(Value, Value)>>, DontKnow> {
        self.outcomes(|run| {
            let mut state = state.clone();
            let result = run.step(layer, operation, &mut state, me, arguments)?;
            Ok((result, state))
        })
    }

    /// The outcomes of a step in which just these choices are made, in this order.
    ///
    /// # Errors
    /// If they cannot be told, or the step makes other choices.
    pub fn told_step(
        &self,
        (layer, operation): (LayerId, usize),
        state: &Value,
        me: &Value,
        arguments: &[Value],
        told: &[Told],
    ) -> Result<Vec<Outcome<(Value, Value)>>, DontKnow> {
        self.outcomes(|run| {
            run.told = Some(told.to_vec());
            let mut state = state.clone();
            let result = run.step(layer, operation, &mut state, me, arguments)?;
            match run.told.as_deref() {
                Some([]) | None => Ok((result, state)),
                Some([next, ..]) => Err(dont_know(&format!("the step ends before it chooses {next:?}"))),
            }
        })
    }

    /// All outcomes of a procedure that runs alone over a layer: the result, and the state after it.
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn procedure(
        &self,
        function: FunctionId,
        layer: LayerId,
        state: &Value,
        me: &Value,
        arguments: &[Value],
    ) -> Result<Vec<Outcome<(Value, Value)>>, DontKnow> {
        self.outcomes(|run| {
            run.below = Below::Alone { layer, me: me.clone(), state: state.clone() };
            let (result, _) = run.call(function, arguments.to_vec())?;
            match std::mem::replace(&mut run.below, Below::Nothing) {
                Below::Alone { state, .. } => Ok((result, state)),
                _ => Err(Stop::DontKnow("a procedure that runs alone ends alone".to_owned())),
            }
        })
    }

    /// Whether all of these predicates hold.
    ///
    /// # Errors
    /// If that cannot be told, or one of them fails or chooses.
    pub fn all_hold(&self, predicates: &[FunctionId], arguments: &[Value]) -> Result<bool, DontKnow> {
        let outcomes = self.outcomes(|run| run.all_hold(predicates, arguments))?;
        match outcomes.as_slice() {
            [Outcome::Done(holds, _)] => Ok(*holds),
            [] => Ok(false),
            _ => Err(DontKnow("a predicate fails or has several values".to_owned())),
        }
    }

    /// Whether a layer may start in a state.
    ///
    /// # Errors
    /// As [`Evaluator::all_hold`].
    pub fn is_initial(&self, layer: LayerId, state: &Value) -> Result<bool, DontKnow> {
        let layer = &self.program.layers[layer.0 as usize];
        let predicates: Vec<FunctionId> = layer.invariants.iter().copied().chain(layer.init).collect();
        self.all_hold(&predicates, std::slice::from_ref(state))
    }

    /// All outcomes of `body`, each once.
    ///
    /// # Errors
    /// If they cannot be told.
    pub fn outcomes<T: Ord>(
        &self,
        mut body: impl FnMut(&mut Run<'_, 'p>) -> Result<T, Stop>,
    ) -> Result<Vec<Outcome<T>>, DontKnow> {
        let mut found = BTreeSet::new();
        self.each_run(&[], Below::Nothing, &mut |run| {
            match body(run) {
                Ok(value) => drop(found.insert(Outcome::Done(value, std::mem::take(&mut run.events)))),
                Err(Stop::Disabled) => {}
                Err(Stop::Failed) => drop(found.insert(Outcome::Failed)),
                Err(Stop::Panicked(why)) => drop(found.insert(Outcome::Panicked(why))),
                Err(Stop::DontKnow(why)) => return Err(DontKnow(why)),
                Err(stop) => return Err(DontKnow(format!("{stop:?} outside of what it leaves"))),
            }
            Ok(())
        })?;
        Ok(found.into_iter().collect())
    }

    /// Calls `body` once for every sequence of choices that it makes after those that are given.
    ///
    /// # Errors
    /// What `body` does not know, or that there are too many runs.
    pub fn each_run<'a>(
        &'a self,
        given: &'a [Logged],
        below: Below<'a>,
        body: &mut dyn FnMut(&mut Run<'a, 'p>) -> Result<(), DontKnow>,
    ) -> Result<(), DontKnow> {
        let mut tape = Vec::new();
        for _ in 0..MOST_RUNS {
            let mut run = Run {
                evaluator: self,
                given,
                taken: 0,
                tape,
                at: 0,
                log: Vec::new(),
                events: Vec::new(),
                below: below.clone(),
                calls: 0,
                told: None,
            };
            body(&mut run)?;
            tape = run.tape;
            if !advance(&mut tape) {
                return Ok(());
            }
        }
        Err(DontKnow("too many runs".to_owned()))
    }
}

/// The next sequence of choices, the last choice first; false after the last sequence.
fn advance(tape: &mut Vec<Choice>) -> bool {
    while let Some(choice) = tape.last_mut() {
        choice.picked += 1;
        if choice.picked < choice.of {
            return true;
        }
        tape.pop();
    }
    false
}

/// One run.
pub struct Run<'a, 'p> {
    evaluator: &'a Evaluator<'p>,
    /// Decisions to begin with.
    given: &'a [Logged],
    taken: usize,
    tape: Vec<Choice>,
    at: usize,
    /// The decisions so far, without those of turns of a loop that came back to where they began.
    pub(crate) log: Vec<Logged>,
    /// Events so far.
    pub(crate) events: Vec<Value>,
    pub(crate) below: Below<'a>,
    calls: u32,
    /// The choices to make, if they are given.
    told: Option<Vec<Told>>,
}

struct Frame<'p> {
    function: &'p Function,
    locals: Vec<Option<Value>>,
}

impl<'a, 'p> Run<'a, 'p> {
    /// The evaluator.
    pub fn evaluator(&self) -> &'a Evaluator<'p> {
        self.evaluator
    }

    /// The next choice that is told, if choices are.
    fn told(&mut self) -> Result<Option<Told>, Stop> {
        match &mut self.told {
            None => Ok(None),
            Some(told) if told.is_empty() => Err(dont_know("the step makes a choice that is not told")),
            Some(told) => Ok(Some(told.remove(0))),
        }
    }

    /// `maybe()`.
    fn maybe(&mut self) -> Result<bool, Stop> {
        match self.told()? {
            None => Ok(self.choose(2)? == 1),
            Some(Told::Maybe(yes)) => Ok(yes),
            Some(other) => Err(dont_know(&format!("{other:?} is told of `maybe()`"))),
        }
    }

    /// `choose()`, by index.
    fn element(&mut self, of: usize) -> Result<usize, Stop> {
        match self.told()? {
            None => self.choose(of),
            Some(Told::Element(index)) if index < of => Ok(index),
            Some(other) => Err(dont_know(&format!("{other:?} is told of `choose()` from {of}"))),
        }
    }

    /// One of so many alternatives; with none, the transition does not exist.
    fn choose(&mut self, of: usize) -> Result<usize, Stop> {
        match of {
            0 => Err(Stop::Disabled),
            1 => Ok(0),
            _ => {
                let picked = match self.given.get(self.taken) {
                    Some(Logged::Choice(picked)) => {
                        self.taken += 1;
                        *picked
                    }
                    Some(Logged::Result(_)) => return Err(dont_know("a run that is repeated goes another way")),
                    None => self.choose_anew(of, None),
                };
                self.log.push(Logged::Choice(picked));
                Ok(picked)
            }
        }
    }

    fn choose_anew(&mut self, of: usize, ends: Option<Rc<Vec<LoopEnd>>>) -> usize {
        if self.at == self.tape.len() {
            self.tape.push(Choice { picked: 0, of, ends });
        }
        self.at += 1;
        self.tape[self.at - 1].picked
    }

    /// What a want gave, if that is known already.
    pub(crate) fn given_result(&mut self) -> Result<Option<Value>, Stop> {
        match self.given.get(self.taken) {
            Some(Logged::Result(value)) => {
                self.taken += 1;
                self.log.push(Logged::Result(value.clone()));
                Ok(Some(value.clone()))
            }
            Some(Logged::Choice(_)) => Err(dont_know("a run that is repeated goes another way")),
            None => Ok(None),
        }
    }

    /// Calls a function; gives its result, and what its in-out parameters hold at the end.
    pub fn call(&mut self, function: FunctionId, arguments: Vec<Value>) -> Result<(Value, Vec<Value>), Stop> {
        if self.calls == MOST_CALLS {
            return Err(dont_know("calls are nested too deeply"));
        }
        self.calls += 1;
        let function = self.evaluator.function(function);
        let mut locals: Vec<Option<Value>> = arguments.into_iter().map(Some).collect();
        locals.resize(function.locals.len(), None);
        let mut frame = Frame { function, locals };
        let result = match self.expr(&mut frame, &function.body) {
            Err(Stop::Return(value)) => value,
            other => other?,
        };
        self.calls -= 1;
        let parameters = 0..function.parameters as usize;
        let inout = parameters.filter(|it| function.locals[*it].inout).filter_map(|it| frame.locals[it].clone());
        Ok((result, inout.collect()))
    }

    /// A step of a layer, as the layer takes it: invariants, background, protocol, the operation, background, invariants.
    pub fn step(
        &mut self,
        layer: LayerId,
        operation: usize,
        state: &mut Value,
        me: &Value,
        arguments: &[Value],
    ) -> Result<Value, Stop> {
        let layer = &self.evaluator.program.layers[layer.0 as usize];
        let operation = &layer.operations[operation];
        self.require(&layer.invariants, state)?;
        self.background(layer.background, state)?;
        let mut all = vec![state.clone(), me.clone()];
        all.extend(arguments.iter().cloned());
        let is_allowed = self.all_hold(&operation.allowed, &all)?;
        let result = if is_allowed {
            self.operation(operation, state, all)?
        } else if layer.protocol.as_ref().is_some_and(|it| it.nilpotent) {
            self.any(&self.evaluator.function(operation.function).result)?
        } else {
            return Err(Stop::Disabled);
        };
        self.background(layer.background, state)?;
        self.require(&layer.invariants, state)?;
        Ok(result)
    }

    /// An operation on its component of the state.
    fn operation(
        &mut self,
        operation: &cspec_analysis::ir::Operation,
        state: &mut Value,
        mut arguments: Vec<Value>,
    ) -> Result<Value, Stop> {
        let mut component = state;
        for field in &operation.component {
            component = prim::field_mut(component, *field)?;
        }
        arguments[0] = component.clone();
        let (result, inout) = self.call(operation.function, arguments)?;
        if let (Some(changed), false) = (inout.into_iter().next(), operation.external) {
            *component = changed;
        }
        Ok(result)
    }

    fn background(&mut self, background: Option<FunctionId>, state: &mut Value) -> Result<(), Stop> {
        let Some(background) = background else { return Ok(()) };
        let (_, inout) = self.call(background, vec![state.clone()])?;
        if let Some(changed) = inout.into_iter().next() {
            *state = changed;
        }
        Ok(())
    }

    fn require(&mut self, invariants: &[FunctionId], state: &Value) -> Result<(), Stop> {
        let holds = self.all_hold(invariants, std::slice::from_ref(state))?;
        if holds { Ok(()) } else { Err(Stop::Disabled) }
    }

    /// Whether all predicates hold, each of its first few parameters.
    fn all_hold(&mut self, predicates: &[FunctionId], arguments: &[Value]) -> Result<bool, Stop> {
        for predicate in predicates {
            let taken = self.evaluator.function(*predicate).parameters as usize;
            let (holds, _) = self.call(*predicate, arguments[..taken.min(arguments.len())].to_vec())?;
            if holds != Value::Bool(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any(&mut self, ty: &Type) -> Result<Value, Stop> {
        if *ty == Type::UNIT {
            return Ok(Value::UNIT);
        }
        match self.told()? {
            None | Some(Told::Any(None)) => {}
            Some(Told::Any(Some(value))) => return Ok(value),
            Some(other) => return Err(dont_know(&format!("{other:?} is told of `any()`"))),
        }
        let all = self.evaluator.universe.values(ty).map_err(|_| dont_know("too many values to choose from"))?;
        let picked = self.choose(all.len())?;
        Ok(all[picked].clone())
    }

    fn emit(&mut self, event: Value) -> Result<(), Stop> {
        if matches!(self.below, Below::Stack(_)) {
            return Err(dont_know("a procedure emits by itself"));
        }
        self.events.push(event);
        Ok(())
    }

    fn exprs(&mut self, frame: &mut Frame<'p>, exprs: &'p [Expr]) -> Result<Vec<Value>, Stop> {
        exprs.iter().map(|it| self.expr(frame, it)).collect()
    }

    fn is_true(&mut self, frame: &mut Frame<'p>, expr: &'p Expr) -> Result<bool, Stop> {
        match self.expr(frame, expr)? {
            Value::Bool(it) => Ok(it),
            other => Err(dont_know(&format!("{other} is no truth value"))),
        }
    }

    fn expr(&mut self, frame: &mut Frame<'p>, expr: &'p Expr) -> Result<Value, Stop> {
        let fuel = self.evaluator.fuel.get();
        if fuel == 0 {
            return Err(dont_know("out of fuel"));
        }
        self.evaluator.fuel.set(fuel - 1);
        match &expr.kind {
            ExprKind::Literal(literal) => literal_value(literal),
            ExprKind::Read(place) => {
                let keys = self.keys(frame, place)?;
                prim::read(local(frame, place)?, &place.path, &keys).cloned()
            }
            ExprKind::Tuple(fields) => Ok(Value::Tuple(self.exprs(frame, fields)?)),
            ExprKind::Variant(tag, fields) => Ok(Value::Variant(*tag, self.exprs(frame, fields)?)),
            ExprKind::Field(value, index) => {
                let mut value = self.expr(frame, value)?;
                prim::field_mut(&mut value, *index).cloned()
            }
            ExprKind::Block(statements, value) => self.block(frame, statements, value.as_deref()),
            ExprKind::If(condition, then, otherwise) => {
                let holds = self.is_true(frame, condition)?;
                self.expr(frame, if holds { then } else { otherwise })
            }
            ExprKind::Match(value, arms) => self.matching(frame, value, arms),
            ExprKind::While(condition, body) => self.while_loop(frame, condition, body),
            ExprKind::Loop(body) => self.endless_loop(frame, body),
            ExprKind::For(pattern, sequence, body) => self.for_loop(frame, pattern, sequence, body),
            ExprKind::Break(value) => {
                let value = self.optional(frame, value.as_deref())?;
                Err(Stop::Break(value))
            }
            ExprKind::Continue => Err(Stop::Continue),
            ExprKind::Return(value) => {
                let value = self.optional(frame, value.as_deref())?;
                Err(Stop::Return(value))
            }
            ExprKind::Assign(place, value) => {
                let keys = self.keys(frame, place)?;
                let value = self.expr(frame, value)?;
                prim::change(local_mut(frame, place), &place.path, &keys, &mut |it| {
                    *it = value.clone();
                    Ok(Value::UNIT)
                })
            }
            ExprKind::Call(function, arguments) => self.call_expr(frame, *function, arguments),
            ExprKind::Perform(name, arguments) => {
                let arguments = self.exprs(frame, arguments)?;
                self.perform(name, arguments)
            }
            ExprKind::Prim(prim, operands) => {
                let operands = self.exprs(frame, operands)?;
                prim::evaluate(*prim, operands, &expr.ty, &self.evaluator.universe)
            }
            ExprKind::Mutate(mutation, place, operands) => self.mutate(frame, *mutation, place, operands),
            ExprKind::And(left, right) => Ok(Value::Bool(self.is_true(frame, left)? && self.is_true(frame, right)?)),
            ExprKind::Or(left, right) => Ok(Value::Bool(self.is_true(frame, left)? || self.is_true(frame, right)?)),
            ExprKind::Each(each, sequence, pattern, body) => self.each(frame, *each, sequence, pattern, body),
            ExprKind::Maybe => Ok(Value::Bool(self.maybe()?)),
            ExprKind::Any => self.any(&expr.ty),
            ExprKind::Choose(sequence) => {
                let elements = self.sequence(frame, sequence)?;
                let picked = self.element(elements.len())?;
                Ok(elements[picked].clone())
            }
            ExprKind::When(condition) => match self.is_true(frame, condition)? {
                true => Ok(Value::UNIT),
                false => Err(Stop::Disabled),
            },
            ExprKind::Assert(condition) => match self.is_true(frame, condition)? {
                true => Ok(Value::UNIT),
                false => Err(Stop::Failed),
            },
            ExprKind::Emit(value) => {
                let value = self.expr(frame, value)?;
                self.emit(Value::Tuple(vec![Value::str("emit"), value]))?;
                Ok(Value::UNIT)
            }
            ExprKind::External => {
                let result = self.any(&frame.function.result)?;
                let name = frame.function.name.rsplit("::").next().unwrap_or_default();
                let parameters = frame.function.parameters as usize;
                let arguments = frame.locals[2.min(parameters)..parameters].iter().flatten().cloned().collect();
                self.emit(Value::Tuple(vec![Value::str(name), Value::Tuple(arguments), result.clone()]))?;
                Ok(result)
            }
            ExprKind::Unsupported => Err(dont_know("code outside the subset")),
        }
    }

    fn optional(&mut self, frame: &mut Frame<'p>, expr: Option<&'p Expr>) -> Result<Value, Stop> {
        expr.map_or(Ok(Value::UNIT), |it| self.expr(frame, it))
    }

    fn block(&mut self, frame: &mut Frame<'p>, statements: &'p [Stmt], value: Option<&'p Expr>) -> Result<Value, Stop> {
        for statement in statements {
            match statement {
                Stmt::Let(pattern, value) => {
                    let value = self.expr(frame, value)?;
                    if !bind(frame, pattern, &value)? {
                        return Err(Stop::Panicked("a pattern does not fit"));
                    }
                }
                Stmt::Expr(expr) => drop(self.expr(frame, expr)?),
            }
        }
        self.optional(frame, value)
    }

    fn matching(
        &mut self,
        frame: &mut Frame<'p>,
        value: &'p Expr,
        arms: &'p [cspec_analysis::ir::Arm],
    ) -> Result<Value, Stop> {
        let value = self.expr(frame, value)?;
        for arm in arms {
            if !bind(frame, &arm.pattern, &value)? {
                continue;
            }
            let fits = match &arm.guard {
                Some(guard) => self.is_true(frame, guard)?,
                None => true,
            };
            if fits {
                return self.expr(frame, &arm.body);
            }
        }
        Err(Stop::Panicked("no arm of a `match` fits"))
    }

    /// The body of a loop, once. `Some`: the loop is left with this value.
    fn turn(&mut self, frame: &mut Frame<'p>, body: &'p Expr) -> Result<Option<Value>, Stop> {
        match self.expr(frame, body) {
            Ok(_) | Err(Stop::Continue) => Ok(None),
            Err(Stop::Break(value)) => Ok(Some(value)),
            Err(stop) => Err(stop),
        }
    }

    fn while_loop(&mut self, frame: &mut Frame<'p>, condition: &'p Expr, body: &'p Expr) -> Result<Value, Stop> {
        if condition.kind == ExprKind::Maybe {
            return self.star(frame, body);
        }
        let mut seen = BTreeMap::new();
        loop {
            self.at_loop_head(frame, &mut seen);
            if !self.is_true(frame, condition)? || self.turn(frame, body)?.is_some() {
                return Ok(Value::UNIT);
            }
        }
    }

    fn endless_loop(&mut self, frame: &mut Frame<'p>, body: &'p Expr) -> Result<Value, Stop> {
        let mut seen = BTreeMap::new();
        loop {
            self.at_loop_head(frame, &mut seen);
            if let Some(value) = self.turn(frame, body)? {
                return Ok(value);
            }
        }
    }

    /// A procedure that comes back to the head of a loop with the variables that it had there before goes on just as then: what it
    /// decided in between is taken out of the log. So a process that spins is in finitely many situations.
    fn at_loop_head(&mut self, frame: &Frame<'p>, seen: &mut BTreeMap<Vec<Option<Value>>, usize>) {
        if matches!(frame.function.kind, FunctionKind::Procedure(_)) {
            match seen.get(&frame.locals) {
                Some(length) => self.log.truncate(*length),
                None => drop(seen.insert(frame.locals.clone(), self.log.len())),
            }
        }
    }

    fn sequence(&mut self, frame: &mut Frame<'p>, sequence: &'p Expr) -> Result<Vec<Value>, Stop> {
        match self.expr(frame, sequence)? {
            Value::Seq(elements) => Ok(elements),
            Value::Set(elements) => Ok(elements.into_iter().collect()),
            other => Err(dont_know(&format!("{other} is no sequence"))),
        }
    }

    fn for_loop(
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

    fn each(
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

    /// `while maybe()`: any number of turns. All ends are found by going from one turn to the next, and one of them is chosen.
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

    fn call_expr(
        &mut self,
        frame: &mut Frame<'p>,
        function: FunctionId,
        arguments: &'p [Argument],
    ) -> Result<Value, Stop> {
        let mut values = Vec::new();
        let mut places = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Value(value) => values.push(self.expr(frame, value)?),
                Argument::InOut(place) => {
                    let keys = self.keys(frame, place)?;
                    values.push(prim::read(local(frame, place)?, &place.path, &keys)?.clone());
                    places.push((place, keys));
                }
            }
        }
        let (result, inout) = self.call(function, values)?;
        for ((place, keys), value) in places.into_iter().zip(inout) {
            prim::change(local_mut(frame, place), &place.path, &keys, &mut |it| {
                *it = value.clone();
                Ok(Value::UNIT)
            })?;
        }
        Ok(result)
    }

    fn mutate(
        &mut self,
        frame: &mut Frame<'p>,
        mutation: Mutation,
        place: &'p Place,
        operands: &'p [Expr],
    ) -> Result<Value, Stop> {
        let keys = self.keys(frame, place)?;
        let operands = self.exprs(frame, operands)?;
        prim::change(local_mut(frame, place), &place.path, &keys, &mut |it| {
            prim::mutate(mutation, it, operands.clone())
        })
    }

    /// The keys in a place, in order.
    fn keys(&mut self, frame: &mut Frame<'p>, place: &'p Place) -> Result<Vec<Value>, Stop> {
        let mut keys = Vec::new();
        for projection in &place.path {
            if let Projection::Index(key) = projection {
                keys.push(self.expr(frame, key)?);
            }
        }
        Ok(keys)
    }

    /// A step of the layer below, by name.
    pub(crate) fn perform(&mut self, name: &str, arguments: Vec<Value>) -> Result<Value, Stop> {
        match std::mem::replace(&mut self.below, Below::Nothing) {
            Below::Nothing => Err(dont_know("there is no layer below")),
            Below::Alone { layer, me, mut state } => {
                let operations = &self.evaluator.program.layers[layer.0 as usize].operations;
                let operation = operations.iter().position(|it| it.name == name);
                let operation = operation.ok_or_else(|| dont_know("there is no such operation below"))?;
                let result = self.step(layer, operation, &mut state, &me, &arguments)?;
                self.below = Below::Alone { layer, me, state };
                Ok(result)
            }
            Below::Stack(descent) => {
                self.below = Below::Stack(descent.clone());
                descent.perform(self, name, arguments)
            }
        }
    }
}

/// What is not known, and why.
pub(crate) fn dont_know(why: &str) -> Stop {
    Stop::DontKnow(why.to_owned())
}

/// A literal.
pub(crate) fn literal_value(literal: &Literal) -> Result<Value, Stop> {
    Ok(match literal {
        Literal::Bool(it) => Value::Bool(*it),
        Literal::Int(it) => Value::Int(i128::from(*it)),
        Literal::Str(it) => Value::str(it),
        Literal::Scalar(Type::Pid, text) => match text.parse() {
            Ok(number) => Value::Pid(number),
            Err(_) => return Err(dont_know("a process that is no number")),
        },
        Literal::Scalar(_, text) => Value::Scalar(Rc::from(text.as_str())),
    })
}

fn local<'f>(frame: &'f Frame<'_>, place: &Place) -> Result<&'f Value, Stop> {
    let value = frame.locals[place.local.0 as usize].as_ref();
    value.ok_or_else(|| dont_know("a variable is read before it is written"))
}

fn local_mut<'f>(frame: &'f mut Frame<'_>, place: &Place) -> &'f mut Value {
    // A variable declared without a value is whole once it is assigned to.
    frame.locals[place.local.0 as usize].get_or_insert(Value::UNIT)
}

/// Whether the value fits the pattern; binds its names.
fn bind(frame: &mut Frame<'_>, pattern: &Pattern, value: &Value) -> Result<bool, Stop> {
    Ok(match (pattern, value) {
        (Pattern::Wild, _) => true,
        (Pattern::Bind(local), _) => {
            frame.locals[local.0 as usize] = Some(value.clone());
            true
        }
        (Pattern::At(local, inner), _) => {
            frame.locals[local.0 as usize] = Some(value.clone());
            bind(frame, inner, value)?
        }
        (Pattern::Literal(literal), _) => literal_value(literal)? == *value,
        (Pattern::Tuple(patterns), Value::Tuple(fields)) => all_bind(frame, patterns, fields)?,
        (Pattern::Variant(tag, patterns), Value::Variant(is, fields)) => {
            tag == is && all_bind(frame, patterns, fields)?
        }
        (Pattern::Or(alternatives), _) => {
            for alternative in alternatives {
                if bind(frame, alternative, value)? {
                    return Ok(true);
                }
            }
            false
        }
        (Pattern::Tuple(_) | Pattern::Variant(..), other) => {
            return Err(dont_know(&format!("{other} is not of the pattern's type")));
        }
    })
}

fn all_bind(frame: &mut Frame<'_>, patterns: &[Pattern], values: &[Value]) -> Result<bool, Stop> {
    for (pattern, value) in patterns.iter().zip(values) {
        if !bind(frame, pattern, value)? {
            return Ok(false);
        }
    }
    Ok(true)
}
