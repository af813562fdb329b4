//! Inlines helpers that make calls of the layer below in loops.
//!
//! The rules about loops of a procedure are rules about its own loops. So a helper over the layer below that contains a `loop` or a
//! `while` around such calls, itself or in a helper of its own, becomes part of the procedure. With `x1 …` for its parameters and `p` for
//! the place of an in-out argument:
//!
//! ```text
//! helper(e, &mut p[k])   is   { let x1 = e; let index = k; let x2 = p[index]; let result = BODY; p[index] = x2; result }
//! ```
//!
//! `BODY` is the body of the helper, with new numbers for its locals and nodes. Arguments are evaluated in order, and the keys of a place
//! once, as in a call. A call begins with new locals; `BODY` keeps what an earlier turn left in them, but reads none of them before it is
//! assigned, which rustc ensures.
//!
//! The IR has no labels, so a `return` has to be replaced by something that means the same: see [`Returns`]. A helper with any other
//! `return` is not inlined, and neither are helpers that recur or are too deep or too large. These stay calls.

use std::{collections::HashMap, mem, rc::Rc, sync::Arc};

use super::spot::Spot;
use crate::ir::{
    Argument, Arm, Code, Expr, ExprKind, Function, FunctionId, FunctionKind, Justification, Literal, Local, LocalId,
    NodeId, Pattern, Place, Program, SourceMap, Stmt, Type,
};

/// The most helpers that call each other.
const MOST_LEVELS: u32 = 8;

/// The most nodes of a function with its helpers.
const MOST_NODES: usize = 5_000;

/// The deepest nesting of a function with its helpers.
const MOST_NESTED: usize = 150;

/// The program with helpers inlined into the procedures of implementations.
pub(super) fn helpers(program: &Arc<Program>, places: &mut SourceMap<Spot>) -> Arc<Program> {
    let inlinable = inlinable(program);
    if !inlinable.contains(&true) {
        return Arc::clone(program);
    }
    let procedures = program.implementations.iter().filter_map(|it| match &it.by {
        Justification::Movers(code) | Justification::Retry(code) => Some(code),
        Justification::Partition(partition) => Some(&partition.code),
        // Nothing is proved of the procedures of a search.
        Justification::Abstraction(_) | Justification::Search(_) => None,
    });
    let procedures = procedures.flat_map(|it| it.values()).filter_map(|it| match it {
        Code::Procedure(id) => Some(*id),
        Code::Pass => None,
    });
    let mut inliner = Inliner { program, nodes: &places.nodes.clone(), inlinable, helpers: HashMap::new() };
    let mut functions = program.functions.clone();
    for id in procedures {
        let before = places.nodes[id.0 as usize].len();
        let Whole { function, nodes } = inliner.whole(id);
        if nodes.len() > before {
            functions[id.0 as usize] = Arc::new(function);
            places.nodes[id.0 as usize] = nodes.into();
        }
    }
    Arc::new(Program { functions, ..Program::clone(program) })
}

/// For each function, whether it makes calls of the layer below in loops and does not recur, by the text of the functions that it calls.
fn inlinable(program: &Program) -> Vec<bool> {
    let called: Vec<Vec<FunctionId>> = program.functions.iter().map(|it| called(&it.body)).collect();
    let calls_one_of = |function: usize, of: &[bool]| called[function].iter().any(|it| of[it.0 as usize]);
    let with_callers = |mut found: Vec<bool>| loop {
        let more = (0..found.len()).map(|it| found[it] || calls_one_of(it, &found)).collect();
        if mem::replace(&mut found, more) == found {
            return found;
        }
    };
    let performs = with_callers(program.functions.iter().map(|it| contains(&it.body, &is_perform)).collect());
    let acts = |it: &Expr| is_perform(it) || matches!(it.kind, ExprKind::Call(id, _) if performs[id.0 as usize]);
    let is_loop_of_calls =
        |it: &Expr| matches!(it.kind, ExprKind::While(..) | ExprKind::Loop(_)) && contains(it, &acts);
    let loops = with_callers(program.functions.iter().map(|it| contains(&it.body, &is_loop_of_calls)).collect());
    // Those from which this many calls lead to others of them. All that recur are among these.
    let mut tall = loops.clone();
    for _ in 0..MOST_LEVELS {
        tall = (0..tall.len()).map(|it| loops[it] && calls_one_of(it, &tall)).collect();
    }
    let over_a_layer = program.functions.iter().map(|it| it.kind != FunctionKind::Plain && it.result != Type::Never);
    over_a_layer.zip(loops).zip(tall).map(|((is_over, loops), tall)| is_over && loops && !tall).collect()
}

fn called(expr: &Expr) -> Vec<FunctionId> {
    fn collect(expr: &Expr, found: &mut Vec<FunctionId>) {
        if let ExprKind::Call(callee, _) = expr.kind {
            found.push(callee);
        }
        expr.for_each_child(&mut |it| collect(it, found));
    }
    let mut found = Vec::new();
    collect(expr, &mut found);
    found
}

/// Whether such an expression is in this one, or is this one.
fn contains(expr: &Expr, is: &dyn Fn(&Expr) -> bool) -> bool {
    let mut found = is(expr);
    expr.for_each_child(&mut |it| found = found || contains(it, is));
    found
}

fn is_perform(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Perform(..))
}

fn nesting(expr: &Expr) -> usize {
    let mut deepest = 0;
    expr.for_each_child(&mut |it| deepest = deepest.max(nesting(it)));
    deepest + 1
}

/// A function with its helpers inlined, and the spots of its nodes.
struct Whole {
    function: Function,
    nodes: Vec<Spot>,
}

impl Whole {
    fn make(&mut self, spot: Spot, ty: Type, kind: ExprKind) -> Expr {
        self.nodes.push(spot);
        Expr { node: NodeId(self.nodes.len() as u32 - 1), ty, kind }
    }

    fn local(&mut self, name: &str, ty: Type) -> LocalId {
        self.function.locals.push(Local { name: name.to_owned(), ty, inout: false });
        LocalId(self.function.locals.len() as u32 - 1)
    }

    /// The same place, with its keys evaluated by these statements.
    fn pinned(&mut self, mut place: Place, statements: &mut Vec<Stmt>) -> Place {
        place.for_each_key_mut(&mut |key| {
            let local = self.local("index", key.ty.clone());
            let read = self.make(self.nodes[key.node.0 as usize], key.ty.clone(), read(local));
            statements.push(Stmt::Let(Pattern::Bind(local), mem::replace(key, read)));
        });
        place
    }
}

fn read(local: LocalId) -> ExprKind {
    ExprKind::Read(Place { local, path: Vec::new() })
}

struct Inliner<'p> {
    program: &'p Program,
    nodes: &'p [Arc<[Spot]>],
    /// Whether each function may be inlined, if its form allows it.
    inlinable: Vec<bool>,
    /// The helpers without `return`; `None` for those of another form.
    helpers: HashMap<FunctionId, Option<Rc<Whole>>>,
}

impl Inliner<'_> {
    /// A function with its helpers inlined.
    fn whole(&mut self, id: FunctionId) -> Whole {
        let mut function = Function::clone(&self.program.functions[id.0 as usize]);
        let nothing = Expr { node: NodeId(0), ty: Type::Never, kind: ExprKind::Unsupported };
        let mut body = mem::replace(&mut function.body, nothing);
        let mut whole = Whole { function, nodes: self.nodes[id.0 as usize].to_vec() };
        self.inline(&mut whole, &mut body, 0);
        whole.function.body = body;
        whole
    }

    /// The helper with its own helpers inlined and without `return`.
    fn helper(&mut self, id: FunctionId) -> Option<Rc<Whole>> {
        if let Some(known) = self.helpers.get(&id) {
            return known.clone();
        }
        let Whole { function, mut nodes } = self.whole(id);
        let body = Returns { result: &function.result, nodes: &mut nodes }.value(function.body.clone());
        let helper = body.map(|body| Rc::new(Whole { function: Function { body, ..function }, nodes }));
        self.helpers.insert(id, helper.clone());
        helper
    }

    /// Inlines the calls in an expression. A closure of an iterator makes no calls of the layer below by itself, and is left as it is.
    fn inline(&mut self, whole: &mut Whole, expr: &mut Expr, depth: usize) {
        if let ExprKind::Each(_, sequence, ..) = &mut expr.kind {
            return self.inline(whole, sequence, depth + 1);
        }
        expr.for_each_child_mut(&mut |it| self.inline(whole, it, depth + 1));
        let ExprKind::Call(callee, _) = expr.kind else { return };
        let is_over_the_same = self.program.functions[callee.0 as usize].kind == whole.function.kind;
        if !is_over_the_same || !self.inlinable[callee.0 as usize] {
            return;
        }
        let Some(helper) = self.helper(callee) else { return };
        let nested = depth + nesting(expr) + nesting(&helper.function.body);
        if nested <= MOST_NESTED && whole.nodes.len() + helper.nodes.len() <= MOST_NODES {
            replace(whole, expr, &helper);
        }
    }
}

/// Replaces a call by the body of the helper.
fn replace(whole: &mut Whole, call: &mut Expr, helper: &Whole) {
    let ExprKind::Call(_, arguments) = mem::replace(&mut call.kind, ExprKind::Unsupported) else { return };
    let shift = Shift { local: whole.function.locals.len() as u32, node: whole.nodes.len() as u32 };
    let spot = whole.nodes[call.node.0 as usize];
    whole.nodes.extend(&helper.nodes);
    whole.function.locals.extend(helper.function.locals.iter().map(|it| Local { inout: false, ..it.clone() }));
    let (mut statements, mut changed) = (Vec::new(), Vec::new());
    for (argument, (number, parameter)) in arguments.into_iter().zip((shift.local..).zip(&helper.function.locals)) {
        let value = match argument {
            Argument::Value(value) => value,
            Argument::InOut(place) => {
                let place = whole.pinned(place, &mut statements);
                changed.push((place.clone(), LocalId(number), parameter.ty.clone()));
                whole.make(spot, parameter.ty.clone(), ExprKind::Read(place))
            }
        };
        statements.push(Stmt::Let(Pattern::Bind(LocalId(number)), value));
    }
    let mut body = helper.function.body.clone();
    shift.expr(&mut body);
    let value = if changed.is_empty() {
        body
    } else {
        let result = whole.local("result", helper.function.result.clone());
        statements.push(Stmt::Let(Pattern::Bind(result), body));
        // In the order of a call, though the places are disjoint.
        for (place, parameter, ty) in changed.into_iter().rev() {
            let value = Box::new(whole.make(spot, ty, read(parameter)));
            statements.push(Stmt::Expr(whole.make(spot, Type::UNIT, ExprKind::Assign(place, value))));
        }
        whole.make(spot, helper.function.result.clone(), read(result))
    };
    call.kind = ExprKind::Block(statements, Some(Box::new(value)));
}

/// Gives new numbers to the locals and nodes of an expression.
struct Shift {
    local: u32,
    node: u32,
}

impl Shift {
    fn expr(&self, expr: &mut Expr) {
        expr.node.0 += self.node;
        match &mut expr.kind {
            ExprKind::Read(place) | ExprKind::Assign(place, _) | ExprKind::Mutate(_, place, _) => {
                place.local.0 += self.local;
            }
            ExprKind::Call(_, arguments) => arguments.iter_mut().for_each(|it| match it {
                Argument::InOut(place) => place.local.0 += self.local,
                Argument::Value(_) => {}
            }),
            ExprKind::Block(statements, _) => statements.iter_mut().for_each(|it| match it {
                Stmt::Let(pattern, _) => self.pattern(pattern),
                Stmt::Expr(_) => {}
            }),
            ExprKind::Match(_, arms) => arms.iter_mut().for_each(|it| self.pattern(&mut it.pattern)),
            ExprKind::For(pattern, ..) | ExprKind::Each(_, _, pattern, _) => self.pattern(pattern),
            _ => {}
        }
        expr.for_each_child_mut(&mut |it| self.expr(it));
    }

    fn pattern(&self, pattern: &mut Pattern) {
        match pattern {
            Pattern::Wild | Pattern::Literal(_) | Pattern::Range(_) => {}
            Pattern::Bind(local) => local.0 += self.local,
            Pattern::At(local, inner) => {
                local.0 += self.local;
                self.pattern(inner);
            }
            Pattern::Tuple(all) | Pattern::Variant(_, all) | Pattern::Or(all) => {
                all.iter_mut().for_each(|it| self.pattern(it));
            }
        }
    }
}

/// Turns the body of a function into an expression with the same value and without `return`.
///
/// * `return v` at the end of the body is `v`.
/// * In a loop at the end of the body, but in no loop inside it, `return v` is `break v`. The loop has to have the type of the result: it
///   is a `loop`, or the function returns `()`.
/// * A branch that always returns, before other statements: the other branch continues with these.
///
/// ```text
/// if c { return v; } rest                     is   if c { v } else { rest }
/// let x = match m { P => e, Q => return v }; rest   is   match m { P => { let x = e; rest } Q => v }
/// ```
struct Returns<'a> {
    result: &'a Type,
    nodes: &'a mut Vec<Spot>,
}

impl Returns<'_> {
    /// The value of an expression at the end of the body. `None` if it is of another form.
    fn value(&mut self, expr: Expr) -> Option<Expr> {
        if !has_return(&expr) {
            return Some(expr);
        }
        let is_unit = *self.result == Type::UNIT;
        let Expr { node, kind, .. } = expr;
        let kind = match kind {
            ExprKind::Return(None) => ExprKind::Tuple(Vec::new()),
            ExprKind::Return(Some(value)) => return (!has_return(&value)).then_some(*value),
            ExprKind::Block(statements, value) => return self.block(node, statements, value),
            ExprKind::If(condition, then, otherwise) if !has_return(&condition) => {
                let (then, otherwise) = (self.value(*then)?, self.value(*otherwise)?);
                ExprKind::If(condition, Box::new(then), Box::new(otherwise))
            }
            ExprKind::Match(value, arms) if !has_return(&value) => {
                let arms: Option<_> = arms.into_iter().map(|it| self.arm(it)).collect();
                ExprKind::Match(value, arms?)
            }
            ExprKind::Loop(body) => ExprKind::Loop(breaking(body)?),
            ExprKind::While(condition, body) if is_unit && !has_return(&condition) => {
                ExprKind::While(condition, breaking(body)?)
            }
            ExprKind::For(pattern, sequence, body) if is_unit && !has_return(&sequence) => {
                ExprKind::For(pattern, sequence, breaking(body)?)
            }
            _ => return None,
        };
        Some(Expr { node, ty: self.result.clone(), kind })
    }

    fn arm(&mut self, arm: Arm) -> Option<Arm> {
        if arm.guard.as_ref().is_some_and(has_return) {
            return None;
        }
        Some(Arm { body: self.value(arm.body)?, ..arm })
    }

    fn block(&mut self, node: NodeId, mut statements: Vec<Stmt>, value: Option<Box<Expr>>) -> Option<Expr> {
        let returns = |it: &Stmt| match it {
            Stmt::Let(_, value) | Stmt::Expr(value) => has_return(value),
        };
        let value = match statements.iter().position(returns) {
            None => self.value(*value?)?,
            Some(at) => {
                let rest = statements.split_off(at + 1);
                match statements.pop()? {
                    Stmt::Expr(last) if rest.is_empty() && value.is_none() => {
                        let is_unit = *self.result == Type::UNIT && [Type::Never, Type::UNIT].contains(&last.ty);
                        if !is_unit && !leaves(&last) {
                            return None;
                        }
                        self.value(last)?
                    }
                    Stmt::Expr(branches) => self.early(None, branches, rest, value)?,
                    Stmt::Let(pattern, branches) => self.early(Some(pattern), branches, rest, value)?,
                }
            }
        };
        Some(Expr { node, ty: self.result.clone(), kind: ExprKind::Block(statements, Some(Box::new(value))) })
    }

    /// Branches of which all but one return, before other statements.
    fn early(
        &mut self,
        pattern: Option<Pattern>,
        branches: Expr,
        rest: Vec<Stmt>,
        value: Option<Box<Expr>>,
    ) -> Option<Expr> {
        let mut rest = Some((pattern, rest, value));
        let mut branch = |this: &mut Self, branch: Expr| {
            if leaves(&branch) {
                return this.value(branch);
            }
            let (pattern, rest, value) = rest.take().filter(|_| !has_return(&branch))?;
            this.nodes.push(this.nodes[branch.node.0 as usize]);
            let node = NodeId(this.nodes.len() as u32 - 1);
            let first = match pattern {
                Some(pattern) => Stmt::Let(pattern, branch),
                None => Stmt::Expr(branch),
            };
            let all = [first].into_iter().chain(rest).collect();
            this.value(Expr { node, ty: this.result.clone(), kind: ExprKind::Block(all, value) })
        };
        let kind = match branches.kind {
            ExprKind::If(condition, then, otherwise) if !has_return(&condition) => {
                let (then, otherwise) = (branch(self, *then)?, branch(self, *otherwise)?);
                ExprKind::If(condition, Box::new(then), Box::new(otherwise))
            }
            ExprKind::Match(value, arms) if !has_return(&value) => {
                let arm = |it: Arm| match &it.guard {
                    Some(guard) if has_return(guard) => None,
                    _ => Some(Arm { body: branch(self, it.body)?, ..it }),
                };
                let arms: Option<_> = arms.into_iter().map(arm).collect();
                ExprKind::Match(value, arms?)
            }
            _ => return None,
        };
        Some(Expr { node: branches.node, ty: self.result.clone(), kind })
    }
}

fn has_return(expr: &Expr) -> bool {
    contains(expr, &|it| matches!(it.kind, ExprKind::Return(_)))
}

/// Whether an expression never ends with a value, by its form.
fn leaves(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Return(_) => true,
        ExprKind::Assert(condition) => condition.kind == ExprKind::Literal(Literal::Bool(false)),
        ExprKind::Block(statements, value) => {
            let leaves_in = |it: &Stmt| match it {
                Stmt::Let(_, value) | Stmt::Expr(value) => leaves(value),
            };
            statements.iter().any(leaves_in) || value.as_deref().is_some_and(leaves)
        }
        ExprKind::If(_, then, otherwise) => leaves(then) && leaves(otherwise),
        ExprKind::Match(_, arms) => !arms.is_empty() && arms.iter().all(|it| leaves(&it.body)),
        ExprKind::Loop(body) => !contains(body, &|it| matches!(it.kind, ExprKind::Break(_))),
        _ => false,
    }
}

/// The body of a loop, with `break` for `return`. `None` if a loop inside it returns: a `break` would leave that one.
fn breaking(mut body: Box<Expr>) -> Option<Box<Expr>> {
    fn replace(expr: &mut Expr) -> bool {
        if matches!(expr.kind, ExprKind::Loop(_) | ExprKind::While(..) | ExprKind::For(..) | ExprKind::Each(..)) {
            return !has_return(expr);
        }
        let mut all = true;
        expr.for_each_child_mut(&mut |it| all &= replace(it));
        if let ExprKind::Return(value) = &mut expr.kind {
            expr.kind = ExprKind::Break(value.take());
        }
        all
    }
    replace(&mut body).then_some(body)
}
