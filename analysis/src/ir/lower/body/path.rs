//! Paths and the values built from them: constants, variants, structs, scalars.

use super::{Binding, Blocks, Body, Frame, convert::range, method::integer, ordering::Order, pattern::scalar_text};
use crate::{
    diagnostics::codes,
    index::path_segments,
    ir::lower::{
        declared::{ItemRef, Owner, Site},
        names::{Entry, Meaning, Namespace},
        report::{did_you_mean, error},
        spot::Spot,
        ty::{Con, Ty},
        types::{TypeInfoKind, language_con},
    },
    ir::{Expr, ExprKind, Literal, Pattern, Prim, Stmt, TypeId, int::IntType},
    syntax::{
        AstNode,
        ast::{self, HasGenericArgs},
    },
};

/// A variant: its enum, its number, its fields.
pub(super) type Variant = (TypeId, u32, Vec<(String, Ty)>);

impl Body<'_> {
    /// A path that is not a local variable.
    pub(super) fn path_value(&mut self, path: &ast::PathExpr) -> Expr {
        let spot = self.spot(path.syntax());
        let Some(path) = path.path().as_ref().and_then(path_segments) else {
            return self.unsupported(spot, "this path", "name a variable, a constant, a variant or a function");
        };
        if self.is_none(&path) {
            let element = self.infer.fresh();
            return self.make(spot, Ty::option(element), ExprKind::Variant(0, Vec::new()));
        }
        if let Some(order) = self.order_named(&path) {
            return self.order(order, spot);
        }
        if let Some(constant) = self.constant(&path, spot) {
            return constant;
        }
        if let Some((id, number, fields)) = self.variant(&path, spot) {
            if !fields.is_empty() {
                return self.unsupported(spot, "a variant as a function", "call it with its values");
            }
            return self.make(spot, Ty::user(id), ExprKind::Variant(number, Vec::new()));
        }
        self.other_path(&path, spot)
    }

    fn other_path(&mut self, path: &[String], spot: Spot) -> Expr {
        if let [name] = path
            && let Some(binding) = self.lookup(name)
        {
            return match binding {
                Binding::Lower => self.unsupported(spot, "the lower layer as a value", "call one of its operations"),
                Binding::Fault => self.unsupported_at(spot),
                _ => self.unsupported(spot, "a closure as a value", "call it, or write a function"),
            };
        }
        if let Some(Ty::Con(Con::User(id), _)) = self.constructed(path, spot)
            && matches!(&self.package.type_info(id).kind, TypeInfoKind::Struct(fields) if fields.is_empty())
        {
            return self.make(spot, Ty::user(id), ExprKind::Tuple(Vec::new()));
        }
        match self.function_at(path, spot) {
            Ok(Some(_)) => return self.unsupported(spot, "a function as a value", "call it, or write a closure"),
            Ok(None) => {}
            Err(reported) => return reported,
        }
        let in_scope: Vec<&str> =
            self.scopes.iter().flat_map(|it| &it.bindings).map(|(name, _)| name.as_str()).collect();
        let is_value = |it: &Entry| matches!(it, Entry::Constant(_));
        // A path has a last segment.
        let name = path.last().map_or("", String::as_str);
        let help = self.package.advice(name, Namespace::Values, is_value, in_scope);
        self.unknown_name(spot, "name", name, help)
    }

    /// Whether a path refers to `None`.
    pub(super) fn is_none(&self, path: &[String]) -> bool {
        let known = self.package.language_path(self.site.scope, path, Namespace::Values);
        known.is_some_and(|(owner, name)| name == "None" && owner.is_none_or(|it| it == "Option"))
    }

    /// The value of `std::cmp::Ordering` that a path refers to.
    pub(super) fn order_named(&self, path: &[String]) -> Option<Order> {
        match self.package.language_path(self.site.scope, path, Namespace::Values)? {
            (Some(owner), name) if owner == "Ordering" => Order::named(&name),
            _ => None,
        }
    }

    /// The part before the last `::`, if it is a type or an implementation, and the name after it.
    pub(super) fn member<'n>(&self, path: &'n [String]) -> Option<(Owner, &'n str)> {
        let [of @ .., name] = path else { return None };
        let owner = match of {
            [] => return None,
            [own] if own == "Self" => match self.self_type {
                Some(Ty::Con(Con::User(id), _)) => Owner::Entry(Entry::Type(self.package.type_info(id).item)),
                // `Self` in an implementation is a type without values; its functions are found by its name.
                _ => self.package.block_owner(self.item.file, self.package.function_item(self.item).owner?)?.clone(),
            },
            _ => self.package.owner_of(self.site.scope, of, 0)?,
        };
        Some((owner, name))
    }

    /// The type that a path names, if there is one.
    pub(super) fn type_at(&mut self, path: &[String], spot: Spot) -> Option<Ty> {
        if path == ["Self"] {
            return self.self_type.clone();
        }
        let meaning = self.package.names.meaning(self.site.scope, path, Namespace::Types);
        self.type_of(meaning, path, spot)
    }

    /// The type whose constructor a path names, if there is one.
    fn constructed(&mut self, path: &[String], spot: Spot) -> Option<Ty> {
        if path == ["Self"] {
            return self.self_type.clone();
        }
        let meaning = self.package.names.meaning(self.site.scope, path, Namespace::Values);
        self.type_of(meaning, path, spot)
    }

    fn type_of(&mut self, meaning: Meaning, path: &[String], spot: Spot) -> Option<Ty> {
        match meaning {
            Meaning::Item(Entry::Type(item)) => {
                let ty = self.package.user_type(item, spot);
                Some(self.infer.instantiate(ty))
            }
            Meaning::Several(one, other) => {
                self.several(&path.join("::"), spot, [one, other]);
                Some(Ty::Error)
            }
            _ => {
                let known = self.package.language_path(self.site.scope, path, Namespace::Types);
                known.is_some_and(|(owner, name)| owner.is_none() && name == "Pid").then_some(Ty::PID)
            }
        }
    }

    /// The value of a constant, inlined; `None` if the path is not a constant.
    pub(super) fn constant(&mut self, path: &[String], spot: Spot) -> Option<Expr> {
        let found = match self.member(path) {
            Some((Owner::Language(of), name)) if let Some(limit) = self.limit(&of, name, spot) => return Some(limit),
            Some((owner, name)) => {
                let candidates = self.package.constants.get(&(owner, name.to_owned())).map(Vec::as_slice);
                match candidates.unwrap_or_default() {
                    [] => return None,
                    [only] => *only,
                    [one, other, ..] => {
                        let both = [one, other].map(|it| Entry::Constant(*it));
                        return Some(self.several(name, spot, both));
                    }
                }
            }
            None => match self.package.names.meaning(self.site.scope, path, Namespace::Values) {
                Meaning::Item(Entry::Constant(item)) => item,
                Meaning::Several(one, other) => return Some(self.several(&path.join("::"), spot, [one, other])),
                _ => return None,
            },
        };
        Some(self.expand(found, spot))
    }

    /// Reports an ambiguous name.
    pub(super) fn several(&mut self, name: &str, spot: Spot, both: [Entry; 2]) -> Expr {
        self.package.report_several(spot, name, both);
        self.unsupported_at(spot)
    }

    /// A limit of an integer type: `u8::MAX`, `u8::MIN`, `u8::BITS`.
    fn limit(&mut self, qualifier: &str, name: &str, spot: Spot) -> Option<Expr> {
        let (Con::Int { bits, signed }, _) = language_con(qualifier)? else { return None };
        let int = IntType { bits, signed };
        let (value, ty) = match name {
            "MAX" => (int.max(), Ty::int(bits, signed)),
            "MIN" => (int.min(), Ty::int(bits, signed)),
            "BITS" => (i128::from(bits), Ty::int(32, false)),
            _ => return None,
        };
        Some(self.make(spot, ty, ExprKind::Literal(Literal::Int(value))))
    }

    fn expand(&mut self, item: ItemRef, spot: Spot) -> Expr {
        let package = self.package;
        let declared = &package.files[item.file as usize].index.constants[item.index as usize];
        let syntax: Option<ast::Const> = package.head(item.file, declared.declaration);
        let (Some(ty), Some(value)) =
            (syntax.as_ref().and_then(ast::Const::ty), syntax.as_ref().and_then(ast::Const::body))
        else {
            return self.unsupported_at(spot);
        };
        if self.constants.contains(&item) {
            self.package.report(error(
                codes::CS0206,
                spot,
                format!("constant `{}` refers to itself", declared.name.text),
            ));
            return self.unsupported_at(spot);
        }
        self.constants.push(item);
        let its_site = self.package.site(item.file, declared.declaration, declared.scope);
        let site = std::mem::replace(&mut self.site, Site { pinned: Some(spot), ..its_site });
        let its_blocks = syntax.map_or_else(Blocks::default, |it| Blocks::of(it.syntax(), declared.first_scope));
        let blocks = std::mem::replace(&mut self.blocks, its_blocks);
        let scopes = std::mem::replace(&mut self.scopes, vec![Frame::default()]);
        let self_type = match declared.owner {
            Some(block) => self.owner_type(item.file, block),
            None => None,
        };
        let self_type = std::mem::replace(&mut self.self_type, self_type);
        let ty = self.written_type(&ty);
        let value = self.check(&value, &ty);
        self.self_type = self_type;
        self.scopes = scopes;
        self.blocks = blocks;
        self.site = site;
        self.constants.pop();
        value
    }

    fn owner_type(&mut self, file: u32, block: u32) -> Option<Ty> {
        let declared = &self.package.files[file as usize].index.impls[block as usize];
        let ty = self.package.head::<ast::Impl>(file, declared.declaration)?.self_ty()?;
        Some(self.package.resolve_type(self.package.block_site(file, block), &ty, None))
    }

    /// The variant that a path refers to.
    pub(super) fn variant(&mut self, path: &[String], spot: Spot) -> Option<Variant> {
        let meaning = self.package.names.meaning(self.site.scope, path, Namespace::Values);
        let (ty, number) = match meaning {
            Meaning::Item(Entry::Variant(item, number)) => (self.package.user_type(item, spot), Some(number as usize)),
            // Reached through `Self` or an alias.
            _ => match path {
                [of @ .., _] if !of.is_empty() => (self.type_at(of, spot)?, None),
                _ => return None,
            },
        };
        let Ty::Con(Con::User(id), _) = ty else { return None };
        let TypeInfoKind::Enum(variants) = &self.package.type_info(id).kind else { return None };
        let number = number.or_else(|| variants.iter().position(|it| Some(&it.name) == path.last()))?;
        Some((id, number as u32, variants.get(number)?.fields.clone()))
    }

    /// `Name(values)` of a variant, a tuple struct or a scalar; `None` if the path is none of them.
    pub(super) fn construct(&mut self, path: &[String], values: &[ast::Expr], spot: Spot) -> Option<Expr> {
        if let Some((id, number, fields)) = self.variant(path, spot) {
            let values = self.positional(values, &fields, spot)?;
            return Some(self.make(spot, Ty::user(id), ExprKind::Variant(number, values)));
        }
        let ty = self.constructed(path, spot).or_else(|| self.type_at(path, spot))?;
        let name = path.last()?;
        let id = match &ty {
            Ty::Con(Con::User(id), _) => Some(*id),
            _ => None,
        };
        Some(match id.map(|it| self.package.type_info(it).kind.clone()) {
            Some(TypeInfoKind::Struct(fields)) => {
                let values = self.positional(values, &fields, spot);
                match values {
                    Some(values) => self.make(spot, ty, ExprKind::Tuple(values)),
                    None => self.unsupported_at(spot),
                }
            }
            Some(TypeInfoKind::Enum(_)) => self.type_error(spot, format!("`{name}` is an enum: name a variant")),
            Some(TypeInfoKind::Scalar(_)) | None => self.scalar(ty, values, spot),
        })
    }

    fn positional(&mut self, values: &[ast::Expr], fields: &[(String, Ty)], spot: Spot) -> Option<Vec<Expr>> {
        if values.len() != fields.len() {
            self.type_error(spot, format!("expected {} values, found {}", fields.len(), values.len()));
            return None;
        }
        Some(values.iter().zip(fields).map(|(value, (_, ty))| self.check(value, ty)).collect())
    }

    /// `Addr(1)`: one particular value of the scalar.
    fn scalar(&mut self, ty: Ty, values: &[ast::Expr], spot: Spot) -> Expr {
        let value = match values {
            [value] if is_new(value) => self.make(spot, Ty::STR, ExprKind::Literal(Literal::Str(String::new()))),
            [value] => self.expr(value, None),
            _ => return self.type_error(spot, "a scalar is made from one value"),
        };
        let text = match value.kind {
            ExprKind::Literal(literal) => scalar_text(literal),
            ExprKind::Unsupported => return self.unsupported_at(spot),
            _ => None,
        };
        match (text, ty.to_type()) {
            (Some(text), Some(of)) => self.make(spot, ty, ExprKind::Literal(Literal::Scalar(of, text))),
            _ => self.unsupported(
                spot,
                "a scalar made from a computed value",
                "make scalars from literals, or use `any()`",
            ),
        }
    }

    /// `Name { field: value, ..rest }`.
    pub(super) fn record(&mut self, record: &ast::RecordExpr) -> Expr {
        let spot = self.spot(record.syntax());
        let Some(path) = record.path().as_ref().and_then(path_segments) else {
            return self.unsupported(spot, "this path", "name the struct or the variant");
        };
        let list = record.record_expr_field_list();
        if let Some((id, number, fields)) = self.variant(&path, spot) {
            let (statements, values) = self.field_values(list, &fields, &Ty::user(id), spot);
            let value = self.make(spot, Ty::user(id), ExprKind::Variant(number, values));
            return self.after(statements, value, spot);
        }
        match self.type_at(&path, spot) {
            Some(Ty::Con(Con::User(id), _)) => {
                let Some(fields) = self.struct_fields(id, spot) else { return self.unsupported_at(spot) };
                let (statements, values) = self.field_values(list, &fields, &Ty::user(id), spot);
                let value = self.make(spot, Ty::user(id), ExprKind::Tuple(values));
                self.after(statements, value, spot)
            }
            Some(_) => self.unsupported_at(spot),
            None => {
                let name = path.join("::");
                let help = self.package.advice(&name, Namespace::Types, |it| matches!(it, Entry::Type(_)), []);
                self.unknown_name(spot, "struct", &name, help)
            }
        }
    }

    /// The values of all fields in declaration order. They are evaluated in the order in which they are written; if the orders differ, in
    /// separate statements.
    fn field_values(
        &mut self,
        list: Option<ast::RecordExprFieldList>,
        fields: &[(String, Ty)],
        own: &Ty,
        spot: Spot,
    ) -> (Vec<Stmt>, Vec<Expr>) {
        let mut values: Vec<Option<Expr>> = vec![None; fields.len()];
        let mut order = Vec::new();
        let mut unknown = false;
        for field in list.iter().flat_map(|it| it.fields()) {
            let name = field.field_name().map(|it| it.text().to_string()).unwrap_or_default();
            let Some(number) = fields.iter().position(|(known, _)| *known == name) else {
                let help = did_you_mean(&name, fields.iter().map(|(name, _)| name.as_str()));
                let spot = self.spot(field.syntax());
                self.unknown_name(spot, "field", &name, help);
                unknown = true;
                continue;
            };
            values[number] = Some(self.required(field.expr(), spot, Some(&fields[number].1)));
            order.push(number);
        }
        let mut statements = Vec::new();
        let rest = list.as_ref().and_then(|it| it.spread());
        if !order.is_sorted() || rest.is_some() {
            for number in order {
                if let Some(value) = values[number].take() {
                    let local = self.fresh_local(&fields[number].0, fields[number].1.clone(), false);
                    statements.push(Stmt::Let(Pattern::Bind(local), value));
                    values[number] = Some(self.read_local(local, spot));
                }
            }
        }
        let rest = rest.map(|it| {
            let value = self.check(&it, own);
            let local = self.fresh_local("rest", own.clone(), false);
            statements.push(Stmt::Let(Pattern::Bind(local), value));
            self.read_local(local, spot)
        });
        let values = if unknown && rest.is_none() {
            // The missing field may be the one whose name is wrong.
            values.into_iter().map(|it| it.unwrap_or_else(|| self.unsupported_at(spot))).collect()
        } else {
            self.fill(values, fields, rest, spot)
        };
        (statements, values)
    }

    /// Fills the missing fields from `..rest`.
    fn fill(
        &mut self,
        values: Vec<Option<Expr>>,
        fields: &[(String, Ty)],
        rest: Option<Expr>,
        spot: Spot,
    ) -> Vec<Expr> {
        let mut filled = Vec::new();
        for (number, value) in values.into_iter().enumerate() {
            let value = match (value, &rest) {
                (Some(value), _) => value,
                (None, Some(rest)) => {
                    let ty = fields[number].1.clone();
                    self.make(spot, ty, ExprKind::Field(Box::new(rest.clone()), number as u32))
                }
                (None, None) => self.type_error(spot, format!("field `{}` is missing", fields[number].0)),
            };
            filled.push(value);
        }
        filled
    }

    pub(super) fn after(&mut self, statements: Vec<Stmt>, value: Expr, spot: Spot) -> Expr {
        if statements.is_empty() {
            return value;
        }
        let ty = self.ty(&value);
        self.make(spot, ty, ExprKind::Block(statements, Some(Box::new(value))))
    }

    /// `Map::new()`, `Seq::from([…])`, `Default::default()` and the like: associated functions of the language's types.
    pub(super) fn language_function(
        &mut self,
        call: &ast::CallExpr,
        qualifier: &str,
        name: &str,
        spot: Spot,
    ) -> Option<Expr> {
        let values = super::expr::arguments(call);
        if qualifier == "Default" && name == "default" {
            let ty = self.infer.fresh();
            return Some(self.default_value(ty, spot));
        }
        let (con, _) = language_con(qualifier)?;
        let ty = self.qualifier_type(call, con, spot);
        match (con, name, values.as_slice()) {
            (_, "default", []) | (Con::Map | Con::Total | Con::Set | Con::Seq | Con::Str, "new", []) => {
                Some(self.default_value(ty, spot))
            }
            (Con::Str, "from", [value]) => Some(self.check(value, &Ty::STR)),
            (Con::Set | Con::Seq, "from", [ast::Expr::ArrayExpr(array)]) => Some(self.elements(ty, array, spot)),
            (Con::Int { .. }, "from", [value]) => {
                let value = self.expr(value, None);
                Some(self.widened(value, ty, spot))
            }
            (Con::Int { .. }, "try_from", [value]) => {
                let value = self.expr(value, None);
                Some(self.tried_into(value, ty, spot))
            }
            // A method, called by its path.
            (Con::Int { .. }, ..) => {
                let (prim, operands, result) = integer(&ty, name)?;
                let types: Vec<Ty> = std::iter::once(ty).chain(operands).collect();
                if values.len() != types.len() {
                    let message = format!("`{name}` takes {} arguments, found {}", types.len(), values.len());
                    return Some(self.type_error(spot, message));
                }
                let values = values.iter().zip(&types).map(|(value, ty)| self.check(value, ty)).collect();
                Some(self.make(spot, result, ExprKind::Prim(prim, values)))
            }
            (Con::Str | Con::Bool | Con::Pid | Con::Ordering | Con::OutOfRange, ..) => None,
            _ => {
                let what = format!("`{qualifier}::{name}`");
                Some(self.unsupported(spot, &what, "use `new()`; for `Set` and `Seq` also `from([…])`"))
            }
        }
    }

    /// `u64::from(value)`: from a type all of whose values are in the target type.
    pub(super) fn widened(&mut self, value: Expr, target: Ty, spot: Spot) -> Expr {
        let from = self.ty(&value);
        if self.infer.is_integer_variable(&from) {
            self.infer.unify(&from, &target);
        }
        let from = self.ty(&value);
        let fits = match (range(&from), range(&target)) {
            (Some(from), Some(target)) => target.contains(from.min()) && target.contains(from.max()),
            _ => from == Ty::BOOL || from == Ty::Error,
        };
        if !fits {
            let (from, target) = (self.package.type_name_of(&from), self.package.type_name_of(&target));
            return self.type_error(spot, format!("`{target}::from` does not take `{from}`"));
        }
        self.make(spot, target, ExprKind::Prim(Prim::Cast, vec![value]))
    }

    /// `Map` or `Map::<K, V>` before `::`.
    fn qualifier_type(&mut self, call: &ast::CallExpr, con: Con, spot: Spot) -> Ty {
        let path = match call.expr() {
            Some(ast::Expr::PathExpr(it)) => it.path().and_then(|it| it.qualifier()),
            _ => None,
        };
        let list = path.and_then(|it| it.segment()).and_then(|it| it.generic_arg_list());
        let mut written = Vec::new();
        for argument in list.into_iter().flat_map(|it| it.generic_args()) {
            if let ast::GenericArg::TypeArg(it) = argument {
                written.extend(it.ty().map(|it| self.written_type(&it)));
            }
        }
        let arity = match con {
            Con::Map | Con::Total | Con::Result => 2,
            Con::Set | Con::Seq | Con::Option => 1,
            _ => 0,
        };
        if !written.is_empty() && written.len() != arity {
            self.type_error(spot, format!("expected {arity} type arguments, found {}", written.len()));
            return Ty::Error;
        }
        while written.len() < arity {
            written.push(self.infer.fresh());
        }
        Ty::Con(con, written)
    }

    fn elements(&mut self, ty: Ty, array: &ast::ArrayExpr, spot: Spot) -> Expr {
        let ast::ArrayExprKind::ElementList(elements) = array.kind() else {
            return self.unsupported(spot, "an array of repeated elements", "write the elements out");
        };
        let Ty::Con(_, types) = &ty else { return self.unsupported_at(spot) };
        let elements = elements.map(|it| self.check(&it, &types[0])).collect();
        self.make(spot, ty, ExprKind::Prim(Prim::Elements, elements))
    }
}

/// `String::new()` or `Vec::new()`: the operand of an empty scalar constant.
fn is_new(value: &ast::Expr) -> bool {
    let ast::Expr::CallExpr(call) = value else { return false };
    let text: String = call.syntax().text().to_string().split_whitespace().collect();
    text == "String::new()" || text == "Vec::new()"
}
