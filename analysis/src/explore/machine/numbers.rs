//! Arithmetic.
//!
//! As long as unknown integers are atoms, told apart and nothing more, code that calculates with one stops: the exploration has to start
//! again with numbers.

use std::ops::RangeInclusive;

use super::{Machine, Stop, World};
use crate::{
    explore::{
        cells::{Numbers, int_range},
        value::Value,
    },
    ir::{Prim, Type},
};

impl Machine {
    /// What an arithmetic primitive makes of the two integers on the stack.
    pub(super) fn arithmetic(&mut self, world: &mut World, prim: Prim, ty: &Type) -> Result<Value, Stop> {
        let (a, b) = (i128::from(self.number_top(world, 1)?), i128::from(self.number_top(world, 0)?));
        let int = match ty {
            Type::Option(inner) => inner,
            _ => ty,
        };
        let Type::Int { bits, signed } = *int else { return Ok(Value::Unit) };
        let (low, high) = kept_range(signed, bits).into_inner();
        let wrap = |it: i128| {
            if it < low {
                it + (1i128 << bits)
            } else if it > high {
                it - (1i128 << bits)
            } else {
                it
            }
        };
        let checked = |machine: &Machine, it: i128| match (low..=high).contains(&it) {
            true => machine.made(world, it as i64).map(Value::some),
            false => Ok(Value::none()),
        };
        let result = match prim {
            Prim::Add => a + b,
            Prim::Sub => a - b,
            Prim::Mul => a * b,
            Prim::Div | Prim::Rem if b == 0 => return Err(self.panic_here(world, "division by zero")),
            Prim::Div => a / b,
            Prim::Rem => a % b,
            Prim::Min => a.min(b),
            Prim::Max => a.max(b),
            Prim::SaturatingAdd => (a + b).clamp(low, high),
            Prim::SaturatingSub => (a - b).clamp(low, high),
            Prim::WrappingAdd => wrap(a + b),
            Prim::WrappingSub => wrap(a - b),
            Prim::CheckedAdd => return checked(self, a + b),
            _ => return checked(self, a - b),
        };
        self.in_range(world, result, int)
    }

    /// The value, or a panic if it does not fit its type.
    pub(super) fn in_range(&mut self, world: &World, value: i128, ty: &Type) -> Result<Value, Stop> {
        let Type::Int { bits, signed } = *ty else { return Ok(Value::Unit) };
        if !kept_range(signed, bits).contains(&value) {
            return Err(self.panic_here(world, "the result does not fit its integer type"));
        }
        self.made(world, value as i64)
    }

    /// The sum of integers, or the largest or smallest of them.
    pub(super) fn fold(&mut self, world: &mut World, prim: Prim, elements: &[Value], ty: &Type) -> Result<Value, Stop> {
        let mut numbers = Vec::new();
        for element in elements {
            let value = self.force(world, element).map_err(Stop::Need)?;
            numbers.push(number(&value)?);
        }
        let bound = match prim {
            Prim::MaxOf => numbers.iter().max(),
            Prim::MinOf => numbers.iter().min(),
            _ => {
                let sum = numbers.iter().map(|it| i128::from(*it)).sum();
                return self.in_range(world, sum, ty);
            }
        };
        Ok(bound.map_or_else(Value::none, |it| Value::some(Value::Int(*it))))
    }

    /// An integer that the code made. As long as unknown integers are atoms, it must be one of those they are known to differ from.
    pub(super) fn made(&self, world: &World, number: i64) -> Result<Value, Stop> {
        let is_told_apart = world.cells.numbers != Numbers::Atoms || world.cells.int_literals.contains(&number);
        if is_told_apart { Ok(Value::Int(number)) } else { Err(Stop::NumbersNeeded) }
    }

    pub(super) fn number_top(&mut self, world: &mut World, depth: usize) -> Result<i64, Stop> {
        let value = self.force_top(world, depth)?;
        number(&value)
    }
}

/// The values of an integer type, as far as they are kept: what does not fit 64 bits is out of range for every purpose here.
pub(super) fn kept_range(signed: bool, bits: u8) -> RangeInclusive<i128> {
    let (low, high) = int_range(signed, bits);
    low..=high.min(i128::from(i64::MAX))
}

/// An integer that code calculates with.
pub(super) fn number(value: &Value) -> Result<i64, Stop> {
    match value {
        Value::Int(it) => Ok(*it),
        Value::Bool(it) => Ok(i64::from(*it)),
        _ => Err(Stop::NumbersNeeded),
    }
}
