//! Functions: the bodies of operations, procedures, conditions and relations.

use super::{FunctionId, LayerId, LocalId, NodeId, Type};

/// A function, operation, procedure, or relation, with its body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// The name as shown: `Memory::load`, `Deliver::link_mail`, `AtomicDeliver::deliver`, `helper`.
    pub name: String,
    /// The role of the function, which determines what its body may do.
    pub kind: FunctionKind,
    /// Parameters first, then the locals of the body. `self` is parameter 0 of a method.
    /// The `lo: &mut impl Layer` parameter of a procedure is not a local: the layer below is reached by [`ExprKind::Perform`].
    pub locals: Vec<Local>,
    /// The first `parameters` locals are the parameters.
    pub parameters: u32,
    /// The type of the result.
    pub result: Type,
    /// The body, an expression.
    pub body: Expr,
}

/// The role of a function.
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
    /// The type of its values.
    pub ty: Type,
    /// Whether it is a `&mut` parameter: its final value is copied back to the argument.
    pub inout: bool,
}

/// An expression, with its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    /// Its identity within the function, for the source map.
    pub node: NodeId,
    /// The type of its value.
    pub ty: Type,
    /// The kind of expression, with its operands.
    pub kind: ExprKind,
}

/// The kinds of expressions, with their operands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// A literal or a constant.
    Literal(Literal),
    /// The current value of a place.
    Read(Place),
    /// A tuple, struct (fields in declaration order), or tuple struct.
    Tuple(Vec<Expr>),
    /// An enum variant, or `None` (0) and `Some` (1), or `Ok` (0) and `Err` (1).
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
    /// `loop`; its value is the operand of `break`.
    Loop(Box<Expr>),
    /// `for pattern in sequence`. The sequence is evaluated first; sets and maps are iterated as sequences.
    For(Pattern, Box<Expr>, Box<Expr>),
    /// `break value`; unit if absent. Leaves the innermost loop.
    Break(Option<Box<Expr>>),
    /// `continue`, for the innermost loop.
    Continue,
    /// `return value`; unit if absent.
    Return(Option<Box<Expr>>),
    /// `place = value`; its own value is unit.
    Assign(Place, Box<Expr>),
    /// A call of a [`Program`](super::Program) function.
    Call(FunctionId, Vec<Argument>),
    /// `lo.operation(arguments)`: a step of the layer below, by name.
    Perform(String, Vec<Expr>),
    /// A pure primitive, applied to its operands.
    Prim(Prim, Vec<Expr>),
    /// A primitive that changes the collection in `place`: `insert`, `push`, ….
    Mutate(Mutation, Place, Vec<Expr>),
    /// `&&`: the right side runs only if the left one is true.
    And(Box<Expr>, Box<Expr>),
    /// `||`: the right side runs only if the left one is false.
    Or(Box<Expr>, Box<Expr>),
    /// An iterator adaptor with a closure, over a sequence. The closure's parameter is bound by the pattern. (`Option`'s adaptors are
    /// lowered to `Match`.)
    Each(Each, Box<Expr>, Pattern, Box<Expr>),
    /// `maybe()`: `true` or `false`, as the run chooses.
    Maybe,
    /// `any::<T>()`, where `T` is the type of the expression.
    Any,
    /// `choose(&set)`: the operand is a sequence.
    Choose(Box<Expr>),
    /// `when(condition)`: the run exists only if the condition holds.
    When(Box<Expr>),
    /// `assert!(condition)`; `unreachable!()` and `panic!()` are `Assert(false)`.
    Assert(Box<Expr>),
    /// `emit(value)`: adds an event to the trace.
    Emit(Box<Expr>),
    /// `external()`: any value of the type, and an event of the operation's name, arguments and this value.
    External,
    /// An expression with a diagnostic; running it is an error, never a result.
    Unsupported,
}

/// A statement of a block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stmt {
    /// `let pattern = value;`. The pattern is irrefutable (`let … else` becomes `Match`).
    Let(Pattern, Expr),
    /// An expression for its effect.
    Expr(Expr),
}

/// An arm of a `match`, tried after those before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arm {
    /// The pattern to match; it binds locals.
    pub pattern: Pattern,
    /// The condition of `if guard`.
    pub guard: Option<Expr>,
    /// The value of the arm.
    pub body: Expr,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `_`: matches anything, and binds nothing.
    Wild,
    /// A name: matches anything, and binds it.
    Bind(LocalId),
    /// `name @ pattern`: binds the whole value if the pattern matches.
    At(LocalId, Box<Pattern>),
    /// A literal or a constant.
    Literal(Literal),
    /// A range of integers from the first to the last, both included; an end that is left out is that of the type.
    Range(Box<[Option<i128>; 2]>),
    /// A tuple or struct, in declaration order; `..` is filled with `Wild`.
    Tuple(Vec<Pattern>),
    /// An enum variant, `None` (0) or `Some` (1), `Ok` (0) or `Err` (1).
    Variant(u32, Vec<Pattern>),
    /// `a | b`, binding the same names. With a guard, each alternative that fits is tried with the guard, in this order.
    Or(Vec<Pattern>),
}

impl Pattern {
    /// The patterns without alternatives that it stands for, in the order in which they are tried. `None` if two parts of one value have
    /// alternatives.
    pub fn alternatives(&self) -> Option<Vec<Pattern>> {
        match self {
            Pattern::Wild | Pattern::Bind(_) | Pattern::Literal(_) | Pattern::Range(_) => Some(vec![self.clone()]),
            Pattern::At(local, inner) => {
                let inner = inner.alternatives()?.into_iter();
                Some(inner.map(|it| Pattern::At(*local, Box::new(it))).collect())
            }
            Pattern::Or(all) => {
                let all: Option<Vec<Vec<Pattern>>> = all.iter().map(Pattern::alternatives).collect();
                Some(all?.concat())
            }
            Pattern::Tuple(parts) => Some(one_of_each(parts)?.into_iter().map(Pattern::Tuple).collect()),
            Pattern::Variant(tag, parts) => {
                Some(one_of_each(parts)?.into_iter().map(|it| Pattern::Variant(*tag, it)).collect())
            }
        }
    }

    /// Whether it has alternatives.
    pub fn has_alternatives(&self) -> bool {
        self.alternatives().is_none_or(|it| it.len() > 1)
    }
}

/// The alternatives of patterns of which at most one has any.
fn one_of_each(parts: &[Pattern]) -> Option<Vec<Vec<Pattern>>> {
    let mut all = vec![Vec::new()];
    for part in parts {
        let alternatives = part.alternatives()?;
        if all.len() > 1 && alternatives.len() > 1 {
            return None;
        }
        all = all
            .iter()
            .flat_map(|before: &Vec<Pattern>| {
                alternatives.iter().map(|it| [&before[..], std::slice::from_ref(it)].concat())
            })
            .collect();
    }
    Some(all)
}

/// A constant value, as code names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Literal {
    /// `true` or `false`, of type `bool`.
    Bool(bool),
    /// An integer, already negated if it was.
    Int(i128),
    Str(String),
    /// `Addr(1)`, by the text of its operand: distinct texts are distinct values of that type. Also `Pid(…)`.
    Scalar(Type, String),
}

/// Something that can be assigned to: a local, a field of it, an entry of a collection in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The local at its root.
    pub local: LocalId,
    /// The path from the local to the place.
    pub path: Vec<Projection>,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Projection {
    /// A field of a struct or tuple, by index.
    Field(u32),
    /// A value inside the present variant of an enum, an `Option` or a `Result`: what a pattern has bound by `&mut`.
    Payload(u32),
    /// `map[&key]`, `total[key]`, `seq[index]`. A missing key or index is a failure.
    Index(Expr),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// An argument by value or by shared reference.
    Value(Expr),
    /// An argument by `&mut`: the final value is copied back to this place.
    InOut(Place),
}

/// Pure primitives. Operands are evaluated left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prim {
    /// `==` on any type.
    Eq,
    /// `!=` on any type.
    Ne,
    /// `<` on integers; likewise the next three.
    Lt,
    /// `<=` on two integers.
    Le,
    /// `>` on two integers.
    Gt,
    /// `>=` on two integers.
    Ge,
    /// An arithmetic operation, and its behaviour on overflow. It has one or two integer operands.
    Arith(Arith, Overflow),
    /// `abs_diff`: an unsigned integer.
    AbsDiff,
    /// `unsigned_abs`: an unsigned integer of the same width.
    UnsignedAbs,
    /// `&` on integers and on `bool`.
    BitAnd,
    /// `|` on integers and on `bool`.
    BitOr,
    /// `^` on integers and on `bool`.
    BitXor,
    /// `!` on `bool` and on the bits of an integer.
    Not,
    /// `rotate_left`; the second operand is a `u32`.
    RotateLeft,
    /// `rotate_right`; the second operand is a `u32`.
    RotateRight,
    /// `count_ones` and the like: a `u32`.
    Count(BitCount),
    /// `is_power_of_two` of an unsigned integer: a `bool`.
    IsPowerOfTwo,
    /// `a.min(b)` on two integers.
    Min,
    /// `a.max(b)` on two integers.
    Max,
    /// `x as T`, where `T` is the type of the expression: truncates or extends.
    Cast,
    /// Concatenates any number of strings.
    Concat,
    /// `a..b` as a sequence.
    Range,
    /// `a..=b` as a sequence.
    RangeInclusive,
    /// An empty collection of the expression's type: `Map::new()`, `Default::default()` of a collection.
    Empty,
    /// The default value of the expression's type.
    Default,
    /// A sequence or set of the operands: `Seq::from([..])`.
    Elements,
    /// `map.get(&k)`: an `Option`. Also `seq.get(i)`.
    Get,
    /// `map[&k]` on a value that is not a place; `total[k]`.
    Index,
    /// `map.contains(&k)`, `set.contains(&x)`, `seq.contains(&x)`: a `bool`.
    Contains,
    /// `len` of a collection or string: a `usize`.
    Len,
    /// `is_empty`; on `Total`, `is_default`.
    IsEmpty,
    /// `map.keys()`, `total.support()`: a `Set`.
    Keys,
    /// The items of iterating a collection, as a sequence: elements of a set, `(key, value)` of a map, elements of a sequence.
    Elems,
    /// `seq.first()`: an `Option` of the first element.
    First,
    /// `seq.last()`: an `Option` of the last element.
    Last,
    /// `iter().rev()`: the sequence in reverse order.
    Rev,
    /// `collect()` into a `Set` (into a `Seq` it is the identity and is erased).
    ToSet,
    /// `iter().max()`: an `Option` of the greatest element.
    MaxOf,
    /// `iter().min()`: an `Option` of the least element.
    MinOf,
    /// `iter().sum()` of integers; it may overflow.
    Sum,
    /// `collect()` of pairs into a `Map`; of several values at one key, the last one counts.
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

/// Operations on integers whose result may not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arith {
    /// Addition: `+`, or a method such as `wrapping_add`.
    Add,
    /// Subtraction: `-`, or a method such as `wrapping_sub`.
    Sub,
    /// Multiplication: `*`, or a method such as `wrapping_mul`.
    Mul,
    /// Division, rounded towards zero: `/`.
    Div,
    /// The remainder of that division: `%`.
    Rem,
    /// `div_euclid`: the quotient that goes with [`Arith::RemEuclid`].
    DivEuclid,
    /// `rem_euclid`: the remainder that is never negative.
    RemEuclid,
    /// Negation of an integer: unary `-`.
    Neg,
    /// The absolute value: `abs`.
    Abs,
    /// `pow`; the second operand is a `u32`.
    Pow,
    /// `<<`; the second operand is an integer of any type. An overflow is about the amount, not the result.
    Shl,
    /// `>>`, like [`Arith::Shl`]; the sign is extended.
    Shr,
}

/// The behaviour of an arithmetic operation if its result does not fit the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Overflow {
    /// The operators, and methods without a prefix: it panics.
    Panics,
    /// `wrapping_…`: the result is truncated.
    Wraps,
    /// `saturating_…`: the nearest integer of the type.
    Saturates,
    /// `checked_…`: `None`. Also if the operation is undefined, as in a division by zero.
    Checked,
    /// `overflowing_…`: truncates, and tells whether the result did not fit.
    Reports,
}

/// Operations that count bits; the result is a `u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BitCount {
    /// `count_ones`: the number of one bits.
    Ones,
    /// `count_zeros`: the number of zero bits.
    Zeros,
    /// `leading_ones`: the number of one bits before the highest zero.
    LeadingOnes,
    /// `leading_zeros`: the number of zero bits before the highest one.
    LeadingZeros,
    /// `trailing_ones`: the number of one bits below the lowest zero.
    TrailingOnes,
    /// `trailing_zeros`: the number of zero bits below the lowest one.
    TrailingZeros,
}

impl Arith {
    /// The number of operands.
    pub fn operands(self) -> usize {
        if matches!(self, Arith::Neg | Arith::Abs) { 1 } else { 2 }
    }

    /// Whether the assumption about 64-bit overflows applies to it.
    pub fn is_plain(self) -> bool {
        matches!(self, Arith::Add | Arith::Sub | Arith::Mul | Arith::Neg)
    }
}

impl Prim {
    /// Whether it works on single bits of an integer.
    pub fn is_about_bits(self) -> bool {
        matches!(
            self,
            Prim::BitAnd
                | Prim::BitOr
                | Prim::BitXor
                | Prim::Not
                | Prim::RotateLeft
                | Prim::RotateRight
                | Prim::Count(_)
                | Prim::IsPowerOfTwo
                | Prim::Arith(Arith::Shl | Arith::Shr, _)
        )
    }

    /// Whether it depends on the type of its first operand, and not on the type of its result.
    pub fn is_about_operand(self) -> bool {
        matches!(
            self,
            Prim::Arith(..)
                | Prim::AbsDiff
                | Prim::UnsignedAbs
                | Prim::BitAnd
                | Prim::BitOr
                | Prim::BitXor
                | Prim::Not
                | Prim::RotateLeft
                | Prim::RotateRight
                | Prim::Count(_)
                | Prim::IsPowerOfTwo
        )
    }
}

/// Primitives that change a collection. The value of the expression is the method's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// `map.insert(k, v)`, `set.insert(x)`: unit.
    Insert,
    /// `map.remove(&k)`, `set.remove(&x)`, of a key or element that need not be there: unit.
    Remove,
    /// `seq.push(x)`, at the end: unit.
    Push,
    /// `seq.pop()`, from the end: an `Option`.
    Pop,
    /// `seq.pop_front()`, from the front: an `Option`.
    PopFront,
    /// `clear()` of any collection: unit.
    Clear,
}

/// Iterator adaptors with a closure, which runs for one element after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Each {
    /// `map`: the sequence of results.
    Map,
    /// `filter`: the sequence of elements for which the closure returns true.
    Filter,
    /// `all`: stops at the first element for which the closure returns false.
    All,
    /// `any`: stops at the first element for which the closure returns true.
    Any,
    /// `find`: an `Option` of the first element for which the closure returns true.
    Find,
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
    /// Calls `visit` on each expression directly inside this one, in source order, to change it.
    pub fn for_each_child_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        match &mut self.kind {
            ExprKind::Literal(_)
            | ExprKind::Continue
            | ExprKind::Maybe
            | ExprKind::Any
            | ExprKind::External
            | ExprKind::Unsupported => {}
            ExprKind::Read(place) => place.for_each_key_mut(visit),
            ExprKind::Tuple(all) | ExprKind::Variant(_, all) | ExprKind::Perform(_, all) | ExprKind::Prim(_, all) => {
                all.iter_mut().for_each(visit);
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
                value.iter_mut().for_each(|it| visit(it));
            }
            ExprKind::If(a, b, c) => [a, b, c].into_iter().for_each(|it| visit(it)),
            ExprKind::Match(value, arms) => {
                visit(value);
                for arm in arms {
                    arm.guard.iter_mut().for_each(&mut *visit);
                    visit(&mut arm.body);
                }
            }
            ExprKind::While(a, b)
            | ExprKind::And(a, b)
            | ExprKind::Or(a, b)
            | ExprKind::For(_, a, b)
            | ExprKind::Each(_, a, _, b) => [a, b].into_iter().for_each(|it| visit(it)),
            ExprKind::Break(value) | ExprKind::Return(value) => value.iter_mut().for_each(|it| visit(it)),
            ExprKind::Assign(place, value) => {
                place.for_each_key_mut(visit);
                visit(value);
            }
            ExprKind::Call(_, arguments) => {
                for argument in arguments {
                    match argument {
                        Argument::Value(value) => visit(value),
                        Argument::InOut(place) => place.for_each_key_mut(visit),
                    }
                }
            }
            ExprKind::Mutate(_, place, operands) => {
                place.for_each_key_mut(visit);
                operands.iter_mut().for_each(visit);
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
    /// Calls `visit` on the key expressions of the place, in order, to change them.
    pub fn for_each_key_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        for projection in &mut self.path {
            if let Projection::Index(key) = projection {
                visit(key);
            }
        }
    }
}
