//! Arithmetic.
//!
//! As long as unknown integers are atoms, which can only be compared for equality, code that calculates with one stops: the exploration has
//! to restart with concrete numbers.
//!
//! A plain operator on 64 bits may overflow: see [`OverflowMode`]. Where overflow is assumed not to happen, a universal run that overflows
//! ends there, since it does not count. A witness search continues with the number as if there were no limit, but only through plain
//! operators: no program has a result for any other. A match found this way depends on the assumption.

use super::{Machine, Stop, World};
use crate::{
    explore::{
        cells::{Numbers, Quantifier},
        value::{Integer, Value},
    },
    ir::{
        Arith, Overflow, Prim, Type,
        int::{Computed, DOES_NOT_FIT, IntType, compute},
    },
    verdict::{Assumption, OverflowMode},
};

/// The maximum number of elements of a range.
const LONGEST_RANGE: i128 = 1 << 12;

/// An integer beyond this is out of every bound, even where there are none.
const FARTHEST: i128 = 1 << 100;

impl Machine {
    /// Computes an arithmetic primitive from the integers on the stack. `ty` is the type of the first operand; for a cast, that of the
    /// result.
    pub(super) fn arithmetic(&mut self, world: &mut World, prim: Prim, count: usize, ty: &Type) -> Result<Value, Stop> {
        let mut operands = [0; 2];
        let count = count.min(operands.len());
        for (depth, operand) in (0..count).rev().zip(&mut operands) {
            *operand = self.number_top(world, depth)?;
        }
        let Some(int) = IntType::of(ty) else { return self.of_conditions(world, prim, &operands) };
        if operands.iter().any(|it| !fits_64_bits(*it)) && !is_plain(prim) {
            // Plain operators go on as if there were no limit. What anything else makes of such a number is no result of any program.
            return Err(Stop::Disabled);
        }
        let Some(computed) = compute(prim, &operands[..count], int) else { return Ok(Value::Unit) };
        self.computed(world, computed)
    }

    /// `!`, `&`, `|` and `^` of conditions. Lowering produces no others.
    fn of_conditions(&mut self, world: &World, prim: Prim, operands: &[i128; 2]) -> Result<Value, Stop> {
        let [a, b] = operands.map(|it| it != 0);
        match prim {
            Prim::Not => Ok(Value::Bool(!a)),
            Prim::BitAnd => Ok(Value::Bool(a & b)),
            Prim::BitOr => Ok(Value::Bool(a | b)),
            Prim::BitXor => Ok(Value::Bool(a ^ b)),
            _ => Err(self.unsupported(world)),
        }
    }

    fn computed(&mut self, world: &mut World, computed: Computed) -> Result<Value, Stop> {
        match computed {
            Computed::Int(value) => self.made(world, value),
            Computed::Bool(value) => Ok(Value::Bool(value)),
            Computed::Option(None) => Ok(Value::none()),
            Computed::Option(Some(value)) => self.made(world, value).map(Value::some),
            Computed::Flagged(value, lost) => Ok(Value::tuple(vec![self.made(world, value)?, Value::Bool(lost)])),
            Computed::Panics(why) => Err(self.panic_here(world, why)),
            Computed::Beyond64(_) if world.cells.scope.overflow == OverflowMode::Exact => {
                Err(self.panic_here(world, DOES_NOT_FIT))
            }
            Computed::Beyond64(value) => {
                let value = value.filter(|it| it.abs() < FARTHEST);
                match (self.quantifier, value) {
                    (Quantifier::Existential, Some(value)) => {
                        self.assumed.insert(Assumption::No64BitOverflow);
                        self.made(world, value)
                    }
                    (Quantifier::Existential, None) => Err(Stop::Disabled),
                    (Quantifier::Universal, _) => Err(Stop::AssumedAway(Assumption::No64BitOverflow)),
                }
            }
        }
    }

    /// The sum, maximum or minimum of integers.
    pub(super) fn fold(&mut self, world: &mut World, prim: Prim, elements: &[Value], ty: &Type) -> Result<Value, Stop> {
        let mut numbers = Vec::new();
        for element in elements {
            let value = self.force(world, element).map_err(Stop::Need)?;
            numbers.push(number(&value)?);
        }
        let bound = match prim {
            Prim::MaxOf => numbers.iter().max(),
            Prim::MinOf => numbers.iter().min(),
            _ => return self.sum(world, &numbers, ty),
        };
        Ok(bound.map_or_else(Value::none, |it| Value::some(Value::int(*it))))
    }

    /// Adds one after the other, as Rust does.
    fn sum(&mut self, world: &mut World, numbers: &[i128], ty: &Type) -> Result<Value, Stop> {
        let Some(int) = IntType::of(ty) else { return Ok(Value::Unit) };
        let mut sum = Value::int(0);
        for next in numbers {
            let operands = [number(&sum)?, *next];
            let Some(computed) = compute(Prim::Arith(Arith::Add, Overflow::Panics), &operands, int) else {
                return Ok(Value::Unit);
            };
            sum = self.computed(world, computed)?;
        }
        Ok(sum)
    }

    /// The integers from one to another, as a sequence.
    pub(super) fn range(&mut self, world: &mut World, is_inclusive: bool) -> Result<Value, Stop> {
        let (from, to) = (self.number_top(world, 1)?, self.number_top(world, 0)?);
        let end = to + i128::from(is_inclusive);
        if end - from > LONGEST_RANGE {
            return Err(Stop::Beyond(format!("ranges ≤ {LONGEST_RANGE} numbers")));
        }
        world.pay_for(usize::try_from(end - from).unwrap_or_default())?;
        Ok(Value::seq((from..end).map(|it| self.made(world, it)).collect::<Result<_, _>>()?))
    }

    /// An integer that the code computed. As long as unknown integers are atoms, it must be one of the literals that they differ from.
    pub(super) fn made(&self, world: &World, number: i128) -> Result<Value, Stop> {
        let is_told_apart = world.cells.numbers != Numbers::Atoms || world.cells.int_literals.contains(&number);
        if is_told_apart { Ok(Value::int(number)) } else { Err(Stop::NumbersNeeded) }
    }

    pub(super) fn number_top(&mut self, world: &mut World, depth: usize) -> Result<i128, Stop> {
        let value = self.force_top(world, depth)?;
        number(&value)
    }
}

/// The number of an integer that code calculates with.
pub(super) fn number(value: &Value) -> Result<i128, Stop> {
    match value {
        Value::Int(it) => Ok(Integer::get(*it)),
        Value::Bool(it) => Ok(i128::from(*it)),
        _ => Err(Stop::NumbersNeeded),
    }
}

/// Whether some type has this integer.
fn fits_64_bits(number: i128) -> bool {
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number)
}

/// Whether it is `+`, `-` or `*`, which the assumption about overflows is about.
fn is_plain(prim: Prim) -> bool {
    matches!(prim, Prim::Arith(arith, Overflow::Panics) if arith.is_plain())
}
