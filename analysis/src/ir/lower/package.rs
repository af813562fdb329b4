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
    report::{DiagnosticExt, error},
    signature::Signature,
    types::TypeInfo,
};
use crate::{
    diagnostics::{Diagnostic, codes},
    index::{FileIndex, FunctionItem, ImplItem, ImplRole, Name, Positions, TypeKind},
    ir::{Function, FunctionId, LayerId, Program, SourceMap, Span, TypeId},
    syntax::{self, AstNode, SyntaxNode},
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
    declarations: Vec<SyntaxNode>,
}

/// Where a tree stands: the file, and for the trees of macro inputs and constants, how to get to the file's offsets.
#[derive(Clone, Copy)]
pub(super) struct Site {
    pub(super) file: u32,
    pub(super) shift: i64,
    /// Everything stands here: a constant is part of the function that mentions it.
    pub(super) pinned: Option<Span>,
}

impl Site {
    pub(super) fn file(file: u32) -> Self {
        Site { file, shift: 0, pinned: None }
    }

    pub(super) fn span(&self, node: &SyntaxNode) -> Span {
        let range = syntax::text_range(node);
        let place = |offset: u32| (i64::from(offset) + self.shift).max(0) as u32;
        self.pinned.unwrap_or(Span { file: self.file, start: place(range.start), end: place(range.end) })
    }
}

/// Names that more than one declaration may have.
type Table<K> = HashMap<K, Vec<ItemRef>>;
/// The type a function or constant is associated with, and its own name.
type Member = (Option<String>, String);

/// The state of lowering a package.
pub(super) struct Package<'a> {
    pub(super) files: Vec<Source<'a>>,
    pub(super) type_names: Table<String>,
    pub(super) constants: Table<Member>,
    pub(super) function_names: Table<Member>,
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
    pub(super) layer_names: HashMap<String, usize>,
    pub(super) parts: Parts,
    diagnostics: Vec<Diagnostic>,
    reported: HashSet<(Span, String)>,
}

impl<'a> Package<'a> {
    pub(super) fn new(files: &[File<'a>]) -> Self {
        let source = |file: &File<'a>| Source {
            index: &file.indexed.index,
            positions: &file.indexed.positions,
            declarations: syntax::declarations(&file.parse.root()),
        };
        let mut package = Package {
            files: files.iter().map(source).collect(),
            type_names: HashMap::new(),
            constants: HashMap::new(),
            function_names: HashMap::new(),
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
            layer_names: HashMap::new(),
            parts: Parts::default(),
            diagnostics: Vec::new(),
            reported: HashSet::new(),
        };
        for file in 0..package.files.len() {
            package.collect(file as u32);
        }
        package
    }

    fn collect(&mut self, file: u32) {
        let index = self.files[file as usize].index;
        let item = |index: usize| ItemRef { file, index: index as u32 };
        let owner = |owner: Option<u32>| {
            let block = index.impls.get(owner? as usize)?;
            block.self_type.as_ref().map(|it| it.text.clone())
        };
        for (number, ty) in index.types.iter().enumerate() {
            self.type_name(item(number), &ty.name, ty.kind);
        }
        for (number, constant) in index.constants.iter().enumerate() {
            let member = (owner(constant.owner), constant.name.text.clone());
            self.constants.entry(member).or_default().push(item(number));
        }
        for (number, function) in index.functions.iter().enumerate() {
            let member = (owner(function.owner), function.name.text.clone());
            self.function_names.entry(member).or_default().push(item(number));
        }
    }

    /// Types of layers have one name in the package; ordinary types may share theirs.
    fn type_name(&mut self, item: ItemRef, name: &Name, kind: TypeKind) {
        let seen = self.type_names.get(&name.text).cloned().unwrap_or_default();
        let of_layers =
            |it: &ItemRef| self.files[it.file as usize].index.types[it.index as usize].kind != TypeKind::Plain;
        let first = seen.iter().copied().find(of_layers);
        if let Some(first) = first.filter(|_| kind != TypeKind::Plain) {
            let first =
                self.name_span(first.file, &self.files[first.file as usize].index.types[first.index as usize].name);
            self.declared_twice("type", item.file, name, first);
        } else {
            self.type_names.entry(name.text.clone()).or_default().push(item);
        }
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
        N::cast(self.files[file as usize].declarations.get(declaration as usize)?.clone())
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
        owner.map_or_else(|| name.clone(), |owner| format!("{}::{name}", owner.text))
    }

    /// The one declaration meant by a name used in `file`: the only one, or the only one of that file.
    pub(super) fn pick(&self, candidates: Option<&Vec<ItemRef>>, file: u32) -> Result<Option<ItemRef>, [ItemRef; 2]> {
        let candidates = candidates.map_or(&[][..], Vec::as_slice);
        match candidates {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            [first, second, ..] => {
                let mut here = candidates.iter().filter(|it| it.file == file);
                match (here.next(), here.next()) {
                    (Some(only), None) => Ok(Some(*only)),
                    _ => Err([*first, *second]),
                }
            }
        }
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
            types: self.types.iter().map(TypeInfo::definition).collect(),
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
