//! Layers: the operations that each has after inheritance, `ops = …` and `protocol = …`.
//!
//! This module works with signatures only; bodies come later. An invalid layer is left out, always with a diagnostic.

mod inherit;
mod own;
mod protocol;
mod same;

use std::{collections::HashMap, sync::Arc};

use super::{
    declared::{Declared, ItemRef, Origin},
    lowering::Package,
    names::Entry,
    reach::Reached,
    report::{DiagnosticExt, did_you_mean, error},
    signature::Signature,
    spot::Spot,
    ty::Ty,
};
use crate::{
    diagnostics::codes,
    index::{ImplRole, LayerAttribute, Name},
    ir::{Claim, Layer, LayerId, Operation, Program, Protocol, Question, SourceMap},
    syntax::{self, AstNode, ast},
};

/// A layer during resolution.
pub(super) struct LayerInfo {
    pub(super) name: Name,
    pub(super) file: u32,
    /// Index of its `impl` block.
    pub(super) block: u32,
    /// Its id; `None` if the layer is left out.
    pub(super) id: Option<LayerId>,
    pub(super) state: Ty,
    pub(super) operations: Vec<OperationInfo>,
    pub(super) init: Option<Origin>,
    pub(super) background: Option<Origin>,
    pub(super) invariants: Vec<ItemRef>,
    pub(super) idle: Vec<ItemRef>,
    pub(super) questions: Vec<(Question, ItemRef)>,
    /// The raw layer, and whether it is nilpotent.
    pub(super) protocol: Option<(usize, bool)>,
    /// Whether a part of it is left out, with a diagnostic: a missing name may have been there.
    pub(super) incomplete: bool,
    progress: Progress,
}

/// The progress of resolving a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Unseen,
    Started,
    Done,
}

/// An operation of a layer.
#[derive(Clone)]
pub(super) struct OperationInfo {
    pub(super) name: String,
    /// The function that declares it.
    pub(super) function: ItemRef,
    /// Its source: `function`, or a lift of it.
    pub(super) origin: Origin,
    pub(super) signature: Arc<Signature>,
    pub(super) component: Vec<u32>,
    claim: Option<(Claim, Spot)>,
    pub(super) external: bool,
    /// Whether it does not read the state, so that it means the same over every state.
    stateless: bool,
    allowed: Vec<ItemRef>,
    declared_in: usize,
    spot: Spot,
}

/// Resolves all layers, each after those that it depends on.
pub(super) fn resolve(package: &mut Package) {
    for layer in 0..package.layers.len() {
        let state = package.state_of(layer);
        package.layers[layer].state = state;
    }
    for layer in 0..package.layers.len() {
        package.resolve_layer(layer);
    }
    let mut next = 0;
    for layer in &mut package.layers {
        if layer.state != Ty::Error {
            layer.id = Some(LayerId(next));
            next += 1;
        }
    }
}

/// Finds the layers of the package.
pub(super) fn declare(package: &mut Package) {
    let mut names: HashMap<String, usize> = HashMap::new();
    let blocks = package.files.iter().flat_map(|it| &it.index.impls);
    for name in blocks.filter(|it| matches!(it.role, ImplRole::Layer(_))).filter_map(|it| it.trait_name.as_ref()) {
        *names.entry(name.text.clone()).or_default() += 1;
    }
    for file in 0..package.files.len() as u32 {
        let index = Arc::clone(&package.files[file as usize].index);
        for (block, declared) in index.impls.iter().enumerate() {
            let (ImplRole::Layer(_), Some(name)) = (&declared.role, &declared.trait_name) else { continue };
            let item = ItemRef { file, index: block as u32 };
            if package.is_rejected(Entry::Layer(item)) {
                continue;
            }
            let number = package.layers.len();
            package.layer_of.insert(item, number);
            let is_shared = names.get(&name.text).is_some_and(|it| *it > 1);
            let shown = package.shown_name(package.names.scope(file, declared.scope), &name.text, is_shared);
            package.layers.push(LayerInfo {
                name: Name { text: shown, ..name.clone() },
                file,
                block: block as u32,
                id: None,
                state: Ty::Error,
                operations: Vec::new(),
                init: None,
                background: None,
                invariants: Vec::new(),
                idle: Vec::new(),
                questions: Vec::new(),
                protocol: None,
                incomplete: false,
                progress: Progress::Unseen,
            });
        }
        for declared in index.impls.iter().filter(|it| matches!(it.role, ImplRole::Layer(_)) && it.trait_name.is_none())
        {
            if let Some(node) = package.head::<ast::Impl>(file, declared.declaration) {
                let start = syntax::text_range(node.syntax()).start;
                let declaration = declared.declaration;
                let spot = Spot::Part { file, declaration, start, end: start + 1 };
                package.report(error(codes::CS0207, spot, "a layer needs a name").help("write `impl Name for State`"));
            }
        }
    }
}

/// Requests every function of a layer.
pub(super) fn request_functions(package: &Package) {
    for layer in 0..package.layers.len() {
        if package.layers[layer].id.is_none() {
            continue;
        }
        let info = &package.layers[layer];
        let mut origins: Vec<Origin> = info.init.into_iter().chain(info.background).collect();
        let questions = info.questions.iter().map(|it| &it.1);
        origins.extend(info.invariants.iter().chain(&info.idle).chain(questions).copied().map(Origin::Written));
        for operation in &info.operations {
            origins.push(operation.origin);
            origins.extend(operation.allowed.iter().copied().map(Origin::Written));
        }
        for origin in origins {
            match origin {
                Origin::Written(item) => drop(package.request(item)),
                Origin::Lifted(number) => {
                    // A lifted function has a signature.
                    if package.request(package.lifts[number as usize].item).is_some() {
                        package.request_known(origin);
                    }
                }
            }
        }
    }
}

/// Writes the layers into the program.
pub(super) fn emit(declared: &Declared, reached: &Reached, program: &mut Program, places: &mut SourceMap<Spot>) {
    for layer in declared.layers.iter().filter(|it| it.id.is_some()) {
        // A layer with an id has a valid state.
        let Some(state) = layer.state.to_type() else { continue };
        let id = |origin: &Origin| reached.function(declared.function_id(*origin));
        let written = |item: &ItemRef| id(&Origin::Written(*item));
        let operation = |it: &OperationInfo| {
            Some(Operation {
                name: it.name.clone(),
                function: id(&it.origin)?,
                component: it.component.clone(),
                claim: it.claim.map(|(claim, _)| claim),
                external: it.external,
                allowed: it.allowed.iter().filter_map(written).collect(),
                declared_in: declared.layer_id(it.declared_in)?,
                given: Vec::new(),
            })
        };
        program.layers.push(Layer {
            name: layer.name.text.clone(),
            state: reached.renumbered(state),
            operations: layer.operations.iter().filter_map(operation).collect(),
            init: layer.init.as_ref().and_then(id),
            background: layer.background.as_ref().and_then(id),
            invariants: layer.invariants.iter().filter_map(written).collect(),
            idle: layer.idle.iter().filter_map(written).collect(),
            questions: layer.questions.iter().filter_map(|(question, it)| Some((*question, written(it)?))).collect(),
            protocol: layer
                .protocol
                .and_then(|(raw, nilpotent)| Some(Protocol { raw: declared.layer_id(raw)?, nilpotent })),
        });
        places.layers.push(declared.name_spot(layer.file, &layer.name));
        places.operations.push(layer.operations.iter().map(|it| it.spot).collect());
        places.claims.push(layer.operations.iter().map(|it| it.claim.map(|(_, spot)| spot)).collect());
    }
}

impl Declared {
    pub(super) fn layer_spot(&self, layer: usize) -> Spot {
        self.name_spot(self.layers[layer].file, &self.layers[layer].name)
    }

    pub(super) fn layer_name(&self, layer: usize) -> &str {
        &self.layers[layer].name.text
    }

    pub(super) fn operation(&self, layer: usize, name: &str) -> Option<&OperationInfo> {
        self.layers[layer].operations.iter().find(|it| it.name == name)
    }
}

impl Package {
    fn attribute(&self, layer: usize) -> LayerAttribute {
        let info = &self.layers[layer];
        match &self.files[info.file as usize].index.impls[info.block as usize].role {
            ImplRole::Layer(attribute) => attribute.clone(),
            _ => LayerAttribute::default(),
        }
    }

    fn state_of(&self, layer: usize) -> Ty {
        let (file, block) = (self.layers[layer].file, self.layers[layer].block);
        let declared = &self.files[file as usize].index.impls[block as usize];
        let written = self.head::<ast::Impl>(file, declared.declaration).and_then(|it| it.self_ty());
        let Some(written) = written else { return Ty::Error };
        let state = self.resolve_type(self.block_site(file, block), &written, None);
        if self.is_sound(&state) { state } else { Ty::Error }
    }

    /// Resolves a layer after those that it depends on; `false` if it is left out.
    fn resolve_layer(&mut self, layer: usize) -> bool {
        match self.layers[layer].progress {
            Progress::Done => return self.layers[layer].state != Ty::Error,
            Progress::Started => {
                let message = format!("layer `{}` depends on itself", self.layer_name(layer));
                let help = "declare the shared operations in one of the layers and inherit them in the others";
                self.report(error(codes::CS0206, self.layer_spot(layer), message).help(help));
                self.layers[layer].state = Ty::Error;
                return false;
            }
            Progress::Unseen => {}
        }
        self.layers[layer].progress = Progress::Started;
        let attribute = self.attribute(layer);
        if attribute.nilpotent && attribute.protocol.is_none() {
            let message =
                "malformed attribute: `nilpotent` says what a protocol layer does with operations that are not allowed";
            self.report(
                error(codes::CS0207, self.layer_spot(layer), message).help("write `protocol = Layer, nilpotent`"),
            );
        }
        self.own_members(layer);
        match &attribute.protocol {
            Some(raw) => self.resolve_protocol(layer, raw, attribute.nilpotent),
            None => {
                for inherit in &attribute.inherit {
                    self.inherit(layer, inherit);
                }
                if let Some(model) = &attribute.ops {
                    self.check_ops(layer, model);
                }
            }
        }
        self.layers[layer].progress = Progress::Done;
        self.layers[layer].state != Ty::Error
    }

    pub(super) fn unknown_operation(&mut self, layer: usize, file: u32, name: &Name) {
        if self.layers[layer].incomplete {
            return;
        }
        let message = format!("layer `{}` has no operation `{}`", self.layer_name(layer), name.text);
        let help = did_you_mean(&name.text, self.layers[layer].operations.iter().map(|it| it.name.as_str()));
        let diagnostic = error(codes::CS0202, self.name_spot(file, name), message).maybe_help(help);
        self.report(diagnostic.related(self.layer_spot(layer), "the layer"));
    }

    pub(super) fn report_signatures(&mut self, spot: Spot, operation: &str, here: usize, there: usize, other: Spot) {
        let message = format!(
            "`{operation}` does not have the same signature in layers `{}` and `{}`",
            self.layer_name(here),
            self.layer_name(there)
        );
        self.report(error(codes::CS0205, spot, message).related(other, "the other one"));
    }
}
