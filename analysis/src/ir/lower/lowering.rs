//! The context of lowering: reads declarations, reports faults, and records references.
//!
//! Types, signatures and bodies are lowered one by one, whether or not a layer refers to them. The references and the faults of
//! each are recorded with it. In the end, references are followed from the layers on: see `reach`.

use std::{
    borrow::Borrow,
    cell::{Cell, RefCell},
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{
    declared::{Declared, ItemRef, Origin, Site},
    names::{Entry, Meaning, Namespace},
    report::{DiagnosticExt, Problem, error},
    signature::Signature,
    spot::Spot,
};
use crate::{
    diagnostics::codes,
    index::Name,
    ir::{FunctionId, TypeId},
};

/// A reference from a layer, a signature, a type or a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Touch {
    Type(TypeId),
    Signature(ItemRef),
    Function(FunctionId),
}

/// The references and faults recorded while an item is lowered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) problems: Vec<Problem>,
    pub(super) touched: Vec<Touch>,
}

impl Trace {
    pub(super) fn append(&mut self, mut more: Trace) {
        self.problems.append(&mut more.problems);
        self.touched.append(&mut more.touched);
    }
}

/// The context of lowering: the declarations, either while they are collected or when a body reads them, and the trace of the current item.
pub(super) struct Lowering<D> {
    declared: D,
    trace: RefCell<Trace>,
    pub(super) alias_depth: Cell<u32>,
    pub(super) aliases_followed: Cell<u32>,
}

/// A package whose declarations are being collected.
pub(super) type Package = Lowering<Declared>;

impl<D: Borrow<Declared>> Deref for Lowering<D> {
    type Target = Declared;

    fn deref(&self) -> &Declared {
        self.declared.borrow()
    }
}

impl DerefMut for Package {
    fn deref_mut(&mut self) -> &mut Declared {
        &mut self.declared
    }
}

impl Package {
    /// The declarations, without the trace.
    pub(super) fn into_declared(self) -> Declared {
        self.declared
    }
}

impl<D: Borrow<Declared>> Lowering<D> {
    pub(super) fn new(declared: D) -> Self {
        Lowering { declared, trace: RefCell::default(), alias_depth: Cell::new(0), aliases_followed: Cell::new(0) }
    }

    /// Takes the trace recorded since the last call.
    pub(super) fn take_trace(&self) -> Trace {
        self.trace.take()
    }

    pub(super) fn touch(&self, touched: Touch) {
        self.trace.borrow_mut().touched.push(touched);
    }

    pub(super) fn report(&self, problem: Problem) {
        self.trace.borrow_mut().problems.push(problem);
    }

    pub(super) fn unsupported(&self, spot: Spot, what: &str, help: &str) {
        let message = format!("{what} is not supported in layers and procedures");
        self.report(error(codes::CS0102, spot, message).help(help));
    }

    /// Reports an ambiguous name.
    pub(super) fn report_several(&self, spot: Spot, name: &str, both: [Entry; 2]) {
        let mut problem = error(codes::CS0203, spot, format!("`{name}` is ambiguous here"));
        for (entry, text) in both.into_iter().zip(["one", "the other"]) {
            if let Some(spot) = self.entry_spot(entry) {
                problem = problem.related(spot, text);
            }
        }
        self.report(problem.help("name the module, `module::name`, or give one of them another name"));
    }

    pub(super) fn declared_twice(&self, what: &str, file: u32, name: &Name, first: Spot) {
        let message = format!("{what} `{}` is declared twice", name.text);
        let problem = error(codes::CS0203, self.name_spot(file, name), message);
        self.report(problem.related(first, "first declared here"));
    }

    /// The signature of a function; `None` if it is not in the subset, which is reported.
    pub(super) fn signature(&self, item: ItemRef) -> Option<Arc<Signature>> {
        self.touch(Touch::Signature(item));
        self.read_signature(item).clone()
    }

    /// The id of a function, which becomes part of the program; `None` if it cannot, which is reported.
    pub(super) fn request(&self, item: ItemRef) -> Option<FunctionId> {
        let signature = self.signature(item)?;
        if signature.lower.is_some_and(|layer| self.layers[layer].id.is_none()) {
            return None;
        }
        Some(self.request_known(Origin::Written(item)))
    }

    /// The id of a function that can be lowered.
    pub(super) fn request_known(&self, origin: Origin) -> FunctionId {
        let id = self.function_id(origin);
        self.touch(Touch::Function(id));
        id
    }

    /// The layer that a name in an attribute refers to; `None` if it is unknown (reported).
    pub(super) fn find_layer(&self, site: Site, name: &Name) -> Option<usize> {
        let spot = self.name_spot(site.file, name);
        self.layer_at(site, &name.path(), spot)
    }

    /// The layer that a path refers to; `None` if it is unknown, or left out (reported).
    pub(super) fn layer_at(&self, site: Site, path: &[String], spot: Spot) -> Option<usize> {
        let name = path.join("::");
        match self.names.meaning(site.scope, path, Namespace::Types) {
            // A layer with a malformed attribute exists, but cannot be used.
            Meaning::Item(Entry::Layer(item)) => self.layer_of.get(&item).copied(),
            Meaning::Several(one, other) => {
                self.report_several(spot, &name, [one, other]);
                None
            }
            meaning => {
                let mut help = self.advice(&name, Namespace::Types, |it| matches!(it, Entry::Layer(_)), []);
                if let Meaning::Elsewhere(path) = meaning {
                    let krate = path.first().cloned().unwrap_or_default();
                    help = Some(format!(
                        "layers of another crate are read if `{krate}` is a dependency by `path` with a [package.metadata.cspec] table"
                    ));
                }
                self.report(error(codes::CS0202, spot, format!("unknown layer `{name}`")).maybe_help(help));
                None
            }
        }
    }
}
