//! The phase of each call of a procedure: a right mover before the commit point, the commit point, or a left mover after it.
//!
//! This module reads the text, path by path, with the mover types that the engine inferred. It explains a procedure; the engine decides
//! whether its shape is right.

use cspec_analysis::ir::{
    Argument, Code, Expr, ExprKind, FunctionId, ImplementationId, Justification, LayerId, NodeId, Program, Span,
};

use super::{Matrix, Spot, mover_of};
use crate::{mentions::Symbol, session::Session};

/// A call and its phases; more than one if paths differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPhase {
    /// The name of the operation in the call.
    pub span: Span,
    /// Whether it may come before the commit point.
    pub right: bool,
    /// Whether it may be the commit point.
    pub commit: bool,
    /// Whether it may come after the commit point.
    pub left: bool,
}

impl CallPhase {
    /// The phases in a word or two.
    pub fn name(&self) -> String {
        let names = [(self.right, "right"), (self.commit, "commit"), (self.left, "left")];
        let names: Vec<_> = names.iter().filter(|(it, _)| *it).map(|(_, name)| *name).collect();
        names.join("/")
    }

    /// The phases in a sentence.
    pub fn explanation(&self) -> &'static str {
        match (self.right, self.commit, self.left) {
            (true, false, false) => {
                "phase: **right** — before the commit point; it moves right past the steps of others"
            }
            (false, true, false) => "phase: **commit** — the point at which the procedure takes effect",
            (false, false, true) => {
                "phase: **left** — after the commit point; it must move left past the steps of others"
            }
            _ => "phase: depends on the path taken",
        }
    }
}

/// The phases of all calls in the mover procedures of a package.
pub fn of_package(session: &Session, spot: &Spot) -> Vec<CallPhase> {
    let matrix = spot.movers(session);
    let program = spot.program();
    let mut found = Vec::new();
    for (index, implementation) in program.implementations.iter().enumerate() {
        let Justification::Movers(code) = &implementation.by else { continue };
        let upper = &program.layers[implementation.upper.0 as usize];
        for (operation, it) in upper.operations.iter().enumerate() {
            let Some(Code::Procedure(function)) = code.get(&it.name) else { continue };
            let symbol = Symbol::Procedure(ImplementationId(index as u32), operation);
            let walk = Walk { program, matrix, lower: implementation.lower, calls: Vec::new(), depth: 0 };
            for (node, phases) in walk.procedure(*function) {
                let whole = spot.package.facts.source_map().nodes[function.0 as usize].get(node.0 as usize).copied();
                let Some(whole) = whole else { continue };
                let calls = spot.package.mentions().calls().iter().filter(|it| it.by == Some(symbol));
                let inside = |it: &Span| it.file == whole.file && it.start >= whole.start && it.end <= whole.end;
                if let Some(call) = calls.rev().find(|it| inside(&it.span)) {
                    found.push(CallPhase {
                        span: call.span,
                        right: phases.right,
                        commit: phases.commit,
                        left: phases.left,
                    });
                }
            }
        }
    }
    found
}

/// The phases in which a call occurs, over all paths.
#[derive(Clone, Copy, Debug, Default)]
struct Phases {
    right: bool,
    commit: bool,
    left: bool,
}

/// The possible states of a procedure at a point: before the commit point, after it, or unreachable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reached {
    before: bool,
    after: bool,
}

impl Reached {
    fn or(self, other: Reached) -> Reached {
        Reached { before: self.before || other.before, after: self.after || other.after }
    }
}

struct Walk<'a> {
    program: &'a Program,
    matrix: &'a Matrix,
    lower: LayerId,
    /// The calls of the procedure itself, not of its helpers.
    calls: Vec<(NodeId, Phases)>,
    depth: u32,
}

impl Walk<'_> {
    fn procedure(mut self, function: FunctionId) -> Vec<(NodeId, Phases)> {
        let program = self.program;
        self.expr(&program.functions[function.0 as usize].body, Reached { before: true, after: false });
        self.calls
    }

    /// The possible states after an expression that starts in `reached`.
    fn expr(&mut self, expr: &Expr, reached: Reached) -> Reached {
        match &expr.kind {
            ExprKind::Perform(name, arguments) => {
                let reached = arguments.iter().fold(reached, |reached, it| self.expr(it, reached));
                self.perform(expr.node, name, reached)
            }
            ExprKind::If(condition, then, otherwise) => {
                let reached = self.expr(condition, reached);
                self.expr(then, reached).or(self.expr(otherwise, reached))
            }
            ExprKind::And(first, second) | ExprKind::Or(first, second) => {
                let reached = self.expr(first, reached);
                reached.or(self.expr(second, reached))
            }
            ExprKind::Match(value, arms) => {
                let reached = self.expr(value, reached);
                let ends = arms.iter().map(|arm| {
                    let reached = arm.guard.iter().fold(reached, |reached, it| self.expr(it, reached));
                    self.expr(&arm.body, reached)
                });
                ends.fold(Reached::default(), Reached::or)
            }
            ExprKind::While(_, _) | ExprKind::Loop(_) | ExprKind::For(..) | ExprKind::Each(..) => {
                // Two passes suffice, since there are only two states.
                let once = self.children(expr, reached).or(reached);
                self.children(expr, once).or(once)
            }
            ExprKind::Return(_) => {
                self.children(expr, reached);
                Reached::default()
            }
            ExprKind::Call(function, arguments) => {
                let values = arguments.iter().filter_map(|it| match it {
                    Argument::Value(value) => Some(value),
                    Argument::InOut(_) => None,
                });
                let reached = values.fold(reached, |reached, it| self.expr(it, reached));
                self.helper(*function, reached)
            }
            _ => self.children(expr, reached),
        }
    }

    fn children(&mut self, expr: &Expr, reached: Reached) -> Reached {
        let mut reached = reached;
        expr.for_each_child(&mut |child| reached = self.expr(child, reached));
        reached
    }

    fn helper(&mut self, function: FunctionId, reached: Reached) -> Reached {
        const DEEP: u32 = 16;
        if self.depth == DEEP {
            return reached;
        }
        self.depth += 1;
        let calls = std::mem::take(&mut self.calls);
        let program = self.program;
        let end = self.expr(&program.functions[function.0 as usize].body, reached);
        self.calls = calls;
        self.depth -= 1;
        end
    }

    fn perform(&mut self, node: NodeId, name: &str, reached: Reached) -> Reached {
        let operations = &self.program.layers[self.lower.0 as usize].operations;
        let operation = operations.iter().position(|it| it.name == name);
        let movers = operation.and_then(|it| mover_of(self.matrix, self.lower, it));
        let is_right = movers.and_then(|it| it.right) == Some(true);
        let phases =
            Phases { right: reached.before && is_right, commit: reached.before && !is_right, left: reached.after };
        match self.calls.iter_mut().find(|(it, _)| *it == node) {
            Some((_, known)) => {
                known.right |= phases.right;
                known.commit |= phases.commit;
                known.left |= phases.left;
            }
            None => self.calls.push((node, phases)),
        }
        Reached { before: reached.before && is_right, after: reached.after || (reached.before && !is_right) }
    }
}
