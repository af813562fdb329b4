//! A client over a part of a stack, as a graph: configurations of processes and a state, and the steps between them.
//!
//! A configuration is a row of numbers: one for the state, then one for each process.

use std::{collections::BTreeSet, rc::Rc, sync::atomic::Ordering};

use rustc_hash::FxHashMap;

use super::{
    Reductions,
    control::{Control, FINISHED, Process, Runs, fresh, mention_atoms},
    intern::{Id, Interner},
    parts::Atoms,
    steps::{Call, From, Outcomes, Steps},
    symmetry::Renamed,
};
use crate::{
    explore::{
        cells::{Knowledge, Quantifier, Root},
        machine::Machine,
        search::{Abort, Action, End, Search},
        value::Value,
    },
    ir::{Implementation, LayerId},
    obligations::question::Setting,
};

/// The name of the event by which a generated program shows the result of a call.
pub(super) const RETURNED: &str = "returned";

/// The cost of an initial state in steps of the budget.
const START_PRICE: u64 = 10;

/// A step from a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Edge {
    /// The process that makes it; the number after the last process stands for the background.
    pub(super) process: u32,
    /// The interned events; 0 is none.
    pub(super) events: Id,
    /// The state after it.
    pub(super) state: Id,
    /// The process after it.
    pub(super) next: Id,
}

impl Edge {
    /// Whether it emits nothing.
    pub(super) fn is_silent(&self) -> bool {
        self.events == 0
    }

    /// Changes the row of a configuration into the one after the step.
    pub(super) fn apply(&self, row: &mut [u32]) {
        row[0] = self.state;
        if let Some(process) = row.get_mut(self.process as usize + 1) {
            *process = self.next;
        }
    }
}

/// A possible continuation of a process after a step.
#[derive(Clone, Copy)]
pub(super) struct Move {
    writes: Id,
    events: Id,
    pub(super) result: Id,
    next: Id,
}

/// The client over a part of the stack: all of it, or none.
pub(super) struct System<'a, 'p> {
    pub(super) setting: &'a Setting<'p>,
    pub(super) end: LayerId,
    pub(super) count: u32,
    pub(super) control: Control<'a, 'p>,
    pub(super) steps: Steps,
    pub(super) states: Interner<Vec<Id>>,
    /// States after writes, by state and writes.
    written: FxHashMap<(Id, Id), Id>,
    /// The root of each process's step, by process and number; 0 means unknown.
    roots: Vec<u32>,
    /// Continuations by process and outcomes of its step.
    moves: FxHashMap<(Id, Id), Rc<[Move]>>,
    /// The background step, if it is separate from other steps.
    background: Option<Call>,
    scalars: Scalars,
    pub(super) renamed: Renamed,
    /// The initial states, once computed.
    initial: Option<Vec<Id>>,
    /// Bounds that the search for initial states has met: there may be more of them.
    pub(super) bounds_of_start: BTreeSet<String>,
}

/// The number of scalars in states and processes.
#[derive(Default)]
struct Scalars {
    of_states: FxHashMap<Id, Rc<Knowledge>>,
    of_processes: FxHashMap<Id, Rc<Knowledge>>,
    /// Those that are known from the start.
    always: Knowledge,
    known: FxHashMap<Rc<Atoms>, Id>,
}

impl<'a, 'p> System<'a, 'p> {
    pub(super) fn new(
        setting: &'a Setting<'p>,
        search: &mut Search<'_, 'p>,
        implementations: Vec<&'a Implementation>,
        (top, end): (LayerId, LayerId),
        count: u32,
        reductions: Reductions,
    ) -> System<'a, 'p> {
        let turn = setting.code.background_turn[end.0 as usize].filter(|_| reductions.background);
        let mut states = Interner::new();
        states.intern(Vec::new());
        System {
            setting,
            end,
            count,
            control: Control::new(setting, implementations, (top, end), count),
            steps: Steps::new(setting, search, setting.state(end), end.0, reductions.reads),
            states,
            written: FxHashMap::default(),
            roots: Vec::new(),
            moves: FxHashMap::default(),
            background: turn.map(|code| Call { code, process: None, arguments: Rc::default() }),
            scalars: Scalars::default(),
            renamed: Renamed::default(),
            initial: None,
            bounds_of_start: BTreeSet::new(),
        }
    }

    /// Whether all processes of a configuration have finished.
    pub(super) fn is_finished(row: &[u32]) -> bool {
        row[1..].iter().all(|it| *it == FINISHED)
    }

    /// The state of a configuration.
    pub(super) fn state(&self, row: &[u32]) -> Value {
        self.steps.parts.borrow().join(self.states.get(row[0]))
    }

    /// Records the scalars in a configuration.
    pub(super) fn mention(&mut self, row: &[u32], known: &mut Knowledge) {
        let (atoms, _) = self.scalars.of(row, &self.states, &self.steps, &self.control);
        atoms.iter().for_each(|(sort, count)| known.mention(*sort, *count));
    }

    /// From now on, these scalars are known in every configuration.
    pub(super) fn know(&mut self, scalars: Knowledge) {
        self.scalars.always = scalars;
    }

    /// The initial configurations.
    pub(super) fn start(&mut self, search: &mut Search<'_, 'p>, runs: Runs<'_>) -> Result<Vec<Vec<u32>>, Abort> {
        let mut rows = Vec::new();
        if self.initial.is_none() {
            let states = self.initial_states(search)?;
            self.start_in(&states);
        }
        rows.extend(self.initial.iter().flatten().map(|it| vec![*it]));
        for number in 0..self.count {
            let options = self.control.start(search, runs, (number, self.count))?;
            rows = rows.iter().flat_map(|row| options.iter().map(|it| [&row[..], &[*it]].concat())).collect();
        }
        Ok(rows)
    }

    /// The initial states that are known.
    pub(super) fn starts(&self) -> Vec<Value> {
        let parts = self.steps.parts.borrow();
        let mut states: Vec<Value> = self.initial.iter().flatten().map(|it| parts.join(self.states.get(*it))).collect();
        states.sort();
        states
    }

    /// From now on, these are the initial states.
    pub(super) fn start_in(&mut self, states: &[Value]) {
        let rows = states.iter().map(|it| self.steps.parts.borrow_mut().split(it)).collect::<Vec<_>>();
        self.initial = Some(rows.into_iter().map(|it| self.states.intern(it)).collect());
    }

    /// Lists the initial states, in order.
    pub(super) fn initial_states(&mut self, search: &mut Search<'_, 'p>) -> Result<Vec<Value>, Abort> {
        let mut machine = fresh(search, &[], self.control.mentioned);
        let state = search.world.cells.root(Root::End(self.end.0), self.setting.state(self.end), Quantifier::Universal);
        machine.slots = Rc::new(vec![state, Value::Unit]);
        let script = [
            Action::Call { function: self.setting.code.init[self.end.0 as usize], arguments: vec![0], result: Some(1) },
            Action::When(1),
        ];
        let mut states = Vec::new();
        let before = std::mem::take(&mut search.world.cells.bounds_met);
        let searched = search.for_all(machine, &script, &mut |search, machine, end| {
            if end == End::Done {
                // Parts that the initial states leave open may have any value.
                states.extend(settled(search, machine, 0)?);
            }
            Ok(true)
        });
        self.bounds_of_start = std::mem::replace(&mut search.world.cells.bounds_met, before);
        search.world.cells.bounds_met.extend(self.bounds_of_start.iter().cloned());
        searched?;
        states.sort();
        states.dedup();
        Ok(states)
    }

    /// Lists the possible steps of a configuration, each once, and tells whether one, or a procedure, may fail.
    pub(super) fn expand(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        row: &[u32],
        edges: &mut Vec<Edge>,
    ) -> Result<bool, Abort> {
        edges.clear();
        let mut fails = false;
        for number in 0..self.count {
            let process = row[number as usize + 1];
            let Some(outcomes) = self.outcomes(search, events, row, number)? else {
                // A failure of the client is distinguished from one of the stack.
                fails |= matches!(&**self.control.processes.get(process), Process::Fails(it) if !it.of_client);
                self.show(search, events, (row[0], number, process), edges)?;
                continue;
            };
            fails |= self.steps.outcomes.get(outcomes).fails;
            for step in self.moves(search, process, outcomes)?.iter() {
                let state = self.after(row[0], step.writes);
                edges.push(Edge { process: number, events: step.events, state, next: step.next });
            }
        }
        if let Some(background) = self.background.clone() {
            let root = self.steps.root(background.clone());
            let outcomes = self.outcomes_from(search, events, row, (root, &background))?;
            let outcomes = Rc::clone(self.steps.outcomes.get(outcomes));
            fails |= outcomes.fails;
            for outcome in &outcomes.done {
                let state = self.after(row[0], outcome.writes);
                edges.push(Edge { process: self.count, events: outcome.events, state, next: 0 });
            }
        }
        edges.sort_unstable();
        edges.dedup();
        Ok(fails)
    }

    /// Shows the result of a call of a script, if that is the next action of a process.
    fn show(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        (state, number, process): (Id, u32, Id),
        edges: &mut Vec<Edge>,
    ) -> Result<(), Abort> {
        let Process::Shows { then, value } = &**self.control.processes.get(process) else { return Ok(()) };
        let (then, event) = (*then, Value::tuple(vec![Value::Str(Rc::from(RETURNED)), value.clone()]));
        let events = events.intern(vec![event]);
        let next = self.control.shown(search, then)?;
        edges.extend(next.into_iter().map(|next| Edge { process: number, events, state, next }));
        Ok(())
    }

    /// The possible outcomes of a process's step; `None` if it makes none.
    pub(super) fn outcomes(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        row: &[u32],
        number: u32,
    ) -> Result<Option<Id>, Abort> {
        let process = row[number as usize + 1];
        let index = (process * self.count + number) as usize;
        if self.roots.len() <= index {
            self.roots.resize(index + 1, 0);
        }
        let known = self.roots[index];
        if known != 0
            && let Some(outcomes) = self.known(row, known - 1)
        {
            return Ok(Some(outcomes));
        }
        let Process::Wants { operation, arguments, .. } = &**self.control.processes.get(process) else {
            return Ok(None);
        };
        let code = match self.background {
            Some(_) => self.setting.code.cores[self.end.0 as usize][*operation],
            None => self.setting.code.step(self.end, *operation),
        };
        let call = Call { code, process: Some(number), arguments: Rc::clone(arguments) };
        let root = self.steps.root(call.clone());
        self.roots[index] = root + 1;
        self.outcomes_from(search, events, row, (root, &call)).map(Some)
    }

    fn known(&mut self, row: &[u32], root: u32) -> Option<Id> {
        let System { steps, states, control, scalars, .. } = self;
        let state = states.get(row[0]);
        let mut atoms = || scalars.of(row, states, steps, control);
        steps.known(root, &mut From { row: state, atoms: &mut atoms, processes: control.mentioned })
    }

    fn outcomes_from(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        row: &[u32],
        (root, call): (u32, &Call),
    ) -> Result<Id, Abort> {
        if let Some(known) = self.known(row, root) {
            return Ok(known);
        }
        let state = Rc::clone(self.states.get(row[0]));
        let atoms = self.scalars.of(row, &self.states, &self.steps, &self.control);
        let mut atoms = || atoms.clone();
        let mut from = From { row: &state, atoms: &mut atoms, processes: self.control.mentioned };
        self.steps.run(search, events, (root, call), &mut from)
    }

    /// The continuations of a process after these outcomes of its step.
    pub(super) fn moves(
        &mut self,
        search: &mut Search<'_, 'p>,
        process: Id,
        outcomes: Id,
    ) -> Result<Rc<[Move]>, Abort> {
        if let Some(moves) = self.moves.get(&(process, outcomes)) {
            return Ok(Rc::clone(moves));
        }
        let found: Rc<Outcomes> = Rc::clone(self.steps.outcomes.get(outcomes));
        let mut moves = Vec::new();
        for outcome in &found.done {
            let result = Rc::clone(self.steps.parts.borrow().values.get(outcome.result));
            let next = self.control.advanced(search, process, (outcome.result, &result))?;
            let to = |next: &Id| Move {
                writes: outcome.writes,
                events: outcome.events,
                result: outcome.result,
                next: *next,
            };
            moves.extend(next.iter().map(to));
        }
        let moves: Rc<[Move]> = Rc::from(moves);
        self.moves.insert((process, outcomes), Rc::clone(&moves));
        Ok(moves)
    }

    /// The state after these writes.
    pub(super) fn after(&mut self, state: Id, writes: Id) -> Id {
        if writes == 0 {
            return state;
        }
        if let Some(after) = self.written.get(&(state, writes)) {
            return *after;
        }
        let mut row = (**self.states.get(state)).clone();
        self.steps.parts.borrow().write(&mut row, self.steps.writes.get(writes));
        let after = self.states.intern(row);
        self.written.insert((state, writes), after);
        after
    }

    /// The operation that a process is about to perform.
    pub(super) fn operation(&self, row: &[u32], process: u32) -> Option<usize> {
        let process = row.get(process as usize + 1).filter(|_| process < self.count)?;
        match &**self.control.processes.get(*process) {
            Process::Wants { operation, .. } => Some(*operation),
            _ => None,
        }
    }

    /// A result of the step. If several results lead to the same configuration, any of them.
    pub(super) fn result_of(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        row: &[u32],
        edge: &Edge,
    ) -> Result<Option<Value>, Abort> {
        if edge.process >= self.count {
            return Ok(None);
        }
        let Some(outcomes) = self.outcomes(search, events, row, edge.process)? else { return Ok(None) };
        for step in self.moves(search, row[edge.process as usize + 1], outcomes)?.iter() {
            if step.events == edge.events && step.next == edge.next && self.after(row[0], step.writes) == edge.state {
                return Ok(Some((**self.steps.parts.borrow().values.get(step.result)).clone()));
            }
        }
        Ok(None)
    }
}

impl Scalars {
    /// The number of scalars in a configuration, interned.
    fn of(
        &mut self,
        row: &[u32],
        states: &Interner<Vec<Id>>,
        steps: &Steps,
        control: &Control<'_, '_>,
    ) -> (Rc<Atoms>, Id) {
        let mut all = self.always.clone();
        let mut add = |more: &Knowledge| more.atoms.iter().for_each(|(sort, count)| all.mention(*sort, *count));
        add(self.of_states.entry(row[0]).or_insert_with(|| {
            let mut known = Knowledge::default();
            mention_atoms(&mut known, &steps.parts.borrow().join(states.get(row[0])));
            Rc::new(known)
        }));
        for process in &row[1..] {
            add(self.of_processes.entry(*process).or_insert_with(|| Rc::new(scalars_of(control, *process))));
        }
        let atoms: Rc<Atoms> = Rc::new(all.atoms.iter().map(|(sort, count)| (*sort, *count)).collect());
        let next = self.known.len() as Id;
        (Rc::clone(&atoms), *self.known.entry(atoms).or_insert(next))
    }
}

fn scalars_of(control: &Control<'_, '_>, process: Id) -> Knowledge {
    let mut known = Knowledge::default();
    match &**control.processes.get(process) {
        Process::Wants { then, frames, stack, key, arguments, .. } => {
            let locals = frames.iter().flat_map(|it| &it.locals);
            locals.chain(stack).chain([key]).chain(arguments.iter()).for_each(|it| mention_atoms(&mut known, it));
            then.iter().for_each(|it| control.mention_script(*it, &mut known));
        }
        Process::Shows { then, value } => {
            mention_atoms(&mut known, value);
            control.mention_script(*then, &mut known);
        }
        Process::Finished | Process::Fails(_) => {}
    }
    known
}

/// The values of a slot, with every unknown in it split into cases.
fn settled(search: &mut Search<'_, '_>, machine: Machine, slot: usize) -> Result<Vec<Value>, Abort> {
    let mut pending = vec![machine];
    let mut all = Vec::new();
    while let Some(machine) = pending.pop() {
        search.world.fuel = search.world.fuel.checked_sub(START_PRICE).ok_or(Abort::OutOfFuel)?;
        if search.stop.load(Ordering::Relaxed) {
            return Err(Abort::Stopped);
        }
        match machine.settle(search.world, &machine.slots[slot]) {
            Ok(value) => all.push(value),
            Err(need) => pending.extend(search.cases(machine, &need, true)),
        }
    }
    Ok(all)
}
