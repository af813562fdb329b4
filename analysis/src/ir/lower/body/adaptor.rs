//! Methods that take closures: on iterators, which are sequences here, and on options, which are matched.

use super::{Body, expr::arguments};
use crate::ir::lower::spot::Spot;
use crate::{
    ir::lower::ty::{Con, Ty},
    ir::{Arm, Each, Expr, ExprKind, Pattern, Prim},
    syntax::{
        AstNode,
        ast::{self, HasGenericArgs},
    },
};

impl Body<'_> {
    /// A closure of one parameter: its pattern and its body.
    fn closure(&mut self, closure: &ast::Expr, parameter: &Ty, result: Option<&Ty>) -> Option<(Pattern, Expr)> {
        let spot = self.spot(closure.syntax());
        let ast::Expr::ClosureExpr(closure) = closure else {
            self.unsupported(spot, "a function as a value", "write a closure: `|x| f(x)`");
            return None;
        };
        let parameters: Vec<ast::Param> = closure.param_list().map(|it| it.params().collect()).unwrap_or_default();
        let [written] = parameters.as_slice() else {
            self.type_error(spot, "this closure takes one parameter");
            return None;
        };
        let loops = std::mem::take(&mut self.loops);
        self.closures += 1;
        let lowered = self.scoped(|this| {
            let pattern = written.pat().map_or(Pattern::Wild, |it| this.irrefutable(&it, parameter));
            let body = this.required(closure.body(), spot, result);
            (pattern, body)
        });
        self.closures -= 1;
        self.loops = loops;
        Some(lowered)
    }

    pub(super) fn iterator_method(&mut self, call: &ast::MethodCallExpr, value: Expr, name: &str, spot: Spot) -> Expr {
        let receiver = self.ty(&value);
        let (sequence, element) = self.sequence(value);
        let values = arguments(call);
        match (name, values.as_slice()) {
            ("iter" | "into_iter" | "cloned" | "copied", []) => sequence,
            ("rev", []) => self.prim(spot, Ty::seq(element), Prim::Rev, sequence),
            ("count", []) => self.prim(spot, Ty::U64, Prim::Len, sequence),
            ("max" | "min", []) => {
                self.integer_element(&element, spot);
                let prim = if name == "max" { Prim::MaxOf } else { Prim::MinOf };
                self.prim(spot, Ty::option(element), prim, sequence)
            }
            ("sum", []) => {
                self.integer_element(&element, spot);
                self.prim(spot, element, Prim::Sum, sequence)
            }
            ("collect", []) => self.collect(call, sequence, element, spot),
            ("filter_map", [closure]) => self.filter_map(sequence, &element, closure, spot),
            ("map" | "filter" | "all" | "any" | "find", [closure]) => {
                self.each(name, sequence, &element, closure, spot)
            }
            _ => self.no_such_method(call, &receiver, name, spot),
        }
    }

    fn prim(&mut self, spot: Spot, ty: Ty, prim: Prim, operand: Expr) -> Expr {
        self.make(spot, ty, ExprKind::Prim(prim, vec![operand]))
    }

    fn integer_element(&mut self, element: &Ty, spot: Spot) {
        let fits = matches!(self.infer.shallow(element), Ty::Con(Con::Int { .. }, _) | Ty::Error)
            || self.infer.is_integer_variable(element);
        if !fits {
            let name = self.package.type_name_of(&self.infer.resolve(element));
            self.unsupported(spot, &format!("this on values of type `{name}`"), "only integers are ordered and added");
        }
    }

    fn each(&mut self, name: &str, sequence: Expr, element: &Ty, closure: &ast::Expr, spot: Spot) -> Expr {
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
        let Some((pattern, body)) = closure else { return self.unsupported_at(spot) };
        let ty = match each {
            Each::Map => Ty::seq(self.ty(&body)),
            Each::Filter => Ty::seq(element.clone()),
            Each::All | Each::Any => Ty::BOOL,
            Each::Find => Ty::option(element.clone()),
        };
        self.make(spot, ty, ExprKind::Each(each, Box::new(sequence), pattern, Box::new(body)))
    }

    /// `filter_map(f)` is `map(f)`, followed by keeping and unwrapping each `Some`.
    fn filter_map(&mut self, sequence: Expr, element: &Ty, closure: &ast::Expr, spot: Spot) -> Expr {
        let options = self.each("map", sequence, element, closure, spot);
        let inner = self.infer.fresh();
        let option = Ty::option(inner.clone());
        let options = self.coerce(options, &Ty::seq(option.clone()));
        let keep = {
            let value = self.fresh_local("value", option.clone(), false);
            let read = self.read_local(value, spot);
            let (some, none) = (self.boolean(spot, true), self.boolean(spot, false));
            let is_some = self.by_case(read, Pattern::Wild, some, none, Ty::BOOL, spot);
            (Pattern::Bind(value), Box::new(is_some))
        };
        let kept =
            self.make(spot, Ty::seq(option.clone()), ExprKind::Each(Each::Filter, Box::new(options), keep.0, keep.1));
        let value = self.fresh_local("value", option, false);
        let read = self.read_local(value, spot);
        let found = self.fresh_local("found", inner.clone(), false);
        let body = self.read_local(found, spot);
        // Only `Some` is left, so one arm suffices.
        let pattern = Pattern::Variant(1, vec![Pattern::Bind(found)]);
        let arms = vec![Arm { pattern, guard: None, body }];
        let found = self.make(spot, inner.clone(), ExprKind::Match(Box::new(read), arms));
        self.make(
            spot,
            Ty::seq(inner),
            ExprKind::Each(Each::Map, Box::new(kept), Pattern::Bind(value), Box::new(found)),
        )
    }

    /// `collect()`: [`super::super::finish`] erases it if the collection is a sequence.
    fn collect(&mut self, call: &ast::MethodCallExpr, sequence: Expr, element: Ty, spot: Spot) -> Expr {
        let written = call.generic_arg_list().and_then(|it| it.generic_args().next());
        let ty = match written {
            Some(ast::GenericArg::TypeArg(it)) => it.ty().map_or(Ty::Error, |it| self.written_type(&it)),
            _ => self.infer.fresh(),
        };
        let collected = self.prim(spot, ty, Prim::ToSet, sequence);
        self.collected.push((collected.node, element));
        collected
    }

    pub(super) fn option_method(
        &mut self,
        call: &ast::MethodCallExpr,
        value: Expr,
        inner: &Ty,
        name: &str,
        spot: Spot,
    ) -> Expr {
        let values = arguments(call);
        match (name, values.as_slice()) {
            ("cloned" | "copied", []) => value,
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
                let none = self.make(spot, inner.clone(), ExprKind::Prim(Prim::Default, Vec::new()));
                self.unwrapped(value, inner, none, spot)
            }
            ("unwrap_or", [other]) => self.unwrap_or(value, inner, other, spot),
            ("map", [closure]) => {
                let Some((pattern, body)) = self.closure(closure, inner, None) else {
                    return self.unsupported_at(spot);
                };
                let ty = Ty::option(self.ty(&body));
                let some = self.make(spot, ty.clone(), ExprKind::Variant(1, vec![body]));
                let none = self.make(spot, ty.clone(), ExprKind::Variant(0, Vec::new()));
                self.by_case(value, pattern, some, none, ty, spot)
            }
            ("is_some_and", [closure]) => {
                let Some((pattern, body)) = self.closure(closure, inner, Some(&Ty::BOOL)) else {
                    return self.unsupported_at(spot);
                };
                let none = self.boolean(spot, false);
                self.by_case(value, pattern, body, none, Ty::BOOL, spot)
            }
            _ => self.no_such_method(call, &Ty::option(inner.clone()), name, spot),
        }
    }

    /// `match value { Some(pattern) => some, None => none }`.
    fn by_case(&mut self, value: Expr, pattern: Pattern, some: Expr, none: Expr, ty: Ty, spot: Spot) -> Expr {
        let arms = vec![
            Arm { pattern: Pattern::Variant(1, vec![pattern]), guard: None, body: some },
            Arm { pattern: Pattern::Variant(0, Vec::new()), guard: None, body: none },
        ];
        self.make(spot, ty, ExprKind::Match(Box::new(value), arms))
    }

    fn unwrapped(&mut self, value: Expr, inner: &Ty, none: Expr, spot: Spot) -> Expr {
        let local = self.fresh_local("value", inner.clone(), false);
        let some = self.read_local(local, spot);
        self.by_case(value, Pattern::Bind(local), some, none, inner.clone(), spot)
    }

    /// The default is evaluated whether or not it is needed, as in Rust.
    fn unwrap_or(&mut self, value: Expr, inner: &Ty, other: &ast::Expr, spot: Spot) -> Expr {
        let other = self.check(other, inner);
        let ty = Ty::tuple(vec![Ty::option(inner.clone()), inner.clone()]);
        let both = self.make(spot, ty, ExprKind::Tuple(vec![value, other]));
        let found = self.fresh_local("value", inner.clone(), false);
        let default = self.fresh_local("default", inner.clone(), false);
        let arms = vec![
            Arm {
                pattern: Pattern::Tuple(vec![Pattern::Variant(1, vec![Pattern::Bind(found)]), Pattern::Wild]),
                guard: None,
                body: self.read_local(found, spot),
            },
            Arm {
                pattern: Pattern::Tuple(vec![Pattern::Wild, Pattern::Bind(default)]),
                guard: None,
                body: self.read_local(default, spot),
            },
        ];
        self.make(spot, inner.clone(), ExprKind::Match(Box::new(both), arms))
    }
}
