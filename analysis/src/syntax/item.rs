//! The syntax tree of a single item.

use ra_ap_syntax::{GreenNode, NodeOrToken, SyntaxKind, SyntaxNode};

use super::range;

/// The tree of one item. It begins after the documentation and the attributes of the item and does not depend on the surrounding text, so
/// it is equal wherever the item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemTree(GreenNode);

impl ItemTree {
    /// The tree of a whole item.
    pub fn whole(item: &SyntaxNode) -> ItemTree {
        ItemTree(item.green().splice_children(0..in_front(item), []))
    }

    /// An item without the contents of its braces, if that is the body of a function, or of an `impl` block.
    pub fn head(item: &SyntaxNode) -> ItemTree {
        let ItemTree(whole) = ItemTree::whole(item);
        let is_inside = |it: SyntaxKind| matches!(it, SyntaxKind::BLOCK_EXPR | SyntaxKind::ASSOC_ITEM_LIST);
        if !matches!(item.kind(), SyntaxKind::FN | SyntaxKind::IMPL) {
            return ItemTree(whole);
        }
        let inside = item.children_with_tokens().skip(in_front(item)).position(|it| is_inside(it.kind()));
        ItemTree(inside.map_or(whole.clone(), |it| whole.remove_child(it)))
    }

    /// The item. Offsets are relative to its start: see [`start_of_item`].
    pub fn root(&self) -> SyntaxNode {
        SyntaxNode::new_root(self.0.clone())
    }
}

/// The offset in the file where the tree of an item begins.
pub fn start_of_item(item: &SyntaxNode) -> u32 {
    let first = item.children_with_tokens().nth(in_front(item));
    first.map_or(range(item.text_range()).start, |it| range(it.text_range()).start)
}

/// The number of leading parts of an item that are documentation, attributes, or trivia.
fn in_front(item: &SyntaxNode) -> usize {
    let is_in_front = |it: &NodeOrToken<SyntaxNode, _>| it.kind() == SyntaxKind::ATTR || it.kind().is_trivia();
    item.children_with_tokens().take_while(is_in_front).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{declarations, parse};

    fn trees(text: &str, of: fn(&SyntaxNode) -> ItemTree) -> Vec<ItemTree> {
        declarations(&parse(text).root()).iter().map(of).collect()
    }

    const PLAIN: &str = "impl A for B { fn f(x: u64) -> u64 { x } }\nstruct C;";

    #[test]
    fn a_tree_does_not_depend_on_what_is_around() {
        let moved = "// Why.\nstruct C;\n\n#[layer]\nimpl A for B { fn f(x: u64) -> u64 { x } }";
        let (mut before, mut after) = (trees(PLAIN, ItemTree::whole), trees(moved, ItemTree::whole));
        before.rotate_right(1);
        assert_eq!(before, after);
        let documented = PLAIN.replace("fn f", "/// What.\n #[op(left)] pub fn f").replace("pub ", "");
        after = trees(&documented, ItemTree::whole);
        before.rotate_left(1);
        assert_eq!(before[1..], after[1..]);
    }

    #[test]
    fn a_head_does_not_depend_on_what_is_inside() {
        let edited = PLAIN.replace("{ x }", "{ let y = x; y }");
        assert_eq!(trees(PLAIN, ItemTree::head), trees(&edited, ItemTree::head));
        assert_ne!(trees(PLAIN, ItemTree::whole), trees(&edited, ItemTree::whole));
        assert_ne!(trees(PLAIN, ItemTree::head), trees(&PLAIN.replace("-> u64", "-> u32"), ItemTree::head));
        let heads: Vec<String> = trees(PLAIN, ItemTree::head).iter().map(|it| it.root().text().to_string()).collect();
        assert_eq!(heads, ["impl A for B ", "fn f(x: u64) -> u64 ", "struct C;"]);
    }

    #[test]
    fn offsets_count_from_where_a_tree_begins() {
        let text = "/// What.\n#[state] // Why.\npub struct C;";
        let parse = parse(text);
        let item = &declarations(&parse.root())[0];
        assert_eq!(&text[start_of_item(item) as usize..], "pub struct C;");
        assert_eq!(ItemTree::whole(item).root().text().to_string(), "pub struct C;");
    }
}
