//! The arguments of `assert!(…)` and `matches!(…)`: the parser leaves them as tokens; this module parses them as expressions.

use ra_ap_syntax::{AstNode, NodeOrToken, SourceFile, SyntaxKind, ast};

use super::{EDITION, range};

/// A piece of a macro's input, parsed by itself.
#[derive(Clone, Debug)]
pub struct Fragment<N> {
    /// The tree of the piece.
    pub node: N,
    /// The number to add to an offset in the tree to get the offset in the file.
    pub shift: i64,
}

/// The comma-separated expressions of a macro call; `None` if one of them is not an expression.
pub fn parse_arguments(tree: &ast::TokenTree) -> Option<Vec<Fragment<ast::Expr>>> {
    pieces(tree).into_iter().map(|(text, start)| parse_expression(&text, start)).collect()
}

/// The expression, pattern and guard of `matches!`, the last two as a match arm.
pub fn parse_matches(tree: &ast::TokenTree) -> Option<(Fragment<ast::Expr>, Fragment<ast::MatchArm>)> {
    let pieces = pieces(tree);
    let (value, value_start) = pieces.first()?;
    let (_, arm_start) = pieces.get(1)?;
    let value = parse_expression(value, *value_start)?;
    let inner = range(tree.syntax().text_range());
    let text = tree.syntax().text().to_string();
    let arm = text.get((arm_start - inner.start) as usize..text.len().checked_sub(1)?)?;
    let arm = arm.trim_end().trim_end_matches(',');
    let prefix = "fn w() { match x { ";
    let node = parse_in(prefix, arm, " => {} } }")?;
    Some((value, Fragment { node, shift: i64::from(*arm_start) - prefix.len() as i64 }))
}

fn parse_expression(text: &str, start: u32) -> Option<Fragment<ast::Expr>> {
    let prefix = "fn w() { let _ = ";
    let statement: ast::LetStmt = parse_in(prefix, text, "; }")?;
    Some(Fragment { node: statement.initializer()?, shift: i64::from(start) - prefix.len() as i64 })
}

fn parse_in<N: AstNode>(prefix: &str, text: &str, suffix: &str) -> Option<N> {
    let parse = SourceFile::parse(&format!("{prefix}{text}{suffix}"), EDITION);
    if !parse.errors().is_empty() {
        return None;
    }
    parse.syntax_node().descendants().find_map(N::cast)
}

/// The texts between the top-level commas, with their offsets in the file.
fn pieces(tree: &ast::TokenTree) -> Vec<(String, u32)> {
    let mut pieces: Vec<(String, u32)> = Vec::new();
    let mut fresh = true;
    let children: Vec<_> = tree.syntax().children_with_tokens().collect();
    let inner = children.get(1..children.len().saturating_sub(1)).unwrap_or_default();
    for child in inner {
        let kind = child.kind();
        if kind == SyntaxKind::COMMA {
            fresh = true;
        } else if fresh && !kind.is_trivia() {
            pieces.push((text_of(child), range(child.text_range()).start));
            fresh = false;
        } else if !fresh && let Some((text, _)) = pieces.last_mut() {
            text.push_str(&text_of(child));
        }
    }
    pieces
}

fn text_of(element: &NodeOrToken<super::SyntaxNode, super::SyntaxToken>) -> String {
    match element {
        NodeOrToken::Node(node) => node.text().to_string(),
        NodeOrToken::Token(token) => token.text().to_owned(),
    }
}
