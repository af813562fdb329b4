//! Scopes: the modules of a file and its blocks with items of their own, and the names that `use` brings into them.
//!
//! What a path means is not decided here: that takes all files of the package.

use super::{Indexed, attributes, is_test};
use crate::syntax::{
    AstNode, SyntaxKind, SyntaxNode,
    ast::{self, HasName, HasVisibility},
};

/// A scope, known by its number in [`crate::syntax::scopes`]. The file itself is scope 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeItem {
    /// The scope around it; of the file, itself.
    pub parent: u32,
    /// What it is.
    pub kind: ScopeKind,
}

/// Kinds of scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// All of a file.
    File,
    /// `mod name { … }`.
    Module(String, Visibility),
    /// A block with items, or with `use`.
    Block,
}

/// Who may use a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// The module that declares it, and those inside.
    #[default]
    Private,
    /// `pub(super)`.
    Super,
    /// The whole package.
    Package,
}

/// `mod name;`: its text is in another file. In the order of [`super::modules`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleItem {
    /// The name.
    pub name: String,
    /// The scope that it is declared in.
    pub scope: u32,
    /// Who may use it.
    pub visibility: Visibility,
}

/// One name, or all names of a module, that `use` brings into a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The scope.
    pub scope: u32,
    /// From where; an empty segment in front stands for `::`.
    pub path: Vec<String>,
    /// What it is called here; `None` for `*`.
    pub name: Option<String>,
    /// Who may use the name.
    pub visibility: Visibility,
}

/// A name for something that no layer can use, such as a trait: it hides others of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaqueItem {
    /// The name.
    pub name: String,
    /// The scope that it is declared in.
    pub scope: u32,
    /// Whether it is the name of a value, and not that of a type.
    pub is_value: bool,
    /// Who may use it.
    pub visibility: Visibility,
}

/// Fills in the scopes of a file, what they import, and the modules and opaque names that they declare.
pub(super) fn collect(indexed: &mut Indexed, scopes: &[SyntaxNode], scope_of: &impl Fn(&SyntaxNode) -> u32) {
    for node in scopes {
        let kind = match ast::Module::cast(node.clone()) {
            Some(module) => ScopeKind::Module(name(&module), visibility(&module)),
            None if node.kind() == SyntaxKind::BLOCK_EXPR => ScopeKind::Block,
            None => ScopeKind::File,
        };
        indexed.index.scopes.push(ScopeItem { parent: scope_of(node), kind });
        let items = match node.kind() {
            SyntaxKind::BLOCK_EXPR | SyntaxKind::MODULE => {
                node.children().find(|it| matches!(it.kind(), SyntaxKind::STMT_LIST | SyntaxKind::ITEM_LIST))
            }
            _ => Some(node.clone()),
        };
        for item in items.into_iter().flat_map(|it| it.children()).filter_map(ast::Item::cast) {
            if !is_test(item.syntax()) {
                collect_item(indexed, scope_of(item.syntax()), &item);
            }
        }
    }
}

fn collect_item(indexed: &mut Indexed, scope: u32, item: &ast::Item) {
    let mut opaque = |name: String, is_value, visibility| {
        indexed.index.opaque.push(OpaqueItem { name, scope, is_value, visibility });
    };
    match item {
        ast::Item::Trait(it) => opaque(name(it), false, visibility(it)),
        ast::Item::Union(it) => opaque(name(it), false, visibility(it)),
        ast::Item::Static(it) => opaque(name(it), true, visibility(it)),
        ast::Item::ExternCrate(it) => {
            let Some(of) = it.name_ref() else { return };
            let renamed = it.rename().and_then(|it| it.name()).map(|it| it.text().to_string());
            let path = vec![String::new(), of.text().to_string()];
            let name = Some(renamed.unwrap_or_else(|| of.text().to_string()));
            indexed.index.imports.push(Import { scope, path, name, visibility: visibility(it) });
        }
        ast::Item::Use(it) => {
            if let Some(tree) = it.use_tree() {
                import(indexed, scope, visibility(it), &[], &tree);
            }
        }
        _ => {}
    }
}

/// Takes a tree of `use` apart.
fn import(indexed: &mut Indexed, scope: u32, visibility: Visibility, prefix: &[String], tree: &ast::UseTree) {
    let mut path = prefix.to_vec();
    path.extend(tree.path().as_ref().and_then(path_segments).unwrap_or_default());
    // `a::{self}` is `a`.
    if path.len() > 1 && path.last().is_some_and(|it| it == "self") {
        path.pop();
    }
    if let Some(list) = tree.use_tree_list() {
        for tree in list.use_trees() {
            import(indexed, scope, visibility, &path, &tree);
        }
        return;
    }
    let name = if tree.star_token().is_some() {
        None
    } else if let Some(rename) = tree.rename() {
        // `as _` gives no name.
        let Some(name) = rename.name() else { return };
        Some(name.text().to_string())
    } else {
        match path.last() {
            Some(last) => Some(last.clone()),
            None => return,
        }
    };
    indexed.index.imports.push(Import { scope, path, name, visibility });
}

/// The names in a path; an empty one in front stands for `::`. `None` if it is not made of names: `<T as Trait>::f`.
pub fn path_segments(path: &ast::Path) -> Option<Vec<String>> {
    let mut segments = Vec::new();
    for segment in path.segments() {
        if segments.is_empty() && segment.coloncolon_token().is_some() {
            segments.push(String::new());
        }
        let text = segment.syntax().text().to_string();
        match segment.name_ref() {
            Some(name) => segments.push(name.text().to_string()),
            None if matches!(text.as_str(), "self" | "super" | "crate" | "Self") => segments.push(text),
            None => return None,
        }
    }
    Some(segments)
}

fn name(item: &impl HasName) -> String {
    item.name().map_or_else(String::new, |it| it.text().to_string())
}

/// Who may use an item.
pub(super) fn visibility(item: &impl HasVisibility) -> Visibility {
    let Some(written) = item.visibility() else { return Visibility::Private };
    let text: String = written.syntax().text().to_string().split_whitespace().collect();
    match text.as_str() {
        "pub(self)" | "pub(inself)" => Visibility::Private,
        "pub(super)" | "pub(insuper)" => Visibility::Super,
        _ => Visibility::Package,
    }
}

/// A `mod name;` of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleDeclaration {
    /// The name.
    pub name: String,
    /// `#[path = "…"]`.
    pub path: Option<String>,
    /// Under a `#[cfg(…)]`: it may well not exist.
    pub conditional: bool,
    /// The inline modules around it, outermost first.
    pub inside: Vec<String>,
    /// Where the name stands.
    pub range: std::ops::Range<u32>,
}

/// The modules of a file whose text is in other files, without those for tests.
pub(super) fn declared_modules(root: &SyntaxNode) -> Vec<(ast::Module, ModuleDeclaration)> {
    let Some(file) = ast::SourceFile::cast(root.clone()) else { return Vec::new() };
    let mut found = Vec::new();
    collect_modules(ast::HasModuleItem::items(&file), &mut Vec::new(), &mut found);
    found
}

fn collect_modules(
    items: impl Iterator<Item = ast::Item>,
    inside: &mut Vec<String>,
    found: &mut Vec<(ast::Module, ModuleDeclaration)>,
) {
    for item in items {
        let ast::Item::Module(module) = item else { continue };
        let Some(name) = module.name() else { continue };
        if is_test(module.syntax()) {
            continue;
        }
        let text = name.text().to_string();
        if let Some(list) = module.item_list() {
            inside.push(text);
            collect_modules(ast::HasModuleItem::items(&list), inside, found);
            inside.pop();
        } else {
            let path = attributes::path_attribute(&module);
            let conditional = attributes::is_conditional(&module);
            let range = crate::syntax::range(name.syntax().text_range());
            found.push((module, ModuleDeclaration { name: text, path, conditional, inside: inside.clone(), range }));
        }
    }
}
