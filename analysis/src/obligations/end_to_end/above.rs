//! The top: sets of configurations that it may be in, closed under silent steps.

use std::{rc::Rc, sync::atomic::Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    control::{OwnFailure, Process, Runs},
    intern::{Id, Interner, Rows},
    symmetry::Renaming,
    system::{Edge, System},
};
use crate::explore::{
    search::{Abort, Search},
    value::Value,
};

/// The steps from a configuration at the top, with the configurations after them.
struct Edges {
    edges: Vec<(Edge, Id)>,
    fails: bool,
}

/// The top of a stack.
pub(super) struct Above<'a, 'p> {
    pub(super) system: System<'a, 'p>,
    pub(super) configurations: Rows,
    edges: FxHashMap<Id, Rc<Edges>>,
    pub(super) sets: Interner<Vec<Id>>,
    /// The results of [`Above::after`], by set, process and events.
    after: FxHashMap<(Id, u32, Id), Id>,
    may_fail: FxHashMap<Id, bool>,
    /// Whether sets are the same under each renaming of processes.
    pub(super) plain_sets: FxHashMap<Id, bool>,
    /// Sets with processes renamed.
    pub(super) renamed_sets: FxHashMap<(Id, Renaming), Id>,
    /// The most configurations that are expanded. What is known of a step costs no budget, so the budget does not bound them.
    pub(super) most: Option<usize>,
}

impl<'a, 'p> Above<'a, 'p> {
    pub(super) fn new(system: System<'a, 'p>) -> Above<'a, 'p> {
        let configurations = Rows::new(system.count as usize + 1);
        let (edges, after, may_fail, plain_sets, renamed_sets, most) = Default::default();
        Above { system, configurations, edges, sets: Interner::new(), after, may_fail, plain_sets, renamed_sets, most }
    }

    pub(super) fn start(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        runs: Runs<'_>,
    ) -> Result<Id, Abort> {
        let rows = self.system.start(search, runs)?;
        let start = rows.iter().map(|row| self.configurations.intern(row).0).collect();
        self.closed(search, events, start)
    }

    /// The configurations at the start, if the state is this one.
    pub(super) fn start_in(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        runs: Runs<'_>,
        state: &Value,
    ) -> Result<Id, Abort> {
        let mut rows = self.system.start(search, runs)?;
        rows.retain(|row| self.system.state(row) == *state);
        let start = rows.iter().map(|row| self.configurations.intern(row).0).collect();
        self.closed(search, events, start)
    }

    /// Whether all processes may have finished in this state.
    pub(super) fn ends_in(&self, set: Id, state: &Value) -> bool {
        self.sets.get(set).iter().any(|it| {
            let row = self.configurations.get(*it);
            System::is_finished(row) && self.system.state(row) == *state
        })
    }

    /// Whether the client of a process may have failed, as it does in another system.
    pub(super) fn has_failed(&self, set: Id, (number, failure): (u32, OwnFailure)) -> bool {
        self.sets.get(set).iter().any(|configuration| {
            let process = self.configurations.get(*configuration)[number as usize + 1];
            let there = self.system.control.processes.get(process);
            matches!(&**there, Process::Fails(it) if it.site == failure.site)
        })
    }

    /// Whether no run at the top has these events.
    pub(super) fn is_impossible(&self, set: Id) -> bool {
        self.sets.get(set).is_empty()
    }

    /// The configurations that the top may be in after the events of a step at the bottom.
    pub(super) fn after(
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
        for configuration in self.sets.get(set).to_vec() {
            let edges = self.edges(search, events, configuration)?;
            let same = edges.edges.iter().filter(|it| it.0.process == edge.process && it.0.events == edge.events);
            next.extend(same.map(|it| it.1));
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
            let edges = self.edges(search, events, set[at])?;
            set.extend(edges.edges.iter().filter(|it| it.0.is_silent() && seen.insert(it.1)).map(|it| it.1));
            at += 1;
        }
        set.sort_unstable();
        Ok(self.sets.intern(set))
    }

    pub(super) fn may_fail(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        set: Id,
    ) -> Result<bool, Abort> {
        if let Some(known) = self.may_fail.get(&set) {
            return Ok(*known);
        }
        let mut may_fail = false;
        for configuration in self.sets.get(set).to_vec() {
            may_fail |= self.edges(search, events, configuration)?.fails;
        }
        self.may_fail.insert(set, may_fail);
        Ok(may_fail)
    }

    fn edges(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        id: Id,
    ) -> Result<Rc<Edges>, Abort> {
        if search.stop.load(Ordering::Relaxed) {
            return Err(Abort::Stopped);
        }
        if let Some(edges) = self.edges.get(&id) {
            return Ok(Rc::clone(edges));
        }
        if self.most.is_some_and(|most| self.edges.len() >= most) {
            return Err(Abort::OutOfFuel);
        }
        let row = self.configurations.get(id).to_vec();
        let mut edges = Vec::new();
        let fails = self.system.expand(search, events, &row, &mut edges)?;
        let reach = |edge: Edge| {
            let mut after = row.clone();
            edge.apply(&mut after);
            (edge, self.configurations.intern(&after).0)
        };
        let edges = Rc::new(Edges { edges: edges.into_iter().map(reach).collect(), fails });
        self.edges.insert(id, Rc::clone(&edges));
        Ok(edges)
    }

    /// Whether some run from these configurations lets all processes finish, or fails.
    pub(super) fn can_finish(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        set: Id,
    ) -> Result<bool, Abort> {
        let mut pending = self.sets.get(set).to_vec();
        let mut seen: FxHashSet<Id> = pending.iter().copied().collect();
        while let Some(configuration) = pending.pop() {
            search.world.fuel = search.world.fuel.checked_sub(1).ok_or(Abort::OutOfFuel)?;
            let edges = self.edges(search, events, configuration)?;
            if edges.fails || System::is_finished(self.configurations.get(configuration)) {
                return Ok(true);
            }
            pending.extend(edges.edges.iter().map(|it| it.1).filter(|it| seen.insert(*it)));
        }
        Ok(false)
    }

    /// The events that the top can emit next from these configurations, with their processes.
    pub(super) fn next_events(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        set: Id,
    ) -> Result<Vec<(u32, Id)>, Abort> {
        let mut next = Vec::new();
        for configuration in self.sets.get(set).to_vec() {
            for (edge, _) in &self.edges(search, events, configuration)?.edges {
                if !edge.is_silent() {
                    next.push((edge.process, edge.events));
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        Ok(next)
    }
}
