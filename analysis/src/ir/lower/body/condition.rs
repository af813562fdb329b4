//! Conditions of `if` and `while`: tests and `let`s joined by `&&`.

use super::{Body, control::bound_locals};
use crate::ir::lower::spot::Spot;
use crate::{
    ir::lower::ty::Ty,
    ir::{Arm, Expr, ExprKind, Pattern},
    syntax::{
        AstNode, ast,
        operators::{BinaryOp, LogicOp},
    },
};

/// One conjunct of a condition.
pub(super) enum Condition {
    Test(Expr),
    /// `let pattern = value`.
    Let(Pattern, Expr),
}

impl Body<'_> {
    /// The conjuncts, in order; names bound by `let`s are bound in the current scope.
    pub(super) fn conditions(&mut self, condition: &ast::Expr) -> Vec<Condition> {
        let mut conjuncts = Vec::new();
        flatten(condition, &mut conjuncts);
        conjuncts.iter().map(|it| self.condition(it)).collect()
    }

    fn condition(&mut self, conjunct: &ast::Expr) -> Condition {
        let ast::Expr::LetExpr(it) = conjunct else {
            return Condition::Test(self.check(conjunct, &Ty::BOOL));
        };
        let spot = self.spot(it.syntax());
        let Some(written) = it.expr() else { return Condition::Test(self.required(None, spot, Some(&Ty::BOOL))) };
        let (value, target) = self.scrutinee(&written);
        let ty = self.ty(&value);
        let pattern = it.pat().map_or(Pattern::Wild, |it| match target {
            Some(target) => self.target_pattern(&it, &ty, target),
            None => self.pattern(&it, &ty),
        });
        Condition::Let(pattern, value)
    }

    /// The conjunction, if there is no `let`.
    pub(super) fn all_tests(&mut self, conditions: Vec<Condition>, spot: Spot) -> Result<Expr, Vec<Condition>> {
        if conditions.iter().any(|it| matches!(it, Condition::Let(..))) {
            return Err(conditions);
        }
        let tests = conditions.into_iter().filter_map(|it| match it {
            Condition::Test(test) => Some(test),
            Condition::Let(..) => None,
        });
        let all = self.conjunction(tests.collect(), spot);
        Ok(all.unwrap_or_else(|| self.boolean(spot, true)))
    }

    fn conjunction(&mut self, tests: Vec<Expr>, spot: Spot) -> Option<Expr> {
        tests
            .into_iter()
            .reduce(|left, right| self.make(spot, Ty::BOOL, ExprKind::And(Box::new(left), Box::new(right))))
    }

    /// `if conditions { then } else { otherwise }`.
    pub(super) fn decide(
        &mut self,
        conditions: Vec<Condition>,
        then: Expr,
        otherwise: Expr,
        ty: Ty,
        spot: Spot,
    ) -> Expr {
        let conditions = match self.all_tests(conditions, spot) {
            Ok(test) => return self.make(spot, ty, ExprKind::If(Box::new(test), Box::new(then), Box::new(otherwise))),
            Err(conditions) => conditions,
        };
        let (pattern, value, guard) = self.one_match(conditions, spot);
        let arms =
            vec![Arm { pattern, guard, body: then }, Arm { pattern: Pattern::Wild, guard: None, body: otherwise }];
        self.make(spot, ty, ExprKind::Match(Box::new(value), arms))
    }

    /// Combines conditions with at least one `let` into one pattern, value and guard: the conditions before the last `let` become part of
    /// the value, an option that is `None` when one of them does not hold.
    fn one_match(&mut self, conditions: Vec<Condition>, spot: Spot) -> (Pattern, Expr, Option<Expr>) {
        let mut pending: Option<(Pattern, Expr)> = None;
        let mut tests: Vec<Expr> = Vec::new();
        for condition in conditions {
            match condition {
                Condition::Test(test) => tests.push(test),
                Condition::Let(pattern, value) => {
                    let tests = self.conjunction(std::mem::take(&mut tests), spot);
                    pending = Some(match (pending.take(), tests) {
                        (None, None) => (pattern, value),
                        (None, Some(test)) => self.value_if(test, pattern, value, spot),
                        (Some(before), guard) => {
                            self.alone(&before.0, guard.as_ref(), spot);
                            self.value_after(before, guard, pattern, value, spot)
                        }
                    });
                }
            }
        }
        let guard = self.conjunction(tests, spot);
        // The caller has checked that there is a `let`.
        let (pattern, value) = pending.unwrap_or_else(|| (Pattern::Wild, self.unsupported_at(spot)));
        self.alone(&pattern, guard.as_ref(), spot);
        (pattern, value, guard)
    }

    /// Refuses alternatives before another condition. That condition becomes a guard, and is tried with each alternative; in Rust only the
    /// first alternative that fits counts.
    fn alone(&mut self, pattern: &Pattern, guard: Option<&Expr>, spot: Spot) {
        if guard.is_some() && pattern.has_alternatives() {
            let help = "put the other condition into an `if` of its own";
            self.unsupported(spot, "a pattern with alternatives before `&&`", help);
        }
    }

    /// `test && let pattern = value`.
    fn value_if(&mut self, test: Expr, pattern: Pattern, value: Expr, spot: Spot) -> (Pattern, Expr) {
        let ty = Ty::option(self.ty(&value));
        let some = self.make(spot, ty.clone(), ExprKind::Variant(1, vec![value]));
        let none = self.make(spot, ty.clone(), ExprKind::Variant(0, Vec::new()));
        let value = self.make(spot, ty, ExprKind::If(Box::new(test), Box::new(some), Box::new(none)));
        (Pattern::Variant(1, vec![pattern]), value)
    }

    /// `let before && guard && let pattern = value`: names bound by `before` are passed on beside the value.
    fn value_after(
        &mut self,
        (before, first): (Pattern, Expr),
        guard: Option<Expr>,
        pattern: Pattern,
        value: Expr,
        spot: Spot,
    ) -> (Pattern, Expr) {
        let bound = bound_locals(&before);
        let mut parts: Vec<Expr> = bound.iter().map(|it| self.read_local(*it, spot)).collect();
        parts.push(value);
        let ty = Ty::tuple(parts.iter().map(|it| self.ty(it)).collect());
        let both = self.make(spot, ty.clone(), ExprKind::Tuple(parts));
        let option = Ty::option(ty);
        let some = self.make(spot, option.clone(), ExprKind::Variant(1, vec![both]));
        let none = self.make(spot, option.clone(), ExprKind::Variant(0, Vec::new()));
        let arms =
            vec![Arm { pattern: before, guard, body: some }, Arm { pattern: Pattern::Wild, guard: None, body: none }];
        let value = self.make(spot, option, ExprKind::Match(Box::new(first), arms));
        let mut patterns: Vec<Pattern> = bound.into_iter().map(Pattern::Bind).collect();
        patterns.push(pattern);
        (Pattern::Variant(1, vec![Pattern::Tuple(patterns)]), value)
    }
}

/// The operands of `&&`, without recursion into the left-leaning chain.
fn flatten(condition: &ast::Expr, conjuncts: &mut Vec<ast::Expr>) {
    let mut rights = Vec::new();
    let mut left = condition.clone();
    while let ast::Expr::BinExpr(it) = &left {
        let is_and = it.op_kind() == Some(BinaryOp::LogicOp(LogicOp::And));
        let (true, Some(lhs), Some(rhs)) = (is_and, it.lhs(), it.rhs()) else { break };
        rights.push(rhs);
        left = lhs;
    }
    conjuncts.push(left);
    conjuncts.extend(rights.into_iter().rev());
}
