//! Name resolution for macros: which macro a call refers to, as in Rust.
//!
//! A `macro_rules!` is in scope in the text after it: in the rest of its module, in the modules inside, and, if the module is
//! `#[macro_use]`, in the rest of the enclosing module. After it come the names that `use` brings in, the macros that the crate root
//! exports, and last those of the language. If a name is ambiguous, the result says so, and no macro is chosen.

use std::collections::{HashMap, HashSet};

use super::{Entry, Meaning, Names, Namespace, ScopeId};
use crate::{
    index::Import,
    ir::lower::declared::{ItemRef, Source},
};

/// The meaning of a macro's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ir::lower) enum MacroMeaning {
    /// A standard macro, by its name.
    Language(String),
    /// A `macro_rules!` of the package.
    Package(ItemRef),
    /// A macro of another crate, by its path, or an unknown path.
    Elsewhere(String),
    /// Ambiguous between several macros; the reason.
    Unclear(&'static str),
}

/// A place in the text of a file: the number of items that begin before it.
pub(in crate::ir::lower) type Place = (u32, u32);

/// The macros of a package.
#[derive(Default)]
pub(super) struct Macros {
    defined: HashMap<String, Vec<Defined>>,
    /// The scopes of modules with `#[macro_use]`.
    pub(super) open: HashSet<ScopeId>,
    /// The place where each file is declared.
    declared: Vec<Option<Place>>,
    /// Files that are text of the enclosing scope.
    included: HashSet<u32>,
    /// A crate whose macros are in scope in the whole package.
    from_crate: Option<String>,
}

/// A `macro_rules!` declaration, with the places where it is known.
struct Defined {
    item: ItemRef,
    /// The scopes that it is known in, after its places.
    scopes: Vec<ScopeId>,
    places: Vec<Place>,
    is_exported: bool,
}

/// Whether a crate's macros are the standard ones.
fn is_language(krate: &str) -> bool {
    matches!(krate, "std" | "core" | "alloc")
}

impl Names {
    /// Enters the macros of files whose scopes are known.
    pub(super) fn enter_macros(&mut self, files: &[Source], parents: &[Option<(u32, u32)>]) {
        for file in 0..files.len() {
            let module = parents.get(file).copied().flatten().and_then(|(above, number)| {
                Some((above, files.get(above as usize)?.index.modules.get(number as usize)?))
            });
            if module.is_some_and(|(_, it)| it.name.is_empty()) {
                self.macros.included.insert(file as u32);
            }
            self.macros.declared.push(module.map(|(above, it)| (above, it.order)));
        }
        for (file, source) in (0..).zip(files) {
            for (index, it) in (0..).zip(&source.index.macros) {
                let (scopes, places) = self.reach((file, it.order), self.scope(file, it.scope));
                let item = ItemRef { file, index };
                let defined = Defined { item, scopes, places, is_exported: it.is_exported };
                self.macros.defined.entry(it.name.clone()).or_default().push(defined);
            }
            let foreign = source.index.macro_crates.iter().find(|it| !is_language(it));
            self.macros.from_crate = self.macros.from_crate.take().or(foreign.cloned());
        }
    }

    /// The scopes in which a macro is known, and the places after which it is.
    fn reach(&self, place: Place, scope: ScopeId) -> (Vec<ScopeId>, Vec<Place>) {
        let (mut scopes, mut places) = (vec![scope], vec![place]);
        let (mut file, mut scope) = (place.0, scope);
        for _ in 0..self.scopes.len() + self.of_files.len() {
            let is_whole_file = self.of_files[file as usize].first() == Some(&scope);
            let is_open = self.macros.open.contains(&scope);
            if is_whole_file && (is_open || self.macros.included.contains(&file)) {
                let Some(declared) = self.macros.declared[file as usize] else { break };
                places.push(declared);
                let is_included = self.macros.included.contains(&file);
                file = declared.0;
                if is_included {
                    continue;
                }
            }
            if !is_open {
                break;
            }
            scope = self.scopes[scope.0 as usize].parent;
            scopes.push(scope);
        }
        (scopes, places)
    }

    /// The meaning of a macro path at this place, in this scope.
    pub(in crate::ir::lower) fn macro_meaning(&self, place: Place, scope: ScopeId, path: &[String]) -> MacroMeaning {
        match path {
            [name] => self.unqualified(place, scope, name),
            _ => self.macro_at(scope, path, 0).unwrap_or_else(|| MacroMeaning::Elsewhere(path.join("::"))),
        }
    }

    fn unqualified(&self, place: Place, scope: ScopeId, name: &str) -> MacroMeaning {
        let around = self.around(scope);
        let defined = self.macros.defined.get(name).map_or(&[][..], Vec::as_slice);
        let known = |it: &&Defined| it.scopes.iter().any(|scope| around.contains(scope));
        let is_local = |it: &Defined| self.scopes[it.scopes[0].0 as usize].is_block;
        if defined.iter().filter(known).any(is_local) {
            return MacroMeaning::Unclear("a macro of this name is defined in a function");
        }
        let before = self.before(place);
        let is_before = |it: &&Defined| {
            it.places.iter().any(|(file, order)| before.iter().any(|at| at.0 == *file && *order < at.1))
        };
        match defined.iter().filter(known).filter(is_before).collect::<Vec<_>>().as_slice() {
            [] => {}
            [one] => return MacroMeaning::Package(one.item),
            _ => return MacroMeaning::Unclear("more than one macro of this name is defined before"),
        }
        let modules = around.iter().take_while(|it| self.scopes[it.0 as usize].is_block).count() + 1;
        for scope in &around[..modules.min(around.len())] {
            if let Some(found) = self.brought_in(*scope, name, None, &mut HashSet::new(), 0) {
                return found;
            }
        }
        match &self.macros.from_crate {
            Some(krate) => MacroMeaning::Elsewhere(format!("{krate}::{name}")),
            None => MacroMeaning::Language(name.to_owned()),
        }
    }

    /// A place, and the places where the files that contain it are declared.
    fn before(&self, place: Place) -> Vec<Place> {
        let mut places = vec![place];
        let next = |it: &Place| self.macros.declared.get(it.0 as usize).copied().flatten();
        while let Some(declared) = places.last().and_then(next).filter(|_| places.len() <= self.of_files.len()) {
            places.push(declared);
        }
        places
    }

    /// The macro of this name that `use` brings into a scope, or that the root exports. `glob` is the scope that imports all its names.
    fn brought_in(
        &self,
        scope: ScopeId,
        name: &str,
        glob: Option<ScopeId>,
        seen: &mut HashSet<ScopeId>,
        depth: u32,
    ) -> Option<MacroMeaning> {
        if !seen.insert(scope) || depth > 32 {
            return None;
        }
        let here = &self.scopes[scope.0 as usize];
        let visible = |it: &&Import| self.is_visible(it.visibility, scope, glob);
        for import in here.imports.get(name).into_iter().flatten().filter(visible) {
            if let Some(found) = self.macro_at(scope, &import.path, depth + 1) {
                return Some(found);
            }
        }
        if self.is_root(scope)
            && let Some(found) = self.exported(scope, name)
        {
            return Some(found);
        }
        let globs = here.globs.iter().filter(|it| visible(&&it.import));
        let found: Vec<MacroMeaning> = globs
            .filter_map(|it| match it.target {
                Some(Entry::Module(module)) => self.brought_in(module, name, Some(scope), seen, depth + 1),
                Some(_) => None,
                None => match it.import.path.iter().find(|it| !it.is_empty()) {
                    Some(krate) if is_language(krate) || krate == "cspec" => None,
                    _ => Some(MacroMeaning::Elsewhere(format!("{}::*", it.import.path.join("::")))),
                },
            })
            .collect();
        // The same macro may be reached in several ways.
        let first = found.first()?.clone();
        let is_clear = found.iter().all(|it| *it == first);
        Some(if is_clear {
            first
        } else {
            MacroMeaning::Unclear("more than one macro of this name is brought in by `use`")
        })
    }

    /// The macro at the end of a path with modules; `None` if the path certainly refers to something else.
    fn macro_at(&self, scope: ScopeId, path: &[String], depth: u32) -> Option<MacroMeaning> {
        let elsewhere = || Some(MacroMeaning::Elsewhere(path.join("::")));
        let is_item = |namespace| match self.meaning(scope, path, namespace) {
            Meaning::Item(entry) => entry != Entry::Opaque,
            Meaning::Several(..) => true,
            _ => false,
        };
        let (name, modules) = path.split_last()?;
        let found = if modules.is_empty() {
            // `pub(crate) use name;` gives a macro of the module a path.
            let module = self.module(scope);
            let of_module =
                self.macros.defined.get(name).into_iter().flatten().filter(|it| it.scopes.contains(&module));
            match of_module.collect::<Vec<_>>().as_slice() {
                [] => None,
                [one] => Some(MacroMeaning::Package(one.item)),
                _ => Some(MacroMeaning::Unclear("more than one macro of this name is defined in the module")),
            }
        } else {
            match self.meaning(scope, modules, Namespace::Types) {
                Meaning::Item(Entry::Module(module)) if depth <= 32 => {
                    self.brought_in(module, name, None, &mut HashSet::new(), depth + 1)
                }
                Meaning::Nothing => of_crate(modules, name),
                Meaning::Elsewhere(modules) => of_crate(&modules, name),
                _ => None,
            }
        };
        match found {
            Some(found) => Some(found),
            None if is_item(Namespace::Types) || is_item(Namespace::Values) => None,
            None if path.iter().find(|it| !it.is_empty()).is_some_and(|it| it == "cspec") => None,
            None => elsewhere(),
        }
    }

    /// The macro that a crate exports, by its root.
    fn exported(&self, root: ScopeId, name: &str) -> Option<MacroMeaning> {
        let of_crate = |it: &&Defined| self.root(it.scopes[0]) == root;
        let exported = self.macros.defined.get(name)?.iter().filter(|it| it.is_exported).filter(of_crate);
        match exported.collect::<Vec<_>>().as_slice() {
            [] => None,
            [one] => Some(MacroMeaning::Package(one.item)),
            _ => Some(MacroMeaning::Unclear("more than one macro of this name is exported")),
        }
    }
}

/// A standard macro, by the path of its crate.
fn of_crate(modules: &[String], name: &str) -> Option<MacroMeaning> {
    let written: Vec<&str> = modules.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    matches!(written.as_slice(), ["std" | "core" | "alloc"]).then(|| MacroMeaning::Language(name.to_owned()))
}
