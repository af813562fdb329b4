//! Semantic tokens: colours for layers, operations and implementations, and for the vocabulary of nondeterminism.

use cspec_analysis::syntax::{self, AstNode, ast};
use tower_lsp_server::ls_types::*;

use super::Spot;
use crate::{mentions::Symbol, session::Session};

const TYPES: [SemanticTokenType; 5] = [
    SemanticTokenType::INTERFACE,
    SemanticTokenType::METHOD,
    SemanticTokenType::CLASS,
    SemanticTokenType::NAMESPACE,
    SemanticTokenType::MACRO,
];

/// Functions of cspec that mean more than a call.
const VOCABULARY: [&str; 7] = ["maybe", "any", "choose", "repeat", "when", "emit", "external"];

/// The meanings of token types.
pub fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: TYPES.to_vec(), token_modifiers: Vec::new() }
}

/// The tokens of a document.
pub fn tokens(session: &mut Session, uri: &Uri) -> Option<SemanticTokensResult> {
    let spot = Spot::of_document(session, uri)?;
    let mut found: Vec<(Range, u32)> = Vec::new();
    for mention in spot.package.mentions().in_file(spot.number) {
        let token_type = match mention.symbol {
            Symbol::Layer(_) => 0,
            Symbol::Operation(..) | Symbol::Procedure(..) => 1,
            Symbol::Implementation(_) => 2,
            Symbol::Stack(_) | Symbol::Client(_) => 3,
        };
        found.extend(spot.package.range(mention.span, spot.view.encoding).map(|(_, range)| (range, token_type)));
    }
    for call in spot.file.parse.root().descendants().filter_map(ast::CallExpr::cast) {
        let Some(ast::Expr::PathExpr(path)) = call.expr() else { continue };
        let name = path.path().and_then(|it| it.segment()).and_then(|it| it.name_ref());
        if let Some(name) = name.filter(|it| VOCABULARY.iter().any(|word| *word == it.text())) {
            found.push((spot.file.text.range(syntax::range(name.syntax().text_range()), spot.view.encoding), 4));
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    found.dedup_by_key(|(range, _)| range.start);
    Some(SemanticTokensResult::Tokens(SemanticTokens { result_id: None, data: relative(&found) }))
}

/// The positions of tokens, each relative to the previous one.
fn relative(tokens: &[(Range, u32)]) -> Vec<SemanticToken> {
    let mut last = Position::default();
    let token = |(range, token_type): &(Range, u32)| {
        let delta_line = range.start.line - last.line;
        let delta_start = range.start.character - if delta_line == 0 { last.character } else { 0 };
        last = range.start;
        let length = range.end.character.saturating_sub(range.start.character);
        SemanticToken { delta_line, delta_start, length, token_type: *token_type, token_modifiers_bitset: 0 }
    };
    tokens.iter().map(token).collect()
}
