//! Methods of `Result`. Like those of `Option`, they become a `match`.

use super::{Body, expr::arguments};
use crate::ir::lower::spot::Spot;
use crate::{
    ir::lower::ty::Ty,
    ir::{Arm, Expr, ExprKind, Pattern},
    syntax::ast,
};

/// The methods of `Result` that are read.
pub(super) const METHODS: &[&str] = &[
    "is_ok",
    "is_err",
    "is_ok_and",
    "is_err_and",
    "ok",
    "err",
    "unwrap",
    "unwrap_err",
    "expect",
    "expect_err",
    "unwrap_or",
    "unwrap_or_else",
    "unwrap_or_default",
    "map",
    "map_err",
    "map_or",
    "map_or_else",
    "and",
    "and_then",
    "or",
    "or_else",
    "transpose",
    "cloned",
    "copied",
    "as_ref",
];

/// A pattern for the content of `Ok` or `Err`, and the value in this case.
type Case = (Pattern, Expr);

impl Body<'_> {
    pub(super) fn result_method(
        &mut self,
        call: &ast::MethodCallExpr,
        value: Expr,
        types: (&Ty, &Ty),
        name: &str,
        spot: Spot,
    ) -> Expr {
        let values = arguments(call);
        let arity = match name {
            "map_or" | "map_or_else" => 2,
            "is_ok_and" | "is_err_and" | "expect" | "expect_err" | "unwrap_or" | "unwrap_or_else" | "map"
            | "map_err" | "and" | "and_then" | "or" | "or_else" => 1,
            _ => 0,
        };
        if !METHODS.contains(&name) || values.len() != arity {
            return self.no_such_method(call, &Ty::result(types.0.clone(), types.1.clone()), name, spot);
        }
        let lowered = match name {
            "unwrap_or" | "map_or" | "and" | "or" => self.result_and_other(value, types, name, &values, spot),
            _ => self.result_case(value, types, name, &values, spot),
        };
        lowered.unwrap_or_else(|| self.unsupported_at(spot))
    }

    /// A method whose first argument is evaluated in any case; `None` if there is a fault, which is reported.
    fn result_and_other(
        &mut self,
        value: Expr,
        (ok, err): (&Ty, &Ty),
        name: &str,
        values: &[ast::Expr],
        spot: Spot,
    ) -> Option<Expr> {
        let mut statements = Vec::new();
        let value = self.stored("result", value, spot, &mut statements);
        let other = match name {
            "unwrap_or" => self.check(&values[0], ok),
            _ => self.expr(&values[0], None),
        };
        let other = self.stored("other", other, spot, &mut statements);
        let other = match name {
            "and" => {
                let ty = Ty::result(self.infer.fresh(), err.clone());
                self.coerce(other, &ty)
            }
            "or" => {
                let ty = Ty::result(ok.clone(), self.infer.fresh());
                self.coerce(other, &ty)
            }
            _ => other,
        };
        let ty = self.ty(&other);
        let (ok_case, err_case) = match name {
            "unwrap_or" => (self.part(ok, spot), (Pattern::Wild, other)),
            "and" => ((Pattern::Wild, other), self.kept_err(err, &ty, spot)),
            "or" => (self.kept_ok(ok, &ty, spot), (Pattern::Wild, other)),
            _ => (self.closure(&values[1], ok, Some(&ty))?, (Pattern::Wild, other)),
        };
        let chosen = self.by_result(value, ok_case, err_case, ty, spot);
        Some(self.after(statements, chosen, spot))
    }

    /// A method that evaluates its arguments, if it has any, in one of the cases; `None` if there is a fault, which is reported.
    fn result_case(
        &mut self,
        value: Expr,
        (ok, err): (&Ty, &Ty),
        name: &str,
        values: &[ast::Expr],
        spot: Spot,
    ) -> Option<Expr> {
        let yes = (Pattern::Wild, self.boolean(spot, true));
        let no = (Pattern::Wild, self.boolean(spot, false));
        let (ok_case, err_case, ty) = match name {
            "cloned" | "copied" | "as_ref" => return Some(value),
            "transpose" => {
                let inner = self.infer.fresh();
                let option = Ty::option(inner.clone());
                if !self.infer.unify(ok, &option) {
                    self.mismatch(spot, &option, ok);
                    return None;
                }
                let result = Ty::result(inner.clone(), err.clone());
                let ty = Ty::option(result.clone());
                let (found, part) = self.part(&inner, spot);
                let part = self.make(spot, result.clone(), ExprKind::Variant(0, vec![part]));
                let some = self.some_of(part, spot);
                let none = self.make(spot, ty.clone(), ExprKind::Variant(0, Vec::new()));
                let (of_ok, option) = self.part(&option, spot);
                let of_some = self.by_case(option, found, some, none, ty.clone(), spot);
                let (pattern, error) = self.kept_err(err, &result, spot);
                let error = self.some_of(error, spot);
                ((of_ok, of_some), (pattern, error), ty)
            }
            "is_ok" => (yes, no, Ty::BOOL),
            "is_err" => (no, yes, Ty::BOOL),
            "is_ok_and" => (self.closure(&values[0], ok, Some(&Ty::BOOL))?, no, Ty::BOOL),
            "is_err_and" => (no, self.closure(&values[0], err, Some(&Ty::BOOL))?, Ty::BOOL),
            "ok" | "err" => {
                let ty = Ty::option(if name == "ok" { ok.clone() } else { err.clone() });
                let (pattern, part) = self.part(if name == "ok" { ok } else { err }, spot);
                let some = (pattern, self.some_of(part, spot));
                let none = (Pattern::Wild, self.make(spot, ty.clone(), ExprKind::Variant(0, Vec::new())));
                if name == "ok" { (some, none, ty) } else { (none, some, ty) }
            }
            "unwrap" | "expect" => (self.part(ok, spot), (Pattern::Wild, self.failure(spot)), ok.clone()),
            "unwrap_err" | "expect_err" => ((Pattern::Wild, self.failure(spot)), self.part(err, spot), err.clone()),
            "unwrap_or_default" => {
                let default = self.default_value(ok.clone(), spot);
                (self.part(ok, spot), (Pattern::Wild, default), ok.clone())
            }
            "unwrap_or_else" => (self.part(ok, spot), self.closure(&values[0], err, Some(ok))?, ok.clone()),
            "map_or_else" => {
                let ty = self.infer.fresh();
                let err_case = self.closure(&values[0], err, Some(&ty))?;
                (self.closure(&values[1], ok, Some(&ty))?, err_case, ty)
            }
            "map" => {
                let (pattern, body) = self.closure(&values[0], ok, None)?;
                let ty = Ty::result(self.ty(&body), err.clone());
                let body = self.make(spot, ty.clone(), ExprKind::Variant(0, vec![body]));
                ((pattern, body), self.kept_err(err, &ty, spot), ty)
            }
            "map_err" => {
                let (pattern, body) = self.closure(&values[0], err, None)?;
                let ty = Ty::result(ok.clone(), self.ty(&body));
                let body = self.make(spot, ty.clone(), ExprKind::Variant(1, vec![body]));
                (self.kept_ok(ok, &ty, spot), (pattern, body), ty)
            }
            "and_then" => {
                let ty = Ty::result(self.infer.fresh(), err.clone());
                let case = self.sound_closure(&values[0], ok, &ty)?;
                (case, self.kept_err(err, &ty, spot), ty)
            }
            "or_else" => {
                let ty = Ty::result(ok.clone(), self.infer.fresh());
                let case = self.sound_closure(&values[0], err, &ty)?;
                (self.kept_ok(ok, &ty, spot), case, ty)
            }
            _ => return Some(self.unsupported_at(spot)),
        };
        Some(self.by_result(value, ok_case, err_case, ty, spot))
    }

    /// A closure whose body must have a type that is not known yet; `None` if it has none.
    pub(super) fn sound_closure(&mut self, closure: &ast::Expr, parameter: &Ty, result: &Ty) -> Option<Case> {
        let case = self.closure(closure, parameter, Some(result))?;
        (self.ty(&case.1) != Ty::Error).then_some(case)
    }

    fn kept_ok(&mut self, ok: &Ty, ty: &Ty, spot: Spot) -> Case {
        let (pattern, part) = self.part(ok, spot);
        (pattern, self.make(spot, ty.clone(), ExprKind::Variant(0, vec![part])))
    }

    fn kept_err(&mut self, err: &Ty, ty: &Ty, spot: Spot) -> Case {
        let (pattern, part) = self.part(err, spot);
        (pattern, self.make(spot, ty.clone(), ExprKind::Variant(1, vec![part])))
    }

    /// `match value { Ok(…) => …, Err(…) => … }`.
    pub(super) fn by_result(&mut self, value: Expr, ok: Case, err: Case, ty: Ty, spot: Spot) -> Expr {
        let arm = |(tag, (pattern, body)): (u32, Case)| Arm {
            pattern: Pattern::Variant(tag, vec![pattern]),
            guard: None,
            body,
        };
        let arms = [(0, ok), (1, err)].map(arm).into();
        self.make(spot, ty, ExprKind::Match(Box::new(value), arms))
    }
}
