//! Integer arithmetic as in Rust, shared by lowering, which folds constants, and the machine.
//!
//! An integer is an `i128` here, whatever its type. All integer types of the language fit. So do the results of one operation, except
//! powers and products, which report when they do not.

use super::{Arith, BitCount, Overflow, Prim, Type};

/// An integer type: its width and its signedness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntType {
    /// Width: 8, 16, 32 or 64.
    pub bits: u8,
    /// Whether it has negative values.
    pub signed: bool,
}

/// The result of an integer operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computed {
    /// An integer, in the range of the result type.
    Int(i128),
    /// A truth value, of a comparison or test.
    Bool(bool),
    /// An `Option` of an integer.
    Option(Option<i128>),
    /// An integer, and whether the result did not fit.
    Flagged(i128, bool),
    /// The code panics, for this reason.
    Panics(&'static str),
    /// The result of a plain operator does not fit 64 bits. The value is the mathematical result, unless it is out of every bound.
    Beyond64(Option<i128>),
}

/// The reasons of arithmetic panics.
pub const DOES_NOT_FIT: &str = "the result does not fit its integer type";
const BY_ZERO: &str = "division by zero";
const SHIFTED_TOO_FAR: &str = "the amount of a shift is not less than the number of bits";

/// The result of an operation before the overflow check.
struct Exact {
    /// The result, truncated to the width of the type.
    wrapped: i128,
    overflows: bool,
    /// The mathematical result; `None` if it does not fit an `i128`.
    value: Option<i128>,
    is_negative: bool,
}

impl IntType {
    /// The integer type of a type, if it is one.
    pub fn of(ty: &Type) -> Option<IntType> {
        match *ty {
            Type::Int { bits, signed } => Some(IntType { bits, signed }),
            _ => None,
        }
    }

    /// The least value of the type.
    pub fn min(self) -> i128 {
        if self.signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    /// The greatest value of the type.
    pub fn max(self) -> i128 {
        (1 << (self.bits - u8::from(self.signed))) - 1
    }

    /// Whether the value is in the range of the type.
    pub fn contains(self, value: i128) -> bool {
        (self.min()..=self.max()).contains(&value)
    }

    /// The integer of the type with the same lower bits.
    pub fn wrap(self, value: i128) -> i128 {
        let unused = 128 - u32::from(self.bits);
        let raised = value << unused;
        if self.signed { raised >> unused } else { (raised.cast_unsigned() >> unused).cast_signed() }
    }

    /// The bits of an integer of the type, zero-extended.
    fn pattern(self, value: i128) -> u128 {
        value.cast_unsigned() & ((1 << self.bits) - 1)
    }

    /// The integer of the type with these bits.
    fn of_pattern(self, pattern: u128) -> i128 {
        self.wrap(pattern.cast_signed())
    }
}

/// Computes a primitive on integers of a type, that of the first operand. `None` if it is not an integer primitive, or an operand is not in
/// range.
pub fn compute(prim: Prim, operands: &[i128], int: IntType) -> Option<Computed> {
    Some(match (prim, operands) {
        (Prim::Arith(arith, overflow), [a]) => with_overflow(arith, overflow, exact(arith, *a, 0, int), int),
        (Prim::Arith(arith, overflow), [a, b]) => with_overflow(arith, overflow, exact(arith, *a, *b, int), int),
        (Prim::AbsDiff, [a, b]) => Computed::Int((a - b).abs()),
        (Prim::UnsignedAbs, [a]) => Computed::Int(a.abs()),
        (Prim::BitAnd, [a, b]) => Computed::Int(int.wrap(a & b)),
        (Prim::BitOr, [a, b]) => Computed::Int(int.wrap(a | b)),
        (Prim::BitXor, [a, b]) => Computed::Int(int.wrap(a ^ b)),
        (Prim::Not, [a]) => Computed::Int(int.wrap(!a)),
        (Prim::RotateLeft, [a, by]) => Computed::Int(rotated(*a, *by, int)),
        (Prim::RotateRight, [a, by]) => Computed::Int(rotated(*a, -*by, int)),
        (Prim::Count(what), [a]) => Computed::Int(i128::from(count(what, *a, int))),
        (Prim::IsPowerOfTwo, [a]) => Computed::Bool(int.pattern(*a).is_power_of_two()),
        (Prim::Min, [a, b]) => Computed::Int(*a.min(b)),
        (Prim::Max, [a, b]) => Computed::Int(*a.max(b)),
        (Prim::Cast, [a]) => Computed::Int(int.wrap(*a)),
        _ => return None,
    })
}

fn with_overflow(arith: Arith, overflow: Overflow, exact: Result<Exact, &'static str>, int: IntType) -> Computed {
    let Exact { wrapped, overflows, value, is_negative } = match exact {
        Ok(exact) => exact,
        Err(_) if overflow == Overflow::Checked => return Computed::Option(None),
        Err(why) => return Computed::Panics(why),
    };
    match overflow {
        Overflow::Wraps => Computed::Int(wrapped),
        Overflow::Reports => Computed::Flagged(wrapped, overflows),
        Overflow::Checked => Computed::Option((!overflows).then_some(wrapped)),
        Overflow::Panics | Overflow::Saturates if !overflows => Computed::Int(wrapped),
        Overflow::Saturates => Computed::Int(if is_negative { int.min() } else { int.max() }),
        Overflow::Panics if matches!(arith, Arith::Shl | Arith::Shr) => Computed::Panics(SHIFTED_TOO_FAR),
        // Nothing is below 0 in an unsigned type of any width.
        Overflow::Panics if arith.is_plain() && int.bits == 64 && (int.signed || !is_negative) => {
            Computed::Beyond64(value)
        }
        Overflow::Panics => Computed::Panics(DOES_NOT_FIT),
    }
}

fn exact(arith: Arith, a: i128, b: i128, int: IntType) -> Result<Exact, &'static str> {
    let fits = |value: i128| {
        let overflows = !int.contains(value);
        Exact { wrapped: int.wrap(value), overflows, value: Some(value), is_negative: value < 0 }
    };
    Ok(match arith {
        Arith::Add => fits(a + b),
        Arith::Sub => fits(a - b),
        Arith::Neg => fits(-a),
        Arith::Abs => fits(a.abs()),
        Arith::Mul => match a.checked_mul(b) {
            Some(product) => fits(product),
            None => beyond(int.wrap(a.wrapping_mul(b)), (a < 0) != (b < 0)),
        },
        Arith::Div | Arith::Rem | Arith::DivEuclid | Arith::RemEuclid if b == 0 => return Err(BY_ZERO),
        Arith::Div => fits(a / b),
        Arith::DivEuclid => fits(a.div_euclid(b)),
        // Rust performs the division here, and it overflows.
        Arith::Rem | Arith::RemEuclid if a == int.min() && b == -1 => Exact { overflows: true, ..fits(0) },
        Arith::Rem => fits(a % b),
        Arith::RemEuclid => fits(a.rem_euclid(b)),
        Arith::Pow => power(a, b, int),
        Arith::Shl | Arith::Shr => {
            let amount = b & i128::from(int.bits - 1);
            let wrapped = if arith == Arith::Shl { int.wrap(a << amount) } else { a >> amount };
            Exact { overflows: !(0..i128::from(int.bits)).contains(&b), ..fits(wrapped) }
        }
    })
}

fn beyond(wrapped: i128, is_negative: bool) -> Exact {
    Exact { wrapped, overflows: true, value: None, is_negative }
}

fn power(base: i128, exponent: i128, int: IntType) -> Exact {
    let (mut wrapped, mut square, mut left) = (1_i128, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            wrapped = wrapped.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        left >>= 1;
    }
    let wrapped = int.wrap(wrapped);
    let value = u32::try_from(exponent).ok().and_then(|it| base.checked_pow(it));
    match value {
        Some(value) => Exact { wrapped, overflows: !int.contains(value), value: Some(value), is_negative: value < 0 },
        None => beyond(wrapped, base < 0 && exponent & 1 == 1),
    }
}

fn rotated(value: i128, by: i128, int: IntType) -> i128 {
    let bits = i128::from(int.bits);
    let left = by.rem_euclid(bits);
    let pattern = int.pattern(value);
    // Rotating by 0 would shift the other half by the full width.
    int.of_pattern(pattern << left | pattern >> (bits - left))
}

fn count(what: BitCount, value: i128, int: IntType) -> u32 {
    let bits = u32::from(int.bits);
    let ones = int.pattern(value);
    let zeros = int.pattern(!value);
    let leading_zeros = |pattern: u128| pattern.leading_zeros() - (128 - bits);
    match what {
        BitCount::Ones => ones.count_ones(),
        BitCount::Zeros => zeros.count_ones(),
        BitCount::LeadingZeros => leading_zeros(ones),
        BitCount::LeadingOnes => leading_zeros(zeros),
        BitCount::TrailingZeros => ones.trailing_zeros().min(bits),
        BitCount::TrailingOnes => zeros.trailing_zeros().min(bits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ends, their neighbours, and integers around 0: every pair of them is tried.
    fn corners(int: IntType) -> Vec<i128> {
        let half = 1 << (int.bits / 2);
        let mut all: Vec<i128> = (-3..=3).chain([7, 8, half - 1, half, half + 1]).collect();
        all.extend([int.min(), int.min() + 1, int.max() - 1, int.max(), int.max() / 2, int.max() / 2 + 1]);
        all.retain(|it| int.contains(*it));
        all
    }

    fn plain(prim: Prim, operands: &[i128], int: IntType) -> Option<i128> {
        match compute(prim, operands, int).expect("an operation on integers") {
            Computed::Int(it) => Some(it),
            Computed::Panics(_) | Computed::Beyond64(_) => None,
            other => panic!("{prim:?} gives {other:?}"),
        }
    }

    fn option(prim: Prim, operands: &[i128], int: IntType) -> Option<i128> {
        match compute(prim, operands, int) {
            Some(Computed::Option(it)) => it,
            other => panic!("{prim:?} gives {other:?}"),
        }
    }

    fn flagged(prim: Prim, operands: &[i128], int: IntType) -> Option<(i128, bool)> {
        match compute(prim, operands, int) {
            Some(Computed::Flagged(it, lost)) => Some((it, lost)),
            Some(Computed::Panics(_)) => None,
            other => panic!("{prim:?} gives {other:?}"),
        }
    }

    /// One arm for each operation, compared with rustc's result.
    macro_rules! agrees {
        ($ty:ident) => {{
            let int = IntType { bits: $ty::BITS as u8, signed: $ty::MIN != 0 };
            assert_eq!((int.min(), int.max()), ($ty::MIN as i128, $ty::MAX as i128));
            for a in corners(int) {
                one_operand!($ty, int, a);
                for b in corners(int) {
                    two_operands!($ty, int, a, b);
                }
                for n in [0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 65, u32::MAX - 1, u32::MAX] {
                    amount!($ty, int, a, n);
                }
            }
        }};
    }

    macro_rules! one_operand {
        ($ty:ident, $int:ident, $a:ident) => {{
            let a = $a as $ty;
            let same = |prim: Prim, value: i128| assert_eq!(plain(prim, &[$a], $int), Some(value), "{prim:?} {a}");
            same(Prim::Not, (!a) as i128);
            same(Prim::Count(BitCount::Ones), i128::from(a.count_ones()));
            same(Prim::Count(BitCount::Zeros), i128::from(a.count_zeros()));
            same(Prim::Count(BitCount::LeadingOnes), i128::from(a.leading_ones()));
            same(Prim::Count(BitCount::LeadingZeros), i128::from(a.leading_zeros()));
            same(Prim::Count(BitCount::TrailingOnes), i128::from(a.trailing_ones()));
            same(Prim::Count(BitCount::TrailingZeros), i128::from(a.trailing_zeros()));
            same(Prim::Arith(Arith::Neg, Overflow::Wraps), a.wrapping_neg() as i128);
            let neg = option(Prim::Arith(Arith::Neg, Overflow::Checked), &[$a], $int);
            assert_eq!(neg, a.checked_neg().map(|it| it as i128), "-{a}");
            let neg = flagged(Prim::Arith(Arith::Neg, Overflow::Reports), &[$a], $int);
            let (value, lost) = a.overflowing_neg();
            assert_eq!(neg, Some((value as i128, lost)), "-{a}");
            macro_rules! cast {
                ($to:ident) => {{
                    let to = IntType { bits: $to::BITS as u8, signed: $to::MIN != 0 };
                    assert_eq!(plain(Prim::Cast, &[$a], to), Some(a as $to as i128), "{a} as {}", stringify!($to));
                }};
            }
            cast!(u8);
            cast!(u16);
            cast!(u32);
            cast!(u64);
            cast!(usize);
            cast!(i8);
            cast!(i16);
            cast!(i32);
            cast!(i64);
            cast!(isize);
        }};
    }

    macro_rules! two_operands {
        ($ty:ident, $int:ident, $a:ident, $b:ident) => {{
            let (a, b) = ($a as $ty, $b as $ty);
            macro_rules! family {
                ($arith:ident, $wrapping:ident, $checked:ident, $overflowing:ident) => {{
                    let of = |it| Prim::Arith(Arith::$arith, it);
                    let what = format!("{a} {} {b}", stringify!($checked));
                    let is_defined = b != 0 || matches!(Arith::$arith, Arith::Add | Arith::Sub | Arith::Mul);
                    let expected = a.$checked(b).map(|it| it as i128);
                    assert_eq!(plain(of(Overflow::Panics), &[$a, $b], $int), expected, "{what}");
                    assert_eq!(option(of(Overflow::Checked), &[$a, $b], $int), expected, "{what}");
                    let expected = is_defined.then(|| a.$wrapping(b) as i128);
                    assert_eq!(plain(of(Overflow::Wraps), &[$a, $b], $int), expected, "{what}");
                    let expected = is_defined.then(|| a.$overflowing(b)).map(|(it, lost)| (it as i128, lost));
                    assert_eq!(flagged(of(Overflow::Reports), &[$a, $b], $int), expected, "{what}");
                }};
            }
            family!(Add, wrapping_add, checked_add, overflowing_add);
            family!(Sub, wrapping_sub, checked_sub, overflowing_sub);
            family!(Mul, wrapping_mul, checked_mul, overflowing_mul);
            family!(Div, wrapping_div, checked_div, overflowing_div);
            family!(Rem, wrapping_rem, checked_rem, overflowing_rem);
            family!(DivEuclid, wrapping_div_euclid, checked_div_euclid, overflowing_div_euclid);
            family!(RemEuclid, wrapping_rem_euclid, checked_rem_euclid, overflowing_rem_euclid);
            let saturated = |arith| plain(Prim::Arith(arith, Overflow::Saturates), &[$a, $b], $int);
            assert_eq!(saturated(Arith::Add), Some(a.saturating_add(b) as i128), "{a} + {b}");
            assert_eq!(saturated(Arith::Sub), Some(a.saturating_sub(b) as i128), "{a} - {b}");
            assert_eq!(saturated(Arith::Mul), Some(a.saturating_mul(b) as i128), "{a} * {b}");
            if b != 0 {
                assert_eq!(saturated(Arith::Div), Some(a.saturating_div(b) as i128), "{a} / {b}");
            }
            let same =
                |prim: Prim, value: i128| assert_eq!(plain(prim, &[$a, $b], $int), Some(value), "{prim:?} {a} {b}");
            same(Prim::AbsDiff, a.abs_diff(b) as i128);
            same(Prim::BitAnd, (a & b) as i128);
            same(Prim::BitOr, (a | b) as i128);
            same(Prim::BitXor, (a ^ b) as i128);
            same(Prim::Min, a.min(b) as i128);
            same(Prim::Max, a.max(b) as i128);
        }};
    }

    macro_rules! amount {
        ($ty:ident, $int:ident, $a:ident, $n:ident) => {{
            let (a, n) = ($a as $ty, i128::from($n));
            macro_rules! family {
                ($arith:ident, $wrapping:ident, $checked:ident, $overflowing:ident) => {{
                    let of = |it| Prim::Arith(Arith::$arith, it);
                    let what = format!("{a} {} {n}", stringify!($checked));
                    let expected = a.$checked($n).map(|it| it as i128);
                    assert_eq!(plain(of(Overflow::Panics), &[$a, n], $int), expected, "{what}");
                    assert_eq!(option(of(Overflow::Checked), &[$a, n], $int), expected, "{what}");
                    assert_eq!(plain(of(Overflow::Wraps), &[$a, n], $int), Some(a.$wrapping($n) as i128), "{what}");
                    let (value, lost) = a.$overflowing($n);
                    assert_eq!(flagged(of(Overflow::Reports), &[$a, n], $int), Some((value as i128, lost)), "{what}");
                }};
            }
            family!(Shl, wrapping_shl, checked_shl, overflowing_shl);
            family!(Shr, wrapping_shr, checked_shr, overflowing_shr);
            family!(Pow, wrapping_pow, checked_pow, overflowing_pow);
            let saturated = plain(Prim::Arith(Arith::Pow, Overflow::Saturates), &[$a, n], $int);
            assert_eq!(saturated, Some(a.saturating_pow($n) as i128), "{a}^{n}");
            assert_eq!(plain(Prim::RotateLeft, &[$a, n], $int), Some(a.rotate_left($n) as i128), "{a} {n}");
            assert_eq!(plain(Prim::RotateRight, &[$a, n], $int), Some(a.rotate_right($n) as i128), "{a} {n}");
        }};
    }

    /// Operations that only signed integers have.
    macro_rules! signs_agree {
        ($ty:ident) => {{
            let int = IntType { bits: $ty::BITS as u8, signed: true };
            for corner in corners(int) {
                let a = corner as $ty;
                let of = |arith, it| Prim::Arith(arith, it);
                let expected = a.checked_abs().map(|it| it as i128);
                assert_eq!(plain(of(Arith::Abs, Overflow::Panics), &[corner], int), expected, "{a}");
                assert_eq!(option(of(Arith::Abs, Overflow::Checked), &[corner], int), expected, "{a}");
                let same =
                    |prim: Prim, value: i128| assert_eq!(plain(prim, &[corner], int), Some(value), "{prim:?} {a}");
                same(of(Arith::Abs, Overflow::Wraps), a.wrapping_abs() as i128);
                same(of(Arith::Abs, Overflow::Saturates), a.saturating_abs() as i128);
                same(of(Arith::Neg, Overflow::Saturates), a.saturating_neg() as i128);
                same(Prim::UnsignedAbs, a.unsigned_abs() as i128);
                let (value, lost) = a.overflowing_abs();
                assert_eq!(flagged(of(Arith::Abs, Overflow::Reports), &[corner], int), Some((value as i128, lost)));
                for (amount, by) in [-1_i128, -8, 200].map(|it| (it, it)) {
                    assert_eq!(plain(of(Arith::Shl, Overflow::Panics), &[corner, by], int), None, "<< {amount}");
                }
            }
        }};
    }

    #[test]
    fn integers_are_those_of_rustc() {
        agrees!(u8);
        agrees!(u16);
        agrees!(u32);
        agrees!(u64);
        agrees!(usize);
        agrees!(i8);
        agrees!(i16);
        agrees!(i32);
        agrees!(i64);
        agrees!(isize);
        signs_agree!(i8);
        signs_agree!(i16);
        signs_agree!(i32);
        signs_agree!(i64);
        for a in corners(IntType { bits: 64, signed: false }) {
            let expected = Some(Computed::Bool((a as u64).is_power_of_two()));
            assert_eq!(compute(Prim::IsPowerOfTwo, &[a], IntType { bits: 64, signed: false }), expected);
        }
    }

    #[test]
    fn only_plain_operators_on_64_bits_go_beyond() {
        let add = Prim::Arith(Arith::Add, Overflow::Panics);
        let sub = Prim::Arith(Arith::Sub, Overflow::Panics);
        let of = |bits, signed| IntType { bits, signed };
        let max = i128::from(u64::MAX);
        assert_eq!(compute(add, &[max, 1], of(64, false)), Some(Computed::Beyond64(Some(max + 1))));
        assert_eq!(compute(sub, &[0, 1], of(64, false)), Some(Computed::Panics(DOES_NOT_FIT)));
        assert_eq!(
            compute(sub, &[i64::MIN.into(), 1], of(64, true)),
            Some(Computed::Beyond64(Some(i128::from(i64::MIN) - 1)))
        );
        assert_eq!(compute(add, &[u32::MAX.into(), 1], of(32, false)), Some(Computed::Panics(DOES_NOT_FIT)));
    }
}
