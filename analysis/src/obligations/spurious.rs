//! Spurious failures: a weaker layer, in which operations may fail without need.
//!
//! Let procedures implement the layer `U` over the layer `L`. Let `L'` be `L`, but for one more body of each operation `o` of a set `O`:
//!
//! ```text
//! s --o(a)@p/r--> s        where r is false, None, or Err of any value
//! ```
//!
//! It changes and shows nothing, and makes a step of `L'` as the old body does: with the invariants, the rules of the protocol and the
//! background. States and initial states are the same. *If each procedure of the implementation has its shape over `L'`, and does alone over
//! `L'` what `U` allows, and so does what is passed on, then each run of the procedures over `L` is a run of `U`*, with the same results and
//! events, and the same failures of an `assert!`.
//!
//! For every step of `L` is a step of `L'`, so every run of the procedures over `L` is a run of them over `L'`; and that is a run of `U` by the
//! theorem of movers, applied to `L'`. That is the pattern abstraction (OSDI'18, section 6.3), with equality as the relation, put between
//! `L` and the procedures. What runs above `U`, and what is below `L`, is not concerned. Neither is progress, of which nothing is claimed.
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
//! above may return false whenever it likes. If it may not, `L'` shows nothing.

use std::{collections::BTreeSet, sync::Arc};

use super::needs;
use crate::ir::{
    Expr, ExprKind, Function, FunctionId, Implementation, ImplementationId, LayerId, Literal, Program, Stmt, Type,
};

/// The operations of its lower layer that procedures of an implementation call, that can fail, and that are not passed on: above, they would
/// have to fail, too.
pub fn candidates(program: &Program, id: ImplementationId) -> BTreeSet<usize> {
    let Implementation { upper, lower, .. } = program.implementations[id.0 as usize];
    let operations = &program.layers[lower.0 as usize].operations;
    let passed: BTreeSet<usize> = (0..program.layers[upper.0 as usize].operations.len())
        .filter(|it| needs::how(program, id, *it).is_some_and(|it| matches!(it, crate::ir::Code::Pass)))
        .flat_map(|it| needs::called_by(program, id, it))
        .collect();
    let can_fail = |it: &usize| {
        let function = &program.functions[operations[*it].function.0 as usize];
        !operations[*it].external && failure(function).is_some()
    };
    needs::called(program, id).into_iter().filter(|it| !passed.contains(it) && can_fail(it)).collect()
}

/// The program in which these operations of a layer may fail at any time.
pub fn weaker(program: &Program, layer: LayerId, operations: &BTreeSet<usize>) -> Program {
    let mut program = program.clone();
    for operation in operations {
        let own = program.layers[layer.0 as usize].operations[*operation].function;
        let function = &program.functions[own.0 as usize];
        let Some(failure) = failure(function) else { continue };
        let weaker = may_fail(function, failure);
        program.functions.push(Arc::new(weaker));
        let id = FunctionId(program.functions.len() as u32 - 1);
        program.layers[layer.0 as usize].operations[*operation].function = id;
    }
    // What is stated of idle processes is not used.
    program.layers.iter_mut().for_each(|it| it.idle.clear());
    program
}

/// `{ if maybe() { return failure; } body }`
fn may_fail(function: &Function, failure: Expr) -> Function {
    let (body, node) = (function.body.clone(), function.body.node);
    let make = |ty: Type, kind: ExprKind| Expr { node, ty, kind };
    let leave = make(Type::Never, ExprKind::Return(Some(Box::new(failure))));
    let (maybe, unit) = (make(Type::Bool, ExprKind::Maybe), make(Type::UNIT, ExprKind::Block(Vec::new(), None)));
    let first = make(Type::UNIT, ExprKind::If(Box::new(maybe), Box::new(leave), Box::new(unit)));
    let ty = body.ty.clone();
    let body = make(ty, ExprKind::Block(vec![Stmt::Expr(first)], Some(Box::new(body))));
    Function { body, ..function.clone() }
}

/// What an operation returns if it fails.
fn failure(function: &Function) -> Option<Expr> {
    let make = |ty: &Type, kind: ExprKind| Expr { node: function.body.node, ty: ty.clone(), kind };
    let result = &function.result;
    match result {
        Type::Bool => Some(make(result, ExprKind::Literal(Literal::Bool(false)))),
        Type::Option(_) => Some(make(result, ExprKind::Variant(0, Vec::new()))),
        Type::Result(_, error) => {
            let error = match &**error {
                Type::Tuple(fields) if fields.is_empty() => make(error, ExprKind::Tuple(Vec::new())),
                _ => make(error, ExprKind::Any),
            };
            Some(make(result, ExprKind::Variant(1, vec![error])))
        }
        _ => None,
    }
}
