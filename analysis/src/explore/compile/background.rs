//! A single background step, for layers whose background is any number of steps.
//!
//! `repeat(self, |state| step)` is compiled as a loop, so a run of it is a run of all turns. A search that interleaves single background
//! steps with the steps of processes needs one turn.

use super::function::FunctionCompiler;
use crate::{
    explore::{
        code::{Code, CodeId, Op},
        panics::Quiet,
    },
    ir::{Argument, Expr, ExprKind, Function, FunctionId, Program, Projection, Stmt},
};

/// One turn of the background, if the background is a single loop of any number of turns without events.
pub(super) fn turn(program: &Program, quiet: &[Quiet<'_>; 2], code: &mut Code, id: FunctionId) -> Option<CodeId> {
    let function = &program.functions[id.0 as usize];
    let compiled = match &single(&function.body).kind {
        ExprKind::While(condition, step) if condition.kind == ExprKind::Maybe && is_silent(program, step) => {
            let body =
                Expr { kind: ExprKind::Block(vec![Stmt::Expr((**step).clone())], None), ..function.body.clone() };
            let turn = Function { body, ..(**function).clone() };
            FunctionCompiler::new(code, quiet, &turn).compile(id)
        }
        ExprKind::Call(callee, arguments) if is_whole_state(arguments) => {
            let inner = turn(program, quiet, code, *callee)?;
            let mut compiled = FunctionCompiler::new(code, quiet, function).compile(id);
            for op in &mut compiled.ops {
                if *op == Op::Call(callee.0) {
                    *op = Op::Call(inner as u32);
                }
            }
            compiled
        }
        _ => return None,
    };
    code.functions.push(compiled);
    Some(code.functions.len() - 1)
}

/// The expression that a block consists of.
fn single(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Block(statements, None) => match statements.as_slice() {
            [Stmt::Expr(only)] => single(only),
            _ => expr,
        },
        ExprKind::Block(statements, Some(value)) if statements.is_empty() => single(value),
        _ => expr,
    }
}

/// Whether only a component of the state is passed on, so that no choice is made once for all turns.
fn is_whole_state(arguments: &[Argument]) -> bool {
    let is_field = |it: &Projection| matches!(it, Projection::Field(..));
    matches!(arguments, [Argument::InOut(place)] if place.local.0 == 0 && place.path.iter().all(is_field))
}

/// Whether code emits nothing.
fn is_silent(program: &Program, expr: &Expr) -> bool {
    let mut pending = vec![expr];
    let mut seen = vec![false; program.functions.len()];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Emit(_) | ExprKind::External => return false,
            ExprKind::Call(callee, _) if !std::mem::replace(&mut seen[callee.0 as usize], true) => {
                pending.push(&program.functions[callee.0 as usize].body);
            }
            _ => {}
        }
        expr.for_each_child(&mut |it| pending.push(it));
    }
    true
}
