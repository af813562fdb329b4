//! A direct evaluator of the IR over plain values, which returns *all* results of a call.
//!
//! Evaluation walks the tree. A choice is a number on a tape; to get all results, the same code is run repeatedly until every sequence of
//! choices has been tried. A run ends in one of a few ways: it is done, a guard excluded it ([disabled](Stop::Disabled), which is not a
//! result), an assertion failed, or it panicked. What this evaluator cannot decide (a loop that does not end, code outside the subset) is a
//! [`DontKnow`], never a result.
//!
//! Procedures reach the layer below through [`Below`]: either each step is made at once, on a state that only this procedure changes, or
//! the run stops and names the step that it wants ([`crate::search`] interleaves those).
//!
//! It is written from `docs/language.md` and the documentation of the IR, independently of the engine.

use std::{cell::Cell, collections::BTreeSet, rc::Rc};

use cspec_analysis::ir::{Function, FunctionId, LayerId, Program, Type};

use self::{
    choices::advance,
    loops::{Form, LoopEnd},
};
use crate::{
    stack::Descent,
    value::{Scope, Universe, Value},
};

mod choices;
mod expr;
mod loops;
mod steps;

/// The evaluator found no result, for this reason. Nothing follows from that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DontKnow(pub String);

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome<T> {
    /// The run returned this value and emitted these events.
    Done(T, Vec<Value>),
    /// An `assert!` of the code failed.
    Failed,
    /// The code panicked, because of a missing key, an overflow, or a `match` without a fitting arm.
    Panicked(&'static str),
}

/// The end of a call of a function: its result, and the final values of its in-out parameters.
pub type Returned = Outcome<(Value, Vec<Value>)>;

impl<T> Outcome<T> {
    /// The returned value and the emitted events, if the run returned.
    pub fn done(&self) -> Option<(&T, &[Value])> {
        match self {
            Outcome::Done(value, events) => Some((value, events)),
            _ => None,
        }
    }
}

/// The reason why evaluation does not continue with the next expression.
#[derive(Clone, Debug)]
pub enum Stop {
    /// A `break` with this value.
    Break(Value),
    /// A `continue` of the innermost loop.
    Continue,
    /// A `return` of this value.
    Return(Value),
    /// The transition does not exist.
    Disabled,
    /// An assertion does not hold.
    Failed,
    /// The code panics, for this reason.
    Panicked(&'static str),
    /// The procedure wants to do something that others can see: see [`crate::stack`].
    Wants(Want),
    /// The evaluator cannot decide, for this reason.
    DontKnow(String),
}

/// The action at which a procedure stops.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// A step of the layer at the end of the stack: the index of the operation, and its arguments.
    Step(usize, Vec<Value>),
    /// Shows a value to the outside.
    Show(Value),
}

/// A decision in the log of a stopped run, taken or given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Logged {
    /// The index of the chosen alternative.
    Choice(usize),
    /// The result of a step of the layer below.
    Result(Value),
}

/// A choice that a run has to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The value of `maybe()`.
    Maybe(bool),
    /// The value of `any()`; `None` if it may be anything.
    Any(Option<Value>),
    /// The index of the element that `choose()` takes.
    Element(usize),
}

/// A choice on the tape.
struct Choice {
    picked: usize,
    of: usize,
    /// The ends of a `while maybe()` loop; they depend only on the earlier choices.
    ends: Option<Rc<Vec<LoopEnd>>>,
}

/// The layers below the code that is run.
#[derive(Clone)]
pub enum Below<'a> {
    /// No layer: the code is an operation, a predicate or a helper.
    Nothing,
    /// A layer in a state that only this code changes.
    Alone {
        layer: LayerId,
        /// The process that performs the steps.
        me: Value,
        state: Value,
    },
    /// A stack, whose lowest layer is shared with other processes.
    Stack(Descent<'a>),
}

/// Evaluates the functions of a program.
pub struct Evaluator<'p> {
    pub program: &'p Program,
    /// The values of states and arguments.
    pub universe: Universe<'p>,
    /// The values that `any()` ranges over.
    pub choices: Universe<'p>,
    /// The treatment of plain operators whose result does not fit 64 bits.
    pub(crate) beyond: Beyond,
    /// The number of expressions that may still be evaluated.
    fuel: Cell<u64>,
}

/// The treatment of a plain `+`, `-` or `*` on 64 bits whose result does not fit. The checker assumes that this does not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// The result is the mathematical one.
    Unlimited,
    /// The run is excluded.
    LeftOut,
}

/// The maximum number of runs for one question.
const MOST_RUNS: usize = 200_000;
/// The maximum number of states at the head of one `while maybe()` loop.
const MOST_TURNS: usize = 20_000;
/// The maximum depth of calls.
const MOST_CALLS: u32 = 64;

impl<'p> Evaluator<'p> {
    /// Creates an evaluator whose `any()` ranges over this scope.
    pub fn new(program: &'p Program, scope: Scope) -> Evaluator<'p> {
        Evaluator::with_spare(program, scope, 0)
    }

    /// Creates an evaluator whose `any()` ranges over this scope and additional scalars, which occur in no state.
    pub fn with_spare(program: &'p Program, scope: Scope, spare: usize) -> Evaluator<'p> {
        let choices = Scope { scalars: scope.scalars + spare, ..scope.clone() };
        let (universe, choices) = (Universe::new(program, scope), Universe::new(program, choices));
        Evaluator { program, universe, choices, beyond: Beyond::Unlimited, fuel: Cell::new(u64::MAX) }
    }

    /// Excludes runs in which 64-bit arithmetic overflows.
    #[must_use]
    pub fn without_overflow(self) -> Evaluator<'p> {
        Evaluator { beyond: Beyond::LeftOut, ..self }
    }

    /// Sets the number of expressions that may be evaluated from now on.
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

    /// All outcomes of calling a function: its result, and the final values of its in-out parameters.
    ///
    /// # Errors
    /// If they cannot be determined.
    pub fn call(&self, function: FunctionId, arguments: &[Value]) -> Result<Vec<Returned>, DontKnow> {
        self.outcomes(|run| run.call(function, arguments.to_vec()))
    }

    /// All outcomes of a step of a layer: the result, and the state after it.
    ///
    /// # Errors
    /// If they cannot be determined.
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

    /// The outcomes of a step that makes exactly these choices, in this order.
    ///
    /// # Errors
    /// If they cannot be determined, or the step makes other choices.
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
    /// If they cannot be determined.
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
    /// If that cannot be determined, or one of them fails or makes choices.
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
    /// If they cannot be determined.
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

    /// Calls `body` once for every sequence of choices after the given ones.
    ///
    /// # Errors
    /// If a run of `body` cannot be decided, or there are too many runs.
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
                form: Form::default(),
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

pub struct Run<'a, 'p> {
    evaluator: &'a Evaluator<'p>,
    /// The decisions that the run begins with.
    given: &'a [Logged],
    taken: usize,
    tape: Vec<Choice>,
    at: usize,
    /// The decisions so far, without those of loop turns that returned to their starting point.
    pub(crate) log: Vec<Logged>,
    /// The events that were emitted so far.
    pub(crate) events: Vec<Value>,
    pub(crate) below: Below<'a>,
    calls: u32,
    /// The choices to make, if they are given.
    told: Option<Vec<Told>>,
    pub(crate) form: Form<'p>,
}

struct Frame<'p> {
    function: &'p Function,
    locals: Vec<Option<Value>>,
}

impl<'a, 'p> Run<'a, 'p> {
    pub fn evaluator(&self) -> &'a Evaluator<'p> {
        self.evaluator
    }
}

/// Stops the run because something cannot be decided.
pub(crate) fn dont_know(why: &str) -> Stop {
    Stop::DontKnow(why.to_owned())
}
