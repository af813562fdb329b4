//! Words for a trace at the bottom of a stack that its top does not have.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::Anchor,
    obligations::{end_to_end, question::Effort},
};

impl Reporter<'_> {
    pub(super) fn end_to_end(&self, index: usize, processes: u32) -> Option<(Finding, Effort)> {
        let client = &self.program().clients[index];
        let span = Anchor::Client(index);
        let (answered, effort, finishes) = end_to_end::check(&self.setting, client, processes);
        let finding =
            self.finding(answered, &format!("`{}` with {processes} processes", client.name), span, |trace| {
                let diagnostic = Diagnostic {
                    counterexample: Some(trace.counterexample),
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
                };
                Finding::violated(diagnostic)
            })?;
        Some((self.unless_it_cannot_run(finding, finishes, index, processes), effort))
    }
}
