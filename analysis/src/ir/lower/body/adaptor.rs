//! Methods that take closures: on iterators, which are sequences here, and on options, which are matched.

use super::{Body, expr::arguments};
use crate::{
    ir::lower::ty::{Con, Ty},
    ir::{Arm, Each, Expr, ExprKind, Pattern, Prim, Span},
    syntax::{
        AstNode,
        ast::{self, HasGenericArgs},
    },
};

impl Body<'_, '_> {
    /// A closure of one parameter: its pattern and its body.
    fn closure(&mut self, closure: &ast::Expr, parameter: &Ty, result: Option<&Ty>) -> Option<(Pattern, Expr)> {
        let span = self.span(closure.syntax());
        let ast::Expr::ClosureExpr(closure) = closure else {
            self.unsupported(span, "a function as a value", "write a closure: `|x| f(x)`");
            return None;
        };
        let parameters: Vec<ast::Param> = closure.param_list().map(|it| it.params().collect()).unwrap_or_default();
        let [written] = parameters.as_slice() else {
            self.type_error(span, "this closure takes one parameter");
            return None;
        };
        let loops = std::mem::take(&mut self.loops);
        self.closures += 1;
        let lowered = self.scoped(|this| {
            let pattern = written.pat().map_or(Pattern::Wild, |it| this.irrefutable(&it, parameter));
            let body = this.required(closure.body(), span, result);
            (pattern, body)
        });
        self.closures -= 1;
        self.loops = loops;
        Some(lowered)
    }

    pub(super) fn iterator_method(&mut self, call: &ast::MethodCallExpr, value: Expr, name: &str, span: Span) -> Expr {
        let receiver = self.ty(&value);
        let (sequence, element) = self.sequence(value);
        let values = arguments(call);
        match (name, values.as_slice()) {
            ("iter" | "into_iter" | "cloned" | "copied", []) => sequence,
            ("rev", []) => self.prim(span, Ty::seq(element), Prim::Rev, sequence),
            ("count", []) => self.prim(span, Ty::U64, Prim::Len, sequence),
            ("max" | "min", []) => {
                self.integer_element(&element, span);
                let prim = if name == "max" { Prim::MaxOf } else { Prim::MinOf };
                self.prim(span, Ty::option(element), prim, sequence)
            }
            ("sum", []) => {
                self.integer_element(&element, span);
                self.prim(span, element, Prim::Sum, sequence)
            }
            ("collect", []) => self.collect(call, sequence, element, span),
            ("filter_map", [closure]) => self.filter_map(sequence, &element, closure, span),
            ("map" | "filter" | "all" | "any" | "find", [closure]) => {
                self.each(name, sequence, &element, closure, span)
            }
            _ => self.no_such_method(call, &receiver, name, span),
        }
    }

    fn prim(&mut self, span: Span, ty: Ty, prim: Prim, operand: Expr) -> Expr {
        self.make(span, ty, ExprKind::Prim(prim, vec![operand]))
    }

    fn integer_element(&mut self, element: &Ty, span: Span) {
        let fits = matches!(self.infer.shallow(element), Ty::Con(Con::Int { .. }, _) | Ty::Error)
            || self.infer.is_integer_variable(element);
        if !fits {
            let name = self.package.type_name_of(&self.infer.resolve(element));
            self.unsupported(span, &format!("this on values of type `{name}`"), "only integers are ordered and added");
        }
    }

    fn each(&mut self, name: &str, sequence: Expr, element: &Ty, closure: &ast::Expr, span: Span) -> Expr {
        let (each, result) = match name {
            "map" => (Each::Map, None),
            "filter" => (Each::Filter, Some(Ty::BOOL)),
            "all" => (Each::All, Some(Ty::BOOL)),
            "any" => (Each::Any, Some(Ty::BOOL)),
            _ => (Each::Find, Some(Ty::BOOL)),
        };
        self.adaptors += 1;
        let closure = self.closure(closure, element, result.as_ref());
        self.adaptors -= 1;
        let Some((pattern, body)) = closure else { return self.unsupported_at(span) };
        let ty = match each {
            Each::Map => Ty::seq(self.ty(&body)),
            Each::Filter => Ty::seq(element.clone()),
            Each::All | Each::Any => Ty::BOOL,
            Each::Find => Ty::option(element.clone()),
        };
        self.make(span, ty, ExprKind::Each(each, Box::new(sequence), pattern, Box::new(body)))
    }

    /// `filter_map(f)` is `map(f)`, of which the `Some`s are kept and unwrapped.
    fn filter_map(&mut self, sequence: Expr, element: &Ty, closure: &ast::Expr, span: Span) -> Expr {
        let options = self.each("map", sequence, element, closure, span);
        let inner = self.infer.fresh();
        let option = Ty::option(inner.clone());
        let options = self.coerce(options, &Ty::seq(option.clone()));
        let keep = {
            let value = self.fresh_local("value", option.clone(), false);
            let read = self.read_local(value, span);
            let (some, none) = (self.boolean(span, true), self.boolean(span, false));
            let is_some = self.by_case(read, Pattern::Wild, some, none, Ty::BOOL, span);
            (Pattern::Bind(value), Box::new(is_some))
        };
        let kept =
            self.make(span, Ty::seq(option.clone()), ExprKind::Each(Each::Filter, Box::new(options), keep.0, keep.1));
        let value = self.fresh_local("value", option, false);
        let read = self.read_local(value, span);
        let found = self.fresh_local("found", inner.clone(), false);
        let body = self.read_local(found, span);
        // What is left is `Some`: nothing else has to be said.
        let pattern = Pattern::Variant(1, vec![Pattern::Bind(found)]);
        let arms = vec![Arm { pattern, guard: None, body }];
        let found = self.make(span, inner.clone(), ExprKind::Match(Box::new(read), arms));
        self.make(
            span,
            Ty::seq(inner),
            ExprKind::Each(Each::Map, Box::new(kept), Pattern::Bind(value), Box::new(found)),
        )
    }

    /// `collect()`: [`super::super::finish`] erases it if the collection turns out to be a sequence.
    fn collect(&mut self, call: &ast::MethodCallExpr, sequence: Expr, element: Ty, span: Span) -> Expr {
        let written = call.generic_arg_list().and_then(|it| it.generic_args().next());
        let ty = match written {
            Some(ast::GenericArg::TypeArg(it)) => it.ty().map_or(Ty::Error, |it| self.written_type(&it)),
            _ => self.infer.fresh(),
        };
        let collected = self.prim(span, ty, Prim::ToSet, sequence);
        self.collected.push((collected.node, element));
        collected
    }

    pub(super) fn option_method(
        &mut self,
        call: &ast::MethodCallExpr,
        value: Expr,
        inner: &Ty,
        name: &str,
        span: Span,
    ) -> Expr {
        let values = arguments(call);
        match (name, values.as_slice()) {
            ("cloned" | "copied", []) => value,
            ("is_some" | "is_none", []) => {
                let some = self.boolean(span, name == "is_some");
                let none = self.boolean(span, name == "is_none");
                self.by_case(value, Pattern::Wild, some, none, Ty::BOOL, span)
            }
            ("unwrap", []) | ("expect", [_]) => {
                let none = self.failure(span);
                self.unwrapped(value, inner, none, span)
            }
            ("unwrap_or_default", []) => {
                let none = self.make(span, inner.clone(), ExprKind::Prim(Prim::Default, Vec::new()));
                self.unwrapped(value, inner, none, span)
            }
            ("unwrap_or", [other]) => self.unwrap_or(value, inner, other, span),
            ("map", [closure]) => {
                let Some((pattern, body)) = self.closure(closure, inner, None) else {
                    return self.unsupported_at(span);
                };
                let ty = Ty::option(self.ty(&body));
                let some = self.make(span, ty.clone(), ExprKind::Variant(1, vec![body]));
                let none = self.make(span, ty.clone(), ExprKind::Variant(0, Vec::new()));
                self.by_case(value, pattern, some, none, ty, span)
            }
            ("is_some_and", [closure]) => {
                let Some((pattern, body)) = self.closure(closure, inner, Some(&Ty::BOOL)) else {
                    return self.unsupported_at(span);
                };
                let none = self.boolean(span, false);
                self.by_case(value, pattern, body, none, Ty::BOOL, span)
            }
            _ => self.no_such_method(call, &Ty::option(inner.clone()), name, span),
        }
    }

    /// `match value { Some(pattern) => some, None => none }`.
    fn by_case(&mut self, value: Expr, pattern: Pattern, some: Expr, none: Expr, ty: Ty, span: Span) -> Expr {
        let arms = vec![
            Arm { pattern: Pattern::Variant(1, vec![pattern]), guard: None, body: some },
            Arm { pattern: Pattern::Variant(0, Vec::new()), guard: None, body: none },
        ];
        self.make(span, ty, ExprKind::Match(Box::new(value), arms))
    }

    fn unwrapped(&mut self, value: Expr, inner: &Ty, none: Expr, span: Span) -> Expr {
        let local = self.fresh_local("value", inner.clone(), false);
        let some = self.read_local(local, span);
        self.by_case(value, Pattern::Bind(local), some, none, inner.clone(), span)
    }

    /// The default is evaluated whether it is needed or not, as in Rust.
    fn unwrap_or(&mut self, value: Expr, inner: &Ty, other: &ast::Expr, span: Span) -> Expr {
        let other = self.check(other, inner);
        let ty = Ty::tuple(vec![Ty::option(inner.clone()), inner.clone()]);
        let both = self.make(span, ty, ExprKind::Tuple(vec![value, other]));
        let found = self.fresh_local("value", inner.clone(), false);
        let default = self.fresh_local("default", inner.clone(), false);
        let arms = vec![
            Arm {
                pattern: Pattern::Tuple(vec![Pattern::Variant(1, vec![Pattern::Bind(found)]), Pattern::Wild]),
                guard: None,
                body: self.read_local(found, span),
            },
            Arm {
                pattern: Pattern::Tuple(vec![Pattern::Wild, Pattern::Bind(default)]),
                guard: None,
                body: self.read_local(default, span),
            },
        ];
        self.make(span, inner.clone(), ExprKind::Match(Box::new(both), arms))
    }
}
