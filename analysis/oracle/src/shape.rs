//! The shape of a procedure, and its use of a protocol, on explicit sets of states.
//!
//! The procedure is run from every state that is looked at. Before each of its calls but the first, others take any steps of operations that
//! the implementation calls; `P` is the set of states that it can be in then, path by path. A path is a sequence of calls, each with its
//! result, and with whether it has left the state as it was and shown nothing: then it is *weak*. For some commit point, those before it are
//! weak or move right at `P`, and those after it are weak or move left at `P`, each with its own arguments and for its result. After a call
//! that is neither weak nor moves right, each call is enabled at `P`. And if there is a protocol, each call is allowed right after the
//! process's own last step.

use std::collections::{BTreeMap, BTreeSet};

use cspec_analysis::ir::{Code, LayerId};

use crate::{
    claims::{Claims, ME, OTHER, Pair, States, done},
    eval::{Below, DontKnow, Logged, Stop, Want},
    stack::{Descent, Tower},
    value::Value,
};

/// The code of one operation, over a layer.
pub(crate) struct Procedure<'c, 'p> {
    pub(crate) claims: &'c Claims<'p>,
    pub(crate) lower: LayerId,
    pub(crate) code: &'c Code,
    pub(crate) name: &'c str,
    /// The operations that the implementation calls or passes on: what others do.
    pub(crate) called: Vec<usize>,
}

/// The most states of one `P`.
const MOST_STATES: usize = 3_000;

/// A call on a path with its result, and the states before it.
#[derive(Clone)]
struct Called {
    operation: usize,
    arguments: Vec<Value>,
    before: BTreeSet<Value>,
    /// None, if it fails.
    result: Option<Value>,
    /// It has left the state as it was, and shown nothing.
    is_weak: bool,
}

/// Where the procedure is after a log.
pub(crate) enum At {
    Wants(Vec<Logged>, usize, Vec<Value>),
    /// It has returned this, or failed by itself.
    Ended(Option<Value>),
}

impl Procedure<'_, '_> {
    /// A path that is out of shape, or else a call that is not allowed.
    pub(crate) fn refute(&self, of_shape: bool, states: &mut States) -> Result<Option<String>, DontKnow> {
        let evaluator = &self.claims.evaluator;
        let layer = &evaluator.program.layers[self.lower.0 as usize];
        let mut starts = BTreeSet::new();
        for state in states.of(evaluator, &layer.state) {
            // Only states in which the invariants hold can be reached.
            if evaluator.all_hold(&layer.invariants, std::slice::from_ref(&state))? {
                starts.insert(state);
            }
        }
        let types = match self.code {
            Code::Pass => evaluator.argument_types(self.lower, self.claims.operation_named(self.lower, self.name)?),
            Code::Procedure(function) => {
                let function = evaluator.function(*function);
                function.locals[..function.parameters as usize].iter().map(|it| it.ty.clone()).collect()
            }
        };
        let rows = evaluator.universe.values(&cspec_analysis::ir::Type::Tuple(types));
        let rows = rows.map_err(|_| DontKnow("too many arguments".to_owned()))?;
        for row in rows.iter() {
            let Value::Tuple(arguments) = row else { continue };
            let found = self.walk(of_shape, arguments, &[], &starts, &[])?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Goes on from a log, in these states.
    fn walk(
        &self,
        of_shape: bool,
        arguments: &[Value],
        log: &[Logged],
        states: &BTreeSet<Value>,
        path: &[Called],
    ) -> Result<Option<String>, DontKnow> {
        for at in self.next(arguments, log)? {
            let At::Wants(log, operation, called_with) = at else {
                if of_shape && let Some(flaw) = self.misshapen(path)? {
                    return Ok(Some(flaw));
                }
                continue;
            };
            if !of_shape && let Some(flaw) = self.not_allowed(operation, &called_with, states)? {
                return Ok(Some(flaw));
            }
            let before = if path.is_empty() { states.clone() } else { self.closed(states.clone())? };
            let mut after: BTreeMap<(Option<Value>, bool), BTreeSet<Value>> = BTreeMap::new();
            let mut blocks = false;
            for state in &before {
                let steps = self.claims.evaluator.step(self.lower, operation, state, &ME, &called_with)?;
                blocks |= steps.is_empty();
                if steps.iter().any(|it| it.done().is_none()) {
                    after.entry((None, false)).or_default();
                }
                for (result, end, events) in done(&steps) {
                    let is_weak = events.is_empty() && end == state;
                    after.entry((Some(result.clone()), is_weak)).or_default().insert(end.clone());
                }
            }
            if of_shape && blocks && self.is_noticed(path)? {
                return Ok(Some(format!(
                    "{} may block, and the calls before it have been noticed",
                    self.call(operation, &called_with)
                )));
            }
            for ((result, is_weak), states) in after {
                let (arguments_of, before) = (called_with.clone(), before.clone());
                let called = Called { operation, arguments: arguments_of, before, result: result.clone(), is_weak };
                let path = [path, &[called]].concat();
                let found = match result {
                    None if of_shape => self.misshapen(&path)?,
                    None => None,
                    Some(result) => {
                        let log = [&log[..], &[Logged::Result(result)]].concat();
                        self.walk(of_shape, arguments, &log, &states, &path)?
                    }
                };
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    fn call(&self, operation: usize, arguments: &[Value]) -> String {
        let name = &self.claims.evaluator.program.layers[self.lower.0 as usize].operations[operation].name;
        format!("{name}{arguments:?}")
    }

    fn is_noticed(&self, path: &[Called]) -> Result<bool, DontKnow> {
        for call in path {
            if !call.is_weak && !self.moves(call, "right")? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is wrong with a path on which no call can be the commit point.
    fn misshapen(&self, path: &[Called]) -> Result<Option<String>, DontKnow> {
        for commit in 0..path.len() {
            let mut fits = true;
            for call in &path[commit + 1..] {
                fits = fits && (call.is_weak || self.moves(call, "left")?);
            }
            if fits {
                return Ok(None);
            }
            if !path[commit].is_weak && !self.moves(&path[commit], "right")? {
                let calls: Vec<String> = path.iter().map(|it| self.call(it.operation, &it.arguments)).collect();
                return Ok(Some(format!("{}: no call can be the commit point", calls.join(", "))));
            }
        }
        Ok(None)
    }

    /// Whether a call with its result emits nothing and moves past everything, in all states before it.
    fn moves(&self, call: &Called, direction: &str) -> Result<bool, DontKnow> {
        let Some(result) = &call.result else { return Ok(false) };
        for state in &call.before {
            for &other in &self.called {
                for arguments in self.rows(other)? {
                    let mover = (call.operation, call.arguments.as_slice());
                    let (claims, layer) = (self.claims, self.lower);
                    let pair = Pair { claims, layer, mover, other: (other, &arguments), they: OTHER };
                    if done(&pair.mine(state)?).any(|it| it.0 == result && !it.2.is_empty())
                        || pair.does_not_move(direction, state, result)?
                    {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// What the procedure does next.
    pub(crate) fn next(&self, arguments: &[Value], log: &[Logged]) -> Result<Vec<At>, DontKnow> {
        if log.len() > 40 {
            return Err(DontKnow("a procedure that goes on and on".to_owned()));
        }
        let Code::Procedure(function) = self.code else {
            let operation = self.claims.operation_named(self.lower, self.name)?;
            let wants = At::Wants(Vec::new(), operation, arguments.to_vec());
            return Ok(match log.last() {
                Some(Logged::Result(result)) => vec![At::Ended(Some(result.clone()))],
                _ => vec![wants],
            });
        };
        let tower = Tower::layer(self.lower);
        let mut found = Vec::new();
        self.claims.evaluator.each_run(log, Below::Stack(Descent::new(&tower)), &mut |run| {
            match run.call(*function, arguments.to_vec()) {
                Ok((result, _)) => found.push(At::Ended(Some(result))),
                Err(Stop::Failed | Stop::Panicked(_)) => found.push(At::Ended(None)),
                Err(Stop::Wants(Want::Step(operation, arguments))) => {
                    found.push(At::Wants(run.log.clone(), operation, arguments));
                }
                Err(Stop::Disabled) => {}
                Err(stop) => return Err(DontKnow(format!("{stop:?}"))),
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The states that others can lead to.
    fn closed(&self, mut states: BTreeSet<Value>) -> Result<BTreeSet<Value>, DontKnow> {
        let evaluator = &self.claims.evaluator;
        let mut pending: Vec<Value> = states.iter().cloned().collect();
        while let Some(state) = pending.pop() {
            for &operation in &self.called {
                for arguments in self.rows(operation)? {
                    for other in 1..evaluator.universe.scope().pids {
                        let steps = evaluator.step(self.lower, operation, &state, &Value::Pid(other), &arguments)?;
                        for (_, after, _) in done(&steps) {
                            if states.insert(after.clone()) {
                                pending.push(after.clone());
                            }
                        }
                    }
                }
            }
            if states.len() > MOST_STATES {
                return Err(DontKnow("too many states between two steps".to_owned()));
            }
        }
        Ok(states)
    }

    fn rows(&self, operation: usize) -> Result<Vec<Vec<Value>>, DontKnow> {
        let types = self.claims.evaluator.argument_types(self.lower, operation);
        let rows = self.claims.evaluator.universe.values(&cspec_analysis::ir::Type::Tuple(types));
        let rows = rows.map_err(|_| DontKnow("too many arguments".to_owned()))?;
        let fields = |row: &Value| match row {
            Value::Tuple(fields) => fields.clone(),
            _ => Vec::new(),
        };
        Ok(rows.iter().map(fields).collect())
    }

    fn not_allowed(
        &self,
        operation: usize,
        arguments: &[Value],
        states: &BTreeSet<Value>,
    ) -> Result<Option<String>, DontKnow> {
        let pair = Pair {
            claims: self.claims,
            layer: self.lower,
            mover: (operation, arguments),
            other: (operation, &[]),
            they: OTHER,
        };
        for state in states {
            if !pair.is_allowed(state)? {
                let name = &self.claims.evaluator.program.layers[self.lower.0 as usize].operations[operation].name;
                return Ok(Some(format!("in {state}: {name}{arguments:?} is not allowed")));
            }
        }
        Ok(None)
    }
}
