//! References to places: what `&mut`, `get_mut`, `entry` and their patterns refer to.
//!
//! References are erased. A name that is bound to a `&mut` is another name for its place. The borrow checker guarantees that nobody
//! changes the place in another way while the name is used, so it does not matter that the name is looked up at each use.

use super::{Binding, Body, expr::arguments};
use crate::{
    ir::lower::{
        spot::Spot,
        ty::{Con, Ty},
    },
    ir::{Expr, ExprKind, LocalId, Pattern, Place, Prim, Projection, Stmt},
    syntax::{AstNode, ast, operators::UnaryOp},
};

/// What a pattern is matched with, if it is reached through a `&mut`.
#[derive(Clone)]
pub(super) enum Target {
    /// The value at this place.
    Place(Place),
    /// `Some` of the value at this place, or `None`: the result of `get_mut`.
    Inside(Place),
}

/// The methods that return a `&mut` in an option.
const FINDS: &[&str] = &["get_mut", "as_mut", "first_mut", "last_mut"];

impl Body<'_> {
    /// The value of an expression that a pattern is matched with, and its place if the pattern's names refer to it.
    pub(super) fn scrutinee(&mut self, expr: &ast::Expr) -> (Expr, Option<Target>) {
        let spot = self.spot(expr.syntax());
        let mut statements = Vec::new();
        if let Some((place, ty)) = self.mutable_place(expr, &mut statements) {
            if !self.changeable(&place, spot) {
                return (self.unsupported_at(spot), None);
            }
            let place = self.borrowed(place, &ty, spot, &mut statements);
            let value = self.make(spot, ty, ExprKind::Read(place.clone()));
            return (self.after(statements, value, spot), Some(Target::Place(place)));
        }
        if let Some((place, value)) = self.get_mut(expr, &mut statements) {
            return (self.after(statements, value, spot), Some(Target::Inside(place)));
        }
        (self.expr(expr, None), None)
    }

    /// `&mut place`, `place.as_mut()`, or a name that is a `&mut`: the place.
    fn mutable_place(&mut self, expr: &ast::Expr, statements: &mut Vec<Stmt>) -> Option<(Place, Ty)> {
        match expr {
            ast::Expr::MethodCallExpr(call) if call.name_ref()?.text() == "as_mut" && arguments(call).is_empty() => {
                let target = call.receiver()?;
                if !self.is_place(&target) {
                    return None;
                }
                let (place, ty) = self.place(&target)?;
                matches!(self.infer.shallow(&ty), Ty::Con(Con::Option | Con::Result, _)).then_some((place, ty))
            }
            ast::Expr::RefExpr(it) if it.mut_token().is_some() && !self.is_place(&it.expr()?) => {
                let inner = it.expr()?;
                self.referent(&inner, statements)
            }
            ast::Expr::MethodCallExpr(_) | ast::Expr::TryExpr(_) if self.is_referent(expr) => {
                self.referent(expr, statements)
            }
            _ => self.reborrowed(expr),
        }
    }

    /// `place.get_mut(&key)` of a map or a sequence: the entry, and the option of its value.
    fn get_mut(&mut self, expr: &ast::Expr, statements: &mut Vec<Stmt>) -> Option<(Place, Expr)> {
        let call = match expr {
            ast::Expr::ParenExpr(it) => return self.get_mut(&it.expr()?, statements),
            ast::Expr::MethodCallExpr(it) => it,
            _ => return None,
        };
        let name = call.name_ref()?.text().to_string();
        let values = arguments(call);
        let target = call.receiver()?;
        let fits = matches!((name.as_str(), values.len()), ("get_mut", 1) | ("first_mut" | "last_mut", 0));
        if !fits || !self.is_place(&target) {
            return None;
        }
        let spot = self.spot(call.syntax());
        let (place, ty) = self.place(&target)?;
        let (key, element) = match (self.infer.shallow(&ty), name.as_str()) {
            (Ty::Con(Con::Map, types), "get_mut") => (types[0].clone(), types[1].clone()),
            (Ty::Con(Con::Seq, types), _) => (Ty::U64, types[0].clone()),
            _ => return None,
        };
        if !self.changeable(&place, spot) {
            return None;
        }
        let place = self.borrowed(place, &ty, spot, statements);
        let read = self.make(spot, ty, ExprKind::Read(place.clone()));
        let key = match values.first() {
            Some(key_value) => self.check(key_value, &key),
            None if name == "first_mut" => self.make(spot, Ty::U64, ExprKind::Literal(crate::ir::Literal::Int(0))),
            None => {
                // Without an element, the index is that of none.
                let length = self.make(spot, Ty::U64, ExprKind::Prim(Prim::Len, vec![read.clone()]));
                let one = self.make(spot, Ty::U64, ExprKind::Literal(crate::ir::Literal::Int(1)));
                let back = Prim::Arith(crate::ir::Arith::Sub, crate::ir::Overflow::Wraps);
                self.make(spot, Ty::U64, ExprKind::Prim(back, vec![length, one]))
            }
        };
        let key = self.stored("index", key, spot, statements);
        let value = self.make(spot, Ty::option(element), ExprKind::Prim(Prim::Get, vec![read, key.clone()]));
        let mut inside = place;
        inside.path.push(Projection::Index(key));
        Some((inside, value))
    }

    /// Lowers a pattern whose names refer to parts of a place.
    pub(super) fn target_pattern(&mut self, pattern: &ast::Pat, ty: &Ty, target: Target) -> Pattern {
        let spot = self.spot(pattern.syntax());
        let lowered = self.pattern(pattern, ty);
        // Names below `&` are copies.
        let copies = pattern.syntax().descendants().any(|it| ast::RefPat::can_cast(it.kind()));
        if copies {
            return lowered;
        }
        match target {
            Target::Place(place) => self.aliased(lowered, &place, spot),
            Target::Inside(place) => match lowered {
                Pattern::Variant(1, mut parts) if parts.len() == 1 => {
                    let part = self.aliased(parts.remove(0), &place, spot);
                    Pattern::Variant(1, vec![part])
                }
                lowered @ (Pattern::Wild | Pattern::Variant(..)) => lowered,
                _ => {
                    self.unsupported(spot, "this pattern for the result of `get_mut`", "write `Some(name)` and `None`");
                    Pattern::Wild
                }
            },
        }
    }

    /// The pattern without names; each becomes another name for its part of the place.
    fn aliased(&mut self, pattern: Pattern, place: &Place, spot: Spot) -> Pattern {
        let part = |step: Projection| {
            let mut part = place.clone();
            part.path.push(step);
            part
        };
        match pattern {
            Pattern::Bind(local) => {
                self.alias_local(local, place.clone(), spot);
                Pattern::Wild
            }
            Pattern::At(local, inner) => {
                self.alias_local(local, place.clone(), spot);
                self.aliased(*inner, place, spot)
            }
            Pattern::Tuple(parts) => {
                let parts = (0..).zip(parts);
                Pattern::Tuple(parts.map(|(at, it)| self.aliased(it, &part(Projection::Field(at)), spot)).collect())
            }
            Pattern::Variant(tag, parts) => {
                let parts = (0..).zip(parts);
                let parts = parts.map(|(at, it)| self.aliased(it, &part(Projection::Payload(at)), spot)).collect();
                Pattern::Variant(tag, parts)
            }
            Pattern::Or(alternatives) => {
                if !super::control::bound_locals(&Pattern::Or(alternatives.clone())).is_empty() {
                    let help = "write one arm for each alternative";
                    self.unsupported(spot, "a choice of patterns that binds names by `&mut`", help);
                }
                Pattern::Or(alternatives)
            }
            other => other,
        }
    }

    fn alias_local(&mut self, local: LocalId, place: Place, spot: Spot) {
        let info = &self.locals[local.0 as usize];
        if info.mutable {
            self.unsupported(spot, "`mut` on a name that is bound by `&mut`", "leave out `mut`");
            return;
        }
        let (name, ty) = (info.name.clone(), info.ty.clone());
        self.bind(&name, Binding::Alias(place, ty));
    }

    /// Whether the expression is a place behind a method that returns a `&mut`: `*map.entry(key).or_insert(0)`.
    pub(super) fn is_referent(&self, expr: &ast::Expr) -> bool {
        let mut expr = Some(expr.clone());
        while let Some(it) = expr {
            expr = match it {
                ast::Expr::FieldExpr(it) => it.expr(),
                ast::Expr::IndexExpr(it) => it.base(),
                ast::Expr::ParenExpr(it) => it.expr(),
                ast::Expr::PrefixExpr(it) if it.op_kind() == Some(UnaryOp::Deref) => it.expr(),
                ast::Expr::RefExpr(it) if it.mut_token().is_some() => it.expr(),
                ast::Expr::MethodCallExpr(it) => return self.returns_reference(&it),
                ast::Expr::TryExpr(it) => return self.tries_reference(&it),
                _ => return false,
            };
        }
        false
    }

    /// Whether it is `place.get_mut(&key)?` or the like.
    fn tries_reference(&self, tried: &ast::TryExpr) -> bool {
        let Some(ast::Expr::MethodCallExpr(call)) = tried.expr() else { return false };
        let finds = call.name_ref().is_some_and(|it| FINDS.contains(&it.text().to_string().as_str()));
        finds && call.receiver().is_some_and(|it| self.is_place(&it))
    }

    /// Whether the name of a method, and of the one before it, say that the result is a `&mut`.
    pub(super) fn returns_reference(&self, call: &ast::MethodCallExpr) -> bool {
        let name = |it: &ast::MethodCallExpr| it.name_ref().map(|it| it.text().to_string()).unwrap_or_default();
        let inner = |it: &ast::MethodCallExpr| match it.receiver() {
            Some(ast::Expr::MethodCallExpr(inner)) => Some(inner),
            _ => None,
        };
        let is_at_place = |it: &ast::MethodCallExpr| it.receiver().is_some_and(|it| self.is_place(&it));
        if matches!(name(call).as_str(), "get_or_insert" | "get_or_insert_with") {
            return is_at_place(call);
        }
        let Some(mut before) = inner(call) else { return false };
        match name(call).as_str() {
            "unwrap" | "expect" => FINDS.contains(&name(&before).as_str()) && is_at_place(&before),
            "or_insert" | "or_insert_with" | "or_default" => {
                while name(&before) == "and_modify" {
                    let Some(earlier) = inner(&before) else { return false };
                    before = earlier;
                }
                name(&before) == "entry" && is_at_place(&before)
            }
            _ => false,
        }
    }

    /// Whether a `&mut` may be part of the value of the expression: a name of one, or a call that returns one, is mentioned as a whole.
    pub(super) fn holds_reference(&self, expr: &ast::Expr) -> bool {
        expr.syntax().descendants().filter_map(ast::Expr::cast).any(|it| {
            let is_reference = match &it {
                ast::Expr::PathExpr(_) => self.names_reference(&it),
                ast::Expr::MethodCallExpr(call) => self.returns_reference(call),
                ast::Expr::TryExpr(tried) => self.tries_reference(tried),
                _ => false,
            };
            let inside = it.syntax().parent().and_then(ast::Expr::cast);
            let is_looked_into = match &inside {
                Some(ast::Expr::FieldExpr(_) | ast::Expr::PrefixExpr(_) | ast::Expr::BinExpr(_)) => true,
                Some(ast::Expr::IndexExpr(of)) => of.base().as_ref() == Some(&it),
                Some(ast::Expr::MethodCallExpr(of)) => of.receiver().as_ref() == Some(&it),
                _ => false,
            };
            is_reference && !is_looked_into
        })
    }

    /// Lowers an expression for which [`Body::is_referent`] holds. The statements find or make the place; `None` if a step of it is
    /// invalid, which is reported.
    pub(super) fn referent(&mut self, expr: &ast::Expr, statements: &mut Vec<Stmt>) -> Option<(Place, Ty)> {
        match expr {
            ast::Expr::ParenExpr(it) => self.referent(&it.expr()?, statements),
            ast::Expr::PrefixExpr(it) if it.op_kind() == Some(UnaryOp::Deref) => self.referent(&it.expr()?, statements),
            ast::Expr::RefExpr(it) => self.referent(&it.expr()?, statements),
            ast::Expr::FieldExpr(it) => {
                let base = self.referent(&it.expr()?, statements)?;
                self.field_of(it, base)
            }
            ast::Expr::IndexExpr(it) => {
                let base = self.referent(&it.base()?, statements)?;
                let spot = self.spot(it.syntax());
                let (place, ty) = self.element_of(it, base)?;
                Some((self.pinned(place, spot, statements), ty))
            }
            ast::Expr::MethodCallExpr(call) => self.returned(call, statements),
            ast::Expr::TryExpr(tried) => self.tried(tried, statements),
            _ => None,
        }
    }

    /// The place that `get_mut(&key)?` finds, or else `return None`.
    fn tried(&mut self, tried: &ast::TryExpr, statements: &mut Vec<Stmt>) -> Option<(Place, Ty)> {
        let (before, spot) = (tried.expr()?, self.spot(tried.syntax()));
        let result = self.signature.result.clone();
        if self.closures > 0 || !matches!(result, Ty::Con(Con::Option, _)) {
            let help = "write `let Some(name) = … else { … }`";
            self.unsupported(spot, "`?` in this place", help);
            return None;
        }
        let none = self.make(spot, result, ExprKind::Variant(0, Vec::new()));
        let leave = self.make(spot, Ty::NEVER, ExprKind::Return(Some(Box::new(none))));
        self.found(&before, leave, spot, statements)
    }

    /// The place that a method returns a `&mut` to.
    fn returned(&mut self, call: &ast::MethodCallExpr, statements: &mut Vec<Stmt>) -> Option<(Place, Ty)> {
        let spot = self.spot(call.syntax());
        let name = call.name_ref()?.text().to_string();
        let before = call.receiver()?;
        if matches!(name.as_str(), "unwrap" | "expect") {
            let failure = self.failure(spot);
            return self.found(&before, failure, spot, statements);
        }
        if matches!(name.as_str(), "get_or_insert" | "get_or_insert_with") {
            return self.filled(call, &before, &name, statements);
        }
        self.entry(call, &name, statements)
    }

    /// `option.get_or_insert(value)` and `get_or_insert_with(|| value)`: the place in the option, which is filled if it is empty.
    fn filled(
        &mut self,
        call: &ast::MethodCallExpr,
        option: &ast::Expr,
        name: &str,
        statements: &mut Vec<Stmt>,
    ) -> Option<(Place, Ty)> {
        let spot = self.spot(call.syntax());
        let (place, ty) = self.place(option)?;
        let Ty::Con(Con::Option, types) = self.infer.shallow(&ty) else {
            self.unsupported(spot, &format!("`{name}` of this type"), "options have it");
            return None;
        };
        if !self.changeable(&place, spot) {
            return None;
        }
        let place = self.borrowed(place, &ty, spot, statements);
        let values = arguments(call);
        let [value] = values.as_slice() else {
            self.type_error(spot, format!("`{name}` takes 1 argument, found {}", values.len()));
            return None;
        };
        let new = if name == "get_or_insert" {
            let value = self.check(value, &types[0]);
            self.stored("value", value, spot, statements)
        } else {
            self.thunk(value, Some(&types[0]))?
        };
        let read = self.make(spot, ty, ExprKind::Read(place.clone()));
        let new = self.some_of(new, spot);
        let fill = self.make(spot, Ty::UNIT, ExprKind::Assign(place.clone(), Box::new(new)));
        let nothing = self.unit(spot);
        let fill = self.by_case(read, Pattern::Wild, nothing, fill, Ty::UNIT, spot);
        statements.push(Stmt::Expr(fill));
        let mut inside = place;
        inside.path.push(Projection::Payload(0));
        Some((inside, types[0].clone()))
    }

    /// The place that `get_mut` or the like finds; `otherwise` is evaluated if there is none.
    fn found(
        &mut self,
        before: &ast::Expr,
        otherwise: Expr,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Option<(Place, Ty)> {
        let (value, target) = self.scrutinee(before);
        let Some(target) = target else {
            self.unsupported(spot, "changing the value that this returns", "change the place itself");
            return None;
        };
        let ty = match self.ty(&value) {
            Ty::Con(Con::Option | Con::Result, types) => types[0].clone(),
            _ => return None,
        };
        let is_result = matches!(self.ty(&value), Ty::Con(Con::Result, _));
        let value = self.stored("found", value, spot, statements);
        let there = Pattern::Variant(u32::from(!is_result), vec![Pattern::Wild]);
        let unit = self.unit(spot);
        let arms = vec![
            crate::ir::Arm { pattern: there, guard: None, body: unit },
            crate::ir::Arm { pattern: Pattern::Wild, guard: None, body: otherwise },
        ];
        let check = self.make(spot, Ty::UNIT, ExprKind::Match(Box::new(value), arms));
        statements.push(Stmt::Expr(check));
        let place = match target {
            Target::Inside(place) => place,
            Target::Place(mut place) => {
                place.path.push(Projection::Payload(0));
                place
            }
        };
        Some((place, ty))
    }

    /// `map.entry(key).or_insert(value)`, with `and_modify` between them or not.
    fn entry(&mut self, call: &ast::MethodCallExpr, name: &str, statements: &mut Vec<Stmt>) -> Option<(Place, Ty)> {
        let spot = self.spot(call.syntax());
        let mut changes = Vec::new();
        let mut before = call.receiver()?;
        let (map, key) = loop {
            let ast::Expr::MethodCallExpr(it) = &before else { return None };
            let values = arguments(it);
            match (it.name_ref()?.text().to_string().as_str(), values.as_slice()) {
                ("entry", [key]) => break (it.receiver()?, key.clone()),
                ("and_modify", [ast::Expr::ClosureExpr(closure)]) => changes.push(closure.clone()),
                _ => {
                    self.unsupported(spot, "this use of `entry`", "write `map.entry(key).or_insert(value)`");
                    return None;
                }
            }
            before = it.receiver()?;
        };
        let (place, ty) = self.place(&map)?;
        let Ty::Con(Con::Map, types) = self.infer.shallow(&ty) else {
            self.unsupported(spot, "`entry` of this type", "maps have entries");
            return None;
        };
        if !self.changeable(&place, spot) {
            return None;
        }
        let place = self.borrowed(place, &ty, spot, statements);
        let key = self.check(&key, &types[0]);
        let key = self.stored("key", key, spot, statements);
        let mut entry = place.clone();
        entry.path.push(Projection::Index(key.clone()));
        let is_there = |this: &mut Self| {
            let read = this.make(spot, ty.clone(), ExprKind::Read(place.clone()));
            this.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Contains, vec![read, key.clone()]))
        };
        for change in changes.into_iter().rev() {
            let there = is_there(self);
            let body = self.applied(&change, entry.clone(), &types[1], spot)?;
            let otherwise = self.unit(spot);
            let change = ExprKind::If(Box::new(there), Box::new(body), Box::new(otherwise));
            statements.push(Stmt::Expr(self.make(spot, Ty::UNIT, change)));
        }
        let values = arguments(call);
        let new = match (name, values.as_slice()) {
            ("or_insert", [value]) => {
                let value = self.check(value, &types[1]);
                self.stored("value", value, spot, statements)
            }
            ("or_insert_with", [closure]) => self.thunk(closure, Some(&types[1]))?,
            ("or_default", []) => self.default_value(types[1].clone(), spot),
            _ => {
                self.type_error(spot, format!("`{name}` does not take {} arguments", values.len()));
                return None;
            }
        };
        let there = is_there(self);
        let insert = self.make(
            spot,
            Ty::UNIT,
            ExprKind::Mutate(crate::ir::Mutation::Insert, place.clone(), vec![key.clone(), new]),
        );
        let nothing = self.unit(spot);
        let fill = ExprKind::If(Box::new(there), Box::new(nothing), Box::new(insert));
        statements.push(Stmt::Expr(self.make(spot, Ty::UNIT, fill)));
        Some((entry, types[1].clone()))
    }

    /// The body of a closure whose parameter is a `&mut` to a place, as a statement.
    pub(super) fn applied(&mut self, closure: &ast::ClosureExpr, place: Place, ty: &Ty, spot: Spot) -> Option<Expr> {
        let parameter = closure.param_list().and_then(|it| it.params().next()).and_then(|it| it.pat());
        let Some(ast::Pat::IdentPat(name)) = parameter else {
            self.unsupported(spot, "this parameter of the closure", "write `|x| …`");
            return None;
        };
        let loops = std::mem::take(&mut self.loops);
        self.closures += 1;
        let body = self.scoped(|this| {
            this.bind(&super::pattern_name(&name), Binding::Alias(place, ty.clone()));
            this.required(closure.body(), spot, Some(&Ty::UNIT))
        });
        self.closures -= 1;
        self.loops = loops;
        Some(self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(body)], None)))
    }
}
