//! Messages for a stack with a gap, and for one whose top may fail.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::{Anchor, Client, Justification},
    obligations::{
        end_to_end,
        layer::{self, Explored, Panics, Part},
        question::{Answered, Confirmation, Effort},
        stack,
    },
    verdict::{Assumption, Verdict},
};

impl Reporter<'_> {
    /// Whether the links fit. A stack of which a part is only searched is not proved.
    pub(super) fn stack_links_and_search(&self, index: usize) -> (Finding, Effort) {
        let (finding, mut effort) = (self.stack_links(index), Effort::default());
        let implementations = self.program().stacks[index].implementations.iter().map(|it| self.implementation(*it));
        let searched: Vec<_> = implementations.filter(|it| matches!(it.by, Justification::Search(_))).collect();
        if finding.verdict != Verdict::Proved || searched.is_empty() {
            return (finding, effort);
        }
        effort.bounds_met.extend(searched.iter().map(|it| format!("`{}` is only searched", it.name)));
        (Finding { verdict: Verdict::Searched, ..finding }, effort)
    }

    fn stack_links(&self, index: usize) -> Finding {
        let stack = &self.program().stacks[index];
        let name = |link: usize| &self.implementation(stack.implementations[link]).name;
        let Some(gap) = stack::check(self.program(), stack) else {
            let Some(link) = stack::lonely_end(self.program(), stack) else { return Finding::proved() };
            let diagnostic = Diagnostic {
                help: Some(
                    "a stack needs both: the end over the layers for one key, and the one below them".to_owned(),
                ),
                ..self.error(
                    codes::CS0208,
                    format!("`{}` is one end of a partition without the other in `{}`", name(link), stack.name),
                    Anchor::Link(index, link),
                )
            };
            return Finding::violated(diagnostic);
        };
        let needs = self.layer_name(gap.needs);
        let upper_span = Anchor::Link(index, gap.link);
        let diagnostic = match gap.provides.map(|it| self.layer_name(it)) {
            Some(provides) => Diagnostic {
                label: format!("implements `{provides}`"),
                related: vec![(upper_span, format!("needs `{needs}` below"))],
                help: Some(format!("put an implementation of `{needs}` between them")),
                ..self.error(
                    codes::CS0208,
                    format!(
                        "`{}` does not fit on `{}` in the stack `{}`",
                        name(gap.link),
                        name(gap.link + 1),
                        stack.name
                    ),
                    Anchor::Link(index, gap.link + 1),
                )
            },
            None => Diagnostic {
                label: format!("over the protocol layer `{needs}`"),
                help: Some("only procedures `by = movers` are shown to follow a protocol".to_owned()),
                ..self.error(
                    codes::CS0208,
                    format!(
                        "nothing shows that `{}` uses `{needs}` by its rules in the stack `{}`",
                        name(gap.link),
                        stack.name
                    ),
                    upper_span,
                )
            },
        };
        Finding::violated(diagnostic)
    }

    pub(super) fn never_fails(&self, index: usize, operation: usize) -> Option<(Finding, Effort)> {
        let stack = &self.program().stacks[index];
        let top = stack::top(self.program(), stack)?;
        let Explored { answered, effort, .. } = layer::check(&self.setting, top, Part::Operation(operation), true);
        let name = self.operation_name(top, operation);
        let span = Anchor::Stack(index);
        let what = format!("whether `{name}` may fail");
        if let Answered::Violated(Panics { confirmation: Confirmation::Replayed, .. }) = &answered
            && let Some(asked) = self.clients_keep_gate(index, operation)?
        {
            return Some(asked);
        }
        let finding = self.finding(answered, &what, span, |failure| {
            let help = "end the stack in a layer that cannot fail: show, by a protocol, that the condition always holds; or declare \
                        clients that show how it is called";
            let diagnostic = Diagnostic {
                label: failure.why.to_owned(),
                related: vec![(span, "the top of this stack".to_owned())],
                counterexample: Some(failure.counterexample),
                help: Some(help.to_owned()),
                ..self.error(
                    codes::CS0701,
                    format!(
                        "`{}::{name}` may fail, and `{}` promises nothing after a failure",
                        self.layer_name(top),
                        stack.name
                    ),
                    self.site_anchor(failure.site).unwrap_or(Anchor::Operation(top, operation)),
                )
            };
            self.violated(&failure.confirmation, diagnostic)
        })?;
        Some((finding, effort))
    }

    /// An operation at the top that may fail in some state: whether the clients of the stack call it so that it does not. `Some(None)`: no
    /// client calls it.
    fn clients_keep_gate(&self, index: usize, operation: usize) -> Option<Option<(Finding, Effort)>> {
        let (mut effort, mut is_called) = (Effort::default(), false);
        effort.assumptions.insert(Assumption::CallersKeepAssertions);
        let clients = self.program().clients.iter().enumerate().filter(|(_, it)| it.stack as usize == index);
        let runs = clients.flat_map(|(at, it)| it.processes.iter().map(move |processes| (at, it, *processes)));
        for (at, client, processes) in runs {
            let searched = end_to_end::keeps_gate(&self.setting, client, processes, operation);
            effort.add(searched.effort);
            is_called |= searched.calls_gate;
            let what = format!("whether an assertion of the top layer may fail for `{}`", client.name);
            if let (Some(layer), Answered::Holds) = (searched.cut_off, &searched.answered) {
                return Some(Some((self.no_initial_state_within_scope(layer, &what, Anchor::Client(at))?, effort)));
            }
            let refuted = |run| self.wrong_run(client, Anchor::Client(at), processes, run);
            let finding = self.finding(searched.answered, &what, Anchor::Client(at), refuted)?;
            if finding.verdict != Verdict::Proved {
                return Some(Some((finding, effort)));
            }
            effort.bounds_met.insert(format!("client `{}`", client.name));
        }
        Some(is_called.then(|| (Finding::proved(), effort)))
    }

    /// A client that calls an operation at the top where it fails.
    pub(super) fn breaks_gate(
        &self,
        client: &Client,
        span: Anchor,
        processes: u32,
        operation: usize,
    ) -> Diagnostic<Anchor> {
        let stack = &self.program().stacks[client.stack as usize];
        let Some(top) = stack::top(self.program(), stack) else { unreachable!("a stack with a client has a top") };
        let (name, caller) = (self.operation_name(top, operation), &client.name);
        Diagnostic {
            label: "an assertion of this operation does not hold".to_owned(),
            related: vec![(span, "for this client".to_owned())],
            help: Some(format!(
                "have `{caller}` call `{name}` only where its assertion holds, or let `{name}` allow more states"
            )),
            ..self.error(
                codes::CS0701,
                format!(
                    "with {processes} processes, `{}::{name}` fails for `{caller}`, and `{}` promises nothing after a failure",
                    self.layer_name(top),
                    stack.name
                ),
                Anchor::Operation(top, operation),
            )
        }
    }
}
