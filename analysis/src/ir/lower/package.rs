//! What a package declares, by name, and what has been lowered of it so far.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use super::{
    File, Lowered,
    implementations::Parts,
    layers::LayerInfo,
    names::{Entry, Meaning, Names, Namespace, ScopeId},
    report::{DiagnosticExt, did_you_mean, error},
    signature::Signature,
    ty::Con,
    types::{TypeInfo, language_con},
};
use crate::{
    diagnostics::{Diagnostic, codes},
    index::{FileIndex, FunctionItem, ImplItem, ImplRole, Name, Positions, path_segments},
    ir::{Function, FunctionId, LayerId, Program, SourceMap, Span, TypeId},
    syntax::{self, AstNode, SyntaxNode, SyntaxNodePtr, ast},
};

/// A declaration: a file, and an index into one of the lists of its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ItemRef {
    pub(super) file: u32,
    pub(super) index: u32,
}

/// What a function of the program is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// A function as written.
    Written(ItemRef),
    /// One of the lifts of a layer, by their numbers: see [`super::lift`].
    Lifted { layer: usize, number: usize },
}

/// A file with its declarations at hand.
pub(super) struct Source<'a> {
    pub(super) index: &'a FileIndex,
    pub(super) positions: &'a Positions,
    root: SyntaxNode,
    declarations: &'a [SyntaxNodePtr],
    scopes: &'a [SyntaxNodePtr],
}

impl Source<'_> {
    pub(super) fn declaration(&self, number: u32) -> Option<SyntaxNode> {
        self.declarations.get(number as usize)?.try_to_node(&self.root)
    }
}

/// Where a tree stands: the file, and for the trees of macro inputs and constants, how to get to the file's offsets.
#[derive(Clone, Copy)]
pub(super) struct Site {
    pub(super) file: u32,
    /// Where names are looked up.
    pub(super) scope: ScopeId,
    pub(super) shift: i64,
    /// Everything stands here: a constant is part of the function that mentions it.
    pub(super) pinned: Option<Span>,
}

impl Site {
    pub(super) fn span(&self, node: &SyntaxNode) -> Span {
        let range = syntax::text_range(node);
        let place = |offset: u32| (i64::from(offset) + self.shift).max(0) as u32;
        self.pinned.unwrap_or(Span { file: self.file, start: place(range.start), end: place(range.end) })
    }
}

/// What functions and constants are associated with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// A type of the package, or an implementation.
    Entry(Entry),
    /// A type of the language, by its name.
    Language(String),
}

/// Members by what they are associated with and their own name. Different `impl` blocks may have members of one name.
type Members = HashMap<(Owner, String), Vec<ItemRef>>;

/// The state of lowering a package.
pub(super) struct Package<'a> {
    pub(super) files: Vec<Source<'a>>,
    pub(super) names: Names<'a>,
    /// What each `impl` block is for.
    owners: HashMap<ItemRef, Owner>,
    /// Constants of `impl` blocks.
    pub(super) constants: Members,
    /// Functions of `impl` blocks.
    pub(super) functions_of: Members,
    /// Second declarations of what can only be declared once: reported.
    rejected: HashSet<Entry>,
    pub(super) types: Vec<TypeInfo>,
    pub(super) type_ids: HashMap<ItemRef, TypeId>,
    /// Types that are named but not yet looked into.
    pub(super) pending_types: Vec<(ItemRef, TypeId)>,
    pub(super) alias_depth: u32,
    pub(super) signatures: HashMap<ItemRef, Option<Rc<Signature>>>,
    pub(super) function_ids: HashMap<Origin, FunctionId>,
    /// By [`FunctionId`]; those at the end may not be lowered yet.
    pub(super) requested: Vec<Origin>,
    pub(super) functions: Vec<Arc<Function>>,
    pub(super) nodes: Vec<Vec<Span>>,
    pub(super) layers: Vec<LayerInfo>,
    /// By their `impl` blocks.
    pub(super) layer_of: HashMap<ItemRef, usize>,
    pub(super) parts: Parts,
    diagnostics: Vec<Diagnostic>,
    reported: HashSet<(Span, String)>,
}

impl<'a> Package<'a> {
    pub(super) fn new(files: &[File<'a>]) -> Self {
        let source = |file: &File<'a>| Source {
            index: &file.indexed.index,
            positions: &file.indexed.positions,
            root: file.parse.root(),
            declarations: &file.indexed.declarations,
            scopes: &file.indexed.scopes,
        };
        let parents: Vec<Option<(u32, u32)>> = files.iter().map(|it| it.parent).collect();
        let files: Vec<Source<'a>> = files.iter().map(source).collect();
        let mut package = Package {
            names: Names::new(&files, &parents),
            files,
            owners: HashMap::new(),
            constants: HashMap::new(),
            functions_of: HashMap::new(),
            rejected: HashSet::new(),
            types: Vec::new(),
            type_ids: HashMap::new(),
            pending_types: Vec::new(),
            alias_depth: 0,
            signatures: HashMap::new(),
            function_ids: HashMap::new(),
            requested: Vec::new(),
            functions: Vec::new(),
            nodes: Vec::new(),
            layers: Vec::new(),
            layer_of: HashMap::new(),
            parts: Parts::default(),
            diagnostics: Vec::new(),
            reported: HashSet::new(),
        };
        package.report_twice();
        for file in 0..package.files.len() {
            package.collect(file as u32);
        }
        package
    }

    fn report_twice(&mut self) {
        for twice in std::mem::take(&mut self.names.twice) {
            self.rejected.insert(twice.second);
            if let Some(first) = self.entry_span(twice.first) {
                self.declared_twice(twice.what, twice.file, twice.name, first);
            }
        }
    }

    /// Finds what the `impl` blocks of a file are for, and their members.
    fn collect(&mut self, file: u32) {
        let index = self.files[file as usize].index;
        let item = |index: usize| ItemRef { file, index: index as u32 };
        for (number, block) in index.impls.iter().enumerate() {
            let owner = match (&block.role, &block.self_type) {
                (ImplRole::Implement(_), _) => Some(Owner::Entry(Entry::Implementation(item(number)))),
                (_, Some(name)) => self.owner_of(self.names.scope(file, block.scope), &name.path(), 0),
                _ => None,
            };
            self.owners.extend(owner.map(|it| (item(number), it)));
        }
        let owner = |owner: Option<u32>| self.owners.get(&item(owner? as usize)).cloned();
        for (number, it) in index.constants.iter().enumerate() {
            if let Some(owner) = owner(it.owner) {
                self.constants.entry((owner, it.name.text.clone())).or_default().push(item(number));
            }
        }
        for (number, it) in index.functions.iter().enumerate() {
            if let Some(owner) = owner(it.owner) {
                self.functions_of.entry((owner, it.name.text.clone())).or_default().push(item(number));
            }
        }
    }

    /// The type or implementation that a path names, with aliases followed.
    pub(super) fn owner_of(&self, scope: ScopeId, path: &[String], depth: u32) -> Option<Owner> {
        match self.names.meaning(scope, path, Namespace::Types) {
            Meaning::Item(entry @ Entry::Type(item)) => match self.alias_of(item) {
                None => Some(Owner::Entry(entry)),
                Some((scope, path)) if depth < 32 => self.owner_of(scope, &path?, depth + 1),
                Some(_) => None,
            },
            Meaning::Item(entry @ Entry::Implementation(_)) => Some(Owner::Entry(entry)),
            Meaning::Nothing | Meaning::Elsewhere(_) => {
                let (_, name) = self.language_path(scope, path, Namespace::Types)?;
                (language_con(&name).is_some() || name == "Default").then_some(Owner::Language(name))
            }
            _ => None,
        }
    }

    /// For an alias, what it stands for, if that is written as a path without arguments.
    fn alias_of(&self, item: ItemRef) -> Option<(ScopeId, Option<Vec<String>>)> {
        let declared = &self.files[item.file as usize].index.types[item.index as usize];
        let alias = self.node::<ast::TypeAlias>(item.file, declared.declaration)?;
        let path = match alias.ty() {
            Some(ast::Type::PathType(it)) => it.path(),
            _ => None,
        };
        let plain = path.filter(|it| it.segments().all(|it| ast::HasGenericArgs::generic_arg_list(&it).is_none()));
        Some((self.names.scope(item.file, declared.scope), plain.as_ref().and_then(path_segments)))
    }

    /// What a path means to the language: the name, and that of the type before it. `None` if it is of the package or of a crate that the
    /// language does not know.
    pub(super) fn language_path(
        &self,
        scope: ScopeId,
        path: &[String],
        namespace: Namespace,
    ) -> Option<(Option<String>, String)> {
        let path = match self.names.meaning(scope, path, namespace) {
            Meaning::Nothing => path.to_vec(),
            Meaning::Elsewhere(path) => path,
            _ => return None,
        };
        let is_type = |it: &str| language_con(it).is_some() || it == "Default";
        let is_standard = |it: &str| matches!(it, "Some" | "None" | "Option" | "String" | "str" | "Default");
        match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [name] => Some((None, (*name).to_owned())),
            [owner, name] if is_type(owner) => Some((Some((*owner).to_owned()), (*name).to_owned())),
            ["cspec", .., owner, name] if is_type(owner) => Some((Some((*owner).to_owned()), (*name).to_owned())),
            ["cspec", .., name] => Some((None, (*name).to_owned())),
            ["std" | "core" | "alloc", .., owner, name] if is_standard(owner) || is_integer(owner) => {
                Some((Some((*owner).to_owned()), (*name).to_owned()))
            }
            ["std" | "core" | "alloc", .., name] if is_standard(name) || is_integer(name) => {
                Some((None, (*name).to_owned()))
            }
            _ => None,
        }
    }

    /// What an `impl` block is for.
    pub(super) fn block_owner(&self, file: u32, block: u32) -> Option<&Owner> {
        self.owners.get(&ItemRef { file, index: block })
    }

    /// Where names of this item's file and scope are looked up.
    pub(super) fn site(&self, file: u32, scope: u32) -> Site {
        Site { file, scope: self.names.scope(file, scope), shift: 0, pinned: None }
    }

    /// Where the names in a function are looked up, up to its body.
    pub(super) fn function_site(&self, item: ItemRef) -> Site {
        self.site(item.file, self.function_item(item).scope)
    }

    /// Where the names in the head of an `impl` block, and in its attribute, are looked up.
    pub(super) fn block_site(&self, file: u32, block: u32) -> Site {
        self.site(file, self.files[file as usize].index.impls[block as usize].scope)
    }

    /// The scope that a block of a file is, if it has items.
    pub(super) fn block_scope(&self, file: u32, block: &SyntaxNode) -> Option<ScopeId> {
        let Source { root, scopes, .. } = &self.files[file as usize];
        let at = SyntaxNodePtr::new(block);
        // A block in what a macro is given is of another tree, and may seem to stand where one of the file does.
        let is_block = |it: &SyntaxNodePtr| *it == at && it.try_to_node(root).as_ref() == Some(block);
        let number = scopes.iter().position(is_block)?;
        Some(self.names.scope(file, number as u32))
    }

    /// A name that is shown: with its module, if the package has more than one of its kind.
    pub(super) fn shown_name(&self, scope: ScopeId, name: &str, is_shared: bool) -> String {
        let path = if is_shared { self.names.module_path(scope) } else { Vec::new() };
        path.into_iter().chain([name]).collect::<Vec<_>>().join("::")
    }

    /// Where something is declared.
    pub(super) fn entry_span(&self, entry: Entry) -> Option<Span> {
        let index = |item: ItemRef| self.files[item.file as usize].index;
        let (item, name) = match entry {
            Entry::Type(it) | Entry::Variant(it, _) => (it, &index(it).types[it.index as usize].name),
            Entry::Constant(it) => (it, &index(it).constants[it.index as usize].name),
            Entry::Function(it) => (it, &index(it).functions[it.index as usize].name),
            Entry::Stack(it) => (it, &index(it).stacks[it.index as usize].name),
            Entry::Layer(it) => (it, index(it).impls[it.index as usize].trait_name.as_ref()?),
            Entry::Implementation(it) => (it, index(it).impls[it.index as usize].self_type.as_ref()?),
            Entry::Module(_) | Entry::Opaque => return None,
        };
        Some(self.name_span(item.file, name))
    }

    /// Whether this is a second declaration of what can only be declared once.
    pub(super) fn is_rejected(&self, entry: Entry) -> bool {
        self.rejected.contains(&entry)
    }

    /// Reports that a name means two things.
    pub(super) fn report_several(&mut self, span: Span, name: &str, both: [Entry; 2]) {
        let mut diagnostic = error(codes::CS0203, span, format!("`{name}` means two things here"));
        for (entry, text) in both.into_iter().zip(["one", "the other"]) {
            if let Some(span) = self.entry_span(entry) {
                diagnostic = diagnostic.related(span, text);
            }
        }
        self.report(diagnostic.help("name the module, `module::name`, or give one of them another name"));
    }

    /// Advice for a name that means nothing where it stands: where there is something of the name, or of one like it.
    pub(super) fn advice<'n>(
        &'n self,
        name: &str,
        namespace: Namespace,
        is_meant: impl Fn(&Entry) -> bool,
        more: impl IntoIterator<Item = &'n str>,
    ) -> Option<String> {
        if let Some(path) = self.names.declared(name, namespace, &is_meant) {
            return Some(format!("did you mean `{path}`?"));
        }
        did_you_mean(name, self.names.known(namespace, is_meant).into_iter().chain(more))
    }

    pub(super) fn declared_twice(&mut self, what: &str, file: u32, name: &Name, first: Span) {
        let message = format!("{what} `{}` is declared twice", name.text);
        let diagnostic = error(codes::CS0203, self.name_span(file, name), message);
        self.report(diagnostic.related(first, "first declared here"));
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        // Shared pieces, such as the types of fields, are looked at more than once.
        if self.reported.insert((diagnostic.span, diagnostic.message.clone())) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn name_span(&self, file: u32, name: &Name) -> Span {
        self.files[file as usize].positions.span(file, name)
    }

    pub(super) fn node<N: AstNode>(&self, file: u32, declaration: u32) -> Option<N> {
        N::cast(self.files[file as usize].declaration(declaration)?)
    }

    pub(super) fn function_item(&self, item: ItemRef) -> &'a FunctionItem {
        &self.files[item.file as usize].index.functions[item.index as usize]
    }

    /// The `impl` block of a function.
    pub(super) fn owner(&self, item: ItemRef) -> Option<&'a ImplItem> {
        let index = self.files[item.file as usize].index;
        index.impls.get(self.function_item(item).owner? as usize)
    }

    /// The functions of an `impl` block, in source order.
    pub(super) fn members(&self, file: u32, block: u32) -> Vec<ItemRef> {
        let functions = self.files[file as usize].index.functions.iter().enumerate();
        functions
            .filter(|(_, it)| it.owner == Some(block))
            .map(|(index, _)| ItemRef { file, index: index as u32 })
            .collect()
    }

    /// `Memory::load`; in a layer or an implementation, its name instead of the type's.
    pub(super) fn function_name(&self, item: ItemRef) -> String {
        let name = &self.function_item(item).name.text;
        let owner = self.owner(item).and_then(|block| match block.role {
            ImplRole::Layer(_) => block.trait_name.as_ref(),
            _ => block.self_type.as_ref(),
        });
        let block = self.function_item(item).owner.map(|block| ItemRef { file: item.file, index: block });
        let layer = block.and_then(|it| self.layer_of.get(&it)).map(|it| self.layer_name(*it));
        let owner = layer.or(owner.map(|it| it.text.as_str()));
        owner.map_or_else(|| name.clone(), |owner| format!("{owner}::{name}"))
    }

    /// The id of a function, which is lowered sooner or later; `None` if its signature is not of the subset, which is reported.
    pub(super) fn request(&mut self, item: ItemRef) -> Option<FunctionId> {
        let signature = self.signature(item)?;
        if signature.lower.is_some_and(|layer| self.layers[layer].id.is_none()) {
            return None;
        }
        Some(self.request_known(Origin::Written(item)))
    }

    /// The id of a function that can be lowered.
    pub(super) fn request_known(&mut self, origin: Origin) -> FunctionId {
        let next = FunctionId(self.requested.len() as u32);
        let id = *self.function_ids.entry(origin).or_insert(next);
        if id == next {
            self.requested.push(origin);
        }
        id
    }

    pub(super) fn layer_id(&self, layer: usize) -> Option<LayerId> {
        self.layers[layer].id
    }

    pub(super) fn into_lowered(mut self) -> Lowered {
        let mut program = Program {
            types: self.type_definitions(),
            functions: std::mem::take(&mut self.functions),
            ..Program::default()
        };
        let span = |origin: &Origin| match *origin {
            Origin::Written(it) => self.name_span(it.file, &self.function_item(it).name),
            Origin::Lifted { layer, number } => self.layers[layer].lifts[number].span,
        };
        let mut source_map = SourceMap {
            functions: self.requested.iter().map(span).collect(),
            nodes: std::mem::take(&mut self.nodes),
            ..SourceMap::default()
        };
        super::layers::emit(&self, &mut program, &mut source_map);
        let parts = std::mem::take(&mut self.parts);
        parts.emit(&mut program, &mut source_map);
        self.diagnostics.extend(super::words::check(&mut program, &source_map));
        Lowered { program: Arc::new(program), source_map: Arc::new(source_map), diagnostics: self.diagnostics }
    }
}

fn is_integer(name: &str) -> bool {
    matches!(language_con(name), Some((Con::Int { .. }, _)))
}
