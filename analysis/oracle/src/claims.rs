//! The obligations once more, as statements over plain values. Each is refuted by a state in which it fails, or not at all.
//!
//! They are written from `docs/` and from the formal statements at the top of the obligations, as loops over states, arguments and outcomes. A universe
//! that is small enough is enumerated; otherwise states are random.

use std::collections::BTreeSet;

use cspec_analysis::{
    ir::{Abstraction, Code, Expr, ExprKind, FunctionId, Implementation, Justification, LayerId, Program, Type},
    verdict::ObligationName,
};
use fastrand::Rng;

use crate::{
    eval::{DontKnow, Evaluator, Outcome},
    fuzz::{is_related, related},
    keyed::End,
    literals,
    shape::{Called, Procedure},
    value::{Scope, Value},
};

/// A call in the text of a procedure: the operation, and its arguments. An operation that is passed on has no such text.
type CallText<'p> = (&'p str, Option<&'p [Expr]>);

/// Which states to look at.
pub struct States<'r> {
    most: usize,
    random: &'r mut Rng,
    /// How many states have been looked at.
    pub seen: usize,
    /// Only these, and rows of arguments to begin with.
    only: Option<(Vec<Value>, Vec<Vec<Value>>)>,
}

impl<'r> States<'r> {
    /// All states if there are no more than `most`, or else so many random ones.
    pub fn all_or(most: usize, random: &'r mut Rng) -> States<'r> {
        States { most, random, seen: 0, only: None }
    }

    /// Only these states, each where it is of the type; and these arguments before others.
    pub fn only(states: Vec<Value>, arguments: Vec<Vec<Value>>, random: &'r mut Rng) -> States<'r> {
        States { most: 200, random, seen: 0, only: Some((states, arguments)) }
    }

    /// Where to draw from.
    pub(crate) fn random(&mut self) -> &mut Rng {
        self.random
    }

    /// Whether these are given, to be looked at without exception.
    pub(crate) fn are_given(&self) -> bool {
        self.only.is_some()
    }

    pub(crate) fn of(&mut self, evaluator: &Evaluator<'_>, ty: &Type) -> Vec<Value> {
        let states = match &self.only {
            Some((states, _)) => states.iter().filter(|it| evaluator.universe.belongs(it, ty)).cloned().collect(),
            None => match self.few(evaluator, ty, self.most) {
                Some(all) => all,
                None => (0..self.most).filter_map(|_| evaluator.universe.sample(ty, self.random)).collect(),
            },
        };
        self.seen += states.len();
        states
    }

    /// All values of a type, if there are no more than `most`.
    fn few(&self, evaluator: &Evaluator<'_>, ty: &Type, most: usize) -> Option<Vec<Value>> {
        let universe = &evaluator.universe;
        let is_few = universe.count(ty) <= most;
        is_few.then(|| universe.values(ty)).and_then(Result::ok).map(|it| it.to_vec())
    }

    /// All rows of arguments, or a few random ones.
    pub(crate) fn arguments(&mut self, evaluator: &Evaluator<'_>, types: &[Type]) -> Vec<Vec<Value>> {
        let ty = Type::Tuple(types.to_vec());
        let rows = match self.few(evaluator, &ty, if self.only.is_some() { 300 } else { 12 }) {
            Some(all) => all,
            None => (0..6).filter_map(|_| evaluator.universe.sample(&ty, self.random)).collect(),
        };
        let fields = |row| match row {
            Value::Tuple(fields) => fields,
            _ => Vec::new(),
        };
        let given = self.only.iter().flat_map(|it| &it.1).map(|it| Value::Tuple(it.clone()));
        let given: Vec<Value> = given.filter(|it| evaluator.universe.belongs(it, &ty)).collect();
        given.into_iter().chain(rows).map(fields).collect()
    }
}

/// Refutes obligations of a program.
pub struct Claims<'p> {
    /// What evaluates.
    pub evaluator: Evaluator<'p>,
    program: &'p Program,
    /// How many expressions may be evaluated for one obligation.
    pub fuel: u64,
    /// Whether what is claimed of a shape is only that calls move left past decisive steps.
    pub past_decisive: bool,
}

/// The steps of one run: of a pair, two. A procedure may take more; those that choose scalars are few.
const STEPS: usize = 2;

/// The most scalars that are kept for choices: each makes a choice longer.
const MOST_SPARE: usize = 8;

/// The fuel of the evaluator of operations above, as a multiple of that of the others.
const MORE_FUEL: u64 = 8;

/// A step: the result and the state after it, and the events.
pub(crate) type Steps = Vec<Outcome<(Value, Value)>>;

/// The process that an obligation is about, and another one.
pub(crate) const ME: Value = Value::Pid(0);
pub(crate) const OTHER: Value = Value::Pid(1);

pub(crate) fn fails(steps: &Steps) -> bool {
    steps.contains(&Outcome::Failed)
}

pub(crate) fn done(steps: &Steps) -> impl Iterator<Item = (&Value, &Value, &[Value])> {
    steps.iter().filter_map(|it| it.done().map(|((result, state), events)| (result, state, events)))
}

pub(crate) fn unsupported(what: &str) -> DontKnow {
    DontKnow(format!("{what} is not stated here"))
}

impl<'p> Claims<'p> {
    /// Claims about a program, in a universe. Of scalars there is always one more: after the choices of the run that is given, there are
    /// scalars left for the choices of the run that is to match it.
    pub fn new(program: &'p Program, scope: Scope) -> Claims<'p> {
        let spare = (2 * STEPS * literals::choices_of_scalars(program)).min(MOST_SPARE);
        Claims { evaluator: Evaluator::with_spare(program, scope, spare), program, fuel: 400_000, past_decisive: false }
    }

    /// An evaluator of the operations above: what the layer below computes may be among what they choose. So its runs are more, and it has
    /// more fuel.
    pub(crate) fn with_more_to_choose(&self) -> Evaluator<'p> {
        let scope = self.evaluator.universe.scope();
        let ints = (0..=2 * MOST_SPARE as i128).chain(scope.ints.iter().copied()).collect();
        let evaluator = Evaluator::with_spare(self.program, Scope { ints, ..scope.clone() }, 2 * MOST_SPARE);
        evaluator.set_fuel(self.fuel.saturating_mul(MORE_FUEL));
        evaluator
    }

    /// A state in which an obligation fails, and how, if there is one among these.
    ///
    /// # Errors
    /// If the obligation is of a kind that is not stated here, or evaluation gives up.
    pub fn refute(&self, name: &ObligationName, states: &mut States) -> Result<Option<String>, DontKnow> {
        self.evaluator.set_fuel(self.fuel);
        match name.kind {
            "absorbs-background" => Err(unsupported(name.kind)),
            "initial" | "simulation" | "atomic-spec" | "shape" | "follows" | "turn" | "own-key" | "other-keys"
            | "check" => {
                let implementation = self.program.implementations.iter().find(|it| it.name == name.implementation);
                self.of_implementation(name, implementation.ok_or_else(|| unsupported("a name"))?, states)
            }
            "never-fails" => self.never(name, states, |it| !matches!(it, Outcome::Done(..))),
            "no-panic" => self.never(name, states, |it| matches!(it, Outcome::Panicked(_))),
            "silent" => self.never(name, states, |it| match it {
                Outcome::Done(_, events) => !events.is_empty(),
                Outcome::Failed => true,
                Outcome::Panicked(_) => false,
            }),
            "right-mover" | "left-mover" | "stably-enabled" | "stays-allowed" => self.of_pair(name, states),
            other => Err(unsupported(other)),
        }
    }

    /// A run that an obligation is about, of an operation or of a procedure alone, if there is one from these states.
    ///
    /// # Errors
    /// If evaluation gives up.
    pub fn happens(&self, name: &ObligationName, states: &mut States) -> Result<Option<String>, DontKnow> {
        self.evaluator.set_fuel(self.fuel);
        let (layer, code) = match name.kind {
            "no-panic" => (self.layer_named(&name.layer)?, Code::Pass),
            "atomic-spec" | "turn" => {
                let implementation = self.program.implementations.iter().find(|it| it.name == name.implementation);
                let implementation = implementation.ok_or_else(|| unsupported("a name"))?;
                let (Justification::Movers(all) | Justification::Retry(all)) = &implementation.by else {
                    return Err(unsupported(name.kind));
                };
                (implementation.lower, all.get(&name.operation).ok_or_else(|| unsupported("a name"))?.clone())
            }
            other => return Err(unsupported(other)),
        };
        let types: Vec<Type> = match &code {
            Code::Pass => self.evaluator.argument_types(layer, self.operation_named(layer, &name.operation)?),
            Code::Procedure(function) => {
                let function = self.evaluator.function(*function);
                function.locals[..function.parameters as usize].iter().map(|it| it.ty.clone()).collect()
            }
        };
        for state in states.of(&self.evaluator, self.state(layer)) {
            for arguments in states.arguments(&self.evaluator, &types) {
                let runs = self.alone(&code, &name.operation, layer, &state, &arguments)?;
                if let Some(run) = runs.first() {
                    return Ok(Some(format!("in {state}: {}{arguments:?} can be {run:?}", name.operation)));
                }
            }
        }
        Ok(None)
    }

    pub(crate) fn layer_named(&self, name: &str) -> Result<LayerId, DontKnow> {
        let index = self.program.layers.iter().position(|it| it.name == name);
        index.map(|it| LayerId(it as u32)).ok_or_else(|| unsupported("a layer of this name"))
    }

    pub(crate) fn operation_named(&self, layer: LayerId, name: &str) -> Result<usize, DontKnow> {
        let operations = &self.program.layers[layer.0 as usize].operations;
        operations.iter().position(|it| it.name == name).ok_or_else(|| unsupported("an operation of this name"))
    }

    pub(crate) fn state(&self, layer: LayerId) -> &'p Type {
        &self.program.layers[layer.0 as usize].state
    }

    /// An operation, or the background, has no outcome like this.
    fn never(
        &self,
        name: &ObligationName,
        states: &mut States,
        is_bad: impl Fn(&Outcome<(Value, Value)>) -> bool,
    ) -> Result<Option<String>, DontKnow> {
        let layer = self.layer_named(&name.layer)?;
        let background = self.program.layers[layer.0 as usize].background;
        if let (Some(background), "background") = (background, name.operation.as_str()) {
            for state in states.of(&self.evaluator, self.state(layer)) {
                let outcomes = self.evaluator.call(background, std::slice::from_ref(&state))?;
                if outcomes.iter().any(|it| matches!(it, Outcome::Panicked(_))) {
                    return Ok(Some(format!("in {state}: the background panics")));
                }
            }
            return Ok(None);
        }
        let operation = self.operation_named(layer, &name.operation)?;
        let types = self.evaluator.argument_types(layer, operation);
        for state in states.of(&self.evaluator, self.state(layer)) {
            for arguments in states.arguments(&self.evaluator, &types) {
                let steps = self.evaluator.step(layer, operation, &state, &ME, &arguments)?;
                if let Some(bad) = steps.iter().find(|it| is_bad(it)) {
                    return Ok(Some(format!("in {state}: {}{arguments:?} can be {bad:?}", name.operation)));
                }
            }
        }
        Ok(None)
    }

    fn of_pair(&self, name: &ObligationName, states: &mut States) -> Result<Option<String>, DontKnow> {
        let layer = self.layer_named(&name.layer)?;
        let (mover, other) =
            (self.operation_named(layer, &name.operation)?, self.operation_named(layer, &name.against)?);
        let types = [mover, other].map(|it| self.evaluator.argument_types(layer, it));
        // One other process is like the next, but where the state says something of one of them.
        let others = if states.only.is_some() { 1..self.evaluator.universe.scope().pids } else { 1..2 };
        for state in states.of(&self.evaluator, self.state(layer)) {
            for mine in states.arguments(&self.evaluator, &types[0]) {
                for theirs in states.arguments(&self.evaluator, &types[1]) {
                    for they in others.clone().map(Value::Pid) {
                        let (mover, other) = ((mover, mine.as_slice()), (other, theirs.as_slice()));
                        let pair = Pair { claims: self, layer, mover, other, they };
                        if pair.refutes(name.kind, &state)? {
                            let calls = format!("{}{mine:?}, {}{theirs:?}", name.operation, name.against);
                            return Ok(Some(format!("in {state}: {calls}")));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn of_implementation(
        &self,
        name: &ObligationName,
        implementation: &'p Implementation,
        states: &mut States,
    ) -> Result<Option<String>, DontKnow> {
        match (name.kind, &implementation.by) {
            ("initial", by) => self.initial(implementation, by, states),
            ("simulation", Justification::Abstraction(relation)) => {
                self.simulation(implementation, relation, &name.operation, states)
            }
            ("atomic-spec", Justification::Movers(code)) => {
                self.atomic(implementation, code.get(&name.operation), &name.operation, states)
            }
            ("shape" | "follows", Justification::Movers(code)) => {
                let code = code.get(&name.operation).ok_or_else(|| unsupported("a missing procedure"))?;
                let procedure = self.procedure(implementation, code, &name.operation)?;
                procedure.refute(name.kind == "shape", states)
            }
            ("turn", Justification::Retry(code)) => {
                let code = code.get(&name.operation).ok_or_else(|| unsupported("a missing procedure"))?;
                let procedure = self.procedure(implementation, code, &name.operation)?;
                let bad = procedure.refute_turn(states)?;
                // A loop of several calls may be one step by its shape instead.
                match bad {
                    Some(_) if !states.are_given() && self.makes_several_calls(code) => {
                        Ok(procedure.refute(true, states)?.and(bad))
                    }
                    bad => Ok(bad),
                }
            }
            ("own-key" | "other-keys" | "check", Justification::Partition(partition)) => {
                End { claims: self, implementation, partition }.refute(name, states)
            }
            _ => Err(unsupported(name.kind)),
        }
    }

    fn procedure<'c>(
        &'c self,
        implementation: &'p Implementation,
        code: &'c Code,
        name: &'c str,
    ) -> Result<Procedure<'c, 'p>, DontKnow> {
        let mut texts = Vec::new();
        if let Justification::Movers(all) | Justification::Retry(all) = &implementation.by {
            for (name, code) in all {
                match code {
                    Code::Pass => texts.push((name.as_str(), None)),
                    Code::Procedure(function) => self.calls_of(*function, &mut BTreeSet::new(), &mut texts),
                }
            }
        }
        let mut called = Called::new();
        for (name, arguments) in texts {
            called.entry(self.operation_named(implementation.lower, name)?).or_default().push(arguments);
        }
        let Implementation { upper, lower, .. } = *implementation;
        let alone_is_claimed = matches!(implementation.by, Justification::Movers(_)) && !self.loops_over_calls(code);
        Ok(Procedure { claims: self, upper, lower, code, name, called, alone_is_claimed })
    }

    fn body(&self, code: &Code) -> Option<&'p Expr> {
        match code {
            Code::Procedure(function) => Some(&self.program.functions[function.0 as usize].body),
            Code::Pass => None,
        }
    }

    /// Whether there is a loop in a procedure that makes calls.
    fn loops_over_calls(&self, code: &Code) -> bool {
        fn looks_for_loops(claims: &Claims<'_>, expr: &Expr) -> bool {
            let mut found = matches!(expr.kind, ExprKind::While(..) | ExprKind::Loop(_)) && claims.makes_calls(expr);
            expr.for_each_child(&mut |child| found = found || looks_for_loops(claims, child));
            found
        }
        self.body(code).is_some_and(|it| looks_for_loops(self, it))
    }

    /// Whether an expression makes calls of the layer below.
    pub(crate) fn makes_calls(&self, expr: &'p Expr) -> bool {
        let mut called = Vec::new();
        self.calls_in(expr, &mut BTreeSet::new(), &mut called);
        !called.is_empty()
    }

    /// Whether there is more than one call in the text of a procedure.
    fn makes_several_calls(&self, code: &Code) -> bool {
        fn count(claims: &Claims<'_>, expr: &Expr, inside: usize) -> usize {
            let mut calls = match &expr.kind {
                ExprKind::Perform(..) => 1,
                ExprKind::Call(function, _) if inside < 8 => {
                    count(claims, &claims.program.functions[function.0 as usize].body, inside + 1)
                }
                _ => 0,
            };
            expr.for_each_child(&mut |child| calls += count(claims, child, inside));
            calls
        }
        self.body(code).is_some_and(|it| count(self, it, 0) > 1)
    }

    /// The operations that a function calls of the layer below, by name, with the text of their arguments.
    fn calls_of(&self, function: FunctionId, seen: &mut BTreeSet<FunctionId>, called: &mut Vec<CallText<'p>>) {
        if seen.insert(function) {
            self.calls_in(&self.program.functions[function.0 as usize].body, seen, called);
        }
    }

    fn calls_in(&self, expr: &'p Expr, seen: &mut BTreeSet<FunctionId>, called: &mut Vec<CallText<'p>>) {
        match &expr.kind {
            ExprKind::Perform(name, arguments) => called.push((name, Some(arguments))),
            ExprKind::Call(function, _) => self.calls_of(*function, seen, called),
            _ => {}
        }
        expr.for_each_child(&mut |child| self.calls_in(child, seen, called));
    }

    fn initial(
        &self,
        implementation: &Implementation,
        by: &Justification,
        states: &mut States,
    ) -> Result<Option<String>, DontKnow> {
        if let Justification::Partition(partition) = by {
            return End { claims: self, implementation, partition }.initial(states);
        }
        let high = self.state(implementation.upper);
        for low in states.of(&self.evaluator, self.state(implementation.lower)) {
            if !self.evaluator.is_initial(implementation.lower, &low)? {
                continue;
            }
            let candidates = match by {
                Justification::Abstraction(relation) => related(&self.evaluator, relation, &low, high)?,
                Justification::Movers(_) | Justification::Retry(_) => vec![low.clone()],
                Justification::Partition(_) | Justification::Search(_) => Vec::new(),
            };
            let mut matched = false;
            for state in candidates {
                matched |= self.evaluator.is_initial(implementation.upper, &state)?;
            }
            if !matched {
                return Ok(Some(format!("{low} is initial below only")));
            }
        }
        Ok(None)
    }

    fn simulation(
        &self,
        implementation: &Implementation,
        relation: &Abstraction,
        operation: &str,
        states: &mut States,
    ) -> Result<Option<String>, DontKnow> {
        let (lower, upper) = (implementation.lower, implementation.upper);
        let (below, above) = (self.operation_named(lower, operation)?, self.operation_named(upper, operation)?);
        let types = self.evaluator.argument_types(upper, above);
        let invariants = &self.program.layers[upper.0 as usize].invariants;
        for (low, high) in self.related_states(relation, lower, upper, states)? {
            if !self.evaluator.all_hold(invariants, std::slice::from_ref(&high))? {
                continue;
            }
            for arguments in states.arguments(&self.evaluator, &types) {
                let given = self.evaluator.step(lower, below, &low, &ME, &arguments)?;
                if given.is_empty() {
                    continue;
                }
                let allowed = self.evaluator.step(upper, above, &high, &ME, &arguments)?;
                for outcome in &given {
                    let matched = fails(&allowed)
                        || match outcome {
                            Outcome::Done((result, low), events) => {
                                let mut found = false;
                                for (other, high, shown) in done(&allowed) {
                                    found = found
                                        || (other == result
                                            && shown == events
                                            && is_related(&self.evaluator, relation, low, high)?);
                                }
                                found
                            }
                            _ => false,
                        };
                    if !matched {
                        return Ok(Some(format!("{low} ~ {high}: {operation}{arguments:?} can be {outcome:?} below")));
                    }
                }
            }
        }
        Ok(None)
    }

    fn related_states(
        &self,
        relation: &Abstraction,
        lower: LayerId,
        upper: LayerId,
        states: &mut States,
    ) -> Result<Vec<(Value, Value)>, DontKnow> {
        let mut pairs = Vec::new();
        if let Abstraction::Down(function) = relation {
            for high in states.of(&self.evaluator, self.state(upper)) {
                let lows = self.evaluator.call(*function, std::slice::from_ref(&high))?;
                pairs.extend(lows.iter().filter_map(|it| it.done()).map(|((low, _), _)| (low.clone(), high.clone())));
            }
            return Ok(pairs);
        }
        for low in states.of(&self.evaluator, self.state(lower)) {
            let mut highs = related(&self.evaluator, relation, &low, self.state(upper))?;
            states.random.shuffle(&mut highs);
            pairs.extend(
                highs.into_iter().take(if states.only.is_some() { 200 } else { 4 }).map(|high| (low.clone(), high)),
            );
        }
        Ok(pairs)
    }

    /// All outcomes of the code for one operation, alone.
    pub(crate) fn alone(
        &self,
        code: &Code,
        name: &str,
        layer: LayerId,
        state: &Value,
        arguments: &[Value],
    ) -> Result<Steps, DontKnow> {
        match code {
            Code::Pass => self.evaluator.step(layer, self.operation_named(layer, name)?, state, &ME, arguments),
            Code::Procedure(function) => self.evaluator.procedure(*function, layer, state, &ME, arguments),
        }
    }

    fn atomic(
        &self,
        implementation: &Implementation,
        code: Option<&Code>,
        name: &str,
        states: &mut States,
    ) -> Result<Option<String>, DontKnow> {
        let code = code.ok_or_else(|| unsupported("a missing procedure"))?;
        let above = self.operation_named(implementation.upper, name)?;
        let types = self.evaluator.argument_types(implementation.upper, above);
        for state in states.of(&self.evaluator, self.state(implementation.upper)) {
            for arguments in states.arguments(&self.evaluator, &types) {
                let given = self.alone(code, name, implementation.lower, &state, &arguments)?;
                if given.is_empty() {
                    continue;
                }
                let allowed = self.evaluator.step(implementation.upper, above, &state, &ME, &arguments)?;
                let bad = given.iter().find(|it| match it {
                    Outcome::Done(..) => !allowed.contains(it) && !fails(&allowed),
                    Outcome::Failed => !fails(&allowed),
                    Outcome::Panicked(_) => true,
                });
                if let Some(bad) = bad {
                    return Ok(Some(format!("in {state}: {name}{arguments:?} can be {bad:?}")));
                }
            }
        }
        Ok(None)
    }
}

/// Two calls, by [`ME`] and by another process.
pub(crate) struct Pair<'c, 'p> {
    pub(crate) claims: &'c Claims<'p>,
    pub(crate) layer: LayerId,
    pub(crate) mover: (usize, &'c [Value]),
    pub(crate) other: (usize, &'c [Value]),
    pub(crate) they: Value,
}

impl Pair<'_, '_> {
    pub(crate) fn mine(&self, state: &Value) -> Result<Steps, DontKnow> {
        self.claims.evaluator.step(self.layer, self.mover.0, state, &ME, self.mover.1)
    }

    pub(crate) fn theirs(&self, state: &Value) -> Result<Steps, DontKnow> {
        self.claims.evaluator.step(self.layer, self.other.0, state, &self.they, self.other.1)
    }

    fn refutes(&self, kind: &str, state: &Value) -> Result<bool, DontKnow> {
        match kind {
            "right-mover" => self.does_not_move_right(state),
            "left-mover" => self.does_not_move_left(state),
            "stably-enabled" => self.is_disabled_by_other(state),
            _ => self.is_forbidden_by_other(state),
        }
    }

    /// `s --A--> s1 --B--> s2`, but not B first and then A with the same results and events to `s2`.
    fn does_not_move_right(&self, state: &Value) -> Result<bool, DontKnow> {
        let swapped = self.theirs(state)?;
        for (mine, middle, my_events) in done(&self.mine(state)?) {
            let after = self.theirs(middle)?;
            if fails(&after) && !fails(&swapped) {
                return Ok(true);
            }
            for (theirs, end, their_events) in done(&after) {
                let mut found = false;
                for (result, middle, events) in done(&swapped) {
                    if result == theirs && events == their_events {
                        found = found || done(&self.mine(middle)?).any(|it| it == (mine, end, my_events));
                    }
                }
                if !found {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// `s --B--> s1 --A--> s2`, but not A first and then B with the same results and events to `s2`.
    fn does_not_move_left(&self, state: &Value) -> Result<bool, DontKnow> {
        let (swapped, given) = (self.mine(state)?, self.theirs(state)?);
        if fails(&given) && !self.may_fail_after(&swapped)? {
            return Ok(true);
        }
        for (theirs, middle, their_events) in done(&given) {
            let mine = self.mine(middle)?;
            for (mine, end, my_events) in done(&mine) {
                let mut found = false;
                for (result, middle, events) in done(&swapped) {
                    if result == mine && events == my_events {
                        found = found || done(&self.theirs(middle)?).any(|it| it == (theirs, end, their_events));
                    }
                }
                if !found {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The other's failure comes first, so that nobody has seen what the mover returns: any of its results will do.
    fn may_fail_after(&self, swapped: &Steps) -> Result<bool, DontKnow> {
        for (_, middle, _) in done(swapped) {
            if fails(&self.theirs(middle)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_disabled_by_other(&self, state: &Value) -> Result<bool, DontKnow> {
        if done(&self.mine(state)?).next().is_none() {
            return Ok(false);
        }
        for (_, after, _) in done(&self.theirs(state)?) {
            let still = self.mine(after)?;
            if done(&still).next().is_none() && !fails(&still) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_forbidden_by_other(&self, state: &Value) -> Result<bool, DontKnow> {
        if !self.is_allowed(state)? {
            return Ok(false);
        }
        for (_, after, _) in done(&self.theirs(state)?) {
            if !self.is_allowed(after)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(crate) fn is_allowed(&self, state: &Value) -> Result<bool, DontKnow> {
        let allowed = &self.claims.program.layers[self.layer.0 as usize].operations[self.mover.0].allowed;
        let arguments = [&[state.clone(), ME], self.mover.1].concat();
        self.claims.evaluator.all_hold(allowed, &arguments)
    }
}
