//! Messages for a stack with a gap, and for one whose top may fail.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    ir::Anchor,
    obligations::{
        layer::{self, Explored, Part},
        question::Effort,
        stack,
    },
};

impl Reporter<'_> {
    pub(super) fn stack_links(&self, index: usize) -> Finding {
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
        let finding = self.finding(answered, &what, span, |failure| {
            let at = self.site_anchor(failure.site).unwrap_or(Anchor::Operation(top, operation));
            let diagnostic = Diagnostic {
                label: failure.why.to_owned(),
                related: vec![(span, "the top of this stack".to_owned())],
                counterexample: Some(failure.counterexample),
                help: Some(
                    "end the stack in a layer that cannot fail: show, by a protocol, that the condition always holds"
                        .to_owned(),
                ),
                ..self.error(
                    codes::CS0701,
                    format!(
                        "`{}::{name}` may fail, and `{}` promises nothing after a failure",
                        self.layer_name(top),
                        stack.name
                    ),
                    at,
                )
            };
            self.violated(&failure.confirmation, diagnostic)
        })?;
        Some((finding, effort))
    }
}
