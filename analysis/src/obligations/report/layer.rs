//! Words for an operation, or a background step, that may panic; and a warning for one that never happens.

use super::{Finding, Reporter, name};
use crate::{
    diagnostics::{Diagnostic, Severity, codes},
    ir::LayerId,
    obligations::{
        layer::{self, Part},
        question::{Answered, Effort},
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    pub(super) fn no_panic(&self, id: LayerId, part: Part) -> Option<(Finding, Effort)> {
        let (answered, effort, enabled) = layer::check(&self.setting, id, part, false);
        let span = name::part_anchor(self.program(), id, part);
        let name = part.name(&self.program().layers[id.0 as usize]);
        let finding = match answered {
            Answered::Holds if enabled => Finding::proved(),
            Answered::Holds => {
                let warning = Diagnostic {
                    severity: Severity::Warning,
                    help: Some(
                        "look at its guards: what is shown about an operation that never happens is empty".to_owned(),
                    ),
                    ..self.error(
                        codes::CS1001,
                        format!("`{name}` is never enabled: it has no transition in any state"),
                        span,
                    )
                };
                Finding::of(Verdict::Proved, warning)
            }
            Answered::Violated(panics) => {
                let at = self.site_anchor(panics.site).unwrap_or(span);
                let diagnostic = Diagnostic {
                    label: panics.why.to_owned(),
                    related: vec![(span, format!("in `{name}` of `{}`", self.layer_name(id)))],
                    counterexample: Some(panics.counterexample),
                    help: Some(
                        "guard it with `when(…)`, or handle the case: operations are checked in all states".to_owned(),
                    ),
                    ..self.error(codes::CS0702, format!("`{name}` may panic: {}", panics.why), at)
                };
                self.violated(true, diagnostic)
            }
            Answered::GivenUp(abort) => self.given_up(&abort, &format!("whether `{name}` may panic"), span)?,
        };
        Some((finding, effort))
    }
}
