//! End to end: every trace of a client at the bottom of a stack is a trace of it at the top, and its processes do not get stuck.
//!
//! Processes `0 … n-1` each run the client. At the bottom their calls go down through the procedures of the stack, and every step of the
//! bottom layer is interleaved with those of the others in every order; at the top each call is one step. For every run at the bottom
//! (CSPEC, section 5.2, `traces_match_abs`; finite prefixes, events tagged with their process):
//!
//! ```text
//! the events so far, in order, are the events of some run at the top
//! ```
//!
//! If a step or a procedure at the bottom fails, the top must be able to fail after the same events; once a step at the top may have failed,
//! everything is allowed. The code of the client itself must not fail in any run at the bottom, whatever the top allows: its assertions
//! are the property that it states.
//!
//! And the processes never get stuck (`stuck`), unless the client says that they may wait:
//!
//! ```text
//! from every reachable configuration at the bottom, some run lets all processes finish
//! ```
//!
//! A client that finishes in no run at the top waits because the specification says so: that gives only a warning.
//!
//! The clients of a stack also show whether its top layer may fail ([`keeps_gate`]): the assertions of an operation at the top are for its
//! callers to keep. For a client with `n` processes this is asked of the top layer alone, in every order of steps:
//!
//! ```text
//! in no run of the client at the top does this operation fail
//! ```
//!
//! A layer may ask [questions](Question) of its states, `never` and `always`. The state of a layer is known exactly in the runs of a client over the
//! implementations above the layer alone ([`depth`]). For these runs, whatever the top allows ([`ask_client`], [`ask_programs`]):
//!
//! ```text
//! in every reachable configuration the condition is false (never), or true (always), of the state
//! ```
//!
//! This search uses no patterns, no facts, and no lazy states: so it can check the patterns.
//!
//! # The algorithm
//!
//! `product` explores pairs of a configuration at the bottom and the set of configurations that the top may be in after the same events
//! (`above`), nearest first, so a finding has a shortest run. A configuration is a row of small numbers (`intern`); `system`
//! lists the steps from one. The code of a process is run from one step at the bottom to the next (`control`), once for each point that it
//! can be at. A step is run once for all states that agree on what it reads (`steps`, `parts`). If nothing distinguishes the processes, one
//! configuration stands for all that differ from it in which process is which (`symmetry`). Background steps that may happen any
//! number of times are separate steps, made by no process. Each of these reductions has a switch ([`Reductions`]); the results are the same with
//! and without it.

use std::{collections::BTreeSet, rc::Rc};

pub use self::{
    about::MOST_BEFORE,
    control::{OwnFailure, Script, ScriptCall},
    generate::{Limits, TriedOut, ask_programs, doubt_budget, try_out},
    outcomes::{How, Outcome, Outcomes, outcomes},
    schedule::{Line, Replayed, Schedule, Subject, replay},
};
use self::{
    control::{Runs, named_processes},
    generate::has_one_state,
    product::Product,
};
use super::{
    question::{Answered, Effort, Refutes, Setting},
    stack,
};
use crate::{
    counterexample::Counterexample,
    explore::{
        cells::Numbers,
        code::CodeId,
        search::{Abort, Search},
        value::{Sort, Value},
    },
    ir::{Anchor, Client, Implementation, ImplementationId, Justification, LayerId, PartitionEnd, Program, Question},
    verdict::Scope,
};

mod about;
mod above;
mod answers;
mod certain;
mod control;
mod generate;
mod intern;
mod outcomes;
mod parts;
mod product;
pub mod schedule;
mod steps;
mod stuck;
mod symmetry;
mod system;
mod told;

/// Reductions, which speed up the search and do not change its results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reductions {
    /// A step is run once for all states that agree on what it reads; otherwise in each state.
    pub reads: bool,
    /// Background steps are separate steps, if any number of them may happen; otherwise they are made before and after each operation.
    pub background: bool,
    /// Configurations that differ only in which process is which are searched once, if nothing distinguishes the processes.
    pub symmetry: bool,
}

impl Reductions {
    /// All of them.
    pub const ALL: Reductions = Reductions { reads: true, background: true, symmetry: true };
    /// None of them.
    pub const NONE: Reductions = Reductions { reads: false, background: false, symmetry: false };
}

/// A run at the bottom that goes wrong.
pub struct WrongRun {
    /// How it goes wrong.
    pub wrong: Wrong,
    /// The steps and events.
    pub counterexample: Counterexample<Anchor>,
    /// What the top could do instead.
    pub notes: Vec<String>,
    /// The same run as a schedule.
    pub schedule: Schedule,
}

/// A run that the top does not match within these bounds, but may match beyond them.
pub struct Uncertain {
    /// The run.
    pub run: WrongRun,
    /// The bounds; none if they were not looked at.
    pub bounds: BTreeSet<String>,
}

/// How a run goes wrong.
pub enum Wrong {
    /// The top does not have its trace; with the failure at its end, if a procedure failed.
    Trace(Option<OwnFailure>),
    /// The client fails; and whether it can fail there at the top, too.
    ClientFails(OwnFailure, bool),
    /// This operation of the top layer fails there.
    TopFails(usize),
    /// A question has the wrong answer in its last state; or it panics there.
    Answers(Answer),
    /// The processes can never all finish; with the bounds that steps at the bottom met, beyond which there may be a way out.
    Stuck(BTreeSet<String>),
}

/// What a condition says of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// It has no answer: it panics, or an assertion in it fails.
    Fails,
}

impl Refutes for WrongRun {
    fn is_confirmed(&self) -> bool {
        // The search is on concrete states. But if steps have chosen within bounds, there may be a way out beyond them.
        !matches!(&self.wrong, Wrong::Stuck(bounds) if !bounds.is_empty())
    }
}

/// The result of a search.
pub struct Searched {
    pub answered: Answered<WrongRun>,
    /// The effort it took.
    pub effort: Effort,
    /// Whether some run lets all processes finish, or may fail.
    pub finishes: bool,
    /// Whether some run emits an event, or may fail.
    pub emits: bool,
    /// Whether some run calls the operation whose gate was asked for.
    pub calls_gate: bool,
    /// A layer without an initial state within the bounds. The bottom is tried first.
    pub cut_off: Option<LayerId>,
    /// A run that was left out, and what may follow it: the top may match it with choices that were not tried.
    pub uncertain: Option<Uncertain>,
    /// Whether the client goes wrong over the implementations above the one that the search is about.
    pub goes_wrong_above: bool,
}

/// Checks a client with this many processes.
pub fn check(setting: &Setting, client: &Client, processes: u32, reductions: Reductions) -> Searched {
    let stack = &setting.program.stacks[client.stack as usize];
    let implementations: Vec<&Implementation> =
        stack.implementations.iter().map(|it| &setting.program.implementations[it.0 as usize]).collect();
    let Some(ends) = ends(setting, &implementations) else { return Searched::nothing() };
    searched(setting, &implementations, ends, Runs::Client(client), processes, reductions)
}

/// Searches for a run of a client that goes wrong over the implementations down to one of its stack, but not over those above it.
pub fn doubt(setting: &Setting, client: &Client, processes: u32, id: ImplementationId, budget: u64) -> Searched {
    let stack = &setting.program.stacks[client.stack as usize];
    let chain: Vec<&Implementation> =
        stack.implementations.iter().map(|it| &setting.program.implementations[it.0 as usize]).collect();
    let count = stack.implementations.iter().position(|it| *it == id).map_or(0, |it| it + 1);
    let scope = Scope { budget, ..setting.scope.clone() };
    let setting = &Setting { scope: &scope, ..*setting };
    let over = |chain: &[&Implementation]| match ends(setting, chain) {
        Some(ends) => {
            let starts_alike = chain.iter().all(|it| has_one_state(it));
            let ends = Ends { is_careful: true, starts_alike, ..ends };
            searched(setting, chain, ends, Runs::Client(client), processes, Reductions::ALL)
        }
        None => Searched::nothing(),
    };
    let mut found = over(&chain[..count]);
    let is_wrong = |it: &Searched| match &it.answered {
        Answered::Violated(run) => matches!(run.wrong, Wrong::Trace(_) | Wrong::ClientFails(_, false)),
        _ => false,
    };
    if !is_wrong(&found) {
        // A client that waits says nothing of the implementation.
        if matches!(found.answered, Answered::Violated(_)) {
            found.answered = Answered::Holds;
        }
    } else if count > 1 {
        let above = over(&chain[..count - 1]);
        let is_unclear = above.uncertain.is_some();
        match above.answered {
            Answered::Holds if !is_unclear => {}
            Answered::Holds => found.answered = Answered::GivenUp(Abort::Unsupported),
            Answered::GivenUp(why) => found.answered = Answered::GivenUp(why),
            Answered::Violated(_) => (found.answered, found.goes_wrong_above) = (Answered::Holds, true),
        }
    }
    found
}

/// The number of pairs that a search of a client with symmetry visits, and of those that they stand for. `None` if the search is not
/// symmetric, or does not come to its end. For tests: without symmetry the search visits all that they stand for.
pub fn stood_for(setting: &Setting, client: &Client, processes: u32) -> Option<(u64, u64)> {
    let stack = &setting.program.stacks[client.stack as usize];
    let implementations: Vec<&Implementation> =
        stack.implementations.iter().map(|it| &setting.program.implementations[it.0 as usize]).collect();
    let ends = ends(setting, &implementations)?;
    let mut stood_for = None;
    let of = (ends, Runs::Client(client), processes, Reductions::ALL);
    searched_and(setting, &implementations, of, &mut |product, _, found| {
        stood_for = match found {
            Ok(None) if product.is_symmetric => product.pairs_stood_for(),
            _ => None,
        };
        Ok(())
    });
    stood_for
}

/// Checks scripts over a chain of implementations, one for each process; and whether they may wait for ever.
pub fn check_scripts(
    setting: &Setting,
    implementations: &[&Implementation],
    (scripts, may_wait): (&[Rc<Script>], bool),
    reductions: Reductions,
) -> Searched {
    let Some(ends) = ends(setting, implementations) else { return Searched::nothing() };
    searched(setting, implementations, ends, Runs::Scripts(scripts, may_wait), scripts.len() as u32, reductions)
}

/// Checks that an operation of the top layer does not fail in any run of a client with this many processes at the top.
pub fn keeps_gate(setting: &Setting, client: &Client, processes: u32, operation: usize) -> Searched {
    let Some(top) = stack::top(setting.program, &setting.program.stacks[client.stack as usize]) else {
        return Searched::nothing();
    };
    let ends = Ends { gate: Some(operation), ..Ends::plain(top, top) };
    searched(setting, &[], ends, Runs::Client(client), processes, Reductions::ALL)
}

/// The number of implementations above a layer in a chain, such that the state of the layer is known in runs of programs over these alone.
/// Between the two ends of a partition, layers have the state for one key only, so they are left out.
pub fn depth(program: &Program, implementations: &[ImplementationId], layer: LayerId) -> Option<usize> {
    let implementation = |id: &ImplementationId| &program.implementations[id.0 as usize];
    let raw = |it: LayerId| program.layers[it.0 as usize].protocol.as_ref().map_or(it, |it| it.raw);
    if implementations
        .first()
        .is_some_and(|it| [implementation(it).upper, raw(implementation(it).upper)].contains(&layer))
    {
        return Some(0);
    }
    let mut is_for_one_key = false;
    for (above, id) in implementations.iter().enumerate() {
        if let Justification::Partition(partition) = &implementation(id).by {
            is_for_one_key = matches!(partition.end, PartitionEnd::Top { .. });
        }
        let lower = implementation(id).lower;
        let next = implementations.get(above + 1).map(|it| implementation(it).upper);
        if !is_for_one_key && ([lower, raw(lower)].contains(&layer) || next == Some(layer)) {
            return Some(above + 1);
        }
    }
    None
}

/// Asks a question of a layer in all states that a client reaches with this many processes, over the implementations above the layer.
pub fn ask_client(
    setting: &Setting,
    client: &Client,
    processes: u32,
    (layer, question): (LayerId, usize),
    reductions: Reductions,
) -> Searched {
    let chain = &setting.program.stacks[client.stack as usize].implementations;
    let Some((above, ends)) = asked_over(setting, chain, layer, question) else { return Searched::nothing() };
    searched(setting, &above, ends, Runs::Client(client), processes, reductions)
}

/// The implementations above a layer, and the ends of a search that asks a question of the layer.
fn asked_over<'a>(
    setting: &Setting<'a>,
    chain: &[ImplementationId],
    layer: LayerId,
    question: usize,
) -> Option<(Vec<&'a Implementation>, Ends)> {
    let program = setting.program;
    let above = &chain[..depth(program, chain, layer)?];
    let above: Vec<&Implementation> = above.iter().map(|it| &program.implementations[it.0 as usize]).collect();
    let bottom = unrestricted(setting, layer);
    let top = above.first().map_or(bottom, |it| it.upper);
    let (question, function) = program.layers[layer.0 as usize].questions[question];
    let asks = Some(Asks { question, code: setting.code.function(function) });
    Some((above, Ends { asks, ..Ends::plain(top, bottom) }))
}

/// A question that a search asks of each state at the bottom.
#[derive(Clone, Copy)]
struct Asks {
    question: Question,
    /// `fn(&State) -> bool`.
    code: CodeId,
}

/// The layers at which a search compares runs.
#[derive(Clone, Copy)]
struct Ends {
    top: LayerId,
    bottom: LayerId,
    /// An operation of the layer at the bottom that must not fail, whatever the top allows. Nothing else is then wrong.
    gate: Option<usize>,
    /// Whether only runs count that are wrong whatever the top chooses.
    is_careful: bool,
    /// Whether the top starts in the state in which the bottom starts. Otherwise it may start from any of its initial states.
    starts_alike: bool,
    /// A question about the states at the bottom. Then nothing else is wrong, and there is no top to compare with.
    asks: Option<Asks>,
    /// Whether the outcomes are listed. Then nothing is wrong, and there is no top to compare with.
    lists: bool,
}

impl Ends {
    /// Whether runs are compared with the top, and nothing else is asked.
    fn compares(&self) -> bool {
        self.gate.is_none() && self.asks.is_none() && !self.lists
    }

    /// Compares all runs.
    fn plain(top: LayerId, bottom: LayerId) -> Ends {
        Ends { top, bottom, gate: None, is_careful: false, starts_alike: false, asks: None, lists: false }
    }
}

/// The ends of a chain of implementations, from the top to the bottom.
fn ends(setting: &Setting, implementations: &[&Implementation]) -> Option<Ends> {
    let (first, last) = (implementations.first()?, implementations.last()?);
    Some(Ends::plain(first.upper, unrestricted(setting, last.lower)))
}

impl Searched {
    /// A search over no layers.
    fn nothing() -> Searched {
        let answered = Answered::GivenUp(Abort::Unsupported);
        let effort = Effort::default();
        let (finishes, emits) = (true, true);
        let (calls_gate, cut_off, uncertain, goes_wrong_above) = Default::default();
        Searched { answered, effort, finishes, emits, calls_gate, cut_off, uncertain, goes_wrong_above }
    }
}

fn searched(
    setting: &Setting,
    implementations: &[&Implementation],
    ends: Ends,
    runs: Runs<'_>,
    processes: u32,
    reductions: Reductions,
) -> Searched {
    searched_and(setting, implementations, (ends, runs, processes, reductions), &mut |_, _, _| Ok(()))
}

/// The result of a search that has come to its end, or has been given up.
type Came = Result<Option<WrongRun>, Abort>;

/// What is done with all that a search has reached.
type And<'f> = dyn for<'a, 'p, 's> FnMut(&mut Product<'a, 'p>, &mut Search<'s, 'p>, &Came) -> Result<(), Abort> + 'f;

/// Searches, and then does something with all that has been reached.
fn searched_and(
    setting: &Setting,
    implementations: &[&Implementation],
    (ends, runs, processes, reductions): (Ends, Runs<'_>, u32, Reductions),
    and: &mut And<'_>,
) -> Searched {
    // All processes exist from the start.
    let scope = Scope { pids: setting.scope.pids.max(processes), ..setting.scope.clone() };
    let setting = &Setting { scope: &scope, ..*setting };
    let entries: Vec<_> = (0..setting.code.functions.len()).collect();
    let (mut configurations, mut finishes, mut emits, mut calls_gate, mut cut_off) = (0, false, false, false, None);
    let mut uncertain = None;
    let (answered, mut effort) = setting.ask(&entries, None, |search| {
        if search.world.cells.numbers == Numbers::Atoms {
            return Err(Abort::NumbersNeeded);
        }
        search.world.cells.ordered_by_number = true;
        // Each integer that a step may choose is a separate configuration, so the ends of types are left out; the bound says so.
        search.world.cells.tries_ends = false;
        for (literal, process) in named_processes(setting) {
            search.world.literals[literal] = Some(Value::Atom(Sort::Pid, process));
        }
        search.world.cells.scope.pids = search.world.cells.scope.pids.max(processes);
        let mut product = Product::new(setting, search, implementations.to_vec(), ends, processes, reductions);
        let mut found = None;
        if reductions.symmetry && ends.compares() && runs.may_be_symmetric(setting) {
            let fuel = search.world.fuel;
            found = product.search_symmetric(search, runs);
            if found.is_none() {
                search.world.fuel = fuel;
                product = Product::new(setting, search, implementations.to_vec(), ends, processes, reductions);
            }
        }
        let found = found.unwrap_or_else(|| product.search(search, runs));
        configurations = product.pairs.len() as u64;
        finishes |= product.finishes;
        emits |= product.emits;
        calls_gate |= product.calls_gate;
        cut_off = product.cut_off;
        and(&mut product, search, &found)?;
        uncertain = product.uncertain;
        found
    });
    effort.states = configurations;
    effort.bounds_met.insert(format!("{processes} processes"));
    Searched { answered, effort, finishes, emits, calls_gate, cut_off, uncertain, goes_wrong_above: false }
}

fn unrestricted(setting: &Setting, layer: LayerId) -> LayerId {
    setting.program.layers[layer.0 as usize].protocol.as_ref().map_or(layer, |it| it.raw)
}
