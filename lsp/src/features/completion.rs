//! Completion: the arguments of attributes, the names of layers and operations in them, and the operations of the layer below.
//!
//! Everything else is left to rust-analyzer. Completion looks at the text before the cursor on its line, since unfinished text has no tree
//! yet.

use cspec_analysis::{
    ir::{FunctionKind, LayerId, Program, lower::Named},
    report::signature,
};
use tower_lsp_server::ls_types::*;

use super::{Spot, mover_of};
use crate::session::Session;

/// The possible completions at a position.
pub fn completion(session: &mut Session, at: &TextDocumentPositionParams) -> Option<CompletionResponse> {
    let spot = Spot::of_position(session, at)?;
    let text = &spot.file.text;
    let start = text.offset(Position::new(at.position.line, 0), spot.view.encoding);
    let before = text.slice(start..spot.offset);
    let items = match before.find("#[") {
        Some(open) if !before[open..].contains(']') => in_attribute(session, &spot, &before[open + 2..]),
        _ => after_lo(session, &spot, before),
    };
    (!items.is_empty()).then_some(CompletionResponse::Array(items))
}

/// The enclosing brackets and words before the cursor: `implement(A, over = B, pass(x` is inside `implement`, `pass`.
fn open_words(before: &str) -> Vec<&str> {
    let mut open = Vec::new();
    let mut word = 0..0;
    for (at, character) in before.char_indices() {
        match character {
            '(' => open.push(&before[word.clone()]),
            ')' => drop(open.pop()),
            it if it.is_alphanumeric() || it == '_' => {
                word = if word.end == at { word.start..at + it.len_utf8() } else { at..at + it.len_utf8() };
            }
            _ => {}
        }
    }
    open
}

fn in_attribute(session: &Session, spot: &Spot, before: &str) -> Vec<CompletionItem> {
    let program = spot.program();
    let argument = before.rsplit(['(', ',']).next().unwrap_or_default().trim_start();
    let layer_named = |path: &str| layer_named(spot, path);
    let layers = || program.layers.iter().map(|it| item(&it.name, CompletionItemKind::INTERFACE, "layer")).collect();
    match open_words(before).as_slice() {
        ["op"] => words(&["right", "left", "both", "non", "external"], "mover type"),
        ["layer"] if is_value(argument) => layers(),
        ["layer"] => words(&["inherit", "ops", "protocol", "nilpotent"], "of #[layer]"),
        ["layer", "inherit"] => {
            let list = before.rsplit('(').next().unwrap_or_default();
            match list.split_once(':') {
                Some((layer, _)) => {
                    let layer = layer.split_whitespace().next().unwrap_or_default();
                    layer_named(layer).map(|it| operations(session, spot, it)).unwrap_or_default()
                }
                None => layers(),
            }
        }
        ["implement"] if argument.starts_with("by") && is_value(argument) => {
            words(&["movers", "retry", "abstraction", "partition", "search"], "pattern")
        }
        ["implement"] if is_value(argument) || !before.contains(',') => layers(),
        ["implement"] => words(&["over", "by", "pass"], "of #[implement]"),
        ["implement", "pass"] => {
            let upper = before.split(['(', ',']).nth(1).unwrap_or_default().trim();
            layer_named(upper).map(|it| operations(session, spot, it)).unwrap_or_default()
        }
        ["allowed"] => {
            let header = spot.file.text.slice(0..spot.offset).rsplit("protocol").next().unwrap_or_default();
            let raw = header.trim_start_matches([' ', '=']).split([',', ')']).next().unwrap_or_default().trim();
            layer_named(raw).map(|it| operations(session, spot, it)).unwrap_or_default()
        }
        [] => words(
            &[
                "layer",
                "op",
                "init",
                "background",
                "invariant",
                "idle",
                "allowed",
                "never",
                "always",
                "implement",
                "abstraction",
                "stack",
                "client",
                "state",
                "scalar",
                "bottom",
            ],
            "cspec",
        ),
        _ => Vec::new(),
    }
}

/// Whether an argument has an `=` already.
fn is_value(argument: &str) -> bool {
    argument.contains('=')
}

/// After `lo.`: the operations of the layer below, with their mover types.
fn after_lo(session: &Session, spot: &Spot, before: &str) -> Vec<CompletionItem> {
    let word = before.trim_end_matches(|it: char| it.is_alphanumeric() || it == '_');
    if !word.ends_with("lo.") {
        return Vec::new();
    }
    let program = spot.program();
    let (offset, maps) = (spot.offset, spot.package.facts.source_map());
    let around = maps.nodes.iter().zip(&program.functions).find_map(|(nodes, function)| {
        let body = nodes.first()?;
        let inside = body.file == spot.number && body.start <= offset && offset <= body.end;
        match function.kind {
            FunctionKind::Procedure(layer) if inside => Some(layer),
            _ => None,
        }
    });
    around.or_else(|| layer_of_header(spot)).map(|it| operations(session, spot, it)).unwrap_or_default()
}

/// The layer in the last `lo: &mut impl Layer` before the cursor, for a procedure that does not parse.
fn layer_of_header(spot: &Spot) -> Option<LayerId> {
    let before = spot.file.text.slice(0..spot.offset);
    let header = before.rsplit("lo: &mut impl ").next().filter(|it| it.len() < before.len())?;
    layer_named(spot, header.split(|it: char| !it.is_alphanumeric() && !matches!(it, '_' | ':')).next()?)
}

/// The layer that a path refers to at the cursor.
fn layer_named(spot: &Spot, path: &str) -> Option<LayerId> {
    let path: Vec<String> = path.split("::").map(str::to_owned).collect();
    match spot.package.facts.named(spot.number, spot.file.scope_at(spot.offset), &path)? {
        Named::Layer(id) => Some(id),
        Named::Implementation(_) | Named::Stack(_) => None,
    }
}

fn operations(session: &Session, spot: &Spot, layer: LayerId) -> Vec<CompletionItem> {
    let program: &Program = spot.program();
    let matrix = spot.movers(session);
    let operations = program.layers[layer.0 as usize].operations.iter().enumerate();
    let operation = |(at, it): (usize, &cspec_analysis::ir::Operation)| {
        let mover = mover_of(matrix, layer, at).map(|it| format!(" · {}", it.name())).unwrap_or_default();
        let (parameters, _) = program.signature(it);
        let names: Vec<String> = parameters.into_iter().map(|(name, _)| name).collect();
        CompletionItem {
            label: it.name.clone(),
            kind: Some(CompletionItemKind::METHOD),
            detail: Some(format!("{}{mover}", signature(program, it))),
            label_details: Some(CompletionItemLabelDetails {
                detail: Some(format!("({})", names.join(", "))),
                description: Some(program.layers[layer.0 as usize].name.clone()),
            }),
            ..CompletionItem::default()
        }
    };
    operations.map(operation).collect()
}

fn words(words: &[&str], detail: &str) -> Vec<CompletionItem> {
    words.iter().map(|it| item(it, CompletionItemKind::KEYWORD, detail)).collect()
}

fn item(label: &str, kind: CompletionItemKind, detail: &str) -> CompletionItem {
    CompletionItem {
        label: label.to_owned(),
        kind: Some(kind),
        detail: Some(detail.to_owned()),
        ..CompletionItem::default()
    }
}

#[cfg(test)]
mod tests {
    use super::open_words;

    #[test]
    fn brackets_say_where_the_cursor_is() {
        assert_eq!(open_words("implement(A, over = B, pass(x, "), ["implement", "pass"]);
        assert_eq!(open_words("layer(inherit(A: x), "), ["layer"]);
        assert_eq!(open_words("op"), Vec::<&str>::new());
    }
}
