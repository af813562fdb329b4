//! Layers, implementations, stacks, and clients.

use std::collections::BTreeMap;

use super::{Function, FunctionId, ImplementationId, LayerId, Type};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layer {
    /// The name of the layer.
    pub name: String,
    /// The type of its state.
    pub state: Type,
    /// All its operations, in source order: its own and inherited ones.
    pub operations: Vec<Operation>,
    /// `fn(&State) -> bool`. A layer without one accepts every state.
    pub init: Option<FunctionId>,
    /// `fn(&mut State)`, taken before and after every operation.
    pub background: Option<FunctionId>,
    /// `fn(&State) -> bool`, each required before and after every operation.
    pub invariants: Vec<FunctionId>,
    /// `fn(&State, me: Pid) -> bool`, each holds for a process that is between two procedures over the layer.
    pub idle: Vec<FunctionId>,
    /// `fn(&State) -> bool`, each asked of all states that a search reaches; in source order.
    pub questions: Vec<(Question, FunctionId)>,
    /// The layer this one restricts, if it is a protocol layer.
    pub protocol: Option<Protocol>,
}

/// What a condition is to be in all states that a search reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// `#[never]`: it is false.
    Never,
    /// `#[always]`: it is true.
    Always,
}

impl Question {
    /// The attribute, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Question::Never => "never",
            Question::Always => "always",
        }
    }
}

/// The restriction of a protocol layer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Protocol {
    /// The unrestricted layer. Its `operations` are the same, by name and index.
    pub raw: LayerId,
    /// Whether operations that are not allowed do nothing and return anything, instead of being disabled.
    pub nilpotent: bool,
}

/// An operation of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    pub name: String,
    /// `fn(&mut Component, me: Pid, arguments…) -> Result`. For an external operation the body is `External` and the first
    /// parameter is not read, so it can act on any state.
    pub function: FunctionId,
    /// The fields to follow from the layer's state to the component that `function` acts on (`inherit(L in field: op)`).
    pub component: Vec<u32>,
    /// The claimed mover type, if any.
    pub claim: Option<Claim>,
    /// Whether it is an interaction with the outside world.
    pub external: bool,
    /// `fn(&State, me: Pid[, arguments…]) -> bool`: all of them must hold for the operation to be allowed. Only in protocol layers.
    pub allowed: Vec<FunctionId>,
    /// The layer whose text declares the operation (this one, unless it was inherited).
    pub declared_in: LayerId,
    /// What arguments other processes give, one list for each kind of call. Empty if they may give any. Known only in slices.
    pub given: Vec<Vec<Given>>,
}

/// What is known of an argument.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Given {
    /// Nothing.
    Any,
    /// It is this truth value.
    Bool(bool),
    /// It is this number.
    Int(i128),
    /// It is this variant, with this known of its parts.
    Variant(u32, Vec<Given>),
    /// It is a tuple or struct, with this known of its parts.
    Tuple(Vec<Given>),
}

/// A claimed mover type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// `#[op(right)]`: a right mover.
    Right,
    /// `#[op(left)]`: a left mover.
    Left,
    /// `#[op(both)]`: a right and a left mover.
    Both,
    /// `#[op(non)]`: no claim to move.
    Non,
}

/// An implementation of one layer over another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Implementation {
    /// The name of the type.
    pub name: String,
    /// The layer that is implemented.
    pub upper: LayerId,
    /// The layer that it is implemented over.
    pub lower: LayerId,
    /// The proof pattern, with its functions.
    pub by: Justification,
}

/// The justification of an implementation: the proof pattern, with the functions that the user gives for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Justification {
    /// `by = movers`: the code of each upper operation, by name.
    Movers(BTreeMap<String, Code>),
    /// `by = retry`: the code of each upper operation, by name.
    Retry(BTreeMap<String, Code>),
    /// `by = abstraction`: the relation between the two states.
    Abstraction(Abstraction),
    /// `by = partition(key)`: one end of a partition.
    Partition(Partition),
    /// `by = search`: the code of each upper operation, by name. Nothing is proved of it.
    Search(BTreeMap<String, Code>),
}

/// An end of the layers for one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Partition {
    /// The name of the key parameter in operations and procedures.
    pub key: String,
    /// The type of the key.
    pub key_type: Type,
    /// The operation that tells whether a key is valid: of the upper layer at the top, of the lower layer at the bottom.
    pub check: Option<String>,
    /// The implementations of the operations of the upper layer, except `check`. At the bottom the first parameter of a procedure is the
    /// key.
    pub code: BTreeMap<String, Code>,
    /// Which end it is, top or bottom.
    pub end: PartitionEnd,
}

/// The two ends of the layers for one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PartitionEnd {
    /// The upper layer is for all keys, the lower one for one key.
    Top {
        /// The fields that lead from the state of the upper layer to its map of one-key states; keys in it are the valid ones.
        map: Vec<u32>,
    },
    /// The upper layer is for one key, the lower one for all.
    Bottom {
        /// `fn(lo: &Lo, key: &Key) -> Option<Hi>`: the one-key state; `None` for a key that is not valid.
        slice: FunctionId,
    },
}

/// The implementation of one upper operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The lower operation of the same name, with the same arguments.
    Pass,
    /// `fn(arguments…) -> Result` with [`super::FunctionKind::Procedure`] of the lower layer. Parameters are the operation's, without
    /// `self` and `me`.
    Procedure(FunctionId),
}

/// An abstraction relation, in one of the three forms that users may write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Abstraction {
    /// `fn(lo: &Lo) -> Hi`: the upper states related to a lower state.
    Up(FunctionId),
    /// `fn(hi: &Hi) -> Lo`: the lower states related to an upper state.
    Down(FunctionId),
    /// `fn(lo: &Lo, hi: &Hi) -> bool`; parameter 0 is always `lo`.
    Predicate(FunctionId),
}

/// A chain of implementations, each over the layer that the next one implements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stack {
    /// The name of the type alias.
    pub name: String,
    /// The implementations, top to bottom. They are resolved; whether they fit together is an obligation.
    pub implementations: Vec<ImplementationId>,
}

/// A client program for the end-to-end search.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// The name of the function.
    pub name: String,
    /// The stack that it runs over: an index into [`super::Program::stacks`].
    pub stack: u32,
    /// The numbers of processes to run it with.
    pub processes: Vec<u32>,
    /// Whether processes may wait for ever: then a run that cannot end is not a finding.
    pub may_wait: bool,
    /// `fn(process: u64)`, or `fn(process: u64, processes: u64)`, with [`super::FunctionKind::Procedure`] of the stack's top layer.
    pub function: FunctionId,
}

impl Justification {
    /// The name of the pattern, as users write it.
    pub fn name(&self) -> &'static str {
        match self {
            Justification::Movers(_) => "movers",
            Justification::Retry(_) => "retry",
            Justification::Abstraction(_) => "abstraction",
            Justification::Partition(_) => "partition",
            Justification::Search(_) => "search",
        }
    }
}

impl Partition {
    /// Whether an operation of the layer for all keys takes the key first (after its state and the process).
    pub fn is_keyed(&self, operation: &Function) -> bool {
        let first = operation.locals[..operation.parameters as usize].get(2);
        first.is_some_and(|it| it.name == self.key && it.ty == self.key_type)
    }
}
