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
//! If the bottom fails, the top must be able to fail after the same events; once the top may have failed, everything is allowed.
//!
//! This uses none of the patterns, no facts, and no lazy states: it is how the patterns are checked. The search goes through pairs of a
//! configuration at the bottom and the set of configurations that the top may be in after the same events.

use std::{collections::VecDeque, rc::Rc};

use rustc_hash::FxHashMap;

use super::question::{Answered, Effort, Refutes, Setting};
use crate::{
    counterexample::{Counterexample, Datum, Run, Step, StepEnd},
    explore::{
        cells::{Knowledge, Numbers, Quantifier},
        machine::{Frame, Machine},
        order::Numbering,
        search::{Abort, Action, End, Search},
        show::Show,
        text::Piece,
        value::{Sort, Value},
    },
    ir::{Anchor, Client, Code as How, FunctionKind, Implementation, Justification, LayerId, Partition, PartitionEnd},
};

/// A run at the bottom that the top does not have.
pub struct UnmatchedTrace {
    /// The steps and events.
    pub counterexample: Counterexample<Anchor>,
}

/// The slot in which a process at work keeps the key of a partition. The first one is for what its client returns.
const KEY: usize = 1;

/// Index of an interned thing.
type Id = u32;

/// Gives equal things equal numbers.
struct Interner<T> {
    items: Vec<Rc<T>>,
    ids: FxHashMap<Rc<T>, Id>,
}

impl<T: std::hash::Hash + Eq> Interner<T> {
    fn new() -> Interner<T> {
        Interner { items: Vec::new(), ids: FxHashMap::default() }
    }

    fn intern(&mut self, item: T) -> Id {
        if let Some(id) = self.ids.get(&item) {
            return *id;
        }
        let (id, item) = (self.items.len() as Id, Rc::new(item));
        self.items.push(item.clone());
        self.ids.insert(item, id);
        id
    }

    fn get(&self, id: Id) -> Rc<T> {
        self.items[id as usize].clone()
    }
}

/// A process: finished, or about to perform a step of the layer at the end of the stack.
#[derive(PartialEq, Eq, Hash)]
enum Process {
    Finished,
    Wants {
        frames: Vec<Rc<Frame>>,
        stack: Vec<Value>,
        /// The key of a partition for which it is at work; unit if there is none.
        key: Value,
        operation: usize,
        arguments: Vec<Value>,
    },
}

/// All processes and the state.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Configuration {
    state: Id,
    processes: Vec<Id>,
}

/// A step of a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Edge {
    process: u32,
    /// Interned events; 0 is none.
    events: Id,
    to: Id,
}

/// What a configuration can do.
#[derive(Clone)]
struct Edges {
    edges: Rc<[Edge]>,
    /// Some step may fail.
    fails: bool,
}

/// The client over some part of the stack: all of it, or none.
struct System<'a> {
    /// Implementations between the client and the end, top to bottom.
    implementations: Vec<&'a Implementation>,
    top: LayerId,
    end: LayerId,
    configurations: Interner<Configuration>,
    states: Interner<Value>,
    processes: Interner<Process>,
    steps: FxHashMap<(Id, Id, u32), Rc<Outcomes>>,
    advances: FxHashMap<(Id, Value), Rc<[Id]>>,
    edges: FxHashMap<Id, Edges>,
}

/// What a step of one process from one state can give: the state, the result, and the events.
struct Outcomes {
    done: Vec<(Id, Value, Id)>,
    fails: bool,
}

/// Checks a client with so many processes. The flag tells whether in some run all of them finish, or something may fail.
pub fn check(setting: &Setting, client: &Client, processes: u32) -> (Answered<UnmatchedTrace>, Effort, bool) {
    let stack = &setting.program.stacks[client.stack as usize];
    let implementations: Vec<&Implementation> =
        stack.implementations.iter().map(|it| &setting.program.implementations[it.0 as usize]).collect();
    let (Some(first), Some(last)) = (implementations.first(), implementations.last()) else {
        return (Answered::GivenUp(Abort::Unsupported), Effort::default(), true);
    };
    let (top, bottom) = (first.upper, unrestricted(setting, last.lower));
    let entries: Vec<_> = (0..setting.code.functions.len()).collect();
    let (mut configurations, mut finishes) = (0, false);
    let (answered, mut effort) = setting.ask(&entries, None, |search| {
        if search.world.cells.numbers == Numbers::Atoms {
            return Err(Abort::NumbersNeeded);
        }
        search.world.cells.ordered_by_number = true;
        let mut product = Product {
            setting,
            events: Interner::new(),
            low: System::new(implementations.clone(), top, bottom),
            high: System::new(Vec::new(), top, top),
            finishes: false,
        };
        product.events.intern(Vec::new());
        let found = product.search(search, client, processes);
        configurations = product.visited(search);
        finishes |= product.finishes;
        found
    });
    effort.states = configurations;
    // Concrete integers are not a bound here: those of a run are what they are.
    effort.bounds_met.retain(|bound| !bound.starts_with("int") && !bound.starts_with("Pid"));
    effort.bounds_met.insert(format!("{processes} processes"));
    (answered, effort, finishes)
}

fn unrestricted(setting: &Setting, layer: LayerId) -> LayerId {
    setting.program.layers[layer.0 as usize].protocol.as_ref().map_or(layer, |it| it.raw)
}

struct Product<'a, 'p> {
    setting: &'a Setting<'p>,
    events: Interner<Vec<Value>>,
    low: System<'a>,
    high: System<'a>,
    /// At the bottom, all processes have finished; or a failure was matched, after which nothing is followed.
    finishes: bool,
}

/// How the search came to a pair.
struct Reached {
    low: Id,
    high: Id,
    from: usize,
    process: u32,
    events: Id,
}

impl<'a, 'p> Product<'a, 'p> {
    fn visited(&self, search: &Search<'_, 'p>) -> u64 {
        search.world.paths.min(1) + self.low.configurations.items.len() as u64
    }

    fn search(
        &mut self,
        search: &mut Search<'_, 'p>,
        client: &Client,
        count: u32,
    ) -> Result<Option<UnmatchedTrace>, Abort> {
        let mut sets: Interner<Vec<Id>> = Interner::new();
        let mut posts: FxHashMap<(Id, u32, Id), Id> = FxHashMap::default();
        let mut may_fail: FxHashMap<Id, bool> = FxHashMap::default();
        let high = self.high.start(self.setting, search, client, count)?;
        let high = self.closed(search, high)?;
        let high = sets.intern(high);
        let mut seen: rustc_hash::FxHashSet<(Id, Id)> = Default::default();
        let mut reached: Vec<Reached> = Vec::new();
        let mut pending = VecDeque::new();
        for low in self.low.start(self.setting, search, client, count)? {
            if seen.insert((low, high)) {
                reached.push(Reached { low, high, from: usize::MAX, process: 0, events: 0 });
                pending.push_back(reached.len() - 1);
            }
        }
        while let Some(at) = pending.pop_front() {
            if search.stop.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(Abort::Stopped);
            }
            let (low, high) = (reached[at].low, reached[at].high);
            search.world.fuel = search.world.fuel.checked_sub(1).ok_or(Abort::OutOfFuel)?;
            let edges = self.low.edges(self.setting, search, &mut self.events, low)?;
            let may_have_failed = match may_fail.get(&high) {
                Some(known) => *known,
                None => self.may_fail(search, &sets.get(high))?,
            };
            may_fail.insert(high, may_have_failed);
            self.finishes |= may_have_failed || self.low.is_finished(low);
            if may_have_failed {
                continue;
            }
            if edges.fails {
                return Ok(Some(self.told(
                    search,
                    &reached,
                    at,
                    "and then a step at the bottom fails, which the top cannot",
                )));
            }
            for edge in edges.edges.iter() {
                let next = if edge.events == 0 {
                    high
                } else if let Some(next) = posts.get(&(high, edge.process, edge.events)) {
                    *next
                } else {
                    let next = self.after(search, &sets.get(high), edge.process, edge.events)?;
                    let next = sets.intern(next);
                    posts.insert((high, edge.process, edge.events), next);
                    next
                };
                if !seen.insert((edge.to, next)) {
                    continue;
                }
                reached.push(Reached {
                    low: edge.to,
                    high: next,
                    from: at,
                    process: edge.process,
                    events: edge.events,
                });
                if sets.get(next).is_empty() {
                    let last = reached.len() - 1;
                    return Ok(Some(self.told(search, &reached, last, "the last event is not possible at the top")));
                }
                pending.push_back(reached.len() - 1);
            }
        }
        Ok(None)
    }

    /// The configurations that the top may be in after silent steps from these.
    fn closed(&mut self, search: &mut Search<'_, 'p>, mut set: Vec<Id>) -> Result<Vec<Id>, Abort> {
        let mut seen: rustc_hash::FxHashSet<Id> = set.iter().copied().collect();
        let mut at = 0;
        while at < set.len() {
            let edges = self.high.edges(self.setting, search, &mut self.events, set[at])?;
            set.extend(edges.edges.iter().filter(|it| it.events == 0 && seen.insert(it.to)).map(|it| it.to));
            at += 1;
        }
        set.sort_unstable();
        Ok(set)
    }

    fn after(&mut self, search: &mut Search<'_, 'p>, set: &[Id], process: u32, events: Id) -> Result<Vec<Id>, Abort> {
        let mut next = Vec::new();
        for configuration in set {
            let edges = self.high.edges(self.setting, search, &mut self.events, *configuration)?;
            next.extend(edges.edges.iter().filter(|it| it.process == process && it.events == events).map(|it| it.to));
        }
        next.sort_unstable();
        next.dedup();
        self.closed(search, next)
    }

    fn may_fail(&mut self, search: &mut Search<'_, 'p>, set: &[Id]) -> Result<bool, Abort> {
        for configuration in set {
            if self.high.edges(self.setting, search, &mut self.events, *configuration)?.fails {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn told(&self, search: &Search<'_, 'p>, reached: &[Reached], last: usize, conclusion: &str) -> UnmatchedTrace {
        let mut path = Vec::new();
        let mut at = last;
        while at != usize::MAX {
            path.push(&reached[at]);
            at = reached[at].from;
        }
        path.reverse();
        let as_they_are = Numbering::new();
        let show = Show { cells: &search.world.cells, numbering: &as_they_are };
        let layer = &self.setting.program.layers[self.low.end.0 as usize];
        let state = |reached: &Reached| {
            let state = self.low.states.get(self.low.configurations.get(reached.low).state);
            show.datum(&state, &layer.state)
        };
        let steps = path.windows(2).filter_map(|pair| self.step_told(&show, pair[0], pair[1], state(pair[1])));
        let run = Run {
            title: "at the bottom".to_owned(),
            layer: layer.name.clone(),
            from: path.first().map_or(Datum::Opaque, |it| state(it)),
            steps: steps.collect(),
        };
        let counterexample = Counterexample { values: Vec::new(), runs: vec![run], conclusion: conclusion.to_owned() };
        UnmatchedTrace { counterexample }
    }

    /// The step of a process between two pairs. What it returned can be one of several things, which the trace does not tell apart.
    fn step_told(&self, show: &Show<'_, '_>, before: &Reached, after: &Reached, state: Datum) -> Option<Step<Anchor>> {
        let end = self.low.end;
        let from = self.low.configurations.get(before.low);
        let to = self.low.configurations.get(after.low);
        let process = from.processes[after.process as usize];
        let wanted = self.low.processes.get(process);
        let Process::Wants { operation, arguments, .. } = &*wanted else { return None };
        let outcomes = self.low.steps.get(&(from.state, process, after.process))?;
        let leads_there = |(state, result, events): &&(Id, Value, Id)| {
            let next = self.low.advances.get(&(process, result.clone()));
            let goes_on = next.is_some_and(|it| it.contains(&to.processes[after.process as usize]));
            *state == to.state && *events == after.events && goes_on
        };
        let (_, result, events) = outcomes.done.iter().find(leads_there)?;
        let types = self.setting.arguments(end, *operation);
        Some(Step {
            process: Some(Datum::Pid(after.process)),
            operation: self.setting.program.layers[end.0 as usize].operations[*operation].name.clone(),
            arguments: arguments.iter().zip(&types).map(|(it, ty)| show.datum(it, ty)).collect(),
            end: StepEnd::Returns(show.datum(result, self.setting.result(end, *operation))),
            events: self.events.get(*events).iter().map(|it| show.untyped(it)).collect(),
            choices: Vec::new(),
            after: Some(state),
            mismatch: None,
            place: Some(Anchor::Operation(end, *operation)),
        })
    }
}

impl<'a> System<'a> {
    fn is_finished(&self, configuration: Id) -> bool {
        let all = &self.configurations.get(configuration).processes;
        all.iter().all(|it| *self.processes.get(*it) == Process::Finished)
    }

    fn new(implementations: Vec<&'a Implementation>, top: LayerId, end: LayerId) -> System<'a> {
        System {
            implementations,
            top,
            end,
            configurations: Interner::new(),
            states: Interner::new(),
            processes: Interner::new(),
            steps: FxHashMap::default(),
            advances: FxHashMap::default(),
            edges: FxHashMap::default(),
        }
    }

    /// The initial configurations.
    fn start<'p>(
        &mut self,
        setting: &Setting<'p>,
        search: &mut Search<'_, 'p>,
        client: &Client,
        count: u32,
    ) -> Result<Vec<Id>, Abort> {
        let mut processes = Vec::new();
        for number in 0..count {
            let mut machine = self.fresh(search, &[], count);
            machine.call(
                search.world.code,
                setting.code.function(client.function),
                vec![Value::Int(i64::from(number))],
            );
            machine.slots = Rc::new(vec![Value::Unit; KEY + 1]);
            processes.push(self.run_to_step(setting, search, machine)?);
        }
        let states = self.initial_states(setting, search, count)?;
        let mut configurations = Vec::new();
        for state in states {
            let mut rows: Vec<Vec<Id>> = vec![Vec::new()];
            for options in &processes {
                rows = rows.iter().flat_map(|row| options.iter().map(|it| [&row[..], &[*it]].concat())).collect();
            }
            configurations.extend(
                rows.into_iter().map(|processes| self.configurations.intern(Configuration { state, processes })),
            );
        }
        Ok(configurations)
    }

    fn initial_states<'p>(
        &mut self,
        setting: &Setting<'p>,
        search: &mut Search<'_, 'p>,
        count: u32,
    ) -> Result<Vec<Id>, Abort> {
        let mut machine = self.fresh(search, &[], count);
        let state = search.world.cells.root(self.end.0, setting.state(self.end), Quantifier::Universal);
        machine.slots = Rc::new(vec![state, Value::Unit]);
        let script = [
            Action::Call { function: setting.code.init[self.end.0 as usize], arguments: vec![0], result: Some(1) },
            Action::When(1),
        ];
        let mut states = Vec::new();
        search.for_all(machine, &script, &mut |search, machine, end| {
            if end == End::Done {
                // What the initial states leave open may be anything.
                states.extend(settled(search, machine, [0])?);
            }
            Ok(true)
        })?;
        states.sort();
        states.dedup();
        Ok(states.into_iter().map(|[it]| self.states.intern(it)).collect())
    }

    /// A machine that knows the processes and all atoms in these values.
    fn fresh(&self, search: &Search, values: &[&Value], count: u32) -> Machine {
        let mut known = search.world.cells.start();
        known.mention(Sort::Pid, known.mentioned(Sort::Pid) + count);
        for value in values {
            mention_atoms(&mut known, value);
        }
        Machine::new(known, Quantifier::Universal)
    }

    /// Runs a process up to its next steps at the end of the stack.
    fn run_to_step<'p>(
        &mut self,
        setting: &Setting<'p>,
        search: &mut Search<'_, 'p>,
        machine: Machine,
    ) -> Result<Vec<Id>, Abort> {
        let mut reached = Vec::new();
        let mut pending = vec![machine];
        // What the machine finishes is the client; it has no slots to fill.
        let script = [Action::Call { function: 0, arguments: vec![], result: None }];
        while let Some(mut machine) = pending.pop() {
            machine.turns = 0;
            search.pausing = true;
            let mut stops = Vec::new();
            let ran = search.for_all(machine, &script, &mut |_, machine, end| {
                stops.push((machine, end));
                Ok(true)
            });
            search.pausing = false;
            ran?;
            for (machine, end) in stops {
                match end {
                    End::Done => reached.push(self.processes.intern(Process::Finished)),
                    End::Turn => pending.push(machine),
                    End::Wants(name, arguments) => match self.descend(setting, search, machine, &name, arguments)? {
                        Descent::Procedure(machine) => pending.push(*machine),
                        Descent::Step(process) => reached.push(self.processes.intern(process)),
                    },
                    // A client or procedure that fails by itself does so at the top as well: not what this search is about.
                    End::Failed(_) | End::Panicked(..) | End::Stepped => return Err(Abort::Unsupported),
                }
            }
        }
        reached.sort_unstable();
        reached.dedup();
        Ok(reached)
    }

    /// Follows a call down the stack: to a procedure, or to a step at the end.
    fn descend<'p>(
        &mut self,
        setting: &Setting<'p>,
        search: &mut Search<'_, 'p>,
        mut machine: Machine,
        name: &str,
        mut arguments: Vec<Value>,
    ) -> Result<Descent, Abort> {
        let mut name = name.to_owned();
        let mut level = self.level(setting, search, &machine).ok_or(Abort::Unsupported)?;
        while let Some(implementation) = self.implementations.get(level) {
            level += 1;
            let code = match &implementation.by {
                Justification::Abstraction(_) => continue,
                Justification::Movers(code) | Justification::Retry(code) => code,
                Justification::Partition(partition) if partition.check.as_ref() == Some(&name) => {
                    // Layers for one key know nothing of other keys: the other end answers.
                    (level, name) = self.other_end(level).ok_or(Abort::Unsupported)?;
                    continue;
                }
                Justification::Partition(partition) => {
                    match &partition.end {
                        PartitionEnd::Bottom { .. } => {
                            let takes_key = matches!(partition.code.get(&name), Some(How::Procedure(_)));
                            if takes_key {
                                arguments.insert(0, machine.slots[KEY].clone());
                            }
                        }
                        PartitionEnd::Top { .. } => {
                            let takes_key = self.takes_key(setting, implementation, partition, &name)?;
                            machine.set(KEY, if takes_key { arguments.remove(0) } else { Value::Unit });
                        }
                    }
                    &partition.code
                }
            };
            match code.get(&name).ok_or(Abort::Unsupported)? {
                How::Pass => {}
                How::Procedure(function) => {
                    machine.call(search.world.code, setting.code.function(*function), arguments);
                    return Ok(Descent::Procedure(Box::new(machine)));
                }
            }
        }
        let operations = &setting.program.layers[self.end.0 as usize].operations;
        let operation = operations.iter().position(|it| it.name == name).ok_or(Abort::Unsupported)?;
        let arguments = arguments
            .iter()
            .map(|it| machine.force_all(search.world, it).map_err(|_| Abort::Unsupported))
            .collect::<Result<Vec<_>, _>>()?;
        machine.forget_choices(search.world);
        let key = machine.slots[KEY].clone();
        let key = machine.force_all(search.world, &key).map_err(|_| Abort::Unsupported)?;
        Ok(Descent::Step(Process::Wants { frames: machine.frames, stack: machine.stack, key, operation, arguments }))
    }

    /// Below the lower end of the partition that is open at a level, and the name of the check there.
    fn other_end(&self, level: usize) -> Option<(usize, String)> {
        let below = self.implementations.iter().enumerate().skip(level);
        below.into_iter().find_map(|(index, it)| match &it.by {
            Justification::Partition(partition) => Some((index + 1, partition.check.clone()?)),
            _ => None,
        })
    }

    /// Whether an operation at the upper end of a partition takes the key first.
    fn takes_key(
        &self,
        setting: &Setting,
        implementation: &Implementation,
        partition: &Partition,
        name: &str,
    ) -> Result<bool, Abort> {
        let operations = &setting.program.layers[implementation.upper.0 as usize].operations;
        let operation = operations.iter().find(|it| it.name == name).ok_or(Abort::Unsupported)?;
        Ok(partition.is_keyed(&setting.program.functions[operation.function.0 as usize]))
    }

    /// How far down the stack the innermost procedure of a machine stands.
    fn level(&self, setting: &Setting, search: &Search, machine: &Machine) -> Option<usize> {
        let code = machine.frames.last()?.code;
        let function = search.world.code.functions[code].source?;
        let FunctionKind::Procedure(lower) = setting.program.functions[function.0 as usize].kind else { return None };
        if lower == self.top {
            return Some(0);
        }
        self.implementations.iter().position(|it| it.lower == lower).map(|it| it + 1)
    }

    /// The steps that a configuration can make.
    fn edges<'p>(
        &mut self,
        setting: &Setting<'p>,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        id: Id,
    ) -> Result<Edges, Abort> {
        if let Some(edges) = self.edges.get(&id) {
            return Ok(edges.clone());
        }
        let configuration = self.configurations.get(id);
        let mut edges = Vec::new();
        let mut fails = false;
        for (number, process) in configuration.processes.iter().enumerate() {
            let outcomes = self.outcomes(
                setting,
                search,
                events,
                configuration.state,
                *process,
                number as u32,
                configuration.processes.len(),
            )?;
            fails |= outcomes.fails;
            for (state, result, event) in &outcomes.done {
                for next in self.advanced(setting, search, *process, result, configuration.processes.len())?.iter() {
                    let mut processes = configuration.processes.clone();
                    processes[number] = *next;
                    let to = self.configurations.intern(Configuration { state: *state, processes });
                    edges.push(Edge { process: number as u32, events: *event, to });
                }
            }
        }
        edges.sort_unstable();
        edges.dedup();
        let edges = Edges { edges: Rc::from(edges), fails };
        self.edges.insert(id, edges.clone());
        Ok(edges)
    }

    #[expect(clippy::too_many_arguments, reason = "the key of a cache, spelled out")]
    fn outcomes<'p>(
        &mut self,
        setting: &Setting<'p>,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        state: Id,
        process: Id,
        number: u32,
        count: usize,
    ) -> Result<Rc<Outcomes>, Abort> {
        if let Some(outcomes) = self.steps.get(&(state, process, number)) {
            return Ok(outcomes.clone());
        }
        let mut outcomes = Outcomes { done: Vec::new(), fails: false };
        if let Process::Wants { operation, arguments, .. } = &*self.processes.get(process) {
            let before = self.states.get(state);
            let mut values: Vec<&Value> = vec![&before];
            values.extend(arguments);
            let mut machine = self.fresh(search, &values, count as u32);
            let literals = search.world.cells.start().mentioned(Sort::Pid);
            machine.slots = Rc::new(vec![(*before).clone(), Value::Atom(Sort::Pid, literals + number)]);
            Rc::make_mut(&mut machine.slots).extend(arguments.iter().cloned());
            let result = machine.slots.len();
            Rc::make_mut(&mut machine.slots).extend([Value::Unit, Value::Unit]);
            let step = setting.code.step(self.end, *operation);
            let script = [
                Action::Call { function: step, arguments: (0..result).collect(), result: Some(result) },
                Action::TakeEvents(result + 1),
            ];
            let mut done = Vec::new();
            search.for_all(machine, &script, &mut |search, machine, end| {
                match end {
                    End::Done => done.extend(settled(search, machine, [0, result, result + 1])?),
                    // A panic is a failure of the bottom like any other; that it panics is reported where it is the question.
                    _ => outcomes.fails = true,
                }
                Ok(true)
            })?;
            done.sort();
            done.dedup();
            outcomes.done = done
                .into_iter()
                .map(|[state, result, events_now]| {
                    let all = if let Value::Seq(all) = events_now { all.to_vec() } else { Vec::new() };
                    (self.states.intern(state), result, events.intern(all))
                })
                .collect();
        }
        let outcomes = Rc::new(outcomes);
        self.steps.insert((state, process, number), outcomes.clone());
        Ok(outcomes)
    }

    /// Where a process goes on after its step gave this result.
    fn advanced<'p>(
        &mut self,
        setting: &Setting<'p>,
        search: &mut Search<'_, 'p>,
        process: Id,
        result: &Value,
        count: usize,
    ) -> Result<Rc<[Id]>, Abort> {
        if let Some(next) = self.advances.get(&(process, result.clone())) {
            return Ok(next.clone());
        }
        let mut next = Vec::new();
        if let Process::Wants { frames, stack, key, .. } = &*self.processes.get(process) {
            let mut values: Vec<&Value> = stack.iter().collect();
            values.extend(frames.iter().flat_map(|it| &it.locals));
            values.extend([result, key]);
            let mut machine = self.fresh(search, &values, count as u32);
            machine.frames = frames.clone();
            machine.slots = Rc::new(vec![Value::Unit, key.clone()]);
            machine.stack = stack.clone();
            machine.push(result.clone());
            next = self.run_to_step(setting, search, machine)?;
        }
        let next: Rc<[Id]> = Rc::from(next);
        self.advances.insert((process, result.clone()), next.clone());
        Ok(next)
    }
}

enum Descent {
    Procedure(Box<Machine>),
    Step(Process),
}

/// The values in these slots with everything unknown in them split into cases.
fn settled<const N: usize>(
    search: &mut Search<'_, '_>,
    machine: Machine,
    slots: [usize; N],
) -> Result<Vec<[Value; N]>, Abort> {
    let mut pending = vec![machine];
    let mut all = Vec::new();
    'machines: while let Some(machine) = pending.pop() {
        let mut values = Vec::new();
        for slot in slots {
            match machine.settle(search.world, &machine.slots[slot]) {
                Ok(value) => values.push(value),
                Err(need) => {
                    for known in search.world.cells.split(&need, &machine.known, true) {
                        pending.push(Machine { known, ..machine.clone() });
                    }
                    continue 'machines;
                }
            }
        }
        if let Ok(values) = <[Value; N]>::try_from(values) {
            all.push(values);
        }
    }
    Ok(all)
}

fn mention_atoms(known: &mut Knowledge, value: &Value) {
    match value {
        Value::Atom(sort, number) => known.mention(*sort, number + 1),
        Value::Tuple(fields) | Value::Variant(_, fields) => fields.iter().for_each(|it| mention_atoms(known, it)),
        Value::Seq(elements) => elements.iter().for_each(|it| mention_atoms(known, it)),
        Value::Text(pieces) => pieces.iter().for_each(|piece| match piece {
            Piece::Literal(_) => {}
            Piece::Decimal(sort, number) => known.mention(*sort, number + 1),
            Piece::Other(number) => known.mention(Sort::Str, number + 1),
        }),
        Value::Map(map) => {
            for (key, entry) in map.over.iter() {
                mention_atoms(known, key);
                entry.iter().for_each(|it| mention_atoms(known, it));
            }
        }
        _ => {}
    }
}

impl Refutes for UnmatchedTrace {
    fn is_confirmed(&self) -> bool {
        // The search is on concrete states.
        true
    }
}
