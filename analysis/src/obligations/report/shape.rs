//! Messages for a procedure that does not have the shape of a mover proof, or that breaks the protocol of the layer it is over.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    doubt::NOT_ATOMIC,
    explore::{code::CodeId, search::Abort},
    ir::{Anchor, Code as How, Function, Implementation, ImplementationId, Justification, LayerId},
    obligations::{
        About, LayerLemmas, Lemma,
        decisive::{Past, Steps, Tried},
        edges::Judge,
        idle::{self, Idle},
        mover_lemmas,
        movers::Direction,
        needs,
        question::{Answered, Effort, Setting},
        rely::Rely,
        shape::{self, Flaw, FlawKind, Question},
    },
    verdict::{Scope, Verdict},
};

/// How far beyond the scope integers are tried where it is asked which steps are decisive.
const FURTHER_INTS: u32 = 2;

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
        if self.is_one_call(id, operation) {
            return Some((Finding::proved(), Effort::default()));
        }
        let table = LayerLemmas { program: self.program(), layer: lower, lemmas: self.lemmas };
        let step = self.setting.code.step(self.implementation(id).upper, operation);
        let mut question = self.shape_question(id, operation, procedure, &table);
        (question.gate, question.confirms) =
            (needs::has_gate(self.program(), id, operation).then_some(step), self.confirms());
        let (answered, mut effort) = self.ask_at_start(id, &[procedure, step], |entries, idle| {
            question.idle = idle;
            let answer = self.ask_shape(entries, &mut question);
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
                *relied = self.rely_on_lemmas(lower, judge, &mut effort);
                Finding::proved()
            }
            Answered::Violated(flaw) => self.flaw(lower, function, flaw),
            Answered::GivenUp(abort) => {
                self.given_up(&abort, &format!("whether `{}` is atomic", function.name), span)?
            }
        };
        Some((finding, effort))
    }

    /// The lemmas about operations that were taken as movers in all states. The bounds within which they hold are then those of the effort.
    fn rely_on_lemmas(&self, lower: LayerId, judge: &Judge<'_>, effort: &mut Effort) -> Vec<Lemma> {
        let mut relied = Vec::new();
        for (operations, direction) in [(&judge.relied_right, Direction::Right), (&judge.relied_left, Direction::Left)]
        {
            for operation in operations {
                let lemmas = mover_lemmas(self.program(), lower, *operation, direction);
                relied.extend(lemmas.into_iter().filter(|it| !matches!(it.about, About::Moves(Direction::Left, _))));
            }
        }
        let lemmas = relied.iter().filter_map(|it| self.lemmas.get(it));
        lemmas.for_each(|it| effort.rely_on(&it.within));
        relied
    }

    /// Nothing can come between if there is but one call.
    pub(super) fn is_one_call(&self, id: ImplementationId, operation: usize) -> bool {
        let lower = self.implementation(id).lower;
        matches!(self.how(id, operation), Some(How::Procedure(function))
            if needs::performed_before_the_last(self.program(), lower, *function).is_empty())
    }

    fn shape_question<'t>(
        &self,
        id: ImplementationId,
        operation: usize,
        procedure: CodeId,
        table: &'t LayerLemmas,
    ) -> Question<'t> {
        let Implementation { upper, lower, by, .. } = self.implementation(id);
        let mut question = Question::of(*lower, procedure, table);
        question.above = Some((*upper, operation, self.setting.code.step(*upper, operation)));
        question.runs_alone_are_asked =
            matches!(by, Justification::Movers(_)) && !needs::loops_over_calls(self.program(), id, operation);
        question
    }

    fn entries(&self, question: &Question<'_>) -> Vec<CodeId> {
        question.above.map(|it| it.2).into_iter().chain([question.procedure]).collect()
    }

    fn ask_shape(&self, entries: &[CodeId], question: &mut Question<'_>) -> (Answered<Flaw>, Effort) {
        ask_shape(&self.setting, entries, question)
    }

    /// Whether procedures have their shape if calls after a commit point move past [decisive](crate::obligations::decisive) steps only.
    pub(super) fn shape_past_decisive_steps(
        &self,
        id: ImplementationId,
        wanted: &[usize],
    ) -> Option<(Finding, Effort)> {
        let table = LayerLemmas { program: self.program(), layer: self.implementation(id).lower, lemmas: self.lemmas };
        let most = self.setting.scope.ints + FURTHER_INTS;
        let tried = Tried::up_to(self.program(), self.implementation(id).lower, most);
        let (mut decisive, mut open) = (Steps::telling_apart(tried), Vec::new());
        for it in 0..self.program().layers[self.implementation(id).upper.0 as usize].operations.len() {
            match self.decisive_steps(id, it, &table, &decisive)? {
                Some(steps) => {
                    decisive.extend(&steps);
                    open.push(it);
                }
                None => self.all_steps(id, it, &mut decisive),
            }
        }
        // All procedures have to agree on the decisive steps. One that does not is judged by itself, and all of its steps are decisive.
        while wanted.iter().all(|it| open.contains(it)) {
            // It holds only within the bounds within which the others agree.
            let mut effort = Effort::default();
            let mut refused = None;
            for &it in &open {
                let (holds, more) = self.has_shape_past(id, it, &table, Past::Decisive(decisive.clone()))?;
                effort.add(more);
                if !holds {
                    refused = Some(it);
                    break;
                }
            }
            let Some(refused) = refused else { return Some((Finding::proved(), effort)) };
            self.all_steps(id, refused, &mut decisive);
            open.retain(|it| *it != refused);
        }
        Some((Finding::new(Verdict::Undecided, Vec::new()), Effort::default()))
    }

    /// The decisive steps of a procedure, if it has its shape whatever steps others make; `Some(None)` if it has not. `None` if the search was
    /// stopped. They are told apart as `others` are.
    pub(super) fn decisive_steps(
        &self,
        id: ImplementationId,
        operation: usize,
        table: &LayerLemmas,
        others: &Steps,
    ) -> Option<Option<Steps>> {
        let Some((procedure, _)) = self.procedure(id, operation) else { return Some(None) };
        if self.is_one_call(id, operation) {
            return Some(None);
        }
        let mut question = self.shape_question(id, operation, procedure, table);
        question.judge.past = Past::Failures;
        question.gate = self.gate_of_calls(id, operation).0;
        question.decisive = others.emptied();
        // Where integers are told apart, those are tried, too, that others reach from the ones that they are asked for.
        let ints = self.setting.scope.ints + if others.tells_integers_apart() { FURTHER_INTS } else { 0 };
        let scope = Scope { ints, ..self.setting.scope.clone() };
        let setting = Setting { scope: &scope, ..self.setting };
        let (answered, _) = ask_shape(&setting, &self.entries(&question), &mut question);
        match answered {
            Answered::Holds => Some(Some(question.decisive)),
            Answered::GivenUp(Abort::Stopped) => None,
            Answered::Violated(_) | Answered::GivenUp(_) => Some(None),
        }
    }

    /// Adds all steps that a procedure, or an operation that is passed on, makes.
    fn all_steps(&self, id: ImplementationId, operation: usize, steps: &mut Steps) {
        needs::called_by(self.program(), id, operation).into_iter().for_each(|it| steps.insert_all(it));
    }

    /// Whether a procedure has its shape if its calls after the commit point move past these steps.
    pub(super) fn has_shape_past(
        &self,
        id: ImplementationId,
        operation: usize,
        table: &LayerLemmas,
        past: Past,
    ) -> Option<(bool, Effort)> {
        let (procedure, _) = self.procedure(id, operation)?;
        let mut question = self.shape_question(id, operation, procedure, table);
        question.judge.past = past;
        let starts = self.setting.rely.map(Rely::starts);
        let knows_start = starts.is_some_and(|it| it == idle::Effort::Found || idle::is_stated(self.program(), id));
        question.idle = starts.filter(|_| knows_start).map(|it| Idle::new(id, it));
        let (gate, gate_effort) = self.gate_of_calls(id, operation);
        question.gate = gate;
        let mut entries = self.entries(&question);
        entries.extend(question.idle.iter().flat_map(|_| self.entries_of_start(id)));
        let (answered, mut effort) = self.ask_shape(&entries, &mut question);
        if question.idle.as_ref().is_some_and(Idle::found_nothing) {
            return Some((false, effort));
        }
        self.started_from(question.idle.as_ref());
        effort.add(gate_effort);
        self.rely_on_lemmas(question.lower, &question.judge, &mut effort);
        if let Answered::Violated(flaw) = &answered {
            tracing::debug!(operation, kind = ?flaw.kind, call = flaw.call.operation, against = ?flaw.against, notes = ?flaw.notes, "no shape");
        }
        match answered {
            Answered::Holds if question.relies_on_runs_alone => {
                let (alone, more) = self.atomic_spec(id, operation)?;
                effort.add(more);
                Some((alone.verdict == Verdict::Proved, effort))
            }
            Answered::Holds => Some((true, effort)),
            Answered::GivenUp(Abort::Stopped) => None,
            Answered::Violated(_) | Answered::GivenUp(_) => Some((false, effort)),
        }
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

fn ask_shape(setting: &Setting, entries: &[CodeId], question: &mut Question<'_>) -> (Answered<Flaw>, Effort) {
    setting.ask_in_parts(entries, Some(question.lower), |search| {
        question.judge.relied_right.clear();
        question.judge.relied_left.clear();
        shape::check(setting, search, question)
    })
}
