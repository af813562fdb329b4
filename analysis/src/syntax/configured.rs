//! Conditional compilation: the text that rustc compiles under given options.
//!
//! Excluded code becomes blanks, and `#[cfg_attr(…)]` becomes the attributes that it stands for. The length of the text does not change, so
//! every position in it is a position in the file. No later stage sees a `#[cfg]`, except in the input of a macro, which is tokens.

use std::ops::Range;

use ra_ap_syntax::{AstNode, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken, ast};

use super::range;
use crate::workspace::{CfgOptions, NoAnswer};

/// A condition that cannot be evaluated, with its position.
pub(super) type Unanswered = (Range<u32>, NoAnswer);

/// The compiled text; `None` if nothing changes. Conditions that cannot be evaluated are recorded, and count as true.
pub(super) fn configure(root: &SyntaxNode, text: &str, options: &CfgOptions) -> (Option<String>, Vec<Unanswered>) {
    let is_about_it = |word: &str| text.contains(word);
    if !["cfg", "test", "bench"].into_iter().any(is_about_it) {
        return (None, Vec::new());
    }
    let mut configured =
        Configured { text: text.to_owned().into_bytes(), has_changed: false, options, found: Vec::new() };
    for attr in root.descendants().filter_map(ast::Attr::cast) {
        let owner = owner(&attr);
        if !configured.attribute(&attr) {
            configured.remove(&owner);
        }
    }
    let Configured { text, has_changed, found, .. } = configured;
    // Whole tokens are replaced, so the remaining text is valid UTF-8.
    (has_changed.then(|| String::from_utf8(text).ok()).flatten(), found)
}

struct Configured<'a> {
    text: Vec<u8>,
    has_changed: bool,
    options: &'a CfgOptions,
    found: Vec<Unanswered>,
}

impl Configured<'_> {
    /// Whether the owner of the attribute is kept.
    fn attribute(&mut self, attr: &ast::Attr) -> bool {
        let whole = range(attr.syntax().text_range());
        // It is in excluded code, or in an attribute that was replaced.
        if self.text[whole.start as usize] != b'#' {
            return true;
        }
        match attr.meta() {
            Some(ast::Meta::CfgMeta(meta)) => {
                let tokens = inside(meta.syntax());
                let holds = self.holds(&tokens);
                if holds {
                    self.blank(whole);
                }
                holds
            }
            Some(ast::Meta::CfgAttrMeta(meta)) => {
                let predicate = meta.cfg_predicate().map_or_else(Vec::new, |it| tokens(it.syntax()));
                let becomes = if self.holds(&predicate) { meta.metas().collect() } else { Vec::new() };
                self.replace(attr, &becomes);
                true
            }
            Some(ast::Meta::PathMeta(meta)) => {
                let name = meta.path().map(|it| it.syntax().text().to_string());
                let is_of_tests = matches!(name.as_deref(), Some("test" | "bench"));
                !is_of_tests || self.options.has_name("test")
            }
            _ => true,
        }
    }

    fn holds(&mut self, predicate: &[SyntaxToken]) -> bool {
        let (Some(first), Some(last)) = (predicate.first(), predicate.last()) else { return true };
        let place = range(first.text_range()).start..range(last.text_range()).end;
        let text = String::from_utf8_lossy(&self.text[place.start as usize..place.end as usize]);
        let answer = self.options.holds(&text);
        answer.unwrap_or_else(|unanswered| {
            self.found.push((place, unanswered));
            true
        })
    }

    /// Replaces one attribute by several. The last keeps its place; those before it move as far as their brackets need.
    fn replace(&mut self, attr: &ast::Attr, becomes: &[ast::Meta]) {
        let whole = range(attr.syntax().text_range());
        self.blank(whole.clone());
        let open: &[u8] = if attr.excl_token().is_some() { b"#![" } else { b"#[" };
        let mut end = whole.end as usize;
        for meta in becomes.iter().rev() {
            let text = meta.syntax().text().to_string();
            let start = (range(meta.syntax().text_range()).start as usize).min(end - 1 - text.len());
            let Some(opens) = start.checked_sub(open.len()).filter(|it| *it >= whole.start as usize) else {
                let message = "too many attributes in one `cfg_attr`".to_owned();
                self.found.push((whole, NoAnswer { message, help: "write one `cfg_attr` for each".to_owned() }));
                return;
            };
            self.text[opens..start].copy_from_slice(open);
            self.text[start..start + text.len()].copy_from_slice(text.as_bytes());
            self.text[end - 1] = b']';
            end = opens;
        }
    }

    /// Removes a node, with the comma after it.
    fn remove(&mut self, node: &SyntaxNode) {
        self.blank(range(node.text_range()));
        let mut after = std::iter::successors(node.next_sibling_or_token(), |it| it.next_sibling_or_token());
        let next = after.find(|it| !it.kind().is_trivia());
        if let Some(comma) = next.filter(|it| it.kind() == SyntaxKind::COMMA) {
            self.blank(range(comma.text_range()));
        }
    }

    fn blank(&mut self, range: Range<u32>) {
        let text = &mut self.text[range.start as usize..range.end as usize];
        text.iter_mut().filter(|it| **it != b'\n').for_each(|it| *it = b' ');
        self.has_changed = true;
    }
}

/// The owner of an attribute.
fn owner(attr: &ast::Attr) -> SyntaxNode {
    let Some(mut node) = attr.syntax().parent() else { return attr.syntax().clone() };
    if attr.excl_token().is_some() {
        // It is in a list, or in the block of a function.
        while let Some(around) = node.parent().filter(|_| !ast::Item::can_cast(node.kind())) {
            let is_body = ast::Item::can_cast(around.kind());
            if ast::Expr::can_cast(node.kind()) && !is_body {
                break;
            }
            node = around;
        }
    }
    // The parser attaches the attribute of a statement to the first part of it.
    while let Some(around) = node.parent().filter(|it| {
        let is_of_code = ast::Expr::can_cast(it.kind()) || it.kind() == SyntaxKind::EXPR_STMT;
        is_of_code && it.text_range().start() == node.text_range().start()
    }) {
        node = around;
    }
    node
}

/// The tokens between the first and the last parenthesis.
fn inside(node: &SyntaxNode) -> Vec<SyntaxToken> {
    let mut tokens = tokens(node);
    let start = tokens.iter().position(|it| it.kind() == SyntaxKind::L_PAREN).map_or(tokens.len(), |it| it + 1);
    tokens.pop_if(|it| it.kind() == SyntaxKind::R_PAREN);
    tokens.split_off(start.min(tokens.len()))
}

fn tokens(node: &SyntaxNode) -> Vec<SyntaxToken> {
    let all = node.descendants_with_tokens().filter_map(NodeOrToken::into_token);
    all.filter(|it| !it.kind().is_trivia()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::parse_under;

    fn options() -> CfgOptions {
        CfgOptions::of_lines("unix").with_value("feature", "on")
    }

    /// The compiled text, without blanks.
    fn compiled(text: &str) -> String {
        let parse = parse_under(text, &options());
        assert!(parse.errors().is_empty(), "{:?}", parse.errors());
        let compiled = parse.root().text().to_string();
        assert_eq!(compiled.len(), text.len(), "places stay");
        compiled.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn all_that_has_an_attribute_may_be_left_out() {
        let cases = [
            ("#[cfg(windows)] mod a { fn f() {} } #[cfg(unix)] mod a;", "mod a;"),
            ("struct S { #[cfg(any())] a: u8, b: u8, #[cfg(windows)] c: u8 }", "struct S { b: u8, }"),
            ("struct S(#[cfg(windows)] u8, #[cfg(unix)] u16);", "struct S( u16);"),
            ("enum E { A, #[cfg(feature = \"off\")] B(u8), C }", "enum E { A, C }"),
            ("fn f(a: u8, #[cfg(windows)] b: u8) {}", "fn f(a: u8, ) {}"),
            ("fn f() { #[cfg(windows)] lo.acquire(); b(); }", "fn f() { b(); }"),
            ("fn f() { #[cfg(windows)] { a(); } b() }", "fn f() { b() }"),
            ("fn f() { #[cfg(windows)] x = 5; #[cfg(windows)] let y = 1; }", "fn f() { }"),
            ("fn f() { #[cfg(windows)] a.b = c + d; #[cfg(windows)] m!(); }", "fn f() { }"),
            ("fn f() { #[cfg(windows)] return 1; #[cfg(unix)] 2 }", "fn f() { 2 }"),
            ("fn f() { match x { #[cfg(windows)] A => 1, B => 2 } }", "fn f() { match x { B => 2 } }"),
            ("fn f() { [1, #[cfg(windows)] 2, 3]; g(#[cfg(windows)] 1, 2) }", "fn f() { [1, 3]; g( 2) }"),
            ("fn f() { S { #[cfg(windows)] a: 1, b } }", "fn f() { S { b } }"),
            ("fn f() { let S { #[cfg(windows)] a, b } = s; }", "fn f() { let S { b } = s; }"),
            ("impl A for B { #[cfg(not(unix))] #[op] fn f() {} #[op] fn g() {} }", "impl A for B { #[op] fn g() {} }"),
            ("#[cfg(feature = \"on\")] use a::b; #[cfg(windows)] use a::c;", "use a::b;"),
            ("mod m { #![cfg(windows)] fn f() {} } fn g() {}", "fn g() {}"),
            ("fn f() { #![cfg(windows)] g(); } fn g() {}", "fn g() {}"),
            ("#![cfg(windows)] fn f() {}", ""),
            ("#[test] fn f() {} #[cfg(test)] mod tests {} fn g() {}", "fn g() {}"),
        ];
        for (text, expected) in cases {
            assert_eq!(compiled(text), expected, "{text}");
        }
    }

    #[test]
    fn conditional_attributes_become_attributes() {
        let cases = [
            ("#[cfg_attr(all(), layer)] impl A for B {}", "#[layer] impl A for B {}"),
            ("#[cfg_attr(windows, layer)] impl A for B {}", "impl A for B {}"),
            ("#[cfg_attr(unix, a, b(c),d)] struct S;", "#[a]#[b(c)]#[d] struct S;"),
            ("#[cfg_attr(unix, cfg_attr(unix, cfg(windows)))] struct S; struct T;", "struct T;"),
            ("#[cfg_attr(unix, path = \"x.rs\")] mod m;", "#[path = \"x.rs\"] mod m;"),
            ("#[cfg_attr(unix,)] struct S;", "struct S;"),
        ];
        for (text, expected) in cases {
            let compact = compiled(text).replace("#[ ", "#[").replace(" ]", "]");
            assert_eq!(compact, expected, "{text}");
        }
    }

    #[test]
    fn tests_are_compiled_for_tests() {
        let text = "#[test] fn f() {} #[cfg(test)] mod tests {}";
        let parse = parse_under(text, &options().with_test());
        assert_eq!(parse.root().text().to_string().split_whitespace().collect::<String>(), "#[test]fnf(){}modtests{}");
    }

    #[test]
    fn what_has_no_answer_stays_and_is_told() {
        let text = "#[cfg(loom)] struct S; #[cfg(a + b)] struct T;";
        let parse = parse_under(text, &options().with_build_script());
        let found: Vec<&str> =
            parse.unanswered.iter().map(|(at, _)| &text[at.start as usize..at.end as usize]).collect();
        assert_eq!(found[0], "loom");
        assert!(parse.root().text().to_string().contains("struct S"));
    }
}
