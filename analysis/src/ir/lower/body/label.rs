//! `break` and `continue`, with labels or without.
//!
//! The IR leaves the innermost loop only. Where a label names an outer loop, a variable remembers it: the inner loop is left, and after
//! it the variable is looked at. A labelled block is a loop that is left at the end of its first turn.

use super::{Body, LoopInfo};
use crate::{
    ir::lower::{spot::Spot, ty::Ty},
    ir::{Expr, ExprKind, LocalId, Pattern, Place, Stmt},
    syntax::{AstNode, ast},
};

/// How a loop is left from inside another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Break,
    Continue,
}

impl Body<'_> {
    pub(super) fn break_expr(&mut self, break_expr: &ast::BreakExpr) -> Expr {
        let spot = self.spot(break_expr.syntax());
        let Some(target) = self.loop_of(break_expr.lifetime(), "break", spot) else { return self.unsupported_at(spot) };
        self.loops[target].broken = true;
        let ty = self.loops[target].value.clone().unwrap_or(Ty::UNIT);
        let value = break_expr.expr().map(|it| self.check(&it, &ty));
        if value.is_none() && !self.infer.unify(&ty, &Ty::UNIT) {
            self.mismatch(spot, &ty, &Ty::UNIT);
        }
        self.exit(target, Exit::Break, value, spot)
    }

    pub(super) fn continue_expr(&mut self, continue_expr: &ast::ContinueExpr) -> Expr {
        let spot = self.spot(continue_expr.syntax());
        let Some(target) = self.loop_of(continue_expr.lifetime(), "continue", spot) else {
            return self.unsupported_at(spot);
        };
        if self.loops[target].is_block {
            return self.type_error(spot, "`continue` needs the label of a loop");
        }
        self.exit(target, Exit::Continue, None, spot)
    }

    /// The loop that a `break` or `continue` refers to; `None` if there is none, which is reported.
    fn loop_of(&mut self, label: Option<ast::Lifetime>, word: &str, spot: Spot) -> Option<usize> {
        let found = match &label {
            Some(label) => {
                let name = label.syntax().text().to_string();
                self.loops.iter().rposition(|it| it.label.as_ref() == Some(&name))
            }
            None => self.loops.iter().rposition(|it| !it.is_block),
        };
        if found.is_none() {
            let message = match label {
                Some(label) => format!("there is no loop `{}` around this", label.syntax().text()),
                None => format!("`{word}` outside of a loop"),
            };
            self.type_error(spot, message);
        }
        found
    }

    /// Leaves a loop, or goes on with its next turn.
    fn exit(&mut self, target: usize, exit: Exit, value: Option<Expr>, spot: Spot) -> Expr {
        if target + 1 == self.loops.len() {
            let kind = match exit {
                Exit::Break => ExprKind::Break(value.map(Box::new)),
                Exit::Continue => ExprKind::Continue,
            };
            return self.make(spot, Ty::NEVER, kind);
        }
        let mut statements = Vec::new();
        if let Some(value) = value {
            let result = match self.loops[target].result {
                Some(it) => it,
                None => {
                    let ty = self.ty(&value);
                    self.fresh_local("result", ty, true)
                }
            };
            self.loops[target].result = Some(result);
            statements.push(self.set_local(result, value, spot));
        }
        let flag = self.flag(target, exit);
        let yes = self.boolean(spot, true);
        statements.push(self.set_local(flag, yes, spot));
        for inner in &mut self.loops[target + 1..] {
            if !inner.crossed.contains(&(target, exit)) {
                inner.crossed.push((target, exit));
            }
        }
        statements.push(Stmt::Expr(self.make(spot, Ty::NEVER, ExprKind::Break(None))));
        self.make(spot, Ty::NEVER, ExprKind::Block(statements, None))
    }

    /// The variable that says that a loop is to be left or continued.
    fn flag(&mut self, target: usize, exit: Exit) -> LocalId {
        let known = match exit {
            Exit::Break => self.loops[target].leaves,
            Exit::Continue => self.loops[target].continues,
        };
        if let Some(flag) = known {
            return flag;
        }
        let name = if exit == Exit::Break { "leaves" } else { "continues" };
        let flag = self.fresh_local(name, Ty::BOOL, true);
        match exit {
            Exit::Break => self.loops[target].leaves = Some(flag),
            Exit::Continue => self.loops[target].continues = Some(flag),
        }
        flag
    }

    fn set_local(&mut self, local: LocalId, value: Expr, spot: Spot) -> Stmt {
        let place = Place { local, path: Vec::new() };
        Stmt::Expr(self.make(spot, Ty::UNIT, ExprKind::Assign(place, Box::new(value))))
    }

    /// A loop, with its variables before it, and after it the exits from outer loops that happened inside.
    pub(super) fn after_loop(&mut self, turns: Expr, info: LoopInfo, spot: Spot) -> Expr {
        let flags: Vec<LocalId> = info.leaves.into_iter().chain(info.continues).collect();
        if flags.is_empty() && info.crossed.is_empty() {
            return turns;
        }
        let mut statements = Vec::new();
        for flag in flags {
            let no = self.boolean(spot, false);
            statements.push(Stmt::Let(Pattern::Bind(flag), no));
        }
        if info.crossed.is_empty() {
            return self.after(statements, turns, spot);
        }
        let ty = self.ty(&turns);
        let never_ends = ty.is_never();
        if !never_ends && !self.infer.unify(&ty, &Ty::UNIT) {
            let help = "give the inner loop no value: assign it to a variable";
            return self.unsupported(spot, "leaving an outer loop from a loop that has a value", help);
        }
        let mut turns = turns;
        if never_ends {
            // It ends now, to leave an outer loop.
            let node = turns.node;
            turns = self.set(node, Ty::UNIT, turns.kind);
        }
        statements.push(Stmt::Expr(turns));
        for (target, exit) in info.crossed {
            let flag = self.flag(target, exit);
            let asked = self.read_local(flag, spot);
            let leave = self.onward(target, exit, spot);
            let otherwise = self.unit(spot);
            let kind = ExprKind::If(Box::new(asked), Box::new(leave), Box::new(otherwise));
            statements.push(Stmt::Expr(self.make(spot, Ty::UNIT, kind)));
        }
        let ty = if never_ends {
            // One of the exits has been taken.
            let never = self.failure(spot);
            statements.push(Stmt::Expr(never));
            Ty::NEVER
        } else {
            Ty::UNIT
        };
        self.make(spot, ty, ExprKind::Block(statements, None))
    }

    /// After an inner loop: leaves the next outer one, or has reached the target.
    fn onward(&mut self, target: usize, exit: Exit, spot: Spot) -> Expr {
        if target + 1 < self.loops.len() {
            return self.make(spot, Ty::NEVER, ExprKind::Break(None));
        }
        if exit == Exit::Break {
            let value = self.loops[target].result.map(|it| Box::new(self.read_local(it, spot)));
            return self.make(spot, Ty::NEVER, ExprKind::Break(value));
        }
        let flag = self.flag(target, exit);
        let no = self.boolean(spot, false);
        let reset = self.set_local(flag, no, spot);
        let next = Stmt::Expr(self.make(spot, Ty::NEVER, ExprKind::Continue));
        self.make(spot, Ty::NEVER, ExprKind::Block(vec![reset, next], None))
    }

    /// `'label: { … }`: a loop that is left at the end of its first turn.
    pub(super) fn labelled_block(&mut self, block: &ast::BlockExpr, label: ast::Label, expected: Option<&Ty>) -> Expr {
        let spot = self.spot(block.syntax());
        let ty = match expected {
            Some(ty) if !ty.is_never() => ty.clone(),
            _ => self.infer.fresh(),
        };
        self.loops.push(LoopInfo {
            value: Some(ty.clone()),
            label: label_name(Some(label)),
            is_block: true,
            ..LoopInfo::default()
        });
        let (statements, value, inner) = self.statements(block, Some(&ty));
        let ends = inner.is_never();
        let value = value.map(|it| if ends { it } else { self.coerce(it, &ty) });
        if value.is_none() && !ends && !self.infer.unify(&ty, &Ty::UNIT) {
            self.mismatch(spot, &ty, &Ty::UNIT);
        }
        // It was pushed above, and every pop has a push.
        let info = self.loops.pop().unwrap_or_default();
        let inner = if ends { Ty::NEVER } else { ty.clone() };
        let body = self.make(spot, inner, ExprKind::Block(statements, value.map(Box::new)));
        let turn = if ends { body } else { self.make(spot, Ty::NEVER, ExprKind::Break(Some(Box::new(body)))) };
        let ty = if info.broken || !ends { ty } else { Ty::NEVER };
        let turns = self.make(spot, ty, ExprKind::Loop(Box::new(turn)));
        self.after_loop(turns, info, spot)
    }
}

/// The name of a label, as `break` mentions it.
pub(super) fn label_name(label: Option<ast::Label>) -> Option<String> {
    Some(label?.lifetime()?.syntax().text().to_string())
}
