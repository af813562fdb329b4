//! Patterns: their tests, and their bindings.

use super::FunctionCompiler;
use crate::{
    explore::{code::Op, compile::intern},
    ir::{Arm, Expr, ExprKind, Literal, NodeId, Pattern, Prim, Stmt, Type},
};

impl FunctionCompiler<'_, '_> {
    pub(super) fn matching(&mut self, node: NodeId, value: &Expr, arms: &[Arm]) {
        self.expr(value);
        let subject = self.temporary();
        self.emit(node, Op::Store(subject));
        let mut ends = Vec::new();
        for arm in arms {
            let mut misses = Vec::new();
            match &arm.guard {
                Some(guard) => self.test_with_guard(arm.body.node, subject, &arm.pattern, guard, &mut misses),
                None => self.test(arm.body.node, subject, &arm.pattern, &mut misses),
            }
            self.emit(arm.body.node, Op::Branch);
            self.expr(&arm.body);
            ends.push(self.emit(arm.body.node, Op::Jump(0)));
            for miss in misses {
                self.land(miss);
            }
        }
        self.emit(node, Op::NoMatch);
        for end in ends {
            self.land(end);
        }
    }

    /// Tests a pattern and the guard of its arm: each alternative that fits is tried with the guard.
    fn test_with_guard(
        &mut self,
        node: NodeId,
        subject: u32,
        pattern: &Pattern,
        guard: &Expr,
        misses: &mut Vec<usize>,
    ) {
        // Other guarded patterns are not lowered.
        let alternatives = pattern.alternatives().unwrap_or_default();
        let mut hits = Vec::new();
        for alternative in &alternatives {
            let mut not_this = Vec::new();
            self.test(node, subject, alternative, &mut not_this);
            self.expr(guard);
            not_this.push(self.emit(guard.node, Op::JumpIfFalse(0)));
            hits.push(self.emit(node, Op::Jump(0)));
            for miss in not_this {
                self.land(miss);
            }
        }
        misses.push(self.emit(node, Op::Jump(0)));
        for hit in hits {
            self.land(hit);
        }
    }

    /// Matches an irrefutable pattern with the value on the stack.
    pub(super) fn bind(&mut self, node: NodeId, pattern: &Pattern) {
        match pattern {
            Pattern::Wild => drop(self.emit(node, Op::Pop)),
            Pattern::Bind(local) => drop(self.emit(node, Op::Store(local.0))),
            _ => {
                let subject = self.temporary();
                self.emit(node, Op::Store(subject));
                let mut misses = Vec::new();
                self.test(node, subject, pattern, &mut misses);
                if !misses.is_empty() {
                    let over = self.emit(node, Op::Jump(0));
                    for miss in misses {
                        self.land(miss);
                    }
                    self.emit(node, Op::NoMatch);
                    self.land(over);
                }
            }
        }
    }

    /// Tests the value in `subject` and binds names; the jumps taken on a mismatch are added to `misses`.
    fn test(&mut self, node: NodeId, subject: u32, pattern: &Pattern, misses: &mut Vec<usize>) {
        match pattern {
            Pattern::Wild => {}
            Pattern::Bind(local) => {
                self.emit(node, Op::Load(subject));
                self.emit(node, Op::Store(local.0));
            }
            Pattern::At(local, inner) => {
                self.emit(node, Op::Load(subject));
                self.emit(node, Op::Store(local.0));
                self.test(node, subject, inner, misses);
            }
            Pattern::Literal(literal) => {
                self.emit(node, Op::Load(subject));
                self.literal(node, literal);
                let ty = intern(&mut self.code.types, &Type::Bool);
                self.emit(node, Op::Prim(Prim::Eq, 2, ty));
                misses.push(self.emit(node, Op::JumpIfFalse(0)));
            }
            Pattern::Range(ends) => {
                for (end, prim) in ends.iter().zip([Prim::Ge, Prim::Le]) {
                    let Some(end) = end else { continue };
                    self.emit(node, Op::Load(subject));
                    self.literal(node, &Literal::Int(*end));
                    let ty = intern(&mut self.code.types, &Type::Bool);
                    self.emit(node, Op::Prim(prim, 2, ty));
                    misses.push(self.emit(node, Op::JumpIfFalse(0)));
                }
            }
            Pattern::Tuple(fields) => {
                for (index, field) in fields.iter().enumerate() {
                    self.test_part(node, subject, Op::Field(index as u32), field, misses);
                }
            }
            Pattern::Variant(tag, fields) => {
                self.emit(node, Op::Load(subject));
                self.emit(node, Op::IsVariant(*tag));
                misses.push(self.emit(node, Op::JumpIfFalse(0)));
                for (index, field) in fields.iter().enumerate() {
                    self.test_part(node, subject, Op::Payload(index as u32), field, misses);
                }
            }
            Pattern::Or(alternatives) => self.test_any(node, subject, alternatives, misses),
        }
    }

    fn test_part(&mut self, node: NodeId, subject: u32, part: Op, pattern: &Pattern, misses: &mut Vec<usize>) {
        if *pattern == Pattern::Wild {
            return;
        }
        self.emit(node, Op::Load(subject));
        self.emit(node, part);
        let inner = self.temporary();
        self.emit(node, Op::Store(inner));
        self.test(node, inner, pattern, misses);
    }

    fn test_any(&mut self, node: NodeId, subject: u32, alternatives: &[Pattern], misses: &mut Vec<usize>) {
        let mut hits = Vec::new();
        for alternative in alternatives {
            let mut not_this = Vec::new();
            self.test(node, subject, alternative, &mut not_this);
            hits.push(self.emit(node, Op::Jump(0)));
            for miss in not_this {
                self.land(miss);
            }
        }
        misses.push(self.emit(node, Op::Jump(0)));
        for hit in hits {
            self.land(hit);
        }
    }
}

/// The locals that patterns inside `expr` bind.
pub(super) fn locals_declared(expr: &Expr, declared: &mut Vec<u32>) {
    let mut patterns: Vec<&Pattern> = Vec::new();
    match &expr.kind {
        ExprKind::Block(statements, _) => {
            patterns.extend(statements.iter().filter_map(|it| match it {
                Stmt::Let(pattern, _) => Some(pattern),
                Stmt::Expr(_) => None,
            }));
        }
        ExprKind::Match(_, arms) => patterns.extend(arms.iter().map(|it| &it.pattern)),
        ExprKind::For(pattern, ..) | ExprKind::Each(_, _, pattern, _) => patterns.push(pattern),
        _ => {}
    }
    for pattern in patterns {
        locals_bound(pattern, declared);
    }
    expr.for_each_child(&mut |child| locals_declared(child, declared));
}

/// The locals that a pattern binds.
pub(super) fn locals_bound(pattern: &Pattern, bound: &mut Vec<u32>) {
    match pattern {
        Pattern::Wild | Pattern::Literal(_) | Pattern::Range(..) => {}
        Pattern::Bind(local) => bound.push(local.0),
        Pattern::At(local, inner) => {
            bound.push(local.0);
            locals_bound(inner, bound);
        }
        Pattern::Tuple(inner) | Pattern::Variant(_, inner) | Pattern::Or(inner) => {
            for pattern in inner {
                locals_bound(pattern, bound);
            }
        }
    }
}
