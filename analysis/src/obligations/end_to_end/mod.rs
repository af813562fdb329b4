//! End to end: every trace of a client at the bottom of a stack is a trace of it at the top.
//!
//! Processes `0 … n-1` each run the client. At the bottom their calls go down through the procedures of the stack, and every step of the
//! bottom layer is interleaved with those of the others in every order; at the top each call is one step. For every run at the bottom
//! (CSPEC, section 4.2, `traces_match_abs`; finite prefixes, events tagged with their process):
//!
//! ```text
//! the events so far, in order, are the events of some run at the top
//! ```
//!
//! If a step or a procedure at the bottom fails, the top must be able to fail after the same events; once a step at the top may have failed,
//! everything is allowed. A client must not fail by code of its own in any run at the bottom, whatever the top allows: that its assertions hold
//! is what it is written for.
//!
//! This uses none of the patterns, no facts, and no lazy states: it is how the patterns are checked. The search goes through pairs of a
//! configuration at the bottom and the set of configurations that the top may be in after the same events.

use std::{collections::VecDeque, sync::atomic::Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

pub use self::system::OwnFailure;
use self::system::{Edge, Id, Interner, System, named_processes};
use super::question::{Answered, Effort, Refutes, Setting};
use crate::{
    counterexample::Counterexample,
    explore::{
        cells::Numbers,
        search::{Abort, Search},
        value::{Sort, Value},
    },
    ir::{Anchor, Client, Implementation, LayerId},
};

mod system;
mod told;

/// A run at the bottom that is not as it should be.
pub struct WrongRun {
    /// What is wrong with it.
    pub wrong: Wrong,
    /// The steps and events.
    pub counterexample: Counterexample<Anchor>,
}

/// What is wrong with a run.
pub enum Wrong {
    /// The top does not have its trace; with the failure that ends it, if that is one of a procedure.
    Trace(Option<OwnFailure>),
    /// The client fails; and whether it can fail there at the top, too.
    ClientFails(OwnFailure, bool),
}

impl Refutes for WrongRun {
    fn is_confirmed(&self) -> bool {
        // The search is on concrete states.
        true
    }
}

/// What became of a search.
pub struct Searched {
    /// The answer.
    pub answered: Answered<WrongRun>,
    /// What it took.
    pub effort: Effort,
    /// In some run all processes finish, or something may fail.
    pub finishes: bool,
    /// In some run an event is emitted, or something may fail.
    pub emits: bool,
    /// A layer of which no initial state was found within bounds. The bottom comes first.
    pub cut_off: Option<LayerId>,
}

/// Checks a client with so many processes.
pub fn check(setting: &Setting, client: &Client, processes: u32) -> Searched {
    let stack = &setting.program.stacks[client.stack as usize];
    let implementations: Vec<&Implementation> =
        stack.implementations.iter().map(|it| &setting.program.implementations[it.0 as usize]).collect();
    let (Some(first), Some(last)) = (implementations.first(), implementations.last()) else {
        let answered = Answered::GivenUp(Abort::Unsupported);
        return Searched { answered, effort: Effort::default(), finishes: true, emits: true, cut_off: None };
    };
    let (top, bottom) = (first.upper, unrestricted(setting, last.lower));
    let entries: Vec<_> = (0..setting.code.functions.len()).collect();
    let (mut configurations, mut finishes, mut emits, mut cut_off) = (0, false, false, None);
    let (answered, mut effort) = setting.ask(&entries, None, |search| {
        if search.world.cells.numbers == Numbers::Atoms {
            return Err(Abort::NumbersNeeded);
        }
        search.world.cells.ordered_by_number = true;
        for (literal, process) in named_processes(setting) {
            search.world.literals[literal] = Some(Value::Atom(Sort::Pid, process));
        }
        let mut product = Product {
            events: Interner::new(),
            low: System::new(setting, implementations.clone(), top, bottom),
            high: Above::new(System::new(setting, Vec::new(), top, top)),
            reached: Vec::new(),
            seen: FxHashSet::default(),
            pending: VecDeque::new(),
            finishes: false,
            emits: false,
            cut_off: None,
        };
        // What emits nothing has the number 0.
        product.events.intern(Vec::new());
        let found = product.search(search, client, processes);
        configurations = search.world.paths.min(1) + product.low.visited() as u64;
        finishes |= product.finishes;
        emits |= product.emits;
        cut_off = product.cut_off;
        found
    });
    effort.states = configurations;
    // Concrete integers are not a bound here: those of a run are what they are.
    effort.bounds_met.retain(|bound| !bound.starts_with("int") && !bound.starts_with("Pid"));
    effort.bounds_met.insert(format!("{processes} processes"));
    Searched { answered, effort, finishes, emits, cut_off }
}

fn unrestricted(setting: &Setting, layer: LayerId) -> LayerId {
    setting.program.layers[layer.0 as usize].protocol.as_ref().map_or(layer, |it| it.raw)
}

/// The pairs that have been reached, of a configuration at the bottom and what the top may be in after the same events.
struct Product<'a, 'p> {
    events: Interner<Vec<Value>>,
    low: System<'a, 'p>,
    high: Above<'a, 'p>,
    reached: Vec<Reached>,
    seen: FxHashSet<(Id, Id)>,
    pending: VecDeque<usize>,
    /// At the bottom, all processes have finished; or a failure was matched, after which nothing is followed.
    finishes: bool,
    /// At the bottom, something was emitted; or a failure was matched.
    emits: bool,
    /// A layer of which no initial state was found within bounds.
    cut_off: Option<LayerId>,
}

/// How the search came to a pair.
struct Reached {
    low: Id,
    /// A set of configurations at the top.
    high: Id,
    /// The pair before, and the step from there; none is that of a pair to start from.
    from: Option<(usize, Edge)>,
}

impl<'p> Product<'_, 'p> {
    fn search(&mut self, search: &mut Search<'_, 'p>, client: &Client, count: u32) -> Result<Option<WrongRun>, Abort> {
        let high = self.high.start(search, &mut self.events, client, count)?;
        let low = self.low.start(search, client, count)?;
        let cut_off = |is_empty: bool, of: &System| (is_empty && !of.bounds_of_start.is_empty()).then_some(of.end);
        let at_the_top = || cut_off(self.high.is_impossible(high), &self.high.system);
        self.cut_off = cut_off(low.is_empty(), &self.low).or_else(at_the_top);
        if self.cut_off.is_some() {
            // What there is to compare was not looked at.
            return Ok(None);
        }
        for low in low {
            self.reach(Reached { low, high, from: None });
        }
        while let Some(at) = self.pending.pop_front() {
            if search.stop.load(Ordering::Relaxed) {
                return Err(Abort::Stopped);
            }
            search.world.fuel = search.world.fuel.checked_sub(1).ok_or(Abort::OutOfFuel)?;
            if let Some(unmatched) = self.follow(search, at)? {
                return Ok(Some(unmatched));
            }
        }
        Ok(None)
    }

    /// Matches the steps from a pair at the top.
    fn follow(&mut self, search: &mut Search<'_, 'p>, at: usize) -> Result<Option<WrongRun>, Abort> {
        let Reached { low, high, .. } = self.reached[at];
        let edges = self.low.edges(search, &mut self.events, low)?;
        let may_fail = self.high.may_fail(search, &mut self.events, high)?;
        self.finishes |= may_fail || self.low.is_finished(low);
        self.emits |= may_fail || edges.edges.iter().any(|it| !it.is_silent());
        if may_fail {
            return Ok(None);
        }
        if edges.fails || edges.client_fails {
            return Ok(Some(self.told_failure(search, at)));
        }
        for edge in edges.edges.iter() {
            let high = self.high.after(search, &mut self.events, high, edge)?;
            let last = self.reach(Reached { low: edge.to, high, from: Some((at, *edge)) });
            if let (Some(last), true) = (last, self.high.is_impossible(high)) {
                return Ok(Some(self.told(search, last, "the last event is not possible at the top")));
            }
        }
        Ok(None)
    }

    /// Notes a pair, if it is new, and gives its index.
    fn reach(&mut self, reached: Reached) -> Option<usize> {
        if !self.seen.insert((reached.low, reached.high)) {
            return None;
        }
        self.reached.push(reached);
        let index = self.reached.len() - 1;
        self.pending.push_back(index);
        Some(index)
    }
}

/// The top: sets of configurations that it may be in, closed under silent steps.
struct Above<'a, 'p> {
    system: System<'a, 'p>,
    sets: Interner<Vec<Id>>,
    /// By set, process and events.
    after: FxHashMap<(Id, u32, Id), Id>,
    may_fail: FxHashMap<Id, bool>,
}

impl<'a, 'p> Above<'a, 'p> {
    fn new(system: System<'a, 'p>) -> Above<'a, 'p> {
        Above { system, sets: Interner::new(), after: FxHashMap::default(), may_fail: FxHashMap::default() }
    }

    fn start(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        client: &Client,
        count: u32,
    ) -> Result<Id, Abort> {
        let start = self.system.start(search, client, count)?;
        self.closed(search, events, start)
    }

    /// Whether no run at the top has these events.
    fn is_impossible(&self, set: Id) -> bool {
        self.sets.get(set).is_empty()
    }

    /// What the top may be in after events that a step at the bottom emits.
    fn after(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        set: Id,
        edge: &Edge,
    ) -> Result<Id, Abort> {
        if edge.is_silent() {
            return Ok(set);
        }
        let key = (set, edge.process, edge.events);
        if let Some(next) = self.after.get(&key) {
            return Ok(*next);
        }
        let mut next = Vec::new();
        for configuration in self.sets.get(set).iter() {
            let edges = self.system.edges(search, events, *configuration)?;
            let same = edges.edges.iter().filter(|it| it.process == edge.process && it.events == edge.events);
            next.extend(same.map(|it| it.to));
        }
        next.sort_unstable();
        next.dedup();
        let next = self.closed(search, events, next)?;
        self.after.insert(key, next);
        Ok(next)
    }

    /// The configurations that the top may be in after silent steps from these.
    fn closed(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        mut set: Vec<Id>,
    ) -> Result<Id, Abort> {
        let mut seen: FxHashSet<Id> = set.iter().copied().collect();
        let mut at = 0;
        while at < set.len() {
            let edges = self.system.edges(search, events, set[at])?;
            set.extend(edges.edges.iter().filter(|it| it.is_silent() && seen.insert(it.to)).map(|it| it.to));
            at += 1;
        }
        set.sort_unstable();
        Ok(self.sets.intern(set))
    }

    fn may_fail(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        set: Id,
    ) -> Result<bool, Abort> {
        if let Some(known) = self.may_fail.get(&set) {
            return Ok(*known);
        }
        let mut may_fail = false;
        for configuration in self.sets.get(set).iter() {
            may_fail |= self.system.edges(search, events, *configuration)?.fails;
        }
        self.may_fail.insert(set, may_fail);
        Ok(may_fail)
    }
}
