//! The map from the IR back to the text. It is separate from the IR, so that moving text does not change the IR.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FunctionId, ImplementationId, LayerId, NodeId};

/// A range of text: byte offsets into one file of the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Index into the list of files of the package that was lowered.
    pub file: u32,
    /// The offset of the first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span in no file, for findings without a place in the text.
    pub const NOWHERE: Span = Span { file: u32::MAX, start: 0, end: 0 };

    /// Whether another span is part of this one.
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// The positions of all parts of a [`super::Program`], index by index. During lowering, positions are not bytes of a file yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceMap<P = Span> {
    /// For each function, the span of its name.
    pub functions: Vec<P>,
    /// For each function, the span of each [`super::NodeId`]; node 0 is the whole body.
    pub nodes: Vec<Arc<[P]>>,
    /// For each layer, the span of its name.
    pub layers: Vec<P>,
    /// For each layer and operation, the span of the operation's name: in the method, or in the `inherit` list.
    pub operations: Vec<Vec<P>>,
    /// For each layer and operation, the span of the claim, if there is one.
    pub claims: Vec<Vec<Option<P>>>,
    /// For each implementation, the span of its name.
    pub implementations: Vec<P>,
    /// For each implementation and operation of its upper layer, the span of the operation's name in `pass(…)`, if it is there.
    pub passes: Vec<Vec<Option<P>>>,
    /// For each stack, the span of its name.
    pub stacks: Vec<P>,
    /// For each stack, the span of each implementation in it.
    pub links: Vec<Vec<P>>,
    /// For each client, the span of its name.
    pub clients: Vec<P>,
}

/// A place in a program, independent of the text; the source map turns it into a [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Anchor {
    /// The name of a function.
    Function(FunctionId),
    /// A node of a function.
    Node(FunctionId, NodeId),
    /// The name of a layer.
    Layer(LayerId),
    /// The name of an operation of a layer.
    Operation(LayerId, usize),
    /// The claim of an operation; its name, if it has no claim.
    Claim(LayerId, usize),
    /// The name of an implementation.
    Implementation(ImplementationId),
    /// The name of an operation of the upper layer where an implementation passes it on; the implementation's name, if it does not.
    Pass(ImplementationId, usize),
    /// The name of a stack.
    Stack(usize),
    /// An implementation in a stack.
    Link(usize, usize),
    /// The name of a client.
    Client(usize),
}

impl<P> Default for SourceMap<P> {
    fn default() -> Self {
        SourceMap {
            functions: Vec::new(),
            nodes: Vec::new(),
            layers: Vec::new(),
            operations: Vec::new(),
            claims: Vec::new(),
            implementations: Vec::new(),
            passes: Vec::new(),
            stacks: Vec::new(),
            links: Vec::new(),
            clients: Vec::new(),
        }
    }
}

impl<P: Copy> SourceMap<P> {
    /// The position of a place. `None` if the program has no such place.
    pub fn span(&self, anchor: Anchor) -> Option<P> {
        let operation = |layer: LayerId, index: usize| self.operations.get(layer.0 as usize)?.get(index).copied();
        let implementation = |id: ImplementationId| self.implementations.get(id.0 as usize).copied();
        match anchor {
            Anchor::Function(id) => self.functions.get(id.0 as usize).copied(),
            Anchor::Node(id, node) => self.nodes.get(id.0 as usize)?.get(node.0 as usize).copied(),
            Anchor::Layer(id) => self.layers.get(id.0 as usize).copied(),
            Anchor::Operation(layer, index) => operation(layer, index),
            Anchor::Claim(layer, index) => {
                let claim = self.claims.get(layer.0 as usize)?.get(index).copied()?;
                claim.or_else(|| operation(layer, index))
            }
            Anchor::Implementation(id) => implementation(id),
            Anchor::Pass(id, index) => {
                let passed = self.passes.get(id.0 as usize).and_then(|it| it.get(index).copied().flatten());
                passed.or_else(|| implementation(id))
            }
            Anchor::Stack(index) => self.stacks.get(index).copied(),
            Anchor::Link(stack, link) => self.links.get(stack)?.get(link).copied(),
            Anchor::Client(index) => self.clients.get(index).copied(),
        }
    }

    /// The same map with other positions: in a text that has moved, or in bytes of files.
    pub fn map<Q>(&self, to: impl Fn(P) -> Q) -> SourceMap<Q> {
        let all = |places: &[P]| places.iter().map(|it| to(*it)).collect::<Vec<_>>();
        let each = |lists: &[Vec<P>]| lists.iter().map(|it| all(it)).collect::<Vec<_>>();
        let some =
            |lists: &[Vec<Option<P>>]| lists.iter().map(|of| of.iter().map(|it| it.map(&to)).collect()).collect();
        SourceMap {
            functions: all(&self.functions),
            nodes: self.nodes.iter().map(|it| it.iter().map(|it| to(*it)).collect()).collect(),
            layers: all(&self.layers),
            operations: each(&self.operations),
            claims: some(&self.claims),
            implementations: all(&self.implementations),
            passes: some(&self.passes),
            stacks: all(&self.stacks),
            links: each(&self.links),
            clients: all(&self.clients),
        }
    }
}
