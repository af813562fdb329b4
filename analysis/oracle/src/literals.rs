//! The literals of a program: scalars and strings that its code can name belong to every universe of values.

use std::collections::BTreeSet;

use cspec_analysis::ir::{Expr, ExprKind, Literal, Pattern, Program, Stmt};

/// All literals in the functions of a program.
pub fn of(program: &Program) -> BTreeSet<Literal> {
    let mut found = BTreeSet::new();
    for function in &program.functions {
        in_expr(&function.body, &mut found);
    }
    found
}

fn in_expr(expr: &Expr, found: &mut BTreeSet<Literal>) {
    match &expr.kind {
        ExprKind::Literal(literal) => drop(found.insert(literal.clone())),
        ExprKind::Match(_, arms) => arms.iter().for_each(|arm| in_pattern(&arm.pattern, found)),
        ExprKind::For(pattern, ..) | ExprKind::Each(_, _, pattern, _) => in_pattern(pattern, found),
        ExprKind::Block(statements, _) => {
            for statement in statements {
                if let Stmt::Let(pattern, _) = statement {
                    in_pattern(pattern, found);
                }
            }
        }
        _ => {}
    }
    expr.for_each_child(&mut |child| in_expr(child, found));
}

fn in_pattern(pattern: &Pattern, found: &mut BTreeSet<Literal>) {
    match pattern {
        Pattern::Wild | Pattern::Bind(_) => {}
        Pattern::At(_, inner) => in_pattern(inner, found),
        Pattern::Literal(literal) => drop(found.insert(literal.clone())),
        Pattern::Tuple(inner) | Pattern::Variant(_, inner) | Pattern::Or(inner) => {
            inner.iter().for_each(|it| in_pattern(it, found));
        }
    }
}
