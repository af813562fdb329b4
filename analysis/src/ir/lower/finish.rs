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
        Argument, Expr, ExprKind, Literal, Place, Prim, Projection, Stmt, Type,
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
        self.children(&mut expr.kind);
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

    fn all(&mut self, exprs: &mut [Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn place(&mut self, place: &mut Place) {
        for projection in &mut place.path {
            if let Projection::Index(index) = projection {
                self.expr(index);
            }
        }
    }

    fn children(&mut self, kind: &mut ExprKind) {
        match kind {
            ExprKind::Literal(_)
            | ExprKind::Continue
            | ExprKind::Maybe
            | ExprKind::Any
            | ExprKind::External
            | ExprKind::Unsupported => {}
            ExprKind::Read(place) => self.place(place),
            ExprKind::Tuple(parts)
            | ExprKind::Variant(_, parts)
            | ExprKind::Perform(_, parts)
            | ExprKind::Prim(_, parts) => {
                self.all(parts);
            }
            ExprKind::Field(inner, _)
            | ExprKind::Loop(inner)
            | ExprKind::Choose(inner)
            | ExprKind::When(inner)
            | ExprKind::Assert(inner)
            | ExprKind::Emit(inner)
            | ExprKind::Break(Some(inner))
            | ExprKind::Return(Some(inner)) => self.expr(inner),
            ExprKind::Break(None) | ExprKind::Return(None) => {}
            ExprKind::While(left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::For(_, left, right)
            | ExprKind::Each(_, left, _, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::If(condition, then, otherwise) => {
                self.expr(condition);
                self.expr(then);
                self.expr(otherwise);
            }
            ExprKind::Assign(place, value) => {
                self.place(place);
                self.expr(value);
            }
            ExprKind::Mutate(_, place, values) => {
                self.place(place);
                self.all(values);
            }
            ExprKind::Block(statements, value) => self.block(statements, value.as_deref_mut()),
            ExprKind::Match(value, arms) => {
                self.expr(value);
                for arm in arms {
                    if let Some(guard) = &mut arm.guard {
                        self.expr(guard);
                    }
                    self.expr(&mut arm.body);
                }
            }
            ExprKind::Call(_, arguments) => {
                for argument in arguments {
                    match argument {
                        Argument::Value(value) => self.expr(value),
                        Argument::InOut(place) => self.place(place),
                    }
                }
            }
        }
    }

    fn block(&mut self, statements: &mut [Stmt], value: Option<&mut Expr>) {
        for statement in statements {
            match statement {
                Stmt::Let(_, value) | Stmt::Expr(value) => self.expr(value),
            }
        }
        if let Some(value) = value {
            self.expr(value);
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
