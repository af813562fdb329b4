//! The last pass over a body: writes the inferred types into the expressions.
//!
//! An expression without a type becomes [`ExprKind::Unsupported`], with a diagnostic unless there is one already.

use super::{
    report::{DiagnosticExt, Problem, error},
    spot::Spot,
    ty::Ty,
};
use crate::{
    diagnostics::codes,
    ir::{
        Expr, ExprKind, Literal, Prim, Type,
        int::{Computed, IntType, compute},
    },
};

/// The inferred types, by node.
pub(super) struct Finish<'a> {
    pub(super) types: &'a [Ty],
    pub(super) spots: &'a [Spot],
    pub(super) problems: Vec<Problem>,
}

impl Finish<'_> {
    pub(super) fn expr(&mut self, expr: &mut Expr) {
        let inferred = &self.types[expr.node.0 as usize];
        match inferred.to_type() {
            Some(ty) => expr.ty = ty,
            None => {
                if has_variable(inferred) {
                    let spot = self.spots[expr.node.0 as usize];
                    let problem = error(codes::CS0104, spot, "the type of this expression is unknown");
                    self.problems.push(problem.help("write the type: `let name: T = …`, `any::<T>()`"));
                }
                expr.ty = Type::Never;
                expr.kind = ExprKind::Unsupported;
                return;
            }
        }
        expr.for_each_child_mut(&mut |it| self.expr(it));
        self.settle(expr);
    }

    /// Completes what depends on the inferred type.
    fn settle(&mut self, expr: &mut Expr) {
        let is_collection = matches!(expr.ty, Type::Map(..) | Type::Total(..) | Type::Set(_) | Type::Seq(_));
        match &mut expr.kind {
            ExprKind::Prim(Prim::ToSet, operands) if matches!(expr.ty, Type::Seq(_)) => {
                if let Some(sequence) = operands.pop() {
                    *expr = sequence;
                }
            }
            ExprKind::Prim(prim @ Prim::ToSet, _) if matches!(expr.ty, Type::Map(..)) => *prim = Prim::ToMap,
            ExprKind::Prim(Prim::Parse, _) if !is_parsed(&expr.ty) => {
                let spot = self.spots[expr.node.0 as usize];
                let problem = error(codes::CS0104, spot, "only integers and `Pid` are parsed from a text");
                self.problems.push(problem.help("write the type: `parse::<u64>().ok()`"));
                expr.kind = ExprKind::Unsupported;
            }
            ExprKind::Prim(prim @ Prim::Default, _) if is_collection => *prim = Prim::Empty,
            ExprKind::Prim(prim, operands) => {
                if let Some(literal) = folded(*prim, operands, &expr.ty) {
                    expr.kind = ExprKind::Literal(literal);
                }
            }
            ExprKind::Literal(Literal::Int(value)) if !fits(*value, &expr.ty) => {
                let spot = self.spots[expr.node.0 as usize];
                self.problems.push(error(codes::CS0104, spot, format!("`{value}` is out of range for its type")));
                expr.kind = ExprKind::Unsupported;
            }
            _ => {}
        }
    }
}

fn has_variable(ty: &Ty) -> bool {
    match ty {
        Ty::Var(_) | Ty::Hole => true,
        Ty::Error => false,
        Ty::Con(_, arguments) => arguments.iter().any(has_variable),
    }
}

fn is_parsed(ty: &Type) -> bool {
    matches!(ty, Type::Option(it) if matches!(**it, Type::Int { .. } | Type::Pid))
}

fn fits(value: i128, ty: &Type) -> bool {
    IntType::of(ty).is_none_or(|it| it.contains(value))
}

/// Folds an operation on integer literals: `1 << 31` is equivalent to the number, so that code that compares with it tries the number and
/// its neighbours. An operation that panics is left as it is.
fn folded(prim: Prim, operands: &[Expr], ty: &Type) -> Option<Literal> {
    let int = IntType::of(if prim.is_about_operand() { &operands.first()?.ty } else { ty })?;
    let number = |it: &Expr| match it.kind {
        ExprKind::Literal(Literal::Int(value)) => Some(value),
        _ => None,
    };
    let operands: Vec<i128> = operands.iter().map(number).collect::<Option<_>>()?;
    match compute(prim, &operands, int)? {
        Computed::Int(value) => Some(Literal::Int(value)),
        _ => None,
    }
}
