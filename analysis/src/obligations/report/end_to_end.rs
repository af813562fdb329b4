//! Words for a run of a client at the bottom of a stack that is not as it should be.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::{Anchor, Client},
    obligations::{
        end_to_end::{self, OwnFailure, Searched, Wrong, WrongRun},
        question::{Answered, Effort},
    },
};

impl Reporter<'_> {
    pub(super) fn end_to_end(&self, index: usize, processes: u32) -> Option<(Finding, Effort)> {
        let client = &self.program().clients[index];
        let span = Anchor::Client(index);
        let searched = end_to_end::check(&self.setting, client, processes);
        let Searched { answered, effort, finishes, emits, cut_off } = searched;
        let what = format!("`{}` with {processes} processes", client.name);
        if let (Some(layer), Answered::Holds) = (cut_off, &answered) {
            return Some((self.no_initial_state_within_scope(layer, &what, span)?, effort));
        }
        let finding = self.finding(answered, &what, span, |run| self.wrong_run(client, span, processes, run))?;
        let finding = self.unless_it_cannot_run(finding, finishes, index, processes);
        Some((self.unless_it_shows_nothing(finding, emits, index, processes), effort))
    }

    fn wrong_run(&self, client: &Client, span: Anchor, processes: u32, run: WrongRun) -> Finding {
        let WrongRun { wrong, counterexample } = run;
        let diagnostic = match wrong {
            Wrong::Trace(failure) => Diagnostic {
                related: failure
                    .and_then(|it| self.site_anchor(it.site))
                    .map(|it| (it, "this fails".to_owned()))
                    .into_iter()
                    .collect(),
                help: Some(
                    "run `cargo cspec check`: an obligation that it finds violated says which step up is wrong"
                        .to_owned(),
                ),
                ..self.error(
                    codes::CS0801,
                    format!(
                        "with {processes} processes, `{}` has a trace at the bottom that the top does not have",
                        client.name
                    ),
                    span,
                )
            },
            Wrong::ClientFails(failure, at_the_top) => self.client_fails(client, span, processes, &failure, at_the_top),
        };
        Finding::violated(Diagnostic { counterexample: Some(counterexample), ..diagnostic })
    }

    /// A client that fails by code of its own.
    fn client_fails(
        &self,
        client: &Client,
        span: Anchor,
        processes: u32,
        failure: &OwnFailure,
        at_the_top: bool,
    ) -> Diagnostic<Anchor> {
        let at = self.site_anchor(failure.site).unwrap_or(span);
        let name = &client.name;
        let (code, message, label) = match failure.panic {
            Some(why) => (codes::CS0702, format!("with {processes} processes, `{name}` may panic: {why}"), why),
            None => (
                codes::CS0701,
                format!("with {processes} processes, an assertion of `{name}` may fail"),
                "this may not hold",
            ),
        };
        let (note, help) = match at_the_top {
            true => (
                "after the same events it can fail at the top of the stack, too: it says more than the layers promise",
                "assert less, or have the layer at the top allow less",
            ),
            false => (
                "after the same events it cannot fail at the top of the stack: a step below does what the top does not allow",
                "run `cargo cspec check`: an obligation that it finds violated says which step up is wrong",
            ),
        };
        Diagnostic {
            label: label.to_owned(),
            related: vec![(span, format!("in `{name}`"))],
            notes: vec![note.to_owned()],
            help: Some(help.to_owned()),
            ..self.error(code, message, at)
        }
    }
}
