//! Navigation: from a name to its definition, up to what it implements, down to what implements it, and to all its uses.
//!
//! | request | on an operation | on a procedure or `pass(…)` |
//! |---|---|---|
//! | definition | its first declaration, through `inherit` | the operation that it implements |
//! | declaration (up) | the operations above that inherit it | the operation that it implements |
//! | implementation (down) | its procedures, or the same operation one layer down | the operations that it calls |

use cspec_analysis::ir::{Code, Justification, LayerId, Program};
use tower_lsp_server::ls_types::*;

use super::{Spot, name_of};
use crate::{
    mentions::{Role, Symbol},
    session::Session,
};

/// The declaration of the symbol at a position.
pub fn definition(session: &mut Session, at: &TextDocumentPositionParams) -> Option<GotoDefinitionResponse> {
    let spot = Spot::of_position(session, at)?;
    let mention = spot.mention()?;
    let symbol = match mention.symbol {
        Symbol::Operation(layer, operation) => origin(spot.program(), layer, operation),
        Symbol::Procedure(id, operation) => {
            let upper = spot.program().implementations[id.0 as usize].upper;
            origin(spot.program(), upper, operation)
        }
        other => other,
    };
    answer(&spot, [symbol])
}

/// The corresponding symbols one layer up.
pub fn declaration(session: &mut Session, at: &TextDocumentPositionParams) -> Option<GotoDefinitionResponse> {
    let spot = Spot::of_position(session, at)?;
    let symbols = above(&spot, spot.mention()?.symbol);
    answer(&spot, symbols)
}

/// The corresponding symbols one layer down.
pub fn implementation(session: &mut Session, at: &TextDocumentPositionParams) -> Option<GotoDefinitionResponse> {
    let spot = Spot::of_position(session, at)?;
    let symbols = below(&spot, spot.mention()?.symbol);
    answer(&spot, symbols)
}

fn answer(spot: &Spot, symbols: impl IntoIterator<Item = Symbol>) -> Option<GotoDefinitionResponse> {
    let place = |it: Symbol| spot.view.location(&spot.package, spot.package.mentions().declaration(it)?);
    let mut places: Vec<Location> = symbols.into_iter().filter_map(place).collect();
    places.dedup();
    (!places.is_empty()).then_some(GotoDefinitionResponse::Array(places))
}

/// The operation that this one was inherited from, or itself.
pub fn origin(program: &Program, layer: LayerId, operation: usize) -> Symbol {
    let (layer, operation) = program.origin(layer, operation);
    Symbol::Operation(layer, operation)
}

/// The index of the operation of this name in a layer.
fn find(program: &Program, layer: LayerId, name: &str) -> Option<Symbol> {
    let at = program.layers[layer.0 as usize].operations.iter().position(|it| it.name == name)?;
    Some(Symbol::Operation(layer, at))
}

/// The symbols one layer up that a symbol implements.
pub fn above(spot: &Spot, symbol: Symbol) -> Vec<Symbol> {
    let program = spot.program();
    match symbol {
        Symbol::Operation(layer, _) => {
            let name = name_of(program, symbol);
            let over = program.implementations.iter().filter(|it| it.lower == layer);
            let same = over.filter(|it| match &it.by {
                Justification::Abstraction(_) | Justification::Partition(_) => true,
                Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code) => {
                    code.get(name) == Some(&Code::Pass)
                }
            });
            let mut found: Vec<Symbol> = same.filter_map(|it| find(program, it.upper, name)).collect();
            let callers = spot.package.mentions().calls().iter().filter(|it| it.operation == symbol);
            for caller in callers.filter_map(|it| it.by) {
                found.extend(above(spot, caller));
            }
            found.sort_unstable();
            found.dedup();
            found
        }
        Symbol::Procedure(id, operation) => {
            vec![Symbol::Operation(program.implementations[id.0 as usize].upper, operation)]
        }
        Symbol::Layer(layer) => {
            let over = program.implementations.iter().filter(|it| it.lower == layer);
            over.map(|it| Symbol::Layer(it.upper)).collect()
        }
        Symbol::Implementation(id) => vec![Symbol::Layer(program.implementations[id.0 as usize].upper)],
        Symbol::Stack(_) | Symbol::Client(_) => Vec::new(),
    }
}

/// The symbols one layer down that implement a symbol.
pub fn below(spot: &Spot, symbol: Symbol) -> Vec<Symbol> {
    let program = spot.program();
    let implementations =
        || (0..).zip(&program.implementations).map(|(at, it)| (cspec_analysis::ir::ImplementationId(at), it));
    match symbol {
        Symbol::Operation(layer, operation) => {
            let name = name_of(program, symbol);
            let of_layer = implementations().filter(|(_, it)| it.upper == layer);
            of_layer
                .filter_map(|(id, it)| match &it.by {
                    Justification::Abstraction(_) | Justification::Partition(_) => find(program, it.lower, name),
                    Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code) => {
                        match code.get(name)? {
                            Code::Procedure(_) => Some(Symbol::Procedure(id, operation)),
                            Code::Pass => find(program, it.lower, name),
                        }
                    }
                })
                .collect()
        }
        Symbol::Procedure(id, _) => {
            let mut found: Vec<Symbol> = spot
                .package
                .mentions()
                .calls()
                .iter()
                .filter(|it| it.by == Some(symbol))
                .map(|it| it.operation)
                .collect();
            if found.is_empty() {
                found.extend(find(program, program.implementations[id.0 as usize].lower, name_of(program, symbol)));
            }
            found.sort_unstable();
            found.dedup();
            found
        }
        Symbol::Layer(layer) => {
            implementations().filter(|(_, it)| it.upper == layer).map(|(id, _)| Symbol::Implementation(id)).collect()
        }
        Symbol::Implementation(id) => vec![Symbol::Layer(program.implementations[id.0 as usize].lower)],
        Symbol::Stack(at) => program.stacks[at].implementations.iter().map(|it| Symbol::Implementation(*it)).collect(),
        Symbol::Client(at) => vec![Symbol::Stack(program.clients[at].stack as usize)],
    }
}

/// Symbols that a reader regards as one: an operation and those that inherit it.
fn same_thing(program: &Program, symbol: Symbol) -> Vec<Symbol> {
    let Symbol::Operation(layer, operation) = symbol else { return vec![symbol] };
    let wanted = origin(program, layer, operation);
    let mut same = Vec::new();
    for (layer, it) in (0..).map(LayerId).zip(&program.layers) {
        let of_layer = (0..it.operations.len()).filter(|at| origin(program, layer, *at) == wanted);
        same.extend(of_layer.map(|at| Symbol::Operation(layer, at)));
    }
    same
}

/// All mentions of the symbol at a position.
pub fn references(session: &mut Session, params: &ReferenceParams) -> Option<Vec<Location>> {
    let spot = Spot::of_position(session, &params.text_document_position)?;
    let symbols = same_thing(spot.program(), spot.mention()?.symbol);
    let mentions = symbols.iter().flat_map(|it| spot.package.mentions().of(*it));
    let wanted = mentions.filter(|it| params.context.include_declaration || it.role != Role::Declaration);
    Some(wanted.filter_map(|it| spot.view.location(&spot.package, it.span)).collect())
}

/// The same within the document.
pub fn highlight(session: &mut Session, at: &TextDocumentPositionParams) -> Option<Vec<DocumentHighlight>> {
    let spot = Spot::of_position(session, at)?;
    let symbols = same_thing(spot.program(), spot.mention()?.symbol);
    let mentions =
        symbols.iter().flat_map(|it| spot.package.mentions().of(*it)).filter(|it| it.span.file == spot.number);
    let highlight = |span| {
        let (_, range) = spot.package.range(span, spot.view.encoding)?;
        Some(DocumentHighlight { range, kind: Some(DocumentHighlightKind::TEXT) })
    };
    Some(mentions.filter_map(|it| highlight(it.span)).collect())
}
