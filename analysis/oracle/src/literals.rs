//! The literals of a program: the scalars and strings that its code names belong to every universe of values.

use std::collections::BTreeSet;

use cspec_analysis::ir::{Expr, ExprKind, Literal, Pattern, Prim, Program, Stmt, Type, TypeDefKind, TypeId};

/// All literals in the functions of a program, and those that are the defaults of its scalars, if it may use one.
pub fn of(program: &Program) -> BTreeSet<Literal> {
    let mut found = BTreeSet::new();
    if may_use_default(program) {
        for (id, ty) in (0..).map(TypeId).zip(&program.types) {
            found.extend(ty.default.clone().map(|text| Literal::Scalar(Type::User(id), text)));
        }
    }
    for function in &program.functions {
        in_expr(&function.body, &mut found);
    }
    found
}

/// Whether the default of a scalar may be a value in a program.
fn may_use_default(program: &Program) -> bool {
    let fields = program.types.iter().flat_map(|it| match &it.kind {
        TypeDefKind::Scalar => Vec::new(),
        TypeDefKind::Struct(fields) => fields.iter().collect(),
        TypeDefKind::Enum(variants) => variants.iter().flat_map(|it| &it.fields).collect(),
    });
    let locals = program.functions.iter().flat_map(|it| &it.locals).map(|it| &it.ty);
    if fields.map(|it| &it.ty).chain(locals).any(has_total) {
        return true;
    }
    let mut pending: Vec<&Expr> = program.functions.iter().map(|it| &it.body).collect();
    while let Some(expr) = pending.pop() {
        if let ExprKind::Prim(Prim::Default, _) = &expr.kind
            && has_scalar(program, &expr.ty)
        {
            return true;
        }
        expr.for_each_child(&mut |it| pending.push(it));
    }
    false
}

fn has_total(ty: &Type) -> bool {
    match ty {
        Type::Total(..) => true,
        Type::Tuple(fields) => fields.iter().any(has_total),
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => has_total(inner),
        Type::Map(one, other) | Type::Result(one, other) => has_total(one) || has_total(other),
        Type::Never | Type::Bool | Type::Int { .. } | Type::Str | Type::Pid | Type::User(_) => false,
    }
}

/// The maximum number of scalars that one call of a function without loops chooses by `any()`.
pub fn choices_of_scalars(program: &Program) -> usize {
    let functions = 0..program.functions.len();
    functions.map(|it| chosen(program, it, &mut BTreeSet::new())).max().unwrap_or_default()
}

fn chosen(program: &Program, function: usize, inside: &mut BTreeSet<usize>) -> usize {
    // A recursive function is counted once.
    if !inside.insert(function) {
        return 0;
    }
    let mut count = 0;
    let mut pending = vec![&program.functions[function].body];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Any if has_scalar(program, &expr.ty) => count += 1,
            ExprKind::Call(callee, _) => count += chosen(program, callee.0 as usize, inside),
            _ => {}
        }
        expr.for_each_child(&mut |it| pending.push(it));
    }
    inside.remove(&function);
    count
}

/// Whether a scalar can be part of a value of a type.
fn has_scalar(program: &Program, ty: &Type) -> bool {
    match ty {
        Type::User(id) => match &program.types[id.0 as usize].kind {
            TypeDefKind::Scalar => true,
            TypeDefKind::Struct(fields) => fields.iter().any(|it| has_scalar(program, &it.ty)),
            TypeDefKind::Enum(variants) => {
                variants.iter().flat_map(|it| &it.fields).any(|it| has_scalar(program, &it.ty))
            }
        },
        Type::Tuple(fields) => fields.iter().any(|it| has_scalar(program, it)),
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => has_scalar(program, inner),
        Type::Map(one, other) | Type::Total(one, other) | Type::Result(one, other) => {
            has_scalar(program, one) || has_scalar(program, other)
        }
        Type::Never | Type::Bool | Type::Int { .. } | Type::Str | Type::Pid => false,
    }
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
        Pattern::Range(ends) => found.extend(ends.iter().flatten().map(|it| Literal::Int(*it))),
        Pattern::Tuple(inner) | Pattern::Variant(_, inner) | Pattern::Or(inner) => {
            inner.iter().for_each(|it| in_pattern(it, found));
        }
    }
}
