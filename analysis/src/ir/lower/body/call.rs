//! Calls: the vocabulary of layers, functions of the package, operations of the layer below.

use std::sync::Arc;

use super::{Binding, Body, expr::arguments};
use crate::{
    diagnostics::codes,
    index::path_segments,
    ir::lower::{
        declared::ItemRef,
        names::{Entry, Meaning, Namespace},
        report::{DiagnosticExt, did_you_mean, error},
        signature::Signature,
        spot::Spot,
        ty::{Con, Ty},
    },
    ir::{Argument, Expr, ExprKind, Prim, Stmt},
    syntax::{
        AstNode,
        ast::{self, HasArgList, HasGenericArgs},
    },
};

const VOCABULARY: &[&str] = &["maybe", "any", "choose", "repeat", "when", "emit", "external"];

/// Whether a name of the language is `Ok` or `Err`.
pub(super) fn is_result_variant(owner: Option<&str>, name: &str) -> bool {
    matches!(name, "Ok" | "Err") && owner.is_none_or(|it| it == "Result")
}

impl Body<'_> {
    pub(super) fn call(&mut self, call: &ast::CallExpr, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(call.syntax());
        let path = match call.expr() {
            Some(ast::Expr::PathExpr(it)) => it.path(),
            _ => None,
        };
        let Some(path) = path.as_ref().and_then(path_segments) else {
            return self.unsupported(spot, "calling this", "call functions and methods by name");
        };
        if let Some(closure) = self.closure_named(&path) {
            return self.call_closure(&closure, &arguments(call), spot);
        }
        if let [name] = path.as_slice()
            && matches!(self.lookup(name), Some(Binding::Fault))
        {
            return self.unsupported_at(spot);
        }
        if let Some(converted) = self.call_of_from(call, &path, spot) {
            return converted;
        }
        match self.function_at(&path, spot) {
            Ok(Some(item)) => return self.call_function(item, None, &arguments(call), spot),
            Ok(None) => {}
            Err(reported) => return reported,
        }
        let built = match self.package.language_path(self.site.scope, &path, Namespace::Values) {
            Some((None, name)) if VOCABULARY.contains(&name.as_str()) => return self.vocabulary(call, &name, spot),
            Some((owner, name)) if name == "Some" && owner.as_deref().is_none_or(|it| it == "Option") => {
                return self.some(call, expected, spot);
            }
            Some((owner, name)) if is_result_variant(owner.as_deref(), &name) => {
                return self.result_value(call, &name, expected, spot);
            }
            Some((Some(module), name)) if module == "mem" => return self.mem(call, &name, spot),
            Some((Some(module), name)) if module == "cmp" => return self.cmp(call, &name, spot),
            Some((Some(owner), name)) => self.language_function(call, &owner, &name, spot),
            _ => None,
        };
        let built = built.or_else(|| self.construct(&path, &arguments(call), spot));
        built.unwrap_or_else(|| self.unknown_function(&path, spot))
    }

    /// The function of the package that a path refers to. Reports an ambiguous path.
    pub(super) fn function_at(&mut self, path: &[String], spot: Spot) -> Result<Option<ItemRef>, Expr> {
        if let Some((owner, name)) = self.member(path) {
            let candidates = self.package.functions_of.get(&(owner, name.to_owned())).map(Vec::as_slice);
            return match self.best(candidates.unwrap_or_default()).as_slice() {
                [] => Ok(None),
                [only] => Ok(Some(*only)),
                [one, other, ..] => Err(self.several(name, spot, [one, other].map(|it| Entry::Function(*it)))),
            };
        }
        match self.package.names.meaning(self.site.scope, path, Namespace::Values) {
            Meaning::Item(Entry::Function(item)) => Ok(Some(item)),
            Meaning::Several(one, other) => Err(self.several(&path.join("::"), spot, [one, other])),
            _ => Ok(None),
        }
    }

    fn unknown_function(&mut self, path: &[String], spot: Spot) -> Expr {
        let full = path.join("::");
        let [owner @ .., name] = path else { return self.unsupported_at(spot) };
        if name == "default" && !owner.is_empty() {
            return match self.type_at(owner, spot) {
                Some(ty) => self.default_value(ty, spot),
                None => self.unsupported_at(spot),
            };
        }
        let help = match self.member(path) {
            Some((owner, name)) => {
                let known = self.package.functions_of.keys().filter(|(it, _)| *it == owner);
                did_you_mean(name, known.map(|(_, name)| name.as_str()))
            }
            None => {
                let vocabulary = VOCABULARY.iter().copied().filter(|_| owner.is_empty());
                self.package.advice(name, Namespace::Values, |it| matches!(it, Entry::Function(_)), vocabulary)
            }
        };
        self.unknown_name(spot, "function", &full, help)
    }

    fn some(&mut self, call: &ast::CallExpr, expected: Option<&Ty>, spot: Spot) -> Expr {
        let values = arguments(call);
        let [value] = values.as_slice() else { return self.type_error(spot, "`Some` takes one value") };
        let wanted = self.part_wanted(expected, Con::Option, 0);
        let value = self.expr(value, wanted.as_ref());
        let ty = Ty::option(self.ty(&value));
        self.make(spot, ty, ExprKind::Variant(1, vec![value]))
    }

    /// The type that is wanted of a part, if that of the whole is known.
    fn part_wanted(&self, expected: Option<&Ty>, con: Con, part: usize) -> Option<Ty> {
        match self.infer.shallow(expected?) {
            Ty::Con(it, types) if it == con => types.get(part).cloned(),
            _ => None,
        }
    }

    /// `std::cmp::max(a, b)` and `min`.
    fn cmp(&mut self, call: &ast::CallExpr, name: &str, spot: Spot) -> Expr {
        let values = arguments(call);
        let prim = match name {
            "max" => Prim::Max,
            "min" => Prim::Min,
            _ => return self.unsupported(spot, &format!("`cmp::{name}`"), "use `cmp::max` or `cmp::min`"),
        };
        let [left, right] = values.as_slice() else {
            return self.type_error(spot, format!("`{name}` takes 2 arguments, found {}", values.len()));
        };
        let left = self.expr(left, None);
        let ty = self.ty(&left);
        let right = self.check(right, &ty);
        if matches!(ty, Ty::Con(Con::Int { .. }, _) | Ty::Var(_) | Ty::Error) {
            let ty = self.integer_operand(&left, spot);
            return self.make(spot, ty, ExprKind::Prim(prim, vec![left, right]));
        }
        let mut statements = Vec::new();
        let left = self.stored("left", left, spot, &mut statements);
        let right = self.stored("right", right, spot, &mut statements);
        let chosen = self.of_two(name, left, right, spot);
        self.after(statements, chosen, spot)
    }

    /// `std::mem::take(&mut place)`, `replace`, and `swap`.
    fn mem(&mut self, call: &ast::CallExpr, name: &str, spot: Spot) -> Expr {
        let values = arguments(call);
        let mut statements = Vec::new();
        let mut places = Vec::new();
        let count = match name {
            "take" => 1,
            "replace" | "swap" => 2,
            _ => return self.unsupported(spot, &format!("`mem::{name}`"), "use `mem::take`, `replace` or `swap`"),
        };
        if values.len() != count {
            return self.type_error(spot, format!("`{name}` takes {count} arguments, found {}", values.len()));
        }
        for value in values.iter().take(if name == "swap" { 2 } else { 1 }) {
            let Some((place, ty)) = self.reborrowed(value) else {
                let spot = self.spot(value.syntax());
                return self.unsupported(spot, "this as a `&mut` argument", "pass `&mut place`");
            };
            if !self.changeable(&place, spot) {
                return self.unsupported_at(spot);
            }
            places.push((self.borrowed(place, &ty, spot, &mut statements), ty));
        }
        let Some((place, ty)) = places.pop() else { return self.unsupported_at(spot) };
        let new = match (name, places.pop()) {
            ("take", _) => self.default_value(ty.clone(), spot),
            ("swap", Some((other, of))) => {
                if !self.infer.unify(&of, &ty) {
                    self.mismatch(spot, &of, &ty);
                }
                let first = self.make(spot, of.clone(), ExprKind::Read(other.clone()));
                let first = self.stored("first", first, spot, &mut statements);
                let second = self.make(spot, ty.clone(), ExprKind::Read(place.clone()));
                let assign = self.make(spot, Ty::UNIT, ExprKind::Assign(other, Box::new(second)));
                let back = self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(first)));
                statements.extend([Stmt::Expr(assign), Stmt::Expr(back)]);
                return self.make(spot, Ty::UNIT, ExprKind::Block(statements, None));
            }
            _ => {
                let new = self.check(&values[1], &ty);
                self.stored("new", new, spot, &mut statements)
            }
        };
        self.swapped_in(place, &ty, new, statements, spot)
    }

    /// `Ok(value)` or `Err(error)`.
    fn result_value(&mut self, call: &ast::CallExpr, name: &str, expected: Option<&Ty>, spot: Spot) -> Expr {
        let values = arguments(call);
        let [value] = values.as_slice() else { return self.type_error(spot, format!("`{name}` takes one value")) };
        let wanted = self.part_wanted(expected, Con::Result, usize::from(name == "Err"));
        let value = self.expr(value, wanted.as_ref());
        self.result_of(value, name, spot)
    }

    pub(super) fn result_of(&mut self, value: Expr, name: &str, spot: Spot) -> Expr {
        let other = self.infer.fresh();
        let (tag, ty) = match name {
            "Ok" => (0, Ty::result(self.ty(&value), other)),
            _ => (1, Ty::result(other, self.ty(&value))),
        };
        self.make(spot, ty, ExprKind::Variant(tag, vec![value]))
    }

    /// `maybe()`, `when(…)` and the other functions of the language.
    fn vocabulary(&mut self, call: &ast::CallExpr, name: &str, spot: Spot) -> Expr {
        if self.adaptors > 0 {
            let what = format!("`{name}` in the closure of an iterator");
            return self.unsupported(spot, &what, "use a `for` loop");
        }
        let values = arguments(call);
        match (name, values.as_slice()) {
            ("maybe", []) => self.make(spot, Ty::BOOL, ExprKind::Maybe),
            ("any", []) => {
                let ty = self.turbofish(call);
                self.make(spot, ty, ExprKind::Any)
            }
            ("external", []) => {
                let ty = self.infer.fresh();
                self.make(spot, ty, ExprKind::External)
            }
            ("choose", [set]) => {
                let set = self.expr(set, None);
                let (sequence, element) = self.sequence(set);
                self.make(spot, element, ExprKind::Choose(Box::new(sequence)))
            }
            ("when", [condition]) => {
                let condition = self.check(condition, &Ty::BOOL);
                self.make(spot, Ty::UNIT, ExprKind::When(Box::new(condition)))
            }
            ("emit", [value]) => {
                let value = self.expr(value, None);
                self.make(spot, Ty::UNIT, ExprKind::Emit(Box::new(value)))
            }
            ("repeat", [place, ast::Expr::ClosureExpr(step)]) => self.repeat(place, step, spot),
            ("repeat", _) => self.unsupported(spot, "this form of `repeat`", "write `repeat(place, |s| step)`"),
            _ => self.type_error(spot, format!("`{name}` does not take {} arguments", values.len())),
        }
    }

    /// The type argument of `any::<T>()`.
    fn turbofish(&mut self, call: &ast::CallExpr) -> Ty {
        let segment = match call.expr() {
            Some(ast::Expr::PathExpr(it)) => it.path().and_then(|it| it.segment()),
            _ => None,
        };
        let written = segment.and_then(|it| it.generic_arg_list()).and_then(|it| it.generic_args().next());
        match written {
            Some(ast::GenericArg::TypeArg(it)) => it.ty().map_or(Ty::Error, |it| self.written_type(&it)),
            _ => self.infer.fresh(),
        }
    }

    /// `repeat(place, |s| step)` becomes `while maybe() { step }`, with `s` as another name for the place.
    fn repeat(&mut self, target: &ast::Expr, step: &ast::ClosureExpr, spot: Spot) -> Expr {
        let Some((place, ty)) = self.reborrowed(target) else {
            return self.unsupported(
                spot,
                "`repeat` on this",
                "name a place: `repeat(self, …)` or `repeat(&mut self.field, …)`",
            );
        };
        if !self.changeable(&place, spot) {
            return self.unsupported_at(spot);
        }
        let parameter = step.param_list().and_then(|it| it.params().next()).and_then(|it| it.pat());
        let name = match parameter {
            Some(ast::Pat::IdentPat(it)) => super::pattern_name(&it),
            Some(ast::Pat::WildcardPat(_)) => "_".to_owned(),
            _ => return self.unsupported(spot, "this parameter of the closure", "write `|s| step`"),
        };
        let mut statements = Vec::new();
        let place = self.borrowed(place, &ty, spot, &mut statements);
        let loops = std::mem::take(&mut self.loops);
        self.closures += 1;
        let body = self.scoped(|this| {
            this.bind(&name, Binding::Alias(place, ty));
            this.required(step.body(), spot, None)
        });
        self.closures -= 1;
        self.loops = loops;
        let maybe = self.make(spot, Ty::BOOL, ExprKind::Maybe);
        let body = self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(body)], None));
        let turns = self.make(spot, Ty::UNIT, ExprKind::While(Box::new(maybe), Box::new(body)));
        self.after(statements, turns, spot)
    }

    /// A call of a function of the package. A method's receiver is its first argument.
    pub(super) fn call_function(
        &mut self,
        item: ItemRef,
        receiver: Option<Argument>,
        values: &[ast::Expr],
        spot: Spot,
    ) -> Expr {
        let Some(signature) = self.package.signature(item) else { return self.unsupported_at(spot) };
        let id = self.package.request(item);
        let mut written = values.to_vec();
        if !self.check_lower(&signature, &mut written, spot) {
            return self.unsupported_at(spot);
        }
        let given = usize::from(receiver.is_some());
        if signature.parameters.len() != written.len() + given {
            let name = self.package.function_name(item);
            let message = format!(
                "`{name}` takes {} arguments, found {}",
                signature.parameters.len() - given.min(signature.parameters.len()),
                written.len()
            );
            return self.type_error(spot, message);
        }
        let mut arguments: Vec<Argument> = receiver.into_iter().collect();
        for (value, parameter) in written.iter().zip(&signature.parameters[given..]) {
            match self.argument(value, &parameter.ty, parameter.inout) {
                Some(argument) => arguments.push(argument),
                None => return self.unsupported_at(spot),
            }
        }
        match id {
            Some(id) => self.make(spot, signature.result.clone(), ExprKind::Call(id, arguments)),
            // The layer below was left out, which has a diagnostic.
            None => self.unsupported_at(spot),
        }
    }

    /// A function over a layer takes `lo`, which is not a value: removes it from the arguments.
    fn check_lower(&mut self, signature: &Signature, written: &mut Vec<ast::Expr>, spot: Spot) -> bool {
        let Some((_, number)) = &signature.lower_parameter else { return true };
        if self.adaptors > 0 {
            self.unsupported(spot, "an operation in the closure of an iterator", "use a `for` loop");
            return false;
        }
        let passes = written.get(*number).is_some_and(|it| self.is_lower(it));
        if !passes || signature.lower != self.signature.lower {
            let layer = signature.lower.map(|it| self.package.layer_name(it).to_owned()).unwrap_or_default();
            let message = format!(
                "this function runs over layer `{layer}`: pass it the `&mut impl {layer}` that this procedure has"
            );
            self.type_error(spot, message);
            return false;
        }
        written.remove(*number);
        true
    }

    /// Whether the expression is `lo`, however it is borrowed.
    pub(super) fn is_lower(&self, expr: &ast::Expr) -> bool {
        let mut expr = Some(expr.clone());
        while let Some(it) = expr {
            expr = match it {
                ast::Expr::PathExpr(it) => {
                    let path = it.path().as_ref().and_then(path_segments).unwrap_or_default();
                    return matches!(path.as_slice(), [name] if matches!(self.lookup(name), Some(Binding::Lower)));
                }
                ast::Expr::RefExpr(it) => it.expr(),
                ast::Expr::PrefixExpr(it) => it.expr(),
                ast::Expr::ParenExpr(it) => it.expr(),
                _ => return false,
            };
        }
        false
    }

    fn argument(&mut self, value: &ast::Expr, ty: &Ty, inout: bool) -> Option<Argument> {
        if !inout {
            return Some(Argument::Value(self.check(value, ty)));
        }
        let spot = self.spot(value.syntax());
        let Some((place, found)) = self.reborrowed(value) else {
            self.unsupported(spot, "this as a `&mut` argument", "pass `&mut place`");
            return None;
        };
        if !self.infer.unify(&found, ty) {
            self.mismatch(spot, ty, &found);
            return None;
        }
        self.changeable(&place, spot).then_some(Argument::InOut(place))
    }

    /// A call `lo.operation(arguments)` of an operation of the layer below.
    pub(super) fn perform(&mut self, call: &ast::MethodCallExpr, name: &str, spot: Spot) -> Expr {
        let Some(layer) = self.signature.lower else { return self.unsupported_at(spot) };
        if self.adaptors > 0 {
            return self.unsupported(spot, "an operation in the closure of an iterator", "use a `for` loop");
        }
        let signature = self.package.operation(layer, name).map(|it| Arc::clone(&it.signature));
        let Some(signature) = signature else {
            let info = &self.package.layers[layer];
            if !info.incomplete {
                let message = format!("layer `{}` has no operation `{name}`", info.name.text);
                let help = did_you_mean(name, info.operations.iter().map(|it| it.name.as_str()));
                let place = self.name_spot(call, spot);
                self.package.report(error(codes::CS0103, place, message).maybe_help(help));
            }
            return self.unsupported_at(spot);
        };
        let values: Vec<ast::Expr> = call.arg_list().map(|it| it.args().collect()).unwrap_or_default();
        let (types, result) = signature.shape();
        if types.len() != values.len() {
            let message = format!("operation `{name}` takes {} arguments, found {}", types.len(), values.len());
            return self.type_error(spot, message);
        }
        let values = values.iter().zip(types).map(|(value, ty)| self.check(value, ty)).collect();
        self.make(spot, result.clone(), ExprKind::Perform(name.to_owned(), values))
    }
}
