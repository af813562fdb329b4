//! `ops = Model`: has the same operations as another layer, with new meanings.

use super::OperationInfo;
use crate::{
    diagnostics::codes,
    index::Name,
    ir::lower::{
        lowering::Package,
        report::{DiagnosticExt, did_you_mean, error},
    },
};

impl Package {
    /// `ops = Model`: checks that the operations are the same, and puts them in the model's order.
    pub(super) fn check_ops(&mut self, layer: usize, model: &Name) {
        let Some(source) = self.source_layer(layer, model) else { return };
        let spot = self.layer_spot(layer);
        for wanted in self.layers[source].operations.clone() {
            match self.operation(layer, &wanted.name).cloned() {
                Some(own) if own.signature.shape() != wanted.signature.shape() => {
                    self.report_signatures(own.spot, &wanted.name, layer, source, wanted.spot);
                }
                None if !self.layers[layer].incomplete => {
                    let message = format!(
                        "layer `{}` has no operation `{}`, but `ops = {}` requires it",
                        self.layer_name(layer),
                        wanted.name,
                        model.text
                    );
                    let help = format!("define it with `#[op] fn {}`, or name it in `inherit(…)`", wanted.name);
                    self.report(error(codes::CS0201, spot, message).help(help).related(wanted.spot, "declared here"));
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
                    "`{}` of layer `{here}` is not an operation of `{there}`, but `ops = {there}` requires that all are",
                    own.name
                );
                let help = did_you_mean(&own.name, self.layers[source].operations.iter().map(|it| it.name.as_str()));
                self.report(error(codes::CS0205, own.spot, message).maybe_help(help));
            }
        }
    }
}
