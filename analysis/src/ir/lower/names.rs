//! Name resolution: resolves a path in its scope (modules, `use`, and shadowing) as Rust does.
//!
//! A scope is a module or a block with items. Names are looked up in this order: its own items and those that `use` brings in by name, then
//! those that a glob brings in, then, for a block, the names of the enclosing scope. Types and values have separate namespaces.
//! Privacy only affects which names a glob brings in; whether a path may be used is for rustc to check.
//!
//! This module knows which items exist, not their contents. The libraries that are read with a package have roots of their own; crates that
//! depend on them have names for these roots. Items of other crates are known by their path only, and items that macros generate are
//! unknown.

mod macros;

use std::collections::{HashMap, HashSet};

use rustc_hash::FxHashMap;

use super::declared::{ItemRef, Source};
use crate::{
    index::{ImplRole, Import, Name, ScopeKind, TypeKind, TypeShape, Visibility},
    workspace::Crates,
};

pub(super) use macros::MacroMeaning;
use macros::Macros;

/// The number of a scope of the package. The first ones are the roots of its crates; 0 is the root of the package itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ScopeId(u32);

/// The namespaces: a type and a value may have the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Namespace {
    Types,
    Values,
}

/// A named item of the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Entry {
    Module(ScopeId),
    /// A struct, an enum or an alias; as a value, the constructor of a struct.
    Type(ItemRef),
    /// A variant of an enum, by its number.
    Variant(ItemRef, u32),
    Constant(ItemRef),
    Function(ItemRef),
    /// A layer: its `impl` block.
    Layer(ItemRef),
    /// An implementation: its `impl` block.
    Implementation(ItemRef),
    Stack(ItemRef),
    /// An item that no layer can use, or that does not exist.
    Opaque,
}

/// The meaning of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// No item of the package, and no name that `use` brings in.
    Nothing,
    Item(Entry),
    /// An associated item of a type or an implementation, by its name.
    Member(Entry, String),
    /// An item of another crate, or of the language, by its path there.
    Elsewhere(Vec<String>),
    /// Ambiguous between two items, which is an error.
    Several(Entry, Entry),
}

struct Scope {
    /// The enclosing scope. A root encloses itself.
    parent: ScopeId,
    is_block: bool,
    /// The name of the module; of the root of a library, the name of the crate; empty for blocks and for the root of the package itself.
    name: String,
    types: Entries,
    values: Entries,
    imports: FxHashMap<String, Vec<Import>>,
    globs: Vec<Glob>,
}

type Entries = FxHashMap<String, Vec<(Entry, Visibility)>>;

/// A glob import, `use path::*;`.
struct Glob {
    import: Import,
    /// The item that the path refers to, as far as it is known.
    target: Option<Entry>,
}

/// A repeated declaration of a unique name.
pub(super) struct Twice {
    pub(super) what: &'static str,
    pub(super) file: u32,
    pub(super) name: Name,
    pub(super) first: Entry,
    pub(super) second: Entry,
}

/// The lookups in progress: a lookup contributes nothing to its own result.
type Open<'n> = Vec<(ScopeId, Namespace, &'n str)>;

/// The names of a package.
pub(super) struct Names {
    scopes: Vec<Scope>,
    /// The scopes of each file, by their numbers in it.
    of_files: Vec<Vec<ScopeId>>,
    /// The names of the variants of enums.
    variants: HashMap<ItemRef, Vec<String>>,
    pub(super) twice: Vec<Twice>,
    macros: Macros,
    /// The names of other crates: for the root of a crate and a name used in it, the root of the crate with that name.
    crates: FxHashMap<(ScopeId, String), ScopeId>,
}

const ROOT: ScopeId = ScopeId(0);

impl Names {
    /// Collects the names of these files. `parents` has for each the `mod name;` that includes it: a file, and an index into its modules. A
    /// file without one is text of the root.
    pub(super) fn new(files: &[Source], parents: &[Option<(u32, u32)>], crates: &Crates) -> Names {
        let roots = (0..crates.count() as u32).map(|it| Scope::new(ScopeId(it), false, crates.name(it)));
        let of_files = vec![Vec::new(); files.len()];
        let (variants, twice, macros) = Default::default();
        let called = crates.names().iter().map(|(of, name, other)| ((ScopeId(*of), name.clone()), ScopeId(*other)));
        let mut names = Names { scopes: roots.collect(), of_files, variants, twice, macros, crates: called.collect() };
        for file in 0..files.len() as u32 {
            names.open_file(files, parents, crates, file, 0);
        }
        for (file, source) in files.iter().enumerate() {
            names.fill(file as u32, source);
        }
        names.enter_macros(files, parents);
        names.follow_globs();
        names
    }

    /// Resolves globs. A path may go through other globs, so all are resolved again until nothing changes. Following globs on every lookup
    /// would take too long if many refer to modules that do not exist.
    fn follow_globs(&mut self) {
        let globs: usize = self.scopes.iter().map(|it| it.globs.len()).sum();
        for _ in 0..=globs {
            let targets: Vec<Vec<Option<Entry>>> = (0..)
                .map(ScopeId)
                .zip(&self.scopes)
                .map(|(number, scope)| {
                    let path = |it: &Glob| self.meaning(number, &it.import.path, Namespace::Types);
                    let target = |it| match path(it) {
                        Meaning::Item(Entry::Opaque) => None,
                        Meaning::Item(entry) => Some(entry),
                        _ => None,
                    };
                    scope.globs.iter().map(target).collect()
                })
                .collect();
            let mut has_changed = false;
            for (glob, target) in self.scopes.iter_mut().flat_map(|it| &mut it.globs).zip(targets.into_iter().flatten())
            {
                has_changed |= glob.target != target;
                glob.target = target;
            }
            if !has_changed {
                return;
            }
        }
    }

    /// Numbers the scopes of a file, after those of the file that includes it.
    fn open_file(
        &mut self,
        files: &[Source],
        parents: &[Option<(u32, u32)>],
        crates: &Crates,
        file: u32,
        depth: usize,
    ) {
        if !self.of_files[file as usize].is_empty() {
            return;
        }
        let parent = parents.get(file as usize).copied().flatten().filter(|_| depth <= files.len());
        let declared = parent.and_then(|(above, number)| {
            let module = files.get(above as usize)?.index.modules.get(number as usize)?;
            self.open_file(files, parents, crates, above, depth + 1);
            Some((module, *self.of_files[above as usize].get(module.scope as usize)?))
        });
        let whole = match declared {
            // An included file is text of the enclosing scope.
            Some((module, around)) if module.name.is_empty() => around,
            Some((module, around)) => {
                let scope = self.open(around, false, &module.name);
                self.enter(around, Namespace::Types, &module.name, Entry::Module(scope), module.visibility);
                self.macros.open.extend(module.is_macro_use.then_some(scope));
                scope
            }
            None => ScopeId(crates.of_file(file)),
        };
        let mut scopes = vec![whole];
        for declared in files[file as usize].index.scopes.iter().skip(1) {
            let around = scopes.get(declared.parent as usize).copied().unwrap_or(whole);
            scopes.push(match &declared.kind {
                ScopeKind::Module(name, visibility) => {
                    let scope = self.open(around, false, name);
                    self.enter(around, Namespace::Types, name, Entry::Module(scope), *visibility);
                    self.macros.open.extend(declared.is_macro_use.then_some(scope));
                    scope
                }
                ScopeKind::Block | ScopeKind::File => self.open(around, true, ""),
            });
        }
        self.of_files[file as usize] = scopes;
    }

    fn open(&mut self, parent: ScopeId, is_block: bool, name: &str) -> ScopeId {
        self.scopes.push(Scope::new(parent, is_block, name));
        ScopeId(self.scopes.len() as u32 - 1)
    }

    fn enter(&mut self, scope: ScopeId, namespace: Namespace, name: &str, entry: Entry, visibility: Visibility) {
        let entries = self.scopes[scope.0 as usize].entries_mut(namespace);
        entries.entry(name.to_owned()).or_default().push((entry, visibility));
    }

    /// Enters a type, unless an item of this `kind` with a unique name has been declared already.
    fn enter_once(
        &mut self,
        scope: ScopeId,
        (what, kind): (&'static str, fn(&Entry) -> bool),
        (file, name): (u32, &Name),
        entry: Entry,
        visibility: Visibility,
    ) {
        let known = self.scopes[scope.0 as usize].types.get(&name.text);
        match known.into_iter().flatten().map(|(it, _)| *it).find(kind) {
            Some(first) => self.twice.push(Twice { what, file, name: name.clone(), first, second: entry }),
            None => self.enter(scope, Namespace::Types, &name.text, entry, visibility),
        }
    }

    /// Enters the declarations of a file into its scopes.
    fn fill(&mut self, file: u32, source: &Source) {
        use Namespace::{Types, Values};
        let index = &source.index;
        let item = |index: usize| ItemRef { file, index: index as u32 };
        let scopes = self.of_files[file as usize].clone();
        let scope = |number: u32| scopes.get(number as usize).copied().unwrap_or(ROOT);
        for (number, it) in index.types.iter().enumerate() {
            let kind = ("type", (|it| matches!(it, Entry::Type(_))) as fn(&Entry) -> bool);
            match it.kind {
                TypeKind::Plain => {
                    self.enter(scope(it.scope), Types, &it.name.text, Entry::Type(item(number)), it.visibility);
                }
                TypeKind::State | TypeKind::Scalar => {
                    self.enter_once(scope(it.scope), kind, (file, &it.name), Entry::Type(item(number)), it.visibility);
                }
            }
            if it.shape == TypeShape::Constructed || it.kind == TypeKind::Scalar {
                self.enter(scope(it.scope), Values, &it.name.text, Entry::Type(item(number)), it.visibility);
            }
            if let TypeShape::Enum(variants) = &it.shape {
                self.variants.insert(item(number), variants.clone());
            }
        }
        for (number, it) in index.constants.iter().enumerate().filter(|(_, it)| it.is_free) {
            self.enter(scope(it.scope), Values, &it.name.text, Entry::Constant(item(number)), it.visibility);
        }
        for (number, it) in index.functions.iter().enumerate().filter(|(_, it)| it.is_free) {
            self.enter(scope(it.scope), Values, &it.name.text, Entry::Function(item(number)), it.visibility);
        }
        for (number, it) in index.impls.iter().enumerate() {
            // The attributes generate a public trait for a layer, and a public struct for an implementation.
            // A malformed one is reported, and names that refer to it are not reported again.
            let is_layer = match &it.role {
                ImplRole::Layer(_) => true,
                ImplRole::Implement(_) => false,
                ImplRole::Malformed => it.trait_name.is_some(),
                ImplRole::Plain => continue,
            };
            let around = scope(it.scope);
            if let (true, Some(name)) = (is_layer, &it.trait_name) {
                let kind = ("layer", (|it| matches!(it, Entry::Layer(_))) as fn(&Entry) -> bool);
                self.enter_once(around, kind, (file, name), Entry::Layer(item(number)), Visibility::Public);
            } else if let (false, Some(name)) = (is_layer, &it.self_type) {
                let kind = ("implementation", (|it| matches!(it, Entry::Implementation(_))) as fn(&Entry) -> bool);
                self.enter_once(around, kind, (file, name), Entry::Implementation(item(number)), Visibility::Public);
            }
        }
        for (number, it) in index.stacks.iter().enumerate() {
            let kind = ("stack", (|it| matches!(it, Entry::Stack(_))) as fn(&Entry) -> bool);
            self.enter_once(scope(it.scope), kind, (file, &it.name), Entry::Stack(item(number)), it.visibility);
        }
        for it in &index.opaque {
            let namespace = if it.is_value { Values } else { Types };
            self.enter(scope(it.scope), namespace, &it.name, Entry::Opaque, it.visibility);
        }
        for it in &index.imports {
            let into = &mut self.scopes[scope(it.scope).0 as usize];
            match &it.name {
                Some(name) => into.imports.entry(name.clone()).or_default().push(it.clone()),
                None => into.globs.push(Glob { import: it.clone(), target: None }),
            }
        }
    }

    /// The scope of a file with this number.
    pub(super) fn scope(&self, file: u32, number: u32) -> ScopeId {
        self.of_files.get(file as usize).and_then(|it| it.get(number as usize)).copied().unwrap_or(ROOT)
    }

    /// The modules that contain a scope, outermost first, as a path from the root of the package, or from the name of another crate; empty
    /// for the root.
    pub(super) fn module_path(&self, scope: ScopeId) -> Vec<&str> {
        let around = self.around(scope).into_iter().rev().map(|it| &self.scopes[it.0 as usize]);
        around.filter(|it| !it.is_block && !it.name.is_empty()).map(|it| it.name.as_str()).collect()
    }

    /// The scope and those around it, up to the root of its crate.
    fn around(&self, mut scope: ScopeId) -> Vec<ScopeId> {
        let mut around = vec![scope];
        while !self.is_root(scope) {
            scope = self.scopes[scope.0 as usize].parent;
            around.push(scope);
        }
        around
    }

    fn is_root(&self, scope: ScopeId) -> bool {
        self.scopes[scope.0 as usize].parent == scope
    }

    /// The root of the crate that a scope is in.
    fn root(&self, mut scope: ScopeId) -> ScopeId {
        while !self.is_root(scope) {
            scope = self.scopes[scope.0 as usize].parent;
        }
        scope
    }

    /// The root of another crate, by its name in a scope.
    fn other_crate(&self, scope: ScopeId, name: &str) -> Option<Meaning> {
        let root = self.crates.get(&(self.root(scope), name.to_owned()))?;
        Some(Meaning::Item(Entry::Module(*root)))
    }

    /// The meaning of a path in a scope.
    pub(super) fn meaning(&self, scope: ScopeId, path: &[String], namespace: Namespace) -> Meaning {
        self.path(scope, path, namespace, &mut Vec::new())
    }

    /// Whether the scope itself declares the name, without the enclosing scopes.
    pub(super) fn is_item_of(&self, scope: ScopeId, name: &str) -> bool {
        self.within(scope, name, Namespace::Values, None, &mut Vec::new()) != Meaning::Nothing
    }

    /// Where the package declares this name, as a path from the root, unless it is in a block.
    pub(super) fn declared(
        &self,
        name: &str,
        namespace: Namespace,
        is_meant: impl Fn(&Entry) -> bool,
    ) -> Option<String> {
        let found =
            self.scopes.iter().enumerate().filter(|(_, it)| !it.is_block).find(|(_, it)| {
                it.entries(namespace).get(name).into_iter().flatten().any(|(entry, _)| is_meant(entry))
            });
        let (scope, _) = found?;
        let scope = ScopeId(scope as u32);
        let of_package = (self.root(scope) == ROOT).then_some("crate");
        let path = of_package.into_iter().chain(self.module_path(scope)).chain([name]);
        Some(path.collect::<Vec<_>>().join("::"))
    }

    /// The names in the package that satisfy `is_meant`.
    pub(super) fn known(&self, namespace: Namespace, is_meant: impl Fn(&Entry) -> bool) -> Vec<&str> {
        let entries = self.scopes.iter().flat_map(|it| it.entries(namespace));
        let meant = entries.filter(|(_, entries)| entries.iter().any(|(it, _)| is_meant(it)));
        meant.map(|(name, _)| name.as_str()).collect()
    }

    fn path<'n>(&'n self, scope: ScopeId, path: &'n [String], last: Namespace, open: &mut Open<'n>) -> Meaning {
        let namespace = |number: usize| if number + 1 == path.len() { last } else { Namespace::Types };
        let Some(first) = path.first() else { return Meaning::Nothing };
        // `::name` is another crate.
        if let ("", Some(name)) = (first.as_str(), path.get(1)) {
            return match self.other_crate(scope, name) {
                Some(root) => self.along(root, &path[2..], last, open),
                None => Meaning::Elsewhere(path[1..].to_vec()),
            };
        }
        let mut meaning = match first.as_str() {
            "crate" => Meaning::Item(Entry::Module(self.root(scope))),
            "self" => Meaning::Item(Entry::Module(self.module(scope))),
            "super" => Meaning::Item(Entry::Module(self.above(self.module(scope)))),
            name => self.lexical(scope, name, namespace(0), open),
        };
        if meaning == Meaning::Nothing && namespace(0) == Namespace::Types {
            meaning = self.other_crate(scope, first).unwrap_or(Meaning::Nothing);
        }
        if meaning == Meaning::Nothing && path.len() > 1 {
            // Another crate; or a type of the language.
            return Meaning::Elsewhere(path.to_vec());
        }
        self.along(meaning, &path[1..], last, open)
    }

    /// The meaning of a path that begins in something.
    fn along<'n>(&'n self, from: Meaning, path: &'n [String], last: Namespace, open: &mut Open<'n>) -> Meaning {
        let namespace = |number: usize| if number + 1 == path.len() { last } else { Namespace::Types };
        let mut meaning = from;
        for (number, name) in path.iter().enumerate() {
            meaning = match meaning {
                Meaning::Item(Entry::Module(module)) if name == "super" => {
                    Meaning::Item(Entry::Module(self.above(module)))
                }
                Meaning::Item(Entry::Module(module)) => self.within(module, name, namespace(number), None, open),
                Meaning::Item(entry) => match self.variant(entry, name) {
                    Some(variant) => Meaning::Item(variant),
                    None if number + 1 == path.len() => Meaning::Member(entry, name.clone()),
                    None => Meaning::Nothing,
                },
                Meaning::Elsewhere(mut path) => {
                    path.push(name.clone());
                    Meaning::Elsewhere(path)
                }
                other => other,
            };
        }
        meaning
    }

    fn variant(&self, entry: Entry, name: &str) -> Option<Entry> {
        let Entry::Type(item) = entry else { return None };
        let number = self.variants.get(&item)?.iter().position(|it| it == name)?;
        Some(Entry::Variant(item, number as u32))
    }

    /// The meaning of a name in a scope, or in the enclosing ones up to the module.
    fn lexical<'n>(&'n self, scope: ScopeId, name: &'n str, namespace: Namespace, open: &mut Open<'n>) -> Meaning {
        let mut scope = scope;
        loop {
            let found = self.within(scope, name, namespace, None, open);
            let Scope { is_block, parent, .. } = &self.scopes[scope.0 as usize];
            if found != Meaning::Nothing || !is_block {
                return found;
            }
            scope = *parent;
        }
    }

    /// The meaning of a name in the scope itself. `glob` is the scope that imports all its names.
    fn within<'n>(
        &'n self,
        scope: ScopeId,
        name: &'n str,
        namespace: Namespace,
        glob: Option<ScopeId>,
        open: &mut Open<'n>,
    ) -> Meaning {
        if open.contains(&(scope, namespace, name)) {
            return Meaning::Nothing;
        }
        open.push((scope, namespace, name));
        let mut meaning = self.named(scope, name, namespace, glob, open);
        if meaning == Meaning::Nothing {
            meaning = self.through_globs(scope, name, namespace, glob, open);
        }
        open.pop();
        meaning
    }

    /// Its own items, and names that `use` brings in by name.
    fn named<'n>(
        &'n self,
        scope: ScopeId,
        name: &'n str,
        namespace: Namespace,
        glob: Option<ScopeId>,
        open: &mut Open<'n>,
    ) -> Meaning {
        let here = &self.scopes[scope.0 as usize];
        let mut meaning = Meaning::Nothing;
        for (entry, visibility) in here.entries(namespace).get(name).into_iter().flatten() {
            if self.is_visible(*visibility, scope, glob) {
                meaning = merged(meaning, Meaning::Item(*entry));
            }
        }
        for import in here.imports.get(name).into_iter().flatten() {
            if self.is_visible(import.visibility, scope, glob) {
                meaning = merged(meaning, self.imported(scope, import, namespace, open));
            }
        }
        meaning
    }

    fn imported<'n>(
        &'n self,
        scope: ScopeId,
        import: &'n Import,
        namespace: Namespace,
        open: &mut Open<'n>,
    ) -> Meaning {
        let other = match namespace {
            Namespace::Types => Namespace::Values,
            Namespace::Values => Namespace::Types,
        };
        match self.path(scope, &import.path, namespace, open) {
            Meaning::Nothing if self.path(scope, &import.path, other, open) != Meaning::Nothing => Meaning::Nothing,
            // `use cspec;` names a crate.
            Meaning::Nothing if import.path.len() == 1 => Meaning::Elsewhere(import.path.clone()),
            // It may be generated by a macro. In any case it shadows names from elsewhere.
            Meaning::Nothing | Meaning::Member(..) => Meaning::Item(Entry::Opaque),
            found => found,
        }
    }

    /// Names that globs bring in, from all modules that they lead to. Each module is visited once, since globs may be circular.
    fn through_globs<'n>(
        &'n self,
        scope: ScopeId,
        name: &'n str,
        namespace: Namespace,
        glob: Option<ScopeId>,
        open: &mut Open<'n>,
    ) -> Meaning {
        let targets = |of: ScopeId, asked_by: Option<ScopeId>| {
            let globs = self.scopes[of.0 as usize].globs.iter();
            let visible = globs.filter(move |it| self.is_visible(it.import.visibility, of, asked_by));
            visible.filter_map(move |it| Some((of, it.target?)))
        };
        let mut meaning = Meaning::Nothing;
        let mut seen: HashSet<(ScopeId, ScopeId)> = HashSet::new();
        let mut ahead: Vec<(ScopeId, Entry)> = targets(scope, glob).collect();
        while let Some((by, target)) = ahead.pop() {
            let found = match target {
                Entry::Module(module) => {
                    let question = (module, namespace, name);
                    if open.contains(&question) || !seen.insert((module, by)) {
                        continue;
                    }
                    open.push(question);
                    let found = self.named(module, name, namespace, Some(by), open);
                    open.pop();
                    if found == Meaning::Nothing {
                        ahead.extend(targets(module, Some(by)));
                    }
                    found
                }
                entry => self.variant(entry, name).map_or(Meaning::Nothing, Meaning::Item),
            };
            meaning = merged(meaning, found);
        }
        meaning
    }

    /// The module that a scope is, or is in.
    fn module(&self, scope: ScopeId) -> ScopeId {
        let Scope { is_block, parent, .. } = &self.scopes[scope.0 as usize];
        if *is_block { self.module(*parent) } else { scope }
    }

    fn above(&self, module: ScopeId) -> ScopeId {
        self.module(self.scopes[module.0 as usize].parent)
    }

    /// Whether a glob in scope `glob` brings in an item declared in `scope` with this visibility.
    fn is_visible(&self, visibility: Visibility, scope: ScopeId, glob: Option<ScopeId>) -> bool {
        let Some(glob) = glob else { return true };
        let within = match visibility {
            Visibility::Public => return true,
            Visibility::Crate => self.root(scope),
            Visibility::Private => self.module(scope),
            Visibility::Super => self.above(self.module(scope)),
        };
        self.around(glob).contains(&within)
    }
}

impl Scope {
    fn new(parent: ScopeId, is_block: bool, name: &str) -> Self {
        let (types, values, imports, globs) = Default::default();
        Scope { parent, is_block, name: name.to_owned(), types, values, imports, globs }
    }

    fn entries(&self, namespace: Namespace) -> &Entries {
        match namespace {
            Namespace::Types => &self.types,
            Namespace::Values => &self.values,
        }
    }

    fn entries_mut(&mut self, namespace: Namespace) -> &mut Entries {
        match namespace {
            Namespace::Types => &mut self.types,
            Namespace::Values => &mut self.values,
        }
    }
}

/// Combines two meanings of one name. A known item of the package takes precedence over an unknown one, whose namespace is unknown.
fn merged(left: Meaning, right: Meaning) -> Meaning {
    match (left, right) {
        (Meaning::Nothing, it) | (it, Meaning::Nothing) => it,
        (left, right) if left == right => left,
        (Meaning::Elsewhere(_) | Meaning::Item(Entry::Opaque), it @ Meaning::Item(_)) => it,
        (it @ Meaning::Item(_), Meaning::Elsewhere(_) | Meaning::Item(Entry::Opaque)) => it,
        (Meaning::Item(left), Meaning::Item(right)) => Meaning::Several(left, right),
        (left, _) => left,
    }
}
