//! Messages for a procedure that is not a retry loop, and for a turn with a forbidden effect.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::{Anchor, Code as How, Implementation, ImplementationId},
    obligations::{
        Lemma,
        atomic::Implemented,
        needs,
        question::{Answered, Effort},
        retry::{self, BadTurnKind},
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    pub(super) fn retry(
        &self,
        id: ImplementationId,
        operation: usize,
        relied: &mut Vec<Lemma>,
    ) -> Option<(Finding, Effort)> {
        let Implementation { upper, lower, .. } = *self.implementation(id);
        let how = self.how(id, operation)?;
        if matches!(how, How::Pass) {
            return self.atomic_spec(id, operation);
        }
        let (answered, mut effort) = retry::check(&self.setting, &Implemented { upper, lower, operation, how });
        // A loop of several calls is one step if it has the shape of a mover proof.
        if matches!(&answered, Answered::Violated(bad) if bad.kind == BadTurnKind::NotARetryLoop)
            && needs::has_several_calls(self.program(), id, operation)
        {
            let (finding, more) = self.shape(id, operation, relied)?;
            if finding.verdict == Verdict::Proved {
                effort.add(more);
                return Some((finding, effort));
            }
            relied.clear();
        }
        let span = self.procedure_anchor(id, operation);
        let (name, layer) = (self.operation_name(upper, operation), self.layer_name(upper));
        let what = format!("whether `{name}` is a retry loop");
        let finding = self.finding(answered, &what, span, |bad| {
            let at = bad.site.and_then(|it| self.site_anchor(it)).unwrap_or(span);
            let (code, message, help, at) = match bad.kind {
                BadTurnKind::ChangesSomething => (
                    codes::CS0601,
                    format!("`{name}` retries although the failed turn has changed something"),
                    "continue only after a turn that has changed nothing".to_owned(),
                    at,
                ),
                BadTurnKind::NotTheOperation => (
                    codes::CS0602,
                    format!("`{name}` returns from a turn that is not `{layer}::{name}`"),
                    format!("return only after a turn with the effect of `{layer}::{name}`"),
                    span,
                ),
                BadTurnKind::NotARetryLoop => (
                    codes::CS0603,
                    format!("the procedure of `{name}` is not a retry loop"),
                    "write `loop { let r = lo.op(…); if exit(r) { return r; } }`, or use `by = movers`".to_owned(),
                    at,
                ),
                BadTurnKind::Panics(why) => (
                    codes::CS0702,
                    format!("the procedure of `{name}` may panic: {why}"),
                    "handle the case".to_owned(),
                    at,
                ),
            };
            let related = vec![(Anchor::Operation(upper, operation), format!("what `{layer}::{name}` allows"))];
            let diagnostic = Diagnostic {
                related,
                counterexample: Some(bad.counterexample),
                help: Some(help),
                ..self.error(code, message, at)
            };
            self.violated(&bad.confirmation, diagnostic)
        })?;
        Some((self.unless_it_never_ends(finding, &effort, (how, lower), &name, span)?, effort))
    }
}
