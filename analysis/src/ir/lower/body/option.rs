//! Methods of `Option`. They become a `match`, so the engine needs no notion of them.
//!
//! An argument that Rust always evaluates (`unwrap_or`, `or`, `map_or`, …) is evaluated after the receiver and before the match. The body
//! of a closure is part of an arm, so it runs only where Rust calls it.

use super::{Body, expr::arguments, method::Receiver};
use crate::ir::lower::spot::Spot;
use crate::{
    ir::lower::ty::Ty,
    ir::{Arm, Expr, ExprKind, Pattern, Place, Stmt},
    syntax::ast,
};

/// The methods of `Option` that are read.
pub(super) const METHODS: &[&str] = &[
    "is_some",
    "is_none",
    "is_some_and",
    "is_none_or",
    "unwrap",
    "expect",
    "unwrap_or",
    "unwrap_or_else",
    "unwrap_or_default",
    "map",
    "map_or",
    "map_or_else",
    "and",
    "and_then",
    "or",
    "or_else",
    "xor",
    "zip",
    "filter",
    "flatten",
    "ok_or",
    "ok_or_else",
    "transpose",
    "get_or_insert",
    "get_or_insert_with",
    "take",
    "replace",
    "insert",
    "cloned",
    "copied",
    "as_ref",
    "as_deref",
];

impl Body<'_> {
    pub(super) fn option_method(
        &mut self,
        call: &ast::MethodCallExpr,
        receiver: Receiver,
        inner: &Ty,
        name: &str,
        spot: Spot,
    ) -> Expr {
        let values = arguments(call);
        match (name, values.as_slice()) {
            ("take", []) => self.replaced(receiver, inner, None, spot),
            ("replace", [new]) => self.replaced(receiver, inner, Some(new), spot),
            // Its result is a reference into the option.
            ("insert", [new]) if self.is_discarded(call) => {
                let old = self.replaced(receiver, inner, Some(new), spot);
                self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(old)], None))
            }
            (_, values) => {
                let value = self.value(receiver);
                let lowered = self.option_case(value, inner, name, values, spot);
                lowered.unwrap_or_else(|| self.no_such_method(call, &Ty::option(inner.clone()), name, spot))
            }
        }
    }

    /// A method that only looks at the option; `None` if there is no such method.
    fn option_case(&mut self, value: Expr, inner: &Ty, name: &str, values: &[ast::Expr], spot: Spot) -> Option<Expr> {
        let own = Ty::option(inner.clone());
        Some(match (name, values) {
            ("cloned" | "copied" | "as_ref" | "as_deref", []) => value,
            ("is_some" | "is_none", []) => {
                let some = self.boolean(spot, name == "is_some");
                let none = self.boolean(spot, name == "is_none");
                self.by_case(value, Pattern::Wild, some, none, Ty::BOOL, spot)
            }
            ("unwrap", []) | ("expect", [_]) => {
                let none = self.failure(spot);
                self.unwrapped(value, inner, none, spot)
            }
            ("unwrap_or_default", []) => {
                let none = self.default_value(inner.clone(), spot);
                self.unwrapped(value, inner, none, spot)
            }
            ("flatten", []) => {
                let ty = Ty::option(self.infer.fresh());
                if !self.infer.unify(inner, &ty) {
                    self.mismatch(spot, &Ty::option(ty), &own);
                    return Some(self.unsupported_at(spot));
                }
                let none = self.none(&ty, spot);
                self.unwrapped(value, inner, none, spot)
            }
            ("transpose", []) => {
                let (ok, err) = (self.infer.fresh(), self.infer.fresh());
                let result = Ty::result(ok.clone(), err.clone());
                if !self.infer.unify(inner, &result) {
                    self.mismatch(spot, &Ty::option(result), &own);
                    return Some(self.unsupported_at(spot));
                }
                let of_ok = Ty::option(ok.clone());
                let ty = Ty::result(of_ok.clone(), err.clone());
                let (pattern, part) = self.part(&ok, spot);
                let some = self.some_of(part, spot);
                let ok_case = (pattern, self.make(spot, ty.clone(), ExprKind::Variant(0, vec![some])));
                let (pattern, error) = self.part(&err, spot);
                let err_case = (pattern, self.make(spot, ty.clone(), ExprKind::Variant(1, vec![error])));
                let (pattern, found) = self.part(inner, spot);
                let some = self.by_result(found, ok_case, err_case, ty.clone(), spot);
                let none = self.none(&of_ok, spot);
                let none = self.make(spot, ty.clone(), ExprKind::Variant(0, vec![none]));
                self.by_case(value, pattern, some, none, ty, spot)
            }
            ("unwrap_or", [other]) => {
                let other = self.check(other, inner);
                let (found, some) = self.part(inner, spot);
                self.both(value, other, [found, Pattern::Wild], some, spot)
            }
            ("or", [other]) => {
                let other = self.check(other, &own);
                let (found, some) = self.part(inner, spot);
                let some = self.some_of(some, spot);
                self.both(value, other, [found, Pattern::Wild], some, spot)
            }
            ("and", [other]) => {
                let other = self.expr(other, None);
                let other = self.coerce_to_option(other);
                let ty = self.ty(&other);
                let (found, second) = self.part(&ty, spot);
                let none = self.none(&ty, spot);
                let arms = vec![([is_some(Pattern::Wild), found], second), ([Pattern::Wild, Pattern::Wild], none)];
                self.by_cases(value, other, arms, ty, spot)
            }
            ("xor", [other]) => {
                let other = self.check(other, &own);
                let ((left, first), (right, second)) = (self.part(inner, spot), self.part(inner, spot));
                let (first, second) = (self.some_of(first, spot), self.some_of(second, spot));
                let none = self.none(&own, spot);
                let arms = vec![
                    ([is_some(left), is_none()], first),
                    ([is_none(), is_some(right)], second),
                    ([Pattern::Wild, Pattern::Wild], none),
                ];
                self.by_cases(value, other, arms, own, spot)
            }
            ("zip", [other]) => {
                let other = self.expr(other, None);
                let other = self.coerce_to_option(other);
                let Ty::Con(_, types) = self.ty(&other) else { return Some(self.unsupported_at(spot)) };
                let ((left, first), (right, second)) = (self.part(inner, spot), self.part(&types[0], spot));
                let pair = Ty::tuple(vec![inner.clone(), types[0].clone()]);
                let pair = self.make(spot, pair, ExprKind::Tuple(vec![first, second]));
                let some = self.some_of(pair, spot);
                let ty = self.ty(&some);
                let none = self.none(&ty, spot);
                let arms = vec![([is_some(left), is_some(right)], some), ([Pattern::Wild, Pattern::Wild], none)];
                self.by_cases(value, other, arms, ty, spot)
            }
            ("ok_or", [error]) => {
                let mut statements = Vec::new();
                let value = self.stored("option", value, spot, &mut statements);
                let error = self.expr(error, None);
                let error = self.stored("error", error, spot, &mut statements);
                let result = self.ok_or(value, inner, error, spot);
                self.after(statements, result, spot)
            }
            ("map_or", [other, closure]) => {
                let other = self.expr(other, None);
                let ty = self.ty(&other);
                let Some((pattern, some)) = self.closure(closure, inner, Some(&ty)) else {
                    return Some(self.unsupported_at(spot));
                };
                self.both(value, other, [pattern, Pattern::Wild], some, spot)
            }
            (
                "map" | "is_some_and" | "is_none_or" | "and_then" | "unwrap_or_else" | "or_else" | "filter"
                | "ok_or_else",
                [_],
            )
            | ("map_or_else", [_, _]) => {
                let lowered = self.option_closure(value, inner, name, values, spot);
                lowered.unwrap_or_else(|| self.unsupported_at(spot))
            }
            _ => return None,
        })
    }

    /// A method whose last argument is a closure; `None` if there is a fault, which is reported.
    fn option_closure(
        &mut self,
        value: Expr,
        inner: &Ty,
        name: &str,
        values: &[ast::Expr],
        spot: Spot,
    ) -> Option<Expr> {
        let own = Ty::option(inner.clone());
        Some(match (name, values) {
            ("map", [closure]) => {
                let (pattern, body) = self.closure(closure, inner, None)?;
                let some = self.some_of(body, spot);
                let ty = self.ty(&some);
                let none = self.none(&ty, spot);
                self.by_case(value, pattern, some, none, ty, spot)
            }
            ("is_some_and" | "is_none_or", [closure]) => {
                let (pattern, body) = self.closure(closure, inner, Some(&Ty::BOOL))?;
                let none = self.boolean(spot, name == "is_none_or");
                self.by_case(value, pattern, body, none, Ty::BOOL, spot)
            }
            ("and_then", [closure]) => {
                let ty = Ty::option(self.infer.fresh());
                let (pattern, body) = self.closure(closure, inner, Some(&ty))?;
                if self.ty(&body) == Ty::Error {
                    return None;
                }
                let none = self.none(&ty, spot);
                self.by_case(value, pattern, body, none, ty, spot)
            }
            ("map_or_else", [default, closure]) => {
                let ty = self.infer.fresh();
                let none = self.thunk(default, Some(&ty))?;
                let (pattern, some) = self.closure(closure, inner, Some(&ty))?;
                self.by_case(value, pattern, some, none, ty, spot)
            }
            ("unwrap_or_else", [closure]) => {
                let none = self.thunk(closure, Some(inner))?;
                self.unwrapped(value, inner, none, spot)
            }
            ("ok_or_else", [closure]) => {
                let error = self.thunk(closure, None)?;
                self.ok_or(value, inner, error, spot)
            }
            ("or_else", [closure]) => {
                let none = self.thunk(closure, Some(&own))?;
                let (found, some) = self.part(inner, spot);
                let some = self.some_of(some, spot);
                self.by_case(value, found, some, none, own, spot)
            }
            ("filter", [closure]) => {
                let local = self.fresh_local("value", inner.clone(), false);
                let (pattern, keeps) = self.closure(closure, inner, Some(&Ty::BOOL))?;
                let read = self.read_local(local, spot);
                let some = self.some_of(read, spot);
                let none = self.none(&own, spot);
                let pattern = Pattern::Variant(1, vec![Pattern::At(local, Box::new(pattern))]);
                let arms = vec![
                    Arm { pattern, guard: Some(keeps), body: some },
                    Arm { pattern: Pattern::Wild, guard: None, body: none },
                ];
                self.make(spot, own, ExprKind::Match(Box::new(value), arms))
            }
            _ => return None,
        })
    }

    /// `match value { Some(x) => Ok(x), None => Err(error) }`.
    fn ok_or(&mut self, value: Expr, inner: &Ty, error: Expr, spot: Spot) -> Expr {
        let ty = Ty::result(inner.clone(), self.ty(&error));
        let (pattern, some) = self.part(inner, spot);
        let ok = self.make(spot, ty.clone(), ExprKind::Variant(0, vec![some]));
        let err = self.make(spot, ty.clone(), ExprKind::Variant(1, vec![error]));
        self.by_case(value, pattern, ok, err, ty, spot)
    }

    /// `take()`, and `replace(new)`: the value before.
    fn replaced(&mut self, receiver: Receiver, inner: &Ty, new: Option<&ast::Expr>, spot: Spot) -> Expr {
        let mut statements = Vec::new();
        let Some(place) = self.changed(receiver, spot, &mut statements) else { return self.unsupported_at(spot) };
        let own = Ty::option(inner.clone());
        let place = self.borrowed(place, &own, spot, &mut statements);
        let new = match new {
            Some(new) => {
                let new = self.check(new, inner);
                let new = self.some_of(new, spot);
                self.stored("new", new, spot, &mut statements)
            }
            None => self.none(&own, spot),
        };
        self.swapped_in(place, &own, new, statements, spot)
    }

    /// Stores a new value in a place; the result is the value before.
    pub(super) fn swapped_in(
        &mut self,
        place: Place,
        ty: &Ty,
        new: Expr,
        mut statements: Vec<Stmt>,
        spot: Spot,
    ) -> Expr {
        let old = self.make(spot, ty.clone(), ExprKind::Read(place.clone()));
        let old = self.stored("old", old, spot, &mut statements);
        let assign = self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(new)));
        statements.push(Stmt::Expr(assign));
        self.after(statements, old, spot)
    }

    /// Evaluates a value now; the result reads it later.
    pub(super) fn stored(&mut self, name: &str, value: Expr, spot: Spot, statements: &mut Vec<Stmt>) -> Expr {
        let ty = self.ty(&value);
        let local = self.fresh_local(name, ty, false);
        statements.push(Stmt::Let(Pattern::Bind(local), value));
        self.read_local(local, spot)
    }

    pub(super) fn some_of(&mut self, value: Expr, spot: Spot) -> Expr {
        let ty = Ty::option(self.ty(&value));
        self.make(spot, ty, ExprKind::Variant(1, vec![value]))
    }

    fn none(&mut self, ty: &Ty, spot: Spot) -> Expr {
        self.make(spot, ty.clone(), ExprKind::Variant(0, Vec::new()))
    }

    /// A pattern that binds a new variable, and a read of it.
    pub(super) fn part(&mut self, ty: &Ty, spot: Spot) -> (Pattern, Expr) {
        let local = self.fresh_local("value", ty.clone(), false);
        (Pattern::Bind(local), self.read_local(local, spot))
    }

    /// `match value { Some(pattern) => some, None => none }`.
    pub(super) fn by_case(
        &mut self,
        value: Expr,
        pattern: Pattern,
        some: Expr,
        none: Expr,
        ty: Ty,
        spot: Spot,
    ) -> Expr {
        let arms = vec![
            Arm { pattern: Pattern::Variant(1, vec![pattern]), guard: None, body: some },
            Arm { pattern: Pattern::Variant(0, Vec::new()), guard: None, body: none },
        ];
        self.make(spot, ty, ExprKind::Match(Box::new(value), arms))
    }

    fn unwrapped(&mut self, value: Expr, inner: &Ty, none: Expr, spot: Spot) -> Expr {
        let (pattern, some) = self.part(inner, spot);
        self.by_case(value, pattern, some, none, inner.clone(), spot)
    }

    /// `match (value, other) { (Some(found), unused) => some, (_, default) => default }`: both are evaluated, as in Rust.
    fn both(&mut self, value: Expr, other: Expr, [found, unused]: [Pattern; 2], some: Expr, spot: Spot) -> Expr {
        let ty = self.ty(&other);
        let default = self.fresh_local("default", ty.clone(), false);
        let none = self.read_local(default, spot);
        let default = Pattern::Bind(default);
        let arms = vec![([is_some(found), unused], some), ([Pattern::Wild, default], none)];
        self.by_cases(value, other, arms, ty, spot)
    }

    /// `match (value, other) { … }`: both are evaluated, as in Rust.
    fn by_cases(&mut self, value: Expr, other: Expr, arms: Vec<([Pattern; 2], Expr)>, ty: Ty, spot: Spot) -> Expr {
        let both = Ty::tuple(vec![self.ty(&value), self.ty(&other)]);
        let both = self.make(spot, both, ExprKind::Tuple(vec![value, other]));
        let arm =
            |(pattern, body): ([Pattern; 2], Expr)| Arm { pattern: Pattern::Tuple(pattern.into()), guard: None, body };
        self.make(spot, ty, ExprKind::Match(Box::new(both), arms.into_iter().map(arm).collect()))
    }

    /// The value, which must be an option of some type.
    fn coerce_to_option(&mut self, value: Expr) -> Expr {
        let ty = Ty::option(self.infer.fresh());
        self.coerce(value, &ty)
    }
}

fn is_some(inner: Pattern) -> Pattern {
    Pattern::Variant(1, vec![inner])
}

fn is_none() -> Pattern {
    Pattern::Variant(0, Vec::new())
}
