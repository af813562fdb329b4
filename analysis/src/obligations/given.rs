//! What arguments processes give to the operations of a layer, as far as the text of their procedures says.
//!
//! A process that runs procedures of an implementation makes no other calls than those in their text. So in a question about what other
//! processes do, an argument that is a literal or a variant in the text of every call is that, and not any value of its type:
//!
//! ```text
//! others(o)  =  { o(v) | lo.o(e) stands in a procedure, and v matches e }
//! ```
//!
//! where a literal matches itself, a variant or a tuple matches those with parts that match, and any other expression matches all values. An
//! operation that is passed on gets any arguments. The setting `given-arguments = false` takes all arguments to be any.
//!
//! Lemmas about an operation in all states are asked with any arguments: they hold of those that are given, too.

use std::collections::BTreeSet;

use super::{needs, question::Setting};
use crate::{
    explore::{
        cells::{Quantifier, Root},
        search::Search,
        value::Value,
    },
    ir::{
        Code as How, Expr, ExprKind, FunctionId, Given, ImplementationId, LayerId, Literal, Program, Type, TypeDefKind,
    },
};

/// Kinds of calls of one operation that are told apart.
const MOST_KINDS: usize = 4;

/// The arguments that procedures of an implementation give to an operation of the lower layer, one list for each kind of call. None if they may
/// be any.
pub fn given(program: &Program, id: ImplementationId, operation: usize) -> Vec<Vec<Given>> {
    let implementation = &program.implementations[id.0 as usize];
    let name = &program.layers[implementation.lower.0 as usize].operations[operation].name;
    let mut calls = Calls { program, name, kinds: BTreeSet::new(), read: BTreeSet::new() };
    for above in 0..program.layers[implementation.upper.0 as usize].operations.len() {
        match needs::how(program, id, above) {
            Some(How::Procedure(function)) => calls.function(*function),
            Some(How::Pass) if program.layers[implementation.upper.0 as usize].operations[above].name == *name => {
                return Vec::new();
            }
            _ => {}
        }
    }
    let is_any = |it: &Vec<Given>| it.iter().all(|it| *it == Given::Any);
    if calls.kinds.len() > MOST_KINDS || calls.kinds.iter().any(is_any) {
        return Vec::new();
    }
    calls.kinds.into_iter().collect()
}

/// Reads the calls of one operation.
struct Calls<'p> {
    program: &'p Program,
    name: &'p str,
    kinds: BTreeSet<Vec<Given>>,
    read: BTreeSet<FunctionId>,
}

impl Calls<'_> {
    fn function(&mut self, id: FunctionId) {
        if self.read.insert(id) {
            self.expr(&self.program.functions[id.0 as usize].body);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Call(callee, _) => self.function(*callee),
            ExprKind::Perform(name, arguments) if name == self.name => {
                self.kinds.insert(arguments.iter().map(of_text).collect());
            }
            _ => {}
        }
        expr.for_each_child(&mut |child| self.expr(child));
    }
}

/// What the text of an argument says of its value.
fn of_text(expr: &Expr) -> Given {
    let all = |parts: &[Expr]| parts.iter().map(of_text).collect();
    match &expr.kind {
        ExprKind::Literal(Literal::Bool(value)) => Given::Bool(*value),
        ExprKind::Literal(Literal::Int(value)) => Given::Int(*value),
        ExprKind::Variant(tag, parts) => Given::Variant(*tag, all(parts)),
        ExprKind::Tuple(parts) if parts.iter().any(|it| of_text(it) != Given::Any) => Given::Tuple(all(parts)),
        _ => Given::Any,
    }
}

/// What the arguments are for. An unknown argument of one step says nothing of that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A step of another process.
    Fact = 0,
    /// A step that is to be exchanged with another one.
    Mover = 1 << 16,
}

/// The arguments of an operation that another process performs: one list for each kind of call.
pub fn arguments(
    setting: &Setting,
    search: &mut Search<'_, '_>,
    layer: LayerId,
    operation: usize,
    asker: Asker,
) -> Vec<Vec<Value>> {
    let types = setting.arguments(layer, operation);
    let given = &setting.program.layers[layer.0 as usize].operations[operation].given;
    let any = vec![vec![Given::Any; types.len()]];
    let kinds = if given.is_empty() || !setting.scope.given_arguments { &any } else { given };
    let mut unknowns = Unknowns { program: setting.program, operation: operation as u32, number: asker as u32 };
    let mut of_kind =
        |kind: &Vec<Given>| types.iter().zip(kind).map(|(ty, it)| unknowns.value(search, ty, it)).collect();
    kinds.iter().map(&mut of_kind).collect()
}

/// Makes values in which what is not given is unknown.
struct Unknowns<'p> {
    program: &'p Program,
    operation: u32,
    number: u32,
}

impl Unknowns<'_> {
    fn value(&mut self, search: &mut Search<'_, '_>, ty: &Type, given: &Given) -> Value {
        match given {
            Given::Bool(value) => return Value::Bool(*value),
            Given::Int(value) => return Value::int(*value),
            Given::Variant(tag, parts) => {
                if let Some(types) = payload(self.program, ty, *tag).filter(|it| it.len() == parts.len()) {
                    return Value::Variant(*tag, self.values(search, &types, parts).into());
                }
            }
            Given::Tuple(parts) => {
                if let Some(types) = fields(self.program, ty).filter(|it| it.len() == parts.len()) {
                    return Value::Tuple(self.values(search, &types, parts).into());
                }
            }
            Given::Any => {}
        }
        self.number += 1;
        search.world.cells.root(Root::Argument(self.operation, self.number - 1), ty, Quantifier::Universal)
    }

    fn values(&mut self, search: &mut Search<'_, '_>, types: &[Type], given: &[Given]) -> Vec<Value> {
        types.iter().zip(given).map(|(ty, it)| self.value(search, ty, it)).collect()
    }
}

/// The types of what a variant holds.
pub(super) fn payload(program: &Program, ty: &Type, tag: u32) -> Option<Vec<Type>> {
    match (ty, tag) {
        (Type::Option(_), 0) => Some(Vec::new()),
        (Type::Option(value), 1) | (Type::Result(value, _), 0) | (Type::Result(_, value), 1) => {
            Some(vec![(**value).clone()])
        }
        (Type::User(id), _) => match &program.types[id.0 as usize].kind {
            TypeDefKind::Enum(variants) => {
                Some(variants.get(tag as usize)?.fields.iter().map(|it| it.ty.clone()).collect())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The types of the parts of a tuple or struct.
pub(super) fn fields(program: &Program, ty: &Type) -> Option<Vec<Type>> {
    match ty {
        Type::Tuple(parts) => Some(parts.clone()),
        Type::User(id) => match &program.types[id.0 as usize].kind {
            TypeDefKind::Struct(fields) => Some(fields.iter().map(|it| it.ty.clone()).collect()),
            _ => None,
        },
        _ => None,
    }
}
