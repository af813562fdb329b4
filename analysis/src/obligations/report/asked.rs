//! Messages for the questions of a layer: `#[never]` and `#[always]`.

use super::{Finding, Reporter, end_to_end::line, name::own_name};
use crate::{
    diagnostics::{Diagnostic, codes},
    explore::search::Abort,
    ir::{Anchor, LayerId, Question},
    obligations::{
        Asking, Over,
        end_to_end::{self, Answer, Limits, Reductions, Wrong, WrongRun},
        question::{Answered, Effort},
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    pub(super) fn asked(&self, layer: LayerId, question: usize, asking: Asking) -> Option<(Finding, Effort)> {
        match asking {
            Asking::Client(index, processes) => self.asked_of_client(layer, question, index, processes),
            Asking::Programs(over) => {
                let chain = over.implementations(self.program());
                let tried = end_to_end::ask_programs(&self.setting, &chain, (layer, question), Limits::QUICK);
                self.asked_of_programs(layer, question, over, tried)
            }
            Asking::Nowhere => Some((self.asked_of_nothing(layer, question), Effort::default())),
        }
    }

    fn asked_of_client(
        &self,
        layer: LayerId,
        question: usize,
        index: usize,
        processes: u32,
    ) -> Option<(Finding, Effort)> {
        let client = &self.program().clients[index];
        let searched = end_to_end::ask_client(&self.setting, client, processes, (layer, question), Reductions::ALL);
        let who = format!("`{}` with {processes} processes", client.name);
        let (name, span) = self.question(layer, question);
        let what = format!("`{name}`, asked of {who}");
        if let (Some(layer), Answered::Holds) = (searched.cut_off, &searched.answered) {
            return Some((self.no_initial_state_within_scope(layer, &what, span)?, searched.effort));
        }
        let wrong = |run: WrongRun| {
            let stack = &self.program().stacks[client.stack as usize].name;
            let asked = Some((self.layer_name(layer), name.to_owned()));
            let replay = line(stack, Ok((client.name.clone(), processes)), asked, &run.schedule);
            self.wrong_answer((layer, question), (&who, Some(index)), replay, run)
        };
        Some((self.finding(searched.answered, &what, span, wrong)?, searched.effort))
    }

    fn asked_of_programs(
        &self,
        layer: LayerId,
        question: usize,
        over: Over,
        tried: end_to_end::TriedOut,
    ) -> Option<(Finding, Effort)> {
        let (name, span) = self.question(layer, question);
        let what = format!("`{name}`, asked of generated programs");
        let end_to_end::TriedOut { answered, program, numbers, tried, calls, mut effort, .. } = tried;
        if let (Answered::GivenUp(Abort::Unsupported) | Answered::Holds, 0) = (&answered, tried) {
            let message = format!("{what} is undecided: no program could be run");
            let help = "write a client for a stack with this layer, or use a larger scope: within this one the layer may have no initial state";
            let diagnostic = Diagnostic { help: Some(help.to_owned()), ..self.error(codes::CS0906, message, span) };
            return Some((Finding::of(Verdict::Undecided, diagnostic), effort));
        }
        effort.bounds_met.insert(format!("{} processes", Limits::QUICK.processes));
        effort.bounds_met.insert(format!("{tried} programs"));
        if calls > 0 {
            effort.bounds_met.insert(format!("all programs of {calls} calls"));
        }
        let wrong = |run: WrongRun| {
            let over = match over {
                Over::Stack(index) => &self.program().stacks[index].name,
                Over::Implementation(id) => &self.implementation(id).name,
            };
            let asked = Some((self.layer_name(layer), name.to_owned()));
            let replay = line(over, Err(numbers.clone()), asked, &run.schedule);
            let mut finding = self.wrong_answer((layer, question), ("a small program", None), replay, run);
            let shown = program.iter().enumerate().map(|(number, it)| format!("p{number}: {}", it.join("; ")));
            let program = format!("the program is  {}", shown.collect::<Vec<_>>().join("  |  "));
            finding.diagnostics.iter_mut().for_each(|it| it.notes.insert(0, program.clone()));
            finding
        };
        Some((self.finding(answered, &what, span, wrong)?, effort))
    }

    /// The name of a question, and its place.
    fn question(&self, layer: LayerId, question: usize) -> (&str, Anchor) {
        let function = self.program().layers[layer.0 as usize].questions[question].1;
        (own_name(&self.program().functions[function.0 as usize].name), Anchor::Function(function))
    }

    fn wrong_answer(
        &self,
        (layer, question): (LayerId, usize),
        (who, client): (&str, Option<usize>),
        replay: String,
        run: WrongRun,
    ) -> Finding {
        let (name, span) = self.question(layer, question);
        let kind = self.program().layers[layer.0 as usize].questions[question].0;
        let layer = self.layer_name(layer);
        let (message, help) = match (kind, &run.wrong) {
            (_, Wrong::Answers(Answer::Fails)) => (
                format!("`{name}` of `{layer}` has no answer in a state that {who} reaches: it panics there"),
                "a condition must be true or false in every state",
            ),
            (Question::Never, _) => (
                format!("{who} reaches a state of `{layer}` in which `{name}` holds, and it is never to hold"),
                "look at the last steps of the run: one of them must not be possible there; or weaken the condition",
            ),
            (Question::Always, _) => (
                format!("{who} reaches a state of `{layer}` in which `{name}` does not hold, and it is always to hold"),
                "look at the last steps of the run: one of them must not be possible there; or weaken the condition",
            ),
        };
        Finding::violated(Diagnostic {
            related: client.iter().map(|it| (Anchor::Client(*it), "this client".to_owned())).collect(),
            notes: run.notes,
            counterexample: Some(run.counterexample),
            replay: Some(replay),
            help: Some(help.to_owned()),
            ..self.error(codes::CS0803, message, span)
        })
    }

    /// A question that no search asks is not answered.
    fn asked_of_nothing(&self, layer: LayerId, question: usize) -> Finding {
        let (name, span) = self.question(layer, question);
        let message = format!(
            "`{name}` is undecided: no search reaches the states of `{}`, so it was asked of none",
            self.layer_name(layer)
        );
        let help = "write a client of a stack that has this layer, above or below the layers for one key; or remove the question";
        let diagnostic = Diagnostic { help: Some(help.to_owned()), ..self.error(codes::CS0910, message, span) };
        Finding::of(Verdict::Undecided, diagnostic)
    }
}
