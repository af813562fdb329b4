//! Renumbers the ids in a piece of IR: the only place that knows where ids occur.

use super::{
    Argument, Arm, Expr, ExprKind, Function, FunctionId, FunctionKind, LayerId, Literal, Pattern, Place, Projection,
    Stmt, Type, TypeDef, TypeDefKind, TypeId,
};

/// Maps the ids in a piece of IR to others, in the order in which they occur.
pub(super) trait Ids {
    fn of_type(&mut self, id: TypeId) -> TypeId;
    fn of_function(&mut self, id: FunctionId) -> FunctionId;
    fn of_layer(&mut self, id: LayerId) -> LayerId;
}

/// A function with other ids.
pub(super) fn function(function: &Function, ids: &mut dyn Ids) -> Function {
    let mut function = function.clone();
    signature(&mut function, ids);
    expr(&mut function.body, ids);
    function
}

/// Replaces the ids in a function except in its body.
pub(super) fn signature(function: &mut Function, ids: &mut dyn Ids) {
    if let FunctionKind::Procedure(layer) = &mut function.kind {
        *layer = ids.of_layer(*layer);
    }
    for local in &mut function.locals {
        ty(&mut local.ty, ids);
    }
    ty(&mut function.result, ids);
}

/// A user type with other ids.
pub(super) fn type_def(definition: &TypeDef, ids: &mut dyn Ids) -> TypeDef {
    let mut definition = definition.clone();
    match &mut definition.kind {
        TypeDefKind::Scalar => {}
        TypeDefKind::Struct(fields) => fields.iter_mut().for_each(|it| ty(&mut it.ty, ids)),
        TypeDefKind::Enum(variants) => {
            variants.iter_mut().flat_map(|it| &mut it.fields).for_each(|it| ty(&mut it.ty, ids));
        }
    }
    definition
}

/// Replaces the ids in a type.
pub(super) fn ty(it: &mut Type, ids: &mut dyn Ids) {
    match it {
        Type::Never | Type::Bool | Type::Int { .. } | Type::Str | Type::Pid => {}
        Type::User(id) => *id = ids.of_type(*id),
        Type::Tuple(fields) => fields.iter_mut().for_each(|it| ty(it, ids)),
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => ty(inner, ids),
        Type::Map(key, value) | Type::Total(key, value) | Type::Result(key, value) => {
            ty(key, ids);
            ty(value, ids);
        }
    }
}

fn literal(it: &mut Literal, ids: &mut dyn Ids) {
    if let Literal::Scalar(of, _) = it {
        ty(of, ids);
    }
}

fn pattern(it: &mut Pattern, ids: &mut dyn Ids) {
    match it {
        Pattern::Wild | Pattern::Bind(_) | Pattern::Range(..) => {}
        Pattern::At(_, inner) => pattern(inner, ids),
        Pattern::Literal(value) => literal(value, ids),
        Pattern::Tuple(all) | Pattern::Variant(_, all) | Pattern::Or(all) => {
            all.iter_mut().for_each(|it| pattern(it, ids));
        }
    }
}

fn place(it: &mut Place, ids: &mut dyn Ids) {
    for projection in &mut it.path {
        if let Projection::Index(key) = projection {
            expr(key, ids);
        }
    }
}

fn exprs(all: &mut [Expr], ids: &mut dyn Ids) {
    all.iter_mut().for_each(|it| expr(it, ids));
}

fn expr(it: &mut Expr, ids: &mut dyn Ids) {
    ty(&mut it.ty, ids);
    match &mut it.kind {
        ExprKind::Continue | ExprKind::Maybe | ExprKind::Any | ExprKind::External | ExprKind::Unsupported => {}
        ExprKind::Literal(value) => literal(value, ids),
        ExprKind::Read(from) => place(from, ids),
        ExprKind::Tuple(all) | ExprKind::Variant(_, all) | ExprKind::Perform(_, all) | ExprKind::Prim(_, all) => {
            exprs(all, ids);
        }
        ExprKind::Field(one, _)
        | ExprKind::Loop(one)
        | ExprKind::Choose(one)
        | ExprKind::When(one)
        | ExprKind::Assert(one)
        | ExprKind::Emit(one) => expr(one, ids),
        ExprKind::Block(statements, value) => {
            statements.iter_mut().for_each(|it| statement(it, ids));
            value.iter_mut().for_each(|it| expr(it, ids));
        }
        ExprKind::If(a, b, c) => [a, b, c].into_iter().for_each(|it| expr(it, ids)),
        ExprKind::Match(value, arms) => {
            expr(value, ids);
            arms.iter_mut().for_each(|it| arm(it, ids));
        }
        ExprKind::While(a, b) | ExprKind::And(a, b) | ExprKind::Or(a, b) => {
            expr(a, ids);
            expr(b, ids);
        }
        ExprKind::For(bound, sequence, body) | ExprKind::Each(_, sequence, bound, body) => {
            pattern(bound, ids);
            expr(sequence, ids);
            expr(body, ids);
        }
        ExprKind::Break(value) | ExprKind::Return(value) => value.iter_mut().for_each(|it| expr(it, ids)),
        ExprKind::Assign(to, value) => {
            place(to, ids);
            expr(value, ids);
        }
        ExprKind::Call(callee, arguments) => {
            *callee = ids.of_function(*callee);
            arguments.iter_mut().for_each(|it| argument(it, ids));
        }
        ExprKind::Mutate(_, to, operands) => {
            place(to, ids);
            exprs(operands, ids);
        }
    }
}

fn statement(it: &mut Stmt, ids: &mut dyn Ids) {
    match it {
        Stmt::Let(bound, value) => {
            pattern(bound, ids);
            expr(value, ids);
        }
        Stmt::Expr(value) => expr(value, ids),
    }
}

fn arm(it: &mut Arm, ids: &mut dyn Ids) {
    pattern(&mut it.pattern, ids);
    it.guard.iter_mut().for_each(|it| expr(it, ids));
    expr(&mut it.body, ids);
}

fn argument(it: &mut Argument, ids: &mut dyn Ids) {
    match it {
        Argument::Value(value) => expr(value, ids),
        Argument::InOut(to) => place(to, ids),
    }
}
