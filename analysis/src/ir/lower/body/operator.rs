//! Operators, assignment, and compound assignment.

use super::Body;
use crate::{
    ir::lower::{
        spot::Spot,
        ty::{Con, Ty},
        types::TypeInfoKind,
    },
    ir::{Arith, Expr, ExprKind, Overflow, Pattern, Place, Prim, Projection, Stmt},
    syntax::{
        AstNode, ast,
        operators::{ArithOp, BinaryOp, CmpOp, LogicOp, Ordering, UnaryOp},
    },
};

impl Body<'_> {
    pub(super) fn prefix(&mut self, prefix: &ast::PrefixExpr) -> Expr {
        let spot = self.spot(prefix.syntax());
        match (prefix.op_kind(), prefix.expr()) {
            (Some(UnaryOp::Not), inner) => {
                let inner = self.required(inner, spot, None);
                let ty = self.bits_operand(&inner, spot);
                self.make(spot, ty, ExprKind::Prim(Prim::Not, vec![inner]))
            }
            (Some(UnaryOp::Neg), Some(ast::Expr::Literal(literal))) => self.literal(&literal, true),
            (Some(UnaryOp::Neg), inner) => {
                let inner = self.required(inner, spot, None);
                let ty = self.integer_operand(&inner, spot);
                self.make(spot, ty, ExprKind::Prim(Prim::Arith(Arith::Neg, Overflow::Panics), vec![inner]))
            }
            (_, Some(inner)) if self.is_place(&inner) || self.is_referent(&inner) => self.place_or_value(&inner),
            (_, inner) => self.required(inner, spot, None),
        }
    }

    pub(super) fn binary(&mut self, binary: &ast::BinExpr) -> Expr {
        let spot = self.spot(binary.syntax());
        match binary.op_kind() {
            Some(BinaryOp::LogicOp(op)) => {
                let left = self.required(binary.lhs(), spot, Some(&Ty::BOOL));
                let right = self.required(binary.rhs(), spot, Some(&Ty::BOOL));
                let kind = match op {
                    LogicOp::And => ExprKind::And(Box::new(left), Box::new(right)),
                    LogicOp::Or => ExprKind::Or(Box::new(left), Box::new(right)),
                };
                self.make(spot, Ty::BOOL, kind)
            }
            Some(BinaryOp::CmpOp(op)) => self.comparison(binary, op, spot),
            Some(BinaryOp::ArithOp(op)) => {
                let left = self.required(binary.lhs(), spot, None);
                let right = self.required(binary.rhs(), spot, None);
                self.arithmetic(op, left, right, spot)
            }
            Some(BinaryOp::Assignment { op }) => self.assignment(binary, op, spot),
            None => self.unsupported_at(spot),
        }
    }

    fn comparison(&mut self, binary: &ast::BinExpr, op: CmpOp, spot: Spot) -> Expr {
        let left = self.required(binary.lhs(), spot, None);
        let ty = self.ty(&left);
        let right = self.required(binary.rhs(), spot, Some(&ty));
        let prim = match op {
            CmpOp::Eq { negated: false } => Prim::Eq,
            CmpOp::Eq { negated: true } => Prim::Ne,
            CmpOp::Ord { ordering: Ordering::Less, strict: true } => Prim::Lt,
            CmpOp::Ord { ordering: Ordering::Less, strict: false } => Prim::Le,
            CmpOp::Ord { ordering: Ordering::Greater, strict: true } => Prim::Gt,
            CmpOp::Ord { ordering: Ordering::Greater, strict: false } => Prim::Ge,
        };
        if matches!(prim, Prim::Eq | Prim::Ne) || matches!(ty, Ty::Con(Con::Int { .. }, _) | Ty::Var(_) | Ty::Error) {
            if !matches!(prim, Prim::Eq | Prim::Ne) {
                self.integer_operand(&left, spot);
            }
            return self.make(spot, Ty::BOOL, ExprKind::Prim(prim, vec![left, right]));
        }
        let name = match prim {
            Prim::Lt => "lt",
            Prim::Le => "le",
            Prim::Gt => "gt",
            _ => "ge",
        };
        let mut statements = Vec::new();
        let left = self.stored("left", left, spot, &mut statements);
        let right = self.stored("right", right, spot, &mut statements);
        let holds = self.of_two(name, left, right, spot);
        self.after(statements, holds, spot)
    }

    /// Requires an integer and returns its type.
    pub(super) fn integer_operand(&mut self, operand: &Expr, spot: Spot) -> Ty {
        let ty = self.ty(operand);
        let fits = match &ty {
            Ty::Con(Con::Int { .. } | Con::Never, _) | Ty::Error => true,
            Ty::Var(_) => {
                let integer = self.infer.fresh_integer();
                self.infer.unify(&ty, &integer)
            }
            _ => false,
        };
        if fits {
            return ty;
        }
        let is_scalar = match &ty {
            Ty::Con(Con::User(id), _) => matches!(self.package.type_info(*id).kind, TypeInfoKind::Scalar(_)),
            Ty::Con(con, _) => *con == Con::Pid,
            _ => false,
        };
        let name = self.package.type_name_of(&self.infer.resolve(&ty));
        let help = if is_scalar {
            "values of a scalar are only compared with `==` and `!=`"
        } else {
            "only integers are ordered and computed with"
        };
        self.unsupported(spot, &format!("this operator on `{name}`"), help);
        Ty::Error
    }

    fn arithmetic(&mut self, op: ArithOp, left: Expr, right: Expr, spot: Spot) -> Expr {
        let ty = self.ty(&left);
        let prim = match op {
            ArithOp::Add if ty == Ty::STR => Prim::Concat,
            ArithOp::Add => Prim::Arith(Arith::Add, Overflow::Panics),
            ArithOp::Sub => Prim::Arith(Arith::Sub, Overflow::Panics),
            ArithOp::Mul => Prim::Arith(Arith::Mul, Overflow::Panics),
            ArithOp::Div => Prim::Arith(Arith::Div, Overflow::Panics),
            ArithOp::Rem => Prim::Arith(Arith::Rem, Overflow::Panics),
            ArithOp::Shl => Prim::Arith(Arith::Shl, Overflow::Panics),
            ArithOp::Shr => Prim::Arith(Arith::Shr, Overflow::Panics),
            ArithOp::BitAnd => Prim::BitAnd,
            ArithOp::BitOr => Prim::BitOr,
            ArithOp::BitXor => Prim::BitXor,
        };
        let (right, ty) = match op {
            ArithOp::Shl | ArithOp::Shr => {
                self.integer_operand(&right, spot);
                (right, self.integer_operand(&left, spot))
            }
            ArithOp::BitAnd | ArithOp::BitOr | ArithOp::BitXor => {
                (self.coerce(right, &ty), self.bits_operand(&left, spot))
            }
            _ => {
                let right = self.coerce(right, &ty);
                (right, if prim == Prim::Concat { ty } else { self.integer_operand(&left, spot) })
            }
        };
        self.make(spot, ty, ExprKind::Prim(prim, vec![left, right]))
    }

    /// Requires an integer or a `bool` and returns its type.
    fn bits_operand(&mut self, operand: &Expr, spot: Spot) -> Ty {
        match self.ty(operand) {
            ty @ Ty::Con(Con::Bool, _) => ty,
            _ => self.integer_operand(operand, spot),
        }
    }

    fn assignment(&mut self, binary: &ast::BinExpr, op: Option<ArithOp>, spot: Spot) -> Expr {
        let Some(target) = binary.lhs() else { return self.unsupported_at(spot) };
        if let ast::Expr::UnderscoreExpr(_) = target {
            let value = self.required(binary.rhs(), spot, None);
            return self.make(spot, Ty::UNIT, ExprKind::Block(vec![Stmt::Expr(value)], None));
        }
        if self.is_referent(&target) {
            return self.assignment_behind(binary, op, &target, spot);
        }
        if let (ast::Expr::TupleExpr(_), None) = (&target, op) {
            return self.destructuring(binary, &target, spot);
        }
        if !self.is_place(&target) {
            return self.unsupported(spot, "assigning to this", "assign to a variable, a field or an element");
        }
        if self.names_reference(&target) && op.is_none() {
            return self.unsupported(
                spot,
                "making a `&mut` refer to something else",
                "to change what it refers to, write `*name = value`",
            );
        }
        let Some((place, ty)) = self.place(&target) else { return self.unsupported_at(spot) };
        if !self.changeable(&place, spot) {
            return self.unsupported_at(spot);
        }
        let Some(op) = op else {
            let value = self.required(binary.rhs(), spot, Some(&ty));
            return self.assigned(place, value, spot);
        };
        // The amount of a shift has a type of its own.
        let wanted = if matches!(op, ArithOp::Shl | ArithOp::Shr) { None } else { Some(&ty) };
        let value = self.required(binary.rhs(), spot, wanted);
        self.compound(place, ty, op, value, spot)
    }

    /// `place = value`: as in Rust, the value is evaluated first, then the place.
    fn assigned(&mut self, place: Place, value: Expr, spot: Spot) -> Expr {
        let is_indexed = place.path.iter().any(|it| matches!(it, Projection::Index(_)));
        let has_effects = |it: &Projection| matches!(it, Projection::Index(index) if has_effect(index));
        if !is_indexed || !has_effect(&value) && !place.path.iter().any(has_effects) {
            return self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(value)));
        }
        let mut statements = Vec::new();
        let value = self.stored("value", value, spot, &mut statements);
        let assign = self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(value)));
        statements.push(Stmt::Expr(assign));
        self.make(spot, Ty::UNIT, ExprKind::Block(statements, None))
    }

    /// `*map.entry(key).or_insert(0) += value` and the like: the value is evaluated first, then the place.
    fn assignment_behind(
        &mut self,
        binary: &ast::BinExpr,
        op: Option<ArithOp>,
        target: &ast::Expr,
        spot: Spot,
    ) -> Expr {
        let value = self.required(binary.rhs(), spot, None);
        let mut statements = Vec::new();
        let value = self.stored("value", value, spot, &mut statements);
        let Some((place, ty)) = self.referent(target, &mut statements) else { return self.unsupported_at(spot) };
        let change = match op {
            None => {
                let value = self.coerce(value, &ty);
                self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(value)))
            }
            Some(op) => self.compound(place, ty, op, value, spot),
        };
        statements.push(Stmt::Expr(change));
        self.make(spot, Ty::UNIT, ExprKind::Block(statements, None))
    }

    /// `(a, b) = (b, a)`: the value is taken apart, then its parts are assigned from left to right.
    fn destructuring(&mut self, binary: &ast::BinExpr, target: &ast::Expr, spot: Spot) -> Expr {
        let mut assignments = Vec::new();
        let Some((pattern, ty)) = self.assignee(target, &mut assignments) else { return self.unsupported_at(spot) };
        let value = self.required(binary.rhs(), spot, Some(&ty));
        let mut statements = vec![Stmt::Let(pattern, value)];
        statements.extend(assignments.into_iter().map(Stmt::Expr));
        self.make(spot, Ty::UNIT, ExprKind::Block(statements, None))
    }

    /// The pattern for the left side of a destructuring assignment, its type, and the assignments; `None` if there is a fault, which is
    /// reported.
    fn assignee(&mut self, target: &ast::Expr, assignments: &mut Vec<Expr>) -> Option<(Pattern, Ty)> {
        let spot = self.spot(target.syntax());
        match target {
            ast::Expr::UnderscoreExpr(_) => Some((Pattern::Wild, self.infer.fresh())),
            ast::Expr::ParenExpr(it) => self.assignee(&it.expr()?, assignments),
            ast::Expr::TupleExpr(it) => {
                let parts: Option<Vec<_>> = it.fields().map(|it| self.assignee(&it, assignments)).collect();
                let (patterns, types) = parts?.into_iter().unzip();
                Some((Pattern::Tuple(patterns), Ty::tuple(types)))
            }
            _ if self.is_place(target) && !self.names_reference(target) => {
                let (place, ty) = self.place(target)?;
                if !self.changeable(&place, spot) {
                    return None;
                }
                let (pattern, value) = self.part(&ty, spot);
                assignments.push(self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(value))));
                Some((pattern, ty))
            }
            _ => {
                let help = "assign to variables, fields and elements, `_` and tuples of these";
                self.unsupported(spot, "assigning to this", help);
                None
            }
        }
    }

    /// `place += value`: as in Rust, the value is evaluated first, then the place, once.
    fn compound(&mut self, place: Place, ty: Ty, op: ArithOp, value: Expr, spot: Spot) -> Expr {
        let mut statements = Vec::new();
        let place = if ty == Ty::STR { self.pinned(place, spot, &mut statements) } else { place };
        let value = if is_simple(&value) {
            value
        } else {
            let of = self.ty(&value);
            let local = self.fresh_local("value", of, false);
            statements.push(Stmt::Let(Pattern::Bind(local), value));
            self.read_local(local, spot)
        };
        let place = if place.path.iter().all(is_fixed) { place } else { self.pinned(place, spot, &mut statements) };
        let old = self.make(spot, ty, ExprKind::Read(place.clone()));
        let sum = self.arithmetic(op, old, value, spot);
        let assign = self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(sum)));
        if statements.is_empty() {
            return assign;
        }
        statements.push(Stmt::Expr(assign));
        self.make(spot, Ty::UNIT, ExprKind::Block(statements, None))
    }
}

/// Whether evaluating an expression may do more than give a value or panic: change a variable, take a step, wait, or leave.
fn has_effect(expr: &Expr) -> bool {
    let here = match &expr.kind {
        ExprKind::Call(..)
        | ExprKind::Perform(..)
        | ExprKind::Assign(..)
        | ExprKind::Mutate(..)
        | ExprKind::Return(_)
        | ExprKind::Break(_)
        | ExprKind::Continue
        | ExprKind::Loop(_)
        | ExprKind::While(..)
        | ExprKind::Assert(_)
        | ExprKind::When(_)
        | ExprKind::Emit(_)
        | ExprKind::External
        | ExprKind::Maybe
        | ExprKind::Any
        | ExprKind::Choose(_)
        | ExprKind::Unsupported => true,
        ExprKind::Literal(_)
        | ExprKind::Read(_)
        | ExprKind::Tuple(_)
        | ExprKind::Variant(..)
        | ExprKind::Field(..)
        | ExprKind::Block(..)
        | ExprKind::If(..)
        | ExprKind::Match(..)
        | ExprKind::For(..)
        | ExprKind::Prim(..)
        | ExprKind::And(..)
        | ExprKind::Or(..)
        | ExprKind::Each(..) => false,
    };
    let mut inside = false;
    expr.for_each_child(&mut |child| inside |= has_effect(child));
    here || inside
}

/// Whether the order of evaluation within one assignment does not matter.
fn is_simple(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Literal(_))
        || matches!(&expr.kind, ExprKind::Read(place) if place.path.iter().all(is_fixed))
}

fn is_fixed(projection: &Projection) -> bool {
    match projection {
        Projection::Field(_) | Projection::Payload(_) => true,
        Projection::Index(index) => is_simple(index),
    }
}
