//! Types of the subset, and user-defined types.

use super::TypeId;

/// A user type, declared by `#[state]` or `#[scalar]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeDef {
    /// The name in the source.
    pub name: String,
    /// The kind of type, with its parts.
    pub kind: TypeDefKind,
    /// The text of the literal that is the default of a scalar, or the name of the variant that is the default of an enum, if it has one.
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
    /// The type `bool` of truth values.
    Bool,
    /// An integer of `bits` bits; `usize` and `isize` count as 64.
    Int {
        /// The width in bits: 8, 16, 32 or 64.
        bits: u8,
        /// Whether it has negative values.
        signed: bool,
    },
    /// Strings: `String` and `&str`.
    Str,
    /// The type `Pid` of processes.
    Pid,
    /// A `#[scalar]`, struct or enum.
    User(TypeId),
    /// A tuple; the empty one is `()`.
    Tuple(Vec<Type>),
    /// An optional value: `Option<T>`.
    Option(Box<Type>),
    /// A value or an error: `Result<T, E>`.
    Result(Box<Type>, Box<Type>),
    /// A finite map: `Map<K, V>`.
    Map(Box<Type>, Box<Type>),
    /// A total function: `Total<K, V>`.
    Total(Box<Type>, Box<Type>),
    /// A finite set: `Set<T>`.
    Set(Box<Type>),
    /// `Seq<T>`; also what iterators are, since they are evaluated eagerly.
    Seq(Box<Type>),
}

impl Type {
    /// The unit type, `()`.
    pub const UNIT: Type = Type::Tuple(Vec::new());
    /// The integer type `u64`.
    pub const U64: Type = Type::Int { bits: 64, signed: false };
}

/// The maximum width of small integer types. A program may have all integers of a small type in use, and may reach its limits.
pub const SMALL_BITS: u8 = 16;
