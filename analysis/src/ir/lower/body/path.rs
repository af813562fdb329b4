//! Paths and what is built from them: constants, variants, structs, scalars.

use super::{Body, path_names, pattern::scalar_text};
use crate::{
    diagnostics::codes,
    ir::lower::{
        package::{ItemRef, Site},
        report::{did_you_mean, error},
        ty::{Con, Ty},
        types::{TypeInfoKind, language_con},
    },
    ir::{Expr, ExprKind, Literal, Pattern, Prim, Span, Stmt, TypeId},
    syntax::{
        AstNode,
        ast::{self, HasGenericArgs},
    },
};

/// A variant: its enum, its number, its fields.
pub(super) type Variant = (TypeId, u32, Vec<(String, Ty)>);

impl Body<'_, '_> {
    /// A path that is no local variable.
    pub(super) fn path_value(&mut self, path: &ast::PathExpr) -> Expr {
        let span = self.span(path.syntax());
        let Some((qualifier, name)) = path.path().as_ref().and_then(path_names) else {
            return self.unsupported(span, "this path", "name a variable, a constant, a variant or a function");
        };
        let qualifier = qualifier.as_deref();
        if name == "None" && qualifier.is_none_or(|it| it == "Option") {
            let element = self.infer.fresh();
            return self.make(span, Ty::option(element), ExprKind::Variant(0, Vec::new()));
        }
        if let Some(constant) = self.constant(qualifier, &name, span) {
            return constant;
        }
        if let Some((id, number, fields)) = self.variant(qualifier, &name, None, span) {
            if !fields.is_empty() {
                return self.unsupported(span, "a variant as a function", "call it with its values");
            }
            return self.make(span, Ty::user(id), ExprKind::Variant(number, Vec::new()));
        }
        self.other_path(qualifier, &name, span)
    }

    fn other_path(&mut self, qualifier: Option<&str>, name: &str, span: Span) -> Expr {
        if qualifier.is_none() && self.lookup(name).is_some() {
            return self.unsupported(span, "the lower layer as a value", "call one of its operations");
        }
        if let Some(Ty::Con(Con::User(id), _)) = self.type_named(name, span)
            && matches!(&self.package.type_info(id).kind, TypeInfoKind::Struct(fields) if fields.is_empty())
        {
            return self.make(span, Ty::user(id), ExprKind::Tuple(Vec::new()));
        }
        let owner = qualifier.and_then(|it| self.owner_name(it));
        if self.package.function_names.contains_key(&(owner, name.to_owned())) {
            return self.unsupported(span, "a function as a value", "call it, or write a closure");
        }
        let in_scope: Vec<String> = self.scopes.iter().flatten().map(|(name, _)| name.clone()).collect();
        let constants = self.package.constants.keys().map(|(_, name)| name.as_str());
        let help = did_you_mean(name, in_scope.iter().map(String::as_str).chain(constants));
        self.unknown_name(span, "name", name, help)
    }

    /// The name of the type before `::`; `None` for a module.
    pub(super) fn owner_name(&mut self, qualifier: &str) -> Option<String> {
        if qualifier == "Self" {
            return match self.self_type.clone() {
                Some(Ty::Con(Con::User(id), _)) => Some(self.package.type_info(id).name.clone()),
                // `Self` in an implementation is a type without values; its functions are known by its name.
                _ => self.package.owner(self.item).and_then(|it| it.self_type.as_ref()).map(|it| it.text.clone()),
            };
        }
        qualifier.starts_with(char::is_uppercase).then(|| qualifier.to_owned())
    }

    /// The type called `name`, if there is one.
    pub(super) fn type_named(&mut self, name: &str, span: Span) -> Option<Ty> {
        if name == "Self" {
            return self.self_type.clone();
        }
        let known = self.package.type_names.contains_key(name) || name == "Pid";
        known.then(|| self.package.resolve_name(self.site, span, name))
    }

    /// What the constant `name` stands for, written out in place of it; `None` if there is none.
    pub(super) fn constant(&mut self, qualifier: Option<&str>, name: &str, span: Span) -> Option<Expr> {
        if let Some(limit) = qualifier.and_then(|it| self.limit(it, name, span)) {
            return Some(limit);
        }
        let owner = qualifier.and_then(|it| self.owner_name(it));
        let candidates = self.package.constants.get(&(owner, name.to_owned()));
        match self.package.pick(candidates, self.site.file) {
            Ok(None) => None,
            Ok(Some(item)) => Some(self.expand(item, span)),
            Err(_) => Some(self.ambiguous(name, span)),
        }
    }

    pub(super) fn ambiguous(&mut self, name: &str, span: Span) -> Expr {
        let message = format!("`{name}` is declared twice in this package, and `use` is not consulted");
        self.package.report(error(codes::CS0203, span, message));
        self.unsupported_at(span)
    }

    /// `u8::MAX`.
    fn limit(&mut self, qualifier: &str, name: &str, span: Span) -> Option<Expr> {
        let (Con::Int { bits, signed }, _) = language_con(qualifier)? else { return None };
        let max = (1_i128 << (bits - u8::from(signed))) - 1;
        let value = match name {
            "MAX" => max,
            "MIN" if signed => -max - 1,
            "MIN" => 0,
            _ => return None,
        };
        Some(match i64::try_from(value) {
            Ok(value) => self.make(span, Ty::int(bits, signed), ExprKind::Literal(Literal::Int(value))),
            Err(_) => self.type_error(
                span,
                "this integer does not fit into 64 bits with a sign, which is what the engine computes with",
            ),
        })
    }

    fn expand(&mut self, item: ItemRef, span: Span) -> Expr {
        let index = self.package.files[item.file as usize].index;
        let declared = &index.constants[item.index as usize];
        let syntax: Option<ast::Const> = self.package.node(item.file, declared.declaration);
        let (Some(ty), Some(value)) =
            (syntax.as_ref().and_then(ast::Const::ty), syntax.as_ref().and_then(ast::Const::body))
        else {
            return self.unsupported_at(span);
        };
        if self.constants.contains(&item) {
            self.package.report(error(
                codes::CS0206,
                span,
                format!("constant `{}` is made from itself", declared.name.text),
            ));
            return self.unsupported_at(span);
        }
        self.constants.push(item);
        let site = std::mem::replace(&mut self.site, Site { pinned: Some(span), ..Site::file(item.file) });
        let scopes = std::mem::replace(&mut self.scopes, vec![Vec::new()]);
        let self_type = match declared.owner {
            Some(block) => self.owner_type(item.file, block),
            None => None,
        };
        let self_type = std::mem::replace(&mut self.self_type, self_type);
        let ty = self.written_type(&ty);
        let value = self.check(&value, &ty);
        self.self_type = self_type;
        self.scopes = scopes;
        self.site = site;
        self.constants.pop();
        value
    }

    fn owner_type(&mut self, file: u32, block: u32) -> Option<Ty> {
        let declared = &self.package.files[file as usize].index.impls[block as usize];
        let ty = self.package.node::<ast::Impl>(file, declared.declaration)?.self_ty()?;
        Some(self.package.resolve_type(Site::file(file), &ty, None))
    }

    /// The variant that a path means: of the enum before `::`, of the enum `expected`, or of one that is in use.
    pub(super) fn variant(
        &mut self,
        qualifier: Option<&str>,
        name: &str,
        expected: Option<&Ty>,
        span: Span,
    ) -> Option<Variant> {
        let ty = match qualifier.filter(|it| it.starts_with(char::is_uppercase)) {
            Some(qualifier) => self.type_named(qualifier, span)?,
            None if name.starts_with(char::is_uppercase) => match expected.map(|it| self.infer.shallow(it)) {
                Some(ty @ Ty::Con(Con::User(_), _)) => ty,
                _ => self.enum_with(name)?,
            },
            None => return None,
        };
        let Ty::Con(Con::User(id), _) = ty else { return None };
        let TypeInfoKind::Enum(variants) = &self.package.type_info(id).kind else { return None };
        let number = variants.iter().position(|it| it.name == name)?;
        Some((id, number as u32, variants[number].fields.clone()))
    }

    fn enum_with(&self, variant: &str) -> Option<Ty> {
        let has = |kind: &TypeInfoKind| matches!(kind, TypeInfoKind::Enum(variants) if variants.iter().any(|it| it.name == variant));
        self.package.types.iter().position(|it| has(&it.kind)).map(|it| Ty::user(TypeId(it as u32)))
    }

    /// `Name(values)` of a variant, a tuple struct or a scalar; `None` if the path is none of them.
    pub(super) fn construct(
        &mut self,
        qualifier: Option<&str>,
        name: &str,
        values: &[ast::Expr],
        span: Span,
    ) -> Option<Expr> {
        if let Some((id, number, fields)) = self.variant(qualifier, name, None, span) {
            let values = self.positional(values, &fields, span)?;
            return Some(self.make(span, Ty::user(id), ExprKind::Variant(number, values)));
        }
        let ty = self.type_named(name, span)?;
        let id = match &ty {
            Ty::Con(Con::User(id), _) => Some(*id),
            _ => None,
        };
        Some(match id.map(|it| self.package.type_info(it).kind.clone()) {
            Some(TypeInfoKind::Struct(fields)) => {
                let values = self.positional(values, &fields, span);
                match values {
                    Some(values) => self.make(span, ty, ExprKind::Tuple(values)),
                    None => self.unsupported_at(span),
                }
            }
            Some(TypeInfoKind::Enum(_)) => self.type_error(span, format!("`{name}` is an enum: name a variant")),
            Some(TypeInfoKind::Scalar) | None => self.scalar(ty, values, span),
        })
    }

    fn positional(&mut self, values: &[ast::Expr], fields: &[(String, Ty)], span: Span) -> Option<Vec<Expr>> {
        if values.len() != fields.len() {
            self.type_error(span, format!("expected {} values, found {}", fields.len(), values.len()));
            return None;
        }
        Some(values.iter().zip(fields).map(|(value, (_, ty))| self.check(value, ty)).collect())
    }

    /// `Addr(1)`: one particular value of the scalar.
    fn scalar(&mut self, ty: Ty, values: &[ast::Expr], span: Span) -> Expr {
        let value = match values {
            [value] if is_new(value) => self.make(span, Ty::STR, ExprKind::Literal(Literal::Str(String::new()))),
            [value] => self.expr(value, None),
            _ => return self.type_error(span, "a scalar is made from one value"),
        };
        let text = match value.kind {
            ExprKind::Literal(literal) => scalar_text(literal),
            ExprKind::Unsupported => return self.unsupported_at(span),
            _ => None,
        };
        match (text, ty.to_type()) {
            (Some(text), Some(of)) => self.make(span, ty, ExprKind::Literal(Literal::Scalar(of, text))),
            _ => self.unsupported(
                span,
                "a scalar made from a computed value",
                "make scalars from literals, or use `any()`",
            ),
        }
    }

    /// `Name { field: value, ..rest }`.
    pub(super) fn record(&mut self, record: &ast::RecordExpr) -> Expr {
        let span = self.span(record.syntax());
        let Some((qualifier, name)) = record.path().as_ref().and_then(path_names) else {
            return self.unsupported_at(span);
        };
        let list = record.record_expr_field_list();
        if let Some((id, number, fields)) = self.variant(qualifier.as_deref(), &name, None, span) {
            let (statements, values) = self.field_values(list, &fields, &Ty::user(id), span);
            let value = self.make(span, Ty::user(id), ExprKind::Variant(number, values));
            return self.after(statements, value, span);
        }
        match self.type_named(&name, span) {
            Some(Ty::Con(Con::User(id), _)) => {
                let Some(fields) = self.struct_fields(id, span) else { return self.unsupported_at(span) };
                let (statements, values) = self.field_values(list, &fields, &Ty::user(id), span);
                let value = self.make(span, Ty::user(id), ExprKind::Tuple(values));
                self.after(statements, value, span)
            }
            Some(_) => self.unsupported_at(span),
            None => {
                let help = did_you_mean(&name, self.package.type_names.keys().map(String::as_str));
                self.unknown_name(span, "struct", &name, help)
            }
        }
    }

    /// The values of all fields in declaration order. They are evaluated in the order written: where that differs, in statements.
    fn field_values(
        &mut self,
        list: Option<ast::RecordExprFieldList>,
        fields: &[(String, Ty)],
        own: &Ty,
        span: Span,
    ) -> (Vec<Stmt>, Vec<Expr>) {
        let mut values: Vec<Option<Expr>> = vec![None; fields.len()];
        let mut order = Vec::new();
        let mut unknown = false;
        for field in list.iter().flat_map(|it| it.fields()) {
            let name = field.field_name().map(|it| it.text().to_string()).unwrap_or_default();
            let Some(number) = fields.iter().position(|(known, _)| *known == name) else {
                let help = did_you_mean(&name, fields.iter().map(|(name, _)| name.as_str()));
                let span = self.span(field.syntax());
                self.unknown_name(span, "field", &name, help);
                unknown = true;
                continue;
            };
            values[number] = Some(self.required(field.expr(), span, Some(&fields[number].1)));
            order.push(number);
        }
        let mut statements = Vec::new();
        let rest = list.as_ref().and_then(|it| it.spread());
        if !order.is_sorted() || rest.is_some() {
            for number in order {
                if let Some(value) = values[number].take() {
                    let local = self.fresh_local(&fields[number].0, fields[number].1.clone(), false);
                    statements.push(Stmt::Let(Pattern::Bind(local), value));
                    values[number] = Some(self.read_local(local, span));
                }
            }
        }
        let rest = rest.map(|it| {
            let value = self.check(&it, own);
            let local = self.fresh_local("rest", own.clone(), false);
            statements.push(Stmt::Let(Pattern::Bind(local), value));
            self.read_local(local, span)
        });
        let values = if unknown && rest.is_none() {
            // The field that lacks may be the one whose name is wrong.
            values.into_iter().map(|it| it.unwrap_or_else(|| self.unsupported_at(span))).collect()
        } else {
            self.fill(values, fields, rest, span)
        };
        (statements, values)
    }

    /// Fills the missing fields from `..rest`.
    fn fill(
        &mut self,
        values: Vec<Option<Expr>>,
        fields: &[(String, Ty)],
        rest: Option<Expr>,
        span: Span,
    ) -> Vec<Expr> {
        let mut filled = Vec::new();
        for (number, value) in values.into_iter().enumerate() {
            let value = match (value, &rest) {
                (Some(value), _) => value,
                (None, Some(rest)) => {
                    let ty = fields[number].1.clone();
                    self.make(span, ty, ExprKind::Field(Box::new(rest.clone()), number as u32))
                }
                (None, None) => self.type_error(span, format!("field `{}` is missing", fields[number].0)),
            };
            filled.push(value);
        }
        filled
    }

    pub(super) fn after(&mut self, statements: Vec<Stmt>, value: Expr, span: Span) -> Expr {
        if statements.is_empty() {
            return value;
        }
        let ty = self.ty(&value);
        self.make(span, ty, ExprKind::Block(statements, Some(Box::new(value))))
    }

    /// `Map::new()`, `Seq::from([…])`, `Default::default()` and the like: associated functions of the language's types.
    pub(super) fn language_function(
        &mut self,
        call: &ast::CallExpr,
        qualifier: &str,
        name: &str,
        span: Span,
    ) -> Option<Expr> {
        let values = super::expr::arguments(call);
        if qualifier == "Default" && name == "default" {
            let ty = self.infer.fresh();
            return Some(self.make(span, ty, ExprKind::Prim(Prim::Default, Vec::new())));
        }
        let (con, _) = language_con(qualifier)?;
        let ty = self.qualifier_type(call, con, span);
        match (con, name, values.as_slice()) {
            (_, "default", []) | (Con::Map | Con::Total | Con::Set | Con::Seq | Con::Str, "new", []) => {
                Some(self.make(span, ty, ExprKind::Prim(Prim::Default, Vec::new())))
            }
            (Con::Str, "from", [value]) => Some(self.check(value, &Ty::STR)),
            (Con::Set | Con::Seq, "from", [ast::Expr::ArrayExpr(array)]) => Some(self.elements(ty, array, span)),
            (Con::Int { .. }, ..) | (Con::Str | Con::Bool | Con::Pid, ..) => None,
            _ => {
                let what = format!("`{qualifier}::{name}`");
                Some(self.unsupported(span, &what, "use `new()`; for `Set` and `Seq` also `from([…])`"))
            }
        }
    }

    /// `Map` or `Map::<K, V>` before `::`.
    fn qualifier_type(&mut self, call: &ast::CallExpr, con: Con, span: Span) -> Ty {
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
            Con::Map | Con::Total => 2,
            Con::Set | Con::Seq | Con::Option => 1,
            _ => 0,
        };
        if !written.is_empty() && written.len() != arity {
            self.type_error(span, format!("expected {arity} type arguments, found {}", written.len()));
            return Ty::Error;
        }
        while written.len() < arity {
            written.push(self.infer.fresh());
        }
        Ty::Con(con, written)
    }

    fn elements(&mut self, ty: Ty, array: &ast::ArrayExpr, span: Span) -> Expr {
        let ast::ArrayExprKind::ElementList(elements) = array.kind() else {
            return self.unsupported(span, "an array of repeated elements", "write the elements out");
        };
        let Ty::Con(_, types) = &ty else { return self.unsupported_at(span) };
        let elements = elements.map(|it| self.check(&it, &types[0])).collect();
        self.make(span, ty, ExprKind::Prim(Prim::Elements, elements))
    }
}

/// `String::new()` or `Vec::new()`: what a constant of an empty scalar is made from.
fn is_new(value: &ast::Expr) -> bool {
    let ast::Expr::CallExpr(call) = value else { return false };
    let text: String = call.syntax().text().to_string().split_whitespace().collect();
    text == "String::new()" || text == "Vec::new()"
}
