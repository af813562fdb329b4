//! Messages for warnings: a verdict that holds, but says less than it seems.

use std::collections::BTreeSet;

use super::{Finding, Reporter};
use crate::{
    diagnostics::{Diagnostic, Severity, codes},
    explore::search::Abort,
    ir::{Anchor, Code as How, ExprKind, FunctionId, ImplementationId, LayerId, NodeId},
    obligations::{
        atomic,
        layer::{self, Part},
        question::{Answered, Effort},
        vacuous::{self, Ever},
    },
    verdict::Verdict,
};

impl Reporter<'_> {
    fn warning(&self, code: &'static str, message: String, span: Anchor, help: &str) -> Diagnostic<Anchor> {
        let help = Some(help.to_owned());
        Diagnostic { severity: Severity::Warning, help, ..self.error(code, message, span) }
    }

    /// An operation without a transition, in any state or in the scope.
    pub(super) fn never_enabled(
        &self,
        id: LayerId,
        name: &str,
        span: Anchor,
        in_scope: bool,
    ) -> Option<Diagnostic<Anchor>> {
        let satisfied = vacuous::some_state_satisfies_invariants(&self.setting, id)?;
        if in_scope && satisfied != Ever::Never {
            let message = format!("the scope is too small for `{name}`: it has no transition from any state in it");
            let help =
                "use a larger scope, such as `--scope entries=3,int=4`; if it has none in any, correct its guards";
            return Some(self.warning(codes::CS1003, message, span, help));
        }
        let why = match satisfied {
            Ever::Never => format!("no state satisfies the invariants of `{}`", self.layer_name(id)),
            _ => "it has no transition in any state".to_owned(),
        };
        let help = "look at its guards: a result about an operation that never happens is vacuous";
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
                "use a larger scope, such as `--scope entries=3,int=4`; if nothing leads here, remove the branch",
            ),
            false => self.warning(
                codes::CS1002,
                format!("no step of `{name}` takes this branch"),
                span,
                "look at the conditions that lead here: they hold in no state, or what follows never happens",
            ),
        })
    }

    /// A procedure that never finishes by itself. A passed operation is warned of where it is declared; a procedure that never finishes
    /// because a protocol rule forbids a call is a violation. `None` if the search was stopped.
    pub(super) fn unless_it_never_ends(
        &self,
        finding: Finding,
        effort: &Effort,
        (how, lower): (&How, LayerId),
        name: &str,
        span: Anchor,
    ) -> Option<Finding> {
        let How::Procedure(function) = how else { return Some(finding) };
        let what = format!("the procedure of `{name}` holds vacuously: no run of it, alone, finishes");
        let help = "look at the calls that it waits for: a result about a procedure that never finishes is vacuous";
        let plain = finding.diagnostics.is_empty();
        let finding = self.unless_empty(finding, effort, what, span, help);
        let warns = plain && !finding.diagnostics.is_empty();
        match &self.program().layers[lower.0 as usize].protocol {
            Some(protocol) if warns && atomic::may_end(&self.setting, protocol.raw, *function)? => {
                Some(Finding::proved())
            }
            _ => Some(finding),
        }
    }

    /// A relation that relates no state with a step of the operation below. An operation without steps is warned of where it is declared.
    pub(super) fn unless_nothing_is_related(
        &self,
        (finding, effort): (Finding, Effort),
        name: &str,
        (lower, below): (LayerId, usize),
        span: Anchor,
    ) -> Option<(Finding, Effort)> {
        let layer = self.layer_name(lower);
        let what = format!("the steps of `{name}` are matched vacuously: no related state of `{layer}` has one");
        let help = "look at the relation, and at the invariants: it may relate no states, or none that matter here";
        let finding = self.unless_empty(finding, &effort, what, span, help);
        let warns = finding.verdict == Verdict::Proved && !finding.diagnostics.is_empty();
        if warns && !self.can_happen(lower, below)? {
            return Some((Finding::proved(), effort));
        }
        Some((finding, effort))
    }

    /// A warning if an obligation holds because its situation never occurs.
    fn unless_empty(&self, finding: Finding, effort: &Effort, what: String, span: Anchor, help: &str) -> Finding {
        if finding.verdict != Verdict::Proved || effort.cases == 0 || effort.ends > 0 {
            return finding;
        }
        let what = if effort.bounds_met.is_empty() { what } else { format!("{what}, within the scope") };
        Finding { diagnostics: vec![self.warning(codes::CS1004, what, span, help)], ..finding }
    }

    /// Whether an operation has a transition in some state. `None` if the search was stopped.
    fn can_happen(&self, layer: LayerId, operation: usize) -> Option<bool> {
        let explored = layer::check(&self.setting, layer, Part::Operation(operation), false);
        match explored.answered {
            Answered::GivenUp(Abort::Stopped) => None,
            _ => Some(explored.enabled),
        }
    }

    /// Rules that allow no call; one warning for each operation.
    pub(super) fn unless_never_allowed(
        &self,
        (finding, effort): (Finding, Effort),
        lower: LayerId,
        operation: usize,
    ) -> Option<(Finding, Effort)> {
        if finding.verdict != Verdict::Proved {
            return Some((finding, effort));
        }
        if vacuous::some_call_is_allowed(&self.setting, lower, operation)? != Ever::Never {
            return Some((finding, effort));
        }
        let layer = &self.program().layers[lower.0 as usize];
        let operation = &layer.operations[operation];
        let rule = operation.allowed.first().map_or(Anchor::Layer(lower), |it| Anchor::Function(*it));
        let message = format!(
            "`{}` of `{}` is never allowed: its rules hold for no call in any state",
            operation.name, layer.name
        );
        let help = "weaken the rule, or remove the operation";
        Some((Finding::of(Verdict::Proved, self.warning(codes::CS1005, message, rule, help)), effort))
    }

    /// A warning if no state of the lower layer is initial. No other check covers the layer at the bottom.
    pub(super) fn unless_nothing_is_initial(
        &self,
        id: ImplementationId,
        (finding, effort): (Finding, Effort),
    ) -> Option<(Finding, Effort)> {
        let lower = self.implementation(id).lower;
        if finding.verdict != Verdict::Proved {
            return Some((finding, effort));
        }
        let (layer, name) = (&self.program().layers[lower.0 as usize], self.layer_name(lower));
        match vacuous::some_state_is_initial(&self.setting, lower)? {
            Ever::Sometimes | Ever::Unknown => return Some((finding, effort)),
            Ever::NotInScope => {
                let what = format!("whether the initial states of `{name}` are initial above");
                return Some((self.no_initial_state_within_scope(lower, &what, Anchor::Implementation(id))?, effort));
            }
            Ever::Never => {}
        }
        let warning = match (vacuous::some_state_satisfies_invariants(&self.setting, lower)?, layer.init) {
            (Ever::Never, _) => self.warning(
                codes::CS1006,
                format!("no state satisfies the invariants of `{name}`"),
                layer.invariants.first().map_or(Anchor::Layer(lower), |it| Anchor::Function(*it)),
                "weaken them: a layer whose invariants never hold has no steps, and every result about it is vacuous",
            ),
            (_, init) => self.warning(
                codes::CS1007,
                format!("no state of `{name}` is initial: nothing ever runs on it"),
                init.map_or(Anchor::Layer(lower), Anchor::Function),
                "weaken the condition, or make it agree with the invariants",
            ),
        };
        Some((Finding { diagnostics: vec![warning], ..finding }, effort))
    }

    /// The finding for a question about initial states of a layer that has none in the scope. `None` if the search was stopped.
    pub(super) fn no_initial_state_within_scope(&self, layer: LayerId, what: &str, span: Anchor) -> Option<Finding> {
        let name = self.layer_name(layer);
        let help = match vacuous::scope_with_initial_state(&self.setting, layer)? {
            Some(larger) => format!("there is one in a larger scope: `--scope {larger}`"),
            None => {
                "use a larger scope, such as `--scope entries=8,int=200`; or make the initial states smaller".to_owned()
            }
        };
        let init = self.program().layers[layer.0 as usize].init;
        let related = init.map(|it| (Anchor::Function(it), "no state within the scope satisfies this".to_owned()));
        let diagnostic = Diagnostic {
            related: related.into_iter().collect(),
            help: Some(help),
            ..self.error(
                codes::CS0906,
                format!("{what} is undecided: no state of `{name}` within the scope is initial"),
                span,
            )
        };
        Some(Finding::of(Verdict::Undecided, diagnostic))
    }

    /// A client that emits nothing, in any order of steps.
    pub(super) fn unless_it_shows_nothing(
        &self,
        finding: Finding,
        emits: bool,
        client: usize,
        processes: u32,
    ) -> Finding {
        let is_told = !finding.diagnostics.is_empty();
        if finding.verdict != Verdict::Proved || is_told || emits || self.asserts(client) {
            return finding;
        }
        let name = &self.program().clients[client].name;
        let message =
            format!("with {processes} processes, `{name}` shows nothing: no run of it emits an event to compare");
        let help = "show its results: `top.print(seen)`, where `print` is an operation that is `#[op(external)]`; or assert something about them";
        Finding::of(Verdict::Proved, self.warning(codes::CS1009, message, Anchor::Client(client), help))
    }

    /// Whether a client has an assertion of its own.
    fn asserts(&self, client: usize) -> bool {
        let mut pending = vec![self.program().clients[client].function];
        let mut seen: BTreeSet<FunctionId> = pending.iter().copied().collect();
        let mut asserts = false;
        while let Some(function) = pending.pop() {
            let mut exprs = vec![&self.program().functions[function.0 as usize].body];
            while let Some(expr) = exprs.pop() {
                match &expr.kind {
                    ExprKind::Assert(_) => asserts = true,
                    ExprKind::Call(callee, _) if seen.insert(*callee) => pending.push(*callee),
                    _ => {}
                }
                expr.for_each_child(&mut |it| exprs.push(it));
            }
        }
        asserts
    }

    /// A client that waits for ever, in any order of steps.
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
            format!("with {processes} processes, `{name}` can never finish: no order of steps lets all of them finish");
        let help = "look at what it waits for, and at the initial states of the lowest layer";
        Finding::of(Verdict::Proved, self.warning(codes::CS1008, message, Anchor::Client(client), help))
    }
}
