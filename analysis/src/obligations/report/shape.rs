//! Messages for a procedure that does not have the shape of a mover proof, or that breaks the protocol of the layer it is over.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    doubt::NOT_ATOMIC,
    ir::{Anchor, Code as How, Function, ImplementationId, Justification, LayerId},
    obligations::{
        About, LayerLemmas, Lemma, mover_lemmas,
        movers::Direction,
        needs,
        question::{Answered, Effort},
        shape::{self, Flaw, FlawKind, Question},
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    pub(super) fn shape(
        &self,
        id: ImplementationId,
        operation: usize,
        relied: &mut Vec<Lemma>,
    ) -> Option<(Finding, Effort)> {
        let Some((procedure, function)) = self.procedure(id, operation) else {
            return Some((Finding::proved(), Effort::default()));
        };
        let lower = self.implementation(id).lower;
        if let Some(How::Procedure(id)) = self.how(id, operation)
            && needs::performed_before_the_last(self.program(), lower, *id).is_empty()
        {
            return Some((Finding::proved(), Effort::default()));
        }
        let upper = self.implementation(id).upper;
        let table = LayerLemmas { program: self.program(), layer: lower, lemmas: self.lemmas };
        let step = self.setting.code.step(upper, operation);
        let (mut question, above) = (Question::of(lower, procedure, &table), Some((upper, operation, step)));
        (question.above, question.confirms) = (above, self.confirms());
        question.runs_alone_are_asked = matches!(self.implementation(id).by, Justification::Movers(_))
            && !needs::loops_over_calls(self.program(), id, operation);
        question.gate = needs::has_gate(self.program(), id, operation).then_some(step);
        let (answered, mut effort) = self.ask_at_start(id, &[procedure, step], |entries, idle| {
            question.idle = idle;
            let answer = self.setting.ask(entries, Some(lower), |search| {
                question.judge.relied_right.clear();
                question.judge.relied_left.clear();
                shape::check(&self.setting, search, &mut question)
            });
            (answer, question.idle.take())
        });
        if question.relies_on_runs_alone && matches!(answered, Answered::Holds) {
            let (alone, more) = self.atomic_spec(id, operation)?;
            effort.add(more);
            if alone.verdict != Verdict::Proved {
                return Some((alone, effort));
            }
        }
        let judge = &question.judge;
        let span = self.procedure_anchor(id, operation);
        let finding = match answered {
            Answered::Holds => {
                for (operations, direction) in
                    [(&judge.relied_right, Direction::Right), (&judge.relied_left, Direction::Left)]
                {
                    for operation in operations {
                        let lemmas = mover_lemmas(self.program(), lower, *operation, direction);
                        relied.extend(
                            lemmas.into_iter().filter(|it| !matches!(it.about, About::Moves(Direction::Left, _))),
                        );
                    }
                }
                // What it relies on was shown within bounds that are then its own.
                let lemmas = relied.iter().filter_map(|it| self.lemmas.get(it));
                lemmas.for_each(|it| effort.rely_on(&it.within));
                Finding::proved()
            }
            Answered::Violated(flaw) => self.flaw(lower, function, flaw),
            Answered::GivenUp(abort) => {
                self.given_up(&abort, &format!("whether `{}` is atomic", function.name), span)?
            }
        };
        Some((finding, effort))
    }

    pub(super) fn flaw(&self, lower: LayerId, function: &Function, flaw: Flaw) -> Finding {
        let name = self.operation_name(lower, flaw.call.operation);
        let layer = self.layer_name(lower);
        let span = self.site_anchor(flaw.call.site).unwrap_or(Anchor::Operation(lower, flaw.call.operation));
        let mut related = Vec::new();
        if let Some(commit) = &flaw.commit
            && let Some(at) = self.site_anchor(commit.site)
        {
            let commit_name = self.operation_name(lower, commit.operation);
            related.push((at, format!("`{commit_name}` is the commit point of this path: it is not a right mover")));
        }
        if let Some(other) = flaw.against {
            let other_name = self.operation_name(lower, other);
            related.push((Anchor::Operation(lower, other), format!("`{other_name}` of another process comes between")));
        }
        let (code, message, help) = match flaw.kind {
            FlawKind::InLoop => (
                codes::CS0308,
                format!(
                    "`{}` loops around or after `{name}`: a procedure `by = movers` loops only before its commit point",
                    function.name
                ),
                format!("continue only after turns that change nothing, and call `{name}` after the loop"),
            ),
            FlawKind::NoStep => (
                codes::CS0307,
                format!(
                    "`{}` is not one step where it calls `{name}`: the operation above does not allow it",
                    function.name
                ),
                format!("change the procedure, or let the operation above allow this outcome where `{name}` is called"),
            ),
            FlawKind::NoStepAtEnd => (
                codes::CS0307,
                format!(
                    "`{}` is not one step where it ends after a loop: the operation above does not allow it",
                    function.name
                ),
                "return what is read in the last turn of the loop, or let the operation above allow this outcome"
                    .to_owned(),
            ),
            FlawKind::NotLeft => (
                codes::CS0305,
                format!("`{}` {NOT_ATOMIC}: after its commit point, `{name}` is not a left mover", function.name),
                format!(
                    "call `{name}` before the commit point, or keep other processes from interfering until `{name}` is done"
                ),
            ),
            FlawKind::MayBlock => (
                codes::CS0306,
                format!("`{}` {NOT_ATOMIC}: after its commit point, `{name}` may block", function.name),
                format!("call `{name}` before the commit point: every later call must be enabled"),
            ),
            FlawKind::NotIdle => (
                codes::CS0312,
                format!("`{}` may return where what `#[idle]` says of `{layer}` does not hold", function.name),
                format!(
                    "before it returns, `{}` has to re-establish the condition, or the condition has to say less",
                    function.name
                ),
            ),
            FlawKind::NotAllowed => (
                codes::CS0401,
                format!("`{}` calls `{name}` where the rules of `{layer}` do not allow it", function.name),
                format!("before the call, establish the condition of `#[allowed({name})]`, and keep it until the call"),
            ),
        };
        let diagnostic = Diagnostic {
            related,
            notes: flaw.notes,
            counterexample: flaw.counterexample,
            help: Some(help),
            ..self.error(code, message, span)
        };
        self.violated(&flaw.confirmation, diagnostic)
    }
}
