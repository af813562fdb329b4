//! The two ends of a partition, over plain values: slicing the state of one key, and combining the states of all.

use std::collections::BTreeMap;

use cspec_analysis::{
    ir::{Code, FunctionId, Implementation, Partition, PartitionEnd},
    verdict::ObligationName,
};

use crate::{
    claims::{Claims, ME, States, Steps, done, fails, unsupported},
    eval::{DontKnow, Outcome},
    prim,
    value::Value,
};

/// An end of a partition.
pub(crate) struct End<'c, 'p> {
    pub(crate) claims: &'c Claims<'p>,
    pub(crate) implementation: &'p Implementation,
    pub(crate) partition: &'p Partition,
}

/// The slice of a state for a key.
enum Slice {
    Is(Option<Value>),
    /// The slicing code panics, or an assertion in it fails.
    Breaks,
}

impl End<'_, '_> {
    pub(crate) fn refute(&self, name: &ObligationName, states: &mut States) -> Result<Option<String>, DontKnow> {
        match (&self.partition.end, name.kind) {
            (PartitionEnd::Bottom { slice }, "check") => self.check_below(*slice, states),
            (PartitionEnd::Bottom { slice }, kind) => {
                self.step_below(*slice, &name.operation, kind == "own-key", states)
            }
            (PartitionEnd::Top { map }, "check") => self.check_above(map, states),
            (PartitionEnd::Top { map }, _) => self.route(map, &name.operation, states),
        }
    }

    /// An initial state on one side that is not initial on the other.
    pub(crate) fn initial(&self, states: &mut States) -> Result<Option<String>, DontKnow> {
        let (lower, upper) = (self.implementation.lower, self.implementation.upper);
        let evaluator = &self.claims.evaluator;
        match &self.partition.end {
            PartitionEnd::Bottom { slice } => {
                for state in states.of(evaluator, self.claims.state(lower)) {
                    if !evaluator.is_initial(lower, &state)? {
                        continue;
                    }
                    for key in &self.keys()? {
                        let is_initial = match self.slice(*slice, &state, key)? {
                            Slice::Is(Some(one)) => evaluator.is_initial(upper, &one)?,
                            Slice::Is(None) => true,
                            Slice::Breaks => false,
                        };
                        if !is_initial {
                            return Ok(Some(format!("in {state}, for {key}")));
                        }
                    }
                }
            }
            PartitionEnd::Top { map } => {
                for state in states.of(evaluator, self.claims.state(upper)) {
                    let mut all = true;
                    for one in self.entries(&state, map)?.values() {
                        all = all && evaluator.is_initial(lower, one)?;
                    }
                    if all && !evaluator.is_initial(upper, &state)? {
                        return Ok(Some(format!("{state}")));
                    }
                }
            }
        }
        Ok(None)
    }

    fn keys(&self) -> Result<Vec<Value>, DontKnow> {
        let keys = self.claims.evaluator.universe.values(&self.partition.key_type);
        Ok(keys.map_err(|_| unsupported("so many keys"))?.to_vec())
    }

    fn slice(&self, slice: FunctionId, state: &Value, key: &Value) -> Result<Slice, DontKnow> {
        match self.claims.evaluator.call(slice, &[state.clone(), key.clone()])?.as_slice() {
            [Outcome::Done((Value::Variant(1, one), _), _)] => Ok(Slice::Is(one.first().cloned())),
            [Outcome::Done((Value::Variant(0, _), _), _)] => Ok(Slice::Is(None)),
            [Outcome::Panicked(_) | Outcome::Failed] => Ok(Slice::Breaks),
            _ => Err(unsupported("a slice that has several values")),
        }
    }

    /// Whether the slice of a key is this state.
    fn is_sliced(&self, slice: FunctionId, state: &Value, key: &Value, one: &Value) -> Result<bool, DontKnow> {
        Ok(matches!(self.slice(slice, state, key)?, Slice::Is(Some(it)) if it == *one))
    }

    /// Whether the slice of a key is the same in both states, or missing in both.
    fn is_same(&self, slice: FunctionId, key: &Value, before: &Value, after: &Value) -> Result<bool, DontKnow> {
        match (self.slice(slice, before, key)?, self.slice(slice, after, key)?) {
            (Slice::Is(before), Slice::Is(after)) => Ok(before == after),
            // If the code already breaks before the step, the step is not to blame.
            (Slice::Breaks, _) => Ok(true),
            (Slice::Is(_), Slice::Breaks) => Ok(false),
        }
    }

    /// With `own`: a step at a key that is not one of its layer. Otherwise: a step at a key that changes another key.
    fn step_below(
        &self,
        slice: FunctionId,
        name: &str,
        own: bool,
        states: &mut States,
    ) -> Result<Option<String>, DontKnow> {
        let (lower, upper) = (self.implementation.lower, self.implementation.upper);
        let evaluator = &self.claims.evaluator;
        let above = self.claims.operation_named(upper, name)?;
        let code = self.partition.code.get(name).ok_or_else(|| unsupported("a missing procedure"))?;
        let types = evaluator.argument_types(upper, above);
        for state in states.of(evaluator, self.claims.state(lower)) {
            for key in &self.keys()? {
                let one = match self.slice(slice, &state, key)? {
                    Slice::Is(Some(one)) => one,
                    Slice::Is(None) => continue,
                    Slice::Breaks => return Ok(Some(format!("in {state}, for {key}: the code that cuts breaks"))),
                };
                for arguments in states.arguments(evaluator, &types) {
                    let mut given = arguments.clone();
                    if let Code::Procedure(_) = code {
                        given.insert(0, key.clone());
                    }
                    let steps = self.claims.alone(code, name, lower, &state, &given)?;
                    let allowed = evaluator.step(upper, above, &one, &ME, &arguments)?;
                    for outcome in &steps {
                        let is_right = match own {
                            true => self.is_own_step(slice, key, &allowed, outcome)?,
                            false => self.leaves_others(slice, key, &state, outcome)?,
                        };
                        if !is_right {
                            return Ok(Some(format!("in {state}, for {key}: {name}{arguments:?} can be {outcome:?}")));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn is_own_step(
        &self,
        slice: FunctionId,
        key: &Value,
        allowed: &Steps,
        outcome: &Outcome<(Value, Value)>,
    ) -> Result<bool, DontKnow> {
        match outcome {
            Outcome::Done((result, after), events) => {
                let mut found = fails(allowed);
                for (other, one, shown) in done(allowed) {
                    found = found || (other == result && shown == events && self.is_sliced(slice, after, key, one)?);
                }
                Ok(found)
            }
            Outcome::Failed => Ok(fails(allowed)),
            Outcome::Panicked(_) => Ok(false),
        }
    }

    fn leaves_others(
        &self,
        slice: FunctionId,
        key: &Value,
        before: &Value,
        outcome: &Outcome<(Value, Value)>,
    ) -> Result<bool, DontKnow> {
        let Outcome::Done((_, after), _) = outcome else { return Ok(*outcome == Outcome::Failed) };
        for other in self.keys()?.iter().filter(|it| *it != key) {
            if !self.is_same(slice, other, before, after)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A step of the check that emits something, changes the state of a key, or returns true for an invalid key.
    fn check_below(&self, slice: FunctionId, states: &mut States) -> Result<Option<String>, DontKnow> {
        let lower = self.implementation.lower;
        let evaluator = &self.claims.evaluator;
        let name = self.partition.check.as_deref().unwrap_or_default();
        let check = self.claims.operation_named(lower, name)?;
        for state in states.of(evaluator, self.claims.state(lower)) {
            for key in &self.keys()? {
                for outcome in evaluator.step(lower, check, &state, &ME, std::slice::from_ref(key))? {
                    let is_right = match &outcome {
                        Outcome::Done((said, after), events) => {
                            let mut same = events.is_empty();
                            for other in &self.keys()? {
                                same = same && self.is_same(slice, other, &state, after)?;
                            }
                            let is_valid = matches!(self.slice(slice, &state, key)?, Slice::Is(Some(_)));
                            same && (*said == Value::Bool(false) || is_valid)
                        }
                        Outcome::Failed | Outcome::Panicked(_) => false,
                    };
                    if !is_right {
                        return Ok(Some(format!("in {state}: {name}({key}) can be {outcome:?}")));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The map of the states for one key.
    fn entries(&self, state: &Value, map: &[u32]) -> Result<BTreeMap<Value, Value>, DontKnow> {
        let mut state = state.clone();
        let mut at = &mut state;
        for field in map {
            at = prim::field_mut(at, *field).map_err(|_| unsupported("a state without the map"))?;
        }
        match at {
            Value::Map(entries) => Ok(entries.clone()),
            _ => Err(unsupported("a state without the map")),
        }
    }

    fn with_entry(&self, state: &Value, map: &[u32], key: &Value, one: &Value) -> Result<Value, DontKnow> {
        let mut state = state.clone();
        let mut at = &mut state;
        for field in map {
            at = prim::field_mut(at, *field).map_err(|_| unsupported("a state without the map"))?;
        }
        if let Value::Map(entries) = at {
            entries.insert(key.clone(), one.clone());
        }
        Ok(state)
    }

    /// A key for which the check above cannot return false, or a valid one for which it cannot return true, without an event or a change.
    fn check_above(&self, map: &[u32], states: &mut States) -> Result<Option<String>, DontKnow> {
        let upper = self.implementation.upper;
        let evaluator = &self.claims.evaluator;
        let name = self.partition.check.as_deref().unwrap_or_default();
        let check = self.claims.operation_named(upper, name)?;
        for state in states.of(evaluator, self.claims.state(upper)) {
            let valid = self.entries(&state, map)?;
            for key in &self.keys()? {
                let allowed = evaluator.step(upper, check, &state, &ME, std::slice::from_ref(key))?;
                let says = |answer| {
                    let quietly = Outcome::Done((Value::Bool(answer), state.clone()), Vec::new());
                    fails(&allowed) || allowed.contains(&quietly)
                };
                if !says(false) || (valid.contains_key(key) && !says(true)) {
                    return Ok(Some(format!("in {state}: {name}({key}) is one of {allowed:?}")));
                }
            }
        }
        Ok(None)
    }

    /// A step for one key that the whole does not have as a step that changes only the entry of that key.
    fn route(&self, map: &[u32], name: &str, states: &mut States) -> Result<Option<String>, DontKnow> {
        let (lower, upper) = (self.implementation.lower, self.implementation.upper);
        let evaluator = &self.claims.evaluator;
        let (above, below) = (self.claims.operation_named(upper, name)?, self.claims.operation_named(lower, name)?);
        let function = evaluator.program.layers[upper.0 as usize].operations[above].function;
        if !self.partition.is_keyed(evaluator.function(function)) {
            return Err(unsupported("an operation without a key"));
        }
        let types = evaluator.argument_types(lower, below);
        for state in states.of(evaluator, self.claims.state(upper)) {
            for (key, one) in self.entries(&state, map)? {
                for arguments in states.arguments(evaluator, &types) {
                    let steps = evaluator.step(lower, below, &one, &ME, &arguments)?;
                    let with_key = [std::slice::from_ref(&key), arguments.as_slice()].concat();
                    let allowed = evaluator.step(upper, above, &state, &ME, &with_key)?;
                    for outcome in &steps {
                        let is_right = fails(&allowed)
                            || match outcome {
                                Outcome::Done((result, one), events) => {
                                    let after = self.with_entry(&state, map, &key, one)?;
                                    allowed.contains(&Outcome::Done((result.clone(), after), events.clone()))
                                }
                                Outcome::Failed | Outcome::Panicked(_) => false,
                            };
                        if !is_right {
                            return Ok(Some(format!("in {state}: {name}{with_key:?} cannot be {outcome:?}")));
                        }
                    }
                }
            }
        }
        Ok(None)
    }
}
