//! Methods of collections and iterators that are written out as loops, so that the engine needs no notion of them.

use super::{Binding, Body, expr::arguments, method::Receiver};
use crate::{
    ir::lower::{
        spot::Spot,
        ty::{Con, Ty},
    },
    ir::{Arith, Each, Expr, ExprKind, Literal, LocalId, Mutation, Overflow, Pattern, Place, Prim, Projection, Stmt},
    syntax::ast::{self, HasLoopBody},
};

impl Body<'_> {
    /// A method that changes a collection and is written out; gives the receiver back if it is none.
    pub(super) fn collection_change(
        &mut self,
        call: &ast::MethodCallExpr,
        receiver: Receiver,
        ty: &Ty,
        name: &str,
        spot: Spot,
    ) -> Result<Expr, Box<Receiver>> {
        let values = arguments(call);
        let Ty::Con(con, types) = ty else { return Err(Box::new(receiver)) };
        let is_known = match (con, name) {
            (Con::Seq | Con::Set, "retain" | "extend") | (Con::Map, "retain" | "extend") => values.len() == 1,
            (Con::Set | Con::Map, "pop_first" | "pop_last") => values.is_empty(),
            (Con::Seq, "reverse") => values.is_empty(),
            (Con::Seq, "push_front" | "remove" | "truncate") => values.len() == 1,
            (Con::Seq, "insert" | "swap") => values.len() == 2,
            _ => false,
        };
        if !is_known {
            return Err(Box::new(receiver));
        }
        let mut statements = Vec::new();
        let Some(place) = self.changed(receiver, spot, &mut statements) else { return Ok(self.unsupported_at(spot)) };
        let place = self.borrowed(place, ty, spot, &mut statements);
        let value = match name {
            "retain" => self.retain(&values[0], &place, ty, spot, &mut statements),
            "extend" => self.extend(&values[0], &place, ty, spot, &mut statements),
            "pop_first" | "pop_last" => Some(self.pop_end(name, &place, ty, spot, &mut statements)),
            "push_front" => {
                let new = self.check(&values[0], &types[0]);
                self.push_front(new, &place, ty, spot, &mut statements)
            }
            "remove" => {
                let index = self.check(&values[0], &Ty::U64);
                Some(self.remove_at(index, &place, ty, spot, &mut statements))
            }
            "insert" => Some(self.insert_at(&values, &place, ty, spot, &mut statements)),
            "truncate" => Some(self.truncate(&values[0], &place, ty, spot, &mut statements)),
            "reverse" => {
                let old = self.read_place(&place, ty, spot);
                let new = self.make(spot, ty.clone(), ExprKind::Prim(Prim::Rev, vec![old]));
                statements.push(self.assign_to(&place, new, spot));
                Some(self.unit(spot))
            }
            _ => Some(self.swap_elements(&values, &place, &types[0], spot, &mut statements)),
        };
        let Some(value) = value else { return Ok(self.unsupported_at(spot)) };
        let ty = self.ty(&value);
        Ok(self.make(spot, ty, ExprKind::Block(statements, Some(Box::new(value)))))
    }

    fn read_place(&mut self, place: &Place, ty: &Ty, spot: Spot) -> Expr {
        self.make(spot, ty.clone(), ExprKind::Read(place.clone()))
    }

    fn assign_to(&mut self, place: &Place, value: Expr, spot: Spot) -> Stmt {
        Stmt::Expr(self.make(spot, Ty::UNIT, ExprKind::Assign(place.clone(), Box::new(value))))
    }

    /// `place.retain(|element| …)`; of a map, `|key, value|`.
    fn retain(
        &mut self,
        closure: &ast::Expr,
        place: &Place,
        ty: &Ty,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let all = self.read_place(place, ty, spot);
        let (all, element) = self.sequence(all);
        self.adaptors += 1;
        let closure = match (&element, ty) {
            (Ty::Con(_, types), Ty::Con(Con::Map, _)) => self
                .closure_of(closure, &types.clone(), Some(&Ty::BOOL))
                .map(|(patterns, body)| (Pattern::Tuple(patterns), body)),
            _ => self.closure(closure, &element, Some(&Ty::BOOL)),
        };
        self.adaptors -= 1;
        let (pattern, keeps) = closure?;
        let each = ExprKind::Each(Each::Filter, Box::new(all), pattern, Box::new(keeps));
        let kept = self.make(spot, Ty::seq(element), each);
        let kept = match ty {
            Ty::Con(Con::Seq, _) => kept,
            // It becomes `ToMap` for a map.
            _ => self.make(spot, ty.clone(), ExprKind::Prim(Prim::ToSet, vec![kept])),
        };
        statements.push(self.assign_to(place, kept, spot));
        Some(self.unit(spot))
    }

    /// `place.extend(elements)`.
    fn extend(
        &mut self,
        elements: &ast::Expr,
        place: &Place,
        ty: &Ty,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let Ty::Con(con, types) = ty else { return None };
        let elements = self.expr(elements, None);
        let (elements, element) = self.sequence(elements);
        let wanted = if *con == Con::Map { Ty::tuple(types.clone()) } else { types[0].clone() };
        if !self.infer.unify(&element, &wanted) {
            self.mismatch(spot, &wanted, &element);
            return None;
        }
        let (pattern, change) = match con {
            Con::Map => {
                let ((key, first), (value, second)) = (self.part(&types[0], spot), self.part(&types[1], spot));
                (
                    Pattern::Tuple(vec![key, value]),
                    ExprKind::Mutate(Mutation::Insert, place.clone(), vec![first, second]),
                )
            }
            _ => {
                let (pattern, one) = self.part(&types[0], spot);
                let mutation = if *con == Con::Seq { Mutation::Push } else { Mutation::Insert };
                (pattern, ExprKind::Mutate(mutation, place.clone(), vec![one]))
            }
        };
        let change = self.make(spot, Ty::UNIT, change);
        let change = self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(change)], None));
        self.consumed(&elements);
        statements.push(self.for_each(pattern, elements, change, spot));
        Some(self.unit(spot))
    }

    /// `pop_first()` and `pop_last()` of a set or a map.
    fn pop_end(&mut self, name: &str, place: &Place, ty: &Ty, spot: Spot, statements: &mut Vec<Stmt>) -> Expr {
        let all = self.read_place(place, ty, spot);
        let (all, element) = self.sequence(all);
        let prim = if name == "pop_first" { Prim::First } else { Prim::Last };
        let found = self.make(spot, Ty::option(element.clone()), ExprKind::Prim(prim, vec![all]));
        let found = self.stored("found", found, spot, statements);
        let Ty::Con(con, types) = ty else { return found };
        let (pattern, key) = self.part(&types[0], spot);
        let pattern = if *con == Con::Map { Pattern::Tuple(vec![pattern, Pattern::Wild]) } else { pattern };
        let remove = self.make(spot, Ty::UNIT, ExprKind::Mutate(Mutation::Remove, place.clone(), vec![key]));
        let nothing = self.unit(spot);
        let removed = self.by_case(found.clone(), pattern, remove, nothing, Ty::UNIT, spot);
        statements.push(Stmt::Expr(removed));
        found
    }

    /// `seq.push_front(new)`: a new sequence, with the others behind it.
    fn push_front(
        &mut self,
        new: Expr,
        place: &Place,
        ty: &Ty,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let new = self.stored("new", new, spot, statements);
        let old = self.read_place(place, ty, spot);
        let old = self.stored("old", old, spot, statements);
        let element = self.ty(&new);
        let first = self.make(spot, ty.clone(), ExprKind::Prim(Prim::Elements, vec![new]));
        statements.push(self.assign_to(place, first, spot));
        let (pattern, one) = self.part(&element, spot);
        let push = self.make(spot, Ty::UNIT, ExprKind::Mutate(Mutation::Push, place.clone(), vec![one]));
        let push = self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(push)], None));
        statements.push(self.for_each(pattern, old, push, spot));
        Some(self.unit(spot))
    }

    /// `seq.remove(index)`, which panics if there is no such element.
    fn remove_at(&mut self, index: Expr, place: &Place, ty: &Ty, spot: Spot, statements: &mut Vec<Stmt>) -> Expr {
        let index = self.stored("index", index, spot, statements);
        let old = self.read_place(place, ty, spot);
        let old = self.stored("old", old, spot, statements);
        let element = match ty {
            Ty::Con(_, types) => types[0].clone(),
            other => other.clone(),
        };
        let removed = self.make(spot, element, ExprKind::Prim(Prim::Index, vec![old.clone(), index.clone()]));
        let removed = self.stored("removed", removed, spot, statements);
        let kept = self.numbered(old, spot, statements, |this, at, one| {
            let differs = this.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Ne, vec![at, index.clone()]));
            (Some(differs), one)
        });
        statements.push(self.assign_to(place, kept, spot));
        removed
    }

    /// `seq.insert(index, new)`, which panics if the index is greater than the length.
    fn insert_at(
        &mut self,
        values: &[ast::Expr],
        place: &Place,
        ty: &Ty,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Expr {
        let element = match ty {
            Ty::Con(_, types) => types[0].clone(),
            other => other.clone(),
        };
        let index = self.check(&values[0], &Ty::U64);
        let index = self.stored("index", index, spot, statements);
        let new = self.check(&values[1], &element);
        let new = self.stored("new", new, spot, statements);
        let old = self.read_place(place, ty, spot);
        let old = self.stored("old", old, spot, statements);
        let length = self.make(spot, Ty::U64, ExprKind::Prim(Prim::Len, vec![old.clone()]));
        let within = self.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Le, vec![index.clone(), length.clone()]));
        let assert = self.make(spot, Ty::UNIT, ExprKind::Assert(Box::new(within)));
        statements.push(Stmt::Expr(assert));
        // One value for each number: a branch that is never taken is then no finding.
        let (zero, one) = (self.number(0, spot), self.number(1, spot));
        let numbers = ExprKind::Prim(Prim::RangeInclusive, vec![zero, length]);
        let numbers = self.make(spot, Ty::seq(Ty::U64), numbers);
        let (pattern, at) = self.part(&Ty::U64, spot);
        let element_at = |this: &mut Self, at: Expr| {
            this.make(spot, element.clone(), ExprKind::Prim(Prim::Index, vec![old.clone(), at]))
        };
        let before = element_at(self, at.clone());
        let previous = Prim::Arith(Arith::Sub, Overflow::Wraps);
        let previous = self.make(spot, Ty::U64, ExprKind::Prim(previous, vec![at.clone(), one]));
        let behind = element_at(self, previous);
        let is_here = self.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Eq, vec![at.clone(), index.clone()]));
        let kind = ExprKind::If(Box::new(is_here), Box::new(new), Box::new(behind));
        let from_index = self.make(spot, element.clone(), kind);
        let is_before = self.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Lt, vec![at, index]));
        let kind = ExprKind::If(Box::new(is_before), Box::new(before), Box::new(from_index));
        let of_number = self.make(spot, element.clone(), kind);
        let all = ExprKind::Each(Each::Map, Box::new(numbers), pattern, Box::new(of_number));
        let new = self.make(spot, ty.clone(), all);
        statements.push(self.assign_to(place, new, spot));
        self.unit(spot)
    }

    /// `seq.truncate(length)`.
    fn truncate(&mut self, length: &ast::Expr, place: &Place, ty: &Ty, spot: Spot, statements: &mut Vec<Stmt>) -> Expr {
        let length = self.check(length, &Ty::U64);
        let length = self.stored("length", length, spot, statements);
        let old = self.read_place(place, ty, spot);
        let old = self.stored("old", old, spot, statements);
        let kept = self.numbered(old, spot, statements, |this, at, one| {
            (Some(this.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Lt, vec![at, length]))), one)
        });
        statements.push(self.assign_to(place, kept, spot));
        self.unit(spot)
    }

    /// `seq.swap(i, j)`.
    fn swap_elements(
        &mut self,
        indices: &[ast::Expr],
        place: &Place,
        element: &Ty,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Expr {
        let mut places = Vec::new();
        for index in indices {
            let index = self.check(index, &Ty::U64);
            let index = self.stored("index", index, spot, statements);
            let mut at = place.clone();
            at.path.push(Projection::Index(index));
            places.push(at);
        }
        let mut read = Vec::new();
        for at in &places {
            let value = self.read_place(at, element, spot);
            read.push(self.stored("element", value, spot, statements));
        }
        for (at, value) in places.iter().rev().zip(read) {
            statements.push(self.assign_to(at, value, spot));
        }
        self.unit(spot)
    }

    fn for_each(&mut self, pattern: Pattern, sequence: Expr, body: Expr, spot: Spot) -> Stmt {
        let kind = ExprKind::For(pattern, Box::new(sequence), Box::new(body));
        Stmt::Expr(self.make(spot, Ty::UNIT, kind))
    }

    fn number(&mut self, value: i128, spot: Spot) -> Expr {
        self.make(spot, Ty::U64, ExprKind::Literal(Literal::Int(value)))
    }

    /// A variable that counts turns from 0, and the statement that counts one.
    fn counter(&mut self, spot: Spot, statements: &mut Vec<Stmt>) -> (Expr, Stmt) {
        let zero = self.number(0, spot);
        let local = self.fresh_local("at", Ty::U64, true);
        statements.push(Stmt::Let(Pattern::Bind(local), zero));
        let (at, one) = (self.read_local(local, spot), self.number(1, spot));
        // A sequence is shorter than all numbers.
        let add = Prim::Arith(Arith::Add, Overflow::Wraps);
        let next = self.make(spot, Ty::U64, ExprKind::Prim(add, vec![at.clone(), one]));
        let next = self.assign_to(&Place { local, path: Vec::new() }, next, spot);
        (at, next)
    }

    /// A new sequence, made from the elements of another one and their numbers: for each, whether there is a new element, and which.
    pub(super) fn numbered(
        &mut self,
        sequence: Expr,
        spot: Spot,
        statements: &mut Vec<Stmt>,
        each: impl FnOnce(&mut Self, Expr, Expr) -> (Option<Expr>, Expr),
    ) -> Expr {
        let element = match self.ty(&sequence) {
            Ty::Con(Con::Seq, types) => types[0].clone(),
            other => other,
        };
        let (at, next) = self.counter(spot, statements);
        let (pattern, one) = self.part(&element, spot);
        let (condition, new) = each(self, at, one);
        let ty = Ty::seq(self.ty(&new));
        let made = self.fresh_local("made", ty.clone(), true);
        let none = self.make(spot, ty, ExprKind::Prim(Prim::Elements, Vec::new()));
        statements.push(Stmt::Let(Pattern::Bind(made), none));
        let place = Place { local: made, path: Vec::new() };
        let push = self.make(spot, Ty::UNIT, ExprKind::Mutate(Mutation::Push, place, vec![new]));
        let push = match condition {
            Some(condition) => {
                let nothing = self.unit(spot);
                self.make(spot, Ty::UNIT, ExprKind::If(Box::new(condition), Box::new(push), Box::new(nothing)))
            }
            None => push,
        };
        let body = self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(push), next], None));
        statements.push(self.for_each(pattern, sequence, body, spot));
        self.read_local(made, spot)
    }

    /// A method of iterators that is written out as a loop; `None` if there is no such method.
    pub(super) fn iterator_loop(
        &mut self,
        sequence: Expr,
        element: &Ty,
        name: &str,
        values: &[ast::Expr],
        spot: Spot,
    ) -> Option<Expr> {
        let mut statements = Vec::new();
        let value = match (name, values) {
            ("enumerate", []) => self.numbered(sequence, spot, &mut statements, |this, at, one| {
                let ty = Ty::tuple(vec![Ty::U64, this.ty(&one)]);
                (None, this.make(spot, ty, ExprKind::Tuple(vec![at, one])))
            }),
            ("skip" | "take", [count]) => {
                let sequence = self.stored("sequence", sequence, spot, &mut statements);
                let count = self.check(count, &Ty::U64);
                let count = self.stored("count", count, spot, &mut statements);
                let prim = if name == "skip" { Prim::Ge } else { Prim::Lt };
                self.numbered(sequence, spot, &mut statements, |this, at, one| {
                    (Some(this.make(spot, Ty::BOOL, ExprKind::Prim(prim, vec![at, count]))), one)
                })
            }
            ("zip", [other]) => {
                let sequence = self.stored("sequence", sequence, spot, &mut statements);
                let other = self.expr(other, None);
                let (other, with) = self.sequence(other);
                let other = self.stored("other", other, spot, &mut statements);
                self.numbered(sequence, spot, &mut statements, |this, at, one| {
                    let length = this.make(spot, Ty::U64, ExprKind::Prim(Prim::Len, vec![other.clone()]));
                    let is_there = this.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Lt, vec![at.clone(), length]));
                    let second = this.make(spot, with.clone(), ExprKind::Prim(Prim::Index, vec![other, at]));
                    let ty = Ty::tuple(vec![this.ty(&one), with]);
                    (Some(is_there), this.make(spot, ty, ExprKind::Tuple(vec![one, second])))
                })
            }
            ("position", [closure]) => {
                self.adaptors += 1;
                let closure = self.closure(closure, element, Some(&Ty::BOOL));
                self.adaptors -= 1;
                let Some((pattern, fits)) = closure else { return Some(self.unsupported_at(spot)) };
                self.position(sequence, pattern, fits, spot, &mut statements)
            }
            ("fold", [first, closure]) => {
                let sequence = self.stored("sequence", sequence, spot, &mut statements);
                match self.fold(sequence, element, first, closure, spot, &mut statements) {
                    Some(value) => value,
                    None => return Some(self.unsupported_at(spot)),
                }
            }
            ("for_each", [closure]) => {
                let Some((pattern, body)) = self.closure(closure, element, Some(&Ty::UNIT)) else {
                    return Some(self.unsupported_at(spot));
                };
                let body = self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(body)], None));
                statements.push(self.for_each(pattern, sequence, body, spot));
                self.unit(spot)
            }
            _ if super::iterator::METHODS.contains(&name) => {
                match self.written_out_loop(sequence, element, name, values, spot, &mut statements) {
                    Some(value) => value,
                    None => return Some(self.unsupported_at(spot)),
                }
            }
            _ => return None,
        };
        let ty = self.ty(&value);
        Some(self.make(spot, ty, ExprKind::Block(statements, Some(Box::new(value)))))
    }

    /// `position(|element| …)`: stops at the first element that fits.
    fn position(
        &mut self,
        sequence: Expr,
        pattern: Pattern,
        fits: Expr,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Expr {
        let (at, next) = self.counter(spot, statements);
        let ty = Ty::option(Ty::U64);
        let none = self.make(spot, ty.clone(), ExprKind::Variant(0, Vec::new()));
        let found = self.fresh_local("found", ty, true);
        statements.push(Stmt::Let(Pattern::Bind(found), none));
        let some = self.some_of(at, spot);
        let set = self.assign_to(&Place { local: found, path: Vec::new() }, some, spot);
        let leave = Stmt::Expr(self.make(spot, Ty::NEVER, ExprKind::Break(None)));
        let stop = self.make(spot, Ty::NEVER, ExprKind::Block(vec![set, leave], None));
        let nothing = self.unit(spot);
        let test = self.make(spot, Ty::UNIT, ExprKind::If(Box::new(fits), Box::new(stop), Box::new(nothing)));
        let body = self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(test), next], None));
        statements.push(self.for_each(pattern, sequence, body, spot));
        self.read_local(found, spot)
    }

    /// `fold(first, |value, element| …)`.
    fn fold(
        &mut self,
        sequence: Expr,
        element: &Ty,
        first: &ast::Expr,
        closure: &ast::Expr,
        spot: Spot,
        statements: &mut Vec<Stmt>,
    ) -> Option<Expr> {
        let first = self.expr(first, None);
        let ty = self.ty(&first);
        let value = self.fresh_local("value", ty.clone(), true);
        statements.push(Stmt::Let(Pattern::Bind(value), first));
        let (mut patterns, body) = self.closure_of(closure, &[ty.clone(), element.clone()], Some(&ty))?;
        let (of_element, of_value) = (patterns.pop()?, patterns.pop()?);
        let read = self.read_local(value, spot);
        let next = self.assign_to(&Place { local: value, path: Vec::new() }, body, spot);
        let body = self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Let(of_value, read), next], None));
        statements.push(self.for_each(of_element, sequence, body, spot));
        Some(self.read_local(value, spot))
    }

    /// `for x in place.iter_mut()`, `values_mut()`, `&mut place`: the loop, if it is one. The names refer to the elements in place.
    pub(super) fn for_in_place(&mut self, for_expr: &ast::ForExpr, iterable: &ast::Expr, spot: Spot) -> Option<Expr> {
        let (target, name) = match iterable {
            ast::Expr::ParenExpr(it) => return self.for_in_place(for_expr, &it.expr()?, spot),
            ast::Expr::RefExpr(it) if it.mut_token().is_some() => (it.expr()?, "iter_mut".to_owned()),
            ast::Expr::MethodCallExpr(it) => (it.receiver()?, it.name_ref()?.text().to_string()),
            ast::Expr::PathExpr(_) if self.names_reference(iterable) => (iterable.clone(), "iter_mut".to_owned()),
            _ => return None,
        };
        if !matches!(name.as_str(), "iter_mut" | "values_mut") || !self.is_place(&target) {
            return None;
        }
        let (place, ty) = self.place(&target)?;
        let ty = self.infer.shallow(&ty);
        let (keys, element) = match (&ty, name.as_str()) {
            (Ty::Con(Con::Map, types), _) => (types[0].clone(), types[1].clone()),
            (Ty::Con(Con::Seq, types), "iter_mut") => (Ty::U64, types[0].clone()),
            _ => return None,
        };
        if !self.changeable(&place, spot) {
            return Some(self.unsupported_at(spot));
        }
        let mut statements = Vec::new();
        let place = self.borrowed(place, &ty, spot, &mut statements);
        let all = self.read_place(&place, &ty, spot);
        let all = match &ty {
            Ty::Con(Con::Map, _) => {
                let keys =
                    self.make(spot, Ty::Con(Con::Set, vec![keys.clone()]), ExprKind::Prim(Prim::Keys, vec![all]));
                self.sequence(keys).0
            }
            _ => {
                let (zero, length) =
                    (self.number(0, spot), self.make(spot, Ty::U64, ExprKind::Prim(Prim::Len, vec![all])));
                self.make(spot, Ty::seq(Ty::U64), ExprKind::Prim(Prim::Range, vec![zero, length]))
            }
        };
        let key = self.fresh_local("key", keys.clone(), false);
        let (mut inside, read) = (place, self.read_local(key, spot));
        inside.path.push(Projection::Index(read));
        let has_key = matches!(&ty, Ty::Con(Con::Map, _)) && name == "iter_mut";
        let written = for_expr.pat()?;
        let (head, body) = self.scoped(|this| {
            let head = this.names_in_place(&written, has_key.then_some((key, &keys)), inside, &element, spot);
            let body = this.loop_body(for_expr.label(), for_expr.loop_body(), None, spot);
            (head, body)
        });
        let (body, info) = body;
        let mut turn = head?;
        turn.push(Stmt::Expr(body));
        let body = self.make(spot, Ty::UNIT, ExprKind::Block(turn, None));
        let kind = ExprKind::For(Pattern::Bind(key), Box::new(all), Box::new(body));
        let turns = self.make(spot, Ty::UNIT, kind);
        let turns = self.after_loop(turns, info, spot);
        Some(self.after(statements, turns, spot))
    }

    /// Binds the pattern of a loop over elements in place; the statements bind the key.
    fn names_in_place(
        &mut self,
        pattern: &ast::Pat,
        key: Option<(LocalId, &Ty)>,
        element: Place,
        ty: &Ty,
        spot: Spot,
    ) -> Option<Vec<Stmt>> {
        let Some((local, key)) = key else {
            self.name_in_place(pattern, element, ty, spot);
            return Some(Vec::new());
        };
        let parts: Vec<ast::Pat> = match pattern {
            ast::Pat::TuplePat(it) => it.fields().collect(),
            _ => Vec::new(),
        };
        let [of_key, of_value] = parts.as_slice() else {
            self.unsupported(spot, "this pattern of the loop", "write `for (key, value) in …`");
            return Some(Vec::new());
        };
        let of_key = self.irrefutable(of_key, key);
        let read = self.read_local(local, spot);
        self.name_in_place(of_value, element, ty, spot);
        Some(vec![Stmt::Let(of_key, read)])
    }

    fn name_in_place(&mut self, pattern: &ast::Pat, element: Place, ty: &Ty, spot: Spot) {
        match pattern {
            ast::Pat::IdentPat(name) if name.pat().is_none() && name.mut_token().is_none() => {
                self.bind(&super::pattern_name(name), Binding::Alias(element, ty.clone()));
            }
            ast::Pat::WildcardPat(_) => {}
            _ => {
                self.unsupported(spot, "this pattern of the loop", "bind a name, and take it apart in the loop");
            }
        }
    }
}
