//! Integer operations as rustc compiles them: each is performed on a value of the actual type, by the operator or method itself.

use cspec_analysis::ir::{Arith, BitCount, Overflow, Prim, Type};

use crate::{
    eval::{Beyond, Stop, dont_know},
    value::{Value, int_range},
};

const DOES_NOT_FIT: Stop = Stop::Panicked("the result does not fit its integer type");
const BY_ZERO: Stop = Stop::Panicked("division by zero");

/// The results of the methods of one family for the same operands.
struct Family<T> {
    checked: Option<T>,
    wrapping: T,
    overflowing: (T, bool),
    saturating: Option<T>,
}

impl<T: Into<i128>> Family<T> {
    fn by(self, overflow: Overflow) -> Result<Value, Stop> {
        match overflow {
            Overflow::Panics => self.checked.map(int).ok_or(DOES_NOT_FIT),
            Overflow::Wraps => Ok(int(self.wrapping)),
            Overflow::Checked => Ok(Value::option(self.checked.map(int))),
            Overflow::Reports => Ok(Value::Tuple(vec![int(self.overflowing.0), Value::Bool(self.overflowing.1)])),
            Overflow::Saturates => self.saturating.map(int).ok_or_else(|| dont_know("there is no such method")),
        }
    }
}

fn int(number: impl Into<i128>) -> Value {
    Value::Int(number.into())
}

/// The result of `number as ty`.
pub fn cast(number: i128, ty: &Type) -> Result<Value, Stop> {
    Ok(match ty {
        Type::Int { bits: 8, signed: false } => int(number as u8),
        Type::Int { bits: 16, signed: false } => int(number as u16),
        Type::Int { bits: 32, signed: false } => int(number as u32),
        Type::Int { bits: 64, signed: false } => int(number as u64),
        Type::Int { bits: 8, signed: true } => int(number as i8),
        Type::Int { bits: 16, signed: true } => int(number as i16),
        Type::Int { bits: 32, signed: true } => int(number as i32),
        Type::Int { bits: 64, signed: true } => int(number as i64),
        _ => return Err(dont_know("a number of another type")),
    })
}

macro_rules! families {
    ($arith:expr, $a:expr, $b:expr, $by:expr) => {{
        let (a, b, by) = ($a, $b, $by);
        match $arith {
            Arith::Add => Some(Family {
                checked: a.checked_add(b),
                wrapping: a.wrapping_add(b),
                overflowing: a.overflowing_add(b),
                saturating: Some(a.saturating_add(b)),
            }),
            Arith::Sub => Some(Family {
                checked: a.checked_sub(b),
                wrapping: a.wrapping_sub(b),
                overflowing: a.overflowing_sub(b),
                saturating: Some(a.saturating_sub(b)),
            }),
            Arith::Mul => Some(Family {
                checked: a.checked_mul(b),
                wrapping: a.wrapping_mul(b),
                overflowing: a.overflowing_mul(b),
                saturating: Some(a.saturating_mul(b)),
            }),
            Arith::Div => Some(Family {
                checked: a.checked_div(b),
                wrapping: a.wrapping_div(b),
                overflowing: a.overflowing_div(b),
                saturating: Some(a.saturating_div(b)),
            }),
            Arith::Rem => Some(Family {
                checked: a.checked_rem(b),
                wrapping: a.wrapping_rem(b),
                overflowing: a.overflowing_rem(b),
                saturating: None,
            }),
            Arith::DivEuclid => Some(Family {
                checked: a.checked_div_euclid(b),
                wrapping: a.wrapping_div_euclid(b),
                overflowing: a.overflowing_div_euclid(b),
                saturating: None,
            }),
            Arith::RemEuclid => Some(Family {
                checked: a.checked_rem_euclid(b),
                wrapping: a.wrapping_rem_euclid(b),
                overflowing: a.overflowing_rem_euclid(b),
                saturating: None,
            }),
            Arith::Pow => Some(Family {
                checked: a.checked_pow(by),
                wrapping: a.wrapping_pow(by),
                overflowing: a.overflowing_pow(by),
                saturating: Some(a.saturating_pow(by)),
            }),
            Arith::Shl => Some(Family {
                checked: a.checked_shl(by),
                wrapping: a.wrapping_shl(by),
                overflowing: a.overflowing_shl(by),
                saturating: None,
            }),
            Arith::Shr => Some(Family {
                checked: a.checked_shr(by),
                wrapping: a.wrapping_shr(by),
                overflowing: a.overflowing_shr(by),
                saturating: None,
            }),
            Arith::Neg | Arith::Abs => None,
        }
    }};
}

macro_rules! bits {
    ($prim:expr, $a:expr, $b:expr, $by:expr) => {{
        let (a, b, by) = ($a, $b, $by);
        match $prim {
            Prim::AbsDiff => Some(int(a.abs_diff(b))),
            Prim::BitAnd => Some(int(a & b)),
            Prim::BitOr => Some(int(a | b)),
            Prim::BitXor => Some(int(a ^ b)),
            Prim::Not => Some(int(!a)),
            Prim::RotateLeft => Some(int(a.rotate_left(by))),
            Prim::RotateRight => Some(int(a.rotate_right(by))),
            Prim::Count(BitCount::Ones) => Some(int(a.count_ones())),
            Prim::Count(BitCount::Zeros) => Some(int(a.count_zeros())),
            Prim::Count(BitCount::LeadingOnes) => Some(int(a.leading_ones())),
            Prim::Count(BitCount::LeadingZeros) => Some(int(a.leading_zeros())),
            Prim::Count(BitCount::TrailingOnes) => Some(int(a.trailing_ones())),
            Prim::Count(BitCount::TrailingZeros) => Some(int(a.trailing_zeros())),
            Prim::Min => Some(int(a.min(b))),
            Prim::Max => Some(int(a.max(b))),
            _ => None,
        }
    }};
}

macro_rules! unsigned {
    ($ty:ident, $prim:expr, $a:expr, $b:expr, $by:expr) => {{
        let (a, b) = ($a as $ty, $b as $ty);
        match $prim {
            Prim::Arith(Arith::Neg, overflow) => {
                let (checked, wrapping, overflowing) = (a.checked_neg(), a.wrapping_neg(), a.overflowing_neg());
                Family { checked, wrapping, overflowing, saturating: None }.by(overflow)
            }
            Prim::Arith(arith, overflow) => families!(arith, a, b, $by).ok_or_else(unknown)?.by(overflow),
            Prim::IsPowerOfTwo => Ok(Value::Bool(a.is_power_of_two())),
            other => bits!(other, a, b, $by).ok_or_else(unknown),
        }
    }};
}

macro_rules! signed {
    ($ty:ident, $prim:expr, $a:expr, $b:expr, $by:expr) => {{
        let (a, b) = ($a as $ty, $b as $ty);
        match $prim {
            Prim::Arith(Arith::Neg, overflow) => Family {
                checked: a.checked_neg(),
                wrapping: a.wrapping_neg(),
                overflowing: a.overflowing_neg(),
                saturating: Some(a.saturating_neg()),
            }
            .by(overflow),
            Prim::Arith(Arith::Abs, overflow) => Family {
                checked: a.checked_abs(),
                wrapping: a.wrapping_abs(),
                overflowing: a.overflowing_abs(),
                saturating: Some(a.saturating_abs()),
            }
            .by(overflow),
            Prim::Arith(arith, overflow) => families!(arith, a, b, $by).ok_or_else(unknown)?.by(overflow),
            Prim::UnsignedAbs => Ok(int(a.unsigned_abs())),
            other => bits!(other, a, b, $by).ok_or_else(unknown),
        }
    }};
}

fn unknown() -> Stop {
    dont_know("no operation on integers of this type")
}

/// The result of a primitive on one or two integers; `ty` is the type of the first.
pub fn compute(prim: Prim, a: i128, b: Option<i128>, ty: &Type, beyond: Beyond) -> Result<Value, Stop> {
    let Type::Int { bits, signed } = *ty else { return Err(dont_know("a number of another type")) };
    let second = b.unwrap_or(0);
    if let Prim::Arith(arith, overflow) = prim {
        let divides = matches!(arith, Arith::Div | Arith::Rem | Arith::DivEuclid | Arith::RemEuclid);
        if divides && second == 0 {
            return if overflow == Overflow::Checked { Ok(Value::option(None)) } else { Err(BY_ZERO) };
        }
        let shifts = matches!(arith, Arith::Shl | Arith::Shr);
        if shifts && overflow == Overflow::Panics && !(0..i128::from(bits)).contains(&second) {
            return Err(Stop::Panicked("a shift by too much"));
        }
        if let Some(result) = plain(prim, a, second, bits, signed, beyond) {
            return result;
        }
    }
    if !int_range(bits, signed).contains(&a) {
        // Without a limit only plain operators have a meaning.
        return Err(Stop::Disabled);
    }
    // Only the amount of a shift is read.
    let by = second as u32;
    match (bits, signed) {
        (8, false) => unsigned!(u8, prim, a, second, by),
        (16, false) => unsigned!(u16, prim, a, second, by),
        (32, false) => unsigned!(u32, prim, a, second, by),
        (64, false) => unsigned!(u64, prim, a, second, by),
        (8, true) => signed!(i8, prim, a, second, by),
        (16, true) => signed!(i16, prim, a, second, by),
        (32, true) => signed!(i32, prim, a, second, by),
        (64, true) => signed!(i64, prim, a, second, by),
        _ => Err(unknown()),
    }
}

/// A plain operator on 64 bits whose result does not fit, unless it is below 0 in an unsigned type.
fn plain(prim: Prim, a: i128, b: i128, bits: u8, signed: bool, beyond: Beyond) -> Option<Result<Value, Stop>> {
    let result = match prim {
        Prim::Arith(Arith::Add, Overflow::Panics) => a + b,
        Prim::Arith(Arith::Sub, Overflow::Panics) => a - b,
        Prim::Arith(Arith::Mul, Overflow::Panics) => a.saturating_mul(b),
        Prim::Arith(Arith::Neg, Overflow::Panics) => -a,
        _ => return None,
    };
    if bits != 64 || int_range(bits, signed).contains(&result) || (result < 0 && !signed) {
        return None;
    }
    Some(match beyond {
        Beyond::Unlimited => Ok(Value::Int(result)),
        Beyond::LeftOut => Err(Stop::Disabled),
    })
}

#[cfg(test)]
mod tests {
    use cspec_analysis::ir::int::{Computed, IntType, compute as engine};
    use fastrand::Rng;

    use super::*;

    const ARITH: [Arith; 12] = [
        Arith::Add,
        Arith::Sub,
        Arith::Mul,
        Arith::Div,
        Arith::Rem,
        Arith::DivEuclid,
        Arith::RemEuclid,
        Arith::Neg,
        Arith::Abs,
        Arith::Pow,
        Arith::Shl,
        Arith::Shr,
    ];
    const OVERFLOW: [Overflow; 5] =
        [Overflow::Panics, Overflow::Wraps, Overflow::Saturates, Overflow::Checked, Overflow::Reports];
    const BITS: [Prim; 15] = [
        Prim::AbsDiff,
        Prim::UnsignedAbs,
        Prim::BitAnd,
        Prim::BitOr,
        Prim::BitXor,
        Prim::Not,
        Prim::RotateLeft,
        Prim::RotateRight,
        Prim::Count(BitCount::Ones),
        Prim::Count(BitCount::Zeros),
        Prim::Count(BitCount::LeadingZeros),
        Prim::Count(BitCount::TrailingZeros),
        Prim::IsPowerOfTwo,
        Prim::Min,
        Prim::Max,
    ];

    /// A random integer of the type, usually near an end or near 0.
    fn corner(random: &mut Rng, int: IntType) -> i128 {
        let near = i128::from(random.u8(..4));
        match random.u8(..5) {
            0 => int.min() + near,
            1 => int.max() - near,
            2 => int.wrap(1 << random.u32(..u32::from(int.bits))),
            3 => int.wrap(i128::from(random.u64(..))),
            _ => near.min(int.max()),
        }
    }

    fn operands(prim: Prim) -> usize {
        match prim {
            Prim::Arith(arith, _) => arith.operands(),
            Prim::Not | Prim::Count(_) | Prim::IsPowerOfTwo | Prim::UnsignedAbs => 1,
            _ => 2,
        }
    }

    fn same(computed: Option<Computed>, by_rustc: &Result<Value, Stop>) -> bool {
        match (computed, by_rustc) {
            (Some(Computed::Int(it)), Ok(value)) => *value == Value::Int(it),
            (Some(Computed::Bool(it)), Ok(value)) => *value == Value::Bool(it),
            (Some(Computed::Option(it)), Ok(value)) => *value == Value::option(it.map(Value::Int)),
            (Some(Computed::Flagged(it, lost)), Ok(value)) => {
                *value == Value::Tuple(vec![Value::Int(it), Value::Bool(lost)])
            }
            (Some(Computed::Panics(_)), Err(Stop::Panicked(_))) => true,
            (Some(Computed::Beyond64(_)), Err(Stop::Disabled)) => true,
            // The type has no such method.
            (_, Err(Stop::DontKnow(_))) => true,
            _ => false,
        }
    }

    /// The engine calculates as rustc does: all types, all operations, and mostly operands near the limits of the types.
    #[test]
    fn the_engine_agrees_with_rustc() {
        let mut random = Rng::with_seed(20);
        let families = ARITH.into_iter().flat_map(|arith| OVERFLOW.map(|overflow| Prim::Arith(arith, overflow)));
        let all: Vec<Prim> = families.chain(BITS).collect();
        let types: Vec<IntType> =
            [8, 16, 32, 64].into_iter().flat_map(|bits| [false, true].map(|signed| IntType { bits, signed })).collect();
        for turn in 0..300_000_usize {
            let (prim, int) = (all[turn % all.len()], types[random.usize(..types.len())]);
            let is_amount = matches!(
                prim,
                Prim::RotateLeft | Prim::RotateRight | Prim::Arith(Arith::Pow | Arith::Shl | Arith::Shr, _)
            );
            let second = if is_amount { IntType { bits: 32, signed: false } } else { int };
            let (a, b) = (corner(&mut random, int), corner(&mut random, second));
            let row = [a, b];
            let row = &row[..operands(prim)];
            let ty = Type::Int { bits: int.bits, signed: int.signed };
            let by_rustc = compute(prim, a, row.get(1).copied(), &ty, Beyond::LeftOut);
            assert!(same(engine(prim, row, int), &by_rustc), "{prim:?} of {row:?} as {int:?}: {by_rustc:?}");
            let to = types[random.usize(..types.len())];
            let target = Type::Int { bits: to.bits, signed: to.signed };
            assert!(same(engine(Prim::Cast, &[a], to), &cast(a, &target)), "{a} as {to:?}");
        }
    }
}
