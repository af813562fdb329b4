//! The declarations of a package, by name: everything except the bodies of functions.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    implementations::{self, Parts},
    layers::{self, LayerInfo},
    lift::Lift,
    lowering::{Package, Trace},
    names::{Entry, Meaning, Names, Namespace, ScopeId},
    report::did_you_mean,
    signature::Signature,
    spot::Spot,
    ty::Con,
    types::{TypeInfo, language_con},
};
use crate::{
    index::{FileIndex, FunctionItem, ImplItem, ImplRole, Name, TypeShape, path_segments},
    ir::{FunctionId, LayerId, TypeId},
    syntax::{self, AstNode, ItemTree, SyntaxNode, ast},
    workspace::Crates,
};

/// A declaration: a file, and an index into one of the lists of its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ItemRef {
    pub(super) file: u32,
    pub(super) index: u32,
}

/// The source of a function of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// A function as written.
    Written(ItemRef),
    /// One of the lifts of the package, by its number: see [`super::lift`].
    Lifted(u32),
}

/// A file with its declarations.
pub(super) struct Source {
    pub(super) index: Arc<FileIndex>,
    /// The trees of its declarations, without bodies.
    pub(super) heads: Arc<Vec<ItemTree>>,
}

/// The position of a tree: the item that contains it, and for the trees of macro inputs and constants, how to convert to the item's
/// offsets.
#[derive(Clone, Copy)]
pub(super) struct Site {
    pub(super) file: u32,
    pub(super) declaration: u32,
    /// The scope in which names are resolved.
    pub(super) scope: ScopeId,
    pub(super) shift: i64,
    /// The position of everything inside: a constant is part of the function that mentions it.
    pub(super) pinned: Option<Spot>,
}

impl Site {
    pub(super) fn spot(&self, node: &SyntaxNode) -> Spot {
        let range = syntax::text_range(node);
        let place = |offset: u32| (i64::from(offset) + self.shift).max(0) as u32;
        let (start, end) = (place(range.start), place(range.end));
        self.pinned.unwrap_or(Spot::Part { file: self.file, declaration: self.declaration, start, end })
    }
}

/// The owner of associated functions and constants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// A type of the package, or an implementation.
    Entry(Entry),
    /// A type of the language, by its name.
    Language(String),
}

/// Members by owner and name. Different `impl` blocks may have members of the same name.
type Members = HashMap<(Owner, String), Vec<ItemRef>>;

/// The declarations of a package. Types and functions are numbered as they are declared; those that become part of the program get other
/// numbers there: see `reach`.
pub struct Declared {
    pub(super) files: Vec<Source>,
    /// For each file, the `mod name;` that includes it.
    pub(super) parents: Vec<Option<(u32, u32)>>,
    /// The crates that the files belong to.
    pub(super) crates: Arc<Crates>,
    pub(super) names: Names,
    /// The owner of each `impl` block.
    owners: HashMap<ItemRef, Owner>,
    /// Constants of `impl` blocks.
    pub(super) constants: Members,
    /// Functions of `impl` blocks.
    pub(super) functions_of: Members,
    /// Repeated declarations of unique names; they have been reported.
    rejected: HashSet<Entry>,
    /// All types except aliases, by [`TypeId`].
    pub(super) types: Vec<TypeInfo>,
    pub(super) type_ids: HashMap<ItemRef, TypeId>,
    /// The id of the first function of each file; last, that of the first lift.
    first_functions: Vec<u32>,
    /// By [`FunctionId`], without the lifts.
    signatures: Vec<(Option<Arc<Signature>>, Trace)>,
    pub(super) layers: Vec<LayerInfo>,
    /// By their `impl` blocks.
    pub(super) layer_of: HashMap<ItemRef, usize>,
    /// The functions generated for operations and initial states on entries of maps.
    pub(super) lifts: Vec<Lift>,
    pub(super) parts: Parts,
    /// The references and faults of layers and implementations.
    pub(super) trace: Trace,
}

impl Declared {
    /// Combines the declarations of these files. `parents` has for each file the `mod name;` that includes it.
    pub(super) fn new(files: Vec<Source>, parents: &[Option<(u32, u32)>], crates: Arc<Crates>) -> Declared {
        let names = Names::new(&files, parents, &crates);
        let (owners, constants, functions_of, rejected, type_ids) = Default::default();
        let (types, first_functions, signatures, layers, lifts) = Default::default();
        let (layer_of, parts, trace) = Default::default();
        let mut package = Package::new(Declared {
            files,
            parents: parents.to_vec(),
            crates,
            names,
            owners,
            constants,
            functions_of,
            rejected,
            types,
            type_ids,
            first_functions,
            signatures,
            layers,
            layer_of,
            lifts,
            parts,
            trace,
        });
        package.reject_twice();
        for file in 0..package.files.len() {
            package.collect(file as u32);
        }
        layers::declare(&mut package);
        package.check_unread();
        let mut trace = package.take_trace();
        // The references and faults of these are recorded with them.
        package.define_types();
        package.read_signatures();
        layers::resolve(&mut package);
        layers::request_functions(&package);
        implementations::resolve(&mut package);
        trace.append(package.take_trace());
        Declared { trace, ..package.into_declared() }
    }
}

impl Package {
    fn reject_twice(&mut self) {
        for twice in std::mem::take(&mut self.names.twice) {
            self.rejected.insert(twice.second);
            if let Some(first) = self.entry_spot(twice.first) {
                self.declared_twice(twice.what, twice.file, &twice.name, first);
            }
        }
    }

    /// Numbers the types and functions of a file, and finds the owners of its `impl` blocks and their members.
    fn collect(&mut self, file: u32) {
        let index = Arc::clone(&self.files[file as usize].index);
        let item = |index: usize| ItemRef { file, index: index as u32 };
        for number in (0..index.types.len()).filter(|it| index.types[*it].shape != TypeShape::Alias) {
            let id = TypeId(self.types.len() as u32);
            self.type_ids.insert(item(number), id);
            self.types.push(TypeInfo::undefined(item(number), index.types[number].name.text.clone()));
        }
        if file == 0 {
            self.first_functions.push(0);
        }
        let first = self.first_functions[file as usize];
        self.first_functions.push(first + index.functions.len() as u32);
        for (number, block) in index.impls.iter().enumerate() {
            let owner = match (&block.role, &block.self_type) {
                (ImplRole::Implement(_), _) => Some(Owner::Entry(Entry::Implementation(item(number)))),
                (_, Some(name)) => self.owner_of(self.names.scope(file, block.scope), &name.path(), 0),
                _ => None,
            };
            self.owners.extend(owner.map(|it| (item(number), it)));
        }
        let owners = &self.owners;
        let owner = |owner: Option<u32>| owners.get(&item(owner? as usize)).cloned();
        let constants = index.constants.iter().map(|it| (it.owner, &it.name)).enumerate();
        let constants: Vec<_> = constants.filter_map(|(at, (block, name))| Some((owner(block)?, name, at))).collect();
        let functions = index.functions.iter().map(|it| (it.owner, &it.name)).enumerate();
        let functions: Vec<_> = functions.filter_map(|(at, (block, name))| Some((owner(block)?, name, at))).collect();
        for (owner, name, number) in constants {
            self.constants.entry((owner, name.text.clone())).or_default().push(item(number));
        }
        for (owner, name, number) in functions {
            self.functions_of.entry((owner, name.text.clone())).or_default().push(item(number));
        }
    }

    /// Reads all signatures, so that no body is needed.
    fn read_signatures(&mut self) {
        let functions = (0..)
            .zip(&self.files)
            .flat_map(|(file, it)| (0..it.index.functions.len() as u32).map(move |index| ItemRef { file, index }));
        let read = |item| (self.lower_signature(item).map(Arc::new), self.take_trace());
        let signatures = functions.map(read).collect();
        self.signatures = signatures;
    }
}

impl Declared {
    /// The signature of a function, if it is in the subset. Use [`super::lowering::Lowering::signature`] instead.
    pub(super) fn read_signature(&self, item: ItemRef) -> &Option<Arc<Signature>> {
        &self.signatures[self.function_id(Origin::Written(item)).0 as usize].0
    }

    /// The references of a function's signature.
    pub(super) fn trace_of_signature(&self, item: ItemRef) -> &Trace {
        &self.signatures[self.function_id(Origin::Written(item)).0 as usize].1
    }

    /// The id of a declared function.
    pub(super) fn function_id(&self, origin: Origin) -> FunctionId {
        FunctionId(match origin {
            Origin::Written(item) => self.first_functions[item.file as usize] + item.index,
            Origin::Lifted(number) => self.first_functions.last().copied().unwrap_or_default() + number,
        })
    }

    /// The source of the function with this id.
    pub(super) fn origin(&self, FunctionId(id): FunctionId) -> Origin {
        let file = self.first_functions.partition_point(|it| *it <= id) - 1;
        let index = id - self.first_functions[file];
        if file == self.files.len() {
            Origin::Lifted(index)
        } else {
            Origin::Written(ItemRef { file: file as u32, index })
        }
    }

    /// The position of a function's name, or of the lift that generated it.
    pub(super) fn spot_of(&self, origin: Origin) -> Spot {
        match origin {
            Origin::Written(it) => self.name_spot(it.file, &self.function_item(it).name),
            Origin::Lifted(number) => self.lifts[number as usize].spot,
        }
    }

    /// The type or implementation that a path refers to, through aliases.
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

    /// The target of an alias, if it is written as a path without arguments.
    fn alias_of(&self, item: ItemRef) -> Option<(ScopeId, Option<Vec<String>>)> {
        let declared = &self.files[item.file as usize].index.types[item.index as usize];
        let alias = self.head::<ast::TypeAlias>(item.file, declared.declaration)?;
        let path = match alias.ty() {
            Some(ast::Type::PathType(it)) => it.path(),
            _ => None,
        };
        let plain = path.filter(|it| it.segments().all(|it| ast::HasGenericArgs::generic_arg_list(&it).is_none()));
        Some((self.names.scope(item.file, declared.scope), plain.as_ref().and_then(path_segments)))
    }

    /// The meaning of a path in the language: the name, and that of the type before it. `None` if it refers to the package or to another
    /// crate.
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
        let is_standard = |it: &str| {
            matches!(it, "Some" | "None" | "Option" | "Ok" | "Err" | "Result" | "String" | "str" | "Default")
        };
        match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [name] => Some((None, (*name).to_owned())),
            [owner, name] if is_type(owner) => Some((Some((*owner).to_owned()), (*name).to_owned())),
            ["cspec", .., owner, name] if is_type(owner) => Some((Some((*owner).to_owned()), (*name).to_owned())),
            ["cspec", .., name] => Some((None, (*name).to_owned())),
            ["std" | "core", "num", "TryFromIntError"] => Some((None, "TryFromIntError".to_owned())),
            // Not that of `sync::atomic`.
            ["std" | "core", "cmp", "Ordering"] => Some((None, "Ordering".to_owned())),
            ["std" | "core", "cmp", "Ordering", name] => Some((Some("Ordering".to_owned()), (*name).to_owned())),
            ["std" | "core", module @ ("mem" | "cmp"), name] => Some((Some((*module).to_owned()), (*name).to_owned())),
            ["std" | "core" | "alloc", .., owner, name] if is_standard(owner) || is_integer(owner) => {
                Some((Some((*owner).to_owned()), (*name).to_owned()))
            }
            ["std" | "core" | "alloc", .., name] if is_standard(name) || is_integer(name) => {
                Some((None, (*name).to_owned()))
            }
            _ => None,
        }
    }

    /// The owner of an `impl` block.
    pub(super) fn block_owner(&self, file: u32, block: u32) -> Option<&Owner> {
        self.owners.get(&ItemRef { file, index: block })
    }

    /// The site of a declaration's tree, in a scope of its file.
    pub(super) fn site(&self, file: u32, declaration: u32, scope: u32) -> Site {
        Site { file, declaration, scope: self.names.scope(file, scope), shift: 0, pinned: None }
    }

    /// The site of a function, up to its body.
    pub(super) fn function_site(&self, item: ItemRef) -> Site {
        let declared = self.function_item(item);
        self.site(item.file, declared.declaration, declared.scope)
    }

    /// The site of the head of an `impl` block and its attribute.
    pub(super) fn block_site(&self, file: u32, block: u32) -> Site {
        let declared = &self.files[file as usize].index.impls[block as usize];
        self.site(file, declared.declaration, declared.scope)
    }

    /// A name as shown: with its module, if the package has more than one of its kind.
    pub(super) fn shown_name(&self, scope: ScopeId, name: &str, is_shared: bool) -> String {
        let path = if is_shared { self.names.module_path(scope) } else { Vec::new() };
        path.into_iter().chain([name]).collect::<Vec<_>>().join("::")
    }

    /// The position of a declaration.
    pub(super) fn entry_spot(&self, entry: Entry) -> Option<Spot> {
        let index = |item: ItemRef| &self.files[item.file as usize].index;
        let (item, name) = match entry {
            Entry::Type(it) | Entry::Variant(it, _) => (it, &index(it).types[it.index as usize].name),
            Entry::Constant(it) => (it, &index(it).constants[it.index as usize].name),
            Entry::Function(it) => (it, &index(it).functions[it.index as usize].name),
            Entry::Stack(it) => (it, &index(it).stacks[it.index as usize].name),
            Entry::Layer(it) => (it, index(it).impls[it.index as usize].trait_name.as_ref()?),
            Entry::Implementation(it) => (it, index(it).impls[it.index as usize].self_type.as_ref()?),
            Entry::Module(_) | Entry::Opaque => return None,
        };
        Some(self.name_spot(item.file, name))
    }

    /// Whether this is a repeated declaration of a unique name.
    pub(super) fn is_rejected(&self, entry: Entry) -> bool {
        self.rejected.contains(&entry)
    }

    /// Help for an unknown name: where the package declares it, or a similar one.
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

    pub(super) fn name_spot(&self, file: u32, name: &Name) -> Spot {
        Spot::Name { file, at: name.at }
    }

    /// A declaration, without the body if it is a function.
    pub(super) fn head<N: AstNode>(&self, file: u32, declaration: u32) -> Option<N> {
        N::cast(self.files[file as usize].heads.get(declaration as usize)?.root())
    }

    pub(super) fn function_item(&self, item: ItemRef) -> &FunctionItem {
        &self.files[item.file as usize].index.functions[item.index as usize]
    }

    /// The `impl` block of a function.
    pub(super) fn owner(&self, item: ItemRef) -> Option<&ImplItem> {
        let index = &self.files[item.file as usize].index;
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

    pub(super) fn layer_id(&self, layer: usize) -> Option<LayerId> {
        self.layers[layer].id
    }
}

fn is_integer(name: &str) -> bool {
    matches!(language_con(name), Some((Con::Int { .. }, _)))
}
