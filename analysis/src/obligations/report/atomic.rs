//! Messages for a procedure that, run alone, does what the operation above does not allow.

use super::{Finding, Reporter};
use crate::{
    counterexample::Counterexample,
    diagnostics::{Diagnostic, codes},
    explore::{
        machine::Site,
        search::{Abort, End},
    },
    ir::{Anchor, Implementation, ImplementationId},
    obligations::{
        atomic::{self, From, Implemented},
        question::{Answered, Effort, Refutes},
    },
};

impl Reporter<'_> {
    pub(super) fn atomic_spec(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let Implementation { upper, lower, .. } = *self.implementation(id);
        let how = self.how(id, operation)?;
        let implemented = Implemented { upper, lower, operation, how };
        let Some(entries) = atomic::entries(&self.setting, &implemented) else {
            return Some((Finding::proved(), Effort::default()));
        };
        let (mut answered, effort) = self.ask_at_start(id, &entries, |entries, mut idle| {
            (atomic::check(&self.setting, entries, &implemented, From::Rest(idle.as_mut())), idle)
        });
        let mut may_be_unreachable = false;
        if let Answered::Violated(_) = answered {
            let entries = [entries.as_slice(), &[self.setting.code.init[lower.0 as usize]]].concat();
            let (from_init, _) = atomic::check(&self.setting, &entries, &implemented, From::Init);
            match from_init {
                Answered::Violated(run) if run.is_confirmed() => answered = Answered::Violated(run),
                Answered::GivenUp(Abort::Stopped) => return None,
                _ => may_be_unreachable = true,
            }
        }
        let span = self.procedure_anchor(id, operation);
        let (name, layer) = (self.operation_name(upper, operation), self.layer_name(upper));
        let what = format!("whether the procedure of `{name}` does what `{layer}` says");
        let finding = self.finding(answered, &what, span, |run| {
            let diagnostic = self.run_without_match(&name, &layer, span, run.end, run.site, run.counterexample);
            let diagnostic = Diagnostic {
                related: vec![(Anchor::Operation(upper, operation), format!("what `{layer}::{name}` allows"))],
                ..diagnostic
            };
            self.violated(&run.confirmation, diagnostic)
        })?;
        let finding = Finding { may_be_unreachable, ..finding };
        Some((self.unless_it_never_ends(finding, &effort, (how, lower), &name, span)?, effort))
    }

    fn run_without_match(
        &self,
        name: &str,
        layer: &str,
        span: Anchor,
        end: End,
        site: Option<Site>,
        counterexample: Counterexample<Anchor>,
    ) -> Diagnostic<Anchor> {
        let at = site.and_then(|it| self.site_anchor(it)).unwrap_or(span);
        let diagnostic = match end {
            End::Panicked(_, why) => Diagnostic {
                label: why.to_owned(),
                help: Some("handle the case, or guard against it below".to_owned()),
                ..self.error(codes::CS0702, format!("the procedure of `{name}` may panic: {why}"), at)
            },
            End::Failed(_) => Diagnostic {
                label: "this may not hold".to_owned(),
                help: Some(
                    "establish the condition before the call, or follow a protocol that guarantees it".to_owned(),
                ),
                ..self.error(
                    codes::CS0701,
                    format!("the procedure of `{name}` may fail, and `{layer}::{name}` cannot"),
                    at,
                )
            },
            _ => Diagnostic {
                help: Some(format!("change the procedure, or let `{layer}::{name}` allow this outcome")),
                ..self.error(
                    codes::CS0307,
                    format!("the procedure of `{name}` can do what `{layer}::{name}` does not allow"),
                    span,
                )
            },
        };
        Diagnostic { counterexample: Some(counterexample), ..diagnostic }
    }
}
