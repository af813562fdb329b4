//! Macros: those that a file defines, and those that it calls in item position.

use super::{Indexed, Name};
use crate::syntax::{
    self, AstNode, ItemTree, SyntaxKind, SyntaxNode,
    ast::{self, HasAttrs, HasName},
};

/// A `macro_rules!` declaration in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroItem {
    /// The name of the macro.
    pub name: String,
    /// The scope that contains it.
    pub scope: u32,
    /// The number of items that begin before it in the file. Only later items can use it.
    pub order: u32,
    /// Whether it has `#[macro_export]`: then the root of the crate has it, too.
    pub is_exported: bool,
    /// Whether it mentions an attribute of cspec: then it generates layers or parts of them.
    pub makes_layers: bool,
    pub definition: ItemTree,
}

/// A macro call in item position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallItem {
    /// The path of the macro.
    pub name: Name,
    /// The scope that contains the call.
    pub scope: u32,
    /// The `impl` block that contains it: an index into [`super::FileIndex::impls`].
    pub owner: Option<u32>,
    /// The number of items that begin before it in the file.
    pub order: u32,
    /// Whether its input mentions an attribute of cspec.
    pub makes_layers: bool,
}

/// The start positions of the items of a file, in order.
pub(super) struct Order(Vec<u32>);

impl Order {
    pub(super) fn of(root: &SyntaxNode) -> Order {
        let items = root.descendants().filter(|it| ast::Item::can_cast(it.kind()));
        Order(items.map(|it| start(&it)).collect())
    }

    /// The number of items that begin before this one.
    pub(super) fn before(&self, item: &SyntaxNode) -> u32 {
        let start = start(item);
        self.0.partition_point(|it| *it < start) as u32
    }
}

fn start(node: &SyntaxNode) -> u32 {
    syntax::range(node.text_range()).start
}

/// Collects the macros of a file. `impl` blocks are numbered as they are declared.
pub(super) fn collect(indexed: &mut Indexed, root: &SyntaxNode, order: &Order, scope_of: &impl Fn(&SyntaxNode) -> u32) {
    let mut blocks = Vec::new();
    for node in root.descendants() {
        match node.kind() {
            SyntaxKind::IMPL => blocks.push(node),
            SyntaxKind::MACRO_RULES => {
                let Some(item) = ast::MacroRules::cast(node.clone()) else { continue };
                let Some(name) = item.name() else { continue };
                indexed.index.macros.push(MacroItem {
                    name: name.text().to_string(),
                    scope: scope_of(&node),
                    order: order.before(&node),
                    is_exported: has(&item, "macro_export"),
                    makes_layers: item.token_tree().is_some_and(|it| mentions_ours(&it)),
                    definition: ItemTree::whole(&node),
                });
            }
            SyntaxKind::MACRO_CALL => {
                let around = node.parent();
                let Some(call) = ast::MacroCall::cast(node.clone()) else { continue };
                let is_item = around.as_ref().is_some_and(|it| {
                    matches!(it.kind(), SyntaxKind::SOURCE_FILE | SyntaxKind::ITEM_LIST | SyntaxKind::ASSOC_ITEM_LIST)
                });
                let path = call.path().filter(|_| is_item && super::scopes::included(&call).is_none());
                let Some(name) = path.and_then(|it| indexed.positions.path(&it)) else { continue };
                let block = around.and_then(|it| it.parent());
                let owner = blocks.iter().position(|it| Some(it) == block.as_ref()).map(|it| it as u32);
                let makes_layers = call.token_tree().is_some_and(|it| mentions_ours(&it));
                let (scope, order) = (scope_of(&node), order.before(&node));
                indexed.index.calls.push(CallItem { name, scope, owner, order, makes_layers });
            }
            SyntaxKind::EXTERN_CRATE => {
                let Some(item) = ast::ExternCrate::cast(node).filter(|it| has(it, "macro_use")) else { continue };
                indexed.index.macro_crates.extend(item.name_ref().map(|it| it.text().to_string()));
            }
            _ => {}
        }
    }
}

/// Whether an item has an attribute of this name.
pub(super) fn has(item: &impl HasAttrs, name: &str) -> bool {
    item.attrs().any(|it| it.simple_name().is_some_and(|it| it == name))
}

/// Whether tokens mention an attribute of cspec, after `#` and `[`.
fn mentions_ours(tree: &ast::TokenTree) -> bool {
    const OURS: &[&str] = &[
        "state",
        "scalar",
        "layer",
        "implement",
        "stack",
        "client",
        "op",
        "init",
        "idle",
        "invariant",
        "allowed",
        "never",
        "always",
    ];
    let tokens: Vec<_> = tree.syntax().descendants_with_tokens().filter_map(|it| it.into_token()).collect();
    let written: Vec<&str> = tokens.iter().filter(|it| !it.kind().is_trivia()).map(|it| it.text()).collect();
    let mut attributes = written.split(|it| *it == "#").skip(1);
    attributes.any(|it| {
        let path = it.iter().skip_while(|it| **it == "[").take_while(|it| !matches!(**it, "]" | "("));
        it.first() == Some(&"[") && path.last().is_some_and(|it| OURS.contains(it))
    })
}

#[cfg(test)]
mod tests {
    use crate::{index::index, syntax::parse};

    #[test]
    fn macros_are_in_the_order_of_their_text() {
        let text = "macro_rules! a { () => { #[layer] impl A for B {} } }\nfn f() {}\n#[macro_export] macro_rules! b { () => {} }\na!();";
        let index = index(&parse(text)).index;
        let found: Vec<_> =
            index.macros.iter().map(|it| (&*it.name, it.order, it.is_exported, it.makes_layers)).collect();
        assert_eq!(found, [("a", 0, false, true), ("b", 2, true, false)]);
        assert_eq!(index.orders, [1]);
        let calls: Vec<_> = index.calls.iter().map(|it| (&*it.name.text, it.order, it.makes_layers)).collect();
        assert_eq!(calls, [("a", 3, false)]);
    }
}
