//! Scopes: the modules of a file, its blocks with items, and the names that `use` brings into them.
//!
//! Paths are not resolved here: that takes all files of the package.

use super::{Indexed, Name, attributes, macros};
use crate::syntax::{
    AstNode, SyntaxKind, SyntaxNode,
    ast::{self, HasName, HasVisibility},
};

/// A scope, known by its number in [`crate::syntax::scopes`]. The file itself is scope 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeItem {
    /// The enclosing scope; the file encloses itself.
    pub parent: u32,
    /// The kind of scope.
    pub kind: ScopeKind,
    /// Whether it has `#[macro_use]`: then the enclosing scope has its macros, too.
    pub is_macro_use: bool,
    /// Its attributes that are macros.
    pub attributes: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    File,
    /// An inline module, `mod name { … }`.
    Module(String, Visibility),
    /// A block with items, or with `use`.
    Block,
}

/// The visibility of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Visible in the module that declares it, and inside.
    #[default]
    Private,
    /// Visible as with `pub(super)`.
    Super,
    /// Visible in the whole crate.
    Crate,
    /// Visible in other crates, too.
    Public,
}

/// `mod name;` or `include!("…");`: its text is in another file. In the order of [`super::modules`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleItem {
    /// The name; empty for `include!`, whose text belongs to the scope that contains it.
    pub name: String,
    /// The scope that it is declared in.
    pub scope: u32,
    pub visibility: Visibility,
    /// Whether it has `#[macro_use]`: then the enclosing scope has its macros, too.
    pub is_macro_use: bool,
    /// Its attributes that are macros.
    pub attributes: Vec<Name>,
    /// The number of items that begin before it in the file.
    pub order: u32,
}

/// One name, or all names of a module, that `use` brings into a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The scope that gets the names.
    pub scope: u32,
    /// The path; an empty first segment stands for `::`.
    pub path: Vec<String>,
    /// The local name; `None` for `*`.
    pub name: Option<String>,
    /// The visibility of the name.
    pub visibility: Visibility,
}

/// The name of an item that no layer can use, such as a trait: it shadows others of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaqueItem {
    /// The name of the item.
    pub name: String,
    /// The scope that it is declared in.
    pub scope: u32,
    /// Whether it is the name of a value, and not of a type.
    pub is_value: bool,
    pub visibility: Visibility,
}

/// Collects the scopes of a file, their imports, and the modules and opaque names that they declare.
pub(super) fn collect(indexed: &mut Indexed, scopes: &[SyntaxNode], scope_of: &impl Fn(&SyntaxNode) -> u32) {
    for node in scopes {
        let module = ast::Module::cast(node.clone());
        let is_macro_use = module.as_ref().is_some_and(|it| macros::has(it, "macro_use"));
        let attributes = module.as_ref().map_or_else(Vec::new, |it| attributes::macros(it, indexed));
        let kind = match module {
            Some(module) => ScopeKind::Module(name(&module), visibility(&module)),
            None if node.kind() == SyntaxKind::BLOCK_EXPR => ScopeKind::Block,
            None => ScopeKind::File,
        };
        indexed.index.scopes.push(ScopeItem { parent: scope_of(node), kind, is_macro_use, attributes });
        let items = match node.kind() {
            SyntaxKind::BLOCK_EXPR | SyntaxKind::MODULE => {
                node.children().find(|it| matches!(it.kind(), SyntaxKind::STMT_LIST | SyntaxKind::ITEM_LIST))
            }
            _ => Some(node.clone()),
        };
        for item in items.into_iter().flat_map(|it| it.children()).filter_map(ast::Item::cast) {
            collect_item(indexed, scope_of(item.syntax()), &item);
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

/// Collects the names of a `use` tree.
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
        // `as _` declares no name.
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

/// The names in a path; an empty first one stands for `::`. `None` if it contains anything else: `<T as Trait>::f`.
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

/// The visibility of an item.
pub(super) fn visibility(item: &impl HasVisibility) -> Visibility {
    let Some(written) = item.visibility() else { return Visibility::Private };
    let text: String = written.syntax().text().to_string().split_whitespace().collect();
    match text.as_str() {
        "pub(self)" | "pub(inself)" => Visibility::Private,
        "pub(super)" | "pub(insuper)" => Visibility::Super,
        "pub" => Visibility::Public,
        _ => Visibility::Crate,
    }
}

/// A `mod name;` of a file, or an `include!("…");` in item position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleDeclaration {
    /// The name; empty for `include!`.
    pub name: String,
    /// The path of `#[path = "…"]`, or the included file.
    pub path: Option<String>,
    /// The inline modules that contain it, outermost first.
    pub inside: Vec<Inside>,
    /// The range of the name.
    pub range: std::ops::Range<u32>,
}

/// An inline module that contains a `mod name;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The name of the module.
    pub name: String,
    /// `#[path = "…"]`: the folder of its modules.
    pub path: Option<String>,
}

/// The modules of a file whose text is in other files, and the files that it includes.
pub(super) fn declared_modules(root: &SyntaxNode) -> Vec<(ast::Item, ModuleDeclaration)> {
    let Some(file) = ast::SourceFile::cast(root.clone()) else { return Vec::new() };
    let mut found = Vec::new();
    collect_modules(ast::HasModuleItem::items(&file), &mut Vec::new(), &mut found);
    found
}

fn collect_modules(
    items: impl Iterator<Item = ast::Item>,
    inside: &mut Vec<Inside>,
    found: &mut Vec<(ast::Item, ModuleDeclaration)>,
) {
    for item in items {
        let range = |of: &SyntaxNode| crate::syntax::range(of.text_range());
        match &item {
            ast::Item::Module(module) => {
                let Some(name) = module.name() else { continue };
                let (text, path) = (name.text().to_string(), attributes::path_attribute(module));
                if let Some(list) = module.item_list() {
                    inside.push(Inside { name: text, path });
                    collect_modules(ast::HasModuleItem::items(&list), inside, found);
                    inside.pop();
                } else {
                    let range = range(name.syntax());
                    found.push((item, ModuleDeclaration { name: text, path, inside: inside.clone(), range }));
                }
            }
            ast::Item::MacroCall(call) => {
                let Some(path) = included(call) else { continue };
                let range = range(call.syntax());
                let declaration =
                    ModuleDeclaration { name: String::new(), path: Some(path), inside: Vec::new(), range };
                found.push((item, declaration));
            }
            _ => {}
        }
    }
}

/// The file that `include!("…")` names, if it is a string literal.
pub(super) fn included(call: &ast::MacroCall) -> Option<String> {
    let path = path_segments(&call.path()?)?;
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    if !matches!(names.as_slice(), ["include"] | ["std" | "core", "include"]) {
        return None;
    }
    let text = call.token_tree()?.syntax().text().to_string();
    let inner = text.get(1..text.len() - 1)?.trim().trim_end_matches(',').trim();
    let name = inner.strip_prefix('"')?.strip_suffix('"')?;
    (!name.contains(['"', '\\'])).then(|| name.to_owned())
}

/// The module or included text that an item declares.
pub(super) fn module_item(
    item: &ast::Item,
    declaration: ModuleDeclaration,
    scope: u32,
    order: u32,
    indexed: &mut Indexed,
) -> ModuleItem {
    let ModuleDeclaration { name, .. } = declaration;
    match item {
        ast::Item::Module(module) => ModuleItem {
            name,
            scope,
            visibility: visibility(module),
            is_macro_use: macros::has(module, "macro_use"),
            attributes: attributes::macros(module, indexed),
            order,
        },
        // Its macros are those of the surrounding text.
        _ => {
            let (visibility, attributes) = Default::default();
            ModuleItem { name, scope, visibility, is_macro_use: true, attributes, order }
        }
    }
}
