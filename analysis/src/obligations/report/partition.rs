//! Messages for a partition whose ends do not keep the states of different keys separate.

use super::{
    Finding, Reporter,
    name::{anchor, key_check},
};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::{Anchor, Code as How, ImplementationId, Justification},
    obligations::{
        Obligation, needs,
        partition::{self, Misplaced, PartitionEnd},
        question::{Answered, Effort},
    },
};

impl<'p> Reporter<'p> {
    pub(super) fn partition(&self, id: ImplementationId, part: partition::Part) -> Option<(Finding, Effort)> {
        let span = anchor(self.program(), &Obligation::Partition(id, part));
        if let partition::Part::Own(operation) = part
            && let Some(finding) = self.more_than_a_step(id, operation, span)
        {
            return Some((finding, Effort::default()));
        }
        let (answered, effort) = PartitionEnd::of(&self.setting, id)?.check(part);
        let implementation = self.implementation(id);
        let (key, upper) = (self.partition_key(id), implementation.upper);
        let (code, message, help) = match part {
            partition::Part::Own(operation) => {
                let (name, layer) = (self.operation_name(upper, operation), self.layer_name(upper));
                let message = format!("`{name}` does what `{layer}::{name}` does not allow at its `{key}`");
                (codes::CS1101, message, "pass the key on unchanged, and act only on what belongs to it".to_owned())
            }
            partition::Part::Frame(operation) => {
                let name = self.operation_name(upper, operation);
                let message = format!("`{name}` for one `{key}` changes the state of another");
                (codes::CS1102, message, format!("access the state below through `{key}` only"))
            }
            partition::Part::Check => {
                let message = format!("`{}` does not tell which `{key}` is valid", key_check(implementation));
                let help =
                    "let it return `true` only for valid keys, change nothing, and allow `false` for every key above";
                (codes::CS1103, message, help.to_owned())
            }
        };
        let finding = self.misplaced(answered, (code, message, help), "whether the partition is right", span)?;
        Some((finding, effort))
    }

    fn partition_key(&self, id: ImplementationId) -> &'p str {
        match &self.implementation(id).by {
            Justification::Partition(partition) => &partition.key,
            _ => "",
        }
    }

    /// A procedure at the bottom of a partition is one step, so no other process can take a step in between.
    fn more_than_a_step(&self, id: ImplementationId, operation: usize, span: Anchor) -> Option<Finding> {
        let How::Procedure(function) = self.how(id, operation)? else { return None };
        let lower = self.implementation(id).lower;
        let performed = needs::performed_before_the_last(self.program(), lower, *function);
        if performed.is_empty() {
            return None;
        }
        let name = self.operation_name(self.implementation(id).upper, operation);
        let names: Vec<String> = performed.iter().map(|it| format!("`{}`", self.operation_name(lower, *it))).collect();
        let diagnostic = Diagnostic {
            notes: vec![format!("it performs {}: more than one operation in total", names.join(", "))],
            help: Some("put the steps into a layer in between, and partition below or above it".to_owned()),
            ..self.error(codes::CS1104, format!("`{name}` is more than one step at the end of a partition"), span)
        };
        Some(Finding::violated(diagnostic))
    }

    pub(super) fn partition_initial(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let span = Anchor::Implementation(id);
        let (answered, effort) = PartitionEnd::of(&self.setting, id)?.initial();
        let implementation = self.implementation(id);
        let (upper, lower) = (self.layer_name(implementation.upper), self.layer_name(implementation.lower));
        let message = format!("an initial state of `{lower}` is not initial in `{upper}`");
        let help = format!("restrict the initial states of `{lower}`, or allow more of `{upper}`");
        let words = (codes::CS0502, message, help);
        let finding = self.misplaced(answered, words, "whether initial states are initial above", span)?;
        Some((finding, effort))
    }

    fn misplaced(
        &self,
        answered: Answered<Misplaced>,
        (code, message, help): (&'static str, String, String),
        what: &str,
        span: Anchor,
    ) -> Option<Finding> {
        self.finding(answered, what, span, |misplaced| {
            let related = misplaced.site.and_then(|it| self.site_anchor(it)).map(|it| (it, "here".to_owned()));
            let diagnostic = Diagnostic {
                related: related.into_iter().collect(),
                counterexample: Some(misplaced.counterexample),
                help: Some(help),
                ..self.error(code, message, span)
            };
            self.violated(&misplaced.confirmation, diagnostic)
        })
    }
}
