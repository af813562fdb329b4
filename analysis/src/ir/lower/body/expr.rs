//! Expressions: the dispatch, and those too small for a module of their own.

use super::{Binding, Body, DEPTH};
use crate::{
    diagnostics::codes,
    ir::lower::{
        report::{DiagnosticExt, error},
        spot::Spot,
        ty::{Con, TOO_LARGE, Ty},
    },
    ir::{Expr, ExprKind, Literal, Prim, Stmt},
    syntax::{
        AstNode,
        ast::{self, HasArgList},
        operators::{RangeItem, RangeOp, UnaryOp},
    },
};

impl Body<'_> {
    /// Lowers an expression. `expected` only improves the places of type errors; the caller still has to [`Body::coerce`].
    pub(super) fn expr(&mut self, expr: &ast::Expr, expected: Option<&Ty>) -> Expr {
        if self.depth >= DEPTH {
            let spot = self.spot(expr.syntax());
            self.package
                .report(error(codes::CS0101, spot, "nested too deeply").help("give parts of it names with `let`"));
            return self.unsupported_at(spot);
        }
        self.depth += 1;
        let lowered = self.expr_of_kind(expr, expected);
        self.depth -= 1;
        lowered
    }

    /// Lowers an expression that must have type `expected`.
    pub(super) fn check(&mut self, expr: &ast::Expr, expected: &Ty) -> Expr {
        let lowered = self.expr(expr, Some(expected));
        self.coerce(lowered, expected)
    }

    /// A part of the tree that a syntax error has removed.
    pub(super) fn required(&mut self, expr: Option<ast::Expr>, spot: Spot, expected: Option<&Ty>) -> Expr {
        match (expr, expected) {
            (Some(expr), Some(expected)) => self.check(&expr, expected),
            (Some(expr), None) => self.expr(&expr, None),
            (None, _) => {
                self.package.report(error(codes::CS0101, spot, "syntax error: expected an expression"));
                self.unsupported_at(spot)
            }
        }
    }

    fn expr_of_kind(&mut self, expr: &ast::Expr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(expr.syntax());
        match expr {
            ast::Expr::Literal(it) => self.literal(it, false),
            ast::Expr::ParenExpr(it) => match it.expr() {
                Some(inner) => self.expr(&inner, expected),
                None => self.unsupported_at(spot),
            },
            ast::Expr::BlockExpr(it) => self.block(it, expected),
            ast::Expr::IfExpr(it) => self.if_expr(it, expected),
            ast::Expr::MatchExpr(it) => self.match_expr(it, expected),
            ast::Expr::WhileExpr(it) => self.while_expr(it),
            ast::Expr::LoopExpr(it) => self.loop_expr(it, expected),
            ast::Expr::ForExpr(it) => self.for_expr(it),
            ast::Expr::BreakExpr(it) => self.break_expr(it),
            ast::Expr::ContinueExpr(it) => self.continue_expr(it),
            ast::Expr::ReturnExpr(it) => self.return_expr(it),
            ast::Expr::BinExpr(it) => self.binary(it),
            ast::Expr::PrefixExpr(it) => self.prefix(it),
            ast::Expr::CastExpr(it) => self.cast(it),
            ast::Expr::PathExpr(_) | ast::Expr::FieldExpr(_) | ast::Expr::IndexExpr(_) => self.place_or_value(expr),
            ast::Expr::RefExpr(it) => self.reference(it, expected),
            ast::Expr::TupleExpr(it) => self.tuple(it, expected),
            ast::Expr::RecordExpr(it) => self.record(it),
            ast::Expr::CallExpr(it) => self.call(it, expected),
            ast::Expr::MethodCallExpr(it) => self.method_call(it, expected),
            ast::Expr::MacroExpr(it) => self.macro_expr(it),
            ast::Expr::RangeExpr(it) => self.range(it),
            ast::Expr::TryExpr(_) if self.is_referent(expr) => self.read_referent(expr),
            ast::Expr::TryExpr(it) => self.try_expr(it),
            ast::Expr::ArrayExpr(it) => self.array(it),
            other => self.unsupported_kind(other, spot),
        }
    }

    fn unsupported_kind(&mut self, expr: &ast::Expr, spot: Spot) -> Expr {
        let (what, help) = match expr {
            ast::Expr::ClosureExpr(_) => {
                ("a closure in this place", "bind it, `let f = |x| …;`, and call it, or write a function")
            }
            ast::Expr::AwaitExpr(_) => ("`await`", "an operation is one step; a procedure is a sequence of them"),
            ast::Expr::LetExpr(_) => ("`let` in this place", "use `if let` or `matches!`"),
            ast::Expr::UnderscoreExpr(_) => ("`_` as an expression", "use `any()` for any value"),
            _ => ("this expression", "see the executable subset in docs/language.md"),
        };
        self.unsupported(spot, what, help)
    }

    /// A literal, negated if it follows a minus.
    pub(super) fn literal(&mut self, literal: &ast::Literal, negated: bool) -> Expr {
        let spot = self.spot(literal.syntax());
        match self.literal_value(literal, negated) {
            Some((value, ty)) => self.make(spot, ty, ExprKind::Literal(value)),
            None => self.unsupported_at(spot),
        }
    }

    /// The value and type of a literal; `None` if it is invalid, which is reported.
    pub(super) fn literal_value(&mut self, literal: &ast::Literal, negated: bool) -> Option<(Literal, Ty)> {
        let spot = self.spot(literal.syntax());
        match literal.kind() {
            ast::LiteralKind::Bool(it) => Some((Literal::Bool(it), Ty::BOOL)),
            ast::LiteralKind::String(it) => match it.value() {
                Ok(value) => Some((Literal::Str(value.into_owned()), Ty::STR)),
                Err(_) => {
                    self.type_error(spot, "this string has an invalid escape");
                    None
                }
            },
            ast::LiteralKind::IntNumber(it) => self.integer(&it, negated, spot),
            _ => {
                self.unsupported(spot, "this kind of literal", "use integers, strings, `true` and `false`");
                None
            }
        }
    }

    fn integer(&mut self, number: &ast::IntNumber, negated: bool, spot: Spot) -> Option<(Literal, Ty)> {
        // No type has an integer of more than 64 bits.
        let magnitude = number.value().ok().filter(|it| *it <= u128::from(u64::MAX)).map(u128::cast_signed);
        let Some(value) = magnitude.map(|it| if negated { -it } else { it }) else {
            self.type_error(spot, "this integer does not fit into 64 bits");
            return None;
        };
        let ty = match number.suffix() {
            None => self.infer.fresh_integer(),
            Some(suffix) => match crate::ir::lower::types::language_con(suffix) {
                Some((con @ Con::Int { .. }, _)) => Ty::Con(con, Vec::new()),
                _ => {
                    self.unsupported(
                        spot,
                        &format!("a literal of type `{suffix}`"),
                        "use an integer of at most 64 bits",
                    );
                    return None;
                }
            },
        };
        Some((Literal::Int(value), ty))
    }

    /// `&x` is `x`. `&mut` is supported only in calls, `let` and `repeat`.
    fn reference(&mut self, reference: &ast::RefExpr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(reference.syntax());
        if reference.mut_token().is_some() {
            return self.unsupported(
                spot,
                "`&mut` in this place",
                "pass it as an argument, or bind it with `let name = &mut place;`",
            );
        }
        match reference.expr() {
            Some(inner) => self.expr(&inner, expected),
            None => self.required(None, spot, None),
        }
    }

    fn tuple(&mut self, tuple: &ast::TupleExpr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(tuple.syntax());
        let hints = match expected.map(|it| self.infer.shallow(it)) {
            Some(Ty::Con(Con::Tuple, hints)) => hints,
            _ => Vec::new(),
        };
        let mut elements = Vec::new();
        for (number, field) in tuple.fields().enumerate() {
            let element = match hints.get(number) {
                Some(hint) => self.check(&field, hint),
                None => self.expr(&field, None),
            };
            elements.push(element);
        }
        let ty = Ty::tuple(elements.iter().map(|it| self.ty(it)).collect());
        if self.infer.is_too_large(&ty) {
            return self.type_error(spot, TOO_LARGE);
        }
        self.make(spot, ty, ExprKind::Tuple(elements))
    }

    /// `a..b` as a sequence.
    fn range(&mut self, range: &ast::RangeExpr) -> Expr {
        let spot = self.spot(range.syntax());
        let (Some(start), Some(end)) = (range.start(), range.end()) else {
            return self.unsupported(spot, "a range without both ends", "write `a..b`");
        };
        let ty = self.infer.fresh_integer();
        let start = self.check(&start, &ty);
        let end = self.check(&end, &ty);
        let is_inclusive = matches!(range.op_kind(), Some(RangeOp::Inclusive));
        let prim = if is_inclusive { Prim::RangeInclusive } else { Prim::Range };
        self.make(spot, Ty::seq(ty), ExprKind::Prim(prim, vec![start, end]))
    }

    fn array(&mut self, array: &ast::ArrayExpr) -> Expr {
        let spot = self.spot(array.syntax());
        let ast::ArrayExprKind::ElementList(elements) = array.kind() else {
            return self.unsupported(spot, "an array of repeated elements", "write the elements out");
        };
        let ty = self.infer.fresh();
        let elements = elements.map(|it| self.check(&it, &ty)).collect();
        self.make(spot, Ty::seq(ty), ExprKind::Prim(Prim::Elements, elements))
    }

    fn cast(&mut self, cast: &ast::CastExpr) -> Expr {
        let spot = self.spot(cast.syntax());
        let value = self.required(cast.expr(), spot, None);
        let Some(target) = cast.ty().map(|it| self.written_type(&it)) else { return self.unsupported_at(spot) };
        let from = self.ty(&value);
        // As in Rust, a literal has the type that it is cast to. Any other integer of an unknown type may still be `i32`.
        if self.infer.is_integer_variable(&from) && cast.expr().is_some_and(|it| is_literal(&it)) {
            self.infer.unify(&from, &target);
        }
        let from = self.ty(&value);
        let is_integer = |it: &Ty| matches!(it, Ty::Error | Ty::Con(Con::Int { .. }, _));
        let from_integer = is_integer(&from) || self.infer.is_integer_variable(&from);
        if !(from_integer || from == Ty::BOOL) || !is_integer(&target) {
            return self.unsupported(
                spot,
                "`as` between these types",
                "`as` converts between integers, and from `bool`",
            );
        }
        self.make(spot, target, ExprKind::Prim(Prim::Cast, vec![value]))
    }

    /// `{ … }`, in a scope of its own.
    pub(super) fn block(&mut self, block: &ast::BlockExpr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(block.syntax());
        if let Some(label) = block.label() {
            return self.labelled_block(block, label, expected);
        }
        if block.modifier().is_some() {
            return self.unsupported(spot, "a block with a keyword", "use a plain block");
        }
        let (statements, value, ty) = self.statements(block, expected);
        self.make(spot, ty, ExprKind::Block(statements, value.map(Box::new)))
    }

    /// The statements of a block, its value, and its type.
    pub(super) fn statements(
        &mut self,
        block: &ast::BlockExpr,
        expected: Option<&Ty>,
    ) -> (Vec<Stmt>, Option<Expr>, Ty) {
        self.in_block(block, |this| {
            let mut statements = Vec::new();
            for statement in block.statements() {
                this.closed(|it| it.statement(&statement, &mut statements));
            }
            let value = block.tail_expr().map(|it| this.expr(&it, expected));
            let ends = |it: &Stmt| match it {
                Stmt::Let(_, value) | Stmt::Expr(value) => this.ty(value).is_never(),
            };
            let ty = match &value {
                _ if statements.iter().any(ends) => Ty::NEVER,
                Some(value) => this.ty(value),
                None => Ty::UNIT,
            };
            (statements, value, ty)
        })
    }

    fn statement(&mut self, statement: &ast::Stmt, statements: &mut Vec<Stmt>) {
        match statement {
            ast::Stmt::LetStmt(it) => self.let_statement(it, statements),
            ast::Stmt::ExprStmt(it) => {
                let spot = self.spot(it.syntax());
                self.discarded = it.expr().filter(|_| it.semicolon_token().is_some()).map(|it| it.syntax().clone());
                let value = self.required(it.expr(), spot, None);
                statements.push(Stmt::Expr(value));
            }
            // Items are lowered when they are used.
            ast::Stmt::Item(_) => {}
        }
    }

    fn let_statement(&mut self, statement: &ast::LetStmt, statements: &mut Vec<Stmt>) {
        let spot = self.spot(statement.syntax());
        let Some(pattern) = statement.pat() else { return };
        let ty = match statement.ty() {
            // `let x: &mut T = …`: `reborrowed` handles the reference.
            Some(ast::Type::RefType(it)) if it.mut_token().is_some() => it.ty(),
            other => other,
        };
        let ty = match ty {
            Some(ty) => self.written_type(&ty),
            None => self.infer.fresh(),
        };
        let Some(initializer) = statement.initializer() else {
            if let ast::Pat::IdentPat(it) = &pattern {
                // It is assigned once, later.
                self.declare(&super::pattern_name(it), ty, true);
            }
            return;
        };
        if let (Some(place), ast::Pat::IdentPat(name)) = (self.reborrowed(&initializer), &pattern) {
            let (place, found) = place;
            if !self.infer.unify(&ty, &found) {
                self.mismatch(spot, &ty, &found);
            }
            let place = self.borrowed(place, &found, spot, statements);
            self.bind(&super::pattern_name(name), Binding::Alias(place, found));
            return;
        }
        if let (ast::Pat::IdentPat(name), ast::Expr::ClosureExpr(closure)) = (&pattern, &initializer) {
            self.bind_closure(&super::pattern_name(name), closure.clone());
            return;
        }
        let is_reference =
            matches!(initializer, ast::Expr::MethodCallExpr(_) | ast::Expr::RefExpr(_) | ast::Expr::TryExpr(_));
        if let ast::Pat::IdentPat(name) = &pattern
            && is_reference
            && self.is_referent(&initializer)
        {
            let Some((place, found)) = self.referent(&initializer, statements) else { return };
            if !self.infer.unify(&ty, &found) {
                self.mismatch(spot, &ty, &found);
            }
            self.bind(&super::pattern_name(name), Binding::Alias(place, found));
            return;
        }
        if let Some(otherwise) = statement.let_else() {
            let (value, target) = self.scrutinee(&initializer);
            let value = self.coerce(value, &ty);
            return match target {
                Some(target) => self.let_else_at(&pattern, value, &ty, target, &otherwise, statements),
                None => self.let_else(&pattern, value, &ty, &otherwise, statements),
            };
        }
        if !matches!(pattern, ast::Pat::IdentPat(_) | ast::Pat::WildcardPat(_)) {
            let (value, target) = self.scrutinee(&initializer);
            let value = self.coerce(value, &ty);
            let pattern = match target {
                Some(target) => {
                    let lowered = self.target_pattern(&pattern, &ty, target);
                    self.must_fit(lowered, &pattern, &ty)
                }
                None => self.irrefutable(&pattern, &ty),
            };
            statements.push(Stmt::Let(pattern, value));
            return;
        }
        let unused = matches!(pattern, ast::Pat::WildcardPat(_)) && statement.ty().is_none();
        self.discarded = unused.then(|| initializer.syntax().clone());
        let value = self.expr(&initializer, Some(&ty));
        let value = self.coerce(value, &ty);
        let pattern = self.irrefutable(&pattern, &ty);
        statements.push(Stmt::Let(pattern, value));
    }
}

impl Body<'_> {
    /// Whether nothing uses the value of the expression: a statement `expression;`.
    pub(super) fn is_discarded(&self, expr: &impl AstNode) -> bool {
        self.discarded.as_ref() == Some(expr.syntax())
    }
}

/// Whether an expression is a literal, however it is negated or wrapped in parentheses.
fn is_literal(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::Literal(_) => true,
        ast::Expr::ParenExpr(it) => it.expr().is_some_and(|it| is_literal(&it)),
        ast::Expr::PrefixExpr(it) => {
            it.op_kind() != Some(UnaryOp::Deref) && it.expr().is_some_and(|it| is_literal(&it))
        }
        _ => false,
    }
}

/// The arguments of a call as written.
pub(super) fn arguments(call: &impl HasArgList) -> Vec<ast::Expr> {
    call.arg_list().map(|it| it.args().collect()).unwrap_or_default()
}
