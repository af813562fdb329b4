//! Whether procedures have their shape if the steps of others are made where they are [made](crate::obligations::rely): first with nothing more
//! known where procedures start than what is stated, then also with what is found.

use super::{Finding, Reporter};
use crate::{
    ir::ImplementationId,
    obligations::{
        idle,
        question::{Effort, Setting},
        rely::{self, Walked, Wanted},
    },
    verdict::{Scope, Verdict},
};

/// Each walk that looks for calls, and each question about a shape, may use this part of the budget.
const PART: u64 = 20;

impl Reporter<'_> {
    /// Whether all procedures have their shape if others make their steps only where their procedures make calls. `None` if the search was
    /// stopped.
    pub(super) fn shown_with_rely(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let scope = Scope { budget: self.setting.scope.budget / PART, ..self.setting.scope.clone() };
        let setting = Setting { scope: &scope, ..self.setting };
        let all = self.procedures(id, |_| true);
        let (walked, effort) = self.walked(id, &all);
        let entries = self.entries_of_start(id);
        for starts in [idle::Effort::Stated, idle::Effort::Found] {
            if starts == idle::Effort::Found && !scope.find_idle {
                break;
            }
            let mut effort = effort.clone();
            let wanted = Wanted { implementation: id, walked: &walked, starts, entries: &entries };
            let (rely, more) = rely::find(&setting, &wanted);
            effort.add(more);
            let Some(rely) = rely else { continue };
            tracing::debug!(?rely, "rely");
            let with = Reporter::new(Setting { rely: Some(&rely), ..setting }, self.lemmas);
            if with.are_shown(id, &mut effort)? {
                self.at_calls.borrow_mut().extend(rely.told(self.program(), self.implementation(id).lower));
                self.at_start.borrow_mut().extend(with.at_start.take());
                return Some((Finding::proved(), effort));
            }
        }
        Some((Finding::new(Verdict::Undecided, Vec::new()), Effort::default()))
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
