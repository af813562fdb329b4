//! The shape of a procedure, and its use of a protocol, on explicit sets of states.
//!
//! The procedure is run from every state of the universe. Before each of its calls but the first, other processes take any steps; `P` is the set
//! of states that it can be in then, path by path. Each path has right movers, at most one other operation, then left movers at `P` that
//! are silent and enabled at `P`. If there is a protocol, each call is allowed right after the process's own last step.

use std::collections::{BTreeMap, BTreeSet};

use cspec_analysis::{
    ir::{Code, LayerId},
    verdict::{ObligationName, Pattern},
};

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
}

/// The most states of one `P`.
const MOST_STATES: usize = 3_000;

/// A call on a path, and the states before it.
#[derive(Clone)]
struct Called {
    operation: usize,
    arguments: Vec<Value>,
    before: BTreeSet<Value>,
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
        let mut movers = Movers { procedure: self, right: BTreeMap::new(), never_left: BTreeMap::new() };
        for row in rows.iter() {
            let Value::Tuple(arguments) = row else { continue };
            let found = self.walk(&mut movers, of_shape, arguments, &[], &starts, &[], states)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Goes on from a log, in these states.
    #[expect(clippy::too_many_arguments, reason = "the whole of a recursion")]
    fn walk(
        &self,
        movers: &mut Movers<'_, '_, '_>,
        of_shape: bool,
        arguments: &[Value],
        log: &[Logged],
        states: &BTreeSet<Value>,
        path: &[Called],
        looked_at: &mut States,
    ) -> Result<Option<String>, DontKnow> {
        for at in self.next(arguments, log)? {
            let At::Wants(log, operation, called_with) = at else {
                if of_shape && let Some(flaw) = movers.misshapen(path, looked_at)? {
                    return Ok(Some(flaw));
                }
                continue;
            };
            if !of_shape && let Some(flaw) = self.not_allowed(operation, &called_with, states)? {
                return Ok(Some(flaw));
            }
            let before = if path.is_empty() { states.clone() } else { self.closed(states.clone())? };
            let call = Called { operation, arguments: called_with.clone(), before: before.clone() };
            let path = [path, &[call]].concat();
            let mut after: BTreeMap<Value, BTreeSet<Value>> = BTreeMap::new();
            let mut ends_here = false;
            for state in &before {
                let steps = self.claims.evaluator.step(self.lower, operation, state, &ME, &called_with)?;
                ends_here |= steps.iter().any(|it| it.done().is_none());
                for (result, state, _) in done(&steps) {
                    after.entry(result.clone()).or_default().insert(state.clone());
                }
            }
            if of_shape
                && ends_here
                && let Some(flaw) = movers.misshapen(&path, looked_at)?
            {
                return Ok(Some(flaw));
            }
            for (result, states) in after {
                let log = [&log[..], &[Logged::Result(result)]].concat();
                let found = self.walk(movers, of_shape, arguments, &log, &states, &path, looked_at)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
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
            for operation in 0..evaluator.program.layers[self.lower.0 as usize].operations.len() {
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

/// Which operations move, as far as it has been asked.
struct Movers<'m, 'c, 'p> {
    procedure: &'m Procedure<'c, 'p>,
    right: BTreeMap<usize, bool>,
    never_left: BTreeMap<usize, bool>,
}

impl Movers<'_, '_, '_> {
    /// Whether all of these lemmas about an operation hold.
    fn hold(&self, operation: usize, kinds: &[&'static str], states: &mut States) -> Result<bool, DontKnow> {
        let Procedure { claims, lower, .. } = self.procedure;
        let layer = &claims.evaluator.program.layers[lower.0 as usize];
        for kind in kinds {
            for against in &layer.operations {
                let name = ObligationName {
                    implementation: String::new(),
                    pattern: Pattern::Movers,
                    kind,
                    layer: layer.name.clone(),
                    operation: layer.operations[operation].name.clone(),
                    against: against.name.clone(),
                };
                if claims.refute(&name, states)?.is_some() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn misshapen(&mut self, path: &[Called], states: &mut States) -> Result<Option<String>, DontKnow> {
        let mut commit = 0;
        while commit + 1 < path.len() {
            let operation = path[commit].operation;
            let moves = match self.right.get(&operation) {
                Some(known) => *known,
                None => self.hold(operation, &["silent", "right-mover"], states)?,
            };
            self.right.insert(operation, moves);
            if !moves {
                break;
            }
            commit += 1;
        }
        for call in path.iter().skip(commit + 1) {
            let stable = match self.never_left.get(&call.operation) {
                Some(known) => *known,
                None => self.hold(call.operation, &["stably-enabled"], states)?,
            };
            self.never_left.insert(call.operation, stable);
            if !stable || !self.moves_left(call)? {
                let Procedure { claims, lower, .. } = self.procedure;
                let name = &claims.evaluator.program.layers[lower.0 as usize].operations[call.operation].name;
                return Ok(Some(format!(
                    "{name}{:?} comes after the commit point and does not move left",
                    call.arguments
                )));
            }
        }
        Ok(None)
    }

    /// Whether a call moves left past everything, can be made, and neither fails nor emits, in all states before it.
    fn moves_left(&self, call: &Called) -> Result<bool, DontKnow> {
        let Procedure { claims, lower, .. } = self.procedure;
        let operations = claims.evaluator.program.layers[lower.0 as usize].operations.len();
        for state in &call.before {
            for other in 0..operations {
                for arguments in self.procedure.rows(other)? {
                    let pair = Pair {
                        claims,
                        layer: *lower,
                        mover: (call.operation, &call.arguments),
                        other: (other, &arguments),
                        they: OTHER,
                    };
                    let mine = pair.mine(state)?;
                    let is_silent = mine.iter().all(|it| it.done().is_some_and(|(_, events)| events.is_empty()));
                    if mine.is_empty() || !is_silent || pair.does_not_move_left(state)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}
