//! Whether the procedures of an implementation are shown over a layer with [spurious failures](crate::obligations::spurious).

use std::collections::BTreeSet;

use super::{Finding, Reporter};
use crate::{
    explore::compile::compile,
    ir::ImplementationId,
    obligations::{
        LayerLemmas, Lemmas,
        decisive::Past,
        needs,
        question::{Effort, Setting},
        spurious,
    },
    verdict::{Scope, Verdict},
};

/// Each question over a weaker layer may use this part of the budget.
const PART: u64 = 20;

impl Reporter<'_> {
    /// Whether all procedures are shown over a weaker layer. `None` if the search was stopped.
    pub(super) fn shown_over_weaker(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let mut may_fail = BTreeSet::new();
        for it in spurious::candidates(self.program(), id) {
            let callers = self.procedures(id, |calls| calls.contains(&it));
            // What holds of one by itself is asked again of all together.
            let alone = self.over_weaker(id, &BTreeSet::from([it]), |weaker| {
                weaker.do_as_above(id, &callers, &mut Effort::default())
            })?;
            may_fail.extend(alone.then_some(it));
        }
        let mut effort = Effort::default();
        let holds =
            !may_fail.is_empty() && self.over_weaker(id, &may_fail, |weaker| weaker.are_shown(id, &mut effort))?;
        if !holds {
            return Some((Finding::new(Verdict::Undecided, Vec::new()), effort));
        }
        let lower = self.implementation(id).lower;
        let names = may_fail.into_iter().map(|it| self.operation_name(lower, it));
        self.may_fail.borrow_mut().extend(names);
        Some((Finding::proved(), effort))
    }

    /// Asks about the program in which these operations may fail at any time. What was shown over the layer as it is is not used.
    fn over_weaker<T>(
        &self,
        id: ImplementationId,
        operations: &BTreeSet<usize>,
        ask: impl FnOnce(&Reporter<'_>) -> Option<T>,
    ) -> Option<T> {
        let program = spurious::weaker(self.program(), self.implementation(id).lower, operations);
        let code = compile(&program);
        let budget = self.setting.scope.budget / PART;
        let scope = Scope { find_idle: false, budget, ..self.setting.scope.clone() };
        let setting = Setting { program: &program, code: &code, scope: &scope, stop: self.setting.stop };
        ask(&Reporter::new(setting, &Lemmas::default()))
    }

    /// The operations above of which the procedures make such calls.
    fn procedures(&self, id: ImplementationId, make: impl Fn(&BTreeSet<usize>) -> bool) -> Vec<usize> {
        let operations = 0..self.program().layers[self.implementation(id).upper.0 as usize].operations.len();
        operations
            .filter(|it| self.how(id, *it).is_some() && make(&needs::called_by(self.program(), id, *it)))
            .collect()
    }

    /// Whether all procedures, and what is passed on, are shown.
    fn are_shown(&self, id: ImplementationId, effort: &mut Effort) -> Option<bool> {
        let all = self.procedures(id, |_| true);
        Some(self.do_as_above(id, &all, effort)? && self.have_shape(id, &all, effort)?)
    }

    /// Whether each run of these procedures alone is what the operation above allows. Of procedures with loops, the shape asks that.
    fn do_as_above(&self, id: ImplementationId, operations: &[usize], effort: &mut Effort) -> Option<bool> {
        for &it in operations.iter().filter(|it| !needs::loops_over_calls(self.program(), id, **it)) {
            let (alone, more) = self.atomic_spec(id, it)?;
            if alone.verdict != Verdict::Proved {
                return Some(false);
            }
            effort.add(more);
        }
        Some(true)
    }

    /// Whether these procedures have their shape: past all steps of others, or past decisive ones.
    fn have_shape(&self, id: ImplementationId, operations: &[usize], effort: &mut Effort) -> Option<bool> {
        let table = LayerLemmas { program: self.program(), layer: self.implementation(id).lower, lemmas: self.lemmas };
        let mut refused = Vec::new();
        for &it in operations.iter().filter(|it| self.procedure(id, **it).is_some() && !self.is_one_call(id, **it)) {
            let (holds, more) = self.has_shape_past(id, it, &table, Past::All)?;
            if holds {
                effort.add(more);
            } else if self.setting.scope.decisive_steps && self.decisive_steps(id, it, &table)?.is_some() {
                refused.push(it);
            } else {
                return Some(false);
            }
        }
        if refused.is_empty() {
            return Some(true);
        }
        let (finding, more) = self.shape_past_decisive_steps(id, &refused)?;
        effort.add(more);
        Some(finding.verdict == Verdict::Proved)
    }
}
