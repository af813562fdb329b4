//! Symbols: the outline of a document, and layers, operations, implementations, stacks and clients by name.

use cspec_analysis::report::signature;
use tower_lsp_server::ls_types::*;

use super::{Spot, container_of, is_about, name_of};
use crate::{
    mentions::{Mention, Role, Symbol},
    publish::verdicts,
    session::Session,
    snapshot::{PackageView, View},
};

/// The outline of a document.
pub fn document(session: &mut Session, uri: &Uri) -> Option<DocumentSymbolResponse> {
    let spot = Spot::of_document(session, uri)?;
    let mut roots: Vec<(Symbol, DocumentSymbol)> = Vec::new();
    let mentions =
        spot.package.mentions().in_file(spot.number).filter(|it| it.role != Role::Reference && it.role != Role::Call);
    let (parts, wholes): (Vec<Mention>, Vec<Mention>) = mentions.partition(|it| owner_of(it.symbol).is_some());
    for mention in wholes {
        roots.extend(symbol(session, &spot, &mention).map(|it| (mention.symbol, it)));
    }
    for mention in parts {
        let owner = owner_of(mention.symbol);
        let Some(part) = symbol(session, &spot, &mention) else { continue };
        match roots.iter_mut().find(|(it, _)| Some(*it) == owner) {
            Some((_, whole)) => {
                whole.range.start = whole.range.start.min(part.range.start);
                whole.range.end = whole.range.end.max(part.range.end);
                whole.children.get_or_insert_default().push(part);
            }
            None => roots.push((mention.symbol, part)),
        }
    }
    let mut roots: Vec<DocumentSymbol> = roots.into_iter().map(|(_, it)| it).collect();
    roots.sort_by_key(|it| it.selection_range.start);
    Some(DocumentSymbolResponse::Nested(roots))
}

/// The container of an operation or a procedure.
fn owner_of(symbol: Symbol) -> Option<Symbol> {
    match symbol {
        Symbol::Operation(layer, _) => Some(Symbol::Layer(layer)),
        Symbol::Procedure(id, _) => Some(Symbol::Implementation(id)),
        _ => None,
    }
}

fn symbol(session: &Session, spot: &Spot, mention: &Mention) -> Option<DocumentSymbol> {
    let (_, range) = spot.package.range(mention.span, spot.view.encoding)?;
    let program = spot.program();
    let tally = verdicts(session, &spot.package)?.tally(&|name| is_about(program, mention.symbol, name));
    let what = detail(spot.package.as_ref(), mention.symbol);
    let parts: Vec<String> = [what, tally.in_words()].into_iter().filter(|it| !it.is_empty()).collect();
    #[expect(deprecated, reason = "the field has to be filled")]
    let symbol = DocumentSymbol {
        name: name_of(program, mention.symbol).to_owned(),
        detail: Some(parts.join(" · ")),
        kind: kind(mention.symbol),
        tags: None,
        deprecated: None,
        range,
        selection_range: range,
        children: None,
    };
    Some(symbol)
}

/// The symbol kind that the client shows.
pub fn kind(symbol: Symbol) -> SymbolKind {
    match symbol {
        Symbol::Layer(_) => SymbolKind::INTERFACE,
        Symbol::Operation(..) => SymbolKind::METHOD,
        Symbol::Implementation(_) => SymbolKind::CLASS,
        Symbol::Procedure(..) => SymbolKind::FUNCTION,
        Symbol::Stack(_) => SymbolKind::MODULE,
        Symbol::Client(_) => SymbolKind::EVENT,
    }
}

/// A short description of a symbol.
pub fn detail(package: &PackageView, symbol: Symbol) -> String {
    let program = package.facts.program();
    match symbol {
        Symbol::Layer(id) => format!("layer over {}", program.type_name(&program.layers[id.0 as usize].state)),
        Symbol::Operation(layer, at) => signature(program, &program.layers[layer.0 as usize].operations[at]),
        Symbol::Implementation(id) => {
            let it = &program.implementations[id.0 as usize];
            let layer = |id: cspec_analysis::ir::LayerId| &program.layers[id.0 as usize].name;
            format!("{} over {} by {}", layer(it.upper), layer(it.lower), it.by.name())
        }
        Symbol::Procedure(..) => String::new(),
        Symbol::Stack(_) => "stack".to_owned(),
        Symbol::Client(_) => "client".to_owned(),
    }
}

/// Symbols of all packages whose name contains the letters of `query` in this order.
pub fn workspace(session: &mut Session, query: &str) -> Option<WorkspaceSymbolResponse> {
    let view = session.view().clone();
    let found = view.packages.iter().flat_map(|package| of_package(&view, package, query));
    Some(WorkspaceSymbolResponse::Flat(found.collect()))
}

fn of_package(view: &View, package: &PackageView, query: &str) -> Vec<SymbolInformation> {
    let program = package.facts.program();
    let all = (0..package.files.len() as u32).flat_map(|it| package.mentions().in_file(it));
    let declared = all.filter(|it| it.role == Role::Declaration && matches(name_of(program, it.symbol), query));
    let information = |it: &Mention| {
        #[expect(deprecated, reason = "the field has to be filled")]
        let information = SymbolInformation {
            name: name_of(program, it.symbol).to_owned(),
            kind: kind(it.symbol),
            tags: None,
            deprecated: None,
            location: view.location(package, it.span)?,
            container_name: container_of(program, it.symbol).map(str::to_owned),
        };
        Some(information)
    };
    declared.filter_map(information).collect()
}

/// Whether `name` contains the letters of `query` in this order, ignoring case.
fn matches(name: &str, query: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    query.chars().flat_map(char::to_lowercase).all(|wanted| letters.any(|it| it == wanted))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn letters_in_order_are_enough() {
        assert!(matches("LockedCounter", "lcnt") && matches("try_acquire", "") && matches("TasTso", "TSO"));
        assert!(!matches("Lock", "kl") && !matches("Lock", "locks"));
    }
}
