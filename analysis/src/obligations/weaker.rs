//! Weaker layers: operations that may fail or give another answer without need, or return one result for another.
//!
//! Let procedures implement the layer `U` over the layer `L`. Let `L'` be `L`, but for more steps of some operations `o`:
//!
//! ```text
//! returns     s --o(a)@p/r--> s          where r is false, None, Err of any value, or a variant with any values, also within Some
//! mistakes    s --o(a)@p/r--> s'         where L has  s --o(a)@p/q--> s'  with the same events, and q and r are variants without fields
//! ```
//!
//! The first changes and shows nothing. Both are steps of `L'` as the old ones are: with the invariants, the rules of the protocol and the
//! background. States and initial states are the same. *If each procedure of the implementation has its shape over `L'`, and does alone over
//! `L'` what `U` allows, and so does what is passed on, then each run of the procedures over `L` is a run of `U`*, with the same results and
//! events, and the same failures of an `assert!`.
//!
//! For every step of `L` is a step of `L'`, so every run of the procedures over `L` is a run of them over `L'`; and that is a run of `U` by the
//! theorem of movers, applied to `L'`. That is the pattern abstraction (OSDI'18, section 6.3), with equality as the relation, put between
//! `L` and the procedures. What runs above `U`, and what is below `L`, is not concerned. Neither is progress, of which nothing is claimed. The
//! argument holds of any steps that `L'` has more: which ones are taken is a matter of what helps.
//!
//! * An operation may also fail in `L` and change something, or wait: that is one of the old steps, and judged as any other.
//! * All procedures are asked over the same `L'`. One that is shown over `L` alone would not do: where another process moves past its failure,
//!   this happens without need, and what the procedure knows of it is not so.
//! * Nothing that holds of `L` is taken to hold of `L'`: no lemma about movers, and not what is known where a procedure starts. A procedure
//!   might not re-establish that after a spurious failure.
//! * That procedures follow the protocol of `L` is asked over `L`, and makes real runs runs of `L`. Over `L'` it is not needed: a call that is
//!   not allowed there blocks, or does nothing (`nilpotent`), and the shape and the runs alone count with that.
//! * [Decisive steps](super::decisive) over `L'` are those of all procedures over `L'`.
//!
//! Over `L'`, less is asked of calls. They need not move past a failure of another process: in the other order it fails without need.
//! So `if !lo.try_lock() { return false }` of one process does not stand in the way of `lo.unlock()` of another, as long as the operation
//! above may return false whenever it likes. Nor need they move past a step that changes only which of two results a read returns, if that is
//! the same to all procedures: `lo.phase()` is `Empty` before `lo.start()` of another process, and `Running` after it, but who reads it waits in
//! one case and tries in vain in the other.

use std::{collections::BTreeSet, sync::Arc};

use super::{given, needs};
use crate::ir::{
    Argument, Arm, Expr, ExprKind, Function, FunctionId, Given, Implementation, ImplementationId, LayerId, Literal,
    Local, LocalId, NodeId, Pattern, Place, Program, Stmt, Type, TypeDefKind, Variant,
};

/// More steps of an operation of the lower layer, by its index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weakening {
    /// The operation.
    pub operation: usize,
    /// What it may do, too.
    pub kind: Kind,
}

/// What an operation may do in a weaker layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It may return this at any time, and change nothing. A failure is one kind of this.
    Returns(Given),
    /// It may return the second variant of its result where it returns the first.
    Mistakes(u32, u32),
}

/// Enums with more variants without fields are not looked at.
const MOST_VARIANTS: usize = 6;

/// What could be weakened: operations that procedures of an implementation call, and that are not passed on. Above, the same would have to hold
/// of these.
pub fn candidates(program: &Program, id: ImplementationId) -> BTreeSet<Weakening> {
    let Implementation { upper, lower, .. } = program.implementations[id.0 as usize];
    let operations = &program.layers[lower.0 as usize].operations;
    let passed: BTreeSet<usize> = (0..program.layers[upper.0 as usize].operations.len())
        .filter(|it| needs::how(program, id, *it).is_some_and(|it| matches!(it, crate::ir::Code::Pass)))
        .flat_map(|it| needs::called_by(program, id, it))
        .collect();
    let called = needs::called(program, id).into_iter();
    let may_be_weaker = called.filter(|it| !passed.contains(it) && !operations[*it].external);
    let kinds = |operation: usize| {
        let function = &program.functions[operations[operation].function.0 as usize];
        let returns = constants(program, &function.result).into_iter().map(Kind::Returns);
        let kinds = returns.chain(mistakes(program, &function.result));
        kinds.map(move |kind| Weakening { operation, kind }).collect::<Vec<_>>()
    };
    may_be_weaker.flat_map(kinds).collect()
}

/// The pairs of variants without fields of a type.
fn mistakes(program: &Program, result: &Type) -> Vec<Kind> {
    let bare = bare_variants(program, result);
    if bare.len() > MOST_VARIANTS {
        return Vec::new();
    }
    let others = |from: u32| bare.iter().filter(move |it| **it != from).map(move |to| Kind::Mistakes(from, *to));
    bare.iter().flat_map(|it| others(*it)).collect()
}

fn bare_variants(program: &Program, ty: &Type) -> Vec<u32> {
    let Type::User(id) = ty else { return Vec::new() };
    let TypeDefKind::Enum(variants) = &program.types[id.0 as usize].kind else { return Vec::new() };
    (0..variants.len() as u32).filter(|it| variants[*it as usize].fields.is_empty()).collect()
}

/// A weakening in words.
pub fn in_words(program: &Program, layer: LayerId, weakening: &Weakening) -> String {
    let operation = &program.layers[layer.0 as usize].operations[weakening.operation];
    let name = &operation.name;
    let result = &program.functions[operation.function.0 as usize].result;
    match &weakening.kind {
        Kind::Mistakes(from, to) => {
            let [from, to] = [from, to].map(|it| variant_name(program, result, *it));
            format!("{name} returns {to} for {from}")
        }
        Kind::Returns(returned) if is_failure(result, returned) => format!("{name} fails at any time"),
        Kind::Returns(Given::Variant(tag, parts)) => {
            let returned = match (result, &parts[..]) {
                (Type::Option(value), [Given::Variant(tag, _)]) => {
                    format!("Some({})", variant_name(program, value, *tag))
                }
                _ => variant_name(program, result, *tag),
            };
            format!("{name} returns {returned} at any time")
        }
        Kind::Returns(_) => format!("{name} returns anything"),
    }
}

/// The name of a variant of an enum, or of an option or result.
pub(super) fn variant_name(program: &Program, ty: &Type, tag: u32) -> String {
    let name = match (ty, tag) {
        (Type::Option(_), 0) => "None",
        (Type::Option(_), _) => "Some",
        (Type::Result(..), 0) => "Ok",
        (Type::Result(..), _) => "Err",
        (Type::User(id), _) => match &program.types[id.0 as usize].kind {
            TypeDefKind::Enum(variants) => {
                return variants.get(tag as usize).map_or_else(String::new, |it| it.name.clone());
            }
            _ => "",
        },
        _ => "",
    };
    name.to_owned()
}

impl Weakening {
    /// Whether it is that the operation may fail at any time.
    pub fn is_failure(&self, program: &Program, layer: LayerId) -> bool {
        let function = program.layers[layer.0 as usize].operations[self.operation].function;
        let result = &program.functions[function.0 as usize].result;
        matches!(&self.kind, Kind::Returns(it) if is_failure(result, it))
    }
}

/// The program in which these operations of a layer may do more.
pub fn weaker(program: &Program, layer: LayerId, weakenings: &BTreeSet<Weakening>) -> Program {
    let mut program = program.clone();
    let operations: BTreeSet<usize> = weakenings.iter().map(|it| it.operation).collect();
    for operation in operations {
        let kinds: Vec<&Kind> = weakenings.iter().filter(|it| it.operation == operation).map(|it| &it.kind).collect();
        let own = program.layers[layer.0 as usize].operations[operation].function;
        let mut weaker = (*program.functions[own.0 as usize]).clone();
        if kinds.iter().any(|it| matches!(it, Kind::Mistakes(..))) {
            weaker = may_mistake(own, &weaker, &kinds);
        }
        for kind in kinds {
            if let Kind::Returns(returned) = kind {
                let returned = expression(&program, weaker.body.node, &weaker.result, returned);
                weaker = may_return(&weaker, returned);
            }
        }
        program.functions.push(Arc::new(weaker));
        let id = FunctionId(program.functions.len() as u32 - 1);
        program.layers[layer.0 as usize].operations[operation].function = id;
    }
    // What is stated of idle processes is not used.
    program.layers.iter_mut().for_each(|it| it.idle.clear());
    program
}

/// `match own(self, me, arguments) { from if maybe() => to, …, result => result }`
fn may_mistake(own: FunctionId, function: &Function, kinds: &[&Kind]) -> Function {
    let node = function.body.node;
    let make = |ty: &Type, kind: ExprKind| Expr { node, ty: ty.clone(), kind };
    let place = |local: u32| Place { local: LocalId(local), path: Vec::new() };
    let parameters: Vec<Local> = function.locals[..function.parameters as usize].to_vec();
    let argument = |(index, it): (usize, &Local)| match it.inout {
        true => Argument::InOut(place(index as u32)),
        false => Argument::Value(make(&it.ty, ExprKind::Read(place(index as u32)))),
    };
    let call = ExprKind::Call(own, parameters.iter().enumerate().map(argument).collect());
    let result = &function.result;
    let mistaken = |kind: &&Kind| {
        let Kind::Mistakes(from, to) = kind else { return None };
        Some(Arm {
            pattern: Pattern::Variant(*from, Vec::new()),
            guard: Some(make(&Type::Bool, ExprKind::Maybe)),
            body: make(result, ExprKind::Variant(*to, Vec::new())),
        })
    };
    let right = Arm {
        pattern: Pattern::Bind(LocalId(function.parameters)),
        guard: None,
        body: make(result, ExprKind::Read(place(function.parameters))),
    };
    let arms = kinds.iter().filter_map(mistaken).chain([right]).collect();
    let body = make(result, ExprKind::Match(Box::new(make(result, call)), arms));
    let returned = Local { name: "result".to_owned(), ty: result.clone(), inout: false };
    Function { locals: parameters.into_iter().chain([returned]).collect(), body, ..function.clone() }
}

/// `{ if maybe() { return returned; } body }`
fn may_return(function: &Function, returned: Expr) -> Function {
    let (body, node) = (function.body.clone(), function.body.node);
    let make = |ty: Type, kind: ExprKind| Expr { node, ty, kind };
    let leave = make(Type::Never, ExprKind::Return(Some(Box::new(returned))));
    let (maybe, unit) = (make(Type::Bool, ExprKind::Maybe), make(Type::UNIT, ExprKind::Block(Vec::new(), None)));
    let first = make(Type::UNIT, ExprKind::If(Box::new(maybe), Box::new(leave), Box::new(unit)));
    let ty = body.ty.clone();
    let body = make(ty, ExprKind::Block(vec![Stmt::Expr(first)], Some(Box::new(body))));
    Function { body, ..function.clone() }
}

/// The results that an operation could return at any time: `false`, `None`, `Err` of any value, and the variants of an enum, also within `Some`.
fn constants(program: &Program, result: &Type) -> Vec<Given> {
    let of_enum = |ty: &Type| -> Vec<Given> {
        let Type::User(id) = ty else { return Vec::new() };
        let TypeDefKind::Enum(variants) = &program.types[id.0 as usize].kind else { return Vec::new() };
        if variants.len() > MOST_VARIANTS {
            return Vec::new();
        }
        let of = |(tag, it): (usize, &Variant)| Given::Variant(tag as u32, vec![Given::Any; it.fields.len()]);
        variants.iter().enumerate().map(of).collect()
    };
    match result {
        Type::Bool => vec![Given::Bool(false)],
        Type::Option(value) => {
            let some = of_enum(value).into_iter().map(|it| Given::Variant(1, vec![it]));
            [Given::Variant(0, Vec::new())].into_iter().chain(some).collect()
        }
        Type::Result(..) => vec![Given::Variant(1, vec![Given::Any])],
        result => of_enum(result),
    }
}

/// Whether a result that is returned at any time says that the operation has failed.
fn is_failure(result: &Type, returned: &Given) -> bool {
    match result {
        Type::Bool | Type::Result(..) => true,
        Type::Option(_) => matches!(returned, Given::Variant(0, _)),
        _ => false,
    }
}

/// An expression for a result of a type.
fn expression(program: &Program, node: NodeId, ty: &Type, given: &Given) -> Expr {
    let parts = |parts: &[Given], types: Vec<Type>| {
        types.iter().zip(parts).map(|(ty, it)| expression(program, node, ty, it)).collect()
    };
    let kind = match given {
        Given::Bool(value) => ExprKind::Literal(Literal::Bool(*value)),
        Given::Int(value) => ExprKind::Literal(Literal::Int(*value)),
        Given::Variant(tag, all) => {
            ExprKind::Variant(*tag, parts(all, given::payload(program, ty, *tag).unwrap_or_default()))
        }
        Given::Tuple(all) => ExprKind::Tuple(parts(all, given::fields(program, ty).unwrap_or_default())),
        Given::Any if *ty == Type::UNIT => ExprKind::Tuple(Vec::new()),
        Given::Any => ExprKind::Any,
    };
    Expr { node, ty: ty.clone(), kind }
}
