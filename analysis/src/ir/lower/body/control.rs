//! Control flow: `if`, `match`, loops, and leaving them.

use super::{Body, LoopInfo, label::label_name, referent::Target};
use crate::ir::lower::spot::Spot;
use crate::{
    ir::lower::ty::{Con, Ty},
    ir::{Arm, Expr, ExprKind, LocalId, Pattern, Stmt},
    syntax::{
        AstNode,
        ast::{self, HasLoopBody},
    },
};

impl Body<'_> {
    /// Lowers one of several branches; its value, if it has one, is of type `ty`.
    fn branch(&mut self, branch: &ast::Expr, ty: &Ty) -> Expr {
        let value = self.expr(branch, Some(ty));
        self.coerce(value, ty)
    }

    /// The type of a choice between branches: the type of a branch that returns a value, if there is one.
    fn join(&self, branches: &[&Expr], ty: &Ty) -> Ty {
        if branches.iter().all(|it| self.ty(it).is_never()) { Ty::NEVER } else { ty.clone() }
    }

    fn expected_or_fresh(&mut self, expected: Option<&Ty>) -> Ty {
        match expected {
            Some(ty) if !ty.is_never() => ty.clone(),
            _ => self.infer.fresh(),
        }
    }

    pub(super) fn if_expr(&mut self, if_expr: &ast::IfExpr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(if_expr.syntax());
        let (Some(condition), Some(then)) = (if_expr.condition(), if_expr.then_branch()) else {
            return self.required(None, spot, None);
        };
        let otherwise = if_expr.else_branch();
        let ty = if otherwise.is_some() { self.expected_or_fresh(expected) } else { Ty::UNIT };
        let (conditions, then) = self.scoped(|this| {
            let conditions = this.conditions(&condition);
            let then = this.branch(&ast::Expr::BlockExpr(then), &ty);
            (conditions, then)
        });
        let otherwise = match otherwise {
            Some(ast::ElseBranch::Block(it)) => self.branch(&ast::Expr::BlockExpr(it), &ty),
            Some(ast::ElseBranch::IfExpr(it)) => self.branch(&ast::Expr::IfExpr(it), &ty),
            None => self.unit(spot),
        };
        let ty = self.join(&[&then, &otherwise], &ty);
        self.decide(conditions, then, otherwise, ty, spot)
    }

    pub(super) fn match_expr(&mut self, match_expr: &ast::MatchExpr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(match_expr.syntax());
        let Some(written) = match_expr.expr() else { return self.required(None, spot, None) };
        let (value, target) = self.scrutinee(&written);
        let scrutinee = self.ty(&value);
        let ty = self.expected_or_fresh(expected);
        let mut arms = Vec::new();
        for arm in match_expr.match_arm_list().into_iter().flat_map(|it| it.arms()) {
            let arm = self.scoped(|this| {
                let spot = this.spot(arm.syntax());
                let pattern = arm.pat().map_or(Pattern::Wild, |it| match &target {
                    Some(target) => this.target_pattern(&it, &scrutinee, target.clone()),
                    None => this.pattern(&it, &scrutinee),
                });
                let (pattern, guard) = this.guarded(pattern, &arm);
                let body = match arm.expr() {
                    Some(body) => this.branch(&body, &ty),
                    None => this.required(None, spot, None),
                };
                Arm { pattern, guard, body }
            });
            arms.push(arm);
        }
        let bodies: Vec<&Expr> = arms.iter().map(|it| &it.body).collect();
        let ty = self.join(&bodies, &ty);
        self.make(spot, ty, ExprKind::Match(Box::new(value), arms))
    }

    /// `let pattern = &mut place else { … };`: the names of the pattern refer to parts of the place.
    pub(super) fn let_else_at(
        &mut self,
        pattern: &ast::Pat,
        value: Expr,
        ty: &Ty,
        target: Target,
        otherwise: &ast::LetElse,
        statements: &mut Vec<Stmt>,
    ) {
        let spot = self.spot(pattern.syntax());
        let Some(otherwise) = self.leaving(otherwise, spot) else { return };
        let pattern = self.target_pattern(pattern, ty, target);
        let unit = self.unit(spot);
        let arms = vec![
            Arm { pattern, guard: None, body: unit },
            Arm { pattern: Pattern::Wild, guard: None, body: otherwise },
        ];
        let check = self.make(spot, Ty::UNIT, ExprKind::Match(Box::new(value), arms));
        statements.push(Stmt::Expr(check));
    }

    /// The block of `let … else`, which must leave; `None` if it does not, which is reported.
    fn leaving(&mut self, otherwise: &ast::LetElse, spot: Spot) -> Option<Expr> {
        let otherwise = match otherwise.block_expr() {
            Some(block) => self.block(&block, None),
            None => self.required(None, spot, None),
        };
        if !self.ty(&otherwise).is_never() && self.ty(&otherwise) != Ty::Error {
            self.type_error(spot, "the `else` of a `let` must leave: `return`, `break` or `continue`");
            return None;
        }
        Some(otherwise)
    }

    pub(super) fn guard(&mut self, guard: &ast::MatchGuard) -> Expr {
        let spot = self.spot(guard.syntax());
        self.required(guard.condition(), spot, Some(&Ty::BOOL))
    }

    /// `let pattern = value else { … };`: a match whose first arm gives the bound values.
    pub(super) fn let_else(
        &mut self,
        pattern: &ast::Pat,
        value: Expr,
        ty: &Ty,
        otherwise: &ast::LetElse,
        statements: &mut Vec<Stmt>,
    ) {
        let spot = self.spot(pattern.syntax());
        let Some(otherwise) = self.leaving(otherwise, spot) else { return };
        let pattern = self.scoped(|this| this.pattern(pattern, ty));
        let bound = bound_locals(&pattern);
        let reads: Vec<Expr> = bound.iter().map(|it| self.read_local(*it, spot)).collect();
        let types: Vec<Ty> = reads.iter().map(|it| self.ty(it)).collect();
        let values = Ty::tuple(types.clone());
        let found = self.make(spot, values.clone(), ExprKind::Tuple(reads));
        let arms = vec![
            Arm { pattern, guard: None, body: found },
            Arm { pattern: Pattern::Wild, guard: None, body: otherwise },
        ];
        let value = self.make(spot, values, ExprKind::Match(Box::new(value), arms));
        let mut outer = Vec::new();
        for (local, ty) in bound.into_iter().zip(types) {
            let (name, mutable) = (self.locals[local.0 as usize].name.clone(), self.locals[local.0 as usize].mutable);
            outer.push(Pattern::Bind(self.declare(&name, ty, mutable)));
        }
        statements.push(Stmt::Let(Pattern::Tuple(outer), value));
    }

    /// `value?`: the value of `Some` or `Ok`, or else `return None` or `return Err(error)`.
    pub(super) fn try_expr(&mut self, try_expr: &ast::TryExpr) -> Expr {
        let spot = self.spot(try_expr.syntax());
        let value = self.required(try_expr.expr(), spot, None);
        let (found, result) = (self.ty(&value), self.signature.result.clone());
        if found == Ty::Error {
            return self.unsupported_at(spot);
        }
        if self.closures > 0 {
            return self.unsupported(spot, "`?` in a closure", "use `match`, or write a function");
        }
        let (inner, error) = match (&found, &result) {
            (Ty::Con(Con::Option, inner), Ty::Con(Con::Option, _)) => (inner[0].clone(), None),
            (Ty::Con(Con::Result, parts), Ty::Con(Con::Result, to)) => (parts[0].clone(), Some((&parts[1], &to[1]))),
            _ => {
                let help = "`?` unwraps an `Option` in a function that returns an `Option`, and a `Result` in one that returns a `Result`";
                return self.unsupported(spot, "`?` in this place", help);
            }
        };
        if let Some((from, to)) = error {
            let (pattern, part) = self.part(from, spot);
            let part = if self.infer.unify(from, to) { Some(part) } else { self.error_of_question(part, to, spot) };
            let Some(part) = part else {
                let help = "convert the error first, `value.map_err(|it| …)?`, or write an `impl From` in this package";
                return self.unsupported(spot, "`?` on an error of another type", help);
            };
            let err = self.make(spot, result.clone(), ExprKind::Variant(1, vec![part]));
            let leave = self.make(spot, Ty::NEVER, ExprKind::Return(Some(Box::new(err))));
            let ok = self.part(&inner, spot);
            return self.by_result(value, ok, (pattern, leave), inner, spot);
        }
        let local = self.fresh_local("value", inner.clone(), false);
        let some = self.read_local(local, spot);
        let none = self.make(spot, result, ExprKind::Variant(0, Vec::new()));
        let leave = self.make(spot, Ty::NEVER, ExprKind::Return(Some(Box::new(none))));
        let arms = vec![
            Arm { pattern: Pattern::Variant(1, vec![Pattern::Bind(local)]), guard: None, body: some },
            Arm { pattern: Pattern::Variant(0, Vec::new()), guard: None, body: leave },
        ];
        self.make(spot, inner, ExprKind::Match(Box::new(value), arms))
    }

    pub(super) fn loop_body(
        &mut self,
        label: Option<ast::Label>,
        body: Option<ast::BlockExpr>,
        value: Option<Ty>,
        spot: Spot,
    ) -> (Expr, LoopInfo) {
        self.loops.push(LoopInfo { value, label: label_name(label), ..LoopInfo::default() });
        let body = match body {
            Some(body) => {
                let body = self.block(&body, Some(&Ty::UNIT));
                self.coerce(body, &Ty::UNIT)
            }
            None => self.required(None, spot, None),
        };
        // It was pushed above, and every pop has a push.
        let info = self.loops.pop().unwrap_or_default();
        (body, info)
    }

    pub(super) fn while_expr(&mut self, while_expr: &ast::WhileExpr) -> Expr {
        let spot = self.spot(while_expr.syntax());
        let Some(condition) = while_expr.condition() else { return self.required(None, spot, None) };
        let (conditions, body) = self.scoped(|this| {
            let conditions = this.conditions(&condition);
            let (body, info) = this.loop_body(while_expr.label(), while_expr.loop_body(), None, spot);
            (conditions, (body, info))
        });
        let (body, info) = body;
        let turns = match self.all_tests(conditions, spot) {
            Ok(test) => self.make(spot, Ty::UNIT, ExprKind::While(Box::new(test), Box::new(body))),
            Err(conditions) => {
                let leave = self.make(spot, Ty::NEVER, ExprKind::Break(None));
                let turn = self.decide(conditions, body, leave, Ty::UNIT, spot);
                self.make(spot, Ty::UNIT, ExprKind::Loop(Box::new(turn)))
            }
        };
        self.after_loop(turns, info, spot)
    }

    pub(super) fn loop_expr(&mut self, loop_expr: &ast::LoopExpr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(loop_expr.syntax());
        let ty = self.expected_or_fresh(expected);
        let (body, info) = self.loop_body(loop_expr.label(), loop_expr.loop_body(), Some(ty.clone()), spot);
        let ty = if info.broken { ty } else { Ty::NEVER };
        let turns = self.make(spot, ty, ExprKind::Loop(Box::new(body)));
        self.after_loop(turns, info, spot)
    }

    pub(super) fn for_expr(&mut self, for_expr: &ast::ForExpr) -> Expr {
        let spot = self.spot(for_expr.syntax());
        if let Some(iterable) = for_expr.iterable()
            && let Some(turns) = self.for_in_place(for_expr, &iterable, spot)
        {
            return turns;
        }
        let sequence = self.required(for_expr.iterable(), spot, None);
        let (sequence, element) = self.sequence(sequence);
        let (pattern, body) = self.scoped(|this| {
            let pattern = for_expr.pat().map_or(Pattern::Wild, |it| this.irrefutable(&it, &element));
            let body = this.loop_body(for_expr.label(), for_expr.loop_body(), None, spot);
            (pattern, body)
        });
        let (body, info) = body;
        self.consumed_by_loop(&sequence, &body);
        let turns = self.make(spot, Ty::UNIT, ExprKind::For(pattern, Box::new(sequence), Box::new(body)));
        self.after_loop(turns, info, spot)
    }

    /// Iterates a value: the sequence, and the type of its elements.
    pub(super) fn sequence(&mut self, value: Expr) -> (Expr, Ty) {
        let spot = self.spot_of(&value);
        match self.ty(&value) {
            Ty::Con(Con::Seq, types) => (value, types[0].clone()),
            Ty::Con(Con::Set, types) => {
                let ty = Ty::seq(types[0].clone());
                (self.make(spot, ty, ExprKind::Prim(crate::ir::Prim::Elems, vec![value])), types[0].clone())
            }
            Ty::Con(Con::Map, types) => {
                let element = Ty::tuple(types);
                let ty = Ty::seq(element.clone());
                (self.make(spot, ty, ExprKind::Prim(crate::ir::Prim::Elems, vec![value])), element)
            }
            Ty::Con(Con::Option, types) => {
                let ty = Ty::seq(types[0].clone());
                let (pattern, one) = self.part(&types[0], spot);
                let some = self.make(spot, ty.clone(), ExprKind::Prim(crate::ir::Prim::Elements, vec![one]));
                let none = self.make(spot, ty.clone(), ExprKind::Prim(crate::ir::Prim::Elements, Vec::new()));
                (self.by_case(value, pattern, some, none, ty, spot), types[0].clone())
            }
            Ty::Error => (value, Ty::Error),
            Ty::Var(_) => (self.type_error(spot, "the type of this value must be known here"), Ty::Error),
            other => {
                let name = self.package.type_name_of(&self.infer.resolve(&other));
                let what = format!("iterating over `{name}`");
                (self.unsupported(spot, &what, "iterate over a range, a `Seq`, a `Set` or a `Map`"), Ty::Error)
            }
        }
    }

    pub(super) fn return_expr(&mut self, return_expr: &ast::ReturnExpr) -> Expr {
        let spot = self.spot(return_expr.syntax());
        if self.closures > 0 {
            return self.unsupported(
                spot,
                "`return` in a closure",
                "make the value the last expression of the closure",
            );
        }
        let result = self.signature.result.clone();
        let value = return_expr.expr().map(|it| Box::new(self.check(&it, &result)));
        if value.is_none() && !self.infer.unify(&result, &Ty::UNIT) {
            self.mismatch(spot, &result, &Ty::UNIT);
        }
        self.make(spot, Ty::NEVER, ExprKind::Return(value))
    }
}

/// The locals that a pattern binds, each once, in order.
pub(super) fn bound_locals(pattern: &Pattern) -> Vec<LocalId> {
    match pattern {
        Pattern::Wild | Pattern::Literal(_) | Pattern::Range(..) => Vec::new(),
        Pattern::Bind(local) => vec![*local],
        Pattern::At(local, inner) => {
            let mut locals = bound_locals(inner);
            locals.insert(0, *local);
            locals
        }
        Pattern::Tuple(parts) | Pattern::Variant(_, parts) => parts.iter().flat_map(bound_locals).collect(),
        // All alternatives bind the same names.
        Pattern::Or(alternatives) => alternatives.first().map(bound_locals).unwrap_or_default(),
    }
}
