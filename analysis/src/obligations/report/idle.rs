//! Where a procedure starts: which of its questions are asked with what is known there. And messages for what is stated of idle processes and
//! does not hold.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    explore::{code::CodeId, search::Abort},
    ir::{Anchor, Code as How, ImplementationId},
    obligations::{
        LayerLemmas, Obligation,
        idle::{self, Idle, Part},
        needs,
        question::{Answered, Effort, Refutes},
        rely::Rely,
        shape::{self, Question, Returns},
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    /// Asks a question about a procedure. If something is stated of idle processes: first with nothing else, and if it does not hold, again with
    /// what is found. Where others make their calls is found together with where procedures start. Otherwise what is found is used only when the obligation is [asked again](Obligation::FromRest). `ask` is given the code
    /// whose literals matter, and gives back what it has found.
    pub(super) fn ask_at_start<V: Refutes>(
        &self,
        id: ImplementationId,
        entries: &[CodeId],
        mut ask: impl FnMut(&[CodeId], Option<Idle>) -> ((Answered<V>, Effort), Option<Idle>),
    ) -> (Answered<V>, Effort) {
        let all: Vec<CodeId> = entries.iter().copied().chain(self.entries_of_start(id)).collect();
        let mut with = |effort| ask(&all, Some(Idle::new(id, effort)));
        if let Some(starts) = self.setting.rely.map(Rely::starts) {
            if starts == idle::Effort::Found || idle::is_stated(self.program(), id) {
                let (answer, found) = with(starts);
                if !found.as_ref().is_some_and(Idle::found_nothing) {
                    self.started_from(found.as_ref());
                    return answer;
                }
            }
            return ask(entries, None).0;
        }
        if !idle::is_stated(self.program(), id) {
            if self.lemmas.earlier.is_none() {
                return ask(entries, None).0;
            }
            let (answer, found) = with(idle::Effort::Found);
            self.started_from(found.as_ref());
            let decides = match &answer.0 {
                Answered::Holds => !found.is_some_and(|it| it.found_nothing()),
                Answered::Violated(it) => it.is_confirmed(),
                Answered::GivenUp(abort) => *abort == Abort::Stopped,
            };
            self.adds_nothing.set(self.adds_nothing.get() || !decides);
            return answer;
        }
        let ((first, mut effort), stated) = with(idle::Effort::Stated);
        if matches!(first, Answered::Violated(_)) && self.setting.scope.find_idle {
            let ((second, more), found) = with(idle::Effort::Found);
            let decides = match &second {
                Answered::Holds => true,
                Answered::Violated(it) => it.is_confirmed(),
                Answered::GivenUp(_) => false,
            };
            if decides && !found.as_ref().is_some_and(Idle::found_nothing) {
                self.started_from(found.as_ref());
                effort.bounds_met.clear();
                effort.assumptions.clear();
                effort.add(more);
                return (second, effort);
            }
        }
        self.started_from(stated.as_ref());
        (first, effort)
    }

    /// Whether it is worth looking for a refutation on exact states: it is not, if there was none when the obligation was asked first.
    pub(super) fn confirms(&self) -> bool {
        self.lemmas.earlier.as_ref().is_none_or(|it| it.verdict != Verdict::Undecided)
    }

    /// Keeps what an answer relies on, to be shown.
    pub(super) fn started_from(&self, idle: Option<&Idle>) {
        let mut told = self.at_start.borrow_mut();
        for fact in idle.into_iter().flat_map(Idle::told) {
            if !told.contains(fact) {
                told.push(fact.clone());
            }
        }
    }

    /// Whether an obligation is asked again with what is found of where procedures start: it does not hold of all states.
    pub(super) fn is_asked_again(&self, asked: &Obligation, from_rest: bool, verdict: Verdict) -> bool {
        let may_be = match asked {
            Obligation::Shape(id, _) | Obligation::FollowsProtocol(id, _) | Obligation::AtomicSpec(id, _) => Some(*id),
            Obligation::Retry(id, operation) => {
                needs::has_several_calls(self.program(), *id, *operation).then_some(*id)
            }
            _ => None,
        };
        let is_refused = matches!(verdict, Verdict::Violated | Verdict::Undecided);
        !from_rest
            && is_refused
            && self.setting.scope.find_idle
            && may_be.is_some_and(|it| !idle::is_stated(self.program(), it))
    }

    /// The code that decides what is known where procedures start.
    pub(super) fn entries_of_start(&self, id: ImplementationId) -> Vec<CodeId> {
        let implementation = self.implementation(id);
        let (upper, lower) = (implementation.upper, implementation.lower.0 as usize);
        let mut entries = vec![self.setting.code.init[lower], self.setting.code.idle[lower]];
        for operation in 0..self.program().layers[upper.0 as usize].operations.len() {
            if let Some(How::Procedure(function)) = self.how(id, operation) {
                entries.push(self.setting.code.function(*function));
            }
        }
        entries
    }

    pub(super) fn idle(&self, id: ImplementationId, part: Part) -> Option<(Finding, Effort)> {
        match part {
            Part::Initially => self.idle_initially(id),
            Part::Returns(operation) => match self.how(id, operation)? {
                How::Procedure(_) => self.idle_at_returns(id, operation),
                How::Pass => self.idle_after(id, operation),
            },
        }
    }

    fn idle_initially(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let lower = self.implementation(id).lower;
        let (answered, effort) = idle::initially(&self.setting, lower);
        let layer = self.layer_name(lower);
        let stated = self.program().layers[lower.0 as usize].idle.first();
        let span = stated.map_or(Anchor::Implementation(id), |it| Anchor::Function(*it));
        let what = format!("whether what `#[idle]` says of `{layer}` holds initially");
        let finding = self.finding(answered, &what, span, |refutation| {
            let diagnostic = Diagnostic {
                counterexample: refutation.counterexample,
                help: Some("let the condition say less, or the initial states be fewer".to_owned()),
                ..self.error(
                    codes::CS0311,
                    format!("what `#[idle]` says of `{layer}` does not hold in all initial states"),
                    span,
                )
            };
            self.violated(&refutation.confirmation, diagnostic)
        })?;
        Some((finding, effort))
    }

    fn idle_at_returns(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let lower = self.implementation(id).lower;
        let (procedure, function) = self.procedure(id, operation)?;
        let table = LayerLemmas { program: self.program(), layer: lower, lemmas: self.lemmas };
        let mut question = Question::of(lower, procedure, &table);
        question.returns = Some(Returns::Stated(self.setting.code.idle[lower.0 as usize]));
        let (answered, effort) = self.ask_at_start(id, &[procedure], |entries, idle| {
            question.idle = idle;
            let answer = self
                .setting
                .ask_in_parts(entries, Some(lower), |search| shape::check(&self.setting, search, &mut question));
            (answer, question.idle.take())
        });
        let span = self.procedure_anchor(id, operation);
        let what = format!("whether `{}` re-establishes what `#[idle]` says", function.name);
        let finding = self.finding(answered, &what, span, |flaw| self.flaw(lower, function, flaw))?;
        Some((finding, effort))
    }

    fn idle_after(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let (name, layer) =
            (self.operation_name(implementation.upper, operation), self.layer_name(implementation.lower));
        let (answered, effort) = self.ask_at_start(id, &[], |entries, mut known| {
            (idle::kept_by(&self.setting, entries, implementation.lower, &name, known.as_mut()), known)
        });
        let span = self.procedure_anchor(id, operation);
        let what = format!("whether `{name}` keeps what `#[idle]` says");
        let finding = self.finding(answered, &what, span, |refutation| {
            let diagnostic = Diagnostic {
                counterexample: refutation.counterexample,
                help: Some(format!(
                    "write a procedure for `{name}` that re-establishes the condition, or let the condition say less"
                )),
                ..self.error(
                    codes::CS0312,
                    format!("`{name}` is passed on, and what `#[idle]` says of `{layer}` may not hold after it"),
                    span,
                )
            };
            self.violated(&refutation.confirmation, diagnostic)
        })?;
        Some((finding, effort))
    }
}
