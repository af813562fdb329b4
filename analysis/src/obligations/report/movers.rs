//! Messages for a lemma that does not hold: an operation that is not a mover.

use super::{Finding, Reporter, lemma_in_words};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::Anchor,
    obligations::{
        About, Lemma, modulo_failure,
        movers::{Direction, Refutation},
        question::Effort,
    },
};

impl Reporter<'_> {
    pub(super) fn lemma(&self, lemma: &Lemma) -> Option<(Finding, Effort)> {
        let (answered, effort) = lemma.settle(&self.setting);
        let what = format!("whether {}", lemma_in_words(self.program(), lemma));
        let span = Anchor::Claim(lemma.layer, lemma.operation);
        let finding = self.finding(answered, &what, span, |refutation| self.refuted(lemma, span, refutation))?;
        Some((finding, effort))
    }

    fn refuted(&self, lemma: &Lemma, span: Anchor, refutation: Refutation) -> Finding {
        let layer = self.layer_name(lemma.layer);
        let name = self.operation_name(lemma.layer, lemma.operation);
        let mut related = vec![(Anchor::Operation(lemma.layer, lemma.operation), format!("`{name}` of `{layer}`"))];
        let both = "correct the claim, or weaken one of the two operations until both orders agree";
        let (code, message, help) = match lemma.about {
            About::Silent => (
                codes::CS0303,
                format!("`{name}` of `{layer}` is not a mover: it emits an event or may fail"),
                "remove the claim: an operation that emits an event or may fail is a commit point; or let it wait (`when`) instead of failing",
            ),
            About::Moves(direction, other) => {
                let other_name = self.operation_name(lemma.layer, other);
                related.push((Anchor::Operation(lemma.layer, other), "the other operation".to_owned()));
                let code = if direction == Direction::Right { codes::CS0301 } else { codes::CS0302 };
                let message = format!(
                    "`{name}` of `{layer}` is not a {} mover: it does not commute with `{other_name}`",
                    direction.name()
                );
                (code, message, both)
            }
            About::StablyEnabled(other) => {
                let other_name = self.operation_name(lemma.layer, other);
                related.push((Anchor::Operation(lemma.layer, other), "the other operation".to_owned()));
                let message = format!("`{name}` of `{layer}` is not a left mover: `{other_name}` can disable it");
                (
                    codes::CS0304,
                    message,
                    "correct the claim, or change the other operation so that it does not disable this one",
                )
            }
        };
        let diagnostic = Diagnostic {
            label: "claimed here".to_owned(),
            related,
            notes: refutation.notes.iter().cloned().chain(self.other_view(lemma)).collect(),
            counterexample: refutation.counterexample.clone(),
            help: Some(help.to_owned()),
            ..self.error(code, message, span)
        };
        Finding { refutation: Some(refutation.clone()), ..self.violated(&refutation.confirmation, diagnostic) }
    }

    /// That a mover is one in the other view of failure, if it is.
    fn other_view(&self, lemma: &Lemma) -> Option<String> {
        let About::Moves(direction, other) = lemma.about else { return None };
        let moves = modulo_failure::moves(&self.setting, lemma.layer, lemma.operation, other, direction);
        let (name, other) =
            (self.operation_name(lemma.layer, lemma.operation), self.operation_name(lemma.layer, other));
        moves.then(|| {
            format!(
                "modulo failure, where only runs that do not fail have to agree, `{name}` moves {} past `{other}`; \
                 verdicts are about the strict view",
                direction.name()
            )
        })
    }
}
