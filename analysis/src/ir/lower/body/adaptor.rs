//! Methods of iterators, which are sequences here, and the closures that methods take.

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
    /// A closure without parameters: its body.
    pub(super) fn thunk(&mut self, closure: &ast::Expr, result: Option<&Ty>) -> Option<Expr> {
        let spot = self.spot(closure.syntax());
        let ast::Expr::ClosureExpr(closure) = closure else {
            let value = self.applied_path(closure, Vec::new())?;
            return Some(match result {
                Some(result) => self.coerce(value, result),
                None => value,
            });
        };
        if closure.param_list().is_some_and(|it| it.params().next().is_some()) {
            self.type_error(spot, "this closure takes no parameter");
            return None;
        }
        let loops = std::mem::take(&mut self.loops);
        self.closures += 1;
        let body = self.scoped(|this| this.closed(|it| it.required(closure.body(), spot, result)));
        self.closures -= 1;
        self.loops = loops;
        Some(body)
    }

    /// A closure of one parameter: its pattern and its body.
    pub(super) fn closure(
        &mut self,
        closure: &ast::Expr,
        parameter: &Ty,
        result: Option<&Ty>,
    ) -> Option<(Pattern, Expr)> {
        let spot = self.spot(closure.syntax());
        let ast::Expr::ClosureExpr(closure) = closure else {
            let (pattern, value) = self.part(parameter, spot);
            let value = self.applied_path(closure, vec![value])?;
            let value = match result {
                Some(result) => self.coerce(value, result),
                None => value,
            };
            return Some((pattern, value));
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
            let body = this.closed(|it| it.required(closure.body(), spot, result));
            (pattern, body)
        });
        self.closures -= 1;
        self.loops = loops;
        Some(lowered)
    }

    /// A closure of several parameters: their patterns and its body.
    pub(super) fn closure_of(
        &mut self,
        closure: &ast::Expr,
        types: &[Ty],
        result: Option<&Ty>,
    ) -> Option<(Vec<Pattern>, Expr)> {
        let spot = self.spot(closure.syntax());
        let ast::Expr::ClosureExpr(closure) = closure else {
            self.unsupported(spot, "a function as a value", "write a closure: `|x, y| f(x, y)`");
            return None;
        };
        let parameters: Vec<ast::Param> = closure.param_list().map(|it| it.params().collect()).unwrap_or_default();
        if parameters.len() != types.len() {
            self.type_error(spot, format!("this closure takes {} parameters", types.len()));
            return None;
        }
        let loops = std::mem::take(&mut self.loops);
        self.closures += 1;
        let lowered = self.scoped(|this| {
            let pattern = |(it, ty): (&ast::Param, &Ty)| it.pat().map_or(Pattern::Wild, |it| this.irrefutable(&it, ty));
            let patterns = parameters.iter().zip(types).map(pattern).collect();
            (patterns, this.closed(|it| it.required(closure.body(), spot, result)))
        });
        self.closures -= 1;
        self.loops = loops;
        Some(lowered)
    }

    /// `is_place`: the receiver is a variable, which `next` would change.
    pub(super) fn iterator_method(
        &mut self,
        call: &ast::MethodCallExpr,
        value: Expr,
        is_place: bool,
        name: &str,
        spot: Spot,
    ) -> Expr {
        let receiver = self.ty(&value);
        let (sequence, element) = self.sequence(value);
        let values = arguments(call);
        self.consumed_by(name, &sequence);
        match (name, values.as_slice()) {
            ("iter" | "into_iter" | "cloned" | "copied", []) => sequence,
            ("next", []) if !is_place => self.prim(spot, Ty::option(element), Prim::First, sequence),
            ("nth", [index]) if !is_place => {
                let index = self.check(index, &Ty::U64);
                self.make(spot, Ty::option(element), ExprKind::Prim(Prim::Get, vec![sequence, index]))
            }
            ("first" | "first_key_value", []) => self.prim(spot, Ty::option(element), Prim::First, sequence),
            ("last" | "last_key_value", []) => self.prim(spot, Ty::option(element), Prim::Last, sequence),
            ("rev", []) => self.prim(spot, Ty::seq(element), Prim::Rev, sequence),
            ("count", []) => self.prim(spot, Ty::U64, Prim::Len, sequence),
            ("max" | "min", []) if !self.is_integer(&element) => {
                let mut statements = Vec::new();
                match self.greatest(sequence, &element, name, spot, &mut statements) {
                    Some(found) => self.after(statements, found, spot),
                    None => self.unsupported_at(spot),
                }
            }
            ("max" | "min", []) => {
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
            _ => match self.iterator_loop(sequence, &element, name, &values, spot) {
                Some(value) => value,
                None => self.no_such_method(call, &receiver, name, spot),
            },
        }
    }

    fn prim(&mut self, spot: Spot, ty: Ty, prim: Prim, operand: Expr) -> Expr {
        self.make(spot, ty, ExprKind::Prim(prim, vec![operand]))
    }

    fn is_integer(&self, element: &Ty) -> bool {
        matches!(self.infer.shallow(element), Ty::Con(Con::Int { .. }, _) | Ty::Error)
            || self.infer.is_integer_variable(element)
    }

    pub(super) fn integer_element(&mut self, element: &Ty, spot: Spot) {
        if !self.is_integer(element) {
            let name = self.package.type_name_of(&self.infer.resolve(element));
            self.unsupported(
                spot,
                &format!("this on values of type `{name}`"),
                "only integers are added and multiplied",
            );
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
        let closure = self.in_adaptor(|this| this.closure(closure, element, result.as_ref()));
        let Some((pattern, body)) = closure else { return self.unsupported_at(spot) };
        if matches!(each, Each::Map | Each::Filter) {
            self.defer(&body);
        }
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
}
