//! Rust text as trees. Only this module names the parser's crates; all other code takes its trees from here.
//!
//! Parsing never fails: there is always a tree, and a list of errors. This module knows nothing of layers.

mod configured;
mod depth;
mod fragment;
mod item;

use std::ops::Range;

use crate::{
    diagnostics::{Diagnostic, codes},
    ir::Span,
    workspace::CfgOptions,
};

pub use fragment::{Fragment, parse_arguments, parse_matches};
pub use item::{ItemTree, start_of_item};
pub use ra_ap_syntax::{
    AstNode, AstToken, NodeOrToken, SourceFile, SyntaxKind, SyntaxNode, SyntaxNodePtr, SyntaxToken, TextRange, ast,
};

const EDITION: ra_ap_syntax::Edition = ra_ap_syntax::Edition::CURRENT;

/// A parsed file, with its errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parse {
    tree: ra_ap_syntax::Parse<SourceFile>,
    errors: Vec<SyntaxError>,
    broken_at: Vec<u32>,
    is_unbalanced: bool,
    /// Conditions of `#[cfg(…)]` that cannot be evaluated.
    unanswered: Vec<configured::Unanswered>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The message, one line.
    pub message: String,
    /// The bytes of the error.
    pub range: Range<u32>,
    /// The counterpart of an unmatched bracket, with a label.
    pub related: Option<(Range<u32>, String)>,
    /// The parser's advice, if there is any.
    pub help: Option<String>,
}

/// Parses a file; every text has a tree.
pub fn parse(text: &str) -> Parse {
    if let Some(offset) = depth::too_deep(text) {
        let range = offset..offset + 1;
        return Parse {
            tree: SourceFile::parse("", EDITION),
            errors: vec![SyntaxError { message: "nested too deeply".to_owned(), range, related: None, help: None }],
            broken_at: Vec::new(),
            is_unbalanced: true,
            unanswered: Vec::new(),
        };
    }
    let tree = SourceFile::parse(text, EDITION);
    let length = text.len() as u32;
    let found = tree.errors().into_iter().map(|error| {
        let start = text.floor_char_boundary(u32::from(error.range().start()).min(length) as usize) as u32;
        let end = u32::from(error.range().end()).clamp(start, length);
        // If something is missing, point at the token in its place.
        let next = text[start as usize..].chars().next().map_or(0, char::len_utf8) as u32;
        let text = error.to_string();
        let (message, help) =
            text.split_once('\n').map_or((&*text, None), |(first, rest)| (first, Some(rest.to_owned())));
        SyntaxError { message: message.to_owned(), range: start..end.max(start + next), related: None, help }
    });
    let found: Vec<SyntaxError> = found.collect();
    let mut broken_at: Vec<u32> = found.iter().map(|it| it.range.start).collect();
    let unbalanced = depth::unbalanced(text);
    broken_at.extend(unbalanced.iter().map(|it| it.range.start));
    let is_unbalanced = unbalanced.is_some();
    // If the brackets of a file do not match, the parser's other errors are consequences.
    let errors = unbalanced.map_or_else(|| without_repetitions(found), |it| vec![it]);
    Parse { tree, errors, broken_at, is_unbalanced, unanswered: Vec::new() }
}

/// Parses the part of a file that rustc compiles under these options: code excluded by `#[cfg]` is not in the tree. Positions are those of
/// the text.
///
/// A byte order mark at the beginning is not part of the text, as in rustc.
pub fn parse_under(text: &str, options: &CfgOptions) -> Parse {
    let unmarked = text.strip_prefix('\u{feff}').map(|rest| format!("{:1$}{rest}", "", text.len() - rest.len()));
    let mut parsed = parse(unmarked.as_deref().unwrap_or(text));
    if parsed.is_unbalanced {
        return parsed;
    }
    // The attribute that it becomes may be conditional again.
    loop {
        let compiled = parsed.root().text().to_string();
        let (next, unanswered) = configured::configure(&parsed.root(), &compiled, options);
        parsed.unanswered.extend(unanswered);
        let Some(next) = next.filter(|it| *it != compiled) else { return parsed };
        let Parse { errors, broken_at, unanswered, .. } = parsed;
        parsed = Parse { unanswered, ..parse(&next) };
        // Excluded code must still be valid Rust.
        if !errors.is_empty() {
            (parsed.errors, parsed.broken_at) = (errors, broken_at);
        }
    }
}

/// Keeps one error for each place: later errors of the parser at the same token are consequences.
fn without_repetitions(found: Vec<SyntaxError>) -> Vec<SyntaxError> {
    let mut errors: Vec<SyntaxError> = Vec::new();
    for error in found {
        if errors.iter().all(|seen| seen.range.start.abs_diff(error.range.start) > 1) {
            errors.push(error);
        }
    }
    errors
}

impl Parse {
    /// The root of the tree.
    pub fn root(&self) -> SyntaxNode {
        self.tree.syntax_node()
    }

    /// The errors, in source order, without repetitions.
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }

    /// Whether a bracket has no counterpart: then the items of the file cannot be determined.
    pub fn is_unbalanced(&self) -> bool {
        self.is_unbalanced
    }

    /// Every offset at which the tree may not be the intended one.
    pub fn broken_at(&self) -> &[u32] {
        &self.broken_at
    }

    /// The errors as diagnostics of file `file`.
    pub fn diagnostics(&self, file: u32) -> Vec<Diagnostic> {
        let span = |range: &Range<u32>| Span { file, start: range.start, end: range.end };
        let diagnostic = |error: &SyntaxError| Diagnostic {
            related: error.related.iter().map(|(range, text)| (span(range), text.clone())).collect(),
            help: error.help.clone(),
            ..Diagnostic::error(codes::CS0101, span(&error.range), format!("syntax error: {}", error.message))
        };
        let unanswered = |(range, answer): &configured::Unanswered| Diagnostic {
            help: Some(answer.help.clone()),
            ..Diagnostic::error(codes::CS0105, span(range), answer.message.clone())
        };
        self.errors.iter().map(diagnostic).chain(self.unanswered.iter().map(unanswered)).collect()
    }
}

/// The declarations of a file, which other stages refer to by their number in this list. They include declarations inside an unclosed
/// brace; numbers do not depend on trivia.
pub fn declarations(root: &SyntaxNode) -> Vec<SyntaxNode> {
    use SyntaxKind::*;
    root.descendants().filter(|node| matches!(node.kind(), FN | STRUCT | ENUM | CONST | IMPL | TYPE_ALIAS)).collect()
}

/// The scopes of a file, which other stages refer to by their number in this list: the file itself, inline modules, and blocks with items.
pub fn scopes(root: &SyntaxNode) -> Vec<SyntaxNode> {
    let has_items = |node: &SyntaxNode| {
        let lists = node.children().filter(|it| it.kind() == SyntaxKind::STMT_LIST);
        lists.into_iter().any(|it| it.children().any(|it| ast::Item::can_cast(it.kind())))
    };
    let is_scope = |node: &SyntaxNode| match node.kind() {
        SyntaxKind::SOURCE_FILE => true,
        SyntaxKind::MODULE => node.children().any(|it| it.kind() == SyntaxKind::ITEM_LIST),
        SyntaxKind::BLOCK_EXPR => has_items(node),
        _ => false,
    };
    root.descendants().filter(is_scope).collect()
}

/// The first `#[cfg]` or `#[cfg_attr]` in a tree.
pub fn conditional(root: &SyntaxNode) -> Option<SyntaxNode> {
    let is_conditional = |it: &SyntaxNode| matches!(it.kind(), SyntaxKind::CFG_META | SyntaxKind::CFG_ATTR_META);
    root.descendants().find(is_conditional)
}

/// The bytes of a node without the trivia, documentation and attributes in front of it.
pub fn text_range(node: &SyntaxNode) -> Range<u32> {
    range(node.text_range())
}

/// Converts a range of the parser to bytes.
pub fn range(range: TextRange) -> Range<u32> {
    u32::from(range.start())..u32::from(range.end())
}

/// The operators, as the parser names them.
pub mod operators {
    pub use ra_ap_syntax::ast::{ArithOp, BinaryOp, CmpOp, LogicOp, Ordering, RangeItem, RangeOp, UnaryOp};
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parser's advice on a second line is help, and not part of the message.
    #[test]
    fn messages_are_one_line() {
        let parse = parse("struct A {};");
        let [found] = &parse.diagnostics(0)[..] else { panic!("there is one error") };
        assert_eq!(found.message, "syntax error: expected item, found `;`");
        assert_eq!(found.help.as_deref(), Some("consider removing this semicolon"));
    }
}
