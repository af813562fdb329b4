//! Inlay hints: the mover type of each operation, at the position of a claim or beside it, and the phase before each call of a procedure.

use cspec_analysis::{
    ir::LayerId,
    syntax::{self, AstNode, ast, ast::HasAttrs},
};
use tower_lsp_server::ls_types::*;

use super::{Spot, hover, mover_of, phases};
use crate::{
    mentions::{Role, Symbol},
    session::Session,
};

/// The hints in a range of a document.
pub fn hints(session: &mut Session, params: &InlayHintParams) -> Option<Vec<InlayHint>> {
    let spot = Spot::of_document(session, &params.text_document.uri)?;
    let mut hints = Vec::new();
    if session.config.inlay_hints.movers {
        movers(session, &spot, &mut hints);
    }
    if session.config.inlay_hints.phases {
        calls(session, &spot, &mut hints);
    }
    hints.retain(|it| params.range.start <= it.position && it.position <= params.range.end);
    hints.sort_by_key(|it| it.position);
    Some(hints)
}

/// Adds the mover types of the operations that the document declares or inherits.
fn movers(session: &Session, spot: &Spot, hints: &mut Vec<InlayHint>) {
    let matrix = spot.movers(session);
    let functions: Vec<ast::Fn> = spot.file.parse.root().descendants().filter_map(ast::Fn::cast).collect();
    for mention in spot.package.mentions().in_file(spot.number) {
        let Symbol::Operation(layer, operation) = mention.symbol else { continue };
        let Some(inferred) = mover_of(matrix, layer, operation).and_then(hover::claim_for) else { continue };
        let Some((_, range)) = spot.package.range(mention.span, spot.view.encoding) else { continue };
        match mention.role {
            // A protocol layer does not contain the text of its operations.
            Role::Inherited if spot.program().layers[layer.0 as usize].protocol.is_some() => {}
            Role::Inherited => {
                hints.push(hint(range.end, format!(": {inferred}"), explanation(spot, layer, operation)))
            }
            Role::Declaration => {
                let start = spot.file.text.offset(range.start, spot.view.encoding);
                let claim = spot.program().layers[layer.0 as usize].operations[operation].claim.map(hover::claim_name);
                let Some(end) = attribute_end(&functions, start) else { continue };
                match claim {
                    None => {
                        let at = spot.file.text.position(end - 1, spot.view.encoding);
                        let text = format!("({inferred})");
                        let insert = TextEdit::new(Range::new(at, at), text.clone());
                        let hint = hint(at, text, explanation(spot, layer, operation));
                        hints.push(InlayHint { text_edits: Some(vec![insert]), ..hint });
                    }
                    Some(claim) if claim != inferred => {
                        let at = spot.file.text.position(end, spot.view.encoding);
                        hints.push(hint(at, format!(" {inferred}"), explanation(spot, layer, operation)));
                    }
                    Some(_) => {}
                }
            }
            Role::Pass | Role::Call | Role::Reference => {}
        }
    }
}

/// The end of the `#[op]` attribute of the function with its name at `name`.
fn attribute_end(functions: &[ast::Fn], name: u32) -> Option<u32> {
    let function = functions.iter().find(|it| {
        let own = ast::HasName::name(*it).map(|it| syntax::range(it.syntax().text_range()).start);
        own == Some(name)
    })?;
    // An external operation is never a mover, and its attribute says so.
    let plain = |it: &ast::Attr| {
        let text: String = it.syntax().text().to_string().split_whitespace().collect();
        text.starts_with("#[op") && !text.contains("external")
    };
    let attribute = function.attrs().find(plain)?;
    Some(syntax::range(attribute.syntax().text_range()).end)
}

fn explanation(spot: &Spot, layer: LayerId, operation: usize) -> String {
    let layer = &spot.program().layers[layer.0 as usize];
    format!("`{}` of `{}`: the mover type that cspec inferred", layer.operations[operation].name, layer.name)
}

/// Adds the phase before each call.
fn calls(session: &Session, spot: &Spot, hints: &mut Vec<InlayHint>) {
    let spot_phases = phases::of_package(session, spot);
    for call in spot_phases.iter().filter(|it| it.span.file == spot.number) {
        if let Some((_, range)) = spot.package.range(call.span, spot.view.encoding) {
            let hint = hint(range.start, format!("{}:", call.name()), call.explanation().to_owned());
            hints.push(InlayHint { padding_right: Some(true), ..hint });
        }
    }
}

fn hint(position: Position, label: String, tooltip: String) -> InlayHint {
    let tooltip = MarkupContent { kind: MarkupKind::Markdown, value: tooltip };
    InlayHint {
        position,
        label: label.into(),
        kind: Some(InlayHintKind::TYPE),
        text_edits: None,
        tooltip: Some(tooltip.into()),
        padding_left: None,
        padding_right: None,
        data: None,
    }
}
