//! Orders: comparison of values part by part, and `std::cmp::Ordering`.
//!
//! An `Ordering` has three values, and so has an `Option<bool>`, in the same order: `Less` is `None`, `Equal` is `Some(false)`, `Greater` is
//! `Some(true)`. A comparison is written out for the type of its operands, so the engine needs no notion of either.

use super::{Body, expr::arguments, method::Receiver};
use crate::{
    ir::lower::{
        spot::Spot,
        ty::{Con, Ty},
        types::{TypeInfoKind, VariantInfo},
    },
    ir::{Arm, Expr, ExprKind, Literal, Pattern, Prim, Stmt},
    syntax::ast,
};

/// The values of `Ordering`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    Equal,
    Greater,
}

impl Order {
    pub(super) fn named(name: &str) -> Option<Order> {
        match name {
            "Less" => Some(Order::Less),
            "Equal" => Some(Order::Equal),
            "Greater" => Some(Order::Greater),
            _ => None,
        }
    }

    pub(super) fn pattern(self) -> Pattern {
        match self {
            Order::Less => Pattern::Variant(0, Vec::new()),
            Order::Equal | Order::Greater => {
                Pattern::Variant(1, vec![Pattern::Literal(Literal::Bool(self == Order::Greater))])
            }
        }
    }
}

/// Methods of everything that has an order, with one argument of the same type.
const OF_TWO: &[&str] = &["cmp", "partial_cmp", "lt", "le", "gt", "ge", "max", "min"];

/// The most parts that are compared one by one.
const MOST_COMPARED: u32 = 200;

/// A test of an ordering by its name, `is_lt` or `lt`: whether it holds if the first is less, equal, or greater.
fn test(name: &str) -> Option<[bool; 3]> {
    Some(match name {
        "is_lt" | "lt" => [true, false, false],
        "is_le" | "le" => [true, true, false],
        "is_gt" | "gt" => [false, false, true],
        "is_ge" | "ge" => [false, true, true],
        "is_eq" => [false, true, false],
        "is_ne" => [true, false, true],
        _ => return None,
    })
}

impl Body<'_> {
    pub(super) fn order(&mut self, order: Order, spot: Spot) -> Expr {
        let parts = match order {
            Order::Less => return self.make(spot, Ty::ORDERING, ExprKind::Variant(0, Vec::new())),
            Order::Equal | Order::Greater => vec![self.boolean(spot, order == Order::Greater)],
        };
        self.make(spot, Ty::ORDERING, ExprKind::Variant(1, parts))
    }

    /// A method of a type with an order; gives the receiver back if it is none.
    pub(super) fn ordered_method(
        &mut self,
        call: &ast::MethodCallExpr,
        receiver: Receiver,
        ty: &Ty,
        name: &str,
        spot: Spot,
    ) -> Result<Expr, Box<Receiver>> {
        let values = arguments(call);
        let is_known = match values.len() {
            1 => OF_TWO.contains(&name) || matches!(name, "eq" | "ne"),
            2 => name == "clamp",
            _ => false,
        };
        if !is_known {
            return Err(Box::new(receiver));
        }
        let mut statements = Vec::new();
        let value = self.value(receiver);
        let value = self.stored("left", value, spot, &mut statements);
        let mut others = Vec::new();
        for other in &values {
            let other = self.check(other, ty);
            others.push(self.stored("right", other, spot, &mut statements));
        }
        let result = match (name, others.as_slice()) {
            ("eq" | "ne", [other]) => {
                let prim = if name == "eq" { Prim::Eq } else { Prim::Ne };
                self.make(spot, Ty::BOOL, ExprKind::Prim(prim, vec![value, other.clone()]))
            }
            ("clamp", [least, most]) => self.clamp(value, least, most, spot, &mut statements),
            (_, [other]) => self.of_two(name, value, other.clone(), spot),
            _ => self.unsupported_at(spot),
        };
        Ok(self.after(statements, result, spot))
    }

    /// `a.cmp(&b)`, `a.max(b)` and the like; both may be read several times.
    pub(super) fn of_two(&mut self, name: &str, left: Expr, right: Expr, spot: Spot) -> Expr {
        let Some(compared) = self.compared(&left, &right, spot) else { return self.unsupported_at(spot) };
        let ty = self.ty(&left);
        match name {
            "cmp" => compared,
            "partial_cmp" => self.some_of(compared, spot),
            // Equal values are the same value, so it does not matter which of them is taken.
            "max" | "min" => {
                let is_less = self.tested(compared, [true, false, false], spot);
                let (yes, no) = if name == "max" { (right, left) } else { (left, right) };
                self.make(spot, ty, ExprKind::If(Box::new(is_less), Box::new(yes), Box::new(no)))
            }
            _ => match test(name) {
                Some(holds) => self.tested(compared, holds, spot),
                None => self.unsupported_at(spot),
            },
        }
    }

    /// `value.clamp(least, most)`, which panics if the least is greater than the most.
    fn clamp(&mut self, value: Expr, least: &Expr, most: &Expr, spot: Spot, statements: &mut Vec<Stmt>) -> Expr {
        let in_order = self.of_two("le", least.clone(), most.clone(), spot);
        let assert = self.make(spot, Ty::UNIT, ExprKind::Assert(Box::new(in_order)));
        statements.push(Stmt::Expr(assert));
        let ty = self.ty(&value);
        let (below, above) = (
            self.of_two("lt", value.clone(), least.clone(), spot),
            self.of_two("gt", value.clone(), most.clone(), spot),
        );
        let upper = ExprKind::If(Box::new(above), Box::new(most.clone()), Box::new(value));
        let upper = self.make(spot, ty.clone(), upper);
        self.make(spot, ty, ExprKind::If(Box::new(below), Box::new(least.clone()), Box::new(upper)))
    }

    /// Whether an ordering is one of three.
    pub(super) fn tested(&mut self, ordering: Expr, holds: [bool; 3], spot: Spot) -> Expr {
        let orders = [Order::Less, Order::Equal, Order::Greater].into_iter().zip(holds);
        let mut arms = Vec::new();
        for (order, holds) in orders {
            let body = self.boolean(spot, holds);
            arms.push(Arm { pattern: order.pattern(), guard: None, body });
        }
        self.make(spot, Ty::BOOL, ExprKind::Match(Box::new(ordering), arms))
    }

    /// The methods of `Ordering`; gives the receiver back if it is none.
    pub(super) fn ordering_method(
        &mut self,
        call: &ast::MethodCallExpr,
        receiver: Receiver,
        name: &str,
        spot: Spot,
    ) -> Result<Expr, Box<Receiver>> {
        match (name, arguments(call).as_slice()) {
            (_, []) if name.starts_with("is_") && test(name).is_some() => {
                let value = self.value(receiver);
                Ok(self.tested(value, test(name).unwrap_or_default(), spot))
            }
            ("reverse", []) => {
                let value = self.value(receiver);
                let arms = [Order::Less, Order::Equal, Order::Greater].into_iter().rev();
                let arms = arms.zip([Order::Less, Order::Equal, Order::Greater]).map(|(from, to)| Arm {
                    pattern: from.pattern(),
                    guard: None,
                    body: self.order(to, spot),
                });
                let arms = arms.collect();
                Ok(self.make(spot, Ty::ORDERING, ExprKind::Match(Box::new(value), arms)))
            }
            ("then", [other]) => {
                let mut statements = Vec::new();
                let value = self.value(receiver);
                let value = self.stored("first", value, spot, &mut statements);
                let other = self.check(other, &Ty::ORDERING);
                let other = self.stored("second", other, spot, &mut statements);
                let both = self.unless_equal(value, other, spot);
                Ok(self.after(statements, both, spot))
            }
            ("then_with", [closure]) => {
                let value = self.value(receiver);
                Ok(match self.thunk(closure, Some(&Ty::ORDERING)) {
                    Some(other) => self.unless_equal(value, other, spot),
                    None => self.unsupported_at(spot),
                })
            }
            _ => Err(Box::new(receiver)),
        }
    }

    /// The first ordering, unless it is `Equal`; then the second one, which is evaluated only then.
    fn unless_equal(&mut self, first: Expr, second: Expr, spot: Spot) -> Expr {
        let (kept, first_again) = self.part(&Ty::ORDERING, spot);
        let arms = vec![
            Arm { pattern: Order::Equal.pattern(), guard: None, body: second },
            Arm { pattern: kept, guard: None, body: first_again },
        ];
        self.make(spot, Ty::ORDERING, ExprKind::Match(Box::new(first), arms))
    }

    /// The ordering of two values, as derived orders define it; `None` if the type has no such order, which is reported. Both may be read
    /// several times.
    pub(super) fn compared(&mut self, left: &Expr, right: &Expr, spot: Spot) -> Option<Expr> {
        let mut left_over = MOST_COMPARED;
        self.compared_within(left, right, spot, &mut left_over)
    }

    fn compared_within(&mut self, left: &Expr, right: &Expr, spot: Spot, left_over: &mut u32) -> Option<Expr> {
        let ty = self.ty(left);
        let Some(fewer) = left_over.checked_sub(1) else {
            self.unsupported(spot, "an order with so many parts", "compare the parts that matter");
            return None;
        };
        *left_over = fewer;
        match &ty {
            Ty::Con(Con::Bool, _) => {
                let (equal, less, greater) =
                    (self.order(Order::Equal, spot), self.order(Order::Less, spot), self.order(Order::Greater, spot));
                let unequal = ExprKind::If(Box::new(left.clone()), Box::new(greater), Box::new(less));
                let unequal = self.make(spot, Ty::ORDERING, unequal);
                Some(self.if_equal(left, right, equal, unequal, spot))
            }
            Ty::Con(Con::Tuple, types) => self.compared_parts(left, right, types, spot, left_over),
            Ty::Con(Con::Option, types) => {
                let variants = [Vec::new(), vec![types[0].clone()]];
                self.compared_variants(left, right, &variants, spot, left_over)
            }
            Ty::Con(Con::Result, types) => {
                let variants = [vec![types[0].clone()], vec![types[1].clone()]];
                self.compared_variants(left, right, &variants, spot, left_over)
            }
            Ty::Con(Con::Ordering, _) => {
                let variants = [Vec::new(), vec![Ty::BOOL]];
                self.compared_variants(left, right, &variants, spot, left_over)
            }
            Ty::Con(Con::User(id), _) if self.package.derives_order(*id) => {
                match self.package.type_info(*id).kind.clone() {
                    TypeInfoKind::Struct(fields) => {
                        let types: Vec<Ty> = fields.into_iter().map(|(_, ty)| ty).collect();
                        self.compared_parts(left, right, &types, spot, left_over)
                    }
                    TypeInfoKind::Enum(variants) => {
                        let types = |it: VariantInfo| it.fields.into_iter().map(|(_, ty)| ty).collect();
                        let variants: Vec<Vec<Ty>> = variants.into_iter().map(types).collect();
                        self.compared_variants(left, right, &variants, spot, left_over)
                    }
                    TypeInfoKind::Scalar(_) => self.without_order(&ty, spot),
                }
            }
            Ty::Con(Con::Int { .. }, _) | Ty::Var(_) => {
                let ty = self.integer_operand(left, spot);
                (ty != Ty::Error).then(|| {
                    let (equal, less, greater) = (
                        self.order(Order::Equal, spot),
                        self.order(Order::Less, spot),
                        self.order(Order::Greater, spot),
                    );
                    let operands = vec![left.clone(), right.clone()];
                    let is_less = self.make(spot, Ty::BOOL, ExprKind::Prim(Prim::Lt, operands));
                    let not_less = self.if_equal(left, right, equal, greater, spot);
                    let kind = ExprKind::If(Box::new(is_less), Box::new(less), Box::new(not_less));
                    self.make(spot, Ty::ORDERING, kind)
                })
            }
            Ty::Error => None,
            _ => self.without_order(&ty, spot),
        }
    }

    fn without_order(&mut self, ty: &Ty, spot: Spot) -> Option<Expr> {
        let name = self.package.type_name_of(&self.infer.resolve(ty));
        let help = match ty {
            Ty::Con(Con::User(id), _) => match self.package.type_info(*id).kind {
                TypeInfoKind::Scalar(_) => "values of a scalar are only compared with `==` and `!=`",
                _ => "derive `PartialOrd` and `Ord`; or compare the parts",
            },
            Ty::Con(Con::Pid, _) => "processes are only compared with `==` and `!=`",
            _ => "integers, `bool`, tuples, options and types that derive their order are ordered",
        };
        self.unsupported(spot, &format!("the order of values of type `{name}`"), help);
        None
    }

    fn if_equal(&mut self, left: &Expr, right: &Expr, equal: Expr, unequal: Expr, spot: Spot) -> Expr {
        let is_equal = ExprKind::Prim(Prim::Eq, vec![left.clone(), right.clone()]);
        let is_equal = self.make(spot, Ty::BOOL, is_equal);
        self.make(spot, Ty::ORDERING, ExprKind::If(Box::new(is_equal), Box::new(equal), Box::new(unequal)))
    }

    /// Compares tuples or structs: the first parts that differ decide.
    fn compared_parts(
        &mut self,
        left: &Expr,
        right: &Expr,
        types: &[Ty],
        spot: Spot,
        left_over: &mut u32,
    ) -> Option<Expr> {
        let (pattern, body) = self.parts_arm(types, None, spot, left_over)?;
        let arms = vec![Arm { pattern, guard: None, body }];
        let both = self.pair_of(left, right, spot);
        Some(self.make(spot, Ty::ORDERING, ExprKind::Match(Box::new(both), arms)))
    }

    fn pair_of(&mut self, left: &Expr, right: &Expr, spot: Spot) -> Expr {
        let ty = Ty::tuple(vec![self.ty(left), self.ty(right)]);
        self.make(spot, ty, ExprKind::Tuple(vec![left.clone(), right.clone()]))
    }

    /// The pattern of two values with these parts, and their ordering.
    fn parts_arm(
        &mut self,
        types: &[Ty],
        tag: Option<u32>,
        spot: Spot,
        left_over: &mut u32,
    ) -> Option<(Pattern, Expr)> {
        let (mut lefts, mut rights, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for ty in types {
            let ((left, one), (right, other)) = (self.part(ty, spot), self.part(ty, spot));
            lefts.push(left);
            rights.push(right);
            parts.push(self.compared_within(&one, &other, spot, left_over)?);
        }
        let mut all = None;
        while let Some(part) = parts.pop() {
            all = Some(match all {
                None => part,
                Some(rest) => self.unless_equal(part, rest, spot),
            });
        }
        let all = match all {
            Some(all) => all,
            None => self.order(Order::Equal, spot),
        };
        let of = |parts| match tag {
            Some(tag) => Pattern::Variant(tag, parts),
            None => Pattern::Tuple(parts),
        };
        Some((Pattern::Tuple(vec![of(lefts), of(rights)]), all))
    }

    /// Compares two values of an enum: by their variants, and within a variant by its parts.
    fn compared_variants(
        &mut self,
        left: &Expr,
        right: &Expr,
        variants: &[Vec<Ty>],
        spot: Spot,
        left_over: &mut u32,
    ) -> Option<Expr> {
        let mut arms = Vec::new();
        for (types, tag) in variants.iter().zip(0..).filter(|(types, _)| !types.is_empty()) {
            let (pattern, body) = self.parts_arm(types, Some(tag), spot, left_over)?;
            arms.push(Arm { pattern, guard: None, body });
        }
        let mut statements = Vec::new();
        let (one, other) = (self.tag(left, variants, spot), self.tag(right, variants, spot));
        let one = self.stored("variant", one, spot, &mut statements);
        let other = self.stored("variant", other, spot, &mut statements);
        let by_tag = self.compared_within(&one, &other, spot, left_over)?;
        let by_tag = self.after(statements, by_tag, spot);
        arms.push(Arm { pattern: Pattern::Wild, guard: None, body: by_tag });
        let both = self.pair_of(left, right, spot);
        Some(self.make(spot, Ty::ORDERING, ExprKind::Match(Box::new(both), arms)))
    }

    /// The number of a value's variant.
    fn tag(&mut self, value: &Expr, variants: &[Vec<Ty>], spot: Spot) -> Expr {
        let mut arms = Vec::new();
        for (types, tag) in variants.iter().zip(0..) {
            let body = self.make(spot, Ty::U32, ExprKind::Literal(Literal::Int(i128::from(tag))));
            let pattern = Pattern::Variant(tag, vec![Pattern::Wild; types.len()]);
            arms.push(Arm { pattern, guard: None, body });
        }
        self.make(spot, Ty::U32, ExprKind::Match(Box::new(value.clone()), arms))
    }
}
