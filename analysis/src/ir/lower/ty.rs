//! Types during the lowering of a body: those of the IR, with variables for types that are not inferred yet.

use crate::ir::{Type, TypeId};

/// A type under inference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    /// A fault that has been reported; fits every type.
    Error,
    /// `_` as written, before it becomes a variable.
    Hole,
    /// An unknown type: index into [`Infer`].
    Var(u32),
    /// A constructor with its arguments.
    Con(Con, Vec<Ty>),
}

/// The constructors of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Con {
    Never,
    Bool,
    Int {
        bits: u8,
        signed: bool,
    },
    Str,
    Pid,
    /// `std::cmp::Ordering`, as an `Option<bool>`: see [`super::body::ordering`].
    Ordering,
    /// `std::num::TryFromIntError`, which has one value.
    OutOfRange,
    User(TypeId),
    Tuple,
    Option,
    Result,
    Map,
    Total,
    Set,
    Seq,
}

impl Ty {
    pub(super) const NEVER: Ty = Ty::Con(Con::Never, Vec::new());
    pub(super) const BOOL: Ty = Ty::Con(Con::Bool, Vec::new());
    pub(super) const UNIT: Ty = Ty::Con(Con::Tuple, Vec::new());
    pub(super) const STR: Ty = Ty::Con(Con::Str, Vec::new());
    pub(super) const PID: Ty = Ty::Con(Con::Pid, Vec::new());
    pub(super) const ORDERING: Ty = Ty::Con(Con::Ordering, Vec::new());
    pub(super) const OUT_OF_RANGE: Ty = Ty::Con(Con::OutOfRange, Vec::new());
    pub(super) const U64: Ty = Ty::int(64, false);
    pub(super) const U32: Ty = Ty::int(32, false);

    pub(super) const fn int(bits: u8, signed: bool) -> Ty {
        Ty::Con(Con::Int { bits, signed }, Vec::new())
    }

    pub(super) fn option(of: Ty) -> Ty {
        Ty::Con(Con::Option, vec![of])
    }

    pub(super) fn result(ok: Ty, err: Ty) -> Ty {
        Ty::Con(Con::Result, vec![ok, err])
    }

    pub(super) fn seq(of: Ty) -> Ty {
        Ty::Con(Con::Seq, vec![of])
    }

    pub(super) fn tuple(of: Vec<Ty>) -> Ty {
        Ty::Con(Con::Tuple, of)
    }

    pub(super) fn user(id: TypeId) -> Ty {
        Ty::Con(Con::User(id), Vec::new())
    }

    pub(super) fn is_never(&self) -> bool {
        *self == Ty::NEVER
    }

    /// Whether no part of it is invalid or unknown.
    pub(super) fn is_known(&self) -> bool {
        match self {
            Ty::Error | Ty::Hole | Ty::Var(_) => false,
            Ty::Con(_, arguments) => arguments.iter().all(Ty::is_known),
        }
    }

    /// The type of the IR, unless a part is invalid or unknown.
    pub(super) fn to_type(&self) -> Option<Type> {
        let Ty::Con(con, arguments) = self else { return None };
        let arguments: Option<Vec<Type>> = arguments.iter().map(Ty::to_type).collect();
        let mut arguments = arguments?;
        let mut next = || Some(Box::new(if arguments.is_empty() { return None } else { arguments.remove(0) }));
        Some(match con {
            Con::Never => Type::Never,
            Con::Bool => Type::Bool,
            Con::Int { bits, signed } => Type::Int { bits: *bits, signed: *signed },
            Con::Str => Type::Str,
            Con::Pid => Type::Pid,
            Con::OutOfRange => Type::UNIT,
            Con::Ordering => Type::Option(Box::new(Type::Bool)),
            Con::User(id) => Type::User(*id),
            Con::Tuple => Type::Tuple(arguments),
            Con::Option => Type::Option(next()?),
            Con::Result => Type::Result(next()?, next()?),
            Con::Map => Type::Map(next()?, next()?),
            Con::Total => Type::Total(next()?, next()?),
            Con::Set => Type::Set(next()?),
            Con::Seq => Type::Seq(next()?),
        })
    }
}

/// The maximum number of parts of a type. A type doubles with each line that pairs a value with itself, so a short text can stand for a
/// type that does not fit in memory.
pub(super) const MOST_PARTS: usize = 1_000;

/// The message for a type with more parts.
pub(super) const TOO_LARGE: &str = "this type has too many parts: more than 1,000 when it is written out";

/// The knowledge about a type variable.
#[derive(Clone, Debug)]
enum Known {
    Nothing,
    /// The type of an integer literal.
    Integer,
    Is(Ty),
}

/// The type variables of one body.
#[derive(Default)]
pub(super) struct Infer {
    variables: Vec<Known>,
}

impl Infer {
    pub(super) fn fresh(&mut self) -> Ty {
        self.variables.push(Known::Nothing);
        Ty::Var(self.variables.len() as u32 - 1)
    }

    pub(super) fn fresh_integer(&mut self) -> Ty {
        self.variables.push(Known::Integer);
        Ty::Var(self.variables.len() as u32 - 1)
    }

    /// Replaces `_` by variables.
    pub(super) fn instantiate(&mut self, ty: Ty) -> Ty {
        match ty {
            Ty::Hole => self.fresh(),
            Ty::Con(con, arguments) => Ty::Con(con, arguments.into_iter().map(|it| self.instantiate(it)).collect()),
            other => other,
        }
    }

    /// The outermost constructor, as far as it is known.
    pub(super) fn shallow(&self, ty: &Ty) -> Ty {
        let mut ty = ty;
        while let Ty::Var(variable) = ty {
            match &self.variables[*variable as usize] {
                Known::Is(known) => ty = known,
                _ => break,
            }
        }
        ty.clone()
    }

    /// Whether it is a variable for an integer type.
    pub(super) fn is_integer_variable(&self, ty: &Ty) -> bool {
        matches!(self.shallow(ty), Ty::Var(it) if matches!(self.variables[it as usize], Known::Integer))
    }

    /// Whether a type has more than [`MOST_PARTS`] parts.
    pub(super) fn is_too_large(&self, ty: &Ty) -> bool {
        self.parts_left(ty, MOST_PARTS).is_none()
    }

    /// Subtracts the parts of a type from a number; `None` if there are more.
    fn parts_left(&self, ty: &Ty, parts: usize) -> Option<usize> {
        let left = parts.checked_sub(1)?;
        match ty {
            Ty::Con(_, arguments) => arguments.iter().try_fold(left, |left, it| self.parts_left(it, left)),
            Ty::Var(variable) => match &self.variables[*variable as usize] {
                Known::Is(known) => self.parts_left(known, left),
                _ => Some(left),
            },
            Ty::Error | Ty::Hole => Some(left),
        }
    }

    /// The type as far as it is known; integers without further constraints are `i32`.
    pub(super) fn resolve(&self, ty: &Ty) -> Ty {
        match self.shallow(ty) {
            Ty::Con(con, arguments) => Ty::Con(con, arguments.iter().map(|it| self.resolve(it)).collect()),
            Ty::Var(it) if matches!(self.variables[it as usize], Known::Integer) => Ty::int(32, true),
            other => other,
        }
    }

    /// Makes two types equal; `false` if they cannot be.
    pub(super) fn unify(&mut self, left: &Ty, right: &Ty) -> bool {
        match (self.shallow(left), self.shallow(right)) {
            (Ty::Error | Ty::Hole, other) | (other, Ty::Error | Ty::Hole) => {
                self.poison(&other);
                true
            }
            (Ty::Var(left), Ty::Var(right)) if left == right => true,
            (Ty::Var(variable), other) | (other, Ty::Var(variable)) => self.bind(variable, other),
            (Ty::Con(left, left_arguments), Ty::Con(right, right_arguments)) => {
                left == right
                    && left_arguments.len() == right_arguments.len()
                    && left_arguments.iter().zip(&right_arguments).all(|(left, right)| self.unify(left, right))
            }
        }
    }

    /// Marks the unknown parts of a type as invalid, because it must be equal to an invalid one.
    fn poison(&mut self, ty: &Ty) {
        match self.shallow(ty) {
            Ty::Var(variable) => self.variables[variable as usize] = Known::Is(Ty::Error),
            Ty::Con(_, arguments) => arguments.iter().for_each(|it| self.poison(it)),
            Ty::Error | Ty::Hole => {}
        }
    }

    fn bind(&mut self, variable: u32, ty: Ty) -> bool {
        let integer = matches!(self.variables[variable as usize], Known::Integer);
        match &ty {
            Ty::Var(other) if integer => self.variables[*other as usize] = Known::Integer,
            Ty::Con(con, _) if integer && !matches!(con, Con::Int { .. }) => return false,
            Ty::Con(..) if self.occurs(variable, &ty) => return false,
            _ => {}
        }
        self.variables[variable as usize] = Known::Is(ty);
        true
    }

    fn occurs(&self, variable: u32, ty: &Ty) -> bool {
        match self.shallow(ty) {
            Ty::Var(other) => variable == other,
            Ty::Con(_, arguments) => arguments.iter().any(|it| self.occurs(variable, it)),
            Ty::Error | Ty::Hole => false,
        }
    }
}
