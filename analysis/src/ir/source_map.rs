//! The way back from the IR to the text. Kept apart from the IR so that moving text does not change the IR.

/// A stretch of text: byte offsets into one file of the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Index into the list of files of the package that was lowered.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Where everything in a [`super::Program`] stands, index for index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    /// For each function, the span of its name.
    pub functions: Vec<Span>,
    /// For each function, the span of each [`super::NodeId`]; node 0 is the whole body.
    pub nodes: Vec<Vec<Span>>,
    /// For each layer, the span of its name.
    pub layers: Vec<Span>,
    /// For each layer and operation, the span of the operation's name: in the method, or in the `inherit` list.
    pub operations: Vec<Vec<Span>>,
    /// For each layer and operation, the span of the word of the claim, if there is one.
    pub claims: Vec<Vec<Option<Span>>>,
    /// For each implementation, the span of its name.
    pub implementations: Vec<Span>,
    /// For each stack, the span of its name.
    pub stacks: Vec<Span>,
    /// For each stack, the span of each implementation in it.
    pub links: Vec<Vec<Span>>,
    /// For each client, the span of its name.
    pub clients: Vec<Span>,
}
