//! Messages for a procedure that does not have the shape of a mover proof, or that breaks the protocol of the layer it is over.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, codes},
    explore::search::Abort,
    ir::{Anchor, Code as How, Function, ImplementationId, LayerId},
    obligations::{
        About, LayerLemmas, Lemma, mover_lemmas,
        movers::Direction,
        needs,
        question::{Answered, Effort},
        shape::{self, Flaw, FlawKind, Judge},
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
        let table = LayerLemmas { program: self.program(), layer: lower, lemmas: self.lemmas };
        let mut judge = Judge { table: Some(&table), relied_right: vec![], relied_left: vec![], unknown: None };
        let (answered, mut effort) = self.setting.ask(&[procedure], Some(lower), |search| {
            judge.relied_right.clear();
            judge.relied_left.clear();
            shape::check(&self.setting, search, lower, procedure, &mut judge)
        });
        let span = self.procedure_anchor(id, operation);
        let finding = match answered {
            Answered::Holds => {
                for (operations, direction) in
                    [(&judge.relied_right, Direction::Right), (&judge.relied_left, Direction::Left)]
                {
                    for operation in operations {
                        let lemmas = mover_lemmas(self.program(), lower, *operation, direction);
                        // Left movers are judged at their calls; so is whether they are silent, if they are not so everywhere.
                        relied.extend(lemmas.into_iter().filter(|it| match it.about {
                            About::Moves(Direction::Left, _) => false,
                            About::Silent => shape::Table::silent(&table, *operation),
                            _ => true,
                        }));
                    }
                }
                // What it relies on was shown within bounds that are then its own.
                let lemmas = relied.iter().filter_map(|it| self.lemmas.get(it));
                lemmas.for_each(|it| effort.rely_on(&it.within));
                Finding::proved()
            }
            Answered::Violated(flaw) if judge.unknown.is_some() => {
                let mut finding = self.flaw(lower, function, flaw);
                for diagnostic in &mut finding.diagnostics {
                    let open = judge.unknown.iter().map(|it| format!("it is not settled whether {it}"));
                    diagnostic.notes.extend(open);
                    diagnostic.notes.insert(0, format!("this would be: {} ({})", diagnostic.message, diagnostic.code));
                    diagnostic.code = codes::CS0908;
                    diagnostic.message =
                        format!("undecided: whether `{}` is atomic depends on what is not settled", function.name);
                    diagnostic.help = Some(
                        "settle what the note names: with a larger budget, in another scope, or in a simpler form"
                            .to_owned(),
                    );
                }
                Finding { verdict: Verdict::Undecided, ..finding }
            }
            Answered::Violated(flaw) => self.flaw(lower, function, flaw),
            Answered::GivenUp(Abort::Endless(site)) if self.setting.code.functions[site.code].source.is_some() => {
                let diagnostic = Diagnostic {
                    label: "this loop".to_owned(),
                    help: Some("a loop that retries belongs in an implementation `by = retry`; `for` over what was read is fine".to_owned()),
                    ..self.error(
                        codes::CS0308,
                        format!("`{}` loops: a procedure of movers may not", function.name),
                        self.site_anchor(site).unwrap_or(span),
                    )
                };
                Finding::violated(diagnostic)
            }
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
            FlawKind::NotLeft => (
                codes::CS0305,
                format!("`{}` is not atomic: after its commit point, `{name}` is not a left mover", function.name),
                format!(
                    "call `{name}` before the commit point, or keep other processes from interfering until `{name}` is done"
                ),
            ),
            FlawKind::MayBlock => (
                codes::CS0306,
                format!("`{}` is not atomic: after its commit point, `{name}` may block", function.name),
                format!("call `{name}` before the commit point: every later call must be enabled"),
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
