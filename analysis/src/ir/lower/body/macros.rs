//! Macros: assertions, `matches!` and `format!`.

use super::{Binding, Body};
use crate::{
    diagnostics::codes,
    index::path_segments,
    ir::lower::{
        names::MacroMeaning,
        report::{DiagnosticExt, error},
        spot::Spot,
        ty::{Con, Ty},
    },
    ir::{Argument, Arm, Expr, ExprKind, Literal, Pattern, Place, Prim},
    syntax::{self, AstNode, Fragment, ast},
};

/// Standard macros that layers and procedures may use.
const IN_LAYERS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "format",
    "matches",
    "panic",
    "unreachable",
];

impl Body<'_> {
    pub(super) fn macro_expr(&mut self, macro_expr: &ast::MacroExpr) -> Expr {
        let spot = self.spot(macro_expr.syntax());
        let call = macro_expr.macro_call();
        let path = call.as_ref().and_then(|it| path_segments(&it.path()?));
        let (Some(path), Some(tree)) = (path, call.and_then(|it| it.token_tree())) else {
            return self.unsupported(spot, "this macro", "write out the code that it generates");
        };
        let orders = &self.package.files[self.site.file as usize].index.orders;
        let order = orders.get(self.site.declaration as usize).copied().unwrap_or_default();
        match self.package.names.macro_meaning((self.site.file, order), self.site.scope, &path) {
            MacroMeaning::Language(name) => self.language_macro(&name, &tree, spot),
            meaning => self.unknown_macro(&path, &meaning, spot),
        }
    }

    fn language_macro(&mut self, name: &str, tree: &ast::TokenTree, spot: Spot) -> Expr {
        match name {
            "assert" => self.assert(tree, spot),
            "assert_eq" => self.assert_equal(tree, Prim::Eq, spot),
            "assert_ne" => self.assert_equal(tree, Prim::Ne, spot),
            "debug_assert" | "debug_assert_eq" | "debug_assert_ne" => self.debug_assert(name, tree, spot),
            "unreachable" | "panic" => self.failure(spot),
            "matches" => self.matches(tree, spot),
            "format" => self.format(tree, spot),
            "cfg" => self.condition_of_cfg(tree, spot),
            _ => {
                let help = match name {
                    "vec" => "use `Seq::from([…])`",
                    "todo" | "unimplemented" => "use `unreachable!()`, which must never be reached",
                    "println" | "print" | "eprintln" | "dbg" => "use `emit(value)` for an event, or nothing",
                    _ => "write out the code that it generates",
                };
                self.unsupported(spot, &format!("the macro `{name}!`"), help)
            }
        }
    }

    /// Reports a macro that is not a standard one.
    fn unknown_macro(&mut self, path: &[String], meaning: &MacroMeaning, spot: Spot) -> Expr {
        let name = path.last().map_or("", String::as_str);
        let shown = path.join("::");
        let why = match meaning {
            MacroMeaning::Elsewhere(path) => format!("it is, or may be, `{path}` of another crate"),
            MacroMeaning::Unclear(why) => (*why).to_owned(),
            MacroMeaning::Package(_) | MacroMeaning::Language(_) => "it is a macro of this package".to_owned(),
        };
        let help = match meaning {
            MacroMeaning::Elsewhere(path) if path.ends_with("::*") && IN_LAYERS.contains(&name) => {
                format!("write `std::{name}!` if you mean the standard macro")
            }
            _ => "write out the code that it generates".to_owned(),
        };
        let message = format!("unknown macro `{shown}!`: {why}");
        self.package.report(error(codes::CS0106, spot, message).help(help));
        self.unsupported_at(spot)
    }

    /// The value of `cfg!(…)`, under the options that the file is read with.
    fn condition_of_cfg(&mut self, tree: &ast::TokenTree, spot: Spot) -> Expr {
        let text = tree.syntax().text().to_string();
        let inside = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        match self.package.crates.reading(self.site.file).cfg.holds(inside) {
            Ok(holds) => self.boolean(spot, holds),
            Err(unanswered) => {
                self.package.report(error(codes::CS0105, spot, unanswered.message).help(unanswered.help));
                self.unsupported_at(spot)
            }
        }
    }

    /// `Assert(false)`, which never returns.
    pub(super) fn failure(&mut self, spot: Spot) -> Expr {
        let never = self.boolean(spot, false);
        self.make(spot, Ty::NEVER, ExprKind::Assert(Box::new(never)))
    }

    fn malformed(&mut self, spot: Spot) -> Expr {
        self.package.report(error(codes::CS0101, spot, "syntax error in the arguments of this macro"));
        self.unsupported_at(spot)
    }

    /// Lowers a fragment with its offsets shifted to the file's.
    fn in_fragment<N: AstNode, T>(&mut self, fragment: &Fragment<N>, lower: impl FnOnce(&mut Self, &N) -> T) -> T {
        let outer = self.site.shift;
        self.site.shift = outer + fragment.shift;
        // The input of a macro is tokens, so code excluded by `#[cfg]` is still there.
        if let Some(attribute) = syntax::conditional(fragment.node.syntax()) {
            let spot = self.spot(&attribute);
            self.unsupported(spot, "`#[cfg]` in the input of a macro", "move it out of the macro");
        }
        let lowered = lower(self, &fragment.node);
        self.site.shift = outer;
        lowered
    }

    fn assert(&mut self, tree: &ast::TokenTree, spot: Spot) -> Expr {
        let Some(condition) = first_argument(tree) else { return self.malformed(spot) };
        let condition = self.in_fragment(&condition, |this, it| this.check(it, &Ty::BOOL));
        self.make(spot, Ty::UNIT, ExprKind::Assert(Box::new(condition)))
    }

    /// `debug_assert!` and its kin: the assertion if the option `debug_assertions` is set, else nothing. So that a release build behaves as
    /// the program that was checked, the condition may only compute a value.
    fn debug_assert(&mut self, name: &str, tree: &ast::TokenTree, spot: Spot) -> Expr {
        let first = self.locals.len() as u32;
        let assertion = match name {
            "debug_assert" => self.assert(tree, spot),
            "debug_assert_eq" => self.assert_equal(tree, Prim::Eq, spot),
            _ => self.assert_equal(tree, Prim::Ne, spot),
        };
        let mut changes = false;
        assertion.for_each_child(&mut |it| changes |= changes_more(it, first));
        if changes {
            let what = format!("`{name}!` with an effect");
            return self.unsupported(spot, &what, "a release build leaves it out: move the effect before it");
        }
        match self.package.crates.reading(self.site.file).cfg.holds("debug_assertions") {
            Ok(true) => assertion,
            Ok(false) => self.unit(spot),
            Err(unanswered) => {
                self.package.report(error(codes::CS0105, spot, unanswered.message).help(unanswered.help));
                self.unsupported_at(spot)
            }
        }
    }

    fn assert_equal(&mut self, tree: &ast::TokenTree, prim: Prim, spot: Spot) -> Expr {
        let arguments = syntax::parse_arguments(tree).unwrap_or_default();
        let [left, right, ..] = arguments.as_slice() else { return self.malformed(spot) };
        let left = self.in_fragment(left, |this, it| this.expr(it, None));
        let ty = self.ty(&left);
        let right = self.in_fragment(right, |this, it| this.check(it, &ty));
        let condition = self.make(spot, Ty::BOOL, ExprKind::Prim(prim, vec![left, right]));
        self.make(spot, Ty::UNIT, ExprKind::Assert(Box::new(condition)))
    }

    fn matches(&mut self, tree: &ast::TokenTree, spot: Spot) -> Expr {
        let Some((value, arm)) = syntax::parse_matches(tree) else { return self.malformed(spot) };
        let value = self.in_fragment(&value, |this, it| this.expr(it, None));
        let ty = self.ty(&value);
        let (pattern, guard) = self.scoped(|this| this.in_fragment(&arm, |this, it| this.arm_head(it, &ty)));
        let (yes, no) = (self.boolean(spot, true), self.boolean(spot, false));
        let arms = vec![Arm { pattern, guard, body: yes }, Arm { pattern: Pattern::Wild, guard: None, body: no }];
        self.make(spot, Ty::BOOL, ExprKind::Match(Box::new(value), arms))
    }
}

impl Body<'_> {
    /// `format!("…{}…{name}…", value)`: the pieces, one after the other.
    fn format(&mut self, tree: &ast::TokenTree, spot: Spot) -> Expr {
        let arguments = syntax::parse_arguments(tree).unwrap_or_default();
        let Some((template, values)) = arguments.split_first() else { return self.malformed(spot) };
        let ast::Expr::Literal(literal) = &template.node else { return self.malformed(spot) };
        let Some((Literal::Str(template), _)) = self.literal_value(literal, false) else {
            return self.malformed(spot);
        };
        let Some(pieces) = pieces(&template) else {
            return self.unsupported(spot, "this form of a hole in `format!`", "write `{}` or `{name}`");
        };
        let mut values = values.iter();
        let mut parts = Vec::new();
        for piece in pieces {
            let part = match piece {
                Piece::Text(text) => self.make(spot, Ty::STR, ExprKind::Literal(Literal::Str(text))),
                Piece::Named(name) => match self.lookup(&name) {
                    Some(Binding::Local(local)) => self.read_local(local, spot),
                    Some(Binding::Alias(place, ty)) => self.make(spot, ty, ExprKind::Read(place)),
                    _ => return self.unknown_name(spot, "name", &name, None),
                },
                Piece::Next => match values.next() {
                    Some(value) => self.in_fragment(value, |this, it| this.expr(it, None)),
                    None => return self.type_error(spot, "there are more holes than values"),
                },
            };
            parts.push(self.text(part, spot));
        }
        if values.next().is_some() {
            return self.type_error(spot, "there are more values than holes");
        }
        match parts.len() {
            0 => self.make(spot, Ty::STR, ExprKind::Literal(Literal::Str(String::new()))),
            1 => parts.remove(0),
            _ => self.make(spot, Ty::STR, ExprKind::Prim(Prim::Concat, parts)),
        }
    }

    /// The text of a value: `x.to_string()`, or a hole in `format!`.
    pub(super) fn text(&mut self, value: Expr, spot: Spot) -> Expr {
        let ty = self.ty(&value);
        match &ty {
            Ty::Error => value,
            _ if ty == Ty::STR => value,
            Ty::Con(Con::Int { .. } | Con::Pid, _) => self.make(spot, Ty::STR, ExprKind::Prim(Prim::Text, vec![value])),
            _ if self.infer.is_integer_variable(&ty) => {
                self.make(spot, Ty::STR, ExprKind::Prim(Prim::Text, vec![value]))
            }
            _ => {
                let name = self.package.type_name_of(&self.infer.resolve(&ty));
                let what = format!("the text of a value of type `{name}`");
                self.unsupported(spot, &what, "strings, integers and processes have one; write out its parts")
            }
        }
    }
}

/// Whether an expression may do more than compute a value with variables of its own, those from `first` on.
fn changes_more(expr: &Expr, first: u32) -> bool {
    let is_outer = |it: &Place| it.local.0 < first;
    let here = match &expr.kind {
        ExprKind::Assign(place, _) | ExprKind::Mutate(_, place, _) => is_outer(place),
        ExprKind::Call(_, arguments) => {
            arguments.iter().any(|it| matches!(it, Argument::InOut(place) if is_outer(place)))
        }
        ExprKind::Perform(..)
        | ExprKind::Return(_)
        | ExprKind::Maybe
        | ExprKind::Any
        | ExprKind::Choose(_)
        | ExprKind::When(_)
        | ExprKind::Emit(_)
        | ExprKind::External => true,
        _ => false,
    };
    let mut inside = here;
    expr.for_each_child(&mut |it| inside |= changes_more(it, first));
    inside
}

/// A piece of a `format!` template.
enum Piece {
    Text(String),
    /// A named hole `{name}`.
    Named(String),
    /// A positional hole `{}`.
    Next,
}

/// The pieces of a template; `None` if a hole has format options.
fn pieces(template: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template.chars();
    while let Some(next) = rest.next() {
        match next {
            '{' if rest.as_str().starts_with('{') => text.extend(rest.next()),
            '}' if rest.as_str().starts_with('}') => text.extend(rest.next()),
            '}' => return None,
            '{' => {
                let (name, after) = rest.as_str().split_once('}')?;
                let name = name.trim();
                rest = after.chars();
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                let is_name = name.starts_with(|it: char| it.is_alphabetic() || it == '_')
                    && name.chars().all(|it| it.is_alphanumeric() || it == '_');
                match name {
                    "" => pieces.push(Piece::Next),
                    _ if is_name => pieces.push(Piece::Named(name.to_owned())),
                    _ => return None,
                }
            }
            other => text.push(other),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Some(pieces)
}

fn first_argument(tree: &ast::TokenTree) -> Option<Fragment<ast::Expr>> {
    syntax::parse_arguments(tree)?.into_iter().next()
}
