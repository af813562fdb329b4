//! Compiles a function of the IR to machine code: expressions become pushes, in the order in which rustc evaluates them.

use self::loops::LoopLabels;
use super::intern;
use crate::{
    explore::{
        code::{Code, CodeFunction, Op},
        panics::Quiet,
    },
    ir::{Expr, ExprKind, Function, FunctionId, Literal, NodeId, Prim, Stmt, Type},
};

mod loops;
mod patterns;
mod places;
mod questions;

/// The state of compiling one function.
pub(super) struct FunctionCompiler<'c, 'f> {
    code: &'c mut Code,
    quiet: &'c [Quiet<'f>; 2],
    function: &'f Function,
    ops: Vec<Op>,
    nodes: Vec<NodeId>,
    locals: u32,
    loops: Vec<LoopLabels>,
}

impl<'c, 'f> FunctionCompiler<'c, 'f> {
    pub(super) fn new(
        code: &'c mut Code,
        quiet: &'c [Quiet<'f>; 2],
        function: &'f Function,
    ) -> FunctionCompiler<'c, 'f> {
        let locals = function.locals.len() as u32;
        FunctionCompiler { code, quiet, function, ops: Vec::new(), nodes: Vec::new(), locals, loops: Vec::new() }
    }

    pub(super) fn compile(mut self, source: FunctionId) -> CodeFunction {
        let function = self.function;
        self.expr(&function.body);
        self.emit(function.body.node, Op::Return);
        let parameters = function.parameters as usize;
        let inout = (0..parameters).filter(|it| function.locals[*it].inout).collect();
        CodeFunction {
            name: function.name.clone(),
            source: Some(source),
            parameters,
            locals: self.locals as usize,
            inout,
            ops: self.ops,
            nodes: self.nodes,
            might_panic: true,
        }
    }

    fn emit(&mut self, node: NodeId, op: Op) -> usize {
        self.ops.push(op);
        self.nodes.push(node);
        self.ops.len() - 1
    }

    fn here(&self) -> u32 {
        self.ops.len() as u32
    }

    /// Makes the jump at `at` lead here.
    fn land(&mut self, at: usize) {
        let here = self.here();
        match &mut self.ops[at] {
            Op::Jump(to) | Op::JumpIfFalse(to) | Op::JumpIfTrue(to) | Op::Next(_, _, to) | Op::Question(_, to) => {
                *to = here
            }
            _ => unreachable!("only jumps are landed"),
        }
    }

    fn temporary(&mut self) -> u32 {
        self.locals += 1;
        self.locals - 1
    }

    /// Emits code that pushes the value of `expr`.
    fn expr(&mut self, expr: &Expr) {
        let node = expr.node;
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(node, literal),
            ExprKind::Read(place) => self.read(node, place),
            ExprKind::Tuple(fields) => {
                self.exprs(fields);
                self.emit(node, if fields.is_empty() { Op::Unit } else { Op::Tuple(fields.len() as u32) });
            }
            ExprKind::Variant(tag, fields) => {
                self.exprs(fields);
                self.emit(node, Op::Variant(*tag, fields.len() as u32));
            }
            ExprKind::Field(value, index) => {
                self.expr(value);
                self.emit(node, Op::Field(*index));
            }
            ExprKind::Block(statements, value) => self.block(node, statements, value.as_deref()),
            ExprKind::If(condition, then, otherwise) => self.conditional(node, condition, then, otherwise),
            ExprKind::And(left, right) => self.shortcut(node, left, right, false),
            ExprKind::Or(left, right) => self.shortcut(node, left, right, true),
            ExprKind::Match(value, arms) => self.matching(node, value, arms),
            ExprKind::While(condition, body) => self.while_loop(node, condition, body),
            ExprKind::Loop(body) => self.endless_loop(node, body),
            ExprKind::For(pattern, sequence, body) => self.for_loop(node, pattern, sequence, body),
            ExprKind::Break(value) => self.leave_loop(node, value.as_deref()),
            ExprKind::Continue => self.next_turn(node),
            ExprKind::Return(value) => {
                self.value_or_unit(node, value.as_deref());
                self.emit(node, Op::Return);
            }
            ExprKind::Assign(place, value) => {
                let keys = self.keys(place);
                self.expr(value);
                self.write(node, place, &keys);
                self.emit(node, Op::Unit);
            }
            ExprKind::Call(function, arguments) => self.call(node, *function, arguments),
            ExprKind::Perform(name, arguments) => {
                self.exprs(arguments);
                let name = intern(&mut self.code.names, name);
                self.emit(node, Op::Perform(name, arguments.len() as u32));
            }
            ExprKind::Prim(prim, operands) => self.prim(node, *prim, operands, &expr.ty),
            ExprKind::Mutate(mutation, place, operands) => {
                let keys = self.keys(place);
                self.read_with(node, place, &keys);
                self.exprs(operands);
                self.emit(node, Op::Mutate(*mutation, operands.len() as u32));
                self.emit(node, Op::Swap);
                self.write(node, place, &keys);
            }
            ExprKind::Each(each, sequence, pattern, body) => self.each(node, *each, sequence, pattern, body),
            ExprKind::Maybe => drop(self.emit(node, Op::Maybe)),
            ExprKind::Any => {
                let ty = intern(&mut self.code.types, &expr.ty);
                self.emit(node, Op::Any(ty));
            }
            ExprKind::Choose(sequence) => {
                self.expr(sequence);
                self.emit(node, Op::Choose);
            }
            ExprKind::When(condition) => self.effect(node, condition, Op::When),
            ExprKind::Assert(condition) => self.effect(node, condition, Op::Assert),
            ExprKind::Emit(value) => {
                intern(&mut self.code.events, &("emit".to_owned(), vec![value.ty.clone()]));
                self.effect(node, value, Op::Emit);
            }
            ExprKind::External => {
                let name = self.function.name.rsplit("::").next().unwrap_or_default().to_owned();
                let parameters = self.function.parameters as usize;
                // The state and the process come first.
                let arguments = self.function.locals[2.min(parameters)..parameters].iter().map(|it| it.ty.clone());
                let parts = vec![Type::Tuple(arguments.collect()), self.function.result.clone()];
                intern(&mut self.code.events, &(name.clone(), parts));
                let name = intern(&mut self.code.names, &name);
                let ty = intern(&mut self.code.types, &self.function.result);
                self.emit(node, Op::External(name, ty));
            }
            ExprKind::Unsupported => drop(self.emit(node, Op::Unsupported)),
        }
    }

    fn exprs(&mut self, exprs: &[Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn value_or_unit(&mut self, node: NodeId, value: Option<&Expr>) {
        match value {
            Some(value) => self.expr(value),
            None => drop(self.emit(node, Op::Unit)),
        }
    }

    fn effect(&mut self, node: NodeId, operand: &Expr, op: Op) {
        self.expr(operand);
        self.emit(node, op);
        self.emit(node, Op::Unit);
    }

    fn literal(&mut self, node: NodeId, literal: &Literal) {
        let op = match literal {
            Literal::Bool(it) => Op::Bool(*it),
            _ => Op::Literal(intern(&mut self.code.literals, literal)),
        };
        self.emit(node, op);
    }

    fn block(&mut self, node: NodeId, statements: &[Stmt], value: Option<&Expr>) {
        for statement in statements {
            match statement {
                Stmt::Let(pattern, value) => {
                    self.expr(value);
                    self.bind(node, pattern);
                }
                Stmt::Expr(expr) => {
                    self.expr(expr);
                    self.emit(expr.node, Op::Pop);
                }
            }
        }
        self.value_or_unit(node, value);
    }

    fn conditional(&mut self, node: NodeId, condition: &Expr, then: &Expr, otherwise: &Expr) {
        self.expr(condition);
        let to_else = self.emit(node, Op::JumpIfFalse(0));
        self.emit(then.node, Op::Branch);
        self.expr(then);
        let to_end = self.emit(node, Op::Jump(0));
        self.land(to_else);
        self.emit(otherwise.node, Op::Branch);
        self.expr(otherwise);
        self.land(to_end);
    }

    fn shortcut(&mut self, node: NodeId, left: &Expr, right: &Expr, answer: bool) {
        self.expr(left);
        let short = self.emit(node, if answer { Op::JumpIfTrue(0) } else { Op::JumpIfFalse(0) });
        self.expr(right);
        let to_end = self.emit(node, Op::Jump(0));
        self.land(short);
        self.emit(node, Op::Bool(answer));
        self.land(to_end);
    }

    fn prim(&mut self, node: NodeId, prim: Prim, operands: &[Expr], ty: &Type) {
        self.exprs(operands);
        // A sign would separate the digits from the text before them.
        if prim == Prim::Text && matches!(operands[0].ty, Type::Int { signed: true, .. }) {
            self.emit(node, Op::Unsupported);
            return;
        }
        let ty = if prim.is_about_operand() { &operands[0].ty } else { ty };
        let ty = intern(&mut self.code.types, ty);
        self.emit(node, Op::Prim(prim, operands.len() as u32, ty));
    }
}
