//! `inherit(Layer: …)`: takes operations and initial states from another layer, over the same state, a component of it, or the entries of a
//! map in it.

use std::sync::Arc;

use super::OperationInfo;
use crate::{
    diagnostics::codes,
    index::{Inherit, Name},
    ir::lower::{
        declared::{ItemRef, Origin},
        lift::Lift,
        lowering::Package,
        report::{DiagnosticExt, did_you_mean, error},
        spot::Spot,
        ty::{Con, Ty},
        types::TypeInfoKind,
    },
};

impl Package {
    /// Resolves the layer that another one inherits from.
    pub(super) fn source_layer(&mut self, layer: usize, name: &Name) -> Option<usize> {
        let site = self.block_site(self.layers[layer].file, self.layers[layer].block);
        let source = self.find_layer(site, name).filter(|it| self.resolve_layer(*it));
        if source.is_none() {
            self.layers[layer].incomplete = true;
        }
        source
    }

    pub(super) fn inherit(&mut self, layer: usize, inherit: &Inherit) {
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
            let spot = self.name_spot(file, name);
            let same_state = self.layers[source].state == state;
            let found = self.operation(source, &name.text).cloned();
            let stateless = found.as_ref().is_some_and(|it| it.stateless);
            if found.is_none() && name.text != "init" {
                self.unknown_operation(source, file, name);
                self.layers[layer].incomplete |= self.layers[source].incomplete;
            } else if !same_state && !stateless && !(state == Ty::Error) {
                self.report_states(spot, &name.text, source, &state);
                self.layers[layer].incomplete = true;
            } else if let Some(operation) = found {
                self.inherit_operation(layer, operation, &component, spot);
            } else if inherit.field.is_some() {
                let message = "malformed attribute: `init` cannot be inherited for a part of the state";
                self.report(error(codes::CS0207, spot, message).help("write an `#[init]` function"));
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
            Origin::Lifted(number) => self.lifts[number as usize].item,
        }
    }

    /// `inherit(Layer in field[key: K]: …)`: each operation takes the key first and acts on its entry.
    fn inherit_by_key(&mut self, layer: usize, source: usize, field: &Name, key: &(Name, Name), names: &[Name]) {
        let file = self.layers[layer].file;
        let (key_name, key_type) = key;
        let site = self.block_site(file, self.layers[layer].block);
        let key_type = self.resolve_name(site, self.name_spot(file, key_type), &key_type.path());
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
            self.report(error(codes::CS0204, self.name_spot(file, field), message).help(help));
            self.layers[layer].incomplete = true;
            return;
        }
        for name in names {
            let spot = self.name_spot(file, name);
            let lift = |item, inner, init| Lift {
                layer,
                field: path.clone(),
                key: (key_name.text.clone(), key_type.clone()),
                entry: entry.clone(),
                item,
                inner,
                init,
                spot,
            };
            match self.operation(source, &name.text).cloned() {
                Some(it) if it.external => {
                    let message = format!("malformed attribute: `{}` is external, and belongs to no key", name.text);
                    self.report(
                        error(codes::CS0207, spot, message).help("inherit it in an `inherit(…)` without a key"),
                    );
                }
                Some(OperationInfo { origin: Origin::Lifted(_), .. }) => {
                    let message = format!("malformed attribute: `{}` takes a key already", name.text);
                    self.report(error(codes::CS0207, spot, message).help("an operation takes one key: use a tuple"));
                }
                Some(operation) => {
                    let lift = lift(operation.function, operation.component.clone(), false);
                    self.lift_operation(layer, operation, lift);
                }
                None if name.text == "init" => {
                    let Some(Origin::Written(init)) = self.layers[source].init else { continue };
                    let lifted = self.lifted(lift(init, Vec::new(), true));
                    self.only_one(layer, init, lifted, |it| &mut it.init);
                }
                None => {
                    self.unknown_operation(source, file, name);
                    self.layers[layer].incomplete |= self.layers[source].incomplete;
                }
            }
        }
    }

    fn lift_operation(&mut self, layer: usize, operation: OperationInfo, lift: Lift) {
        let spot = lift.spot;
        let lifted = OperationInfo {
            signature: Arc::new(lift.signature(&self.layers[layer].state, &operation.signature)),
            origin: self.lifted(lift),
            component: Vec::new(),
            claim: None,
            declared_in: layer,
            ..operation
        };
        self.inherit_operation(layer, lifted, &[], spot);
    }

    fn lifted(&mut self, lift: Lift) -> Origin {
        self.lifts.push(lift);
        Origin::Lifted(self.lifts.len() as u32 - 1)
    }

    fn inherit_operation(&mut self, layer: usize, mut operation: OperationInfo, component: &[u32], spot: Spot) {
        if let Some(own) = self.operation(layer, &operation.name) {
            let message = format!("operation `{}` is declared twice: here and inherited", operation.name);
            self.report(error(codes::CS0203, spot, message).related(own.spot, "also declared here"));
            return;
        }
        operation.component.splice(0..0, component.iter().copied());
        operation.allowed.clear();
        operation.spot = spot;
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
        let spot = self.name_spot(self.layers[layer].file, field);
        let message = format!("`{}` has no field `{}`", self.type_name_of(&state), field.text);
        let help = did_you_mean(&field.text, fields.iter().map(|(name, _)| name.as_str()));
        self.report(error(codes::CS0202, spot, message).maybe_help(help));
        None
    }

    fn report_states(&mut self, spot: Spot, operation: &str, source: usize, state: &Ty) {
        let message = format!(
            "`{operation}` of layer `{}` acts on `{}`, but here the state is `{}`",
            self.layer_name(source),
            self.type_name_of(&self.layers[source].state),
            self.type_name_of(state)
        );
        let help = "only operations that do not read the state can be inherited over any state; for a component, write `inherit(Layer in field: op)`";
        self.report(error(codes::CS0204, spot, message).help(help));
    }
}
