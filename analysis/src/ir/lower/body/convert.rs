//! Conversions: `From`, `Into`, `TryFrom` and `TryInto`, between integers and by an `impl From` of the package.

use super::{Body, expr::arguments};
use crate::{
    ir::lower::{
        declared::{ItemRef, Owner},
        names::Entry,
        spot::Spot,
        ty::{Con, Ty},
    },
    ir::{Argument, Expr, ExprKind, Literal, Prim, int::IntType},
    syntax::ast,
};

/// The range of an integer type.
pub(super) fn range(ty: &Ty) -> Option<IntType> {
    match ty {
        Ty::Con(Con::Int { bits, signed }, _) => Some(IntType { bits: *bits, signed: *signed }),
        _ => None,
    }
}

impl Body<'_> {
    /// `value.into()` or `value.try_into()`, where the type that is wanted must be known.
    pub(super) fn into(&mut self, value: Expr, name: &str, expected: Option<&Ty>, spot: Spot) -> Expr {
        let expected = expected.map(|it| self.infer.shallow(it));
        let target = match expected {
            Some(ty @ Ty::Con(..)) if name == "into" => Some(ty),
            Some(Ty::Con(Con::Result, types)) => Some(self.infer.shallow(&types[0])),
            Some(Ty::Error) => return self.unsupported_at(spot),
            _ => None,
        };
        let Some(target @ Ty::Con(..)) = target else {
            // A text becomes a text, or the types do not fit.
            if name == "into" && self.ty(&value) == Ty::STR {
                return value;
            }
            let other = if name == "into" { "from" } else { "try_from" };
            let help = format!("write `T::{other}(value)` with the type that you need");
            return self.unsupported(spot, &format!("`{name}` into a type that is not known here"), &help);
        };
        if name == "into" { self.converted(value, &target, spot) } else { self.tried_into(value, target, spot) }
    }

    /// `T::from(value)`.
    fn converted(&mut self, value: Expr, target: &Ty, spot: Spot) -> Expr {
        let from = self.ty(&value);
        if from == Ty::Error || *target == Ty::Error || from.is_never() {
            return value;
        }
        if self.infer.resolve(&from) == self.infer.resolve(target) && !matches!(from, Ty::Var(_)) {
            return value;
        }
        match self.impls_of_from(target, "from", &from).as_slice() {
            [] => {}
            [item] => return self.call_converter(*item, value, spot),
            [one, other, ..] => return self.several("from", spot, [one, other].map(|it| Entry::Function(*it))),
        }
        if range(target).is_some() {
            return self.widened(value, target.clone(), spot);
        }
        let (from, target) = (self.infer.resolve(&from), self.infer.resolve(target));
        let (from, target) = (self.package.type_name_of(&from), self.package.type_name_of(&target));
        let help = format!("write `impl From<{from}> for {target}` in this package, or a function");
        self.unsupported(spot, &format!("the conversion of `{from}` to `{target}`"), &help)
    }

    fn call_converter(&mut self, item: ItemRef, value: Expr, spot: Spot) -> Expr {
        match self.package.request(item).zip(self.package.signature(item)) {
            Some((id, signature)) => {
                let value = self.coerce(value, &signature.parameters[0].ty);
                self.make(spot, signature.result.clone(), ExprKind::Call(id, vec![Argument::Value(value)]))
            }
            None => self.unsupported_at(spot),
        }
    }

    /// The functions `from` or `try_from` that the package implements for a type, and that take a value of another one.
    fn impls_of_from(&self, target: &Ty, name: &str, from: &Ty) -> Vec<ItemRef> {
        let owners: Vec<Owner> = match target {
            Ty::Con(Con::User(id), _) => vec![Owner::Entry(Entry::Type(self.package.type_info(*id).item))],
            // Two names stand for one type here. If both have an `impl`, the call is ambiguous.
            Ty::Con(Con::Int { bits: 64, signed }, _) => {
                let names = if *signed { ["i64", "isize"] } else { ["u64", "usize"] };
                names.map(|it| Owner::Language(it.to_owned())).into()
            }
            Ty::Con(Con::Int { .. } | Con::Bool | Con::Str | Con::Pid, _) => {
                vec![Owner::Language(self.package.type_name_of(target))]
            }
            _ => Vec::new(),
        };
        let all = owners.into_iter().flat_map(|it| self.converters(&it, name));
        all.filter(|it| self.takes(*it, from)).collect()
    }

    /// The functions of an owner that implement `From` or `TryFrom`.
    fn converters(&self, owner: &Owner, name: &str) -> Vec<ItemRef> {
        let all = self.package.functions_of.get(&(owner.clone(), name.to_owned())).map_or(&[][..], Vec::as_slice);
        let is_converter = |it: &ItemRef| {
            let block = self.package.owner(*it).and_then(|it| it.trait_name.as_ref());
            block.is_some_and(|it| matches!(it.text.as_str(), "From" | "TryFrom"))
        };
        all.iter().copied().filter(is_converter).collect()
    }

    fn takes(&self, item: ItemRef, from: &Ty) -> bool {
        let Some(signature) = self.package.signature(item) else { return false };
        match signature.parameters.as_slice() {
            [only] if self.infer.is_integer_variable(from) => range(&only.ty).is_some(),
            [only] => only.ty == self.infer.resolve(from),
            _ => false,
        }
    }

    /// `T::from(value)` or `T::try_from(value)`, if the argument decides which of several functions it is; `None` if it is another call.
    pub(super) fn call_of_from(&mut self, call: &ast::CallExpr, path: &[String], spot: Spot) -> Option<Expr> {
        let (values, (owner, name)) = (arguments(call), self.member(path)?);
        let [value] = values.as_slice() else { return None };
        if !self.is_decided_by_argument(&owner, name) {
            return None;
        }
        let value = self.expr(value, None);
        self.value_by_from(path, value, spot)
    }

    fn is_decided_by_argument(&self, owner: &Owner, name: &str) -> bool {
        let all = self.package.functions_of.get(&(owner.clone(), name.to_owned())).map_or(0, Vec::len);
        let least = if matches!(owner, Owner::Language(_)) { 1 } else { 2 };
        matches!(name, "from" | "try_from") && all >= least && all == self.converters(owner, name).len()
    }

    /// `T::from` or `T::try_from`, applied to a value; `None` if it is another function.
    pub(super) fn value_by_from(&mut self, path: &[String], value: Expr, spot: Spot) -> Option<Expr> {
        let (owner, name) = self.member(path)?;
        if !self.is_decided_by_argument(&owner, name) {
            return None;
        }
        let from = self.ty(&value);
        let fitting: Vec<ItemRef> =
            self.converters(&owner, name).into_iter().filter(|it| self.takes(*it, &from)).collect();
        Some(match fitting.as_slice() {
            [] => {
                let ty = self.type_at(&path[..path.len() - 1], spot).or_else(|| match &owner {
                    Owner::Language(it) => {
                        crate::ir::lower::types::language_con(it).map(|it| Ty::Con(it.0, Vec::new()))
                    }
                    Owner::Entry(_) => None,
                })?;
                match name {
                    "from" => self.converted(value, &ty, spot),
                    _ => self.tried_into(value, ty, spot),
                }
            }
            [item] => self.call_converter(*item, value, spot),
            [one, other, ..] => self.several(name, spot, [one, other].map(|it| Entry::Function(*it))),
        })
    }

    /// `T::try_from(value)` of integers: `Err` if the value is out of the range of `T`.
    pub(super) fn tried_into(&mut self, value: Expr, target: Ty, spot: Spot) -> Expr {
        match self.impls_of_from(&target, "try_from", &self.ty(&value)).as_slice() {
            [] => {}
            [item] => return self.call_converter(*item, value, spot),
            [one, other, ..] => return self.several("try_from", spot, [one, other].map(|it| Entry::Function(*it))),
        }
        // Nothing else says which integer it is: then it is an `i32`, as in Rust.
        if self.infer.is_integer_variable(&self.ty(&value)) {
            self.infer.unify(&self.ty(&value), &Ty::int(32, true));
        }
        let from = self.ty(&value);
        let (Some(source), Some(wanted)) = (range(&from), range(&target)) else {
            if from == Ty::Error || target == Ty::Error {
                return self.unsupported_at(spot);
            }
            let (from, target) = (self.package.type_name_of(&from), self.package.type_name_of(&target));
            let what = format!("`try_from` of `{from}` to `{target}`");
            return self.unsupported(spot, &what, "integers are converted; or write a function");
        };
        let mut statements = Vec::new();
        let value = self.stored("value", value, spot, &mut statements);
        let mut fits = self.boolean(spot, true);
        let ends = [
            (source.min() < wanted.min(), Prim::Ge, wanted.min()),
            (source.max() > wanted.max(), Prim::Le, wanted.max()),
        ];
        for (_, prim, end) in ends.into_iter().filter(|it| it.0) {
            let end = self.make(spot, from.clone(), ExprKind::Literal(Literal::Int(end)));
            let within = self.make(spot, Ty::BOOL, ExprKind::Prim(prim, vec![value.clone(), end]));
            fits = match fits.kind {
                ExprKind::Literal(_) => within,
                _ => self.make(spot, Ty::BOOL, ExprKind::And(Box::new(fits), Box::new(within))),
            };
        }
        let ty = Ty::result(target.clone(), Ty::OUT_OF_RANGE);
        let cast = self.make(spot, target, ExprKind::Prim(Prim::Cast, vec![value]));
        let ok = self.make(spot, ty.clone(), ExprKind::Variant(0, vec![cast]));
        let error = self.make(spot, Ty::OUT_OF_RANGE, ExprKind::Tuple(Vec::new()));
        let err = self.make(spot, ty.clone(), ExprKind::Variant(1, vec![error]));
        let result = self.make(spot, ty, ExprKind::If(Box::new(fits), Box::new(ok), Box::new(err)));
        self.after(statements, result, spot)
    }

    /// The error that `?` returns: converted by `From` if the function has another error type. `None` if there is no such conversion.
    pub(super) fn error_of_question(&mut self, error: Expr, to: &Ty, spot: Spot) -> Option<Expr> {
        let from = self.ty(&error);
        match self.impls_of_from(to, "from", &from).as_slice() {
            [item] => Some(self.call_converter(*item, error, spot)),
            _ => None,
        }
    }
}
