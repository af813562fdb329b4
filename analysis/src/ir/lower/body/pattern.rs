//! Patterns of `let`, `match` and `for`.

use super::{Body, call::is_result_variant, control::bound_locals, pattern_name};
use crate::{
    index::path_segments,
    ir::lower::{
        names::Namespace,
        spot::Spot,
        ty::{Con, Ty},
        types::TypeInfoKind,
    },
    ir::{
        Expr, ExprKind, Literal, LocalId, Pattern,
        int::{Computed, IntType, compute},
    },
    syntax::{
        AstNode, ast,
        operators::{RangeItem, RangeOp},
    },
};

impl Body<'_> {
    /// A pattern that every value of the type must match: in `let`, `for`, parameters.
    pub(super) fn irrefutable(&mut self, pattern: &ast::Pat, ty: &Ty) -> Pattern {
        let lowered = self.pattern(pattern, ty);
        self.must_fit(lowered, pattern, ty)
    }

    /// Reports a pattern that some value does not match.
    pub(super) fn must_fit(&mut self, lowered: Pattern, pattern: &ast::Pat, ty: &Ty) -> Pattern {
        if let Some(problem) = self.refutable(&lowered, ty) {
            let spot = self.spot(pattern.syntax());
            self.type_error(spot, format!("{problem} does not match every value; use `let … else` or `match`"));
            return Pattern::Wild;
        }
        lowered
    }

    fn refutable(&self, pattern: &Pattern, ty: &Ty) -> Option<&'static str> {
        match pattern {
            Pattern::Wild | Pattern::Bind(_) => None,
            Pattern::At(_, inner) => self.refutable(inner, ty),
            Pattern::Literal(_) => Some("a literal"),
            Pattern::Range(..) => Some("a range"),
            Pattern::Tuple(parts) => self.refutable_part(parts, &self.types_of_parts(ty)),
            Pattern::Variant(_, parts) if self.has_one_variant(ty) => {
                self.refutable_part(parts, &self.types_of_parts(ty))
            }
            Pattern::Variant(..) => Some("a variant"),
            Pattern::Or(_) => Some("a choice of patterns"),
        }
    }

    fn refutable_part(&self, parts: &[Pattern], types: &[Ty]) -> Option<&'static str> {
        let types = types.iter().chain(std::iter::repeat(&Ty::Error));
        parts.iter().zip(types).find_map(|(part, ty)| self.refutable(part, ty))
    }

    fn has_one_variant(&self, ty: &Ty) -> bool {
        let Ty::Con(Con::User(id), _) = self.infer.shallow(ty) else { return false };
        matches!(&self.package.type_info(id).kind, TypeInfoKind::Enum(variants) if variants.len() == 1)
    }

    /// The types of the parts of a tuple, a struct, or the only variant of an enum.
    fn types_of_parts(&self, ty: &Ty) -> Vec<Ty> {
        let of_fields = |fields: &[(String, Ty)]| fields.iter().map(|(_, ty)| ty.clone()).collect();
        match self.infer.shallow(ty) {
            Ty::Con(Con::Tuple, types) => types,
            Ty::Con(Con::User(id), _) => match &self.package.type_info(id).kind {
                TypeInfoKind::Struct(fields) => of_fields(fields),
                TypeInfoKind::Enum(variants) if variants.len() == 1 => of_fields(&variants[0].fields),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// A pattern for values of type `ty`; its names are bound in the current scope.
    pub(super) fn pattern(&mut self, pattern: &ast::Pat, ty: &Ty) -> Pattern {
        if self.depth >= super::DEPTH {
            let spot = self.spot(pattern.syntax());
            self.type_error(spot, "nested too deeply");
            return Pattern::Wild;
        }
        self.depth += 1;
        let lowered = self.pattern_of_kind(pattern, ty);
        self.depth -= 1;
        lowered
    }

    fn pattern_of_kind(&mut self, pattern: &ast::Pat, ty: &Ty) -> Pattern {
        let spot = self.spot(pattern.syntax());
        match pattern {
            ast::Pat::WildcardPat(_) => Pattern::Wild,
            ast::Pat::IdentPat(it) => self.name_pattern(it, ty, spot),
            ast::Pat::LiteralPat(it) => self.literal_pattern(it, ty, spot),
            ast::Pat::ParenPat(it) => it.pat().map_or(Pattern::Wild, |it| self.pattern(&it, ty)),
            ast::Pat::RefPat(it) => it.pat().map_or(Pattern::Wild, |it| self.pattern(&it, ty)),
            ast::Pat::TuplePat(it) => self.tuple_pattern(&it.fields().collect::<Vec<_>>(), ty, spot),
            ast::Pat::TupleStructPat(it) => self.tuple_struct_pattern(it, ty, spot),
            ast::Pat::PathPat(it) => self.path_pattern(it, ty, spot),
            ast::Pat::RecordPat(it) => self.record_pattern(it, ty, spot),
            ast::Pat::OrPat(it) => self.or_pattern(it, ty, spot),
            ast::Pat::RangePat(it) => self.range_pattern(it, ty, spot),
            ast::Pat::SlicePat(_) => self.refused(spot, "a slice pattern", "use `first()`, `last()` and `len()`"),
            _ => self.refused(spot, "this pattern", "see the executable subset in docs/language.md"),
        }
    }

    fn refused(&mut self, spot: Spot, what: &str, help: &str) -> Pattern {
        self.package.unsupported(spot, what, help);
        Pattern::Wild
    }

    fn expect_type(&mut self, found: &Ty, ty: &Ty, spot: Spot) -> bool {
        let fits = self.infer.unify(ty, found);
        if !fits {
            self.mismatch(spot, ty, found);
        }
        fits
    }

    fn name_pattern(&mut self, pattern: &ast::IdentPat, ty: &Ty, spot: Spot) -> Pattern {
        let name = pattern_name(pattern);
        let is_bare = pattern.pat().is_none() && pattern.mut_token().is_none() && pattern.ref_token().is_none();
        if is_bare && let Some(constant) = self.named_pattern(std::slice::from_ref(&name), ty, spot) {
            return constant;
        }
        if pattern.ref_token().is_some() && pattern.mut_token().is_some() {
            return self.refused(spot, "`ref mut`", "change the place itself");
        }
        let local = self.declare(&name, ty.clone(), pattern.mut_token().is_some());
        match pattern.pat() {
            Some(inner) => Pattern::At(local, Box::new(self.pattern(&inner, ty))),
            None => Pattern::Bind(local),
        }
    }

    /// The constant or variant without payload that a name refers to; `None` if it is a new binding.
    fn named_pattern(&mut self, path: &[String], ty: &Ty, spot: Spot) -> Option<Pattern> {
        if self.is_none(path) {
            let element = self.infer.fresh();
            self.expect_type(&Ty::option(element), ty, spot);
            return Some(Pattern::Variant(0, Vec::new()));
        }
        if let Some(order) = self.order_named(path) {
            self.expect_type(&Ty::ORDERING, ty, spot);
            return Some(order.pattern());
        }
        if let Some(constant) = self.constant(path, spot) {
            let found = self.ty(&constant);
            self.expect_type(&found, ty, spot);
            if let Some(value) = self.computed(&constant) {
                return Some(Pattern::Literal(Literal::Int(value)));
            }
            return Some(match constant.kind {
                ExprKind::Literal(literal) => Pattern::Literal(literal),
                ExprKind::Unsupported => Pattern::Wild,
                _ => self.refused(
                    spot,
                    "a constant that is not a literal, as a pattern,",
                    "compare with `==` in a guard",
                ),
            });
        }
        let (id, number, fields) = self.variant(path, spot)?;
        self.expect_type(&Ty::user(id), ty, spot);
        Some(Pattern::Variant(number, vec![Pattern::Wild; fields.len()]))
    }

    /// The value of a computation with integer literals only, as constants are.
    fn computed(&self, expr: &Expr) -> Option<i128> {
        match &expr.kind {
            ExprKind::Literal(Literal::Int(value)) => Some(*value),
            ExprKind::Prim(prim, operands) => {
                let of = if prim.is_about_operand() { operands.first()? } else { expr };
                let int = IntType::of(&self.infer.resolve(&self.ty(of)).to_type()?)?;
                let operands: Vec<i128> = operands.iter().map(|it| self.computed(it)).collect::<Option<_>>()?;
                match compute(*prim, &operands, int)? {
                    Computed::Int(value) => Some(value),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn literal_pattern(&mut self, pattern: &ast::LiteralPat, ty: &Ty, spot: Spot) -> Pattern {
        let Some(literal) = pattern.literal() else { return Pattern::Wild };
        let Some((value, found)) = self.literal_value(&literal, pattern.minus_token().is_some()) else {
            return Pattern::Wild;
        };
        self.expect_type(&found, ty, spot);
        Pattern::Literal(value)
    }

    /// `1..=5`, `..10`, `LEAST..`: a range of integers.
    fn range_pattern(&mut self, pattern: &ast::RangePat, ty: &Ty, spot: Spot) -> Pattern {
        let is_inclusive = matches!(pattern.op_kind(), Some(RangeOp::Inclusive));
        let mut ends = [pattern.start(), pattern.end()].map(|it| it.map(|it| self.pattern(&it, ty)));
        for end in &mut ends {
            match end {
                None | Some(Pattern::Literal(Literal::Int(_)) | Pattern::Wild) => {}
                Some(_) => return self.refused(spot, "this end of a range", "write an integer or a constant"),
            }
        }
        let [start, end] = ends.map(|it| match it {
            Some(Pattern::Literal(Literal::Int(value))) => Some(value),
            _ => None,
        });
        let integer = self.infer.fresh_integer();
        self.expect_type(&integer, ty, spot);
        Pattern::Range(Box::new([start, end.map(|it| if is_inclusive { it } else { it - 1 })]))
    }

    /// The names in the path of a pattern.
    fn pattern_path(&mut self, path: Option<ast::Path>, spot: Spot) -> Option<Vec<String>> {
        let path = path.as_ref().and_then(path_segments);
        if path.is_none() {
            self.refused(spot, "this path", "name the variant, the struct or the constant");
        }
        path
    }

    fn path_pattern(&mut self, pattern: &ast::PathPat, ty: &Ty, spot: Spot) -> Pattern {
        let Some(path) = self.pattern_path(pattern.path(), spot) else { return Pattern::Wild };
        match self.named_pattern(&path, ty, spot) {
            Some(pattern) => pattern,
            None => {
                self.unknown_name(spot, "variant or constant", &path.join("::"), None);
                Pattern::Wild
            }
        }
    }

    fn tuple_pattern(&mut self, parts: &[ast::Pat], ty: &Ty, spot: Spot) -> Pattern {
        let types = match self.infer.shallow(ty) {
            Ty::Con(Con::Tuple, types) => types,
            Ty::Error => parts.iter().map(|_| Ty::Error).collect(),
            other => {
                let types: Vec<Ty> = parts.iter().map(|_| self.infer.fresh()).collect();
                if !self.expect_type(&Ty::tuple(types.clone()), &other, spot) {
                    return Pattern::Wild;
                }
                types
            }
        };
        self.parts(parts, &types, spot).map_or(Pattern::Wild, Pattern::Tuple)
    }

    /// Positional parts, with `..` filled in; `None` if their number is wrong, which is reported.
    fn parts(&mut self, parts: &[ast::Pat], types: &[Ty], spot: Spot) -> Option<Vec<Pattern>> {
        let rest = parts.iter().position(|it| matches!(it, ast::Pat::RestPat(_)));
        let written = parts.len() - usize::from(rest.is_some());
        if written > types.len() || (rest.is_none() && written < types.len()) {
            self.type_error(spot, format!("this pattern has {written} parts, and the value has {}", types.len()));
            return None;
        }
        let skipped = types.len() - written;
        let mut lowered = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            if Some(number) == rest {
                lowered.extend(std::iter::repeat_n(Pattern::Wild, skipped));
            } else {
                let ty = types[lowered.len()].clone();
                lowered.push(self.pattern(part, &ty));
            }
        }
        Some(lowered)
    }

    fn tuple_struct_pattern(&mut self, pattern: &ast::TupleStructPat, ty: &Ty, spot: Spot) -> Pattern {
        let Some(path) = self.pattern_path(pattern.path(), spot) else { return Pattern::Wild };
        let parts: Vec<ast::Pat> = pattern.fields().collect();
        let known = self.package.language_path(self.site.scope, &path, Namespace::Values);
        if let Some((owner, name)) = &known
            && is_result_variant(owner.as_deref(), name)
        {
            let (tag, part) = if name == "Ok" { (0, 0) } else { (1, 1) };
            let types = vec![self.infer.fresh(), self.infer.fresh()];
            if !self.expect_type(&Ty::Con(Con::Result, types.clone()), ty, spot) {
                return Pattern::Wild;
            }
            let part = std::slice::from_ref(&types[part]);
            return self.parts(&parts, part, spot).map_or(Pattern::Wild, |it| Pattern::Variant(tag, it));
        }
        if known.is_some_and(|(owner, name)| name == "Some" && owner.is_none_or(|it| it == "Option")) {
            let element = self.infer.fresh();
            if !self.expect_type(&Ty::option(element.clone()), ty, spot) {
                return Pattern::Wild;
            }
            return self.parts(&parts, &[element], spot).map_or(Pattern::Wild, |it| Pattern::Variant(1, it));
        }
        if let Some((id, number, fields)) = self.variant(&path, spot) {
            self.expect_type(&Ty::user(id), ty, spot);
            let types: Vec<Ty> = fields.into_iter().map(|(_, ty)| ty).collect();
            return self.parts(&parts, &types, spot).map_or(Pattern::Wild, |it| Pattern::Variant(number, it));
        }
        self.tuple_type_pattern(&path, &parts, ty, spot)
    }

    /// `Name(…)` of a tuple struct or a scalar.
    fn tuple_type_pattern(&mut self, path: &[String], parts: &[ast::Pat], ty: &Ty, spot: Spot) -> Pattern {
        let Some(found) = self.type_at(path, spot) else {
            self.unknown_name(spot, "variant or struct", &path.join("::"), None);
            return Pattern::Wild;
        };
        self.expect_type(&found, ty, spot);
        let id = match &found {
            Ty::Con(Con::User(id), _) => Some(*id),
            _ => None,
        };
        match id.map(|it| self.package.type_info(it).kind.clone()) {
            Some(TypeInfoKind::Struct(fields)) => {
                let types: Vec<Ty> = fields.into_iter().map(|(_, ty)| ty).collect();
                self.parts(parts, &types, spot).map_or(Pattern::Wild, Pattern::Tuple)
            }
            Some(TypeInfoKind::Enum(_)) => self.refused(spot, "this pattern", "name the variant: `Type::Variant(…)`"),
            Some(TypeInfoKind::Scalar(_)) | None => self.scalar_pattern(&found, parts, spot),
        }
    }

    fn scalar_pattern(&mut self, ty: &Ty, parts: &[ast::Pat], spot: Spot) -> Pattern {
        let text = match parts {
            [ast::Pat::LiteralPat(it)] => {
                it.literal().and_then(|it| self.literal_value(&it, false)).map(|(value, _)| value)
            }
            _ => None,
        };
        match (text.and_then(scalar_text), ty.to_type()) {
            (Some(text), Some(ty)) => Pattern::Literal(Literal::Scalar(ty, text)),
            _ => self.refused(spot, "reading the inside of a scalar", "scalars are only compared"),
        }
    }

    fn record_pattern(&mut self, pattern: &ast::RecordPat, ty: &Ty, spot: Spot) -> Pattern {
        let Some(path) = self.pattern_path(pattern.path(), spot) else { return Pattern::Wild };
        let list = pattern.record_pat_field_list();
        if let Some((id, number, fields)) = self.variant(&path, spot) {
            self.expect_type(&Ty::user(id), ty, spot);
            return Pattern::Variant(number, self.field_patterns(list, &fields, spot));
        }
        let Some(found) = self.type_at(&path, spot) else {
            self.unknown_name(spot, "struct", &path.join("::"), None);
            return Pattern::Wild;
        };
        self.expect_type(&found, ty, spot);
        let Ty::Con(Con::User(id), _) = found else { return Pattern::Wild };
        let Some(fields) = self.struct_fields(id, spot) else { return Pattern::Wild };
        Pattern::Tuple(self.field_patterns(list, &fields, spot))
    }

    fn field_patterns(
        &mut self,
        list: Option<ast::RecordPatFieldList>,
        fields: &[(String, Ty)],
        spot: Spot,
    ) -> Vec<Pattern> {
        let mut lowered = vec![Pattern::Wild; fields.len()];
        for field in list.into_iter().flat_map(|it| it.fields()) {
            let name = field.field_name().map(|it| it.text().to_string()).unwrap_or_default();
            let Some(number) = fields.iter().position(|(known, _)| *known == name) else {
                let help = crate::ir::lower::report::did_you_mean(&name, fields.iter().map(|(name, _)| name.as_str()));
                self.unknown_name(spot, "field", &name, help);
                continue;
            };
            if let Some(pattern) = field.pat() {
                lowered[number] = self.pattern(&pattern, &fields[number].1);
            }
        }
        lowered
    }

    fn or_pattern(&mut self, pattern: &ast::OrPat, ty: &Ty, spot: Spot) -> Pattern {
        let mut alternatives = Vec::new();
        let mut names: Vec<(String, LocalId)> = Vec::new();
        for (number, alternative) in pattern.pats().enumerate() {
            if number == 0 {
                let first = self.pattern(&alternative, ty);
                names = self.named(&first);
                alternatives.push(first);
                continue;
            }
            let mut other = self.scoped(|this| this.pattern(&alternative, ty));
            let renamed: Vec<(String, LocalId)> = self.named(&other);
            let same =
                renamed.len() == names.len() && renamed.iter().all(|(name, _)| names.iter().any(|(it, _)| it == name));
            if !same {
                self.type_error(spot, "the alternatives of a pattern must bind the same names");
                return Pattern::Wild;
            }
            for (name, local) in renamed {
                self.merge(&mut other, &name, local, &names, spot);
            }
            alternatives.push(other);
        }
        Pattern::Or(alternatives)
    }

    fn named(&self, pattern: &Pattern) -> Vec<(String, LocalId)> {
        bound_locals(pattern).into_iter().map(|it| (self.locals[it.0 as usize].name.clone(), it)).collect()
    }

    /// Makes an alternative bind the local of the first one.
    fn merge(&mut self, pattern: &mut Pattern, name: &str, local: LocalId, names: &[(String, LocalId)], spot: Spot) {
        let Some((_, first)) = names.iter().find(|(it, _)| it == name) else { return };
        let (left, right) = (self.locals[first.0 as usize].ty.clone(), self.locals[local.0 as usize].ty.clone());
        self.expect_type(&right, &left, spot);
        rename(pattern, local, *first);
    }

    /// `matches!(value, pattern if guard)` and the like: the arm's pattern and guard.
    pub(super) fn arm_head(&mut self, arm: &ast::MatchArm, ty: &Ty) -> (Pattern, Option<Expr>) {
        let pattern = arm.pat().map_or(Pattern::Wild, |it| self.pattern(&it, ty));
        self.guarded(pattern, arm)
    }

    /// The pattern of an arm with its guard, if it has one.
    pub(super) fn guarded(&mut self, pattern: Pattern, arm: &ast::MatchArm) -> (Pattern, Option<Expr>) {
        let Some(guard) = arm.guard() else { return (pattern, None) };
        let guard = self.guard(&guard);
        if pattern.alternatives().is_none_or(|it| it.len() > MOST_ALTERNATIVES) {
            let spot = self.spot(arm.syntax());
            self.unsupported(spot, "a guard after so many alternatives", "write an arm for each alternative");
            return (Pattern::Wild, Some(guard));
        }
        (pattern, Some(guard))
    }
}

/// The most alternatives of a pattern with a guard: the guard is tried for each.
const MOST_ALTERNATIVES: usize = 32;

/// The text that identifies a scalar's value.
pub(super) fn scalar_text(literal: Literal) -> Option<String> {
    match literal {
        Literal::Int(value) => Some(value.to_string()),
        Literal::Str(value) => Some(format!("{value:?}")),
        Literal::Bool(value) => Some(value.to_string()),
        Literal::Scalar(..) => None,
    }
}

fn rename(pattern: &mut Pattern, from: LocalId, to: LocalId) {
    match pattern {
        Pattern::Wild | Pattern::Literal(_) | Pattern::Range(..) => {}
        Pattern::Bind(local) => {
            if *local == from {
                *local = to;
            }
        }
        Pattern::At(local, inner) => {
            if *local == from {
                *local = to;
            }
            rename(inner, from, to);
        }
        Pattern::Tuple(parts) | Pattern::Variant(_, parts) | Pattern::Or(parts) => {
            for part in parts {
                rename(part, from, to);
            }
        }
    }
}
