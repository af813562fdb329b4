//! Whether the procedures of an implementation are shown over a [weaker layer](crate::obligations::weaker).

use std::collections::BTreeSet;

use super::{Finding, Reporter};
use crate::{
    explore::compile::compile,
    ir::ImplementationId,
    obligations::{
        LayerLemmas, Lemmas,
        decisive::{Past, Steps},
        needs,
        question::{Effort, Setting},
        weaker::{self, Kind, Weakening},
    },
    verdict::{Scope, Verdict},
};

/// Each question over a weaker layer may use this part of the budget.
const PART: u64 = 20;

impl Reporter<'_> {
    /// Whether all procedures are shown over a weaker layer. `None` if the search was stopped.
    pub(super) fn shown_over_weaker(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let mut harmless = BTreeSet::new();
        for it in weaker::candidates(self.program(), id).into_iter().filter(|it| self.is_on(it)) {
            // What holds of one by itself is asked again of all together.
            harmless.extend(self.is_harmless(id, &it)?.then_some(it));
        }
        let lower = self.implementation(id).lower;
        let those = |wanted: &dyn Fn(&Weakening) -> bool| -> BTreeSet<Weakening> {
            harmless.iter().filter(|it| wanted(it)).cloned().collect()
        };
        let fails = |it: &Weakening| it.is_failure(self.program(), lower);
        let is_mistake = |it: &Weakening| matches!(it.kind, Kind::Mistakes(..));
        // More steps may help, or stand in the way.
        let mut tried: Vec<BTreeSet<Weakening>> = Vec::new();
        for more in
            [those(&fails), those(&|it| fails(it) || is_mistake(it)), those(&|it| !is_mistake(it)), those(&|_| true)]
        {
            if !more.is_empty() && !tried.contains(&more) {
                tried.push(more);
            }
        }
        for weakenings in tried {
            let mut effort = Effort::default();
            if self.over_weaker(id, &weakenings, |weaker| weaker.are_shown(id, &mut effort))? {
                let words = weakenings.iter().map(|it| weaker::in_words(self.program(), lower, it));
                self.even_if.borrow_mut().extend(words);
                return Some((Finding::proved(), effort));
            }
        }
        Some((Finding::new(Verdict::Undecided, Vec::new()), Effort::default()))
    }

    fn is_on(&self, weakening: &Weakening) -> bool {
        let scope = &self.setting.scope;
        match &weakening.kind {
            Kind::Returns(_) => scope.spurious_failures,
            Kind::Mistakes(..) => scope.mistaken_results,
        }
    }

    /// Whether a weakening does not stand in the way of a proof, as far as the procedures alone can tell: they do what the operations above
    /// allow, and follow the rules. Of a procedure with loops, runs alone are looked at as far as they go.
    fn is_harmless(&self, id: ImplementationId, weakening: &Weakening) -> Option<bool> {
        let callers = self.procedures(id, |calls| calls.contains(&weakening.operation));
        self.over_weaker(id, &BTreeSet::from([weakening.clone()]), |weaker| {
            let has_rules = self.program().layers[self.implementation(id).lower.0 as usize].protocol.is_some();
            for &it in &callers {
                let follows = !has_rules || weaker.follows(id, it)?.0.verdict != Verdict::Violated;
                if !follows || weaker.atomic_spec(id, it)?.0.verdict == Verdict::Violated {
                    return Some(false);
                }
            }
            Some(true)
        })
    }

    /// Asks about the program in which operations of the lower layer may do more. What was shown over the layer as it is is not used.
    fn over_weaker<T>(
        &self,
        id: ImplementationId,
        weakenings: &BTreeSet<Weakening>,
        ask: impl FnOnce(&Reporter<'_>) -> Option<T>,
    ) -> Option<T> {
        let program = weaker::weaker(self.program(), self.implementation(id).lower, weakenings);
        let code = compile(&program);
        let budget = self.setting.scope.budget / PART;
        let scope = Scope { find_idle: false, budget, ..self.setting.scope.clone() };
        let setting = Setting::new(&program, &code, &scope, self.setting.stop);
        ask(&Reporter::new(setting, &Lemmas::default()))
    }

    /// The operations above of which the procedures make such calls.
    pub(super) fn procedures(&self, id: ImplementationId, make: impl Fn(&BTreeSet<usize>) -> bool) -> Vec<usize> {
        let operations = 0..self.program().layers[self.implementation(id).upper.0 as usize].operations.len();
        operations
            .filter(|it| self.how(id, *it).is_some() && make(&needs::called_by(self.program(), id, *it)))
            .collect()
    }

    /// Whether all procedures, and what is passed on, are shown.
    pub(super) fn are_shown(&self, id: ImplementationId, effort: &mut Effort) -> Option<bool> {
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
    pub(super) fn have_shape(&self, id: ImplementationId, operations: &[usize], effort: &mut Effort) -> Option<bool> {
        let table = LayerLemmas { program: self.program(), layer: self.implementation(id).lower, lemmas: self.lemmas };
        let mut refused = Vec::new();
        for &it in operations.iter().filter(|it| self.procedure(id, **it).is_some() && !self.is_one_call(id, **it)) {
            let (holds, more) = self.has_shape_past(id, it, &table, Past::All)?;
            if holds {
                effort.add(more);
            } else if self.setting.scope.decisive_steps
                && self.decisive_steps(id, it, &table, &Steps::default())?.is_some()
            {
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
