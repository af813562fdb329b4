//! Places: expressions that can be assigned to, and reads of them.

use super::{Binding, Body};
use crate::{
    index::path_segments,
    ir::lower::{
        spot::Spot,
        ty::{Con, Ty},
        types::TypeInfoKind,
    },
    ir::{Expr, ExprKind, Pattern, Place, Prim, Projection, Stmt, TypeId},
    syntax::{AstNode, ast, operators::UnaryOp},
};

impl Body<'_> {
    /// Whether the expression has the form of a place that starts at a local variable.
    pub(super) fn is_place(&self, expr: &ast::Expr) -> bool {
        let mut expr = Some(expr.clone());
        while let Some(it) = expr {
            expr = match it {
                ast::Expr::PathExpr(it) => return self.local_name(&it).is_some(),
                ast::Expr::FieldExpr(it) => it.expr(),
                ast::Expr::IndexExpr(it) => it.base(),
                ast::Expr::ParenExpr(it) => it.expr(),
                ast::Expr::PrefixExpr(it) if it.op_kind() == Some(UnaryOp::Deref) => it.expr(),
                ast::Expr::RefExpr(it) if it.mut_token().is_none() => it.expr(),
                _ => return false,
            };
        }
        false
    }

    /// The binding of a path that is a single name in scope.
    pub(super) fn local_name(&self, path: &ast::PathExpr) -> Option<Binding> {
        let path = path_segments(&path.path()?)?;
        let binding = if let [name] = path.as_slice() { self.lookup(name) } else { None };
        binding.filter(|it| matches!(it, Binding::Local(_) | Binding::Alias(..)))
    }

    /// Lowers an expression for which [`Body::is_place`] holds; `None` if a step of it is invalid, which is reported.
    pub(super) fn place(&mut self, expr: &ast::Expr) -> Option<(Place, Ty)> {
        if self.depth >= super::DEPTH {
            self.expr(expr, None);
            return None;
        }
        self.depth += 1;
        let place = self.place_of_kind(expr);
        self.depth -= 1;
        place
    }

    fn place_of_kind(&mut self, expr: &ast::Expr) -> Option<(Place, Ty)> {
        match expr {
            ast::Expr::PathExpr(it) => match self.local_name(it)? {
                Binding::Local(local) => {
                    Some((Place { local, path: Vec::new() }, self.locals[local.0 as usize].ty.clone()))
                }
                Binding::Alias(place, ty) => Some((place, ty)),
                Binding::Lower | Binding::Closure(_) | Binding::Fault => None,
            },
            ast::Expr::ParenExpr(it) => self.place(&it.expr()?),
            ast::Expr::PrefixExpr(it) => self.place(&it.expr()?),
            ast::Expr::RefExpr(it) => self.place(&it.expr()?),
            ast::Expr::FieldExpr(it) => {
                let base = self.place(&it.expr()?)?;
                self.field_of(it, base)
            }
            ast::Expr::IndexExpr(it) => {
                let base = self.place(&it.base()?)?;
                self.element_of(it, base)
            }
            _ => None,
        }
    }

    /// A field of a place.
    pub(super) fn field_of(&mut self, field: &ast::FieldExpr, (mut place, base): (Place, Ty)) -> Option<(Place, Ty)> {
        let (number, ty) = self.field(field, &base)?;
        place.path.push(Projection::Field(number));
        Some((place, ty))
    }

    /// An element of a place.
    pub(super) fn element_of(&mut self, index: &ast::IndexExpr, (mut place, base): (Place, Ty)) -> Option<(Place, Ty)> {
        let (index, ty) = self.index(index, &base)?;
        place.path.push(Projection::Index(index));
        Some((place, ty))
    }

    /// Reads the place behind a method that returns a `&mut`.
    pub(super) fn read_referent(&mut self, expr: &ast::Expr) -> Expr {
        let spot = self.spot(expr.syntax());
        let mut statements = Vec::new();
        match self.referent(expr, &mut statements) {
            Some((place, ty)) => {
                let value = self.make(spot, ty, ExprKind::Read(place));
                self.after(statements, value, spot)
            }
            None => self.unsupported_at(spot),
        }
    }

    /// Reads a place; if the expression is not a place, takes the field or element of a value.
    pub(super) fn place_or_value(&mut self, expr: &ast::Expr) -> Expr {
        let spot = self.spot(expr.syntax());
        if self.is_place(expr) {
            return match self.place(expr) {
                Some((place, ty)) => self.make(spot, ty, ExprKind::Read(place)),
                None => self.unsupported_at(spot),
            };
        }
        if self.is_referent(expr) {
            return self.read_referent(expr);
        }
        let lowered = match expr {
            ast::Expr::PathExpr(it) => Some(self.path_value(it)),
            ast::Expr::FieldExpr(it) => self.field_of_value(it, spot),
            ast::Expr::IndexExpr(it) => self.element_of_value(it, spot),
            _ => None,
        };
        lowered.unwrap_or_else(|| self.unsupported_at(spot))
    }

    fn field_of_value(&mut self, field: &ast::FieldExpr, spot: Spot) -> Option<Expr> {
        let value = self.expr(&field.expr()?, None);
        let base = self.ty(&value);
        let (number, ty) = self.field(field, &base)?;
        Some(self.make(spot, ty, ExprKind::Field(Box::new(value), number)))
    }

    fn element_of_value(&mut self, index: &ast::IndexExpr, spot: Spot) -> Option<Expr> {
        let value = self.expr(&index.base()?, None);
        let base = self.ty(&value);
        let (index, ty) = self.index(index, &base)?;
        Some(self.make(spot, ty, ExprKind::Prim(Prim::Index, vec![value, index])))
    }

    /// The number and type of a field of a value of type `base`.
    fn field(&mut self, field: &ast::FieldExpr, base: &Ty) -> Option<(u32, Ty)> {
        let spot = self.spot(field.syntax());
        let name = match field.field_access()? {
            ast::FieldKind::Name(it) => it.text().to_string(),
            ast::FieldKind::Index(it) => it.text().to_owned(),
        };
        let base = self.infer.shallow(base);
        let fields = match &base {
            Ty::Error => return None,
            Ty::Con(Con::User(id), _) => self.struct_fields(*id, spot)?,
            Ty::Con(Con::Tuple, types) => {
                types.iter().enumerate().map(|(number, ty)| (number.to_string(), ty.clone())).collect()
            }
            Ty::Var(_) => {
                self.type_error(spot, "the type of this value must be known here");
                return None;
            }
            _ => Vec::new(),
        };
        if let Some(number) = fields.iter().position(|(known, _)| *known == name) {
            return Some((number as u32, fields[number].1.clone()));
        }
        let help = crate::ir::lower::report::did_you_mean(&name, fields.iter().map(|(name, _)| name.as_str()));
        let spot = field.name_ref().map_or(spot, |it| self.spot(it.syntax()));
        let what = format!("field of `{}`:", self.package.type_name_of(&self.infer.resolve(&base)));
        self.unknown_name(spot, &what, &name, help);
        None
    }

    pub(super) fn struct_fields(&mut self, id: TypeId, spot: Spot) -> Option<Vec<(String, Ty)>> {
        match &self.package.type_info(id).kind {
            TypeInfoKind::Struct(fields) => Some(fields.clone()),
            TypeInfoKind::Enum(_) => Some(Vec::new()),
            TypeInfoKind::Scalar(_) => {
                self.unsupported(
                    spot,
                    "reading the inside of a scalar",
                    "scalars are only compared; use an integer or a struct instead",
                );
                None
            }
        }
    }

    /// The index expression, and the type of the element.
    fn index(&mut self, index: &ast::IndexExpr, base: &Ty) -> Option<(Expr, Ty)> {
        let spot = self.spot(index.syntax());
        let key = index.index();
        match self.infer.shallow(base) {
            Ty::Error => None,
            Ty::Con(Con::Map | Con::Total, types) => {
                Some((self.required(key, spot, Some(&types[0])), types[1].clone()))
            }
            Ty::Con(Con::Seq, types) => Some((self.required(key, spot, Some(&Ty::U64)), types[0].clone())),
            other => {
                let name = self.package.type_name_of(&self.infer.resolve(&other));
                self.type_error(spot, format!("a value of type `{name}` cannot be indexed"));
                None
            }
        }
    }

    /// The referent of a `&mut` variable or argument: of `&mut place`, of a `&mut` parameter, or of an alias.
    pub(super) fn reborrowed(&mut self, expr: &ast::Expr) -> Option<(Place, Ty)> {
        match expr {
            ast::Expr::ParenExpr(it) => self.reborrowed(&it.expr()?),
            ast::Expr::RefExpr(it) if it.mut_token().is_some() => {
                let inner = it.expr()?;
                if self.is_place(&inner) { self.place(&inner) } else { None }
            }
            ast::Expr::PathExpr(it) => match self.local_name(it)? {
                Binding::Alias(place, ty) => Some((place, ty)),
                Binding::Local(local) if self.locals[local.0 as usize].inout => {
                    Some((Place { local, path: Vec::new() }, self.locals[local.0 as usize].ty.clone()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The place with its indices evaluated once, now, and looked up: borrowing a missing element fails even if it is not used.
    pub(super) fn borrowed(&mut self, place: Place, ty: &Ty, spot: Spot, statements: &mut Vec<Stmt>) -> Place {
        let place = self.pinned(place, spot, statements);
        if place.path.iter().any(|it| matches!(it, Projection::Index(_))) {
            let element = self.make(spot, ty.clone(), ExprKind::Read(place.clone()));
            statements.push(Stmt::Expr(element));
        }
        place
    }

    /// The place with its indices evaluated once, now.
    pub(super) fn pinned(&mut self, mut place: Place, spot: Spot, statements: &mut Vec<Stmt>) -> Place {
        for projection in &mut place.path {
            let Projection::Index(index) = projection else { continue };
            if matches!(index.kind, ExprKind::Literal(_)) {
                continue;
            }
            let ty = self.ty(index);
            let local = self.fresh_local("index", ty, false);
            let read = self.read_local(local, spot);
            let value = std::mem::replace(index, read);
            statements.push(Stmt::Let(Pattern::Bind(local), value));
        }
        place
    }

    /// Whether the place may change. A variable that is not `mut` could only change through a reference that it holds. References are
    /// erased, so the change would be lost. Rust's iterators are lazy, and sequences here are not: so the closure of an iterator may change
    /// nothing outside of it.
    pub(super) fn changeable(&mut self, place: &Place, spot: Spot) -> bool {
        let local = &self.locals[place.local.0 as usize];
        let mutable = local.mutable;
        if mutable && place.local.0 < self.first_in_adaptor {
            let what = format!("changing `{}` in the closure of an iterator", local.name);
            self.unsupported(spot, &what, "use a `for` loop");
            return false;
        }
        if !mutable {
            let what = format!("changing `{}`, which is not `mut` or holds a `&mut`,", local.name);
            self.unsupported(spot, &what, "change the place itself, or bind it with `let name = &mut place;`");
        }
        mutable
    }

    /// Whether the expression names a `&mut` itself, so that assigning to it would make it point elsewhere.
    pub(super) fn names_reference(&self, expr: &ast::Expr) -> bool {
        let ast::Expr::PathExpr(path) = expr else { return false };
        match self.local_name(path) {
            Some(Binding::Alias(..)) => true,
            Some(Binding::Local(local)) => self.locals[local.0 as usize].inout,
            _ => false,
        }
    }
}
