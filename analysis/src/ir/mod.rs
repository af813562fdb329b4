//! The typed intermediate representation: obligations are stated about it, and the exploration runs it.
//!
//! It has no positions: an expression carries only a [`NodeId`], so a new comment or a
//! moved item leaves the IR equal. [`SourceMap`] leads back to the text. References, clones and iterator borrows are erased: values are
//! values. A `&mut` parameter is an in-out parameter, which is equivalent in Rust because a `&mut` borrow is exclusive.
//!
//! Names are resolved, types are known, and everything outside the subset has been replaced by [`ExprKind::Unsupported`] with a diagnostic.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod code;
pub mod dump;
pub mod int;
mod layer;
pub mod lower;
mod renumber;
pub mod slice;
pub mod source_map;
mod ty;

pub use code::{
    Argument, Arith, Arm, BitCount, Each, Expr, ExprKind, Function, FunctionKind, Literal, Local, Mutation, Overflow,
    Pattern, Place, Prim, Projection, Stmt,
};
pub use layer::{
    Abstraction, Claim, Client, Code, Given, Implementation, Justification, Layer, Operation, Partition, PartitionEnd,
    Protocol, Question, Stack,
};
pub use source_map::{Anchor, SourceMap, Span};
pub use ty::{Field, SMALL_BITS, Type, TypeDef, TypeDefKind, Variant};

/// The declarations of a package, lowered. Equal programs have equal verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Program {
    /// The user types; index: [`TypeId`].
    pub types: Vec<TypeDef>,
    /// Functions, operations, procedures and relations, by [`FunctionId`].
    pub functions: Vec<Arc<Function>>,
    /// The layers; index: [`LayerId`].
    pub layers: Vec<Layer>,
    /// The implementations; index: [`ImplementationId`].
    pub implementations: Vec<Implementation>,
    /// The stacks, in source order.
    pub stacks: Vec<Stack>,
    /// Client programs, in source order.
    pub clients: Vec<Client>,
}

/// The id of a user type: its index in [`Program::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);
/// The id of a function: its index in [`Program::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FunctionId(pub u32);
/// The id of a layer: its index in [`Program::layers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayerId(pub u32);
/// The id of an implementation: its index in [`Program::implementations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImplementationId(pub u32);
/// The id of a local: its index in [`Function::locals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalId(pub u32);
/// A place in a function's text: an index into [`SourceMap::nodes`] of that function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

impl Program {
    /// The layer that declares an operation: this one, or one that it inherits from.
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
            Type::Result(ok, err) => two("Result", ok, err),
            Type::Set(ty) => one("Set", ty),
            Type::Seq(ty) => one("Seq", ty),
            Type::Map(key, value) => two("Map", key, value),
            Type::Total(key, value) => two("Total", key, value),
        }
    }
}
