//! From the IR to [`Code`]: a straightforward translation, and the `step` of each operation, which is where background steps, invariants
//! and protocols become part of what an operation does.

use super::{
    cells::has_unknown_total,
    code::{Code, CodeFunction, CodeId, Glue, Op},
    panics::{Quiet, might_panic},
};
use crate::ir::{
    Argument, Each, Expr, ExprKind, Function, FunctionId, Justification, Layer, Literal, NodeId, Operation,
    PartitionEnd, Pattern, Place, Prim, Program, Projection, Stmt, Type, TypeDefKind,
};

/// Compiles a whole program.
pub fn compile(program: &Program) -> Code {
    let mut code = Code::default();
    let quiet = [Quiet::new(program, false), Quiet::new(program, true)];
    for (index, function) in program.functions.iter().enumerate() {
        let compiled = FunctionCompiler::new(&mut code, &quiet, function).compile(FunctionId(index as u32));
        code.functions.push(compiled);
    }
    for layer in &program.layers {
        compile_layer(program, layer, &mut code);
    }
    for implementation in &program.implementations {
        let glue = compile_glue(&implementation.by, &mut code);
        code.glue.push(glue);
    }
    mark_panics(program, &mut code);
    let fields = program.types.iter().flat_map(|it| match &it.kind {
        TypeDefKind::Scalar => Vec::new(),
        TypeDefKind::Struct(fields) => fields.iter().collect(),
        TypeDefKind::Enum(variants) => variants.iter().flat_map(|it| &it.fields).collect(),
    });
    let locals = program.functions.iter().flat_map(|it| &it.locals).map(|it| &it.ty);
    let mut types = fields.map(|it| &it.ty).chain(locals);
    code.has_unknown_total = types.any(|ty| has_unknown_total(program, ty));
    code
}

fn compile_layer(program: &Program, layer: &Layer, code: &mut Code) {
    let invariant = conjunction(program, code, &format!("{}::invariant", layer.name), &layer.invariants, 1);
    let mut init = layer.invariants.clone();
    init.extend(layer.init);
    let init = conjunction(program, code, &format!("{}::init", layer.name), &init, 1);
    let mut steps = Vec::new();
    let mut cores = Vec::new();
    let mut allowed = Vec::new();
    for operation in &layer.operations {
        let parameters = program.functions[operation.function.0 as usize].parameters as usize;
        let name = format!("{}::{}", layer.name, operation.name);
        let is_allowed = conjunction(program, code, &name, &operation.allowed, parameters);
        allowed.push(is_allowed);
        let step = compile_step(program, layer, operation, is_allowed, true, code);
        let core = match layer.background {
            Some(_) => compile_step(program, layer, operation, is_allowed, false, code),
            None => step,
        };
        steps.push(step);
        cores.push(core);
    }
    code.steps.push(steps);
    code.cores.push(cores);
    code.allowed.push(allowed);
    code.invariant.push(invariant);
    code.init.push(init);
    code.background.push(layer.background.map(|it| code.function(it)));
}

/// `fn(p0, …) -> bool`: all of `functions` hold, each of its first few parameters.
fn conjunction(program: &Program, code: &mut Code, name: &str, functions: &[FunctionId], parameters: usize) -> CodeId {
    let mut ops = Vec::new();
    let mut exits = Vec::new();
    for function in functions {
        let taken = program.functions[function.0 as usize].parameters as usize;
        ops.extend((0..taken.min(parameters)).map(|it| Op::Load(it as u32)));
        ops.push(Op::Call(function.0));
        exits.push(ops.len());
        ops.push(Op::JumpIfFalse(0));
    }
    ops.extend([Op::Bool(true), Op::Return]);
    let no = ops.len() as u32;
    ops.extend([Op::Bool(false), Op::Return]);
    for exit in exits {
        ops[exit] = Op::JumpIfFalse(no);
    }
    generated(code, name.to_owned(), parameters, parameters, vec![], ops)
}

/// One step of an operation as the layer takes it: invariants, background, protocol, the operation itself, background, invariants.
fn compile_step(
    program: &Program,
    layer: &Layer,
    operation: &Operation,
    is_allowed: CodeId,
    with_background: bool,
    code: &mut Code,
) -> CodeId {
    let function = &program.functions[operation.function.0 as usize];
    let parameters = function.parameters as usize;
    let result = parameters as u32;
    let mut ops = Vec::new();
    let background = |ops: &mut Vec<Op>| {
        if let (Some(background), true) = (layer.background, with_background) {
            ops.extend([Op::Load(0), Op::Call(background.0), Op::Pop, Op::Store(0)]);
        }
    };
    let invariants = |ops: &mut Vec<Op>| {
        for invariant in &layer.invariants {
            ops.extend([Op::Load(0), Op::Call(invariant.0), Op::When]);
        }
    };
    invariants(&mut ops);
    background(&mut ops);
    let mut refused = None;
    if !operation.allowed.is_empty() {
        ops.extend((0..parameters).map(|it| Op::Load(it as u32)));
        ops.push(Op::Call(is_allowed as u32));
        if layer.protocol.as_ref().is_some_and(|it| it.nilpotent) {
            refused = Some(ops.len());
            ops.push(Op::JumpIfFalse(0));
        } else {
            ops.push(Op::When);
        }
    }
    call_operation(function, operation, result, &mut ops);
    background(&mut ops);
    invariants(&mut ops);
    ops.extend([Op::Load(result), Op::Return]);
    if let Some(at) = refused {
        ops[at] = Op::JumpIfFalse(ops.len() as u32);
        let ty = intern(&mut code.types, &function.result);
        ops.extend([Op::Any(ty), Op::Return]);
    }
    generated(code, format!("{}::{}", layer.name, operation.name), parameters, parameters + 1, vec![0], ops)
}

/// Calls the operation on its component of the state in local 0, and stores what it returned.
fn call_operation(function: &Function, operation: &Operation, result: u32, ops: &mut Vec<Op>) {
    ops.push(Op::Load(0));
    ops.extend(operation.component.iter().map(|field| Op::Field(*field)));
    ops.extend((1..function.parameters).map(Op::Load));
    ops.push(Op::Call(operation.function.0));
    ops.push(Op::Store(result));
    let changes_state = function.locals.first().is_some_and(|state| state.inout) && !operation.external;
    if !changes_state {
        if function.locals.first().is_some_and(|state| state.inout) {
            ops.push(Op::Pop);
        }
        return;
    }
    // The changed component is on the stack; rebuild what encloses it, innermost first.
    let component = &operation.component;
    for depth in (0..component.len()).rev() {
        ops.push(Op::Load(0));
        ops.extend(component[..depth].iter().map(|field| Op::Field(*field)));
        ops.extend([Op::Swap, Op::SetField(component[depth])]);
    }
    ops.push(Op::Store(0));
}

/// What moves between the state for one key and that for all.
fn compile_glue(by: &Justification, code: &mut Code) -> Option<Glue> {
    let Justification::Partition(partition) = by else { return None };
    let bool = intern(&mut code.types, &Type::Bool);
    Some(match &partition.end {
        PartitionEnd::Bottom { slice } => {
            let any_slice = code.function(*slice);
            let (state, key, found) = (0, 1, 2);
            let ops = vec![
                Op::Load(state),
                Op::Load(key),
                Op::Call(any_slice as u32),
                Op::Store(found),
                Op::Load(found),
                Op::IsVariant(1),
                Op::When,
                Op::Load(found),
                Op::Payload(0),
                Op::Return,
            ];
            let slice = generated(code, "slice".to_owned(), 2, 3, vec![], ops);
            let ops = vec![Op::Load(0), Op::Load(1), Op::Prim(Prim::Ne, 2, bool), Op::Return];
            let differ = generated(code, "differ".to_owned(), 2, 2, vec![], ops);
            Glue::Bottom { any_slice, slice, differ }
        }
        PartitionEnd::Top { map } => {
            let fields: Vec<Op> = map.iter().map(|field| Op::Field(*field)).collect();
            let (state, key, found) = (0, 1, 2);
            let mut ops = vec![Op::Load(state)];
            ops.extend(&fields);
            ops.extend([Op::Store(found), Op::Load(found), Op::Load(key), Op::Prim(Prim::Contains, 2, bool), Op::When]);
            ops.extend([Op::Load(found), Op::Load(key), Op::Index, Op::Return]);
            let entry = generated(code, "entry".to_owned(), 2, 3, vec![], ops);
            let value = 2;
            let mut ops = vec![Op::Load(state)];
            ops.extend(&fields);
            ops.extend([Op::Load(key), Op::Load(value), Op::SetIndex]);
            for depth in (0..map.len()).rev() {
                ops.push(Op::Load(state));
                ops.extend(&fields[..depth]);
                ops.extend([Op::Swap, Op::SetField(map[depth])]);
            }
            ops.push(Op::Return);
            let with_entry = generated(code, "with_entry".to_owned(), 3, 3, vec![], ops);
            Glue::Top { entry, with_entry }
        }
    })
}

fn generated(
    code: &mut Code,
    name: String,
    parameters: usize,
    locals: usize,
    inout: Vec<usize>,
    ops: Vec<Op>,
) -> CodeId {
    let nodes = vec![NodeId(0); ops.len()];
    code.functions.push(CodeFunction { name, source: None, parameters, locals, inout, ops, nodes, might_panic: true });
    code.functions.len() - 1
}

/// Generated functions panic if what they call does; they are generated after it.
fn mark_panics(program: &Program, code: &mut Code) {
    let might = might_panic(program);
    for index in 0..code.functions.len() {
        let calls = code.functions[index].ops.iter().any(|op| match op {
            Op::Call(callee) => code.functions[*callee as usize].might_panic,
            _ => false,
        });
        code.functions[index].might_panic = might.get(index).copied().unwrap_or(calls);
    }
}

fn intern<T: Clone + PartialEq>(table: &mut Vec<T>, item: &T) -> u32 {
    let index = table.iter().position(|it| it == item).unwrap_or_else(|| {
        table.push(item.clone());
        table.len() - 1
    });
    index as u32
}

/// Where `break` and `continue` go.
struct LoopLabels {
    head: u32,
    breaks: Vec<usize>,
    /// Holds what `break` carries.
    result: u32,
    /// Holds how many operands there are outside of the loop.
    operands: u32,
}

struct FunctionCompiler<'c, 'f> {
    code: &'c mut Code,
    quiet: &'c [Quiet<'f>; 2],
    function: &'f Function,
    ops: Vec<Op>,
    nodes: Vec<NodeId>,
    locals: u32,
    loops: Vec<LoopLabels>,
}

impl<'c, 'f> FunctionCompiler<'c, 'f> {
    fn new(code: &'c mut Code, quiet: &'c [Quiet<'f>; 2], function: &'f Function) -> FunctionCompiler<'c, 'f> {
        let locals = function.locals.len() as u32;
        FunctionCompiler { code, quiet, function, ops: Vec::new(), nodes: Vec::new(), locals, loops: Vec::new() }
    }

    fn compile(mut self, source: FunctionId) -> CodeFunction {
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

    /// Points the jump at `at` here.
    fn land(&mut self, at: usize) {
        let here = self.here();
        match &mut self.ops[at] {
            Op::Jump(to) | Op::JumpIfFalse(to) | Op::JumpIfTrue(to) | Op::Next(_, _, to) => *to = here,
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
            ExprKind::Break(value) => {
                self.value_or_unit(node, value.as_deref());
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
            ExprKind::Continue => {
                let Some((head, operands)) = self.loops.last().map(|it| (it.head, it.operands)) else {
                    self.emit(node, Op::Unsupported);
                    return;
                };
                self.emit(node, Op::DropOperands(operands));
                self.emit(node, Op::Jump(head));
            }
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
            ExprKind::Emit(value) => self.effect(node, value, Op::Emit),
            ExprKind::External => {
                let name = self.function.name.rsplit("::").next().unwrap_or_default().to_owned();
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

    fn matching(&mut self, node: NodeId, value: &Expr, arms: &[crate::ir::Arm]) {
        self.expr(value);
        let subject = self.temporary();
        self.emit(node, Op::Store(subject));
        let mut ends = Vec::new();
        for arm in arms {
            let mut misses = Vec::new();
            self.test(arm.body.node, subject, &arm.pattern, &mut misses);
            if let Some(guard) = &arm.guard {
                self.expr(guard);
                misses.push(self.emit(guard.node, Op::JumpIfFalse(0)));
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

    /// Matches an irrefutable pattern with the value on the stack.
    fn bind(&mut self, node: NodeId, pattern: &Pattern) {
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

    /// Tests the value in `subject` and binds names; jumps that are taken if it does not fit are added to `misses`.
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

    fn while_loop(&mut self, node: NodeId, condition: &Expr, body: &Expr) {
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

    fn endless_loop(&mut self, node: NodeId, body: &Expr) {
        let result = self.temporary();
        self.emit(node, Op::Unit);
        self.emit(node, Op::Store(result));
        let operands = self.count_operands(node);
        let head = self.here();
        self.emit(node, Op::LoopHead);
        self.loop_body(node, (head, operands), result, body, vec![]);
        self.emit(node, Op::Load(result));
    }

    fn for_loop(&mut self, node: NodeId, pattern: &Pattern, sequence: &Expr, body: &Expr) {
        let (items, position) = self.iterate(node, sequence, Op::Ordered);
        let result = self.temporary();
        let operands = self.count_operands(node);
        let head = self.here();
        let exit = self.emit(node, Op::Next(items, position, 0));
        self.bind(node, pattern);
        self.loop_body(node, (head, operands), result, body, vec![exit]);
        self.emit(node, Op::Unit);
    }

    /// Keeps how many operands there are before a loop: `break` and `continue` may stand in the middle of an expression.
    fn count_operands(&mut self, node: NodeId) -> u32 {
        let operands = self.temporary();
        self.emit(node, Op::CountOperands(operands));
        operands
    }

    /// The body of a loop, back to its head, and the landing of all exits.
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

    /// What the body of a loop declared is dead at its head.
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

    /// Evaluates a sequence, as far as it has to be known; gives the locals that hold it and the position in it.
    fn iterate(&mut self, node: NodeId, sequence: &Expr, known: Op) -> (u32, u32) {
        self.expr(sequence);
        self.emit(node, known);
        let (items, position) = (self.temporary(), self.temporary());
        self.emit(node, Op::Store(items));
        let zero = intern(&mut self.code.literals, &Literal::Int(0));
        self.emit(node, Op::Literal(zero));
        self.emit(node, Op::Store(position));
        (items, position)
    }

    fn each(&mut self, node: NodeId, each: Each, sequence: &Expr, pattern: &Pattern, body: &Expr) {
        let [is_quiet, is_quiet_or_panics] = self.quiet.each_ref().map(|it| it.is_quiet(self.function, body));
        let order_shows = match each {
            Each::Map | Each::Filter => !is_quiet_or_panics,
            // Of what comes after the element that settles it nobody knows whether it has been run.
            Each::All | Each::Any => !is_quiet,
            Each::Find => true,
        };
        let known = if order_shows { Op::Ordered } else { Op::Resolved };
        let (items, position) = self.iterate(node, sequence, known);
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

    fn prim(&mut self, node: NodeId, prim: Prim, operands: &[Expr], ty: &Type) {
        self.exprs(operands);
        // A sign would stand between the digits and what is before them.
        if prim == Prim::Text && matches!(operands[0].ty, Type::Int { signed: true, .. }) {
            self.emit(node, Op::Unsupported);
            return;
        }
        // The machine needs the type of the operand for casts and negation, of the result for everything else.
        let ty = intern(&mut self.code.types, ty);
        self.emit(node, Op::Prim(prim, operands.len() as u32, ty));
    }

    fn call(&mut self, node: NodeId, function: FunctionId, arguments: &[Argument]) {
        let mut places = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Value(value) => self.expr(value),
                Argument::InOut(place) => {
                    let keys = self.keys(place);
                    self.read_with(node, place, &keys);
                    places.push((place, keys));
                }
            }
        }
        self.emit(node, Op::Call(function.0));
        if places.is_empty() {
            return;
        }
        let result = self.temporary();
        self.emit(node, Op::Store(result));
        for (place, keys) in places.into_iter().rev() {
            self.write(node, place, &keys);
        }
        self.emit(node, Op::Load(result));
    }

    fn read(&mut self, node: NodeId, place: &Place) {
        self.emit(node, Op::Load(place.local.0));
        for projection in &place.path {
            match projection {
                Projection::Field(index) => drop(self.emit(node, Op::Field(*index))),
                Projection::Index(key) => {
                    self.expr(key);
                    self.emit(node, Op::Index);
                }
            }
        }
    }

    /// Evaluates the keys in a place once; gives the locals that hold them.
    fn keys(&mut self, place: &Place) -> Vec<u32> {
        let mut keys = Vec::new();
        for projection in &place.path {
            if let Projection::Index(key) = projection {
                self.expr(key);
                let temporary = self.temporary();
                self.emit(key.node, Op::Store(temporary));
                keys.push(temporary);
            }
        }
        keys
    }

    fn read_with(&mut self, node: NodeId, place: &Place, keys: &[u32]) {
        self.emit(node, Op::Load(place.local.0));
        let mut keys = keys.iter();
        for projection in &place.path {
            self.project(node, projection, &mut keys);
        }
    }

    fn project<'k>(&mut self, node: NodeId, projection: &Projection, keys: &mut impl Iterator<Item = &'k u32>) {
        match projection {
            Projection::Field(index) => drop(self.emit(node, Op::Field(*index))),
            Projection::Index(_) => {
                if let Some(key) = keys.next() {
                    self.emit(node, Op::Load(*key));
                }
                self.emit(node, Op::Index);
            }
        }
    }

    /// Stores the value on the stack in a place.
    fn write(&mut self, node: NodeId, place: &Place, keys: &[u32]) {
        if place.path.is_empty() {
            self.emit(node, Op::Store(place.local.0));
            return;
        }
        let value = self.temporary();
        self.emit(node, Op::Store(value));
        self.emit(node, Op::Load(place.local.0));
        self.update(node, &place.path, keys, value);
        self.emit(node, Op::Store(place.local.0));
    }

    /// `[container → container]`, with the value of a local put in at the end of the path.
    fn update(&mut self, node: NodeId, path: &[Projection], keys: &[u32], value: u32) {
        let [first, rest @ ..] = path else { return };
        let keys_left = &keys[usize::from(matches!(first, Projection::Index(_))).min(keys.len())..];
        if rest.is_empty() {
            if let (Projection::Index(_), Some(key)) = (first, keys.first()) {
                self.emit(node, Op::Load(*key));
            }
            self.emit(node, Op::Load(value));
        } else {
            self.emit(node, Op::Dup);
            self.project(node, first, &mut keys.iter());
            self.update(node, rest, keys_left, value);
            if let (Projection::Index(_), Some(key)) = (first, keys.first()) {
                self.emit(node, Op::Load(*key));
                self.emit(node, Op::Swap);
            }
        }
        match first {
            Projection::Field(index) => self.emit(node, Op::SetField(*index)),
            Projection::Index(_) => self.emit(node, Op::SetIndex),
        };
    }
}

/// The locals that patterns inside `expr` bind.
fn locals_declared(expr: &Expr, declared: &mut Vec<u32>) {
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

fn locals_bound(pattern: &Pattern, bound: &mut Vec<u32>) {
    match pattern {
        Pattern::Wild | Pattern::Literal(_) => {}
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
