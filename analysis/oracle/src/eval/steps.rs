//! Calls, and the steps of layers.

use cspec_analysis::ir::{FunctionId, LayerId, Operation, Type};

use super::{Below, Frame, MOST_CALLS, Run, Stop, Told, dont_know};
use crate::{prim, value::Value};

impl Run<'_, '_> {
    /// Calls a function; returns its result, and the final values of its in-out parameters.
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

    /// Performs an operation on its component of the state.
    fn operation(
        &mut self,
        operation: &Operation,
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

    /// Whether all predicates hold, each applied to its first few parameters.
    pub(super) fn all_hold(&mut self, predicates: &[FunctionId], arguments: &[Value]) -> Result<bool, Stop> {
        for predicate in predicates {
            let taken = self.evaluator.function(*predicate).parameters as usize;
            let (holds, _) = self.call(*predicate, arguments[..taken.min(arguments.len())].to_vec())?;
            if holds != Value::Bool(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn any(&mut self, ty: &Type) -> Result<Value, Stop> {
        if *ty == Type::UNIT {
            return Ok(Value::UNIT);
        }
        match self.told()? {
            None | Some(Told::Any(None)) => {}
            Some(Told::Any(Some(value))) => return Ok(value),
            Some(other) => return Err(dont_know(&format!("the given choice {other:?} is not one of `any()`"))),
        }
        let all = self.evaluator.choices.values(ty).map_err(|_| dont_know("too many values to choose from"))?;
        let picked = self.choose(all.len())?;
        Ok(all[picked].clone())
    }

    pub(super) fn emit(&mut self, event: Value) -> Result<(), Stop> {
        if matches!(self.below, Below::Stack(_)) {
            return Err(dont_know("a procedure emits by itself"));
        }
        self.events.push(event);
        Ok(())
    }

    /// Performs a step of the layer below, by name.
    pub(crate) fn perform(&mut self, name: &str, arguments: Vec<Value>) -> Result<Value, Stop> {
        self.form.performs();
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
