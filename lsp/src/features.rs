//! Requests of the client: one module for each kind, each a function of the session's state.
//!
//! Only [`commands`] changes anything, and no request waits: all answer from the current text and the known verdicts.

pub mod calls;
pub mod commands;
pub mod completion;
pub mod counterexample;
pub mod fixes;
pub mod folding;
pub mod hints;
pub mod hover;
pub mod layers;
pub mod lenses;
pub mod navigation;
pub mod phases;
pub mod symbols;
pub mod tokens;

use std::{cell::OnceCell, sync::Arc};

use cspec_analysis::{
    ir::{Layer, LayerId, Program},
    report::Movers,
    verdict::ObligationName,
};
use tower_lsp_server::ls_types::{TextDocumentPositionParams, Uri};

use crate::{
    mentions::{Mention, Symbol},
    session::Session,
    snapshot::{FileView, PackageView, View},
};

/// A position in a document, the starting point of requests.
pub struct Spot {
    /// The view of all packages.
    pub view: View,
    /// The index of the package of the document.
    pub index: usize,
    /// The package of the document.
    pub package: Arc<PackageView>,
    /// The number of the file in it.
    pub number: u32,
    /// The file of the document.
    pub file: Arc<FileView>,
    /// The offset in the current text of the file.
    pub offset: u32,
    matrix: OnceCell<Arc<Matrix>>,
}

impl Spot {
    /// The beginning of a document.
    pub fn of_document(session: &mut Session, uri: &Uri) -> Option<Spot> {
        let (index, number) = session.file(uri)?;
        let view = session.current_view().clone();
        let package = Arc::clone(&view.packages[index]);
        let file = Arc::clone(package.files.get(number as usize)?);
        Some(Spot { view, index, package, number, file, offset: 0, matrix: OnceCell::new() })
    }

    /// The beginning of the first file of a package.
    pub fn of_package(view: &View, index: usize) -> Option<Spot> {
        let package = Arc::clone(&view.packages[index]);
        let file = Arc::clone(package.files.first()?);
        Some(Spot { view: view.clone(), index, package, number: 0, file, offset: 0, matrix: OnceCell::new() })
    }

    /// A position in a document.
    pub fn of_position(session: &mut Session, at: &TextDocumentPositionParams) -> Option<Spot> {
        let spot = Spot::of_document(session, &at.text_document.uri)?;
        let offset = spot.file.text.offset(at.position, spot.view.encoding);
        Some(Spot { offset, ..spot })
    }

    /// The mention at this position.
    pub fn mention(&self) -> Option<Mention> {
        self.package.mentions().at(self.number, self.offset).copied()
    }

    /// The program of the package.
    pub fn program(&self) -> &Program {
        self.package.facts.program()
    }

    /// The matrix of movers, as far as it is known: after an edit the previous one, until there is a new one. A run computes it, since that
    /// takes too long for a hover.
    pub fn movers(&self, session: &Session) -> &Matrix {
        let last = || session.state(&self.package).and_then(|it| it.matrix.as_ref());
        let fitting = || last().filter(|(about, _)| has_same_operations(about, self.program()));
        self.matrix.get_or_init(|| fitting().map(|(_, matrix)| Arc::clone(matrix)).unwrap_or_default())
    }

    /// Whether that matrix belongs to an earlier text.
    pub fn movers_are_stale(&self, session: &Session) -> bool {
        let last = session.state(&self.package).and_then(|it| it.matrix.as_ref());
        last.is_some_and(|(about, _)| !Arc::ptr_eq(about, self.package.facts.program()))
    }
}

/// Whether the operations of two programs have the same numbers.
fn has_same_operations(one: &Program, other: &Program) -> bool {
    let names = |it: &Program| {
        let layers = it.layers.iter();
        let names = |it: &Layer| (it.name.clone(), it.operations.iter().map(|it| it.name.clone()).collect::<Vec<_>>());
        layers.map(names).collect::<Vec<_>>()
    };
    std::ptr::eq(one, other) || names(one) == names(other)
}

/// For each layer and operation: its mover type, and its row of the commutativity matrix.
pub type Matrix = Vec<Vec<(Movers, Vec<Movers>)>>;

/// The inferred mover type of an operation.
pub fn mover_of(matrix: &Matrix, layer: LayerId, operation: usize) -> Option<Movers> {
    Some(matrix.get(layer.0 as usize)?.get(operation)?.0)
}

/// The name of a symbol.
pub fn name_of(program: &Program, symbol: Symbol) -> &str {
    match symbol {
        Symbol::Layer(id) => &program.layers[id.0 as usize].name,
        Symbol::Operation(layer, at) => &program.layers[layer.0 as usize].operations[at].name,
        Symbol::Implementation(id) => &program.implementations[id.0 as usize].name,
        Symbol::Procedure(id, at) => {
            let upper = program.implementations[id.0 as usize].upper;
            &program.layers[upper.0 as usize].operations[at].name
        }
        Symbol::Stack(at) => &program.stacks[at].name,
        Symbol::Client(at) => &program.clients[at].name,
    }
}

/// The container of a symbol: the layer of an operation, the implementation of a procedure.
pub fn container_of(program: &Program, symbol: Symbol) -> Option<&str> {
    match symbol {
        Symbol::Operation(layer, _) => Some(&program.layers[layer.0 as usize].name),
        Symbol::Procedure(id, _) => Some(&program.implementations[id.0 as usize].name),
        _ => None,
    }
}

/// Whether an obligation belongs to a symbol or to a part of it.
pub fn is_about(program: &Program, symbol: Symbol, name: &ObligationName) -> bool {
    let own = name_of(program, symbol);
    match symbol {
        Symbol::Layer(_) => name.implementation.is_empty() && name.layer == own,
        Symbol::Operation(layer, _) => {
            name.implementation.is_empty()
                && name.layer == program.layers[layer.0 as usize].name
                && name.operation == own
        }
        Symbol::Implementation(_) => name.implementation == own,
        Symbol::Procedure(id, _) => {
            name.implementation == program.implementations[id.0 as usize].name && name.operation == own
        }
        Symbol::Stack(_) => {
            name.implementation == own
                || (name.implementation.is_empty() && name.layer.is_empty() && name.operation == own)
        }
        Symbol::Client(_) => name.operation == own && !name.against.is_empty() && name.kind == "traces",
    }
}
