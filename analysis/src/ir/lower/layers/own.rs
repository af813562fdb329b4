//! The declarations in the `impl` block of a layer: its own operations, and the roles of its other functions.

use super::{LayerInfo, OperationInfo};
use crate::{
    diagnostics::codes,
    index::Role,
    ir::Claim,
    ir::lower::{
        declared::{ItemRef, Origin},
        lowering::Package,
        report::{DiagnosticExt, error},
        signature::Signature,
        spot::Spot,
        ty::Ty,
    },
};

impl Package {
    /// Reads the declarations of the `impl` block itself.
    pub(super) fn own_members(&mut self, layer: usize) {
        let (file, block) = (self.layers[layer].file, self.layers[layer].block);
        for item in self.members(file, block) {
            match &self.function_item(item).role {
                Role::Op { claim, external } => {
                    let claim = claim.as_ref().map(|(claim, word)| (*claim, self.name_spot(file, word)));
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
                Role::Idle => {
                    let usage = "#[idle] fn name(&self, me: Pid) -> bool";
                    let fits = |it: &Signature| {
                        it.is_method
                            && it.parameters.len() == 2
                            && it.parameters[1].ty == Ty::PID
                            && it.result == Ty::BOOL
                    };
                    if self.check_shape(layer, item, usage, fits) {
                        self.layers[layer].idle.push(item);
                    }
                }
                Role::Question(question) => {
                    let (question, usage) = (*question, format!("#[{}] fn name(&self) -> bool", question.name()));
                    if self.check_condition(layer, item, &usage) {
                        self.layers[layer].questions.push((question, item));
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
                    let spot = self.name_spot(file, &self.function_item(item).name);
                    let message = "malformed attribute: only protocol layers say which operations are allowed";
                    self.report(error(codes::CS0207, spot, message).help("write `#[layer(protocol = Layer)]`"));
                }
                Role::Plain | Role::Allowed(_) | Role::Abstraction | Role::Client { .. } => {}
            }
        }
    }

    /// Fills a role that only one function can have. `item` describes a second one in the message.
    pub(super) fn only_one(
        &mut self,
        layer: usize,
        item: ItemRef,
        origin: Origin,
        slot: fn(&mut LayerInfo) -> &mut Option<Origin>,
    ) {
        match *slot(&mut self.layers[layer]) {
            None => *slot(&mut self.layers[layer]) = Some(origin),
            Some(first) => {
                let first = self.spot_of(first);
                let name = &self.function_item(item).name;
                self.declared_twice("the role of", item.file, name, first);
            }
        }
    }

    fn check_condition(&mut self, layer: usize, item: ItemRef, usage: &str) -> bool {
        self.check_shape(layer, item, usage, |it| it.is_method && it.parameters.len() == 1 && it.result == Ty::BOOL)
    }

    pub(super) fn check_shape(
        &mut self,
        layer: usize,
        item: ItemRef,
        usage: &str,
        fits: impl Fn(&Signature) -> bool,
    ) -> bool {
        let Some(signature) = self.signature(item) else {
            self.layers[layer].incomplete = true;
            return false;
        };
        if !fits(&signature) {
            let name = self.function_item(item).name.clone();
            let message = format!("`{}` has the wrong signature for its role", name.text);
            let spot = self.name_spot(item.file, &name);
            self.report(error(codes::CS0205, spot, message).help(format!("write `{usage}`")));
        }
        fits(&signature)
    }

    fn own_operation(&mut self, layer: usize, item: ItemRef, claim: Option<(Claim, Spot)>, external: bool) {
        let name = self.function_item(item).name.clone();
        let spot = self.name_spot(item.file, &name);
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
            let first = first.spot;
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
            stateless: external || !self.function_item(item).mentions_self,
            allowed: Vec::new(),
            declared_in: layer,
            spot,
        };
        self.layers[layer].operations.push(operation);
    }
}
