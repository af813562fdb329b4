//! Evaluates expressions, statements and patterns.

use std::rc::Rc;

use cspec_analysis::ir::{
    Argument, Arm, Expr, ExprKind, FunctionId, Literal, Mutation, Pattern, Place, Projection, Stmt, Type,
};

use super::{Frame, Run, Stop, dont_know};
use crate::{prim, value::Value};

impl<'p> Run<'_, 'p> {
    fn exprs(&mut self, frame: &mut Frame<'p>, exprs: &'p [Expr]) -> Result<Vec<Value>, Stop> {
        exprs.iter().map(|it| self.expr(frame, it)).collect()
    }

    pub(super) fn is_true(&mut self, frame: &mut Frame<'p>, expr: &'p Expr) -> Result<bool, Stop> {
        match self.expr(frame, expr)? {
            Value::Bool(it) => Ok(it),
            other => Err(dont_know(&format!("{other} is no truth value"))),
        }
    }

    pub(super) fn expr(&mut self, frame: &mut Frame<'p>, expr: &'p Expr) -> Result<Value, Stop> {
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
                let of = operands.first().map_or(&expr.ty, |it| &it.ty);
                let values = self.exprs(frame, operands)?;
                prim::evaluate(*prim, values, of, &expr.ty, self.evaluator)
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

    /// Whether an arm is taken: with a guard, each alternative is tried with it.
    fn fits(&mut self, frame: &mut Frame<'p>, arm: &'p Arm, value: &Value) -> Result<bool, Stop> {
        let Some(guard) = &arm.guard else { return bind(frame, &arm.pattern, value) };
        let alternatives = arm.pattern.alternatives();
        for alternative in alternatives.ok_or_else(|| dont_know("a guard with several alternatives"))? {
            if bind(frame, &alternative, value)? && self.is_true(frame, guard)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn matching(&mut self, frame: &mut Frame<'p>, value: &'p Expr, arms: &'p [Arm]) -> Result<Value, Stop> {
        let value = self.expr(frame, value)?;
        for arm in arms {
            if self.fits(frame, arm, &value)? {
                return self.expr(frame, &arm.body);
            }
        }
        Err(Stop::Panicked("no arm of a `match` fits"))
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

    /// The values of the keys in a place, in order.
    fn keys(&mut self, frame: &mut Frame<'p>, place: &'p Place) -> Result<Vec<Value>, Stop> {
        let mut keys = Vec::new();
        for projection in &place.path {
            if let Projection::Index(key) = projection {
                keys.push(self.expr(frame, key)?);
            }
        }
        Ok(keys)
    }
}

fn literal_value(literal: &Literal) -> Result<Value, Stop> {
    Ok(match literal {
        Literal::Bool(it) => Value::Bool(*it),
        Literal::Int(it) => Value::Int(*it),
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
    // A variable declared without a value gets a whole value when it is assigned.
    frame.locals[place.local.0 as usize].get_or_insert(Value::UNIT)
}

/// Whether the value fits the pattern; binds its names.
pub(super) fn bind(frame: &mut Frame<'_>, pattern: &Pattern, value: &Value) -> Result<bool, Stop> {
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
        (Pattern::Range(ends), Value::Int(it)) => {
            ends[0].is_none_or(|start| start <= *it) && ends[1].is_none_or(|end| *it <= end)
        }
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
        (Pattern::Tuple(_) | Pattern::Variant(..) | Pattern::Range(..), other) => {
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
