//! The index of a file: its names, their roles, and the arguments of attributes. It covers one file, without types and bodies.
//!
//! An index has no positions, so a new comment above an item leaves it equal. An item is identified by its number in
//! [`syntax::declarations`], a name by its number in [`Positions`].

mod attributes;
mod macros;
mod scopes;

use std::{collections::HashMap, ops::Range};

use crate::{
    diagnostics::Diagnostic,
    ir::{Claim, Question, Span},
    syntax::{
        self, AstNode, Parse, SyntaxKind, SyntaxNode, SyntaxNodePtr,
        ast::{self, HasAttrs, HasName, HasVisibility},
    },
};

use macros::Order;
pub use macros::{CallItem, MacroItem};
pub use scopes::{
    Import, Inside, ModuleDeclaration, ModuleItem, OpaqueItem, ScopeItem, ScopeKind, Visibility, path_segments,
};

/// A name in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The text of the identifier.
    pub text: String,
    /// The preceding segments of its path; an empty first segment stands for `::`.
    pub qualifier: Vec<String>,
    /// Index into [`Positions`] of the file.
    pub at: u32,
}

/// The byte ranges of the names of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions(Vec<Range<u32>>);

impl Name {
    pub fn path(&self) -> Vec<String> {
        self.qualifier.iter().chain([&self.text]).cloned().collect()
    }
}

impl Positions {
    /// The span of `name` in file `file`.
    pub fn span(&self, file: u32, name: &Name) -> Span {
        self.span_at(file, name.at)
    }

    /// The span of the name with this number in file `file`.
    pub(crate) fn span_at(&self, file: u32, at: u32) -> Span {
        let range = self.0.get(at as usize).cloned().unwrap_or_default();
        Span { file, start: range.start, end: range.end }
    }

    pub(crate) fn name(&mut self, text: &str, range: Range<u32>) -> Name {
        self.0.push(range);
        Name { text: text.to_owned(), qualifier: Vec::new(), at: self.0.len() as u32 - 1 }
    }

    /// The last segment of a path.
    pub(crate) fn path(&mut self, path: &ast::Path) -> Option<Name> {
        let last = path.segment()?.name_ref()?;
        let mut name = self.name(last.text(), syntax::range(last.syntax().text_range()));
        name.qualifier = match path.qualifier() {
            Some(qualifier) => path_segments(&qualifier)?,
            None => Vec::new(),
        };
        Some(name)
    }
}

/// The declarations of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileIndex {
    /// Structs, enums and type aliases.
    pub types: Vec<TypeItem>,
    /// Constants, free and associated.
    pub constants: Vec<ConstantItem>,
    /// Functions, free and associated.
    pub functions: Vec<FunctionItem>,
    /// The `impl` blocks of the file.
    pub impls: Vec<ImplItem>,
    /// The `#[stack]` aliases of the file.
    pub stacks: Vec<StackItem>,
    /// The scopes of the file; the file itself is the first.
    pub scopes: Vec<ScopeItem>,
    /// The names that `use` brings into them.
    pub imports: Vec<Import>,
    /// Modules whose text is in other files.
    pub modules: Vec<ModuleItem>,
    /// Names of items that no layer can use.
    pub opaque: Vec<OpaqueItem>,
    /// The `macro_rules!` declarations of the file.
    pub macros: Vec<MacroItem>,
    /// Macro calls in item position.
    pub calls: Vec<CallItem>,
    /// Crates that are named by `#[macro_use] extern crate`.
    pub macro_crates: Vec<String>,
    /// For each declaration, the number of items that begin before it in the file.
    pub orders: Vec<u32>,
}

impl FileIndex {
    /// Whether there is a layer, an implementation, a stack or a client.
    pub fn declares_something(&self) -> bool {
        self.declared() > 0
    }

    /// The number of layers, implementations, stacks and clients.
    pub fn declared(&self) -> usize {
        let impls = self.impls.iter().filter(|it| !matches!(it.role, ImplRole::Plain)).count();
        let clients = self.functions.iter().filter(|it| matches!(it.role, Role::Client { .. })).count();
        impls + self.stacks.len() + clients
    }
}

/// A declaration of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeItem {
    /// The name of the type.
    pub name: Name,
    /// The number of the declaration.
    pub declaration: u32,
    /// The kind of type.
    pub kind: TypeKind,
    /// The names that it declares.
    pub shape: TypeShape,
    /// Whether it has derives, which may have attributes of their own.
    pub is_derived: bool,
    /// Whether it has `#[derive(Default)]`.
    pub derives_default: bool,
    /// Whether it derives `PartialOrd`.
    pub derives_order: bool,
    /// The scope that it is declared in.
    pub scope: u32,
    /// Its attributes that are macros.
    pub attributes: Vec<Name>,
    pub visibility: Visibility,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// A type marked `#[scalar]`.
    Scalar,
    /// A type marked `#[state]`.
    State,
    /// Ordinary Rust, used only if a layer refers to it.
    Plain,
}

/// The names that a type declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeShape {
    /// Another name for a type.
    Alias,
    /// An enum, with the names of its variants.
    Enum(Vec<String>),
    /// A struct with a constructor.
    Constructed,
    /// Any struct without a constructor, that is, with named fields.
    Plain,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstantItem {
    /// The name of the constant.
    pub name: Name,
    /// The number of the declaration.
    pub declaration: u32,
    /// The `impl` block that contains it: an index into [`FileIndex::impls`].
    pub owner: Option<u32>,
    /// Whether it is not associated: then its scope has its name.
    pub is_free: bool,
    /// The scope that it is declared in.
    pub scope: u32,
    /// The first of the scopes inside it, if there are any.
    pub first_scope: u32,
    /// Its attributes that are macros.
    pub attributes: Vec<Name>,
    pub visibility: Visibility,
}

/// A function, free or associated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionItem {
    /// The name of the function.
    pub name: Name,
    /// The number of the declaration.
    pub declaration: u32,
    /// The `impl` block that contains it: an index into [`FileIndex::impls`].
    pub owner: Option<u32>,
    /// Whether it is not associated: then its scope has its name.
    pub is_free: bool,
    /// The role that its attributes give it.
    pub role: Role,
    /// Whether it contains a syntax error.
    pub broken: bool,
    /// Its body mentions `self` or `Self`.
    pub mentions_self: bool,
    /// The scope that it is declared in.
    pub scope: u32,
    /// The first of the scopes inside it, if there are any.
    pub first_scope: u32,
    /// Its attributes that are macros.
    pub attributes: Vec<Name>,
    pub visibility: Visibility,
}

/// The role of a function, given by its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// No attribute of cspec.
    Plain,
    /// An operation of a layer: `#[op]`.
    Op {
        /// The claim, as in `#[op(right)]`, with its position.
        claim: Option<(Claim, Name)>,
        /// Whether it is `#[op(external)]`.
        external: bool,
    },
    /// The condition on initial states: `#[init]`.
    Init,
    /// The background step: `#[background]`.
    Background,
    /// A condition on all states: `#[invariant]`.
    Invariant,
    /// A condition on a process that is between two procedures: `#[idle]`.
    Idle,
    /// A question about all states that a search reaches: `#[never]` or `#[always]`.
    Question(Question),
    /// A condition on calls of these operations: `#[allowed(…)]`.
    Allowed(Vec<Name>),
    /// The relation of an implementation: `#[abstraction]`.
    Abstraction,
    /// A client program: `#[client(Stack, …, processes(…), may_wait)]`.
    Client {
        /// The stacks that it runs over.
        stacks: Vec<Name>,
        /// The numbers of processes.
        processes: Vec<u32>,
        /// Whether processes may wait for ever.
        may_wait: bool,
    },
    /// A malformed attribute, which has been reported.
    Malformed,
}

/// An `impl` block, with or without attributes of cspec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImplItem {
    /// The number of the declaration.
    pub declaration: u32,
    /// The last segment of the self type, if it is a path.
    pub self_type: Option<Name>,
    /// The last segment of the trait.
    pub trait_name: Option<Name>,
    /// The role that its attributes give it.
    pub role: ImplRole,
    /// The scope that contains it.
    pub scope: u32,
    /// Its attributes that are macros.
    pub attributes: Vec<Name>,
}

/// The role of an `impl` block, given by its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImplRole {
    /// No attribute of cspec.
    Plain,
    /// The operations of a layer: `#[layer(…)]`.
    Layer(LayerAttribute),
    /// The code of an implementation: `#[implement(…)]`.
    Implement(ImplementAttribute),
    /// A malformed attribute, which has been reported.
    Malformed,
}

/// The arguments of `#[layer(…)]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerAttribute {
    /// The `inherit(…)` arguments, in source order.
    pub inherit: Vec<Inherit>,
    /// The layer of `ops = …`.
    pub ops: Option<Name>,
    /// The layer of `protocol = …`.
    pub protocol: Option<Name>,
    /// Whether `nilpotent` is given.
    pub nilpotent: bool,
}

/// `inherit(Layer in field: op, …)` or `inherit(Layer in field[key: K]: op, …)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherit {
    /// The layer to inherit from.
    pub layer: Name,
    /// The component that its state is.
    pub field: Option<Name>,
    /// `[key: K]`, if the component is a map whose entries are its states: the name and the type of the key.
    pub key: Option<(Name, Name)>,
    /// The inherited operations, or `init`.
    pub names: Vec<Name>,
}

/// The arguments of `#[implement(…)]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImplementAttribute {
    /// The layer to implement.
    pub upper: Name,
    /// The layer below, of `over = …`.
    pub over: Name,
    /// The pattern of `by = …`.
    pub by: By,
    /// The position of the pattern's name.
    pub by_name: Name,
    /// The `key` of `partition(key)`.
    pub key: Option<Name>,
    /// The operation of `check = …`.
    pub check: Option<Name>,
    /// The operations of `pass(…)`.
    pub pass: Vec<Name>,
}

/// The proof patterns of `by = …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The pattern `movers`, for procedures.
    Movers,
    /// The pattern `retry`, for loops that try again.
    Retry,
    /// The pattern `abstraction`, for another state.
    Abstraction,
    /// The pattern `partition(key)`, for layers of one key.
    Partition,
    /// No proof: `search`, which rests on the runs that are searched.
    Search,
}

/// A `#[stack]` alias and its links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackItem {
    /// The name of the stack.
    pub name: Name,
    /// The implementations, top to bottom; none if the alias is malformed, which is reported.
    pub links: Vec<Name>,
    /// The scope that it is declared in.
    pub scope: u32,
    pub visibility: Visibility,
}

/// The index of a file, with the positions that were separated from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// The index itself, without positions.
    pub index: FileIndex,
    /// The positions of its names.
    pub positions: Positions,
    /// The nodes of [`syntax::declarations`] in the tree.
    pub declarations: Vec<SyntaxNodePtr>,
    /// The start offsets of the trees of single items: see [`syntax::start_of_item`].
    pub starts: Vec<u32>,
    /// Malformed attributes, as diagnostics of file 0.
    pub diagnostics: Vec<Diagnostic>,
}

/// Indexes a parsed file.
pub fn index(parse: &Parse) -> Indexed {
    let root = parse.root();
    let declarations = syntax::declarations(&root);
    let broken = broken_functions(parse, &declarations);
    let scopes = syntax::scopes(&root);
    let scope_starts = scopes.iter().map(|it| syntax::range(it.text_range()).start).collect();
    let (indexed, impls, scopes_of_nodes) = Default::default();
    let mut indexer = Indexer { indexed, impls, broken, scopes: scopes_of_nodes, scope_starts };
    indexer.indexed.declarations = declarations.iter().map(SyntaxNodePtr::new).collect();
    indexer.indexed.starts = declarations.iter().map(syntax::start_of_item).collect();
    let swallowing: Vec<&SyntaxNode> =
        declarations.iter().zip(&indexer.broken).filter(|(_, is_broken)| **is_broken).map(|(node, _)| node).collect();
    for (number, node) in scopes.iter().enumerate() {
        // A scope inside an unclosed brace belongs to the enclosing one.
        if node.parent().is_none_or(|it| !swallowing.contains(&&it)) {
            indexer.scopes.insert(node.clone(), number as u32);
        }
    }
    let numbers = &indexer.scopes;
    let scope_of = |node: &SyntaxNode| scope_of(numbers, node);
    scopes::collect(&mut indexer.indexed, &scopes, &scope_of);
    let order = Order::of(&root);
    macros::collect(&mut indexer.indexed, &root, &order, &scope_of);
    indexer.indexed.index.orders = declarations.iter().map(|it| order.before(it)).collect();
    for (item, declaration) in scopes::declared_modules(&root) {
        let scope = scope_of(item.syntax());
        let module = scopes::module_item(&item, declaration, scope, order.before(item.syntax()), &mut indexer.indexed);
        indexer.indexed.index.modules.push(module);
    }
    for (number, node) in declarations.iter().enumerate() {
        indexer.declaration(number as u32, node);
    }
    indexer.indexed
}

/// The scope that contains a node, which may itself be a scope.
fn scope_of(scopes: &HashMap<SyntaxNode, u32>, node: &SyntaxNode) -> u32 {
    node.ancestors().skip(1).find_map(|it| scopes.get(&it).copied()).unwrap_or(0)
}

/// Whether an item is known by its name; items of traits belong to types that are not known here.
fn is_free(item: &SyntaxNode, owner: Option<u32>) -> bool {
    owner.is_none() && item.parent().is_none_or(|it| it.kind() != SyntaxKind::ASSOC_ITEM_LIST)
}

fn mentions_self(function: &ast::Fn) -> bool {
    function.body().is_some_and(|it| {
        let tokens = it.syntax().descendants_with_tokens().filter_map(|it| it.into_token());
        tokens.into_iter().any(|it| matches!(it.text(), "self" | "Self"))
    })
}

fn shape(item: &SyntaxNode) -> TypeShape {
    if ast::TypeAlias::can_cast(item.kind()) {
        return TypeShape::Alias;
    }
    if let Some(it) = ast::Enum::cast(item.clone()) {
        let variants = it.variant_list().into_iter().flat_map(|it| it.variants());
        let name = |it: ast::Variant| it.name().map_or_else(String::new, |it| it.text().to_string());
        return TypeShape::Enum(variants.map(name).collect());
    }
    match ast::Struct::cast(item.clone()).map(|it| it.field_list()) {
        Some(None | Some(ast::FieldList::TupleFieldList(_))) => TypeShape::Constructed,
        _ => TypeShape::Plain,
    }
}

/// For each declaration, whether it is the innermost function that contains a syntax error.
fn broken_functions(parse: &Parse, declarations: &[SyntaxNode]) -> Vec<bool> {
    let mut broken = vec![false; declarations.len()];
    for &offset in parse.broken_at() {
        let around = declarations.iter().enumerate().rev().find(|(_, node)| {
            let range = syntax::range(node.text_range());
            node.kind() == SyntaxKind::FN && range.start <= offset && offset <= range.end
        });
        if let Some((number, _)) = around {
            broken[number] = true;
        }
    }
    broken
}

struct Indexer {
    indexed: Indexed,
    /// The `impl` nodes seen, in the order of [`FileIndex::impls`].
    impls: Vec<SyntaxNode>,
    broken: Vec<bool>,
    scopes: HashMap<SyntaxNode, u32>,
    /// The start of each of [`syntax::scopes`].
    scope_starts: Vec<u32>,
}

impl Indexer {
    fn declaration(&mut self, declaration: u32, node: &SyntaxNode) {
        match node.kind() {
            SyntaxKind::FN => ast::Fn::cast(node.clone()).map(|it| self.function(declaration, &it)),
            SyntaxKind::STRUCT => ast::Struct::cast(node.clone()).map(|it| self.type_item(declaration, &it)),
            SyntaxKind::ENUM => ast::Enum::cast(node.clone()).map(|it| self.type_item(declaration, &it)),
            SyntaxKind::CONST => ast::Const::cast(node.clone()).map(|it| self.constant(declaration, &it)),
            SyntaxKind::IMPL => ast::Impl::cast(node.clone()).map(|it| self.impl_block(declaration, &it)),
            SyntaxKind::TYPE_ALIAS => ast::TypeAlias::cast(node.clone()).map(|it| self.alias(declaration, &it)),
            _ => None,
        };
    }

    fn name(&mut self, name: &ast::Name) -> Name {
        self.indexed.positions.name(name.text(), syntax::range(name.syntax().text_range()))
    }

    fn scope(&self, item: &impl AstNode) -> u32 {
        scope_of(&self.scopes, item.syntax())
    }

    /// The number of the first scope in an item. Scopes inside it begin after it; those before it and around it do not.
    fn first_scope(&self, item: &SyntaxNode) -> u32 {
        let start = syntax::range(item.text_range()).start;
        self.scope_starts.partition_point(|it| *it <= start) as u32
    }

    fn type_item(&mut self, declaration: u32, item: &(impl HasName + HasAttrs + HasVisibility)) {
        let Some(name) = item.name() else { return };
        let name = self.name(&name);
        let kind = match attributes::find(item, &["scalar", "state"]) {
            Some((word, _)) if word == "scalar" => TypeKind::Scalar,
            Some(_) => TypeKind::State,
            None => TypeKind::Plain,
        };
        let (scope, visibility) = (self.scope(item), scopes::visibility(item));
        let shape = shape(item.syntax());
        let attributes = attributes::macros(item, &mut self.indexed);
        self.indexed.index.types.push(TypeItem {
            name,
            declaration,
            kind,
            shape,
            is_derived: macros::has(item, "derive"),
            derives_default: attributes::derives(item, "Default"),
            derives_order: attributes::derives(item, "PartialOrd"),
            scope,
            attributes,
            visibility,
        });
    }

    fn constant(&mut self, declaration: u32, item: &ast::Const) {
        let Some(name) = item.name() else { return };
        let name = self.name(&name);
        let owner = self.owner(item.syntax());
        let (scope, visibility) = (self.scope(item), scopes::visibility(item));
        let (is_free, first_scope) = (is_free(item.syntax(), owner), self.first_scope(item.syntax()));
        let attributes = attributes::macros(item, &mut self.indexed);
        let item = ConstantItem { name, declaration, owner, is_free, scope, first_scope, attributes, visibility };
        self.indexed.index.constants.push(item);
    }

    fn function(&mut self, declaration: u32, item: &ast::Fn) {
        let Some(name) = item.name() else { return };
        let name = self.name(&name);
        let role = attributes::role(item, &mut self.indexed);
        let owner = self.owner(item.syntax()).or_else(|| self.lost_owner(item));
        let broken = self.broken[declaration as usize];
        let (scope, visibility) = (self.scope(item), scopes::visibility(item));
        let (is_free, first_scope) = (is_free(item.syntax(), owner), self.first_scope(item.syntax()));
        let mentions_self = mentions_self(item);
        let attributes = attributes::macros(item, &mut self.indexed);
        let item = FunctionItem {
            name,
            declaration,
            owner,
            is_free,
            role,
            broken,
            mentions_self,
            scope,
            first_scope,
            attributes,
            visibility,
        };
        self.indexed.index.functions.push(item);
    }

    /// The `impl` block that contains an item, even if its brace, or the brace of a function in it, is not closed.
    fn owner(&self, node: &SyntaxNode) -> Option<u32> {
        for around in node.ancestors().skip(1) {
            if let Some(owner) = self.impls.iter().position(|it| *it == around) {
                return Some(owner as u32);
            }
            let is_function = around.kind() == SyntaxKind::FN;
            if is_function && !self.is_broken(&around) {
                return None;
            }
        }
        None
    }

    fn is_broken(&self, function: &SyntaxNode) -> bool {
        let functions = &self.indexed.index.functions;
        let name = ast::Fn::cast(function.clone()).and_then(|it| it.name());
        functions.iter().rev().any(|it| it.broken && name.as_ref().is_some_and(|name| name.text() == it.name.text))
    }

    /// A method outside any `impl` was cut off by a surplus brace: it belongs to the last block.
    fn lost_owner(&self, item: &ast::Fn) -> Option<u32> {
        item.param_list()?.self_param()?;
        (self.impls.len() as u32).checked_sub(1)
    }

    fn impl_block(&mut self, declaration: u32, item: &ast::Impl) {
        let self_type = item.self_ty().and_then(|ty| self.last_segment(&ty));
        let trait_name = item.trait_().and_then(|ty| self.last_segment(&ty));
        let role = attributes::impl_role(item, &mut self.indexed);
        self.impls.push(item.syntax().clone());
        let scope = self.scope(item);
        let attributes = attributes::macros(item, &mut self.indexed);
        self.indexed.index.impls.push(ImplItem { declaration, self_type, trait_name, role, scope, attributes });
    }

    fn last_segment(&mut self, ty: &ast::Type) -> Option<Name> {
        let ast::Type::PathType(path) = ty else { return None };
        self.indexed.positions.path(&path.path()?)
    }

    fn alias(&mut self, declaration: u32, item: &ast::TypeAlias) {
        if attributes::find(item, &["stack"]).is_none() {
            // An associated type is not a name of the package.
            let free = item.syntax().parent().is_none_or(|it| ast::AssocItemList::cast(it).is_none());
            if free {
                self.type_item(declaration, item);
            }
            return;
        }
        let Some(name) = item.name() else { return };
        let name = self.name(&name);
        let links = attributes::stack_links(item, &mut self.indexed).unwrap_or_default();
        let (scope, visibility) = (self.scope(item), scopes::visibility(item));
        self.indexed.index.stacks.push(StackItem { name, links, scope, visibility });
    }
}

/// The modules of a file whose text is in other files.
pub fn modules(parse: &Parse) -> Vec<ModuleDeclaration> {
    scopes::declared_modules(&parse.root()).into_iter().map(|(_, declaration)| declaration).collect()
}
