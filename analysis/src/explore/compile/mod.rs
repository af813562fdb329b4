//! Compiles the IR to [`Code`]. This is a direct translation, except for the `step` of an operation, which combines the operation with
//! background steps, invariants and protocols.

use self::function::FunctionCompiler;
use super::{
    cells::{has_signed, has_unknown_total, scalars_of_default},
    code::{Code, CodeFunction, CodeId, Glue, Op},
    panics::{Quiet, might_panic},
};
use crate::ir::{
    Function, FunctionId, Justification, Layer, NodeId, Operation, PartitionEnd, Prim, Program, Type, TypeDefKind,
};

mod background;
mod function;

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
        let background = layer.background.filter(|_| layer.invariants.is_empty());
        let turn = background.and_then(|it| background::turn(program, &quiet, &mut code, it));
        code.background_turn.push(turn);
    }
    for implementation in &program.implementations {
        let glue = compile_glue(&implementation.by, &mut code);
        code.glue.push(glue);
    }
    // Every number below the first body is taken by now.
    let first = code.functions.len();
    code.questions.iter_mut().for_each(|it| it.body += first);
    let bodies = std::mem::take(&mut code.bodies);
    code.functions.extend(bodies);
    mark_panics(program, &mut code);
    let fields = program.types.iter().flat_map(|it| match &it.kind {
        TypeDefKind::Scalar => Vec::new(),
        TypeDefKind::Struct(fields) => fields.iter().collect(),
        TypeDefKind::Enum(variants) => variants.iter().flat_map(|it| &it.fields).collect(),
    });
    let locals = program.functions.iter().flat_map(|it| &it.locals).map(|it| &it.ty);
    let types: Vec<&Type> = fields.map(|it| &it.ty).chain(locals).collect();
    code.has_signed = types.iter().copied().chain(&code.types).any(has_signed);
    code.has_unknown_total = types.iter().any(|ty| has_unknown_total(program, ty));
    types.iter().for_each(|ty| scalars_of_default(program, ty, false, &mut code.defaults));
    for op in code.functions.iter().flat_map(|it| &it.ops) {
        if let Op::Prim(Prim::Default | Prim::Empty, _, ty) = op {
            scalars_of_default(program, &code.types[*ty as usize], true, &mut code.defaults);
        }
    }
    code
}

fn compile_layer(program: &Program, layer: &Layer, code: &mut Code) {
    let invariant = conjunction(program, code, &format!("{}::invariant", layer.name), &layer.invariants, 1);
    let mut init = layer.invariants.clone();
    init.extend(layer.init);
    let init = conjunction(program, code, &format!("{}::init", layer.name), &init, 1);
    let idle = conjunction(program, code, &format!("{}::idle", layer.name), &layer.idle, 2);
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
    code.idle.push(idle);
    code.background.push(layer.background.map(|it| code.function(it)));
}

/// `fn(p0, …) -> bool`: whether all of `functions` hold, each applied to its first few parameters.
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

/// One step of an operation in the layer: invariants, background, protocol, the operation itself, background, invariants.
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
        ops.extend([Op::BreaksRule, Op::Any(ty), Op::Return]);
    }
    generated(code, format!("{}::{}", layer.name, operation.name), parameters, parameters + 1, vec![0], ops)
}

/// Calls the operation on its component of the state in local 0, and stores its result.
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
    // The changed component is on the stack; rebuild the enclosing values, innermost first.
    let component = &operation.component;
    for depth in (0..component.len()).rev() {
        ops.push(Op::Load(0));
        ops.extend(component[..depth].iter().map(|field| Op::Field(*field)));
        ops.extend([Op::Swap, Op::SetField(component[depth])]);
    }
    ops.push(Op::Store(0));
}

/// The functions between the state for one key and the state for all.
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

/// Marks generated functions that may panic because a function that they call may; callees come before callers.
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
