//! Types of the subset, and user-defined types.

use super::TypeId;

/// A user type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeDef {
    /// The name in the source.
    pub name: String,
    /// The kind of type, with its parts.
    pub kind: TypeDefKind,
    /// The text of the literal that is the default of a scalar, if it has one.
    pub default: Option<String>,
}

/// The three kinds of user type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeDefKind {
    /// `#[scalar]`: its values are only compared for equality. Literals of it are [`Literal::Scalar`](super::Literal::Scalar).
    Scalar,
    /// A struct; tuple structs have fields `0`, `1`, ….
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
}

/// A field of a struct or of an enum variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name; `0`, `1`, … in tuple structs and tuple variants.
    pub name: String,
    pub ty: Type,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    pub name: String,
    /// The payload; empty for a unit variant.
    pub fields: Vec<Field>,
}

/// A type of the subset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// The type of an expression that does not return, such as `return x`.
    Never,
    /// `bool`.
    Bool,
    /// An integer of `bits` bits; `usize` and `isize` count as 64.
    Int {
        /// Width.
        bits: u8,
        /// Whether it is signed.
        signed: bool,
    },
    /// `String` and `&str`.
    Str,
    /// `Pid`.
    Pid,
    /// A `#[scalar]`, struct or enum.
    User(TypeId),
    /// A tuple; the empty one is `()`.
    Tuple(Vec<Type>),
    /// `Option<T>`.
    Option(Box<Type>),
    /// `Map<K, V>`.
    Map(Box<Type>, Box<Type>),
    /// `Total<K, V>`.
    Total(Box<Type>, Box<Type>),
    /// `Set<T>`.
    Set(Box<Type>),
    /// `Seq<T>`; also what iterators are, since they are evaluated eagerly.
    Seq(Box<Type>),
}

impl Type {
    /// `()`.
    pub const UNIT: Type = Type::Tuple(Vec::new());
    /// `u64`.
    pub const U64: Type = Type::Int { bits: 64, signed: false };
}

/// Integers of at most so many bits are few: a program may have all of them in use, and reaches their limits.
pub const SMALL_BITS: u8 = 16;
