//! The call hierarchy: from an operation down the stack to the operations that its procedures call, and up again.

use serde::{Deserialize, Serialize};
use tower_lsp_server::ls_types::*;

use super::{Spot, container_of, name_of, navigation, symbols};
use crate::{mentions::Symbol, session::Session};

/// The identity of an item: names, which edits elsewhere do not change.
#[derive(Deserialize, Serialize)]
struct Data {
    layer: String,
    operation: String,
}

/// The operation at a position; for a procedure, the operation that it implements.
pub fn prepare(session: &mut Session, at: &TextDocumentPositionParams) -> Option<Vec<CallHierarchyItem>> {
    let spot = Spot::of_position(session, at)?;
    let symbol = match spot.mention()?.symbol {
        Symbol::Procedure(id, operation) => {
            Symbol::Operation(spot.program().implementations[id.0 as usize].upper, operation)
        }
        symbol => symbol,
    };
    item(&spot, symbol).map(|it| vec![it])
}

fn item(spot: &Spot, symbol: Symbol) -> Option<CallHierarchyItem> {
    let Symbol::Operation(..) = symbol else { return None };
    let program = spot.program();
    let (layer, operation) = (container_of(program, symbol)?.to_owned(), name_of(program, symbol).to_owned());
    let Location { uri, range } = spot.view.location(&spot.package, declared(spot, symbol)?)?;
    Some(CallHierarchyItem {
        name: operation.clone(),
        kind: symbols::kind(symbol),
        tags: None,
        detail: Some(layer.clone()),
        uri,
        range,
        selection_range: range,
        data: serde_json::to_value(Data { layer, operation }).ok(),
    })
}

/// The declaration of an operation in its own layer, or else in the layer that it comes from.
fn declared(spot: &Spot, symbol: Symbol) -> Option<cspec_analysis::ir::Span> {
    let own = spot.package.mentions().declaration(symbol);
    let Symbol::Operation(layer, at) = symbol else { return own };
    own.or_else(|| spot.package.mentions().declaration(navigation::origin(spot.program(), layer, at)))
}

/// The operation of an item.
fn operation(session: &mut Session, item: &CallHierarchyItem) -> Option<(Spot, Symbol)> {
    let spot = Spot::of_document(session, &item.uri)?;
    let data: Data = serde_json::from_value(item.data.clone()?).ok()?;
    let program = spot.program();
    let layer = program.layers.iter().position(|it| it.name == data.layer)?;
    let at = program.layers[layer].operations.iter().position(|it| it.name == data.operation)?;
    Some((spot, Symbol::Operation(cspec_analysis::ir::LayerId(layer as u32), at)))
}

/// The operations below that implement an operation.
pub fn outgoing(session: &mut Session, from: &CallHierarchyItem) -> Option<Vec<CallHierarchyOutgoingCall>> {
    let (spot, symbol) = operation(session, from)?;
    let mut found = Vec::new();
    for part in navigation::below(&spot, symbol) {
        let called = match part {
            Symbol::Procedure(..) => navigation::below(&spot, part),
            _ => vec![part],
        };
        for to in called {
            let from_ranges = ranges(&spot, part, to);
            found.extend(item(&spot, to).map(|to| CallHierarchyOutgoingCall { to, from_ranges }));
        }
    }
    Some(found)
}

/// The operations above that an operation implements.
pub fn incoming(session: &mut Session, to: &CallHierarchyItem) -> Option<Vec<CallHierarchyIncomingCall>> {
    let (spot, symbol) = operation(session, to)?;
    let mut found = Vec::new();
    for upper in navigation::above(&spot, symbol) {
        let parts = navigation::below(&spot, upper);
        let from_ranges = parts.into_iter().flat_map(|part| ranges(&spot, part, symbol)).collect();
        found.extend(item(&spot, upper).map(|from| CallHierarchyIncomingCall { from, from_ranges }));
    }
    Some(found)
}

/// The places where a procedure calls an operation.
fn ranges(spot: &Spot, procedure: Symbol, operation: Symbol) -> Vec<Range> {
    let calls = spot.package.mentions().calls().iter();
    let calls = calls.filter(|it| it.by == Some(procedure) && it.operation == operation);
    calls.filter_map(|it| Some(spot.package.range(it.span, spot.view.encoding)?.1)).collect()
}
