//! Messages for a step, or an initial state, that the relation between two layers finds no match for.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    explore::search::{Abort, End},
    ir::{Abstraction, Anchor, ImplementationId, Justification},
    obligations::{
        abstraction,
        question::{Answered, Effort},
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    pub(super) fn initial(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let span = Anchor::Implementation(id);
        let (upper, lower) = (self.layer_name(implementation.upper), self.layer_name(implementation.lower));
        let (answered, effort, code) = match &implementation.by {
            Justification::Abstraction(relation) => {
                let (answered, effort) = abstraction::initial(&self.setting, implementation, relation);
                (answered, effort, codes::CS0502)
            }
            Justification::Partition(_) => return self.partition_initial(id),
            _ => {
                let (answered, effort) = abstraction::initial_above(&self.setting, implementation);
                (answered, effort, codes::CS0309)
            }
        };
        let finding = self.finding(answered, "whether initial states are initial above", span, |unmatched| {
            let diagnostic = Diagnostic {
                counterexample: Some(unmatched.counterexample),
                help: Some(format!("restrict the initial states of `{lower}`, or allow more of `{upper}`")),
                ..self.error(code, format!("an initial state of `{lower}` is not initial in `{upper}`"), span)
            };
            self.violated(&unmatched.confirmation, diagnostic)
        })?;
        Some((finding, effort))
    }

    /// If it does not hold, nothing is wrong: it only simplifies the simulations.
    pub(super) fn absorbs(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let Justification::Abstraction(relation) = &implementation.by else { return None };
        let (answered, effort) = abstraction::absorbs_background(&self.setting, implementation, relation);
        let finding = match answered {
            Answered::Holds => Finding::proved(),
            Answered::GivenUp(Abort::Stopped) => return None,
            Answered::Violated(_) | Answered::GivenUp(_) => Finding::new(Verdict::Undecided, Vec::new()),
        };
        Some((finding, effort))
    }

    pub(super) fn simulation(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let Justification::Abstraction(relation) = &implementation.by else { return None };
        let (answered, mut effort) = abstraction::simulation(
            &self.setting,
            implementation,
            relation,
            operation,
            self.lemmas.absorbing.contains_key(&id),
        );
        // The bounds of the results that it relies on become its own.
        let absorbing = self.lemmas.absorbing.get(&id);
        absorbing.into_iter().for_each(|it| effort.rely_on(it));
        let (upper, lower) = (implementation.upper, implementation.lower);
        let (name, layer) = (self.operation_name(upper, operation), self.layer_name(upper));
        let below = self.program().layers[lower.0 as usize].operations.iter().position(|it| it.name == name)?;
        let span = Anchor::Operation(upper, operation);
        let what = format!("whether the steps of `{name}` have a match in `{layer}`");
        let finding = self.finding(answered, &what, span, |unmatched| {
            let (Abstraction::Up(function) | Abstraction::Down(function) | Abstraction::Predicate(function)) = relation;
            let mut related = vec![
                (Anchor::Operation(lower, below), format!("the step of `{}`", self.layer_name(lower))),
                (Anchor::Function(*function), "the relation between the two states".to_owned()),
            ];
            let site = unmatched.site.and_then(|it| self.site_anchor(it));
            related.extend(site.map(|it| (it, "this fails".to_owned())));
            let code = match unmatched.end {
                End::Panicked(..) => codes::CS0702,
                _ => codes::CS0501,
            };
            let diagnostic = Diagnostic {
                related,
                counterexample: Some(unmatched.counterexample),
                help: Some(format!("let `{layer}::{name}` allow it, forbid it below, or relate other states")),
                ..self.error(
                    code,
                    format!("a step of `{name}` in `{}` has no match in `{layer}`", self.layer_name(lower)),
                    span,
                )
            };
            self.violated(&unmatched.confirmation, diagnostic)
        })?;
        self.unless_nothing_is_related((finding, effort), &name, (lower, below), span)
    }
}
