//! The typed intermediate representation: what the obligations are stated about and what the exploration runs.
//!
//! It is position-free: every expression carries a [`NodeId`] and nothing else about where it stands in a file, so that a comment or a
//! moved item leaves the IR equal. [`SourceMap`] leads back to the text. References, clones and iterators' borrows are erased: values are
//! values, and `&mut` parameters are in-out parameters, which in Rust is the same thing because a `&mut` borrow is exclusive.
//!
//! Names are resolved, types are known, and everything outside the subset has been replaced by [`ExprKind::Unsupported`] with a diagnostic.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

pub mod lower;
mod renumber;
pub mod slice;
pub mod source_map;

pub use source_map::{Anchor, SourceMap, Span};

/// Everything a package declares, lowered. Equal programs have equal verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Program {
    /// User types, by [`TypeId`].
    pub types: Vec<TypeDef>,
    /// Functions, operations, procedures and relations, by [`FunctionId`].
    pub functions: Vec<Arc<Function>>,
    /// Layers, by [`LayerId`].
    pub layers: Vec<Layer>,
    /// Implementations, by [`ImplementationId`].
    pub implementations: Vec<Implementation>,
    /// Stacks, in source order.
    pub stacks: Vec<Stack>,
    /// Client programs, in source order.
    pub clients: Vec<Client>,
}

/// Index into [`Program::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);
/// Index into [`Program::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FunctionId(pub u32);
/// Index into [`Program::layers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayerId(pub u32);
/// Index into [`Program::implementations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImplementationId(pub u32);
/// Index into [`Function::locals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalId(pub u32);
/// A place in a function's text: an index into [`SourceMap::nodes`] of that function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// A user type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeDef {
    /// The name in the source.
    pub name: String,
    /// What it is made of.
    pub kind: TypeDefKind,
}

/// The three kinds of user type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeDefKind {
    /// `#[scalar]`: only equality matters. Literals of it are [`Literal::Scalar`].
    Scalar,
    /// A struct; tuple structs have fields `0`, `1`, ….
    Struct(Vec<Field>),
    /// An enum.
    Enum(Vec<Variant>),
}

/// A field of a struct or of an enum variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name; `0`, `1`, … in tuple structs and tuple variants.
    pub name: String,
    /// The type.
    pub ty: Type,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// The name.
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

/// A function, operation, procedure, or relation, with its body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// `Memory::load`, `Deliver::link_mail`, `AtomicDeliver::deliver`, `helper`.
    pub name: String,
    /// What the function is for, and so what its body may do.
    pub kind: FunctionKind,
    /// Parameters first, then the locals of the body. `self` is parameter 0 of a method.
    /// The `lo: &mut impl Layer` parameter of a procedure is not a local: the lower layer is reached by [`ExprKind::Perform`].
    pub locals: Vec<Local>,
    /// The first `parameters` locals are the parameters.
    pub parameters: u32,
    /// What the function returns.
    pub result: Type,
    /// The body.
    pub body: Expr,
}

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// A helper: no layer below it.
    Plain,
    /// A procedure, or a helper of procedures: may perform operations of this layer.
    Procedure(LayerId),
}

/// A parameter or a local variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// The name in the source, for counterexamples.
    pub name: String,
    /// The type.
    pub ty: Type,
    /// A `&mut` parameter: what it holds at the end is copied back to the argument.
    pub inout: bool,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    /// Where it stands.
    pub node: NodeId,
    /// The type of its value.
    pub ty: Type,
    /// What it is.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// A literal or a constant.
    Literal(Literal),
    /// The value of a place.
    Read(Place),
    /// A tuple, struct (fields in declaration order), or tuple struct.
    Tuple(Vec<Expr>),
    /// An enum variant, or `None` (0) and `Some` (1).
    Variant(u32, Vec<Expr>),
    /// Field `index` of a tuple or struct value that is not a place.
    Field(Box<Expr>, u32),
    /// Statements, then a value (unit if absent).
    Block(Vec<Stmt>, Option<Box<Expr>>),
    /// `if`; a missing `else` is a unit literal.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match`, `if let`, `let … else`, `matches!`: the first arm whose pattern and guard hold. No arm: the function fails.
    Match(Box<Expr>, Vec<Arm>),
    /// `while`. `repeat(place, |s| step)` is `while maybe() { step }`.
    While(Box<Expr>, Box<Expr>),
    /// `loop`; its value is what `break` carries.
    Loop(Box<Expr>),
    /// `for pattern in sequence`. The sequence is evaluated first; sets and maps are iterated as sequences.
    For(Pattern, Box<Expr>, Box<Expr>),
    /// `break value`; unit if absent. Leaves the innermost loop.
    Break(Option<Box<Expr>>),
    /// `continue`.
    Continue,
    /// `return value`; unit if absent.
    Return(Option<Box<Expr>>),
    /// `place = value`.
    Assign(Place, Box<Expr>),
    /// A call of a [`Program`] function.
    Call(FunctionId, Vec<Argument>),
    /// `lo.operation(arguments)`: a step of the layer below, by name.
    Perform(String, Vec<Expr>),
    /// A pure primitive.
    Prim(Prim, Vec<Expr>),
    /// A primitive that changes the collection in `place`: `insert`, `push`, ….
    Mutate(Mutation, Place, Vec<Expr>),
    /// `&&`: the right side runs only if the left one is true.
    And(Box<Expr>, Box<Expr>),
    /// `||`.
    Or(Box<Expr>, Box<Expr>),
    /// An iterator adaptor with a closure, over a sequence. The closure's parameter is bound by the pattern. (`Option`'s adaptors are
    /// lowered to `Match`.)
    Each(Each, Box<Expr>, Pattern, Box<Expr>),
    /// `maybe()`.
    Maybe,
    /// `any::<T>()`, where `T` is the type of the expression.
    Any,
    /// `choose(&set)`: the operand is a sequence.
    Choose(Box<Expr>),
    /// `when(condition)`.
    When(Box<Expr>),
    /// `assert!(condition)`; `unreachable!()` and `panic!()` are `Assert(false)`.
    Assert(Box<Expr>),
    /// `emit(value)`.
    Emit(Box<Expr>),
    /// `external()`: any value of the type, and an event of the operation's name, arguments and this value.
    External,
    /// Reported already; running it is an error, never a result.
    Unsupported,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stmt {
    /// `let pattern = value;`. The pattern is irrefutable (`let … else` becomes `Match`).
    Let(Pattern, Expr),
    /// An expression for its effect.
    Expr(Expr),
}

/// An arm of a `match`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arm {
    /// What the value must look like; binds locals.
    pub pattern: Pattern,
    /// `if guard`.
    pub guard: Option<Expr>,
    /// The arm's value.
    pub body: Expr,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `_`.
    Wild,
    /// A name.
    Bind(LocalId),
    /// `name @ pattern`.
    At(LocalId, Box<Pattern>),
    /// A literal or a constant.
    Literal(Literal),
    /// A tuple or struct, in declaration order; `..` is filled with `Wild`.
    Tuple(Vec<Pattern>),
    /// An enum variant, `None` (0) or `Some` (1).
    Variant(u32, Vec<Pattern>),
    /// `a | b`, binding the same names.
    Or(Vec<Pattern>),
}

/// A constant value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Literal {
    /// `true`, `false`.
    Bool(bool),
    /// An integer, already negated if it was.
    Int(i64),
    /// A string.
    Str(String),
    /// `Addr(1)`, by the text of its operand: distinct texts are distinct values of that type. Also `Pid(…)`.
    Scalar(Type, String),
}

/// Something that can be assigned to: a local, a field of it, an entry of a collection in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The variable.
    pub local: LocalId,
    /// The way into it.
    pub path: Vec<Projection>,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Projection {
    /// A field of a struct or tuple.
    Field(u32),
    /// `map[&key]`, `total[key]`, `seq[index]`. A missing key or index is a failure.
    Index(Expr),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// By value or by shared reference.
    Value(Expr),
    /// By `&mut`.
    InOut(Place),
}

/// Pure primitives. Operands are evaluated left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prim {
    /// `==` on any type.
    Eq,
    /// `!=`.
    Ne,
    /// `<` on integers, and so on.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
    /// `+`; overflow fails, as in the rest of integer arithmetic. Also string concatenation, of any number of operands.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
    /// `/`.
    Div,
    /// `%`.
    Rem,
    /// Unary minus.
    Neg,
    /// `!` on `bool`.
    Not,
    /// `saturating_add`.
    SaturatingAdd,
    /// `saturating_sub`.
    SaturatingSub,
    /// `wrapping_add`.
    WrappingAdd,
    /// `wrapping_sub`.
    WrappingSub,
    /// `checked_add`: an `Option`.
    CheckedAdd,
    /// `checked_sub`: an `Option`.
    CheckedSub,
    /// `a.min(b)`.
    Min,
    /// `a.max(b)`.
    Max,
    /// `x as T`, where `T` is the type of the expression: out of range fails.
    Cast,
    /// `a..b` as a sequence.
    Range,
    /// An empty collection of the expression's type: `Map::new()`, `Default::default()` of a collection.
    Empty,
    /// The default of the expression's type.
    Default,
    /// A sequence or set of the operands: `Seq::from([..])`.
    Elements,
    /// `map.get(&k)`: an `Option`. Also `seq.get(i)`.
    Get,
    /// `map[&k]` on a value that is not a place; `total[k]`.
    Index,
    /// `map.contains(&k)`, `set.contains(&x)`, `seq.contains(&x)`.
    Contains,
    /// `len`.
    Len,
    /// `is_empty`; on `Total`, `is_default`.
    IsEmpty,
    /// `map.keys()`, `total.support()`: a `Set`.
    Keys,
    /// What iterating a collection yields, as a sequence: elements of a set, `(key, value)` of a map, elements of a sequence.
    Elems,
    /// `seq.first()`: an `Option`.
    First,
    /// `seq.last()`: an `Option`.
    Last,
    /// `iter().rev()`.
    Rev,
    /// `collect()` into a `Set` (into a `Seq` it is the identity and is erased).
    ToSet,
    /// `iter().max()`: an `Option`.
    MaxOf,
    /// `iter().min()`: an `Option`.
    MinOf,
    /// `iter().sum()`.
    Sum,
    /// `collect()` of pairs into a `Map`; of several values at one key the last one stays.
    ToMap,
    /// `map.values()`: a sequence, in the order of the keys.
    Values,
    /// `x.to_string()`, a hole in `format!`: the decimal text of an integer or a process; a string is itself.
    Text,
    /// `text.split_once(separator)`: an `Option` of a pair.
    SplitOnce,
    /// `text.parse::<T>().ok()`, where the type of the expression is `Option<T>` and `T` an integer type or `Pid`.
    Parse,
}

/// Primitives that change a collection. The value of the expression is the method's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// `map.insert(k, v)`, `set.insert(x)`: unit.
    Insert,
    /// `map.remove(&k)`, `set.remove(&x)`: unit.
    Remove,
    /// `seq.push(x)`: unit.
    Push,
    /// `seq.pop()`: an `Option`.
    Pop,
    /// `seq.pop_front()`: an `Option`.
    PopFront,
    /// `clear()`: unit.
    Clear,
}

/// Iterator adaptors with a closure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Each {
    /// `map`: a sequence.
    Map,
    /// `filter`: a sequence.
    Filter,
    /// `all`.
    All,
    /// `any`.
    Any,
    /// `find`: an `Option`.
    Find,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layer {
    /// The name.
    pub name: String,
    /// The type of its state.
    pub state: Type,
    /// Its operations, in source order: own ones and inherited ones, in the end all there are.
    pub operations: Vec<Operation>,
    /// `fn(&State) -> bool`. A layer without one accepts every state.
    pub init: Option<FunctionId>,
    /// `fn(&mut State)`, taken before and after every operation.
    pub background: Option<FunctionId>,
    /// `fn(&State) -> bool`, each required before and after every operation.
    pub invariants: Vec<FunctionId>,
    /// The layer this one restricts, if it is a protocol layer.
    pub protocol: Option<Protocol>,
}

/// That a layer restricts another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Protocol {
    /// The unrestricted layer. Its `operations` are the same, by name and index.
    pub raw: LayerId,
    /// Operations that are not allowed do nothing and return anything, instead of being disabled.
    pub nilpotent: bool,
}

/// An operation of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The name.
    pub name: String,
    /// `fn(&mut Component, me: Pid, arguments…) -> Result`. For an external operation the body is `External` and the first
    /// parameter is not read, so it can act on any state.
    pub function: FunctionId,
    /// The fields to follow from the layer's state to the component that `function` acts on (`inherit(L in field: op)`).
    pub component: Vec<u32>,
    /// What the user claims.
    pub claim: Option<Claim>,
    /// An interaction with the outside.
    pub external: bool,
    /// `fn(&State, me: Pid[, arguments…]) -> bool`: all of them must hold for the operation to be allowed. Only in protocol layers.
    pub allowed: Vec<FunctionId>,
    /// The layer whose text declares the operation (this one, unless it was inherited).
    pub declared_in: LayerId,
}

/// A claimed mover type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// `#[op(right)]`.
    Right,
    /// `#[op(left)]`.
    Left,
    /// `#[op(both)]`.
    Both,
    /// `#[op(non)]`: no claim to move.
    Non,
}

/// An implementation of one layer over another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Implementation {
    /// The name of the type.
    pub name: String,
    /// The layer implemented.
    pub upper: LayerId,
    /// The layer below.
    pub lower: LayerId,
    /// How it is justified.
    pub by: Justification,
}

/// Why an implementation is right: the proof pattern, with what the user gives for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Justification {
    /// `by = movers`.
    Movers(BTreeMap<String, Code>),
    /// `by = retry`.
    Retry(BTreeMap<String, Code>),
    /// `by = abstraction`.
    Abstraction(Abstraction),
    /// `by = partition(key)`.
    Partition(Partition),
}

/// Where a stack of layers for one key begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Partition {
    /// The name of the key, as operations and procedures call it.
    pub key: String,
    /// The type of the key.
    pub key_type: Type,
    /// The operation that tells whether a key is valid: of the upper layer at the top, of the lower layer at the bottom.
    pub check: Option<String>,
    /// How the operations of the upper layer are implemented, but for `check`. At the bottom the first parameter of a procedure is the key.
    pub code: BTreeMap<String, Code>,
    /// Which end it is.
    pub end: PartitionEnd,
}

/// The two ends of a stack of layers for one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PartitionEnd {
    /// The upper layer is for all keys, the lower one for one key.
    Top {
        /// The fields that lead from the state of the upper layer to its map of one-key states; keys in it are the valid ones.
        map: Vec<u32>,
    },
    /// The upper layer is for one key, the lower one for all.
    Bottom {
        /// `fn(lo: &Lo, key: &Key) -> Option<Hi>`: the one-key state; `None` for a key that is not valid.
        slice: FunctionId,
    },
}

/// How one upper operation is implemented.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The lower operation of the same name, with the same arguments.
    Pass,
    /// `fn(arguments…) -> Result` with [`FunctionKind::Procedure`] of the lower layer. Parameters are the operation's, without `self` and `me`.
    Procedure(FunctionId),
}

/// An abstraction relation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Abstraction {
    /// `fn(lo: &Lo) -> Hi`.
    Up(FunctionId),
    /// `fn(hi: &Hi) -> Lo`.
    Down(FunctionId),
    /// `fn(lo: &Lo, hi: &Hi) -> bool`; parameter 0 is always `lo`.
    Predicate(FunctionId),
}

/// A chain of implementations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stack {
    /// The name of the type alias.
    pub name: String,
    /// Top to bottom. Resolved, but not checked to fit: that is an obligation.
    pub implementations: Vec<ImplementationId>,
}

/// A client program for the end-to-end search.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// The name of the function.
    pub name: String,
    /// Index into [`Program::stacks`].
    pub stack: u32,
    /// Process counts to run it with.
    pub processes: Vec<u32>,
    /// `fn(process: u64)` with [`FunctionKind::Procedure`] of the stack's top layer.
    pub function: FunctionId,
}

impl Expr {
    /// Calls `visit` on each expression directly inside this one, in source order.
    pub fn for_each_child<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match &self.kind {
            ExprKind::Literal(_)
            | ExprKind::Continue
            | ExprKind::Maybe
            | ExprKind::Any
            | ExprKind::External
            | ExprKind::Unsupported => {}
            ExprKind::Read(place) => place.for_each_key(visit),
            ExprKind::Tuple(all) | ExprKind::Variant(_, all) | ExprKind::Perform(_, all) | ExprKind::Prim(_, all) => {
                all.iter().for_each(visit);
            }
            ExprKind::Field(one, _)
            | ExprKind::Loop(one)
            | ExprKind::Choose(one)
            | ExprKind::When(one)
            | ExprKind::Assert(one)
            | ExprKind::Emit(one) => visit(one),
            ExprKind::Block(statements, value) => {
                for statement in statements {
                    match statement {
                        Stmt::Let(_, value) | Stmt::Expr(value) => visit(value),
                    }
                }
                value.iter().for_each(|it| visit(it));
            }
            ExprKind::If(a, b, c) => [a, b, c].into_iter().for_each(|it| visit(it)),
            ExprKind::Match(value, arms) => {
                visit(value);
                for arm in arms {
                    arm.guard.iter().for_each(&mut *visit);
                    visit(&arm.body);
                }
            }
            ExprKind::While(a, b)
            | ExprKind::And(a, b)
            | ExprKind::Or(a, b)
            | ExprKind::For(_, a, b)
            | ExprKind::Each(_, a, _, b) => [a, b].into_iter().for_each(|it| visit(it)),
            ExprKind::Break(value) | ExprKind::Return(value) => value.iter().for_each(|it| visit(it)),
            ExprKind::Assign(place, value) => {
                place.for_each_key(visit);
                visit(value);
            }
            ExprKind::Call(_, arguments) => {
                for argument in arguments {
                    match argument {
                        Argument::Value(value) => visit(value),
                        Argument::InOut(place) => place.for_each_key(visit),
                    }
                }
            }
            ExprKind::Mutate(_, place, operands) => {
                place.for_each_key(visit);
                operands.iter().for_each(visit);
            }
        }
    }
}

impl Place {
    /// Calls `visit` on the key expressions of the place, in order.
    pub fn for_each_key<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        for projection in &self.path {
            if let Projection::Index(key) = projection {
                visit(key);
            }
        }
    }
}

impl Justification {
    /// The name of the pattern, as users write it.
    pub fn name(&self) -> &'static str {
        match self {
            Justification::Movers(_) => "movers",
            Justification::Retry(_) => "retry",
            Justification::Abstraction(_) => "abstraction",
            Justification::Partition(_) => "partition",
        }
    }
}

impl Partition {
    /// Whether an operation of the layer for all keys takes the key first (after its state and the process).
    pub fn is_keyed(&self, operation: &Function) -> bool {
        let first = operation.locals[..operation.parameters as usize].get(2);
        first.is_some_and(|it| it.name == self.key && it.ty == self.key_type)
    }
}

impl Program {
    /// Where an operation of a layer is declared: in that layer, or in one that it is inherited from.
    pub fn origin(&self, layer: LayerId, operation: usize) -> (LayerId, usize) {
        let name = &self.layers[layer.0 as usize].operations[operation].name;
        let mut at = layer;
        loop {
            let operations = &self.layers[at.0 as usize].operations;
            let Some(here) = operations.iter().position(|it| it.name == *name) else { return (layer, operation) };
            let declared = operations[here].declared_in;
            if declared == at {
                return (at, here);
            }
            at = declared;
        }
    }

    /// The parameters of an operation without `self` and `me`, by name and type, and the type of its result.
    pub fn signature(&self, operation: &Operation) -> (Vec<(String, String)>, String) {
        let function = &self.functions[operation.function.0 as usize];
        let parameters = function.parameters as usize;
        let arguments = function.locals[2.min(parameters)..parameters].iter();
        let arguments = arguments.map(|it| (it.name.clone(), self.type_name(&it.ty))).collect();
        let result = match &function.result {
            Type::Tuple(fields) if fields.is_empty() => "()".to_owned(),
            result => self.type_name(result),
        };
        (arguments, result)
    }

    /// A type as users write it.
    pub fn type_name(&self, ty: &Type) -> String {
        let one = |name: &str, ty: &Type| format!("{name}<{}>", self.type_name(ty));
        let two = |name: &str, a: &Type, b: &Type| format!("{name}<{}, {}>", self.type_name(a), self.type_name(b));
        match ty {
            Type::Never => "!".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Int { bits, signed } => format!("{}{bits}", if *signed { 'i' } else { 'u' }),
            Type::Str => "String".to_owned(),
            Type::Pid => "Pid".to_owned(),
            Type::User(id) => self.types[id.0 as usize].name.clone(),
            Type::Tuple(fields) => {
                format!("({})", fields.iter().map(|it| self.type_name(it)).collect::<Vec<_>>().join(", "))
            }
            Type::Option(ty) => one("Option", ty),
            Type::Set(ty) => one("Set", ty),
            Type::Seq(ty) => one("Seq", ty),
            Type::Map(key, value) => two("Map", key, value),
            Type::Total(key, value) => two("Total", key, value),
        }
    }
}
