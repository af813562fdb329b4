//! Code that is not read: attribute macros of other crates, and macros that are called in item position.
//!
//! An attribute macro may turn its item into anything. So the items that a layer or a procedure refers to may have only attributes that are
//! known to preserve their meaning. A macro that generates items may generate layers, too; a diagnostic says so, so that no layer is
//! silently skipped.

use std::{borrow::Borrow, collections::HashSet, sync::Arc};

use super::{
    declared::{Declared, ItemRef, Owner},
    lowering::{Lowering, Package},
    names::{Entry, MacroMeaning, Meaning, Namespace, ScopeId},
    report::{DiagnosticExt, error},
};
use crate::{
    diagnostics::{Severity, codes},
    index::{CallItem, ImplRole, Name},
    syntax::{
        AstNode,
        ast::{self, HasGenericArgs},
    },
};

/// Attribute macros of other crates that do not change the meaning of a function.
const HARMLESS: &[&str] = &["tracing::instrument"];

/// The attribute macros of cspec.
const OURS: &[&str] = &["bottom", "client", "implement", "layer", "scalar", "stack", "state"];

/// Traits whose meaning the engine takes for granted: it copies, compares and orders values part by part, erases references, and runs
/// nothing where a value ends.
const READ_AS_DERIVED: &[&str] = &["Clone", "PartialEq", "PartialOrd", "Ord", "Deref", "DerefMut", "Drop"];

impl<D: Borrow<Declared>> Lowering<D> {
    /// Refuses unknown attribute macros on an item and on the modules that contain it. `is_derived`: the item has derives, which may have
    /// attributes of their own.
    pub(super) fn check_attributes(&self, file: u32, scope: u32, attributes: &[Name], is_derived: bool) {
        for name in attributes {
            self.check_attribute(file, self.names.scope(file, scope), name, is_derived);
        }
        let (mut file, mut scope) = (file, scope);
        // Files may include each other in a cycle, which is reported elsewhere.
        for _ in 0..1000 {
            let index = &self.files[file as usize].index;
            if scope != 0 {
                let Some(around) = index.scopes.get(scope as usize) else { return };
                for name in &around.attributes {
                    self.check_attribute(file, self.names.scope(file, around.parent), name, false);
                }
                scope = around.parent;
            } else if let Some((above, number)) = self.parents.get(file as usize).copied().flatten()
                && let Some(module) = self.files[above as usize].index.modules.get(number as usize)
            {
                for name in &module.attributes {
                    self.check_attribute(above, self.names.scope(above, module.scope), name, false);
                }
                (file, scope) = (above, module.scope);
            } else {
                return;
            }
        }
    }

    fn check_attribute(&self, file: u32, scope: ScopeId, name: &Name, is_derived: bool) {
        let written = name.path();
        let meaning = [Namespace::Types, Namespace::Values].map(|it| self.names.meaning(scope, &written, it));
        let path = meaning.iter().find_map(|it| match it {
            Meaning::Elsewhere(path) => Some(path.clone()),
            _ => None,
        });
        let is_imported = path.is_some();
        let path = path.unwrap_or(written);
        let is_ours = OURS.contains(&path.last().map_or("", String::as_str));
        let is_known = match path.as_slice() {
            [_] if is_ours => true,
            [_] if is_derived && !is_imported => true,
            [krate, ..] if is_ours && krate == "cspec" => true,
            _ => self.is_harmless(file, &path.join("::")),
        };
        if !is_known {
            let shown = path.join("::");
            let message = format!("unknown attribute `#[{shown}]`: it may be a macro that changes its item");
            let help = format!(
                "remove it; or, if it does not change the meaning of the code, add \"{shown}\" to `transparent` in [package.metadata.cspec]"
            );
            self.report(error(codes::CS0106, self.name_spot(file, name), message).help(help));
        }
    }

    fn is_harmless(&self, file: u32, path: &str) -> bool {
        HARMLESS.contains(&path) || self.crates.reading(file).transparent.iter().any(|it| it == path)
    }
}

impl Package {
    /// Refuses unknown attribute macros on layers and implementations, and warns of macros that generate items.
    pub(super) fn check_unread(&mut self) {
        let mut told = HashSet::new();
        for file in 0..self.files.len() as u32 {
            let index = Arc::clone(&self.files[file as usize].index);
            for block in index.impls.iter().filter(|it| !matches!(it.role, ImplRole::Plain)) {
                self.check_attributes(file, block.scope, &block.attributes, false);
            }
            for call in &index.calls {
                self.check_call(file, call, &mut told);
            }
        }
    }

    /// `told`: the macros that a warning has named already.
    fn check_call(&self, file: u32, call: &CallItem, told: &mut HashSet<String>) {
        let meaning =
            self.names.macro_meaning((file, call.order), self.names.scope(file, call.scope), &call.name.path());
        let path = match &meaning {
            MacroMeaning::Language(name) => name.clone(),
            MacroMeaning::Elsewhere(path) => path.clone(),
            MacroMeaning::Package(_) | MacroMeaning::Unclear(_) => call.name.path().join("::"),
        };
        let owner = call.owner.map(|it| &self.files[file as usize].index.impls[it as usize].role);
        let makes_layers = call.makes_layers
            || matches!(owner, Some(ImplRole::Layer(_) | ImplRole::Implement(_)))
            || matches!(&meaning, MacroMeaning::Package(it) if self.macro_item(*it).makes_layers);
        let makes_nothing = matches!(&meaning, MacroMeaning::Language(name) if is_without_items(name));
        if makes_nothing || (!makes_layers && self.is_harmless(file, &path)) {
            return;
        }
        let spot = self.name_spot(file, &call.name);
        if makes_layers {
            let message = format!("`{path}!` generates layers, or parts of them, which are not read");
            self.report(error(codes::CS0106, spot, message).help("write out the code that the macro generates"));
            return;
        }
        if !told.insert(path.clone()) {
            return;
        }
        let message = format!("items generated by `{path}!` are not read");
        let help = format!(
            "if it generates no layers and no items that they use, add \"{path}\" to `transparent` in [package.metadata.cspec]"
        );
        let mut warning = error(codes::CS0107, spot, message).help(help);
        warning.severity = Severity::Warning;
        self.report(warning);
    }

    /// Refuses a type that implements by hand what the engine does part by part, or what code calls without naming it.
    pub(super) fn check_traits(&self, item: ItemRef) {
        let wanted = Owner::Entry(Entry::Type(item));
        for (file, source) in (0..).zip(&self.files) {
            for (block, number) in source.index.impls.iter().zip(0..) {
                let Some(name) = &block.trait_name else { continue };
                let scope = self.names.scope(file, block.scope);
                let path = match self.names.meaning(scope, &name.path(), Namespace::Types) {
                    Meaning::Elsewhere(path) => path,
                    _ => name.path(),
                };
                let Some(known) = READ_AS_DERIVED.iter().find(|it| path.last().is_some_and(|name| name == *it)) else {
                    continue;
                };
                if self.block_owner(file, number) != Some(&wanted) || self.is_about_another(file, block) {
                    continue;
                }
                let (message, help) = match *known {
                    "Deref" | "DerefMut" | "Drop" => (
                        format!("`{known}` on a type of layers and procedures"),
                        "write a method, and call it where it is meant",
                    ),
                    _ => (
                        format!("`{known}` that is written out for a type of layers and procedures"),
                        "derive it, or give the method another name: values are copied and compared part by part",
                    ),
                };
                self.unsupported(self.name_spot(file, name), &message, help);
            }
        }
    }

    /// Whether a trait has an argument other than the type itself, as in `impl PartialEq<u8> for Level`.
    fn is_about_another(&self, file: u32, block: &crate::index::ImplItem) -> bool {
        let head = self.head::<ast::Impl>(file, block.declaration);
        let path = match head.as_ref().and_then(ast::Impl::trait_) {
            Some(ast::Type::PathType(it)) => it.path(),
            _ => None,
        };
        let arguments = path.and_then(|it| it.segment()).and_then(|it| it.generic_arg_list());
        let argument = arguments.and_then(|it| it.generic_args().next()).map(|it| it.syntax().text().to_string());
        let own = block.self_type.as_ref().map(|it| it.text.as_str());
        argument.is_some_and(|it| it != "Self" && Some(it.as_str()) != own)
    }

    /// Refuses a type with macros in an `impl` block: they may generate any method.
    pub(super) fn check_members(&self, item: ItemRef) {
        let wanted = Owner::Entry(Entry::Type(item));
        for (file, source) in (0..).zip(&self.files) {
            for call in &source.index.calls {
                let is_of_type = call.owner.is_some_and(|it| self.block_owner(file, it) == Some(&wanted));
                if is_of_type && !self.is_harmless(file, &call.name.path().join("::")) {
                    let message = format!(
                        "`{}!` generates members of a type that layers use, which are not read",
                        call.name.text
                    );
                    let problem = error(codes::CS0106, self.name_spot(file, &call.name), message);
                    self.report(problem.help("write out the code that the macro generates"));
                }
            }
        }
    }
}

impl Declared {
    pub(super) fn macro_item(&self, item: ItemRef) -> &crate::index::MacroItem {
        &self.files[item.file as usize].index.macros[item.index as usize]
    }
}

/// Standard macros that generate nothing which a layer could use.
fn is_without_items(name: &str) -> bool {
    matches!(name, "thread_local" | "compile_error" | "global_asm" | "assert_eq" | "assert")
}
