//! From answers to outcomes: settles an obligation and puts the result in words, at the smallest responsible place.

use super::{
    About, LayerLemmas, Lemma, Lemmas, Obligation, abstraction,
    atomic::{self, Implemented},
    end_to_end,
    layer::{self, Part},
    modulo_failure,
    movers::{Direction, Refutation},
    needs,
    partition::{self, Misplaced, PartitionEnd},
    protocol,
    question::{Answered, Effort, Setting},
    retry::{self, BadTurnKind},
    shape::{self, Flaw, FlawKind, Judge},
    stack,
};
use serde::{Deserialize, Serialize};

use crate::{
    counterexample::Counterexample,
    diagnostics::{Diagnostic, Severity, codes},
    explore::{machine::Site, search::Abort},
    ir::{
        self, Abstraction, Anchor, Code as How, Function, Implementation, ImplementationId, Justification, LayerId,
        Partition, Program,
    },
    verdict::{ObligationName, Pattern, Verdict},
};

/// Settles obligations of one program.
pub struct Reporter<'p> {
    /// What they are checked with.
    pub setting: Setting<'p>,
    /// What they rely on.
    pub lemmas: &'p Lemmas,
}

/// What settling an obligation gave: all of an [`Outcome`](crate::verdict::Outcome) but for the obligation's name and where things stand.
/// It speaks of the program that it was settled on, which is a slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The verdict. An abstraction that does not absorb background steps is `undecided`: that refutes nothing.
    pub verdict: Verdict,
    /// See [`Outcome::bounds_met`](crate::verdict::Outcome::bounds_met).
    pub bounds_met: Vec<String>,
    /// Cases that the split was closed with.
    pub cases: u64,
    /// States visited.
    pub states: u64,
    /// Findings.
    pub diagnostics: Vec<Diagnostic<Anchor>>,
    /// Lemmas that are owed because of it.
    pub relied: Vec<Lemma>,
    /// Why a lemma does not hold.
    pub refutation: Option<Refutation>,
    /// It came upon code that was diagnosed. If that is so, there is no verdict; otherwise it is a mistake of ours.
    pub met_unsupported: bool,
}

impl Settled {
    /// Whether the obligation holds, within whatever bounds.
    pub fn holds(&self) -> bool {
        matches!(self.verdict, Verdict::Proved | Verdict::Checked)
    }
}

/// The verdict and the finding that go with it.
struct Finding {
    verdict: Verdict,
    diagnostics: Vec<Diagnostic<Anchor>>,
    refutation: Option<Refutation>,
    met_unsupported: bool,
}

impl Finding {
    fn new(verdict: Verdict, diagnostics: Vec<Diagnostic<Anchor>>) -> Finding {
        Finding { verdict, diagnostics, refutation: None, met_unsupported: false }
    }

    fn of(verdict: Verdict, diagnostic: Diagnostic<Anchor>) -> Finding {
        Finding::new(verdict, vec![diagnostic])
    }
}

/// Words for a lemma, as a clause: "`read` moves left past `write` in `Lock`".
pub fn lemma_in_words(program: &Program, lemma: &Lemma) -> String {
    let layer = &program.layers[lemma.layer.0 as usize];
    let name = |operation: usize| &layer.operations[operation].name;
    let operation = name(lemma.operation);
    match lemma.about {
        About::Silent => format!("`{operation}` of `{}` emits nothing and cannot fail", layer.name),
        About::Moves(direction, other) => {
            format!("`{operation}` moves {} past `{}` in `{}`", direction.name(), name(other), layer.name)
        }
        About::StablyEnabled(other) => {
            format!("`{operation}` stays enabled when `{}` happens in `{}`", name(other), layer.name)
        }
    }
}

/// What an obligation is called.
pub fn name(program: &Program, obligation: &Obligation) -> ObligationName {
    let layers = &program.layers;
    let layer_name = |layer: LayerId| layers[layer.0 as usize].name.clone();
    let operation_name = |layer: LayerId, operation: usize| layers[layer.0 as usize].operations[operation].name.clone();
    let implementation_of = |id: ImplementationId| &program.implementations[id.0 as usize];
    let blank = |pattern, kind: &'static str| ObligationName {
        implementation: String::new(),
        pattern,
        kind,
        layer: String::new(),
        operation: String::new(),
        against: String::new(),
    };
    let of = |id: ImplementationId, operation: usize, pattern, kind| {
        let implementation = implementation_of(id);
        ObligationName {
            implementation: implementation.name.clone(),
            layer: layer_name(implementation.upper),
            operation: operation_name(implementation.upper, operation),
            ..blank(pattern, kind)
        }
    };
    match obligation {
        Obligation::Lemma(lemma) => {
            let (kind, against) = match lemma.about {
                About::Silent => ("silent", None),
                About::Moves(Direction::Right, other) => ("right-mover", Some(other)),
                About::Moves(Direction::Left, other) => ("left-mover", Some(other)),
                About::StablyEnabled(other) => ("stably-enabled", Some(other)),
            };
            ObligationName {
                layer: layer_name(lemma.layer),
                operation: operation_name(lemma.layer, lemma.operation),
                against: against.map_or_else(String::new, |it| operation_name(lemma.layer, it)),
                ..blank(Pattern::Movers, kind)
            }
        }
        Obligation::NoPanic(layer, part) => ObligationName {
            layer: layer_name(*layer),
            operation: part.name(&layers[layer.0 as usize]).to_owned(),
            ..blank(Pattern::Layer, "no-panic")
        },
        Obligation::Shape(id, operation) => of(*id, *operation, Pattern::Movers, "shape"),
        Obligation::FollowsProtocol(id, operation) => of(*id, *operation, Pattern::Protocol, "follows"),
        Obligation::StaysAllowed(id, operation, other) => {
            let implementation = implementation_of(*id);
            ObligationName {
                implementation: implementation.name.clone(),
                layer: layer_name(implementation.lower),
                operation: operation_name(implementation.lower, *operation),
                against: operation_name(implementation.lower, *other),
                ..blank(Pattern::Protocol, "stays-allowed")
            }
        }
        Obligation::AtomicSpec(id, operation) => of(*id, *operation, Pattern::Movers, "atomic-spec"),
        Obligation::Initial(id) => {
            let implementation = implementation_of(*id);
            let pattern = match implementation.by {
                Justification::Movers(_) => Pattern::Movers,
                Justification::Retry(_) => Pattern::Retry,
                Justification::Abstraction(_) => Pattern::Abstraction,
                Justification::Partition(_) => Pattern::Partition,
            };
            ObligationName {
                implementation: implementation.name.clone(),
                layer: layer_name(implementation.upper),
                ..blank(pattern, "initial")
            }
        }
        Obligation::Absorbs(id) => {
            let implementation = implementation_of(*id);
            ObligationName {
                implementation: implementation.name.clone(),
                layer: layer_name(implementation.lower),
                operation: Part::Background.name(&layers[implementation.lower.0 as usize]).to_owned(),
                ..blank(Pattern::Abstraction, "absorbs-background")
            }
        }
        Obligation::Simulation(id, operation) => of(*id, *operation, Pattern::Abstraction, "simulation"),
        Obligation::Retry(id, operation) => of(*id, *operation, Pattern::Retry, "turn"),
        Obligation::Partition(id, part) => match part {
            partition::Part::Own(operation) => of(*id, *operation, Pattern::Partition, "own-key"),
            partition::Part::Frame(operation) => of(*id, *operation, Pattern::Partition, "other-keys"),
            partition::Part::Check => ObligationName {
                implementation: implementation_of(*id).name.clone(),
                layer: layer_name(key_check_layer(implementation_of(*id))),
                operation: key_check(implementation_of(*id)).to_owned(),
                ..blank(Pattern::Partition, "check")
            },
        },
        Obligation::Stack(index) => {
            ObligationName { operation: program.stacks[*index].name.clone(), ..blank(Pattern::Stack, "links") }
        }
        Obligation::NeverFails(index, operation) => {
            let stack = &program.stacks[*index];
            let top = stack::top(program, stack);
            ObligationName {
                implementation: stack.name.clone(),
                layer: top.map_or_else(String::new, layer_name),
                operation: top.map_or_else(String::new, |it| operation_name(it, *operation)),
                ..blank(Pattern::Stack, "never-fails")
            }
        }
        Obligation::EndToEnd(index, processes) => {
            let client = &program.clients[*index];
            let stack = &program.stacks[client.stack as usize];
            let top = stack.implementations.first().map(|it| implementation_of(*it).upper);
            ObligationName {
                implementation: stack.name.clone(),
                layer: top.map_or_else(String::new, |it| layers[it.0 as usize].name.clone()),
                operation: client.name.clone(),
                against: format!("{processes} processes"),
                ..blank(Pattern::EndToEnd, "traces")
            }
        }
    }
}

/// Where an obligation is stated.
pub fn anchor(program: &Program, obligation: &Obligation) -> Anchor {
    let implementation_of = |id: ImplementationId| &program.implementations[id.0 as usize];
    match *obligation {
        Obligation::Lemma(lemma) => Anchor::Claim(lemma.layer, lemma.operation),
        Obligation::NoPanic(layer, part) => part_anchor(program, layer, part),
        Obligation::Shape(id, operation)
        | Obligation::FollowsProtocol(id, operation)
        | Obligation::AtomicSpec(id, operation)
        | Obligation::Retry(id, operation)
        | Obligation::Partition(id, partition::Part::Own(operation) | partition::Part::Frame(operation)) => {
            procedure_anchor(program, id, operation)
        }
        Obligation::StaysAllowed(id, operation, _) => Anchor::Operation(implementation_of(id).lower, operation),
        Obligation::Initial(id) | Obligation::Absorbs(id) | Obligation::Partition(id, partition::Part::Check) => {
            Anchor::Implementation(id)
        }
        Obligation::Simulation(id, operation) => Anchor::Operation(implementation_of(id).upper, operation),
        Obligation::Stack(index) | Obligation::NeverFails(index, _) => Anchor::Stack(index),
        Obligation::EndToEnd(index, _) => Anchor::Client(index),
    }
}

/// The operation that tells the valid keys of a partition.
fn key_check(implementation: &Implementation) -> &str {
    match &implementation.by {
        Justification::Partition(Partition { check: Some(check), .. }) => check,
        _ => "",
    }
}

/// The layer that this operation belongs to.
fn key_check_layer(implementation: &Implementation) -> LayerId {
    match &implementation.by {
        Justification::Partition(Partition { end: ir::PartitionEnd::Bottom { .. }, .. }) => implementation.lower,
        _ => implementation.upper,
    }
}

/// Where an implementation says how it does an operation: the procedure's name, or its own name if it passes it on.
fn procedure_anchor(program: &Program, id: ImplementationId, operation: usize) -> Anchor {
    match needs::how(program, id, operation) {
        Some(How::Procedure(function)) => Anchor::Function(*function),
        _ => Anchor::Implementation(id),
    }
}

fn part_anchor(program: &Program, layer: LayerId, part: Part) -> Anchor {
    match (part, program.layers[layer.0 as usize].background) {
        (Part::Operation(operation), _) => Anchor::Operation(layer, operation),
        (Part::Background, Some(function)) => Anchor::Function(function),
        (Part::Background, None) => Anchor::Layer(layer),
    }
}

impl<'p> Reporter<'p> {
    fn program(&self) -> &'p Program {
        self.setting.program
    }

    fn layer_name(&self, layer: LayerId) -> String {
        self.program().layers[layer.0 as usize].name.clone()
    }

    fn operation_name(&self, layer: LayerId, operation: usize) -> String {
        self.program().layers[layer.0 as usize].operations[operation].name.clone()
    }

    fn implementation(&self, id: ImplementationId) -> &'p Implementation {
        &self.program().implementations[id.0 as usize]
    }

    fn site_anchor(&self, site: Site) -> Option<Anchor> {
        Some(Anchor::Node(self.setting.code.functions[site.code].source?, site.node))
    }

    fn how(&self, id: ImplementationId, operation: usize) -> Option<&'p How> {
        needs::how(self.program(), id, operation)
    }

    fn procedure_anchor(&self, id: ImplementationId, operation: usize) -> Anchor {
        procedure_anchor(self.program(), id, operation)
    }

    /// Settles an obligation. `None` if it was stopped.
    pub fn settle(&self, obligation: &Obligation) -> Option<Settled> {
        let mut relied = Vec::new();
        let (finding, effort) = match obligation {
            Obligation::Lemma(lemma) => self.lemma(lemma)?,
            Obligation::NoPanic(layer, part) => self.no_panic(*layer, *part)?,
            Obligation::Shape(id, operation) => self.shape(*id, *operation, &mut relied)?,
            Obligation::FollowsProtocol(id, operation) => self.follows(*id, *operation)?,
            Obligation::StaysAllowed(id, operation, other) => self.stays_allowed(*id, *operation, *other)?,
            Obligation::AtomicSpec(id, operation) => self.atomic_spec(*id, *operation)?,
            Obligation::Initial(id) => self.initial(*id)?,
            Obligation::Absorbs(id) => self.absorbs(*id)?,
            Obligation::Simulation(id, operation) => self.simulation(*id, *operation)?,
            Obligation::Retry(id, operation) => self.retry(*id, *operation)?,
            Obligation::Partition(id, part) => self.partition(*id, *part)?,
            Obligation::Stack(index) => (self.stack(*index), Effort::default()),
            Obligation::NeverFails(index, operation) => self.never_fails(*index, *operation)?,
            Obligation::EndToEnd(index, processes) => self.end_to_end(*index, *processes)?,
        };
        let Finding { verdict, diagnostics, refutation, met_unsupported } = finding;
        let (verdict, bounds_met) = match verdict {
            Verdict::Proved if !effort.bounds_met.is_empty() => {
                (Verdict::Checked, effort.bounds_met.into_iter().collect())
            }
            verdict => (verdict, Vec::new()),
        };
        let (cases, states) = (effort.cases, effort.states);
        Some(Settled { verdict, bounds_met, cases, states, diagnostics, relied, refutation, met_unsupported })
    }

    fn error(&self, code: &'static str, message: String, span: Anchor) -> Diagnostic<Anchor> {
        Diagnostic {
            code,
            severity: Severity::Error,
            message,
            span,
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            counterexample: None,
            help: None,
        }
    }

    /// Why a search was given up. `None` if it was stopped.
    fn given_up(&self, abort: &Abort, what: &str, span: Anchor) -> Option<Finding> {
        let diagnostic = match abort {
            Abort::Stopped => return None,
            Abort::OutOfFuel => Diagnostic {
                help: Some(
                    "a smaller scope is explored sooner: `--scope Pid=2,entries=1`; or allow more: `--scope budget=N`"
                        .to_owned(),
                ),
                ..self.error(
                    codes::CS0901,
                    format!("{what} is undecided: the budget of {} steps ran out", self.setting.scope.budget),
                    span,
                )
            },
            Abort::Endless(site) => Diagnostic {
                label: "this loop goes on and on".to_owned(),
                help: Some("make each turn bring the loop nearer to its end, or to a state it has been in".to_owned()),
                ..self.error(
                    codes::CS0903,
                    format!("{what} is undecided: a loop, or the state it changes, grows without end"),
                    self.site_anchor(*site).unwrap_or(span),
                )
            },
            Abort::DigitsRunTogether => Diagnostic {
                help: Some("put a character between them that is no digit, such as `.`".to_owned()),
                ..self.error(
                    codes::CS0902,
                    format!("{what} is undecided: numbers stand side by side in the strings that are built here"),
                    span,
                )
            },
            Abort::NumbersNeeded | Abort::Unsupported => Diagnostic {
                help: Some("this is a mistake in cspec: please report it".to_owned()),
                ..self.error(
                    codes::CS0902,
                    format!("{what} is undecided: the engine met code that it cannot run"),
                    span,
                )
            },
        };
        Some(Finding { met_unsupported: *abort == Abort::Unsupported, ..Finding::of(Verdict::Undecided, diagnostic) })
    }

    fn proved() -> Finding {
        Finding::new(Verdict::Proved, Vec::new())
    }

    /// A violation, if it was confirmed; otherwise what was found does not count.
    fn violated(&self, confirmed: bool, mut diagnostic: Diagnostic<Anchor>) -> Finding {
        if confirmed {
            return Finding::of(Verdict::Violated, diagnostic);
        }
        diagnostic.notes.insert(0, format!("this would be: {} ({})", diagnostic.message, diagnostic.code));
        diagnostic.code = codes::CS0902;
        diagnostic.message = "undecided: a counterexample was found, but it could not be replayed".to_owned();
        Finding::of(Verdict::Undecided, diagnostic)
    }

    fn lemma(&self, lemma: &Lemma) -> Option<(Finding, Effort)> {
        let (answered, effort) = lemma.settle(&self.setting);
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(refutation) => self.refuted(lemma, refutation),
            Answered::GivenUp(abort) => {
                let words = lemma_in_words(self.program(), lemma);
                let span = anchor(self.program(), &Obligation::Lemma(*lemma));
                self.given_up(&abort, &format!("whether {words}"), span)?
            }
        };
        Some((finding, effort))
    }

    fn refuted(&self, lemma: &Lemma, refutation: Refutation) -> Finding {
        let layer = self.layer_name(lemma.layer);
        let name = self.operation_name(lemma.layer, lemma.operation);
        let mut related = vec![(Anchor::Operation(lemma.layer, lemma.operation), format!("`{name}` of `{layer}`"))];
        let (code, message) = match lemma.about {
            About::Silent => (codes::CS0303, format!("`{name}` is not a mover: it emits an event or may fail")),
            About::Moves(direction, other) => {
                let other_name = self.operation_name(lemma.layer, other);
                related.push((Anchor::Operation(lemma.layer, other), "the other operation".to_owned()));
                let code = if direction == Direction::Right { codes::CS0301 } else { codes::CS0302 };
                (code, format!("`{name}` is not a {} mover: it does not commute with `{other_name}`", direction.name()))
            }
            About::StablyEnabled(other) => {
                let other_name = self.operation_name(lemma.layer, other);
                related.push((Anchor::Operation(lemma.layer, other), "the other operation".to_owned()));
                (codes::CS0304, format!("`{name}` is not a left mover: `{other_name}` can disable it"))
            }
        };
        let diagnostic = Diagnostic {
            label: "claimed here".to_owned(),
            related,
            notes: refutation.notes.iter().cloned().chain(self.other_view(lemma)).collect(),
            counterexample: refutation.counterexample.clone(),
            help: Some("claim what holds, or weaken one of the two operations until the orders agree".to_owned()),
            ..self.error(code, message, anchor(self.program(), &Obligation::Lemma(*lemma)))
        };
        Finding { refutation: Some(refutation.clone()), ..self.violated(refutation.replayed, diagnostic) }
    }

    /// That a mover is one in the other view of failure, if it is.
    fn other_view(&self, lemma: &Lemma) -> Option<String> {
        let About::Moves(direction, other) = lemma.about else { return None };
        let moves = modulo_failure::moves(&self.setting, lemma.layer, lemma.operation, other, direction);
        let (name, other) =
            (self.operation_name(lemma.layer, lemma.operation), self.operation_name(lemma.layer, other));
        moves.then(|| {
            format!(
                "modulo failure, where only runs that do not fail have to agree, `{name}` moves {} past `{other}`; \
                 verdicts are about the strict view",
                direction.name()
            )
        })
    }

    fn no_panic(&self, id: LayerId, part: Part) -> Option<(Finding, Effort)> {
        let (answered, effort, enabled) = layer::check(&self.setting, id, part, false);
        let span = part_anchor(self.program(), id, part);
        let name = part.name(&self.program().layers[id.0 as usize]);
        let finding = match answered {
            Answered::Holds if enabled => Self::proved(),
            Answered::Holds => {
                let warning = Diagnostic {
                    severity: Severity::Warning,
                    help: Some(
                        "look at its guards: what is shown about an operation that never happens is empty".to_owned(),
                    ),
                    ..self.error(
                        codes::CS1001,
                        format!("`{name}` is never enabled: it has no transition in any state"),
                        span,
                    )
                };
                Finding::of(Verdict::Proved, warning)
            }
            Answered::Violated(panics) => {
                let at = self.site_anchor(panics.site).unwrap_or(span);
                let diagnostic = Diagnostic {
                    label: panics.why.to_owned(),
                    related: vec![(span, format!("in `{name}` of `{}`", self.layer_name(id)))],
                    counterexample: Some(panics.counterexample),
                    help: Some(
                        "guard it with `when(…)`, or handle the case: operations are checked in all states".to_owned(),
                    ),
                    ..self.error(codes::CS0702, format!("`{name}` may panic: {}", panics.why), at)
                };
                self.violated(true, diagnostic)
            }
            Answered::GivenUp(abort) => self.given_up(&abort, &format!("whether `{name}` may panic"), span)?,
        };
        Some((finding, effort))
    }

    /// The procedure of an upper operation: its code and its function. A passed operation has none.
    fn procedure(&self, id: ImplementationId, operation: usize) -> Option<(usize, &'p Function)> {
        let Some(How::Procedure(function)) = self.how(id, operation) else { return None };
        Some((self.setting.code.function(*function), &self.program().functions[function.0 as usize]))
    }

    fn shape(&self, id: ImplementationId, operation: usize, relied: &mut Vec<Lemma>) -> Option<(Finding, Effort)> {
        let Some((procedure, function)) = self.procedure(id, operation) else {
            return Some((Self::proved(), Effort::default()));
        };
        let lower = self.implementation(id).lower;
        if let Some(How::Procedure(id)) = self.how(id, operation)
            && needs::performed_before_the_last(self.program(), lower, *id).is_empty()
        {
            return Some((Self::proved(), Effort::default()));
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
                        let lemmas = super::mover_lemmas(self.program(), lower, *operation, direction);
                        relied.extend(
                            lemmas.into_iter().filter(|it| !matches!(it.about, About::Moves(Direction::Left, _))),
                        );
                    }
                }
                // What it relies on was shown within bounds that are then its own.
                let lemmas = relied.iter().filter_map(|it| self.lemmas.get(it));
                effort.bounds_met.extend(lemmas.flat_map(|it| it.bounds_met.iter().cloned()));
                Self::proved()
            }
            Answered::Violated(flaw) if judge.unknown.is_some() => {
                let mut finding = self.flaw(lower, function, flaw);
                for diagnostic in &mut finding.diagnostics {
                    diagnostic.code = codes::CS0902;
                    diagnostic.notes.extend(judge.unknown.iter().map(|it| format!("it is not settled whether {it}")));
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
                self.violated(true, diagnostic)
            }
            Answered::GivenUp(abort) => {
                self.given_up(&abort, &format!("whether `{}` is atomic", function.name), span)?
            }
        };
        Some((finding, effort))
    }

    fn flaw(&self, lower: LayerId, function: &Function, flaw: Flaw) -> Finding {
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
                    "have `{name}` before the commit point, or hold what keeps others from interfering until it is done"
                ),
            ),
            FlawKind::MayBlock => (
                codes::CS0306,
                format!("`{}` is not atomic: after its commit point, `{name}` may block", function.name),
                format!("call `{name}` before the commit point: what follows it must be enabled"),
            ),
            FlawKind::NotAllowed => (
                codes::CS0401,
                format!("`{}` calls `{name}` where the rules of `{layer}` do not allow it", function.name),
                format!("establish what `#[allowed({name})]` asks for before the call, and keep it until then"),
            ),
        };
        let diagnostic = Diagnostic {
            related,
            notes: flaw.notes,
            counterexample: flaw.counterexample,
            help: Some(help),
            ..self.error(code, message, span)
        };
        self.violated(flaw.confirmed, diagnostic)
    }

    fn follows(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let lower = self.implementation(id).lower;
        let Some((procedure, function)) = self.procedure(id, operation) else {
            return self.passed_is_allowed(id, operation);
        };
        let mut judge = Judge { table: None, relied_right: vec![], relied_left: vec![], unknown: None };
        let entries: Vec<_> =
            std::iter::once(procedure).chain(self.setting.code.allowed[lower.0 as usize].iter().copied()).collect();
        let (answered, effort) = self
            .setting
            .ask(&entries, Some(lower), |search| shape::check(&self.setting, search, lower, procedure, &mut judge));
        let span = self.procedure_anchor(id, operation);
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(flaw) => self.flaw(lower, function, flaw),
            Answered::GivenUp(abort) => self.given_up(
                &abort,
                &format!("whether `{}` follows the rules of `{}`", function.name, self.layer_name(lower)),
                span,
            )?,
        };
        Some((finding, effort))
    }

    /// An operation that is passed on must be allowed always: nothing is known where it is called.
    fn passed_is_allowed(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let name = self.operation_name(implementation.upper, operation);
        let lower = &self.program().layers[implementation.lower.0 as usize];
        let restricted = lower.operations.iter().position(|it| it.name == name && !it.allowed.is_empty());
        let Some(restricted) = restricted else { return Some((Self::proved(), Effort::default())) };
        let (answered, effort) = protocol::always_allowed(&self.setting, implementation.lower, restricted);
        let span = Anchor::Implementation(id);
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(refutation) => {
                let help =
                    format!("write a procedure for `{name}` that establishes what `#[allowed({name})]` asks for");
                let diagnostic = Diagnostic {
                    counterexample: refutation.counterexample,
                    help: Some(help),
                    ..self.error(
                        codes::CS0401,
                        format!("`{name}` is passed on, but the rules of `{}` do not always allow it", lower.name),
                        span,
                    )
                };
                self.violated(refutation.replayed, diagnostic)
            }
            Answered::GivenUp(abort) => self.given_up(&abort, &format!("whether `{name}` is always allowed"), span)?,
        };
        Some((finding, effort))
    }

    fn stays_allowed(&self, id: ImplementationId, operation: usize, other: usize) -> Option<(Finding, Effort)> {
        let lower = self.implementation(id).lower;
        let (answered, effort) = protocol::stays_allowed(&self.setting, lower, operation, other);
        let (name, other_name) = (self.operation_name(lower, operation), self.operation_name(lower, other));
        let span = Anchor::Operation(lower, operation);
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(refutation) => {
                let layer = &self.program().layers[lower.0 as usize];
                let rule = layer.operations[operation].allowed.first().map(|it| Anchor::Function(*it));
                let diagnostic = Diagnostic {
                    related: vec![(Anchor::Operation(lower, other), format!("`{other_name}` of another process"))],
                    counterexample: refutation.counterexample,
                    help: Some(
                        "a rule must speak of what only the process itself can change while others follow the rules"
                            .to_owned(),
                    ),
                    ..self.error(
                        codes::CS0402,
                        format!("`{other_name}` of another process can make `{name}` no longer allowed"),
                        rule.unwrap_or(span),
                    )
                };
                self.violated(refutation.replayed, diagnostic)
            }
            Answered::GivenUp(abort) => self.given_up(&abort, &format!("whether `{name}` stays allowed"), span)?,
        };
        Some((finding, effort))
    }

    fn atomic_spec(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let Implementation { upper, lower, .. } = *self.implementation(id);
        let how = self.how(id, operation)?;
        let (answered, effort) = atomic::check(&self.setting, &Implemented { upper, lower, operation, how });
        let span = self.procedure_anchor(id, operation);
        let (name, layer) = (self.operation_name(upper, operation), self.layer_name(upper));
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(run) => {
                let diagnostic = self.run_without_match(&name, &layer, span, run.end, run.site, run.counterexample);
                let diagnostic = Diagnostic {
                    related: vec![(Anchor::Operation(upper, operation), format!("what `{layer}::{name}` allows"))],
                    ..diagnostic
                };
                self.violated(run.replayed, diagnostic)
            }
            Answered::GivenUp(abort) => {
                self.given_up(&abort, &format!("whether the procedure of `{name}` does what `{layer}` says"), span)?
            }
        };
        Some((finding, effort))
    }

    fn run_without_match(
        &self,
        name: &str,
        layer: &str,
        span: Anchor,
        end: crate::explore::search::End,
        site: Option<Site>,
        counterexample: Counterexample<Anchor>,
    ) -> Diagnostic<Anchor> {
        use crate::explore::search::End;
        let at = site.and_then(|it| self.site_anchor(it)).unwrap_or(span);
        let diagnostic = match end {
            End::Panicked(_, why) => Diagnostic {
                label: why.to_owned(),
                help: Some("handle the case, or guard against it below".to_owned()),
                ..self.error(codes::CS0702, format!("the procedure of `{name}` may panic: {why}"), at)
            },
            End::Failed(_) => Diagnostic {
                label: "this may not hold".to_owned(),
                help: Some(
                    "establish the condition before the call, or follow a protocol that guarantees it".to_owned(),
                ),
                ..self.error(
                    codes::CS0701,
                    format!("the procedure of `{name}` may fail, and `{layer}::{name}` cannot"),
                    at,
                )
            },
            _ => Diagnostic {
                help: Some(format!("change the procedure, or let `{layer}::{name}` allow this outcome")),
                ..self.error(
                    codes::CS0307,
                    format!("the procedure of `{name}` can do what `{layer}::{name}` does not allow"),
                    span,
                )
            },
        };
        Diagnostic { counterexample: Some(counterexample), ..diagnostic }
    }

    fn initial(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let span = Anchor::Implementation(id);
        let (upper, lower) = (self.layer_name(implementation.upper), self.layer_name(implementation.lower));
        let (answered, effort, code) = match &implementation.by {
            Justification::Abstraction(relation) => {
                let (answered, effort) = abstraction::initial(&self.setting, implementation, relation);
                (answered, effort, codes::CS0502)
            }
            Justification::Partition(_) => return self.partition_initial(id),
            _ => {
                let (answered, effort) = abstraction::initial_above(&self.setting, implementation);
                (answered, effort, codes::CS0309)
            }
        };
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(unmatched) => {
                let diagnostic = Diagnostic {
                    counterexample: Some(unmatched.counterexample),
                    help: Some(format!("restrict the initial states of `{lower}`, or allow more of `{upper}`")),
                    ..self.error(code, format!("an initial state of `{lower}` is not initial in `{upper}`"), span)
                };
                self.violated(unmatched.replayed, diagnostic)
            }
            Answered::GivenUp(abort) => self.given_up(&abort, "whether initial states are initial above", span)?,
        };
        Some((finding, effort))
    }

    /// Where it does not hold, nothing is wrong: it is one way to show the simulations.
    fn absorbs(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let Justification::Abstraction(relation) = &implementation.by else { return None };
        let (answered, effort) = abstraction::absorbs_background(&self.setting, implementation, relation);
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::GivenUp(Abort::Stopped) => return None,
            Answered::Violated(_) | Answered::GivenUp(_) => Finding::new(Verdict::Undecided, Vec::new()),
        };
        Some((finding, effort))
    }

    fn simulation(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let implementation = self.implementation(id);
        let Justification::Abstraction(relation) = &implementation.by else { return None };
        let (answered, mut effort) = abstraction::simulation(
            &self.setting,
            implementation,
            relation,
            operation,
            self.lemmas.absorbing.contains_key(&id),
        );
        // What it relies on was shown within bounds that are then its own.
        let absorbing = self.lemmas.absorbing.get(&id);
        effort.bounds_met.extend(absorbing.into_iter().flatten().cloned());
        let (upper, lower) = (implementation.upper, implementation.lower);
        let (name, layer) = (self.operation_name(upper, operation), self.layer_name(upper));
        let below = self.program().layers[lower.0 as usize].operations.iter().position(|it| it.name == name)?;
        let span = Anchor::Operation(upper, operation);
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(unmatched) => {
                let (Abstraction::Up(function) | Abstraction::Down(function) | Abstraction::Predicate(function)) =
                    relation;
                let mut related = vec![
                    (Anchor::Operation(lower, below), format!("the step of `{}`", self.layer_name(lower))),
                    (Anchor::Function(*function), "the relation between the two states".to_owned()),
                ];
                let site = unmatched.site.and_then(|it| self.site_anchor(it));
                related.extend(site.map(|it| (it, "this fails".to_owned())));
                let code = match unmatched.end {
                    crate::explore::search::End::Panicked(..) => codes::CS0702,
                    _ => codes::CS0501,
                };
                let diagnostic = Diagnostic {
                    related,
                    counterexample: Some(unmatched.counterexample),
                    help: Some(format!("let `{layer}::{name}` allow it, forbid it below, or relate other states")),
                    ..self.error(
                        code,
                        format!("a step of `{name}` in `{}` has no match in `{layer}`", self.layer_name(lower)),
                        span,
                    )
                };
                self.violated(unmatched.replayed, diagnostic)
            }
            Answered::GivenUp(abort) => {
                self.given_up(&abort, &format!("whether the steps of `{name}` have a match in `{layer}`"), span)?
            }
        };
        Some((finding, effort))
    }

    fn retry(&self, id: ImplementationId, operation: usize) -> Option<(Finding, Effort)> {
        let Implementation { upper, lower, .. } = *self.implementation(id);
        let how = self.how(id, operation)?;
        if matches!(how, How::Pass) {
            return self.atomic_spec(id, operation);
        }
        let (answered, effort) = retry::check(&self.setting, &Implemented { upper, lower, operation, how });
        let span = self.procedure_anchor(id, operation);
        let (name, layer) = (self.operation_name(upper, operation), self.layer_name(upper));
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(bad) => {
                let at = bad.site.and_then(|it| self.site_anchor(it)).unwrap_or(span);
                let (code, message, help, at) = match bad.kind {
                    BadTurnKind::ChangesSomething => (
                        codes::CS0601,
                        format!("`{name}` tries again although the failed turn has changed something"),
                        "go on only after a turn that has done nothing".to_owned(),
                        at,
                    ),
                    BadTurnKind::NotTheOperation => (
                        codes::CS0602,
                        format!("`{name}` returns from a turn that is not `{layer}::{name}`"),
                        format!("return only after a turn that does what `{layer}::{name}` says"),
                        span,
                    ),
                    BadTurnKind::NotARetryLoop => (
                        codes::CS0603,
                        format!("the procedure of `{name}` is not a retry loop"),
                        "write `loop { let r = lo.op(…); if exit(r) { return r; } }`, or use `by = movers`".to_owned(),
                        at,
                    ),
                    BadTurnKind::Panics(why) => (
                        codes::CS0702,
                        format!("the procedure of `{name}` may panic: {why}"),
                        "handle the case".to_owned(),
                        at,
                    ),
                };
                let related = vec![(Anchor::Operation(upper, operation), format!("what `{layer}::{name}` allows"))];
                let diagnostic = Diagnostic {
                    related,
                    notes: bad.notes,
                    counterexample: bad.counterexample,
                    help: Some(help),
                    ..self.error(code, message, at)
                };
                self.violated(true, diagnostic)
            }
            Answered::GivenUp(abort) => self.given_up(&abort, &format!("whether `{name}` is a retry loop"), span)?,
        };
        Some((finding, effort))
    }

    fn partition(&self, id: ImplementationId, part: partition::Part) -> Option<(Finding, Effort)> {
        let span = anchor(self.program(), &Obligation::Partition(id, part));
        if let partition::Part::Own(operation) = part
            && let Some(finding) = self.more_than_a_step(id, operation, span)
        {
            return Some((finding, Effort::default()));
        }
        let (answered, effort) = PartitionEnd::of(&self.setting, id)?.check(part);
        let implementation = self.implementation(id);
        let (key, upper) = (self.partition_key(id), implementation.upper);
        let (code, message, help) = match part {
            partition::Part::Own(operation) => {
                let (name, layer) = (self.operation_name(upper, operation), self.layer_name(upper));
                let message = format!("`{name}` does what `{layer}::{name}` does not allow at its `{key}`");
                (codes::CS1101, message, "pass the key on as it is, and act on what belongs to it only".to_owned())
            }
            partition::Part::Frame(operation) => {
                let name = self.operation_name(upper, operation);
                let message = format!("`{name}` for one `{key}` changes the state of another");
                (codes::CS1102, message, format!("reach the state below through `{key}` only"))
            }
            partition::Part::Check => {
                let message = format!("`{}` does not tell which `{key}` is valid", key_check(implementation));
                let help = "let it say yes of valid keys only, change nothing, and always be free to say no above";
                (codes::CS1103, message, help.to_owned())
            }
        };
        let finding = self.misplaced(answered, (code, message, help), "whether the partition is right", span)?;
        Some((finding, effort))
    }

    fn partition_key(&self, id: ImplementationId) -> &'p str {
        match &self.implementation(id).by {
            Justification::Partition(partition) => &partition.key,
            _ => "",
        }
    }

    /// A procedure at the bottom of a partition is one step, so that nothing can come between.
    fn more_than_a_step(&self, id: ImplementationId, operation: usize, span: Anchor) -> Option<Finding> {
        let How::Procedure(function) = self.how(id, operation)? else { return None };
        let lower = self.implementation(id).lower;
        let performed = needs::performed_before_the_last(self.program(), lower, *function);
        if performed.is_empty() {
            return None;
        }
        let name = self.operation_name(self.implementation(id).upper, operation);
        let names: Vec<String> = performed.iter().map(|it| format!("`{}`", self.operation_name(lower, *it))).collect();
        let diagnostic = Diagnostic {
            notes: vec![format!("its text performs {}, more than once in all", names.join(", "))],
            help: Some("put a layer between that does the steps, and partition below or above it".to_owned()),
            ..self.error(codes::CS1104, format!("`{name}` is more than one step at the end of a partition"), span)
        };
        Some(self.violated(true, diagnostic))
    }

    fn partition_initial(&self, id: ImplementationId) -> Option<(Finding, Effort)> {
        let span = Anchor::Implementation(id);
        let (answered, effort) = PartitionEnd::of(&self.setting, id)?.initial();
        let implementation = self.implementation(id);
        let (upper, lower) = (self.layer_name(implementation.upper), self.layer_name(implementation.lower));
        let message = format!("an initial state of `{lower}` is not initial in `{upper}`");
        let help = format!("restrict the initial states of `{lower}`, or allow more of `{upper}`");
        let words = (codes::CS0502, message, help);
        let finding = self.misplaced(answered, words, "whether initial states are initial above", span)?;
        Some((finding, effort))
    }

    fn misplaced(
        &self,
        answered: Answered<Misplaced>,
        (code, message, help): (&'static str, String, String),
        what: &str,
        span: Anchor,
    ) -> Option<Finding> {
        match answered {
            Answered::Holds => Some(Self::proved()),
            Answered::Violated(misplaced) => {
                let related = misplaced.site.and_then(|it| self.site_anchor(it)).map(|it| (it, "here".to_owned()));
                let diagnostic = Diagnostic {
                    related: related.into_iter().collect(),
                    counterexample: Some(misplaced.counterexample),
                    help: Some(help),
                    ..self.error(code, message, span)
                };
                Some(self.violated(misplaced.replayed, diagnostic))
            }
            Answered::GivenUp(abort) => self.given_up(&abort, what, span),
        }
    }

    fn stack(&self, index: usize) -> Finding {
        let stack = &self.program().stacks[index];
        let name = |link: usize| &self.implementation(stack.implementations[link]).name;
        let Some(gap) = stack::check(self.program(), stack) else {
            let Some(link) = stack::lonely_end(self.program(), stack) else { return Self::proved() };
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
            return self.violated(true, diagnostic);
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
        self.violated(true, diagnostic)
    }

    fn never_fails(&self, index: usize, operation: usize) -> Option<(Finding, Effort)> {
        let stack = &self.program().stacks[index];
        let top = stack::top(self.program(), stack)?;
        let (answered, effort, _) = layer::check(&self.setting, top, Part::Operation(operation), true);
        let name = self.operation_name(top, operation);
        let span = Anchor::Stack(index);
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(failure) => {
                let at = self.site_anchor(failure.site).unwrap_or(Anchor::Operation(top, operation));
                let diagnostic = Diagnostic {
                    label: failure.why.to_owned(),
                    related: vec![(span, "the top of this stack".to_owned())],
                    counterexample: Some(failure.counterexample),
                    help: Some("end the stack in a layer that cannot fail: show, by a protocol, that the condition always holds".to_owned()),
                    ..self.error(
                        codes::CS0701,
                        format!("`{}::{name}` may fail, and `{}` promises nothing after a failure", self.layer_name(top), stack.name),
                        at,
                    )
                };
                self.violated(true, diagnostic)
            }
            Answered::GivenUp(abort) => self.given_up(&abort, &format!("whether `{name}` may fail"), span)?,
        };
        Some((finding, effort))
    }

    fn end_to_end(&self, index: usize, processes: u32) -> Option<(Finding, Effort)> {
        let client = &self.program().clients[index];
        let span = Anchor::Client(index);
        let (answered, effort) = end_to_end::check(&self.setting, client, processes);
        let finding = match answered {
            Answered::Holds => Self::proved(),
            Answered::Violated(trace) => {
                let diagnostic = Diagnostic {
                    counterexample: Some(trace.counterexample),
                    help: Some(
                        "if every obligation of the stack holds, this is a bug of cspec: please report it".to_owned(),
                    ),
                    ..self.error(
                        codes::CS0801,
                        format!(
                            "with {processes} processes, `{}` has a trace at the bottom that the top does not have",
                            client.name
                        ),
                        span,
                    )
                };
                self.violated(true, diagnostic)
            }
            Answered::GivenUp(abort) => {
                self.given_up(&abort, &format!("`{}` with {processes} processes", client.name), span)?
            }
        };
        Some((finding, effort))
    }
}
