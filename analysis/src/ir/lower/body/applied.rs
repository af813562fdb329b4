//! Functions and closures that are named: `let f = |x| …; f(1)`, and `map(f)`.
//!
//! A closure is written out where it is called, with the names of the place where it is defined. The borrow checker guarantees that what it
//! has captured does not change in between. Its parameters have one type for all calls.

use std::rc::Rc;

use super::{Binding, Body, Frame, call::is_result_variant};
use crate::{
    index::path_segments,
    ir::lower::{
        names::Namespace,
        names::ScopeId,
        spot::Spot,
        ty::{Con, Ty},
        types::{TypeInfoKind, language_con},
    },
    ir::{Argument, Expr, ExprKind, Pattern, Stmt},
    syntax::{AstNode, ast},
};

/// The maximum number of closures written out in one function.
const MOST_CALLS: u32 = 200;

/// A closure that is bound to a name.
pub(super) struct Closure {
    written: ast::ClosureExpr,
    parameters: Vec<Ty>,
    result: Ty,
    /// The names in scope, and the scope of items.
    scopes: Vec<Frame>,
    scope: ScopeId,
}

impl Body<'_> {
    /// `let name = |…| …;`: binds the closure.
    pub(super) fn bind_closure(&mut self, name: &str, written: ast::ClosureExpr) {
        let spot = self.spot(written.syntax());
        if written.move_token().is_some() || written.async_token().is_some() {
            self.unsupported(spot, "`move` on a closure", "leave it out, or write a function");
            self.bind(name, Binding::Fault);
            return;
        }
        let types: Vec<Option<ast::Type>> =
            written.param_list().into_iter().flat_map(|it| it.params()).map(|it| it.ty()).collect();
        let mut parameters = Vec::new();
        for ty in types {
            let ty = match ty {
                Some(ty) => self.written_type(&ty),
                None => self.infer.fresh(),
            };
            parameters.push(ty);
        }
        let result = match written.ret_type().and_then(|it| it.ty()) {
            Some(ty) => self.written_type(&ty),
            None => self.infer.fresh(),
        };
        let closure = Closure { written, parameters, result, scopes: self.scopes.clone(), scope: self.site.scope };
        self.bind(name, Binding::Closure(Rc::new(closure)));
    }

    /// The closure that a name refers to.
    pub(super) fn closure_named(&self, path: &[String]) -> Option<Rc<Closure>> {
        match path {
            [name] => match self.lookup(name)? {
                Binding::Closure(it) => Some(it),
                _ => None,
            },
            _ => None,
        }
    }

    /// `f(values)` of a closure that is bound to a name.
    pub(super) fn call_closure(&mut self, closure: &Closure, values: &[ast::Expr], spot: Spot) -> Expr {
        if values.len() != closure.parameters.len() {
            let message = format!("this closure takes {} arguments, found {}", closure.parameters.len(), values.len());
            return self.type_error(spot, message);
        }
        let values = values.iter().zip(&closure.parameters).map(|(it, ty)| self.check(it, ty)).collect();
        self.written_out(closure, values, spot)
    }

    fn written_out(&mut self, closure: &Closure, values: Vec<Expr>, spot: Spot) -> Expr {
        self.written_closures += 1;
        if self.written_closures > MOST_CALLS {
            return self.unsupported(spot, "so many calls of closures in one function", "write a function");
        }
        let mut statements = Vec::new();
        let mut arguments = Vec::new();
        for (value, ty) in values.into_iter().zip(&closure.parameters) {
            let value = self.coerce(value, ty);
            arguments.push(self.stored("argument", value, spot, &mut statements));
        }
        let scopes = std::mem::replace(&mut self.scopes, closure.scopes.clone());
        let scope = std::mem::replace(&mut self.site.scope, closure.scope);
        let loops = std::mem::take(&mut self.loops);
        self.closures += 1;
        let body = self.scoped(|this| {
            let parameters = closure.written.param_list().into_iter().flat_map(|it| it.params());
            for ((parameter, ty), value) in parameters.zip(&closure.parameters).zip(arguments) {
                let pattern = parameter.pat().map_or(Pattern::Wild, |it| this.irrefutable(&it, ty));
                statements.push(Stmt::Let(pattern, value));
            }
            this.required(closure.written.body(), spot, Some(&closure.result))
        });
        self.closures -= 1;
        self.loops = loops;
        self.site.scope = scope;
        self.scopes = scopes;
        let ty = self.ty(&body);
        self.make(spot, ty, ExprKind::Block(statements, Some(Box::new(body))))
    }

    /// A function that is named where a closure is expected, applied to values; `None` if it is none, which is reported.
    pub(super) fn applied_path(&mut self, function: &ast::Expr, mut values: Vec<Expr>) -> Option<Expr> {
        let spot = self.spot(function.syntax());
        let path = match function {
            ast::Expr::PathExpr(it) => it.path().as_ref().and_then(path_segments),
            _ => None,
        };
        let lowered = path.and_then(|path| {
            if let Some(closure) = self.closure_named(&path) {
                let fits = closure.parameters.len() == values.len();
                return fits.then(|| self.written_out(&closure, std::mem::take(&mut values), spot));
            }
            if let [value] = values.as_slice()
                && let Some(converted) = self.value_by_from(&path, value.clone(), spot)
            {
                return Some(converted);
            }
            match self.function_at(&path, spot) {
                Ok(Some(item)) => return self.call_with(item, std::mem::take(&mut values), spot),
                Ok(None) => {}
                Err(reported) => return Some(reported),
            }
            self.constructor(&path, std::mem::take(&mut values), spot)
        });
        if lowered.is_none() {
            self.unsupported(spot, "this function as a value", "write a closure: `|x| f(x)`");
        }
        lowered
    }

    fn call_with(&mut self, item: crate::ir::lower::declared::ItemRef, values: Vec<Expr>, spot: Spot) -> Option<Expr> {
        let signature = self.package.signature(item)?;
        let fits = signature.lower_parameter.is_none()
            && signature.parameters.len() == values.len()
            && signature.parameters.iter().all(|it| !it.inout);
        if !fits {
            return None;
        }
        let id = self.package.request(item)?;
        let values = values.into_iter().zip(&signature.parameters);
        let arguments = values.map(|(value, it)| Argument::Value(self.coerce(value, &it.ty))).collect();
        Some(self.make(spot, signature.result.clone(), ExprKind::Call(id, arguments)))
    }

    /// `Some`, `Ok`, `Err`, a variant or a struct, `T::from` of integers, `T::new` and `T::default`.
    fn constructor(&mut self, path: &[String], mut values: Vec<Expr>, spot: Spot) -> Option<Expr> {
        let known = self.package.language_path(self.site.scope, path, Namespace::Values);
        match (known, values.len()) {
            (Some((owner, name)), 1) if name == "Some" && owner.as_deref().is_none_or(|it| it == "Option") => {
                let value = values.remove(0);
                return Some(self.some_of(value, spot));
            }
            (Some((owner, name)), 1) if is_result_variant(owner.as_deref(), &name) => {
                return Some(self.result_of(values.remove(0), &name, spot));
            }
            (Some((Some(owner), name)), 0) if owner == "Default" && name == "default" => {
                let ty = self.infer.fresh();
                return Some(self.default_value(ty, spot));
            }
            (Some((Some(owner), name)), 0) if matches!(name.as_str(), "new" | "default") => {
                let (con, arity) = language_con(&owner)?;
                let has_new = matches!(con, Con::Map | Con::Total | Con::Set | Con::Seq | Con::Str);
                if name == "new" && !has_new {
                    return None;
                }
                let types = (0..arity).map(|_| self.infer.fresh()).collect();
                return Some(self.default_value(Ty::Con(con, types), spot));
            }
            (Some((Some(owner), name)), 1) if name == "from" => {
                let (con @ Con::Int { .. }, _) = language_con(&owner)? else { return None };
                return Some(self.widened(values.remove(0), Ty::Con(con, Vec::new()), spot));
            }
            (Some((Some(owner), name)), 1) if name == "try_from" => {
                let (con @ Con::Int { .. }, _) = language_con(&owner)? else { return None };
                return Some(self.tried_into(values.remove(0), Ty::Con(con, Vec::new()), spot));
            }
            _ => {}
        }
        let (ty, tag, fields) = match self.variant(path, spot) {
            Some((id, number, fields)) => (Ty::user(id), Some(number), fields),
            None => {
                let ty = self.type_at(path, spot)?;
                let Ty::Con(Con::User(id), _) = &ty else { return None };
                let TypeInfoKind::Struct(fields) = self.package.type_info(*id).kind.clone() else { return None };
                (ty, None, fields)
            }
        };
        if fields.len() != values.len() {
            return None;
        }
        let values = values.into_iter().zip(&fields).map(|(value, (_, ty))| self.coerce(value, ty)).collect();
        let kind = match tag {
            Some(tag) => ExprKind::Variant(tag, values),
            None => ExprKind::Tuple(values),
        };
        Some(self.make(spot, ty, kind))
    }
}
