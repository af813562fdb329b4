//! Messages for a run of a client at the bottom of a stack that goes wrong.

use std::collections::BTreeSet;

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    explore::search::Abort,
    ir::{Anchor, Client},
    obligations::{
        Over,
        end_to_end::{
            self, Limits, Line, OwnFailure, Reductions, Schedule, Searched, Subject, TriedOut, Uncertain, Wrong,
            WrongRun,
        },
        question::{Answered, Confirmation, Effort},
    },
    verdict::Verdict,
};

/// The help for a wrong run: the search does not know which implementation is wrong.
const WHICH_IS_WRONG: &str =
    "run `cargo cspec check`: an obligation that does not hold shows which implementation may be wrong";

/// A schedule with its subject, as one line.
pub(super) fn line(
    over: &str,
    runs: Result<(String, u32), Vec<Vec<usize>>>,
    question: Option<(String, String)>,
    schedule: &Schedule,
) -> String {
    let subject = Subject { over: over.to_owned(), runs, question };
    Line { subject, schedule: schedule.clone() }.to_string()
}

impl Reporter<'_> {
    pub(super) fn end_to_end(&self, index: usize, processes: u32) -> Option<(Finding, Effort)> {
        let client = &self.program().clients[index];
        let span = Anchor::Client(index);
        let reductions = Reductions { symmetry: self.setting.scope.symmetry, ..Reductions::ALL };
        let searched = end_to_end::check(&self.setting, client, processes, reductions);
        let Searched { answered, effort, finishes, emits, cut_off, uncertain, .. } = searched;
        let what = format!("`{}` with {processes} processes", client.name);
        if let (Some(layer), Answered::Holds) = (cut_off, &answered) {
            return Some((self.no_initial_state_within_scope(layer, &what, span)?, effort));
        }
        if let (Some(Uncertain { run, bounds }), Answered::Holds) = (uncertain, &answered) {
            let finding = self.wrong_run(client, span, processes, run);
            return Some((self.unless_there_is_more(finding, bounds), effort));
        }
        let finding = self.finding(answered, &what, span, |run| self.wrong_run(client, span, processes, run))?;
        let finding = self.unless_it_cannot_run(finding, finishes, index, processes);
        Some((self.unless_it_shows_nothing(finding, emits, index, processes), effort))
    }

    /// Generated programs, for stacks and implementations without a client.
    pub(super) fn tried_out(&self, over: Over) -> Option<(Finding, Effort)> {
        let program = self.program();
        let implementations = over.implementations(program);
        let implementations: Vec<_> =
            implementations.iter().map(|it| &program.implementations[it.0 as usize]).collect();
        let (span, name) = match over {
            Over::Stack(index) => (Anchor::Stack(index), &program.stacks[index].name),
            Over::Implementation(id) => (Anchor::Implementation(id), &self.implementation(id).name),
        };
        let limits = Limits::QUICK;
        let TriedOut { answered, program: calls, numbers, tried, calls: reached, uncertain, mut effort } =
            end_to_end::try_out(&self.setting, &implementations, limits);
        effort.bounds_met.insert(format!("{} processes", limits.processes));
        effort.bounds_met.insert(format!("{tried} programs"));
        if reached > 0 {
            effort.bounds_met.insert(format!("all programs of {reached} calls"));
        }
        let what = format!("whether small programs have a new trace over `{name}`");
        if let (Answered::GivenUp(Abort::Unsupported) | Answered::Holds, 0) = (&answered, tried) {
            let message = format!("{what} is undecided: no program could be run");
            let help =
                "write a client, or use a larger scope: within this one the lowest layer may have no initial state";
            let diagnostic = Diagnostic { help: Some(help.to_owned()), ..self.error(codes::CS0906, message, span) };
            return Some((Finding::of(Verdict::Undecided, diagnostic), effort));
        }
        let wrong = |run: WrongRun| {
            let shown = calls.iter().enumerate().map(|(number, it)| format!("p{number}: {}", it.join("; ")));
            let program = format!("the program is  {}", shown.collect::<Vec<_>>().join("  |  "));
            Finding::violated(Diagnostic {
                notes: std::iter::once(program).chain(run.notes).collect(),
                counterexample: Some(run.counterexample),
                replay: Some(line(name, Err(numbers.clone()), None, &run.schedule)),
                help: Some(WHICH_IS_WRONG.to_owned()),
                ..self.error(
                    codes::CS0801,
                    format!("a small program over `{name}` has a trace at the bottom that the top does not have"),
                    span,
                )
            })
        };
        if let (Some(Uncertain { run, bounds }), Answered::Holds) = (uncertain, &answered) {
            return Some((self.unless_there_is_more(wrong(run), bounds), effort));
        }
        Some((self.finding(answered, &what, span, wrong)?, effort))
    }

    /// A wrong run that the top may match beyond these bounds.
    fn unless_there_is_more(&self, finding: Finding, bounds: BTreeSet<String>) -> Finding {
        let confirmation = Confirmation::Within(bounds);
        let mut found = finding.diagnostics.into_iter();
        found.next().map_or_else(Finding::proved, |it| self.violated(&confirmation, it))
    }

    pub(super) fn wrong_run(&self, client: &Client, span: Anchor, processes: u32, run: WrongRun) -> Finding {
        let WrongRun { wrong, counterexample, notes, schedule } = run;
        let name = &client.name;
        let bounds = if let Wrong::Stuck(bounds) = &wrong { bounds.clone() } else { BTreeSet::new() };
        // The gate of the top is asked for by `check`, of the top alone.
        let is_searched = !matches!(wrong, Wrong::TopFails(_));
        let mut diagnostic = match wrong {
            Wrong::Trace(failure) => {
                let site = failure.and_then(|it| self.site_anchor(it.site));
                let message = format!(
                    "with {processes} processes, `{name}` has a trace at the bottom that the top does not have"
                );
                Diagnostic {
                    related: site.map(|it| (it, "this fails".to_owned())).into_iter().collect(),
                    help: Some(WHICH_IS_WRONG.to_owned()),
                    ..self.error(codes::CS0801, message, span)
                }
            }
            Wrong::ClientFails(failure, at_the_top) => self.client_fails(client, span, processes, &failure, at_the_top),
            Wrong::TopFails(operation) => self.breaks_gate(client, span, processes, operation),
            Wrong::Answers(_) => unreachable!("the runs of a client are not asked questions here"),
            Wrong::Stuck(_) => {
                let message = format!(
                    "with {processes} processes, `{name}` gets stuck: after this run they can never all finish"
                );
                let help =
                    "make the awaited event happen in every order; or declare that the client `may_wait` for ever";
                Diagnostic { help: Some(help.to_owned()), ..self.error(codes::CS0802, message, span) }
            }
        };
        diagnostic.notes.extend(notes);
        diagnostic.counterexample = Some(counterexample);
        let stack = &self.program().stacks[client.stack as usize].name;
        diagnostic.replay = is_searched.then(|| line(stack, Ok((name.clone(), processes)), None, &schedule));
        // Steps may have more choices than those within bounds, and with them a way out.
        self.violated(&Confirmation::within(bounds), diagnostic)
    }

    /// A client whose own code fails.
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
                "after the same events it can fail at the top of the stack, too: it asserts more than the layers promise",
                "assert less, or have the layer at the top allow less",
            ),
            false => (
                "after the same events it cannot fail at the top of the stack: a step below does what the top does not allow",
                WHICH_IS_WRONG,
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
