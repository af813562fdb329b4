//! The product of bottom and top: pairs of a configuration at the bottom and the set of configurations that the top may be in after the
//! same events. A pair is a row of numbers: the configuration, then the set.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use rustc_hash::FxHashMap;

use super::{
    Answer, Asks, Ends, Reductions, Uncertain, WrongRun,
    above::Above,
    certain::{How, MOST_COMPARED},
    control::{Process, Runs},
    intern::{Id, Interner, Rows},
    outcomes::Listing,
    schedule::Within,
    stuck::Graph,
    system::{Edge, System},
};
use crate::{
    explore::{
        cells::Numbers,
        search::{Abort, Search},
        value::Value,
    },
    ir::{Implementation, LayerId},
    obligations::question::Setting,
};

/// The cost of a pair in steps of the budget, so that the budget also bounds the memory.
const PRICE: u64 = 8;

/// The pairs that have been reached.
pub(super) struct Product<'a, 'p> {
    pub(super) events: Interner<Vec<Value>>,
    pub(super) low: System<'a, 'p>,
    /// An operation at the bottom that must not fail, whatever the top allows. Nothing else is then wrong.
    pub(super) gate: Option<usize>,
    /// A question that is asked of each state at the bottom. Then the top is left out.
    pub(super) asks: Option<Asks>,
    /// The outcomes so far, if they are listed. Then the top is left out.
    pub(super) listing: Option<Listing>,
    /// Whether one pair stands for all with the processes renamed.
    pub(super) is_symmetric: bool,
    /// Whether something was met that distinguishes the processes.
    pub(super) is_distinguished: bool,
    /// The initial configurations at the bottom.
    pub(super) starts: Vec<Vec<u32>>,
    /// The bounds.
    pub(super) within: Within,
    /// The wrong answers to it, by state.
    pub(super) answers: FxHashMap<Id, Option<Answer>>,
    /// Whether some run calls that operation.
    pub(super) calls_gate: bool,
    pub(super) high: Above<'a, 'p>,
    pub(super) pairs: Rows,
    /// The explored pairs, by number.
    pub(super) graph: Graph,
    /// The bounds that steps at the bottom met.
    pub(super) bounds_of_steps: BTreeSet<String>,
    /// Whether, at the bottom, all processes have finished; or a failure was matched, after which nothing is explored.
    pub(super) finishes: bool,
    /// Whether, at the bottom, an event was emitted; or a failure was matched.
    pub(super) emits: bool,
    /// A layer without an initial state within the bounds. The bottom is tried first.
    pub(super) cut_off: Option<LayerId>,
    /// Whether both ends start from the same state. Otherwise the top may start from any of its initial states.
    pub(super) starts_alike: bool,
    /// Whether, when all processes have finished, both ends are in the same state.
    pub(super) ends_alike: bool,
    /// The number of calls that the first process makes before any other process takes a step.
    pub(super) alone: u32,
    /// Whether a run counts only if the top cannot match it whatever it chooses. Otherwise it counts if the top does not match it with more
    /// choices.
    pub(super) is_careful: bool,
    /// The first run that may not be wrong, and was left out.
    pub(super) uncertain: Option<Uncertain>,
    /// The initial states of the top, if they are all, once that was asked for.
    pub(super) all_starts: Option<Option<Vec<Value>>>,
    /// The number of runs that were left out.
    pub(super) left_out: u32,
    /// The number of wrong runs that are compared once more before the search gives up on them.
    pub(super) comparisons: u32,
}

impl<'a, 'p> Product<'a, 'p> {
    /// Creates the product over these implementations, from the top layer to the bottom layer.
    pub(super) fn new(
        setting: &'a Setting<'p>,
        search: &mut Search<'_, 'p>,
        implementations: Vec<&'a Implementation>,
        Ends { top, bottom, gate, is_careful, starts_alike, asks, lists }: Ends,
        count: u32,
        reductions: Reductions,
    ) -> Product<'a, 'p> {
        let mut events = Interner::new();
        // The empty sequence of events has the number 0.
        events.intern(Vec::new());
        let low = System::new(setting, search, implementations, (top, bottom), count, reductions);
        let high = System::new(setting, search, Vec::new(), (top, top), count, reductions);
        Product {
            events,
            low,
            gate,
            asks,
            listing: lists.then(|| Listing::new(count)),
            is_symmetric: false,
            is_distinguished: false,
            starts: Vec::new(),
            within: Within::of(&search.world.cells.scope),
            answers: FxHashMap::default(),
            calls_gate: false,
            high: Above::new(high),
            pairs: Rows::new(count as usize + 2),
            graph: Graph::default(),
            bounds_of_steps: BTreeSet::new(),
            finishes: false,
            emits: false,
            cut_off: None,
            starts_alike,
            ends_alike: false,
            alone: 0,
            is_careful,
            uncertain: None,
            all_starts: None,
            left_out: 0,
            comparisons: MOST_COMPARED,
        }
    }

    /// Forgets the explored pairs, but not the outcomes of steps.
    pub(super) fn start_over(&mut self) {
        self.pairs = Rows::new(self.low.count as usize + 2);
        self.graph = Graph::default();
    }

    /// The configuration at the bottom of a pair.
    pub(super) fn low_of(&self, pair: Id) -> &[u32] {
        &self.pairs.get(pair)[..=self.low.count as usize]
    }

    pub(super) fn search(&mut self, search: &mut Search<'_, 'p>, runs: Runs<'_>) -> Result<Option<WrongRun>, Abort> {
        let may_wait = match runs {
            _ if self.gate.is_some() || self.asks.is_some() || self.listing.is_some() => true,
            Runs::Client(client) => client.may_wait,
            Runs::Scripts(_, may_wait) => may_wait,
        };
        let low = self.low.start(search, runs)?;
        self.starts.clone_from(&low);
        if self.asks.is_some() || self.listing.is_some() {
            return self.search_alone(search, runs, low);
        }
        let high = self.high.start(search, &mut self.events, runs)?;
        let cut_off =
            |is_empty: bool, of: &System<'_, '_>| (is_empty && !of.bounds_of_start.is_empty()).then_some(of.end);
        let at_the_top = || cut_off(self.high.is_impossible(high), &self.high.system);
        self.cut_off = cut_off(low.is_empty(), &self.low).or_else(at_the_top);
        if self.cut_off.is_some() {
            // There was nothing to compare with.
            return Ok(None);
        }
        self.is_distinguished |= self.is_symmetric && !self.starts_are_symmetric(&low, high);
        for mut row in low {
            let start = match self.starts_alike {
                true => self.high.start_in(search, &mut self.events, runs, &self.low.state(&row))?,
                false => high,
            };
            if !self.starts_alike || !self.high.is_impossible(start) {
                row.push(start);
                self.intern(&row);
            }
        }
        let found = self.follow_all(search, runs);
        if self.is_distinguished {
            return Ok(None);
        }
        let stuck = match &found {
            Ok(None) if !may_wait => self.graph.first_stuck(),
            // If no process can take a step, the unexplored part changes nothing.
            Err(Abort::OutOfFuel) if !may_wait => self.graph.first_final_stuck(),
            _ => None,
        };
        match stuck {
            // A client that can never finish at the top waits because the specification says so.
            Some(at) if self.high.can_finish(search, &mut self.events, high)? => {
                let told = |it: &mut Self, search: &mut Search<'_, 'p>, (at, _): (Id, Option<Edge>)| {
                    it.told_stuck(search, at as usize)
                };
                self.unfolded(search, (at as Id, None), told).map(Some)
            }
            _ => found,
        }
    }

    pub(super) fn follow_all(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
    ) -> Result<Option<WrongRun>, Abort> {
        let (mut edges, mut successors) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < self.pairs.len() && !self.is_distinguished {
            if search.stop.load(Ordering::Relaxed) {
                return Err(Abort::Stopped);
            }
            search.world.fuel = search.world.fuel.checked_sub(PRICE).ok_or(Abort::OutOfFuel)?;
            let found = match self.asks {
                Some(asks) => self.follow_asked(search, asks, at as Id, (&mut edges, &mut successors))?,
                None if self.listing.is_some() => {
                    self.follow_listed(search, at as Id, (&mut edges, &mut successors))?;
                    None
                }
                None => self.follow(search, runs, at as Id, (&mut edges, &mut successors))?,
            };
            if let Some(unmatched) = found {
                return Ok(Some(unmatched));
            }
            // A string of a new shape: the whole search restarts, knowing it.
            if !search.world.cells.new_shapes.is_empty() && search.world.cells.numbers != Numbers::Digits {
                return Err(Abort::NumbersNeeded);
            }
            at += 1;
        }
        Ok(None)
    }

    /// Matches the steps from a pair at the top.
    fn follow(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
        at: Id,
        (edges, successors): (&mut Vec<Edge>, &mut Vec<u32>),
    ) -> Result<Option<WrongRun>, Abort> {
        let mut row = self.pairs.get(at).to_vec();
        let high = row.pop().unwrap_or_default();
        let fails = self.low_edges(search, &row, edges)?;
        if let Some(gate) = self.gate {
            self.calls_gate |= (0..self.low.count).any(|it| self.low.operation(&row, it) == Some(gate));
            let failing = if fails { self.fails_in(search, &row, gate)? } else { None };
            if let Some(process) = failing {
                return self.told_gate(search, at, (gate, process)).map(Some);
            }
        }
        let client_fails = self.is_client_failing(&row);
        // The gate is asked of each configuration by itself, not of all that the top may be in.
        let may_fail = match self.gate {
            Some(_) => fails || client_fails,
            None => self.high.may_fail(search, &mut self.events, high)?,
        };
        let is_end = may_fail || System::is_finished(&row);
        self.finishes |= is_end;
        self.emits |= may_fail || edges.iter().any(|it| !it.is_silent());
        if may_fail {
            self.graph.add(true, &[]);
            return Ok(None);
        }
        if fails || client_fails {
            self.graph.add(true, &[]);
            // A client that fails at the top, too, asserts too much: that says nothing of what is below.
            let asserts_too_much = |it| self.is_careful && !fails && self.high.has_failed(high, it);
            if self.failing_client(at).is_some_and(asserts_too_much) {
                return Ok(None);
            }
            return self.wrong(search, runs, (at, None), How::Fails);
        }
        if self.ends_alike && System::is_finished(&row) && !self.high.ends_in(high, &self.low.state(&row)) {
            let wrong = self.wrong(search, runs, (at, None), How::Ends)?;
            if wrong.is_some() {
                return Ok(wrong);
            }
        }
        if self.low.control.completed(row[1]).is_some_and(|calls| calls < self.alone) {
            edges.retain(|it| [0, self.low.count].contains(&it.process));
        }
        let left_out = self.left_out;
        successors.clear();
        let mut after = Vec::with_capacity(row.len() + 1);
        for edge in edges.iter() {
            let next = self.high.after(search, &mut self.events, high, edge)?;
            if self.high.is_impossible(next) {
                match self.wrong(search, runs, (at, Some(*edge)), How::Event)? {
                    None => continue,
                    wrong => return Ok(wrong),
                }
            }
            after.clear();
            after.extend_from_slice(&row);
            edge.apply(&mut after);
            after.push(next);
            successors.push(self.intern(&after));
        }
        // A run that was left out may go on.
        self.graph.add(is_end || self.left_out > left_out, successors);
        Ok(None)
    }

    /// The number of a pair, or of the one that stands for it.
    fn intern(&mut self, pair: &[u32]) -> Id {
        if !self.is_symmetric {
            return self.pairs.intern(pair).0;
        }
        match self.standing_for(pair) {
            Some((pair, _)) => self.pairs.intern(&pair).0,
            None => {
                self.is_distinguished = true;
                self.pairs.intern(pair).0
            }
        }
    }

    /// A process for which this operation, which it is about to perform, may fail.
    fn fails_in(&mut self, search: &mut Search<'_, 'p>, row: &[u32], operation: usize) -> Result<Option<u32>, Abort> {
        for process in 0..self.low.count {
            if self.low.operation(row, process) != Some(operation) {
                continue;
            }
            let outcomes = self.low.outcomes(search, &mut self.events, row, process)?;
            if outcomes.is_some_and(|it| self.low.steps.outcomes.get(it).fails) {
                return Ok(Some(process));
            }
        }
        Ok(None)
    }

    pub(super) fn is_client_failing(&self, row: &[u32]) -> bool {
        let fails = |it: &u32| matches!(&**self.low.control.processes.get(*it), Process::Fails(it) if it.of_client);
        row[1..].iter().any(fails)
    }

    /// The steps at the bottom; the bounds that they meet are kept apart.
    pub(super) fn low_edges(
        &mut self,
        search: &mut Search<'_, 'p>,
        row: &[u32],
        edges: &mut Vec<Edge>,
    ) -> Result<bool, Abort> {
        let bounds = std::mem::take(&mut search.world.cells.bounds_met);
        let fails = self.low.expand(search, &mut self.events, row, edges);
        let met = std::mem::replace(&mut search.world.cells.bounds_met, bounds);
        if !met.is_empty() {
            search.world.cells.bounds_met.extend(met.iter().cloned());
            self.bounds_of_steps.extend(met);
        }
        fails
    }
}
