//! Messages for a procedure that breaks the rules of a protocol, and for a rule that others can break.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    explore::code::CodeId,
    ir::{Anchor, ImplementationId},
    obligations::{
        LayerLemmas, needs, protocol,
        question::{Answered, Effort},
        shape::{self, Question},
    },
};

impl Reporter<'_> {
    pub(super) fn follows(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let lower = self.implementation(id).lower;
        let Some((procedure, function)) = self.procedure(id, operation) else {
            return self.passed_is_allowed(id, operation);
        };
        let table = LayerLemmas { program: self.program(), layer: lower, lemmas: self.lemmas };
        let mut question = Question::of(lower, procedure, &table);
        let (gate, gate_effort) = self.gate_of_calls(id, operation);
        (question.gate, question.confirms) = (gate, self.confirms());
        let entries: Vec<_> = [procedure]
            .into_iter()
            .chain(question.gate)
            .chain(self.setting.code.allowed[lower.0 as usize].iter().copied())
            .collect();
        let (answered, mut effort) = self.ask_at_start(id, &entries, |entries, idle| {
            question.idle = idle;
            let answer = self
                .setting
                .ask_in_parts(entries, Some(lower), |search| shape::check(&self.setting, search, &mut question));
            (answer, question.idle.take())
        });
        effort.add(gate_effort);
        let span = self.procedure_anchor(id, operation);
        let what = format!("whether `{}` follows the rules of `{}`", function.name, self.layer_name(lower));
        let finding = self.finding(answered, &what, span, |flaw| self.flaw(lower, function, flaw))?;
        Some((finding, effort))
    }

    /// The step of the operation above, if it may fail, and no step of another process changes where.
    pub(super) fn gate_of_calls(&self, id: ImplementationId, operation: usize) -> (Option<CodeId>, Effort) {
        let mut effort = Effort::default();
        if !needs::has_gate(self.program(), id, operation) {
            return (None, effort);
        }
        let implementation = self.implementation(id);
        let gate = self.setting.code.step(implementation.upper, operation);
        let arguments = self.setting.arguments(implementation.upper, operation);
        for other in 0..self.program().layers[implementation.lower.0 as usize].operations.len() {
            let (answered, more) =
                protocol::leaves_gate(&self.setting, (implementation.lower, other), (gate, &arguments));
            effort.add(more);
            if !matches!(answered, Answered::Holds) {
                return (None, effort);
            }
        }
        (Some(gate), effort)
    }

    /// An operation that is passed on must always be allowed: nothing is known about the state where it is called.
    fn passed_is_allowed(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let name = self.operation_name(implementation.upper, operation);
        let lower = &self.program().layers[implementation.lower.0 as usize];
        let restricted = lower.operations.iter().position(|it| it.name == name && !it.allowed.is_empty());
        let Some(restricted) = restricted else { return Some((Finding::proved(), Effort::default())) };
        let allowed = self.setting.code.allowed[implementation.lower.0 as usize][restricted];
        let invariant = self.setting.code.invariant[implementation.lower.0 as usize];
        let (answered, effort) = self.ask_at_start(id, &[allowed, invariant], |entries, mut idle| {
            let answer =
                protocol::always_allowed(&self.setting, entries, implementation.lower, restricted, idle.as_mut());
            (answer, idle)
        });
        let span = Anchor::Implementation(id);
        let what = format!("whether `{name}` is always allowed");
        let finding = self.finding(answered, &what, span, |refutation| {
            let help = format!("write a procedure for `{name}` that establishes what `#[allowed({name})]` requires");
            let diagnostic = Diagnostic {
                counterexample: refutation.counterexample,
                help: Some(help),
                ..self.error(
                    codes::CS0401,
                    format!("`{name}` is passed on, but the rules of `{}` do not always allow it", lower.name),
                    span,
                )
            };
            self.violated(&refutation.confirmation, diagnostic)
        })?;
        Some((finding, effort))
    }

    pub(super) fn stays_allowed(
        &self,
        id: ImplementationId,
        operation: usize,
        other: usize,
    ) -> Option<(Finding, Effort)> {
        let lower = self.implementation(id).lower;
        let (answered, effort) = protocol::stays_allowed(&self.setting, lower, operation, other);
        let (name, other_name) = (self.operation_name(lower, operation), self.operation_name(lower, other));
        let span = Anchor::Operation(lower, operation);
        let what = format!("whether `{name}` stays allowed");
        let finding = self.finding(answered, &what, span, |refutation| {
            let layer = &self.program().layers[lower.0 as usize];
            let rule = layer.operations[operation].allowed.first().map(|it| Anchor::Function(*it));
            let diagnostic = Diagnostic {
                related: vec![(Anchor::Operation(lower, other), format!("`{other_name}` of another process"))],
                counterexample: refutation.counterexample,
                help: Some(
                    "a rule must depend only on state that other processes cannot change while they follow the rules"
                        .to_owned(),
                ),
                ..self.error(
                    codes::CS0402,
                    format!("`{other_name}` of another process can make `{name}` no longer allowed"),
                    rule.unwrap_or(span),
                )
            };
            self.violated(&refutation.confirmation, diagnostic)
        })?;
        match operation == other {
            true => self.unless_never_allowed((finding, effort), lower, operation),
            false => Some((finding, effort)),
        }
    }
}
