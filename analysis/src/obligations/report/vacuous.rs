//! Words for warnings: a verdict that stands, but says less than it seems.

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, Severity, codes},
    explore::search::Abort,
    ir::{Anchor, Code as How, ImplementationId, LayerId, NodeId},
    obligations::{
        layer::{self, Part},
        question::{Answered, Effort},
        vacuous,
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    fn warning(&self, code: &'static str, message: String, span: Anchor, help: &str) -> Diagnostic<Anchor> {
        let help = Some(help.to_owned());
        Diagnostic { severity: Severity::Warning, help, ..self.error(code, message, span) }
    }

    /// An operation that has no transition.
    pub(super) fn never_enabled(&self, id: LayerId, name: &str, span: Anchor) -> Option<Diagnostic<Anchor>> {
        let why = match vacuous::some_state_satisfies_invariants(&self.setting, id)? {
            true => "it has no transition in any state".to_owned(),
            false => format!("no state satisfies the invariants of `{}`", self.layer_name(id)),
        };
        let help = "look at its guards: what is shown about an operation that never happens is empty";
        Some(self.warning(codes::CS1001, format!("`{name}` is never enabled: {why}"), span, help))
    }

    /// A branch of an operation that is part of no step.
    pub(super) fn untaken(
        &self,
        id: LayerId,
        part: Part,
        branch: NodeId,
        in_scope: bool,
    ) -> Option<Diagnostic<Anchor>> {
        let Part::Operation(operation) = part else { return None };
        let operation = &self.program().layers[id.0 as usize].operations[operation];
        let span = Anchor::Node(operation.function, branch);
        let name = &operation.name;
        Some(match in_scope {
            true => self.warning(
                codes::CS1003,
                format!("the scope is too small for this branch of `{name}`: no state in it leads here"),
                span,
                "give a larger scope, such as `--scope entries=3,int=4`; if nothing leads here, remove the branch",
            ),
            false => self.warning(
                codes::CS1002,
                format!("no step of `{name}` takes this branch"),
                span,
                "look at the conditions that lead here: they hold in no state, or what follows never happens",
            ),
        })
    }

    /// A procedure that never ends by itself. Of an operation that is passed on, this is said where it is declared; and over a protocol a call
    /// that is not allowed is a violation of its own.
    pub(super) fn unless_it_never_ends(
        &self,
        finding: Finding,
        effort: &Effort,
        (how, lower): (&How, LayerId),
        name: &str,
        span: Anchor,
    ) -> Finding {
        if matches!(how, How::Pass) || self.program().layers[lower.0 as usize].protocol.is_some() {
            return finding;
        }
        let what = format!("the procedure of `{name}` holds with no case: no run of it, alone, comes to its end");
        let help = "look at the calls that it waits for: what is shown about a procedure that never ends is empty";
        self.unless_empty(finding, effort, what, span, help)
    }

    /// A relation that relates no state with a step of the operation below. Of one that never happens, this is said where it is declared.
    pub(super) fn unless_nothing_is_related(
        &self,
        (finding, effort): (Finding, Effort),
        name: &str,
        (lower, below): (LayerId, usize),
        span: Anchor,
    ) -> Option<(Finding, Effort)> {
        let layer = self.layer_name(lower);
        let what = format!("the steps of `{name}` are matched with no case: no related state of `{layer}` has one");
        let help = "look at the relation, and at the invariants: it may relate no states, or none that matter here";
        let finding = self.unless_empty(finding, &effort, what, span, help);
        let warns = finding.verdict == Verdict::Proved && !finding.diagnostics.is_empty();
        if warns && !self.can_happen(lower, below)? {
            return Some((Finding::proved(), effort));
        }
        Some((finding, effort))
    }

    /// A warning where an obligation holds because nothing that it is about ever happens.
    fn unless_empty(&self, finding: Finding, effort: &Effort, what: String, span: Anchor, help: &str) -> Finding {
        if finding.verdict != Verdict::Proved || effort.cases == 0 || effort.ends > 0 {
            return finding;
        }
        Finding { diagnostics: vec![self.warning(codes::CS1004, what, span, help)], ..finding }
    }

    /// Whether an operation has a transition in some state. `None` if that was stopped.
    fn can_happen(&self, layer: LayerId, operation: usize) -> Option<bool> {
        let explored = layer::check(&self.setting, layer, Part::Operation(operation), false);
        match explored.answered {
            Answered::GivenUp(Abort::Stopped) => None,
            _ => Some(explored.enabled),
        }
    }

    /// Rules that allow no call. Said once for each operation.
    pub(super) fn unless_never_allowed(
        &self,
        (finding, effort): (Finding, Effort),
        lower: LayerId,
        operation: usize,
    ) -> Option<(Finding, Effort)> {
        if finding.verdict != Verdict::Proved || vacuous::some_call_is_allowed(&self.setting, lower, operation)? {
            return Some((finding, effort));
        }
        let layer = &self.program().layers[lower.0 as usize];
        let operation = &layer.operations[operation];
        let rule = operation.allowed.first().map_or(Anchor::Layer(lower), |it| Anchor::Function(*it));
        let message = format!(
            "`{}` of `{}` is never allowed: its rules hold of no call in any state",
            operation.name, layer.name
        );
        let help = "weaken the rule: an operation that nobody may call is as good as none";
        Some((Finding::of(Verdict::Proved, self.warning(codes::CS1005, message, rule, help)), effort))
    }

    /// A warning where no state below is initial. Of the layer at the bottom nothing else says so.
    pub(super) fn unless_nothing_is_initial(
        &self,
        id: ImplementationId,
        (finding, effort): (Finding, Effort),
    ) -> Option<(Finding, Effort)> {
        let lower = self.implementation(id).lower;
        if finding.verdict != Verdict::Proved || vacuous::some_state_is_initial(&self.setting, lower)? {
            return Some((finding, effort));
        }
        let (layer, name) = (&self.program().layers[lower.0 as usize], self.layer_name(lower));
        let warning = match (vacuous::some_state_satisfies_invariants(&self.setting, lower)?, layer.init) {
            (false, _) => self.warning(
                codes::CS1006,
                format!("no state satisfies the invariants of `{name}`"),
                layer.invariants.first().map_or(Anchor::Layer(lower), |it| Anchor::Function(*it)),
                "weaken them: a layer whose invariants never hold has no steps, and all that is shown of it is empty",
            ),
            (true, init) => self.warning(
                codes::CS1007,
                format!("no state of `{name}` is initial: nothing ever runs on it"),
                init.map_or(Anchor::Layer(lower), Anchor::Function),
                "weaken the condition, or make it agree with the invariants",
            ),
        };
        Some((Finding { diagnostics: vec![warning], ..finding }, effort))
    }

    /// A client that waits for ever, in whatever order its processes step.
    pub(super) fn unless_it_cannot_run(
        &self,
        finding: Finding,
        finishes: bool,
        client: usize,
        processes: u32,
    ) -> Finding {
        if finding.verdict != Verdict::Proved || finishes {
            return finding;
        }
        let name = &self.program().clients[client].name;
        let message =
            format!("with {processes} processes, `{name}` cannot run: in no order of steps do all of them finish");
        let help = "look at what it waits for, and at the initial states of the lowest layer";
        Finding::of(Verdict::Proved, self.warning(codes::CS1008, message, Anchor::Client(client), help))
    }
}
