//! Layers: which operations each has in the end, after inheritance, `ops = …` and `protocol = …`.
//!
//! Works with signatures only; bodies come later. A layer that cannot be made sense of is left out, always with a diagnostic.

use std::{collections::HashMap, rc::Rc};

use super::{
    lift::Lift,
    names::{Entry, Meaning, Namespace},
    package::{ItemRef, Origin, Package, Site},
    report::{DiagnosticExt, did_you_mean, error},
    signature::Signature,
    ty::{Con, Ty},
    types::TypeInfoKind,
};
use crate::{
    diagnostics::codes,
    index::{ImplRole, Inherit, LayerAttribute, Name, Role},
    ir::{Claim, Layer, LayerId, Operation, Program, Protocol, SourceMap, Span},
    syntax::{AstNode, ast},
};

/// A layer.
pub(super) struct LayerInfo {
    pub(super) name: Name,
    pub(super) file: u32,
    /// Index of its `impl` block.
    pub(super) block: u32,
    /// `None` if the layer is left out.
    pub(super) id: Option<LayerId>,
    pub(super) state: Ty,
    pub(super) operations: Vec<OperationInfo>,
    pub(super) init: Option<Origin>,
    pub(super) background: Option<Origin>,
    pub(super) invariants: Vec<ItemRef>,
    /// The raw layer, and whether it is nilpotent.
    pub(super) protocol: Option<(usize, bool)>,
    /// What it makes of operations and initial states of entries of its maps.
    pub(super) lifts: Vec<Lift>,
    /// Something of it is left out and reported: what lacks may have been there.
    pub(super) incomplete: bool,
    progress: Progress,
}

/// How far a layer is resolved.
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
    /// Where it is declared.
    pub(super) function: ItemRef,
    /// What it is made from: `function`, or a lift of it.
    pub(super) origin: Origin,
    pub(super) signature: Rc<Signature>,
    pub(super) component: Vec<u32>,
    claim: Option<(Claim, Span)>,
    pub(super) external: bool,
    /// It does not look at the state, so that it means the same over every state.
    stateless: bool,
    allowed: Vec<ItemRef>,
    declared_in: usize,
    span: Span,
}

/// Finds the layers of the package and resolves all of them.
pub(super) fn resolve(package: &mut Package<'_>) {
    declare(package);
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

fn declare(package: &mut Package<'_>) {
    let mut names: HashMap<String, usize> = HashMap::new();
    let blocks = package.files.iter().flat_map(|it| &it.index.impls);
    for name in blocks.filter(|it| matches!(it.role, ImplRole::Layer(_))).filter_map(|it| it.trait_name.as_ref()) {
        *names.entry(name.text.clone()).or_default() += 1;
    }
    for file in 0..package.files.len() as u32 {
        let index = package.files[file as usize].index;
        for (block, declared) in index.impls.iter().enumerate() {
            let (ImplRole::Layer(_), Some(name)) = (&declared.role, &declared.trait_name) else { continue };
            let item = ItemRef { file, index: block as u32 };
            if package.is_rejected(Entry::Layer(item)) {
                continue;
            }
            package.layer_of.insert(item, package.layers.len());
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
                protocol: None,
                lifts: Vec::new(),
                incomplete: false,
                progress: Progress::Unseen,
            });
        }
        for declared in index.impls.iter().filter(|it| matches!(it.role, ImplRole::Layer(_)) && it.trait_name.is_none())
        {
            if let Some(node) = package.node::<ast::Impl>(file, declared.declaration) {
                let span = package.site(file, declared.scope).span(node.syntax());
                let span = Span { end: span.start + 1, ..span };
                package.report(error(codes::CS0207, span, "a layer needs a name").help("write `impl Name for State`"));
            }
        }
    }
}

/// Asks for every function that a layer is made of.
pub(super) fn request_functions(package: &mut Package<'_>) {
    for layer in 0..package.layers.len() {
        if package.layers[layer].id.is_none() {
            continue;
        }
        let info = &package.layers[layer];
        let mut origins: Vec<Origin> = info.init.into_iter().chain(info.background).collect();
        origins.extend(info.invariants.iter().copied().map(Origin::Written));
        for operation in &info.operations {
            origins.push(operation.origin);
            origins.extend(operation.allowed.iter().copied().map(Origin::Written));
        }
        for origin in origins {
            match origin {
                Origin::Written(item) => drop(package.request(item)),
                Origin::Lifted { layer, number } => {
                    // What is lifted has a signature.
                    if package.request(package.layers[layer].lifts[number].item).is_some() {
                        package.request_known(origin);
                    }
                }
            }
        }
    }
}

/// Writes the layers into the program.
pub(super) fn emit(package: &Package<'_>, program: &mut Program, source_map: &mut SourceMap) {
    for layer in package.layers.iter().filter(|it| it.id.is_some()) {
        // A layer with an id has a sound state.
        let Some(state) = layer.state.to_type() else { continue };
        let id = |origin: &Origin| package.function_ids.get(origin).copied();
        let written = |item: &ItemRef| id(&Origin::Written(*item));
        let operation = |it: &OperationInfo| {
            Some(Operation {
                name: it.name.clone(),
                function: id(&it.origin)?,
                component: it.component.clone(),
                claim: it.claim.map(|(claim, _)| claim),
                external: it.external,
                allowed: it.allowed.iter().filter_map(written).collect(),
                declared_in: package.layer_id(it.declared_in)?,
            })
        };
        program.layers.push(Layer {
            name: layer.name.text.clone(),
            state,
            operations: layer.operations.iter().filter_map(operation).collect(),
            init: layer.init.as_ref().and_then(id),
            background: layer.background.as_ref().and_then(id),
            invariants: layer.invariants.iter().filter_map(written).collect(),
            protocol: layer
                .protocol
                .and_then(|(raw, nilpotent)| Some(Protocol { raw: package.layer_id(raw)?, nilpotent })),
        });
        source_map.layers.push(package.name_span(layer.file, &layer.name));
        source_map.operations.push(layer.operations.iter().map(|it| it.span).collect());
        source_map.claims.push(layer.operations.iter().map(|it| it.claim.map(|(_, span)| span)).collect());
    }
}

impl Package<'_> {
    pub(super) fn layer_span(&self, layer: usize) -> Span {
        self.name_span(self.layers[layer].file, &self.layers[layer].name)
    }

    pub(super) fn layer_name(&self, layer: usize) -> &str {
        &self.layers[layer].name.text
    }

    /// The layer that a name in an attribute means; `None` if it is unknown (reported).
    pub(super) fn find_layer(&mut self, site: Site, name: &Name) -> Option<usize> {
        let span = self.name_span(site.file, name);
        self.layer_at(site, &name.path(), span)
    }

    /// The layer that a path means; `None` if it is unknown, or left out (reported).
    pub(super) fn layer_at(&mut self, site: Site, path: &[String], span: Span) -> Option<usize> {
        let name = path.join("::");
        match self.names.meaning(site.scope, path, Namespace::Types) {
            // A layer whose attribute is malformed is there, and is none.
            Meaning::Item(Entry::Layer(item)) => self.layer_of.get(&item).copied(),
            Meaning::Several(one, other) => {
                self.report_several(span, &name, [one, other]);
                None
            }
            _ => {
                let help = self.advice(&name, Namespace::Types, |it| matches!(it, Entry::Layer(_)), []);
                self.report(error(codes::CS0202, span, format!("unknown layer `{name}`")).maybe_help(help));
                None
            }
        }
    }

    pub(super) fn operation(&self, layer: usize, name: &str) -> Option<&OperationInfo> {
        self.layers[layer].operations.iter().find(|it| it.name == name)
    }

    fn attribute(&self, layer: usize) -> LayerAttribute {
        let info = &self.layers[layer];
        match &self.files[info.file as usize].index.impls[info.block as usize].role {
            ImplRole::Layer(attribute) => attribute.clone(),
            _ => LayerAttribute::default(),
        }
    }

    fn state_of(&mut self, layer: usize) -> Ty {
        let (file, block) = (self.layers[layer].file, self.layers[layer].block);
        let declared = &self.files[file as usize].index.impls[block as usize];
        let written = self.node::<ast::Impl>(file, declared.declaration).and_then(|it| it.self_ty());
        let Some(written) = written else { return Ty::Error };
        let state = self.resolve_type(self.block_site(file, block), &written, None);
        if self.is_sound(&state) { state } else { Ty::Error }
    }

    /// Resolves a layer after those it is made from; `false` if it is left out.
    fn resolve_layer(&mut self, layer: usize) -> bool {
        match self.layers[layer].progress {
            Progress::Done => return self.layers[layer].state != Ty::Error,
            Progress::Started => {
                let message = format!("layer `{}` is made from itself", self.layer_name(layer));
                let help = "declare the shared operations in one of the layers and inherit them in the others";
                self.report(error(codes::CS0206, self.layer_span(layer), message).help(help));
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
                error(codes::CS0207, self.layer_span(layer), message).help("write `protocol = Layer, nilpotent`"),
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

    /// What the `impl` block itself declares.
    fn own_members(&mut self, layer: usize) {
        let (file, block) = (self.layers[layer].file, self.layers[layer].block);
        for item in self.members(file, block) {
            match &self.function_item(item).role {
                Role::Op { claim, external } => {
                    let claim = claim.as_ref().map(|(claim, word)| (*claim, self.name_span(file, word)));
                    self.own_operation(layer, item, claim, *external);
                }
                Role::Init => {
                    if self.check_condition(layer, item, "#[init] fn init(&self) -> bool") {
                        self.only_one(layer, item, Origin::Written(item), |it| &mut it.init);
                    }
                }
                Role::Invariant => {
                    if self.check_condition(layer, item, "#[invariant] fn name(&self) -> bool") {
                        self.layers[layer].invariants.push(item);
                    }
                }
                Role::Background => {
                    let usage = "#[background] fn name(&mut self)";
                    let fits = |it: &Signature| it.is_method && it.parameters.len() == 1 && it.result == Ty::UNIT;
                    if self.check_shape(layer, item, usage, fits) {
                        self.only_one(layer, item, Origin::Written(item), |it| &mut it.background);
                    }
                }
                Role::Malformed => self.layers[layer].incomplete = true,
                Role::Allowed(_) if self.attribute(layer).protocol.is_none() => {
                    let span = self.name_span(file, &self.function_item(item).name);
                    let message = "malformed attribute: only protocol layers say which operations are allowed";
                    self.report(error(codes::CS0207, span, message).help("write `#[layer(protocol = Layer)]`"));
                }
                Role::Plain | Role::Allowed(_) | Role::Abstraction | Role::Client { .. } => {}
            }
        }
    }

    /// Fills a role that one function can have. `item` is what a second one is called.
    fn only_one(
        &mut self,
        layer: usize,
        item: ItemRef,
        origin: Origin,
        slot: fn(&mut LayerInfo) -> &mut Option<Origin>,
    ) {
        match *slot(&mut self.layers[layer]) {
            None => *slot(&mut self.layers[layer]) = Some(origin),
            Some(first) => {
                let first = match first {
                    Origin::Written(first) => self.name_span(first.file, &self.function_item(first).name),
                    Origin::Lifted { layer, number } => self.layers[layer].lifts[number].span,
                };
                let name = &self.function_item(item).name;
                self.declared_twice("the role of", item.file, name, first);
            }
        }
    }

    fn check_condition(&mut self, layer: usize, item: ItemRef, usage: &str) -> bool {
        self.check_shape(layer, item, usage, |it| it.is_method && it.parameters.len() == 1 && it.result == Ty::BOOL)
    }

    fn check_shape(&mut self, layer: usize, item: ItemRef, usage: &str, fits: impl Fn(&Signature) -> bool) -> bool {
        let Some(signature) = self.signature(item) else {
            self.layers[layer].incomplete = true;
            return false;
        };
        if !fits(&signature) {
            let name = self.function_item(item).name.clone();
            let message = format!("`{}` has the wrong signature for its role", name.text);
            let span = self.name_span(item.file, &name);
            self.report(error(codes::CS0205, span, message).help(format!("write `{usage}`")));
        }
        fits(&signature)
    }

    fn own_operation(&mut self, layer: usize, item: ItemRef, claim: Option<(Claim, Span)>, external: bool) {
        let name = self.function_item(item).name.clone();
        let span = self.name_span(item.file, &name);
        let usage = format!("#[op] fn {}(&mut self, me: Pid, …)", name.text);
        let fits = |it: &Signature| {
            it.is_method && it.lower.is_none() && it.parameters.get(1).is_some_and(|it| it.ty == Ty::PID && !it.inout)
        };
        if !self.check_shape(layer, item, &usage, fits) {
            self.layers[layer].incomplete = true;
            return;
        }
        let Some(signature) = self.signature(item) else { return };
        if let Some(first) = self.operation(layer, &name.text) {
            let first = first.span;
            self.declared_twice("operation", item.file, &name, first);
            return;
        }
        if external && let Some((_, claimed)) = claim {
            let message = format!("`{}` is external, and external operations never move", name.text);
            self.report(error(codes::CS0207, claimed, message).help("remove the claim"));
        }
        let operation = OperationInfo {
            name: name.text,
            function: item,
            origin: Origin::Written(item),
            signature,
            component: Vec::new(),
            claim: claim.filter(|_| !external),
            external,
            stateless: external || !self.mentions_self(item),
            allowed: Vec::new(),
            declared_in: layer,
            span,
        };
        self.layers[layer].operations.push(operation);
    }

    fn mentions_self(&self, item: ItemRef) -> bool {
        let function: Option<ast::Fn> = self.node(item.file, self.function_item(item).declaration);
        let body = function.and_then(|it| it.body());
        body.is_some_and(|it| {
            let tokens = it.syntax().descendants_with_tokens().filter_map(|it| it.into_token());
            tokens.into_iter().any(|it| matches!(it.text(), "self" | "Self"))
        })
    }

    /// The layer that another one is made from, resolved.
    fn source_layer(&mut self, layer: usize, name: &Name) -> Option<usize> {
        let site = self.block_site(self.layers[layer].file, self.layers[layer].block);
        let source = self.find_layer(site, name).filter(|it| self.resolve_layer(*it));
        if source.is_none() {
            self.layers[layer].incomplete = true;
        }
        source
    }

    fn inherit(&mut self, layer: usize, inherit: &Inherit) {
        let Some(source) = self.source_layer(layer, &inherit.layer) else { return };
        if let (Some(field), Some(key)) = (&inherit.field, &inherit.key) {
            self.inherit_by_key(layer, source, field, key, &inherit.names);
            return;
        }
        let file = self.layers[layer].file;
        let Some((component, state)) = self.component(layer, inherit.field.as_ref()) else {
            self.layers[layer].incomplete = true;
            return;
        };
        for name in &inherit.names {
            let span = self.name_span(file, name);
            let same_state = self.layers[source].state == state;
            let found = self.operation(source, &name.text).cloned();
            let stateless = found.as_ref().is_some_and(|it| it.stateless);
            if found.is_none() && name.text != "init" {
                self.unknown_operation(source, file, name);
                self.layers[layer].incomplete |= self.layers[source].incomplete;
            } else if !same_state && !stateless && !(state == Ty::Error) {
                self.report_states(span, &name.text, source, &state);
                self.layers[layer].incomplete = true;
            } else if let Some(operation) = found {
                self.inherit_operation(layer, operation, &component, span);
            } else if inherit.field.is_some() {
                let message = "malformed attribute: `init` cannot be inherited for a part of the state";
                self.report(error(codes::CS0207, span, message).help("write an `#[init]` function"));
            } else if let Some(init) = self.layers[source].init {
                let item = self.written(init);
                self.only_one(layer, item, init, |it| &mut it.init);
            }
        }
    }

    /// The function that an origin leads to.
    fn written(&self, origin: Origin) -> ItemRef {
        match origin {
            Origin::Written(item) => item,
            Origin::Lifted { layer, number } => self.layers[layer].lifts[number].item,
        }
    }

    /// `inherit(Layer in field[key: K]: …)`: each operation takes the key first and acts on its entry.
    fn inherit_by_key(&mut self, layer: usize, source: usize, field: &Name, key: &(Name, Name), names: &[Name]) {
        let file = self.layers[layer].file;
        let (key_name, key_type) = key;
        let site = self.block_site(file, self.layers[layer].block);
        let key_type = self.resolve_name(site, self.name_span(file, key_type), &key_type.path());
        let component = self.component(layer, Some(field)).filter(|_| self.is_sound(&key_type));
        let Some((path, map)) = component else {
            self.layers[layer].incomplete = true;
            return;
        };
        let entry = self.layers[source].state.clone();
        let wanted = Ty::Con(Con::Map, vec![key_type.clone(), entry.clone()]);
        if map != wanted {
            let message = format!(
                "`{}` is a `{}`, but operations of layer `{}` act on the entries of a `{}`",
                field.text,
                self.type_name_of(&map),
                self.layer_name(source),
                self.type_name_of(&wanted)
            );
            let help = "write `inherit(Layer in field[key: Key]: op)` where the field is a `Map<Key, State>`";
            self.report(error(codes::CS0204, self.name_span(file, field), message).help(help));
            self.layers[layer].incomplete = true;
            return;
        }
        for name in names {
            let span = self.name_span(file, name);
            let lift = |item, inner, init| Lift {
                field: path.clone(),
                key: (key_name.text.clone(), key_type.clone()),
                entry: entry.clone(),
                item,
                inner,
                init,
                span,
            };
            match self.operation(source, &name.text).cloned() {
                Some(it) if it.external => {
                    let message = format!("malformed attribute: `{}` is external, and belongs to no key", name.text);
                    self.report(
                        error(codes::CS0207, span, message).help("inherit it in an `inherit(…)` without a key"),
                    );
                }
                Some(OperationInfo { origin: Origin::Lifted { .. }, .. }) => {
                    let message = format!("malformed attribute: `{}` takes a key already", name.text);
                    self.report(error(codes::CS0207, span, message).help("an operation takes one key: use a tuple"));
                }
                Some(operation) => {
                    let lift = lift(operation.function, operation.component.clone(), false);
                    self.lift_operation(layer, operation, lift);
                }
                None if name.text == "init" => {
                    let Some(Origin::Written(init)) = self.layers[source].init else { continue };
                    let number = self.layers[layer].lifts.len();
                    self.layers[layer].lifts.push(lift(init, Vec::new(), true));
                    self.only_one(layer, init, Origin::Lifted { layer, number }, |it| &mut it.init);
                }
                None => {
                    self.unknown_operation(source, file, name);
                    self.layers[layer].incomplete |= self.layers[source].incomplete;
                }
            }
        }
    }

    fn lift_operation(&mut self, layer: usize, operation: OperationInfo, lift: Lift) {
        let span = lift.span;
        let number = self.layers[layer].lifts.len();
        let lifted = OperationInfo {
            origin: Origin::Lifted { layer, number },
            signature: Rc::new(lift.signature(&self.layers[layer].state, &operation.signature)),
            component: Vec::new(),
            claim: None,
            declared_in: layer,
            ..operation
        };
        self.layers[layer].lifts.push(lift);
        self.inherit_operation(layer, lifted, &[], span);
    }

    fn inherit_operation(&mut self, layer: usize, mut operation: OperationInfo, component: &[u32], span: Span) {
        if let Some(own) = self.operation(layer, &operation.name) {
            let message = format!("operation `{}` is declared twice: here and inherited", operation.name);
            self.report(error(codes::CS0203, span, message).related(own.span, "also declared here"));
            return;
        }
        operation.component.splice(0..0, component.iter().copied());
        operation.allowed.clear();
        operation.span = span;
        self.layers[layer].operations.push(operation);
    }

    /// The field of the state that `in field` names, with its type; the whole state without it.
    fn component(&mut self, layer: usize, field: Option<&Name>) -> Option<(Vec<u32>, Ty)> {
        let state = self.layers[layer].state.clone();
        let (Some(field), Ty::Con(Con::User(id), _)) = (field, &state) else {
            return Some((Vec::new(), state));
        };
        let fields = match &self.type_info(*id).kind {
            TypeInfoKind::Struct(fields) => fields.clone(),
            _ => Vec::new(),
        };
        if let Some(number) = fields.iter().position(|(name, _)| *name == field.text) {
            return Some((vec![number as u32], fields[number].1.clone()));
        }
        let span = self.name_span(self.layers[layer].file, field);
        let message = format!("`{}` has no field `{}`", self.type_name_of(&state), field.text);
        let help = did_you_mean(&field.text, fields.iter().map(|(name, _)| name.as_str()));
        self.report(error(codes::CS0202, span, message).maybe_help(help));
        None
    }

    pub(super) fn unknown_operation(&mut self, layer: usize, file: u32, name: &Name) {
        if self.layers[layer].incomplete {
            return;
        }
        let message = format!("layer `{}` has no operation `{}`", self.layer_name(layer), name.text);
        let help = did_you_mean(&name.text, self.layers[layer].operations.iter().map(|it| it.name.as_str()));
        let diagnostic = error(codes::CS0202, self.name_span(file, name), message).maybe_help(help);
        self.report(diagnostic.related(self.layer_span(layer), "the layer"));
    }

    fn report_states(&mut self, span: Span, operation: &str, source: usize, state: &Ty) {
        let message = format!(
            "`{operation}` of layer `{}` acts on `{}`, but here the state is `{}`",
            self.layer_name(source),
            self.type_name_of(&self.layers[source].state),
            self.type_name_of(state)
        );
        let help = "only operations that do not look at it are inherited over any state; for a component, write `inherit(Layer in field: op)`";
        self.report(error(codes::CS0204, span, message).help(help));
    }

    /// `ops = Model`: the same operations, in the model's order.
    fn check_ops(&mut self, layer: usize, model: &Name) {
        let Some(source) = self.source_layer(layer, model) else { return };
        let span = self.layer_span(layer);
        for wanted in self.layers[source].operations.clone() {
            match self.operation(layer, &wanted.name).cloned() {
                Some(own) if own.signature.shape() != wanted.signature.shape() => {
                    self.report_signatures(own.span, &wanted.name, layer, source, wanted.span);
                }
                None if !self.layers[layer].incomplete => {
                    let message = format!(
                        "layer `{}` has no operation `{}`, but `ops = {}` says that it has",
                        self.layer_name(layer),
                        wanted.name,
                        model.text
                    );
                    let help = format!("give it a meaning with `#[op] fn {}`, or name it in `inherit(…)`", wanted.name);
                    self.report(error(codes::CS0201, span, message).help(help).related(wanted.span, "declared here"));
                    self.layers[layer].incomplete = true;
                }
                _ => {}
            }
        }
        self.check_extra_operations(layer, source);
        let order: Vec<String> = self.layers[source].operations.iter().map(|it| it.name.clone()).collect();
        let position = |it: &OperationInfo| order.iter().position(|name| *name == it.name).unwrap_or(usize::MAX);
        self.layers[layer].operations.sort_by_key(position);
    }

    fn check_extra_operations(&mut self, layer: usize, source: usize) {
        if self.layers[source].incomplete {
            return;
        }
        for own in self.layers[layer].operations.clone() {
            if self.operation(source, &own.name).is_none() {
                let (here, there) = (self.layer_name(layer), self.layer_name(source));
                let message = format!(
                    "`{}` of layer `{here}` is not an operation of `{there}`, but `ops = {there}` says that all are",
                    own.name
                );
                let help = did_you_mean(&own.name, self.layers[source].operations.iter().map(|it| it.name.as_str()));
                self.report(error(codes::CS0205, own.span, message).maybe_help(help));
            }
        }
    }

    pub(super) fn report_signatures(&mut self, span: Span, operation: &str, here: usize, there: usize, other: Span) {
        let message = format!(
            "`{operation}` does not have the same signature in layers `{}` and `{}`",
            self.layer_name(here),
            self.layer_name(there)
        );
        self.report(error(codes::CS0205, span, message).related(other, "the other one"));
    }

    /// `protocol = Raw`: everything of the raw layer, with conditions.
    fn resolve_protocol(&mut self, layer: usize, raw: &Name, nilpotent: bool) {
        let Some(source) = self.source_layer(layer, raw) else {
            self.layers[layer].state = Ty::Error;
            return;
        };
        if self.layers[source].state != self.layers[layer].state {
            let message = format!("`{}` restricts `{}`, but their states differ", self.layer_name(layer), raw.text);
            let help = format!(
                "write `impl {} for {}`",
                self.layer_name(layer),
                self.type_name_of(&self.layers[source].state)
            );
            self.report(error(codes::CS0204, self.layer_span(layer), message).help(help));
            self.layers[layer].state = Ty::Error;
            return;
        }
        for own in self.layers[layer].operations.clone() {
            let message =
                format!("`{}`: a protocol layer has the operations of the layer it restricts, and no others", own.name);
            self.report(error(codes::CS0207, own.span, message).help("declare it in the unrestricted layer"));
        }
        let span = self.name_span(self.layers[layer].file, raw);
        let mut operations = self.layers[source].operations.clone();
        for operation in &mut operations {
            operation.allowed.clear();
            operation.span = if operation.declared_in == source { operation.span } else { span };
        }
        let (init, background) = (self.layers[source].init, self.layers[source].background);
        let invariants = self.layers[source].invariants.clone();
        let info = &mut self.layers[layer];
        info.operations = operations;
        info.init = info.init.or(init);
        info.background = info.background.or(background);
        info.invariants.splice(0..0, invariants);
        info.protocol = Some((source, nilpotent));
        self.layers[layer].incomplete |= self.layers[source].incomplete;
        self.attach_allowed(layer);
    }

    /// Every `#[allowed(op, …)]` function to the operations it names.
    fn attach_allowed(&mut self, layer: usize) {
        let (file, block) = (self.layers[layer].file, self.layers[layer].block);
        for item in self.members(file, block) {
            let Role::Allowed(names) = self.function_item(item).role.clone() else { continue };
            let usage = format!("#[allowed(…)] fn {}(&self, me: Pid) -> bool", self.function_item(item).name.text);
            let fits = |it: &Signature| {
                it.is_method && it.result == Ty::BOOL && it.parameters.get(1).is_some_and(|it| it.ty == Ty::PID)
            };
            if !self.check_shape(layer, item, &usage, fits) {
                continue;
            }
            let Some(signature) = self.signature(item) else { continue };
            for name in &names {
                self.attach(layer, item, name, &signature);
            }
        }
    }

    fn attach(&mut self, layer: usize, item: ItemRef, name: &Name, signature: &Signature) {
        let Some(number) = self.layers[layer].operations.iter().position(|it| it.name == name.text) else {
            self.unknown_operation(layer, item.file, name);
            return;
        };
        let (conditioned, _) = signature.shape();
        let operation = &self.layers[layer].operations[number];
        let (arguments, _) = operation.signature.shape();
        if conditioned.is_empty() || conditioned == arguments {
            self.layers[layer].operations[number].allowed.push(item);
        } else {
            let message = format!("the arguments here are not those of operation `{}`", name.text);
            let diagnostic = error(codes::CS0205, self.name_span(item.file, name), message);
            let diagnostic = diagnostic.related(operation.span, "the operation");
            self.report(diagnostic.help("take `me: Pid` only, or `me` and all arguments of the operation"));
        }
    }
}
