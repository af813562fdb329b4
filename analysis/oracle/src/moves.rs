//! Steps of a layer over numbered states and calls, and whether calls move: what the shape of a procedure is about, looked up once.
//!
//! A call with its arguments moves in one state, for one result, if it emits nothing there with this result, and past every step of every other
//! process: the same as for a whole operation ([`crate::claims`]), for this call. Processes other than [`ME`] make the steps of operations that
//! some procedure of the implementation calls or passes on, with all arguments. Where it is claimed only that a call moves left past decisive
//! steps, it has to be silent, and not to hide failures: that is less.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use cspec_analysis::ir::{Expr, ExprKind, LayerId, Literal};
use rustc_hash::FxHashMap;

use crate::{
    claims::{Claims, ME, States},
    eval::{DontKnow, Outcome},
    shape::Called,
    value::Value,
};

/// A state, by number.
pub(crate) type State = u32;

/// An operation with arguments, by number.
pub(crate) type Call = u32;

/// The way a step ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Done { result: Value, after: State, events: Rc<[Value]> },
    Failed,
    Panicked,
}

/// Where a call is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum To {
    Right,
    Left,
}

/// The most states that others are followed to from one state. Fewer states are less to judge a call in, so that less is claimed.
const MOST_STATES: usize = 120;

/// The most steps that are looked up for one obligation.
const MOST_LOOKED_UP: u64 = 400_000;

type StepsOf = FxHashMap<(Call, u64, State), Rc<Vec<Step>>>;

/// The steps of a layer.
pub(crate) struct Moves<'c, 'p> {
    claims: &'c Claims<'p>,
    layer: LayerId,
    /// The steps of others: which call, by which process.
    others: Vec<(Call, u64)>,
    states: RefCell<Numbered<Value>>,
    calls: RefCell<Numbered<(usize, Vec<Value>)>>,
    steps: RefCell<StepsOf>,
    reached: RefCell<FxHashMap<State, Rc<Vec<State>>>>,
    moving: RefCell<FxHashMap<(To, Call, Value, State), bool>>,
    looked_up: Cell<u64>,
}

/// Things in the order in which they were met.
struct Numbered<T> {
    all: Vec<T>,
    numbers: FxHashMap<T, u32>,
}

impl<T: Clone + Eq + std::hash::Hash> Numbered<T> {
    fn new() -> Numbered<T> {
        Numbered { all: Vec::new(), numbers: FxHashMap::default() }
    }

    fn number(&mut self, one: T) -> u32 {
        let next = self.all.len() as u32;
        let all = &mut self.all;
        *self.numbers.entry(one).or_insert_with_key(|one| {
            all.push(one.clone());
            next
        })
    }
}

/// Whether an expression may have this value, as far as its text tells.
fn may_be(text: &Expr, value: &Value) -> bool {
    let all = |texts: &[Expr], values: &[Value]| texts.iter().zip(values).all(|(text, value)| may_be(text, value));
    match (&text.kind, value) {
        (ExprKind::Literal(Literal::Bool(text)), Value::Bool(value)) => text == value,
        (ExprKind::Literal(Literal::Int(text)), Value::Int(value)) => text == value,
        (ExprKind::Variant(text, parts), Value::Variant(tag, values)) => text == tag && all(parts, values),
        (ExprKind::Tuple(parts), Value::Tuple(values)) => all(parts, values),
        _ => true,
    }
}

impl<'c, 'p> Moves<'c, 'p> {
    /// The steps of a layer in which others call these operations, with arguments that some text of a call can give. Without a text, they may
    /// be any.
    pub(crate) fn new(
        claims: &'c Claims<'p>,
        layer: LayerId,
        called: &Called<'p>,
        states: &mut States,
    ) -> Moves<'c, 'p> {
        let (steps, reached, moving, looked_up) = Default::default();
        let (numbered, calls) = (RefCell::new(Numbered::new()), RefCell::new(Numbered::new()));
        let others = Vec::new();
        let mut moves = Moves { claims, layer, others, states: numbered, calls, steps, reached, moving, looked_up };
        for (&operation, texts) in called {
            let types = claims.evaluator.argument_types(layer, operation);
            for arguments in states.arguments(&claims.evaluator, &types) {
                let fits = |text: &&[Expr]| text.iter().zip(&arguments).all(|(text, value)| may_be(text, value));
                if !texts.iter().any(|text| text.as_ref().is_none_or(fits)) {
                    continue;
                }
                let call = moves.call(operation, arguments);
                moves.others.extend((1..claims.evaluator.universe.scope().pids).map(|process| (call, process)));
            }
        }
        moves
    }

    pub(crate) fn state(&self, state: &Value) -> State {
        self.states.borrow_mut().number(state.clone())
    }

    pub(crate) fn value(&self, state: State) -> Value {
        self.states.borrow().all[state as usize].clone()
    }

    pub(crate) fn call(&self, operation: usize, arguments: Vec<Value>) -> Call {
        self.calls.borrow_mut().number((operation, arguments))
    }

    /// The operation and the arguments of a call.
    pub(crate) fn called(&self, call: Call) -> (usize, Vec<Value>) {
        self.calls.borrow().all[call as usize].clone()
    }

    /// The own steps of a call.
    pub(crate) fn mine(&self, call: Call, state: State) -> Result<Rc<Vec<Step>>, DontKnow> {
        self.steps(call, 0, state)
    }

    fn steps(&self, call: Call, process: u64, state: State) -> Result<Rc<Vec<Step>>, DontKnow> {
        self.looked_up.set(self.looked_up.get() + 1);
        if self.looked_up.get() > MOST_LOOKED_UP {
            return Err(DontKnow("too many steps".to_owned()));
        }
        if let Some(steps) = self.steps.borrow().get(&(call, process, state)) {
            return Ok(steps.clone());
        }
        let (operation, arguments) = self.called(call);
        let process_of = if process == 0 { ME } else { Value::Pid(process) };
        let outcomes =
            self.claims.evaluator.step(self.layer, operation, &self.value(state), &process_of, &arguments)?;
        let step = |outcome: Outcome<(Value, Value)>| match outcome {
            Outcome::Done((result, after), events) => {
                Step::Done { result, after: self.state(&after), events: events.into() }
            }
            Outcome::Failed => Step::Failed,
            Outcome::Panicked(_) => Step::Panicked,
        };
        let steps: Rc<Vec<Step>> = Rc::new(outcomes.into_iter().map(step).collect());
        self.steps.borrow_mut().insert((call, process, state), steps.clone());
        Ok(steps)
    }

    /// The states that others lead to from a state, and that state.
    pub(crate) fn reached(&self, from: State) -> Result<Rc<Vec<State>>, DontKnow> {
        if let Some(reached) = self.reached.borrow().get(&from) {
            return Ok(reached.clone());
        }
        let mut reached = vec![from];
        let mut seen: std::collections::HashSet<State> = reached.iter().copied().collect();
        let mut at = 0;
        while at < reached.len() && reached.len() < MOST_STATES {
            for &(call, process) in &self.others {
                for step in self.steps(call, process, reached[at])?.iter() {
                    if let Step::Done { after, .. } = step
                        && seen.insert(*after)
                    {
                        reached.push(*after);
                    }
                }
            }
            at += 1;
        }
        let reached = Rc::new(reached);
        self.reached.borrow_mut().insert(from, reached.clone());
        Ok(reached)
    }

    /// Whether a call moves in all of these states, for one result.
    pub(crate) fn moves(&self, to: To, call: Call, result: &Value, states: &[State]) -> Result<bool, DontKnow> {
        for &state in states {
            let key = (to, call, result.clone(), state);
            let known = self.moving.borrow().get(&key).copied();
            let moves = match known {
                Some(moves) => moves,
                None => {
                    let moves = self.moves_in(to, call, result, state)?;
                    self.moving.borrow_mut().insert(key, moves);
                    moves
                }
            };
            if !moves {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn moves_in(&self, to: To, call: Call, result: &Value, state: State) -> Result<bool, DontKnow> {
        let is_it =
            |step: &Step| matches!(step, Step::Done { result: it, events, .. } if it == result && !events.is_empty());
        if self.mine(call, state)?.iter().any(is_it) {
            return Ok(false);
        }
        for &(other, process) in &self.others {
            let moves = match to {
                To::Right => self.past(call, result, (other, process), state)?,
                To::Left => self.before(call, result, (other, process), state)?,
            };
            if !moves {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `s --mine--> s1 --theirs--> s2` implies `s --theirs--> s' --mine--> s2`, with the same results and events.
    fn past(&self, call: Call, result: &Value, (other, process): (Call, u64), state: State) -> Result<bool, DontKnow> {
        let theirs_first = self.steps(other, process, state)?;
        for mine in self.mine(call, state)?.iter() {
            let Step::Done { result: it, after: middle, .. } = mine else { continue };
            if it != result {
                continue;
            }
            for theirs in self.steps(other, process, *middle)?.iter() {
                let found = match theirs {
                    Step::Failed => theirs_first.contains(&Step::Failed),
                    Step::Panicked => true,
                    Step::Done { result: shown, after: end, events } => {
                        let mut found = false;
                        for first in theirs_first.iter() {
                            if let Step::Done { result, after: middle, events: emitted } = first
                                && (result, emitted) == (shown, events)
                            {
                                found |= self.leads_to(call, it, *middle, *end)?;
                            }
                        }
                        found
                    }
                };
                if !found {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether an own step with a result leads from one state to another, and emits nothing.
    fn leads_to(&self, call: Call, wanted: &Value, from: State, to: State) -> Result<bool, DontKnow> {
        let is_it = |step: &Step| matches!(step, Step::Done { result, after, events } if result == wanted && *after == to && events.is_empty());
        Ok(self.mine(call, from)?.iter().any(is_it))
    }

    /// `s --theirs--> s1 --mine--> s2` implies `s --mine--> s' --theirs--> s2`, with the same results and events. If theirs fails first, mine
    /// is enabled, and theirs may fail after it.
    fn before(
        &self,
        call: Call,
        result: &Value,
        (other, process): (Call, u64),
        state: State,
    ) -> Result<bool, DontKnow> {
        let mine_first = self.mine(call, state)?;
        for theirs in self.steps(other, process, state)?.iter() {
            match theirs {
                Step::Panicked => {}
                Step::Failed => {
                    let mut fails = false;
                    for mine in mine_first.iter() {
                        if let Step::Done { after, .. } = mine {
                            fails |= self.steps(other, process, *after)?.contains(&Step::Failed);
                        }
                    }
                    if !fails {
                        return Ok(false);
                    }
                }
                // Which steps are decisive is not known here.
                Step::Done { .. } if self.claims.past_decisive => {}
                Step::Done { result: shown, after: middle, events } => {
                    for mine in self.mine(call, *middle)?.iter() {
                        let Step::Done { result: it, after: end, events: mine_emitted } = mine else { continue };
                        if it != result {
                            continue;
                        }
                        let wanted = Step::Done { result: shown.clone(), after: *end, events: events.clone() };
                        let mut found = false;
                        for first in mine_first.iter() {
                            if let Step::Done { result, after, events } = first
                                && (result, events) == (it, mine_emitted)
                            {
                                found |= self.steps(other, process, *after)?.contains(&wanted);
                            }
                        }
                        if !found {
                            return Ok(false);
                        }
                    }
                }
            }
        }
        Ok(true)
    }
}
