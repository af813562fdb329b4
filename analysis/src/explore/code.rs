//! Code for the exploring machine: a stack machine with explicit frames, so that a run can be copied at every choice.

use std::{collections::BTreeSet, ops::Range};

use super::machine::Site;
use crate::ir::{FunctionId, LayerId, Literal, Mutation, NodeId, Prim, Type, TypeId};

/// The id of compiled code: its index in [`Code::functions`].
pub type CodeId = usize;

/// All functions of a program, and one `step` function for each operation of each layer.
#[derive(Debug, Default)]
pub struct Code {
    /// The functions of the program by [`FunctionId`], then the generated ones.
    pub functions: Vec<CodeFunction>,
    /// Whether some total function has an unknown default: then nothing can be shown.
    pub has_unknown_total: bool,
    /// Whether the program has signed integers.
    pub has_signed: bool,
    /// Scalars whose default matters: it is a literal of the code.
    pub defaults: BTreeSet<TypeId>,
    /// Literals, by the operand of [`Op::Literal`].
    pub literals: Vec<Literal>,
    /// Types, by the operand of the instructions that need one.
    pub types: Vec<Type>,
    /// Names of operations, by the operand of [`Op::Perform`] and [`Op::External`].
    pub names: Vec<String>,
    /// Questions about all entries of a collection, by the operand of [`Op::Question`].
    pub questions: Vec<Universal>,
    /// The bodies of these questions, until they are among the functions.
    pub bodies: Vec<CodeFunction>,
    /// The kinds of events that code emits: a name, and the types of its data. For `emit`, the value; for an external operation, its
    /// arguments as a tuple, and the result.
    pub events: Vec<(String, Vec<Type>)>,
    /// The step of each operation of each layer: `fn(&mut State, me: Pid, arguments…) -> Result`, with background steps, invariants and the
    /// protocol.
    pub steps: Vec<Vec<CodeId>>,
    /// The step of each operation of each layer, without background steps.
    pub cores: Vec<Vec<CodeId>>,
    /// Whether each operation of each layer is allowed: `fn(&State, me: Pid, arguments…) -> bool`.
    pub allowed: Vec<Vec<CodeId>>,
    /// For each layer, `fn(&State) -> bool`: whether the invariants hold.
    pub invariant: Vec<CodeId>,
    /// For each layer, `fn(&State) -> bool`: whether the state is initial and the invariants hold.
    pub init: Vec<CodeId>,
    /// For each layer, `fn(&State, me: Pid) -> bool`: whether all that is said of idle processes holds of this one.
    pub idle: Vec<CodeId>,
    /// For each layer, `fn(&mut State)`: its background steps, if it has any.
    pub background: Vec<Option<CodeId>>,
    /// For each layer, `fn(&mut State)`: one background step, if the background is any number of steps. Then a run of a core with such
    /// steps before and after it is a run of the step, and conversely. `None` for a layer with invariants, which only hold where operations
    /// begin and end.
    pub background_turn: Vec<Option<CodeId>>,
    /// For each implementation that is an end of a partition, the functions between the state for one key and the state for all.
    pub glue: Vec<Option<Glue>>,
}

/// A question about all entries of a collection: `all` or `any`, with a body that only computes a value and cannot panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Universal {
    /// `fn(locals…, element) -> bool`: the body, over the locals of the function around it. Bodies of equal code are one body.
    pub body: CodeId,
    /// What the body is applied to.
    pub element: Element,
    /// What the body has to say of each element: `true` for `all`, and `false` for `any`, which is the negation of that.
    pub wanted: bool,
    /// For each local that the body reads, the parts of it that it reads: an empty path is the whole.
    pub reads: Vec<(u32, Vec<Vec<u32>>)>,
}

/// What the body of a question is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// The elements of a set.
    Key,
    /// The values of a map.
    Value,
    /// The pairs of a map.
    Pair,
}

/// Functions between the state for one key and the state for all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glue {
    /// The top: the state for all contains a map of the states for one key.
    Top {
        /// `fn(&All, key) -> One`; disabled if the key is not valid.
        entry: CodeId,
        /// `fn(&All, key, One) -> All`.
        with_entry: CodeId,
    },
    /// The bottom: the user defines the slice of the state for one key.
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

    /// The instructions of the loop with this head.
    pub fn loop_at(&self, code: CodeId, head: usize) -> Range<usize> {
        let ops = &self.functions[code].ops;
        let back =
            |op: &Op| matches!(op, Op::Jump(to) | Op::JumpIfTrue(to) | Op::JumpIfFalse(to) if *to as usize == head);
        let last = (head..ops.len()).rev().find(|it| back(&ops[*it])).unwrap_or(head);
        head..last + 1
    }

    /// The locals that some of these instructions change.
    pub fn assigned(&self, code: CodeId, instructions: Range<usize>) -> BTreeSet<usize> {
        let mut assigned = BTreeSet::new();
        for op in &self.functions[code].ops[instructions] {
            match op {
                Op::Store(local) | Op::CountOperands(local) | Op::Next(_, local, _) => {
                    assigned.insert(*local as usize);
                }
                Op::Clear(from, to) => assigned.extend(*from as usize..*to as usize),
                _ => {}
            }
        }
        assigned
    }

    /// Whether some of these instructions, or the functions that they call, make a call of the layer below.
    pub fn makes_calls(&self, code: CodeId, instructions: Range<usize>) -> bool {
        self.call_in(code, instructions, &mut BTreeSet::new()).is_some()
    }

    /// Some call of the layer below in a function, or in the functions that it calls: its place, and the name of the operation.
    pub fn first_call(&self, code: CodeId) -> Option<(Site, &str)> {
        self.call_in(code, 0..self.functions[code].ops.len(), &mut BTreeSet::new())
    }

    fn call_in(
        &self,
        code: CodeId,
        mut instructions: Range<usize>,
        seen: &mut BTreeSet<CodeId>,
    ) -> Option<(Site, &str)> {
        let function = &self.functions[code];
        instructions.find_map(|pc| match &function.ops[pc] {
            Op::Perform(name, _) => Some((self.site(code, pc + 1), self.names[*name as usize].as_str())),
            Op::Call(callee) if seen.insert(*callee as usize) => {
                self.call_in(*callee as usize, 0..self.functions[*callee as usize].ops.len(), seen)
            }
            _ => None,
        })
    }

    /// Whether this is the code of a step, rather than of a procedure or of a predicate.
    pub fn is_step(&self, code: CodeId) -> bool {
        self.steps.iter().chain(&self.cores).flatten().any(|it| *it == code)
    }

    /// The place of the previous instruction of a function.
    pub fn site(&self, code: CodeId, pc: usize) -> Site {
        Site { code, node: self.functions[code].nodes[pc.saturating_sub(1)] }
    }

    /// The operation that this step belongs to.
    pub fn operation_of(&self, step: CodeId) -> Option<(LayerId, usize)> {
        let of = |steps: &[Vec<CodeId>]| {
            let found = |(layer, all): (usize, &Vec<CodeId>)| Some((layer, all.iter().position(|it| *it == step)?));
            steps.iter().enumerate().find_map(found)
        };
        let (layer, operation) = of(&self.steps).or_else(|| of(&self.cores))?;
        Some((LayerId(layer as u32), operation))
    }

    /// The code of a function of the program.
    pub fn function(&self, function: FunctionId) -> CodeId {
        function.0 as usize
    }
}

/// A compiled function, of the program or generated.
#[derive(Debug)]
pub struct CodeFunction {
    /// The name, for messages.
    pub name: String,
    /// The function of the program; generated functions have none.
    pub source: Option<FunctionId>,
    /// How many of the locals are parameters.
    pub parameters: usize,
    /// The number of locals, including temporaries.
    pub locals: usize,
    /// Parameters that are copied back, in order.
    pub inout: Vec<usize>,
    /// The instructions, executed from the first one.
    pub ops: Vec<Op>,
    /// The node that each instruction comes from.
    pub nodes: Vec<NodeId>,
    /// Whether it might panic, judged by its text.
    pub might_panic: bool,
}

/// An instruction. `[a, b → c]` is its effect on the operand stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `[→ v]`: pushes a literal, by its index in [`Code::literals`].
    Literal(u32),
    /// `[→ ()]`: pushes unit.
    Unit,
    /// `[→ bool]`: pushes this truth value.
    Bool(bool),
    /// `[→ v]`: pushes the value of a local.
    Load(u32),
    /// `[v →]`: stores the value in a local.
    Store(u32),
    /// Clears locals, so that states at the head of a loop can be compared.
    Clear(u32, u32),
    /// `[v →]`: drops the value.
    Pop,
    /// `[v → v, v]`: duplicates the value.
    Dup,
    /// `[a, b → b, a]`: swaps the two values.
    Swap,
    /// `[v… → tuple]`: makes a tuple of this many values.
    Tuple(u32),
    /// `[v… → variant]`: tag and number of fields.
    Variant(u32, u32),
    /// `[v… → seq]`: makes a sequence of this many values.
    Seq(u32),
    /// `[tuple → field]`: the field of this index.
    Field(u32),
    /// `[tuple, v → tuple]`: replaces the field of this index.
    SetField(u32),
    /// `[variant → bool]`: whether it has this tag.
    IsVariant(u32),
    /// `[variant → payload]`: the field of this index.
    Payload(u32),
    /// `[variant, v → variant]`: replaces the field of this index.
    SetPayload(u32),
    /// `[collection, key → v]`; a missing key fails.
    Index,
    /// `[collection, key, v → collection]`: replaces the value at an existing key; a missing key fails.
    SetIndex,
    /// `[→]`: continues at this instruction.
    Jump(u32),
    /// `[bool →]`: continues at this instruction if the condition is false.
    JumpIfFalse(u32),
    /// `[bool →]`: continues at this instruction if the condition is true.
    JumpIfTrue(u32),
    /// `[v… → v]`: the primitive, the number of operands, the type of the result.
    Prim(Prim, u32, u32),
    /// `[collection, v… → collection, result]`: the mutation and the number of operands.
    Mutate(Mutation, u32),
    /// `[map → bool]`, and continues at this instruction, if the question of this index is put as a whole. Otherwise it does nothing, and the
    /// entries are listed.
    Question(u32, u32),
    /// `[seq → seq]`: puts the elements in order.
    Ordered,
    /// `[seq → seq]`: for code that does not observe the order.
    Resolved,
    /// `[→ seq]`: an empty sequence, ordered or unordered like that in the local.
    EmptyLike(u32),
    /// Over the sequence in the first local with the position in the second: `[→ element]`, or jumps.
    Next(u32, u32, u32),
    /// `[seq, v → seq]`: appends the result for the last element of the sequence in the first local, whose position is in the second.
    Append(u32, u32),
    /// `[arguments… → inout…, result]`: calls the code with this id.
    Call(u32),
    /// Stores the number of operands of the function.
    CountOperands(u32),
    /// Drops operands until there are as many as the local says.
    DropOperands(u32),
    /// `[operands…, result → result]`, and leaves the function.
    Return,
    /// `[arguments… → result]`: a step of the layer below.
    Perform(u32, u32),
    /// `[→ bool]`: the run forks over both values.
    Maybe,
    /// `[→ v]`: any value of the type with this index.
    Any(u32),
    /// `[seq → v]`: any element of the sequence; the run is disabled if there is none.
    Choose,
    /// `[bool →]`: the run is disabled if the condition is false.
    When,
    /// `[bool →]`: the run fails if the condition is false.
    Assert,
    /// `[v →]`: adds the value to the events of the run.
    Emit,
    /// The step is not allowed and changes nothing; recorded for counterexamples.
    BreaksRule,
    /// `[→ v]`: name and type; the arguments are the locals from 2 on.
    External(u32, u32),
    /// Before a loop that continues while `maybe()` returns `true`.
    StarStart,
    /// The head of a loop that continues while `maybe()` returns `true`; the loop is entered, or a turn has ended.
    StarHead,
    /// After a loop that continues while `maybe()` returns `true`.
    StarEnd,
    /// The head of a `loop` or `while`; its variables are in the locals.
    LoopHead,
    /// The beginning of a branch; recorded for counterexamples and coverage.
    Branch,
    /// Reached only if no arm of a `match` fits.
    NoMatch,
    /// Reached only in code that was diagnosed.
    Unsupported,
}
