//! Messages for an operation, or a background step, that may panic.

use super::{Finding, Reporter, name};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::LayerId,
    obligations::{
        layer::{self, Explored, Part},
        question::{Answered, Effort},
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    pub(super) fn no_panic(&self, id: LayerId, part: Part) -> Option<(Finding, Effort)> {
        let Explored { answered, effort, enabled, untaken, untaken_in_scope } =
            layer::check(&self.setting, id, part, false);
        let span = name::part_anchor(self.program(), id, part);
        let name = part.name(&self.program().layers[id.0 as usize]);
        let finding = match answered {
            Answered::Holds if enabled => {
                let untaken = untaken.into_iter().filter_map(|it| self.untaken(id, part, it, untaken_in_scope));
                Finding::new(Verdict::Proved, untaken.collect())
            }
            Answered::Holds => {
                let in_scope = !effort.bounds_met.is_empty();
                Finding::of(Verdict::Proved, self.never_enabled(id, name, span, in_scope)?)
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
                self.violated(&panics.confirmation, diagnostic)
            }
            Answered::GivenUp(abort) => self.given_up(&abort, &format!("whether `{name}` may panic"), span)?,
        };
        Some((finding, effort))
    }
}
