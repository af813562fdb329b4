//! Slices: the part of a program that one obligation is about, as a program of its own.
//!
//! A slice has its own numbering, in the order in which its pieces are reached, and the operations of a layer are in alphabetical order. So
//! it stays equal when other code is edited and when items move, and a result computed from the slice alone stays valid. [`Outline`]
//! describes a slice and gives its hash without copying a body; [`Outline::program`] builds it.
//!
//! Which parts are kept for which obligation is not decided here.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::{
    Abstraction, Anchor, Client, Code, Expr, ExprKind, Function, FunctionId, Given, Implementation, ImplementationId,
    Justification, Layer, LayerId, NodeId, Operation, Partition, PartitionEnd, Program, Protocol, Stack, TypeId,
    renumber::{self, Ids},
};

/// A slicing criterion: the parts of a program to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keep {
    /// Layers. The layers that kept parts refer to are always kept by name and state.
    pub layers: Vec<KeptLayer>,
    pub implementations: Vec<KeptImplementation>,
    /// Stacks, by index. Their implementations must be among `implementations`.
    pub stacks: Vec<usize>,
    /// Clients, by index. Their stacks must be among `stacks`.
    pub clients: Vec<usize>,
    /// Whether the clients keep their numbers of processes.
    pub processes: bool,
}

/// The parts of a layer to keep, besides its name, its state and the layer that it restricts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeptLayer {
    /// The layer in the program.
    pub layer: LayerId,
    /// How much of each operation to keep, by index.
    pub operations: BTreeMap<usize, KeptOperation>,
    /// What arguments other processes give to operations, by index.
    pub given: BTreeMap<usize, Vec<Vec<Given>>>,
    /// Whether to keep its initial states.
    pub init: bool,
    /// Whether to keep its background steps.
    pub background: bool,
    /// Whether to keep its invariants.
    pub invariants: bool,
    /// Whether to keep what holds for idle processes.
    pub idle: bool,
    /// Whether to keep its questions.
    pub questions: bool,
}

/// How much of an operation to keep. More is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeptOperation {
    /// Its parameters and result.
    Signature,
    /// The signature and the rules of a protocol.
    Rules,
    /// All of it, with its body.
    Whole,
}

/// The parts of an implementation to keep, besides its name, its pattern and its two layers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeptImplementation {
    /// The implementation in the program.
    pub implementation: ImplementationId,
    /// The operations of the upper layer whose code is kept, by name.
    pub code: Vec<String>,
    /// Whether its relation is kept.
    pub relation: bool,
}

impl Keep {
    /// The kept parts of a layer, to be extended.
    pub fn layer(&mut self, layer: LayerId) -> &mut KeptLayer {
        let index = self.layers.iter().position(|it| it.layer == layer).unwrap_or_else(|| {
            let (init, background, invariants, idle, questions) = Default::default();
            let (operations, given) = Default::default();
            self.layers.push(KeptLayer { layer, operations, given, init, background, invariants, idle, questions });
            self.layers.len() - 1
        });
        &mut self.layers[index]
    }
}

impl KeptLayer {
    /// Keeps at least this much of an operation.
    pub fn operation(&mut self, operation: usize, kept: KeptOperation) -> &mut KeptLayer {
        let entry = self.operations.entry(operation).or_insert(kept);
        *entry = (*entry).max(kept);
        self
    }

    /// Keeps everything that makes an operation a step of the layer.
    pub fn steps(&mut self) -> &mut KeptLayer {
        self.background = true;
        self.invariants = true;
        self
    }
}

/// The functions and types of a program, each hashed once, however many slices are outlined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    functions: Vec<FunctionPieces>,
    types: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FunctionPieces {
    whole: Piece,
    signature: Piece,
}

/// The hash of an item without the contents of the items that it refers to, and these references, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Piece {
    hash: u128,
    references: Vec<Reference>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reference {
    Type(TypeId),
    Function(FunctionId),
    Layer(LayerId),
}

impl Pieces {
    /// Hashes the functions and types of a program.
    pub fn of(program: &Program) -> Pieces {
        let function = |it: &Arc<Function>| FunctionPieces {
            whole: Piece::of(|ids| renumber::function(it, ids)),
            signature: Piece::of(|ids| renumber::function(&without_body(it), ids)),
        };
        Pieces {
            functions: program.functions.iter().map(function).collect(),
            types: program.types.iter().map(|it| Piece::of(|ids| renumber::type_def(it, ids))).collect(),
        }
    }
}

impl Piece {
    fn of<T: Hash>(renumbered: impl FnOnce(&mut dyn Ids) -> T) -> Piece {
        let mut local = LocalIds(Vec::new());
        let content = renumbered(&mut local);
        Piece { hash: hash(&content), references: local.0 }
    }
}

/// Ids that only record how often each item is referred to.
struct LocalIds(Vec<Reference>);

impl LocalIds {
    fn number(&mut self, reference: Reference) -> u32 {
        let known = self.0.iter().position(|it| *it == reference);
        known.unwrap_or_else(|| {
            self.0.push(reference);
            self.0.len() - 1
        }) as u32
    }
}

impl Ids for LocalIds {
    fn of_type(&mut self, id: TypeId) -> TypeId {
        TypeId(self.number(Reference::Type(id)))
    }

    fn of_function(&mut self, id: FunctionId) -> FunctionId {
        FunctionId(self.number(Reference::Function(id)))
    }

    fn of_layer(&mut self, id: LayerId) -> LayerId {
        LayerId(self.number(Reference::Layer(id)))
    }
}

/// A hash that is the same in every process, on machines of one kind.
pub(crate) fn hash(content: &impl Hash) -> u128 {
    let mut hasher = SipHasher13::new();
    content.hash(&mut hasher);
    hasher.finish128().as_u128()
}

/// The part of a function that its callers depend on.
fn without_body(function: &Function) -> Function {
    Function {
        name: function.name.clone(),
        kind: function.kind,
        locals: function.locals[..function.parameters as usize].to_vec(),
        parameters: function.parameters,
        result: function.result.clone(),
        body: Expr { node: NodeId(0), ty: function.result.clone(), kind: ExprKind::Unsupported },
    }
}

/// The contents of a slice, and their origin in the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The slice without its functions and types.
    skeleton: Program,
    /// Functions of the program by their id in the slice, and whether their bodies are in it.
    functions: Vec<(FunctionId, bool)>,
    types: Vec<TypeId>,
    layers: Vec<LayerId>,
    operations: Vec<Vec<usize>>,
    implementations: Vec<ImplementationId>,
    stacks: Vec<usize>,
    clients: Vec<usize>,
    hash: u128,
}

impl Outline {
    /// Outlines the slice with the parts to keep, and everything that these refer to.
    pub fn new(program: &Program, pieces: &Pieces, keep: &Keep) -> Outline {
        let mut outliner = Outliner { program, pieces, keep, numbering: Numbering::default() };
        let skeleton = outliner.skeleton();
        let Numbering { functions, types, layers, operations, implementations, stacks, clients, .. } =
            outliner.numbering;
        let mut outline =
            Outline { skeleton, functions, types, layers, operations, implementations, stacks, clients, hash: 0 };
        outline.hash = outline.content_hash(pieces);
        outline
    }

    /// A hash of the slice: equal slices have equal hashes, whatever program they come from.
    pub fn hash(&self) -> u128 {
        self.hash
    }

    fn content_hash(&self, pieces: &Pieces) -> u128 {
        let mut ids = self.ids();
        let mut all: Vec<(u128, Vec<u32>)> = Vec::new();
        let mut piece = |piece: &Piece| {
            let references = piece.references.iter().map(|it| match *it {
                Reference::Type(id) => ids.of_type(id).0,
                Reference::Function(id) => ids.of_function(id).0,
                Reference::Layer(id) => ids.of_layer(id).0,
            });
            all.push((piece.hash, references.collect()));
        };
        for (FunctionId(function), is_whole) in &self.functions {
            let pieces = &pieces.functions[*function as usize];
            piece(if *is_whole { &pieces.whole } else { &pieces.signature });
        }
        self.types.iter().for_each(|TypeId(it)| piece(&pieces.types[*it as usize]));
        hash(&(&self.skeleton, self.functions.len(), all))
    }

    fn ids(&self) -> SliceIds {
        fn numbers<T: Eq + Hash>(all: impl Iterator<Item = T>) -> HashMap<T, u32> {
            all.zip(0..).collect()
        }
        SliceIds {
            functions: numbers(self.functions.iter().map(|(id, _)| *id)),
            types: numbers(self.types.iter().copied()),
            layers: numbers(self.layers.iter().copied()),
        }
    }

    /// Builds the slice, as a program, from the program that it was outlined for.
    pub fn program(&self, program: &Program) -> Program {
        let mut ids = self.ids();
        let functions = self.functions.iter().map(|(FunctionId(id), is_whole)| {
            let function = &program.functions[*id as usize];
            Arc::new(match is_whole {
                true => renumber::function(function, &mut ids),
                false => renumber::function(&without_body(function), &mut ids),
            })
        });
        let functions = functions.collect();
        let types =
            self.types.iter().map(|TypeId(id)| renumber::type_def(&program.types[*id as usize], &mut ids)).collect();
        Program { functions, types, ..self.skeleton.clone() }
    }

    /// A layer's id in the slice.
    pub fn layer(&self, layer: LayerId) -> Option<LayerId> {
        self.layers.iter().position(|it| *it == layer).map(|it| LayerId(it as u32))
    }

    /// The index in the slice of an operation of a layer.
    pub fn operation(&self, layer: LayerId, operation: usize) -> Option<usize> {
        let LayerId(layer) = self.layer(layer)?;
        self.operations[layer as usize].iter().position(|it| *it == operation)
    }

    /// An implementation's id in the slice.
    pub fn implementation(&self, id: ImplementationId) -> Option<ImplementationId> {
        self.implementations.iter().position(|it| *it == id).map(|it| ImplementationId(it as u32))
    }

    /// A stack's index in the slice.
    pub fn stack(&self, stack: usize) -> Option<usize> {
        self.stacks.iter().position(|it| *it == stack)
    }

    /// A client's index in the slice.
    pub fn client(&self, client: usize) -> Option<usize> {
        self.clients.iter().position(|it| *it == client)
    }

    /// The layer and the operation of the program that an operation of the slice comes from.
    pub fn origin(&self, layer: LayerId, operation: usize) -> Option<(LayerId, usize)> {
        let index = layer.0 as usize;
        Some((*self.layers.get(index)?, *self.operations.get(index)?.get(operation)?))
    }

    /// The place in the program of a place in the slice. `None` if the place belongs to another slice.
    pub fn anchor(&self, anchor: Anchor) -> Option<Anchor> {
        let function = |id: FunctionId| self.functions.get(id.0 as usize).map(|it| it.0);
        let implementation = |id: ImplementationId| self.implementations.get(id.0 as usize).copied();
        Some(match anchor {
            Anchor::Function(id) => Anchor::Function(function(id)?),
            Anchor::Node(id, node) => Anchor::Node(function(id)?, node),
            Anchor::Layer(id) => Anchor::Layer(*self.layers.get(id.0 as usize)?),
            Anchor::Operation(layer, operation) => {
                let (layer, operation) = self.origin(layer, operation)?;
                Anchor::Operation(layer, operation)
            }
            Anchor::Claim(layer, operation) => {
                let (layer, operation) = self.origin(layer, operation)?;
                Anchor::Claim(layer, operation)
            }
            Anchor::Implementation(id) => Anchor::Implementation(implementation(id)?),
            Anchor::Pass(id, operation) => {
                let upper = self.skeleton.implementations.get(id.0 as usize)?.upper;
                Anchor::Pass(implementation(id)?, self.origin(upper, operation)?.1)
            }
            Anchor::Stack(index) => Anchor::Stack(*self.stacks.get(index)?),
            Anchor::Link(index, link) => Anchor::Link(*self.stacks.get(index)?, link),
            Anchor::Client(index) => Anchor::Client(*self.clients.get(index)?),
        })
    }

    /// The place in the slice of a place in the program. `None` if the slice does not hold it.
    pub fn inside(&self, anchor: Anchor) -> Option<Anchor> {
        let function = |id| self.functions.iter().position(|it| it.0 == id).map(|it| FunctionId(it as u32));
        Some(match anchor {
            Anchor::Function(id) => Anchor::Function(function(id)?),
            Anchor::Node(id, node) => Anchor::Node(function(id)?, node),
            Anchor::Layer(id) => Anchor::Layer(self.layer(id)?),
            Anchor::Operation(layer, operation) => {
                Anchor::Operation(self.layer(layer)?, self.operation(layer, operation)?)
            }
            Anchor::Claim(layer, operation) => Anchor::Claim(self.layer(layer)?, self.operation(layer, operation)?),
            Anchor::Implementation(id) => Anchor::Implementation(self.implementation(id)?),
            Anchor::Pass(id, operation) => {
                let id = self.implementation(id)?;
                let upper = self.skeleton.implementations.get(id.0 as usize)?.upper.0 as usize;
                Anchor::Pass(id, self.operations.get(upper)?.iter().position(|it| *it == operation)?)
            }
            Anchor::Stack(index) => Anchor::Stack(self.stack(index)?),
            Anchor::Link(index, link) => Anchor::Link(self.stack(index)?, link),
            Anchor::Client(index) => Anchor::Client(self.client(index)?),
        })
    }
}

/// The ids in the slice of items of the program.
struct SliceIds {
    functions: HashMap<FunctionId, u32>,
    types: HashMap<TypeId, u32>,
    layers: HashMap<LayerId, u32>,
}

impl Ids for SliceIds {
    fn of_type(&mut self, id: TypeId) -> TypeId {
        TypeId(self.types[&id])
    }

    fn of_function(&mut self, id: FunctionId) -> FunctionId {
        FunctionId(self.functions[&id])
    }

    fn of_layer(&mut self, id: LayerId) -> LayerId {
        LayerId(self.layers[&id])
    }
}

/// Assigns ids in the slice to items, in the order in which they are reached.
#[derive(Default)]
struct Numbering {
    functions: Vec<(FunctionId, bool)>,
    function_numbers: HashMap<FunctionId, usize>,
    /// Functions, by their ids in the slice, whose references have not been followed yet.
    pending: VecDeque<usize>,
    types: Vec<TypeId>,
    layers: Vec<LayerId>,
    operations: Vec<Vec<usize>>,
    implementations: Vec<ImplementationId>,
    stacks: Vec<usize>,
    clients: Vec<usize>,
}

impl Numbering {
    fn function(&mut self, id: FunctionId, whole: bool) -> FunctionId {
        let next = self.functions.len();
        let number = *self.function_numbers.entry(id).or_insert(next);
        if number == next {
            self.functions.push((id, whole));
            self.pending.push_back(number);
        } else if whole && !self.functions[number].1 {
            self.functions[number].1 = true;
            self.pending.push_back(number);
        }
        FunctionId(number as u32)
    }
}

impl Ids for Numbering {
    fn of_type(&mut self, id: TypeId) -> TypeId {
        TypeId(number(&mut self.types, id) as u32)
    }

    fn of_function(&mut self, id: FunctionId) -> FunctionId {
        self.function(id, true)
    }

    fn of_layer(&mut self, id: LayerId) -> LayerId {
        LayerId(number(&mut self.layers, id) as u32)
    }
}

/// The index of an item in a list; it is added if it is missing.
fn number<T: PartialEq>(all: &mut Vec<T>, item: T) -> usize {
    all.iter().position(|it| *it == item).unwrap_or_else(|| {
        all.push(item);
        all.len() - 1
    })
}

/// Follows references until nothing new is reached.
struct Outliner<'a> {
    program: &'a Program,
    pieces: &'a Pieces,
    keep: &'a Keep,
    numbering: Numbering,
}

impl Outliner<'_> {
    fn skeleton(&mut self) -> Program {
        let mut skeleton = Program::default();
        self.numbering.layers = self.keep.layers.iter().map(|it| it.layer).collect();
        self.numbering.implementations = self.keep.implementations.iter().map(|it| it.implementation).collect();
        self.numbering.stacks.clone_from(&self.keep.stacks);
        self.numbering.clients.clone_from(&self.keep.clients);
        for index in 0..self.numbering.clients.len() {
            skeleton.clients.push(self.client(self.numbering.clients[index]));
        }
        for index in 0..self.numbering.stacks.len() {
            skeleton.stacks.push(self.stack(self.numbering.stacks[index]));
        }
        for index in 0..self.numbering.implementations.len() {
            skeleton.implementations.push(self.implementation(self.numbering.implementations[index]));
        }
        let mut followed = 0;
        loop {
            if let Some(layer) = self.numbering.layers.get(skeleton.layers.len()) {
                skeleton.layers.push(self.layer(*layer));
            } else if let Some(function) = self.numbering.pending.pop_front() {
                self.follow_function(function);
            } else if let Some(TypeId(id)) = self.numbering.types.get(followed) {
                self.follow(&self.pieces.types[*id as usize].references);
                followed += 1;
            } else {
                return skeleton;
            }
        }
    }

    fn follow_function(&mut self, number: usize) {
        let (FunctionId(id), is_whole) = self.numbering.functions[number];
        let pieces = &self.pieces.functions[id as usize];
        self.follow(if is_whole { &pieces.whole.references } else { &pieces.signature.references });
    }

    fn follow(&mut self, references: &[Reference]) {
        for reference in references {
            match *reference {
                Reference::Type(id) => drop(self.numbering.of_type(id)),
                Reference::Function(id) => drop(self.numbering.of_function(id)),
                Reference::Layer(id) => drop(self.numbering.of_layer(id)),
            }
        }
    }

    fn layer(&mut self, id: LayerId) -> Layer {
        let layer = &self.program.layers[id.0 as usize];
        let kept = self.keep.layers.iter().find(|it| it.layer == id);
        let mut operations: Vec<(usize, KeptOperation)> =
            kept.iter().flat_map(|it| &it.operations).map(|(index, kept)| (*index, *kept)).collect();
        operations.sort_by_key(|(index, _)| &layer.operations[*index].name);
        self.numbering.operations.push(operations.iter().map(|it| it.0).collect());
        let mut state = layer.state.clone();
        renumber::ty(&mut state, &mut self.numbering);
        let (init, background, invariants, idle, questions) =
            kept.map(|it| (it.init, it.background, it.invariants, it.idle, it.questions)).unwrap_or_default();
        let numbering = &mut self.numbering;
        Layer {
            name: layer.name.clone(),
            state,
            operations: operations
                .into_iter()
                .map(|(index, whole)| {
                    let given = kept.and_then(|it| it.given.get(&index).cloned()).unwrap_or_default();
                    Operation { given, ..operation(&layer.operations[index], whole, id, numbering) }
                })
                .collect(),
            init: layer.init.filter(|_| init).map(|it| numbering.function(it, true)),
            background: layer.background.filter(|_| background).map(|it| numbering.function(it, true)),
            invariants: match invariants {
                true => layer.invariants.iter().map(|it| numbering.function(*it, true)).collect(),
                false => Vec::new(),
            },
            idle: match idle {
                true => layer.idle.iter().map(|it| numbering.function(*it, true)).collect(),
                false => Vec::new(),
            },
            questions: match questions {
                true => layer.questions.iter().map(|it| (it.0, numbering.function(it.1, true))).collect(),
                false => Vec::new(),
            },
            protocol: layer
                .protocol
                .as_ref()
                .map(|it| Protocol { raw: numbering.of_layer(it.raw), nilpotent: it.nilpotent }),
        }
    }

    fn implementation(&mut self, id: ImplementationId) -> Implementation {
        let implementation = &self.program.implementations[id.0 as usize];
        let kept = self.keep.implementations.iter().find(|it| it.implementation == id);
        let numbering = &mut self.numbering;
        let upper = numbering.of_layer(implementation.upper);
        let lower = numbering.of_layer(implementation.lower);
        let mut code = |all: &BTreeMap<String, Code>| {
            let mut kept_code = BTreeMap::new();
            for (name, how) in all.iter().filter(|(name, _)| kept.is_some_and(|it| it.code.contains(name))) {
                let how = match how {
                    Code::Pass => Code::Pass,
                    Code::Procedure(function) => Code::Procedure(numbering.function(*function, true)),
                };
                kept_code.insert(name.clone(), how);
            }
            kept_code
        };
        let by = match &implementation.by {
            Justification::Movers(procedures) => Justification::Movers(code(procedures)),
            Justification::Retry(procedures) => Justification::Retry(code(procedures)),
            Justification::Search(procedures) => Justification::Search(code(procedures)),
            Justification::Abstraction(relation) => {
                let whole = kept.is_some_and(|it| it.relation);
                Justification::Abstraction(match relation {
                    Abstraction::Up(it) => Abstraction::Up(numbering.function(*it, whole)),
                    Abstraction::Down(it) => Abstraction::Down(numbering.function(*it, whole)),
                    Abstraction::Predicate(it) => Abstraction::Predicate(numbering.function(*it, whole)),
                })
            }
            Justification::Partition(partition) => {
                let mut key_type = partition.key_type.clone();
                let procedures = code(&partition.code);
                renumber::ty(&mut key_type, numbering);
                let whole = kept.is_some_and(|it| it.relation);
                let end = match &partition.end {
                    PartitionEnd::Top { map } => PartitionEnd::Top { map: map.clone() },
                    PartitionEnd::Bottom { slice } => PartitionEnd::Bottom { slice: numbering.function(*slice, whole) },
                };
                let (key, check) = (partition.key.clone(), partition.check.clone());
                Justification::Partition(Partition { key, key_type, check, code: procedures, end })
            }
        };
        Implementation { name: implementation.name.clone(), upper, lower, by }
    }

    fn stack(&mut self, index: usize) -> Stack {
        let stack = &self.program.stacks[index];
        let implementations = stack.implementations.iter();
        let numbering = &mut self.numbering;
        let number = |id: &ImplementationId| ImplementationId(number(&mut numbering.implementations, *id) as u32);
        Stack { name: stack.name.clone(), implementations: implementations.map(number).collect() }
    }

    fn client(&mut self, index: usize) -> Client {
        let client = &self.program.clients[index];
        Client {
            name: client.name.clone(),
            stack: number(&mut self.numbering.stacks, client.stack as usize) as u32,
            processes: if self.keep.processes { client.processes.clone() } else { Vec::new() },
            may_wait: client.may_wait,
            function: self.numbering.function(client.function, true),
        }
    }
}

/// An operation of a slice. Its claim and its origin are not part of its meaning.
fn operation(operation: &Operation, kept: KeptOperation, layer: LayerId, numbering: &mut Numbering) -> Operation {
    Operation {
        name: operation.name.clone(),
        function: numbering.function(operation.function, kept == KeptOperation::Whole),
        component: operation.component.clone(),
        claim: None,
        external: operation.external,
        allowed: match kept {
            KeptOperation::Signature => Vec::new(),
            _ => operation.allowed.iter().map(|it| numbering.function(*it, true)).collect(),
        },
        declared_in: numbering.of_layer(layer),
        given: Vec::new(),
    }
}
