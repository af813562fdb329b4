//! `protocol = Raw`: takes everything of another layer, restricted to where it is allowed.

use crate::{
    diagnostics::codes,
    index::{Name, Role},
    ir::lower::{
        declared::ItemRef,
        lowering::Package,
        report::{DiagnosticExt, error},
        signature::Signature,
        ty::Ty,
    },
};

impl Package {
    /// `protocol = Raw`: takes everything of the raw layer, with conditions.
    pub(super) fn resolve_protocol(&mut self, layer: usize, raw: &Name, nilpotent: bool) {
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
            self.report(error(codes::CS0204, self.layer_spot(layer), message).help(help));
            self.layers[layer].state = Ty::Error;
            return;
        }
        for own in self.layers[layer].operations.clone() {
            let message =
                format!("`{}`: a protocol layer has the operations of the layer it restricts, and no others", own.name);
            self.report(error(codes::CS0207, own.spot, message).help("declare it in the unrestricted layer"));
        }
        let spot = self.name_spot(self.layers[layer].file, raw);
        let mut operations = self.layers[source].operations.clone();
        for operation in &mut operations {
            operation.allowed.clear();
            operation.spot = if operation.declared_in == source { operation.spot } else { spot };
        }
        let (init, background) = (self.layers[source].init, self.layers[source].background);
        let (invariants, idle) = (self.layers[source].invariants.clone(), self.layers[source].idle.clone());
        let info = &mut self.layers[layer];
        info.operations = operations;
        info.init = info.init.or(init);
        info.background = info.background.or(background);
        info.invariants.splice(0..0, invariants);
        info.idle.splice(0..0, idle);
        info.protocol = Some((source, nilpotent));
        self.layers[layer].incomplete |= self.layers[source].incomplete;
        self.attach_allowed(layer);
    }

    /// Attaches every `#[allowed(op, …)]` function to the operations that it names.
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
        let operation = &self.layers[layer].operations[number];
        if takes_first_arguments(signature, &operation.signature) {
            self.layers[layer].operations[number].allowed.push(item);
        } else {
            let message = format!("the arguments here are not those of operation `{}`", name.text);
            let diagnostic = error(codes::CS0205, self.name_spot(item.file, name), message);
            let diagnostic = diagnostic.related(operation.spot, "the operation");
            self.report(
                diagnostic.help("take `me: Pid`, and after it the first arguments of the operation, by their names"),
            );
        }
    }
}

/// Whether a rule takes the first few arguments of an operation. If it leaves some out, the others must have the same names, so that a rule
/// about the second of two numbers is not taken for one about the first.
fn takes_first_arguments(rule: &Signature, operation: &Signature) -> bool {
    let (conditioned, arguments) = (rule.shape().0, operation.shape().0);
    let name =
        |of: &Signature, at: usize| of.parameters.get(at + 2).map(|it| it.name.trim_start_matches('_').to_owned());
    let same_names = || (0..conditioned.len()).all(|at| name(rule, at) == name(operation, at));
    arguments.starts_with(&conditioned) && (conditioned.len() == arguments.len() || same_names())
}
