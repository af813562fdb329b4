//! From answers to outcomes: settles an obligation and writes the message, at the smallest responsible place.
//!
//! The patterns answer in data: the obligation holds, this refutes it, or the search was given up. Here that becomes a verdict and a finding with its
//! code, its message, related places and help. One module for each pattern writes the messages for its refutations; [`name`] gives
//! obligations their names and places. Common parts are in this file: when a violation counts, the message for a
//! search that was given up, and that a proof within bounds is `checked`. This module explores nothing itself, and it does not know
//! positions in a text: it uses [`Anchor`]s.

mod abstraction;
mod asked;
mod atomic;
mod doubt;
mod end_to_end;
mod idle;
mod layer;
mod movers;
mod name;
mod partition;
mod protocol;
mod rely;
mod retry;
mod searched;
mod shape;
mod stack;
mod vacuous;
mod weaker;

use std::cell::{Cell, RefCell};

use serde::{Deserialize, Serialize};

use super::{
    Lemma, Lemmas, Obligation,
    movers::Refutation,
    needs,
    question::{Answered, Confirmation, Setting},
};
use crate::{
    diagnostics::{Diagnostic, codes},
    explore::{machine::Site, search::Abort},
    ir::{Anchor, Code as How, Function, Implementation, ImplementationId, LayerId, Program},
    verdict::{Assumption, Verdict},
};

pub use name::{anchor, lemma_in_words, name};

/// Settles obligations of one program.
pub struct Reporter<'p> {
    /// The context in which they are checked.
    pub setting: Setting<'p>,
    /// The settled lemmas that they rely on.
    pub lemmas: &'p Lemmas,
    /// Whether what is found of where procedures start decides nothing. Then the earlier result stands.
    adds_nothing: Cell<bool>,
    /// What was known where the procedure in question starts.
    at_start: RefCell<Vec<String>>,
    /// Where others were taken to make their calls.
    at_calls: RefCell<Vec<String>>,
    /// The operations that were taken to fail at any time.
    even_if: RefCell<Vec<String>>,
}

/// The result of settling an obligation: an [`Outcome`](crate::verdict::Outcome) without the obligation's name and positions. It refers to
/// the program that it was settled on, which is a slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The verdict. An abstraction that does not absorb background steps is `undecided`: that refutes nothing.
    pub verdict: Verdict,
    /// See [`Outcome::bounds_met`](crate::verdict::Outcome::bounds_met).
    pub bounds_met: Vec<String>,
    /// See [`Outcome::assumptions`](crate::verdict::Outcome::assumptions).
    pub assumptions: Vec<Assumption>,
    /// The number of cases that closed the split.
    pub cases: u64,
    /// The number of visited states.
    pub states: u64,
    /// The findings.
    pub diagnostics: Vec<Diagnostic<Anchor>>,
    /// Lemmas that the obligation turned out to need.
    pub relied: Vec<Lemma>,
    /// The refutation of a lemma that does not hold.
    pub refutation: Option<Refutation>,
    /// See [`Outcome::at_start`](crate::verdict::Outcome::at_start).
    #[serde(default)]
    pub at_start: Vec<String>,
    /// See [`Outcome::at_calls`](crate::verdict::Outcome::at_calls).
    #[serde(default)]
    pub at_calls: Vec<String>,
    /// See [`Outcome::even_if`](crate::verdict::Outcome::even_if).
    #[serde(default)]
    pub even_if: Vec<String>,
    /// Whether it is asked again with what is found of where procedures start: then that is the answer.
    #[serde(default)]
    pub is_superseded: bool,
    /// For a search: what was searched, as part of a sentence. Otherwise empty.
    pub tried: String,
    /// Whether it reached code that has a diagnostic. Then there is no verdict; if the code has none, it is a bug in cspec.
    pub met_unsupported: bool,
    /// Whether the counterexample is a run of a procedure from a state that is not initial: it may never be reached.
    pub may_be_unreachable: bool,
}

impl Settled {
    /// Whether the obligation holds, possibly within bounds.
    pub fn holds(&self) -> bool {
        matches!(self.verdict, Verdict::Proved | Verdict::Checked)
    }
}

/// A verdict with its finding.
struct Finding {
    verdict: Verdict,
    diagnostics: Vec<Diagnostic<Anchor>>,
    refutation: Option<Refutation>,
    met_unsupported: bool,
    may_be_unreachable: bool,
}

impl Finding {
    fn new(verdict: Verdict, diagnostics: Vec<Diagnostic<Anchor>>) -> Finding {
        Finding { verdict, diagnostics, refutation: None, met_unsupported: false, may_be_unreachable: false }
    }

    fn proved() -> Finding {
        Finding::new(Verdict::Proved, Vec::new())
    }

    fn violated(diagnostic: Diagnostic<Anchor>) -> Finding {
        Finding::of(Verdict::Violated, diagnostic)
    }

    fn of(verdict: Verdict, diagnostic: Diagnostic<Anchor>) -> Finding {
        Finding::new(verdict, vec![diagnostic])
    }
}

impl<'p> Reporter<'p> {
    /// Settles with these.
    pub fn new(setting: Setting<'p>, lemmas: &'p Lemmas) -> Reporter<'p> {
        let (at_start, at_calls, even_if) = Default::default();
        Reporter { setting, lemmas, adds_nothing: Cell::new(false), at_start, at_calls, even_if }
    }

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

    /// The procedure of an upper operation: its code and its function. A passed operation has none.
    fn procedure(&self, id: ImplementationId, operation: usize) -> Option<(usize, &'p Function)> {
        let Some(How::Procedure(function)) = self.how(id, operation) else { return None };
        Some((self.setting.code.function(*function), &self.program().functions[function.0 as usize]))
    }

    fn procedure_anchor(&self, id: ImplementationId, operation: usize) -> Anchor {
        name::procedure_anchor(self.program(), id, operation)
    }

    /// Settles an obligation. `None` if the search was stopped.
    pub fn settle(&self, obligation: &Obligation) -> Option<Settled> {
        let (asked, from_rest) = match obligation {
            Obligation::FromRest(it) => (&**it, true),
            it => (it, false),
        };
        self.adds_nothing.set(false);
        self.at_start.take();
        self.at_calls.take();
        self.even_if.take();
        let mut relied = Vec::new();
        let (finding, effort) = match asked {
            // One is enough.
            Obligation::FromRest(_) => return None,
            Obligation::Lemma(lemma) => self.lemma(lemma)?,
            Obligation::NoPanic(layer, part) => self.no_panic(*layer, *part)?,
            Obligation::Shape(id, operation) => self.shape(*id, *operation, &mut relied)?,
            Obligation::Idle(id, part) => self.idle(*id, *part)?,
            Obligation::PastDecisive(id, operation) => self.shape_past_decisive_steps(*id, &[*operation])?,
            Obligation::WithRely(id) => self.shown_with_rely(*id)?,
            Obligation::OverWeaker(id) => self.shown_over_weaker(*id)?,
            Obligation::FollowsProtocol(id, operation) => self.follows(*id, *operation)?,
            Obligation::StaysAllowed(id, operation, other) => self.stays_allowed(*id, *operation, *other)?,
            Obligation::AtomicSpec(id, operation) => self.atomic_spec(*id, *operation)?,
            Obligation::Initial(id) => self.unless_nothing_is_initial(*id, self.initial(*id)?)?,
            Obligation::Absorbs(id) => self.absorbs(*id)?,
            Obligation::Simulation(id, operation) => self.simulation(*id, *operation)?,
            Obligation::Retry(id, operation) => self.retry(*id, *operation, &mut relied)?,
            Obligation::Partition(id, part) => self.partition(*id, *part)?,
            Obligation::Stack(index) => self.stack_links_and_search(*index),
            Obligation::NeverFails(index, operation) => self.never_fails(*index, *operation)?,
            Obligation::EndToEnd(index, processes) => self.end_to_end(*index, *processes)?,
            Obligation::TriedOut(over) => self.tried_out(*over)?,
            Obligation::Searched(id, asking) => self.rests_on_search(*id, *asking)?,
            Obligation::Asked(layer, question, asking) => self.asked(*layer, *question, *asking)?,
            Obligation::Search(doubt) => return self.search(*doubt),
        };
        if let (true, Some(earlier)) = (self.adds_nothing.get(), &self.lemmas.earlier) {
            return Some(Settled { cases: earlier.cases + effort.cases, ..(**earlier).clone() });
        }
        let Finding { verdict, diagnostics, refutation, met_unsupported, may_be_unreachable } = finding;
        let is_superseded = self.is_asked_again(asked, from_rest, verdict);
        let (verdict, bounds_met) = match verdict {
            Verdict::Proved if !effort.bounds_met.is_empty() => {
                (Verdict::Checked, effort.bounds_met.into_iter().collect())
            }
            Verdict::Searched => (Verdict::Searched, effort.bounds_met.into_iter().collect()),
            verdict => (verdict, Vec::new()),
        };
        let holds = matches!(verdict, Verdict::Proved | Verdict::Checked | Verdict::Searched);
        let assumptions = effort.assumptions.into_iter().filter(|_| holds).collect();
        let (cases, states) = (effort.cases, effort.states);
        Some(Settled {
            verdict,
            bounds_met,
            assumptions,
            cases,
            states,
            diagnostics,
            relied,
            refutation,
            at_start: self.at_start.take(),
            at_calls: self.at_calls.take(),
            even_if: self.even_if.take(),
            is_superseded,
            tried: String::new(),
            met_unsupported,
            may_be_unreachable,
        })
    }

    fn error(&self, code: &'static str, message: String, span: Anchor) -> Diagnostic<Anchor> {
        Diagnostic::error(code, span, message)
    }

    /// The finding for an answer: `refuted` writes the message for a refutation; `what` names the obligation if the search was given up.
    /// `None` if the search was stopped.
    fn finding<V>(
        &self,
        answered: Answered<V>,
        what: &str,
        span: Anchor,
        refuted: impl FnOnce(V) -> Finding,
    ) -> Option<Finding> {
        match answered {
            Answered::Holds => Some(Finding::proved()),
            Answered::Violated(refutation) => Some(refuted(refutation)),
            Answered::GivenUp(abort) => self.given_up(&abort, what, span),
        }
    }

    /// Why a search was given up. `None` if it was stopped.
    fn given_up(&self, abort: &Abort, what: &str, span: Anchor) -> Option<Finding> {
        let diagnostic = match abort {
            Abort::Stopped => return None,
            Abort::OutOfFuel => Diagnostic {
                help: Some(
                    "try a smaller scope: `--scope Pid=2,entries=1`; or raise the budget: `--scope budget=N`"
                        .to_owned(),
                ),
                ..self.error(
                    codes::CS0901,
                    format!("{what} is undecided: the budget of {} steps ran out", self.setting.scope.budget),
                    span,
                )
            },
            Abort::Endless(site) => Diagnostic {
                label: "this loop does not end".to_owned(),
                help: Some("make each turn bring the loop closer to its end, or back to an earlier state".to_owned()),
                ..self.error(
                    codes::CS0903,
                    format!("{what} is undecided: a loop, or the state it changes, grows without end"),
                    self.site_anchor(*site).unwrap_or(span),
                )
            },
            Abort::DigitsRunTogether => Diagnostic {
                help: Some("put a character that is not a digit between them, such as `.`".to_owned()),
                ..self.error(
                    codes::CS0909,
                    format!("{what} is undecided: there are adjacent numbers in the strings that are built here"),
                    span,
                )
            },
            // What questions about whole collections leave open is asked again.
            Abort::NumbersNeeded | Abort::Unsupported | Abort::Unsettled => Diagnostic {
                help: Some("this is a bug in cspec: please report it".to_owned()),
                ..self.error(
                    codes::CS0902,
                    format!("{what} is undecided: the engine met code that it cannot run"),
                    span,
                )
            },
        };
        let met_unsupported = matches!(abort, Abort::Unsupported | Abort::NumbersNeeded);
        Some(Finding { met_unsupported, ..Finding::of(Verdict::Undecided, diagnostic) })
    }

    /// A violation, if it was confirmed; otherwise the obligation is undecided.
    fn violated(&self, confirmation: &Confirmation, mut diagnostic: Diagnostic<Anchor>) -> Finding {
        let (code, message, help) = match confirmation {
            Confirmation::Replayed => return Finding::violated(diagnostic),
            Confirmation::NotReplayed => {
                let message = "a counterexample was found, but it could not be replayed".to_owned();
                (codes::CS0902, message, diagnostic.help.take())
            }
            Confirmation::OnlyFacts => {
                let message = "under the facts known at this call it is wrong, but it is right in every state that was reached exactly, \
                               with up to two steps of other processes in between"
                    .to_owned();
                let help = "state the relation between the components as an `#[invariant]` of the layer, or guard the operation below by it";
                (codes::CS0907, message, Some(help.to_owned()))
            }
            Confirmation::Within(bounds) => {
                let bounds: Vec<&str> = bounds.iter().map(String::as_str).collect();
                let message = format!("no match was found within {}, but there may be one beyond", bounds.join(", "));
                let help = "search further, for example with `--scope int=20,entries=4`; or leave less to the search: compute the value \
                            instead of using `any()`, or make the relation a function";
                (codes::CS0904, message, Some(help.to_owned()))
            }
            Confirmation::CarriedOver(turns) => {
                let message = format!(
                    "a turn is wrong for some values of the variables, but for none that the first {turns} turns leave there"
                );
                let help = "assign the variable inside the loop, or keep one of a few values in it";
                (codes::CS0905, message, Some(help.to_owned()))
            }
        };
        diagnostic.notes.insert(0, format!("the finding would be: {} ({})", diagnostic.message, diagnostic.code));
        diagnostic.code = code;
        diagnostic.message = format!("undecided: {message}");
        diagnostic.help = help;
        Finding::of(Verdict::Undecided, diagnostic)
    }
}
