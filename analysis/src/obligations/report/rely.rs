//! Whether procedures have their shape if the steps of others are made where they are [made](crate::obligations::rely).

use super::{Finding, Reporter};
use crate::{
    ir::ImplementationId,
    obligations::{
        question::{Effort, Setting},
        rely::{self, Walked},
    },
    verdict::{Scope, Verdict},
};

/// Each walk that looks for calls, and each question about a shape, may use this part of the budget.
const PART: u64 = 20;

impl Reporter<'_> {
    /// Whether all procedures have their shape if others make their steps only where their procedures make calls. `None` if the search was
    /// stopped.
    pub(super) fn shown_with_rely(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let not_shown = || (Finding::new(Verdict::Undecided, Vec::new()), Effort::default());
        let scope = Scope { budget: self.setting.scope.budget / PART, ..self.setting.scope.clone() };
        let setting = Setting { scope: &scope, ..self.setting };
        let all = self.procedures(id, |_| true);
        let (walked, mut effort) = self.walked(id, &all);
        let (rely, more) = rely::find(&setting, id, &walked);
        effort.add(more);
        let Some(rely) = rely else { return Some(not_shown()) };
        tracing::debug!(?rely, "rely");
        let with = Reporter::new(Setting { rely: Some(&rely), ..setting }, self.lemmas);
        if !with.have_shape(id, &all, &mut effort)? {
            return Some(not_shown());
        }
        self.at_calls.borrow_mut().extend(rely.told(self.program(), self.implementation(id).lower));
        Some((Finding::proved(), effort))
    }

    /// The procedures, with gates that no step of others changes.
    fn walked(&self, id: ImplementationId, operations: &[usize]) -> (Vec<Walked>, Effort) {
        let mut effort = Effort::default();
        let mut walked = Vec::new();
        for &operation in operations {
            if let Some((procedure, _)) = self.procedure(id, operation) {
                let (gate, more) = self.gate_of_calls(id, operation);
                effort.add(more);
                walked.push(Walked { procedure, gate });
            }
        }
        (walked, effort)
    }
}
