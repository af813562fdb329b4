//! Macros: assertions and `matches!`.

use super::Body;
use crate::{
    diagnostics::codes,
    ir::lower::{report::error, ty::Ty},
    ir::{Arm, Expr, ExprKind, Pattern, Prim, Span},
    syntax::{self, AstNode, Fragment, ast},
};

impl Body<'_, '_> {
    pub(super) fn macro_expr(&mut self, macro_expr: &ast::MacroExpr) -> Expr {
        let span = self.span(macro_expr.syntax());
        let call = macro_expr.macro_call();
        let name = call.as_ref().and_then(|it| it.path()).and_then(|it| it.segment()).and_then(|it| it.name_ref());
        let (Some(name), Some(tree)) = (name, call.and_then(|it| it.token_tree())) else {
            return self.unsupported(span, "this macro", "write out what it stands for");
        };
        let name = name.text().to_string();
        match name.as_str() {
            "assert" => self.assert(&tree, span),
            "assert_eq" => self.assert_equal(&tree, Prim::Eq, span),
            "assert_ne" => self.assert_equal(&tree, Prim::Ne, span),
            "unreachable" | "panic" => self.failure(span),
            "matches" => self.matches(&tree, span),
            _ => {
                let help = match name.as_str() {
                    "vec" => "use `Seq::from([…])`",
                    "todo" | "unimplemented" => "use `unreachable!()`, which must never be reached",
                    "debug_assert" | "debug_assert_eq" => "use `assert!`",
                    "println" | "print" | "eprintln" | "dbg" => "use `emit(value)` for an event, or nothing",
                    _ => "write out what it stands for",
                };
                self.unsupported(span, &format!("the macro `{name}!`"), help)
            }
        }
    }

    /// `Assert(false)`: never returns.
    pub(super) fn failure(&mut self, span: Span) -> Expr {
        let never = self.boolean(span, false);
        self.make(span, Ty::NEVER, ExprKind::Assert(Box::new(never)))
    }

    fn malformed(&mut self, span: Span) -> Expr {
        self.package.report(error(codes::CS0101, span, "syntax error in the arguments of this macro"));
        self.unsupported_at(span)
    }

    /// Lowers a fragment with its offsets shifted to the file's.
    fn in_fragment<N, T>(&mut self, fragment: &Fragment<N>, lower: impl FnOnce(&mut Self, &N) -> T) -> T {
        let outer = self.site.shift;
        self.site.shift = outer + fragment.shift;
        let lowered = lower(self, &fragment.node);
        self.site.shift = outer;
        lowered
    }

    fn assert(&mut self, tree: &ast::TokenTree, span: Span) -> Expr {
        let Some(condition) = first_argument(tree) else { return self.malformed(span) };
        let condition = self.in_fragment(&condition, |this, it| this.check(it, &Ty::BOOL));
        self.make(span, Ty::UNIT, ExprKind::Assert(Box::new(condition)))
    }

    fn assert_equal(&mut self, tree: &ast::TokenTree, prim: Prim, span: Span) -> Expr {
        let arguments = syntax::parse_arguments(tree).unwrap_or_default();
        let [left, right, ..] = arguments.as_slice() else { return self.malformed(span) };
        let left = self.in_fragment(left, |this, it| this.expr(it, None));
        let ty = self.ty(&left);
        let right = self.in_fragment(right, |this, it| this.check(it, &ty));
        let condition = self.make(span, Ty::BOOL, ExprKind::Prim(prim, vec![left, right]));
        self.make(span, Ty::UNIT, ExprKind::Assert(Box::new(condition)))
    }

    fn matches(&mut self, tree: &ast::TokenTree, span: Span) -> Expr {
        let Some((value, arm)) = syntax::parse_matches(tree) else { return self.malformed(span) };
        let value = self.in_fragment(&value, |this, it| this.expr(it, None));
        let ty = self.ty(&value);
        let (pattern, guard) = self.scoped(|this| this.in_fragment(&arm, |this, it| this.arm_head(it, &ty)));
        let arms = vec![
            Arm { pattern, guard, body: self.boolean(span, true) },
            Arm { pattern: Pattern::Wild, guard: None, body: self.boolean(span, false) },
        ];
        self.make(span, Ty::BOOL, ExprKind::Match(Box::new(value), arms))
    }
}

fn first_argument(tree: &ast::TokenTree) -> Option<Fragment<ast::Expr>> {
    syntax::parse_arguments(tree)?.into_iter().next()
}
