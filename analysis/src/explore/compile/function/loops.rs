//! Loops, and methods that run code for each element of a sequence.

use super::{FunctionCompiler, patterns::locals_declared};
use crate::{
    explore::{code::Op, compile::intern},
    ir::{Each, Expr, ExprKind, Literal, NodeId, Pattern},
};

/// The targets of `break` and `continue`.
pub(super) struct LoopLabels {
    head: u32,
    breaks: Vec<usize>,
    /// The local for the value of `break`.
    result: u32,
    /// The local for the number of operands outside the loop.
    operands: u32,
}

impl FunctionCompiler<'_, '_> {
    pub(super) fn while_loop(&mut self, node: NodeId, condition: &Expr, body: &Expr) {
        let result = self.temporary();
        let is_star = condition.kind == ExprKind::Maybe;
        if is_star {
            self.emit(node, Op::StarStart);
        }
        let operands = self.count_operands(node);
        let head = self.here();
        self.emit(node, if is_star { Op::StarHead } else { Op::LoopHead });
        self.expr(condition);
        let exit = self.emit(node, Op::JumpIfFalse(0));
        self.loop_body(node, (head, operands), result, body, vec![exit]);
        if is_star {
            self.emit(node, Op::StarEnd);
        }
        self.emit(node, Op::Unit);
    }

    pub(super) fn endless_loop(&mut self, node: NodeId, body: &Expr) {
        let result = self.temporary();
        self.emit(node, Op::Unit);
        self.emit(node, Op::Store(result));
        let operands = self.count_operands(node);
        let head = self.here();
        self.emit(node, Op::LoopHead);
        self.loop_body(node, (head, operands), result, body, vec![]);
        self.emit(node, Op::Load(result));
    }

    pub(super) fn for_loop(&mut self, node: NodeId, pattern: &Pattern, sequence: &Expr, body: &Expr) {
        let (items, position) = self.iterate(node, sequence, Op::Ordered);
        let result = self.temporary();
        let operands = self.count_operands(node);
        let head = self.here();
        let exit = self.emit(node, Op::Next(items, position, 0));
        self.bind(node, pattern);
        self.loop_body(node, (head, operands), result, body, vec![exit]);
        self.emit(node, Op::Unit);
    }

    /// Compiles `break`, with its value.
    pub(super) fn leave_loop(&mut self, node: NodeId, value: Option<&Expr>) {
        self.value_or_unit(node, value);
        let Some((result, operands)) = self.loops.last().map(|it| (it.result, it.operands)) else {
            self.emit(node, Op::Unsupported);
            return;
        };
        self.emit(node, Op::Store(result));
        self.emit(node, Op::DropOperands(operands));
        let jump = self.emit(node, Op::Jump(0));
        if let Some(labels) = self.loops.last_mut() {
            labels.breaks.push(jump);
        }
    }

    /// Compiles `continue`: the jump to the head of the innermost loop.
    pub(super) fn next_turn(&mut self, node: NodeId) {
        let Some((head, operands)) = self.loops.last().map(|it| (it.head, it.operands)) else {
            self.emit(node, Op::Unsupported);
            return;
        };
        self.emit(node, Op::DropOperands(operands));
        self.emit(node, Op::Jump(head));
    }

    /// Stores the number of operands before a loop: `break` and `continue` may occur in the middle of an expression.
    fn count_operands(&mut self, node: NodeId) -> u32 {
        let operands = self.temporary();
        self.emit(node, Op::CountOperands(operands));
        operands
    }

    /// The body of a loop, the jump back to its head, and the target of all exits.
    fn loop_body(&mut self, node: NodeId, (head, operands): (u32, u32), result: u32, body: &Expr, exits: Vec<usize>) {
        let from = self.locals;
        self.loops.push(LoopLabels { head, breaks: exits, result, operands });
        self.expr(body);
        self.emit(node, Op::Pop);
        self.clear_locals_of(node, body, from);
        self.emit(node, Op::Jump(head));
        if let Some(labels) = self.loops.pop() {
            for jump in labels.breaks {
                self.land(jump);
            }
        }
    }

    /// Clears the locals that the body of a loop declares, which are dead at its head.
    fn clear_locals_of(&mut self, node: NodeId, body: &Expr, temporaries: u32) {
        let mut declared = Vec::new();
        locals_declared(body, &mut declared);
        for local in declared {
            self.emit(node, Op::Clear(local, local + 1));
        }
        if temporaries < self.locals {
            self.emit(node, Op::Clear(temporaries, self.locals));
        }
    }

    /// Evaluates a sequence, as far as necessary; returns the locals that hold it and the position in it.
    fn iterate(&mut self, node: NodeId, sequence: &Expr, known: Op) -> (u32, u32) {
        self.expr(sequence);
        self.iterate_over(node, known)
    }

    /// The same for the sequence on the stack.
    fn iterate_over(&mut self, node: NodeId, known: Op) -> (u32, u32) {
        self.emit(node, known);
        let (items, position) = (self.temporary(), self.temporary());
        self.emit(node, Op::Store(items));
        let zero = intern(&mut self.code.literals, &Literal::Int(0));
        self.emit(node, Op::Literal(zero));
        self.emit(node, Op::Store(position));
        (items, position)
    }

    pub(super) fn each(&mut self, node: NodeId, each: Each, sequence: &Expr, pattern: &Pattern, body: &Expr) {
        let [is_quiet, is_quiet_or_panics] = self.quiet.each_ref().map(|it| it.is_quiet(self.function, body));
        let order_shows = match each {
            Each::Map | Each::Filter => !is_quiet_or_panics,
            // Elements after the one that decides may or may not have been run.
            Each::All | Each::Any => !is_quiet,
            Each::Find => true,
        };
        let known = if order_shows { Op::Ordered } else { Op::Resolved };
        let whole = if is_quiet { self.whole(each, sequence, pattern, body) } else { None };
        let (items, position, asked) = match whole {
            Some((question, source)) => {
                self.expr(source);
                let asked = self.emit(node, Op::Question(question, 0));
                self.list(sequence);
                let (items, position) = self.iterate_over(node, known);
                (items, position, Some(asked))
            }
            None => {
                let (items, position) = self.iterate(node, sequence, known);
                (items, position, None)
            }
        };
        let (result, element) = (self.temporary(), self.temporary());
        match each {
            Each::Map | Each::Filter => self.emit(node, Op::EmptyLike(items)),
            Each::All => self.emit(node, Op::Bool(true)),
            Each::Any => self.emit(node, Op::Bool(false)),
            Each::Find => self.emit(node, Op::Variant(0, 0)),
        };
        self.emit(node, Op::Store(result));
        let head = self.here();
        let exit = self.emit(node, Op::Next(items, position, 0));
        self.emit(node, Op::Dup);
        self.emit(node, Op::Store(element));
        self.bind(node, pattern);
        self.expr(body);
        let mut exits = vec![exit];
        match each {
            Each::Map => self.append(node, result, None, (items, position)),
            Each::Filter => {
                self.emit(node, Op::JumpIfFalse(head));
                self.append(node, result, Some(element), (items, position));
            }
            Each::All | Each::Any | Each::Find => {
                self.emit(node, if each == Each::All { Op::JumpIfTrue(head) } else { Op::JumpIfFalse(head) });
                match each {
                    Each::Find => {
                        self.emit(node, Op::Load(element));
                        self.emit(node, Op::Variant(1, 1));
                    }
                    _ => drop(self.emit(node, Op::Bool(each == Each::Any))),
                }
                self.emit(node, Op::Store(result));
                exits.push(self.emit(node, Op::Jump(0)));
            }
        }
        if matches!(each, Each::Map | Each::Filter) {
            self.emit(node, Op::Jump(head));
        }
        for exit in exits {
            self.land(exit);
        }
        self.emit(node, Op::Load(result));
        if let Some(asked) = asked {
            self.land(asked);
        }
    }

    /// Appends the value on the stack (or that of a local) to the sequence in `result`.
    fn append(&mut self, node: NodeId, result: u32, element: Option<u32>, (items, position): (u32, u32)) {
        match element {
            Some(element) => {
                self.emit(node, Op::Load(result));
                self.emit(node, Op::Load(element));
            }
            None => {
                self.emit(node, Op::Load(result));
                self.emit(node, Op::Swap);
            }
        }
        self.emit(node, Op::Append(items, position));
        self.emit(node, Op::Store(result));
    }
}
