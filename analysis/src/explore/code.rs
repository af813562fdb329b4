//! Code for the exploring machine: a stack machine with explicit frames, so that a run can be copied at every choice.

use std::collections::BTreeSet;

use super::machine::Site;
use crate::ir::{FunctionId, LayerId, Literal, Mutation, NodeId, Prim, Type, TypeId};

/// Index into [`Code::functions`].
pub type CodeId = usize;

/// All functions of a program, and one `step` function for each operation of each layer.
#[derive(Debug, Default)]
pub struct Code {
    /// Functions of the program by their [`FunctionId`], then the generated ones.
    pub functions: Vec<CodeFunction>,
    /// Some total function has a default that is not known: then nothing can be shown.
    pub has_unknown_total: bool,
    /// Whether the program has signed integers.
    pub has_signed: bool,
    /// Scalars of which the default matters: it is a literal like those that code names.
    pub defaults: BTreeSet<TypeId>,
    /// Literals, by the operand of [`Op::Literal`].
    pub literals: Vec<Literal>,
    /// Types, by the operand of the instructions that need one.
    pub types: Vec<Type>,
    /// Names of operations, by the operand of [`Op::Perform`] and [`Op::External`].
    pub names: Vec<String>,
    /// The kinds of events that code emits: a name, and the types of what follows it. For `emit` the value, for an interaction with the
    /// outside its arguments as a tuple, and the result.
    pub events: Vec<(String, Vec<Type>)>,
    /// For each layer, for each operation, its step: `fn(&mut State, me: Pid, arguments…) -> Result`, with background steps, invariants
    /// and the protocol.
    pub steps: Vec<Vec<CodeId>>,
    /// For each layer, for each operation, its step without background steps.
    pub cores: Vec<Vec<CodeId>>,
    /// For each layer, for each operation, whether it is allowed: `fn(&State, me: Pid, arguments…) -> bool`.
    pub allowed: Vec<Vec<CodeId>>,
    /// For each layer, `fn(&State) -> bool`: the invariants hold.
    pub invariant: Vec<CodeId>,
    /// For each layer, `fn(&State) -> bool`: the state is initial, and the invariants hold.
    pub init: Vec<CodeId>,
    /// For each layer, `fn(&mut State)`: its background steps, if it has any.
    pub background: Vec<Option<CodeId>>,
    /// For each layer, `fn(&mut State)`: one of its background steps, where they may be made any number of times. Then a run of a core with
    /// such steps before and after it is a run of the step, and the other way round. None of a layer with invariants, which hold only where
    /// the operations begin and end.
    pub background_turn: Vec<Option<CodeId>>,
    /// For each implementation that is one end of a partition, what moves between the state for one key and that for all.
    pub glue: Vec<Option<Glue>>,
}

/// Functions between the state for one key and the state for all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glue {
    /// Where the state for all is a map of those for one.
    Top {
        /// `fn(&All, key) -> One`; disabled if the key is not valid.
        entry: CodeId,
        /// `fn(&All, key, One) -> All`.
        with_entry: CodeId,
    },
    /// Where the user says how the state for all is split.
    Bottom {
        /// `fn(&All, key) -> Option<One>`.
        any_slice: CodeId,
        /// `fn(&All, key) -> One`; disabled if the key is not valid.
        slice: CodeId,
        /// `fn(key, key) -> bool`.
        differ: CodeId,
    },
}

impl Code {
    /// The step of an operation.
    pub fn step(&self, layer: LayerId, operation: usize) -> CodeId {
        self.steps[layer.0 as usize][operation]
    }

    /// The step of an operation without background steps.
    pub fn core(&self, layer: LayerId, operation: usize) -> CodeId {
        self.cores[layer.0 as usize][operation]
    }

    /// Where in a function the instruction before this one stands.
    pub fn site(&self, code: CodeId, pc: usize) -> Site {
        Site { code, node: self.functions[code].nodes[pc.saturating_sub(1)] }
    }

    /// The operation whose step this is.
    pub fn operation_of(&self, step: CodeId) -> Option<(LayerId, usize)> {
        let of = |steps: &[Vec<CodeId>]| {
            let found = |(layer, all): (usize, &Vec<CodeId>)| Some((layer, all.iter().position(|it| *it == step)?));
            steps.iter().enumerate().find_map(found)
        };
        let (layer, operation) = of(&self.steps).or_else(|| of(&self.cores))?;
        Some((LayerId(layer as u32), operation))
    }

    /// A function of the program.
    pub fn function(&self, function: FunctionId) -> CodeId {
        function.0 as usize
    }
}

/// A compiled function.
#[derive(Debug)]
pub struct CodeFunction {
    /// For messages.
    pub name: String,
    /// The function of the program that this is; generated functions have none.
    pub source: Option<FunctionId>,
    /// How many of the locals are parameters.
    pub parameters: usize,
    /// Locals, with temporaries.
    pub locals: usize,
    /// Parameters that are copied back, in order.
    pub inout: Vec<usize>,
    /// The instructions.
    pub ops: Vec<Op>,
    /// Where each instruction comes from.
    pub nodes: Vec<NodeId>,
    /// Whether it might panic, as far as its text tells.
    pub might_panic: bool,
}

/// An instruction. `[a, b → c]` is its effect on the operand stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `[→ v]`
    Literal(u32),
    /// `[→ ()]`
    Unit,
    /// `[→ bool]`
    Bool(bool),
    /// `[→ v]`
    Load(u32),
    /// `[v →]`
    Store(u32),
    /// Forgets locals, so that states at the head of a loop can be compared.
    Clear(u32, u32),
    /// `[v →]`
    Pop,
    /// `[v → v, v]`
    Dup,
    /// `[a, b → b, a]`
    Swap,
    /// `[v… → tuple]`
    Tuple(u32),
    /// `[v… → variant]`: tag and number of fields.
    Variant(u32, u32),
    /// `[v… → seq]`
    Seq(u32),
    /// `[tuple → field]`
    Field(u32),
    /// `[tuple, v → tuple]`
    SetField(u32),
    /// `[variant → bool]`: has it this tag?
    IsVariant(u32),
    /// `[variant → payload]`
    Payload(u32),
    /// `[collection, key → v]`; a missing key fails.
    Index,
    /// `[collection, key, v → collection]`
    SetIndex,
    /// `[→]`
    Jump(u32),
    /// `[bool →]`
    JumpIfFalse(u32),
    /// `[bool →]`
    JumpIfTrue(u32),
    /// `[v… → v]`: the primitive, the number of operands, the type of the result.
    Prim(Prim, u32, u32),
    /// `[collection, v… → collection, result]`: the mutation and the number of operands.
    Mutate(Mutation, u32),
    /// `[seq → seq]`, with its elements in order.
    Ordered,
    /// `[seq → seq]`, for code that does not see the order.
    Resolved,
    /// `[→ seq]`: an empty sequence, which is as much in order as that in the local.
    EmptyLike(u32),
    /// Over the sequence in the first local with the position in the second: `[→ element]`, or jumps.
    Next(u32, u32, u32),
    /// `[seq, v → seq]`: what became of the last element of the sequence in the first local, with the position in the second.
    Append(u32, u32),
    /// `[arguments… → inout…, result]`
    Call(u32),
    /// Stores how many operands the function has.
    CountOperands(u32),
    /// Forgets operands until there are as many as the local says.
    DropOperands(u32),
    /// `[operands…, result → result]`, and leaves the function.
    Return,
    /// `[arguments… → result]`: a step of the layer below.
    Perform(u32, u32),
    /// `[→ bool]`
    Maybe,
    /// `[→ v]`
    Any(u32),
    /// `[seq → v]`
    Choose,
    /// `[bool →]`
    When,
    /// `[bool →]`
    Assert,
    /// `[v →]`
    Emit,
    /// The step is not allowed and changes nothing: noted for those who tell of it.
    BreaksRule,
    /// `[→ v]`: name and type; the arguments are the locals from 2 on.
    External(u32, u32),
    /// Before a loop that goes on as long as `maybe()` says so.
    StarStart,
    /// The head of such a loop.
    StarHead,
    /// After such a loop.
    StarEnd,
    /// The head of a `loop` or `while`: what it carries is in the locals.
    LoopHead,
    /// A branch begins here: noted of runs that are told.
    Branch,
    /// Reached only if no arm of a `match` fits.
    NoMatch,
    /// Reached only in code that was diagnosed.
    Unsupported,
}
