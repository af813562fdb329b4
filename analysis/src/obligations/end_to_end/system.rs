//! A client over some part of a stack, as a graph: configurations of processes and a state, and the steps between them.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use rustc_hash::FxHashMap;

use crate::{
    explore::{
        cells::{Knowledge, Quantifier},
        machine::{Frame, Machine, Site},
        search::{Abort, Action, End, Search},
        text::Piece,
        value::{Sort, Value},
    },
    ir::{
        Client, Code as How, FunctionId, FunctionKind, Implementation, Justification, LayerId, Literal, Partition,
        PartitionEnd, Type,
    },
    obligations::question::Setting,
};

/// From here up the numbers of processes that code names are made smaller.
const GREAT: u64 = 1_000;

/// The slot in which a process at work keeps the key of a partition. The first one is for what its client returns.
const KEY: usize = 1;

/// Index of an interned thing.
pub(super) type Id = u32;

/// Gives equal things equal numbers.
pub(super) struct Interner<T> {
    items: Vec<Rc<T>>,
    ids: FxHashMap<Rc<T>, Id>,
}

impl<T: std::hash::Hash + Eq> Interner<T> {
    pub(super) fn new() -> Interner<T> {
        Interner { items: Vec::new(), ids: FxHashMap::default() }
    }

    pub(super) fn intern(&mut self, item: T) -> Id {
        if let Some(id) = self.ids.get(&item) {
            return *id;
        }
        let (id, item) = (self.items.len() as Id, Rc::new(item));
        self.items.push(item.clone());
        self.ids.insert(item, id);
        id
    }

    pub(super) fn get(&self, id: Id) -> Rc<T> {
        self.items[id as usize].clone()
    }
}

/// A process: finished, about to fail, or about to perform a step of the layer at the end of the stack.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Process {
    Finished,
    /// By code of its own: no step of the layer at the end fails.
    Fails(OwnFailure),
    Wants {
        frames: Vec<Rc<Frame>>,
        stack: Vec<Value>,
        /// The key of a partition for which it is at work; unit if there is none.
        key: Value,
        operation: usize,
        arguments: Vec<Value>,
    },
}

/// A failure that is no step: an assertion that does not hold, or a panic, in the client or in a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnFailure {
    /// Where.
    pub site: Site,
    /// Why it panics; none if an assertion fails.
    pub panic: Option<&'static str>,
    /// The client, or the procedure.
    pub function: FunctionId,
    /// It is the client's.
    pub of_client: bool,
}

/// All processes and the state.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Configuration {
    pub(super) state: Id,
    pub(super) processes: Vec<Id>,
}

/// A step of a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) process: u32,
    /// Interned events; 0 is none.
    pub(super) events: Id,
    pub(super) to: Id,
}

impl Edge {
    /// Emits nothing.
    pub(super) fn is_silent(&self) -> bool {
        self.events == 0
    }
}

/// What a configuration can do.
#[derive(Clone)]
pub(super) struct Edges {
    pub(super) edges: Rc<[Edge]>,
    /// Some step, or a procedure of the stack, may fail.
    pub(super) fails: bool,
    /// Some client fails by code of its own.
    pub(super) client_fails: bool,
}

/// The client over some part of the stack: all of it, or none.
pub(super) struct System<'a, 'p> {
    pub(super) setting: &'a Setting<'p>,
    /// Implementations between the client and the end, top to bottom.
    implementations: Vec<&'a Implementation>,
    top: LayerId,
    pub(super) end: LayerId,
    pub(super) configurations: Interner<Configuration>,
    pub(super) states: Interner<Value>,
    pub(super) processes: Interner<Process>,
    pub(super) steps: FxHashMap<(Id, Id, u32), Rc<Outcomes>>,
    pub(super) advances: FxHashMap<(Id, Value), Rc<[Id]>>,
    edges: FxHashMap<Id, Edges>,
    /// Processes with smaller numbers than this one have been mentioned by the code.
    named: u32,
    /// Bounds that the search for initial states has met: there may be more of them.
    pub(super) bounds_of_start: BTreeSet<String>,
}

/// What a step of one process from one state can give: the state, the result, and the events.
pub(super) struct Outcomes {
    pub(super) done: Vec<(Id, Value, Id)>,
    pub(super) fails: bool,
}

impl<'a, 'p> System<'a, 'p> {
    /// How many configurations have been visited.
    pub(super) fn visited(&self) -> usize {
        self.configurations.items.len()
    }

    pub(super) fn is_finished(&self, configuration: Id) -> bool {
        let all = &self.configurations.get(configuration).processes;
        all.iter().all(|it| *self.processes.get(*it) == Process::Finished)
    }

    pub(super) fn new(
        setting: &'a Setting<'p>,
        implementations: Vec<&'a Implementation>,
        top: LayerId,
        end: LayerId,
    ) -> System<'a, 'p> {
        System {
            setting,
            implementations,
            top,
            end,
            configurations: Interner::new(),
            states: Interner::new(),
            processes: Interner::new(),
            steps: FxHashMap::default(),
            advances: FxHashMap::default(),
            edges: FxHashMap::default(),
            named: named_processes(setting).values().max().map_or(0, |it| it + 1),
            bounds_of_start: BTreeSet::new(),
        }
    }

    /// The initial configurations.
    pub(super) fn start(&mut self, search: &mut Search<'_, 'p>, client: &Client, count: u32) -> Result<Vec<Id>, Abort> {
        let mut processes = Vec::new();
        for number in 0..count {
            let mut machine = self.fresh(search, &[], count);
            machine.call(search.world.code, self.setting.code.function(client.function), vec![Value::int(number)]);
            machine.slots = Rc::new(vec![Value::Unit; KEY + 1]);
            processes.push(self.run_to_step(search, machine)?);
        }
        let states = self.initial_states(search, count)?;
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

    fn initial_states(&mut self, search: &mut Search<'_, 'p>, count: u32) -> Result<Vec<Id>, Abort> {
        let mut machine = self.fresh(search, &[], count);
        let state = search.world.cells.root(self.end.0, self.setting.state(self.end), Quantifier::Universal);
        machine.slots = Rc::new(vec![state, Value::Unit]);
        let script = [
            Action::Call { function: self.setting.code.init[self.end.0 as usize], arguments: vec![0], result: Some(1) },
            Action::When(1),
        ];
        let mut states = Vec::new();
        let before = std::mem::take(&mut search.world.cells.bounds_met);
        let searched = search.for_all(machine, &script, &mut |search, machine, end| {
            if end == End::Done {
                // What the initial states leave open may be anything.
                states.extend(settled(search, machine, [0])?);
            }
            Ok(true)
        });
        self.bounds_of_start = std::mem::replace(&mut search.world.cells.bounds_met, before);
        search.world.cells.bounds_met.extend(self.bounds_of_start.iter().cloned());
        searched?;
        states.sort();
        states.dedup();
        Ok(states.into_iter().map(|[it]| self.states.intern(it)).collect())
    }

    /// A machine that knows the processes and all atoms in these values.
    fn fresh(&self, search: &Search, values: &[&Value], count: u32) -> Machine {
        let mut known = search.world.cells.start();
        known.mention(Sort::Pid, (known.mentioned(Sort::Pid) + count).max(self.named));
        for value in values {
            mention_atoms(&mut known, value);
        }
        Machine::new(known, Quantifier::Universal)
    }

    /// Runs a process up to its next steps at the end of the stack.
    fn run_to_step(&mut self, search: &mut Search<'_, 'p>, machine: Machine) -> Result<Vec<Id>, Abort> {
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
                    End::Wants(name, arguments) => match self.descend(search, machine, &name, arguments)? {
                        Descent::Procedure(machine) => pending.push(*machine),
                        Descent::Step(process) => reached.push(self.processes.intern(process)),
                    },
                    End::Failed(site) => reached.push(self.fails(search, &machine, site, None)?),
                    End::Panicked(site, why) => reached.push(self.fails(search, &machine, site, Some(why))?),
                    End::Stepped => return Err(Abort::Unsupported),
                }
            }
        }
        reached.sort_unstable();
        reached.dedup();
        Ok(reached)
    }

    /// A process that fails by code of its own: that of the client, or of a procedure.
    fn fails(
        &mut self,
        search: &Search<'_, 'p>,
        machine: &Machine,
        site: Site,
        panic: Option<&'static str>,
    ) -> Result<Id, Abort> {
        let procedure = machine.frames.iter().rev().find_map(|it| {
            let function = search.world.code.functions[it.code].source?;
            let kind = &self.setting.program.functions[function.0 as usize].kind;
            matches!(kind, FunctionKind::Procedure(_)).then_some((function, self.level_of(function)?))
        });
        let (function, level) = procedure.ok_or(Abort::Unsupported)?;
        let failure = OwnFailure { site, panic, function, of_client: level == 0 };
        Ok(self.processes.intern(Process::Fails(failure)))
    }

    /// Follows a call down the stack: to a procedure, or to a step at the end.
    fn descend(
        &mut self,
        search: &mut Search<'_, 'p>,
        mut machine: Machine,
        name: &str,
        mut arguments: Vec<Value>,
    ) -> Result<Descent, Abort> {
        let mut name = name.to_owned();
        let mut level = self.level(search, &machine).ok_or(Abort::Unsupported)?;
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
                            let takes_key = self.takes_key(implementation, partition, &name)?;
                            machine.set(KEY, if takes_key { arguments.remove(0) } else { Value::Unit });
                        }
                    }
                    &partition.code
                }
            };
            match code.get(&name).ok_or(Abort::Unsupported)? {
                How::Pass => {}
                How::Procedure(function) => {
                    machine.call(search.world.code, self.setting.code.function(*function), arguments);
                    return Ok(Descent::Procedure(Box::new(machine)));
                }
            }
        }
        let operations = &self.setting.program.layers[self.end.0 as usize].operations;
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
    fn takes_key(&self, implementation: &Implementation, partition: &Partition, name: &str) -> Result<bool, Abort> {
        let operations = &self.setting.program.layers[implementation.upper.0 as usize].operations;
        let operation = operations.iter().find(|it| it.name == name).ok_or(Abort::Unsupported)?;
        Ok(partition.is_keyed(&self.setting.program.functions[operation.function.0 as usize]))
    }

    /// How far down the stack the innermost procedure of a machine stands.
    fn level(&self, search: &Search, machine: &Machine) -> Option<usize> {
        let code = machine.frames.last()?.code;
        self.level_of(search.world.code.functions[code].source?)
    }

    /// How far down the stack a procedure stands; the client stands above it.
    fn level_of(&self, function: FunctionId) -> Option<usize> {
        let FunctionKind::Procedure(lower) = self.setting.program.functions[function.0 as usize].kind else {
            return None;
        };
        if lower == self.top {
            return Some(0);
        }
        self.implementations.iter().position(|it| it.lower == lower).map(|it| it + 1)
    }

    /// The steps that a configuration can make.
    pub(super) fn edges(
        &mut self,
        search: &mut Search<'_, 'p>,
        events: &mut Interner<Vec<Value>>,
        id: Id,
    ) -> Result<Edges, Abort> {
        if let Some(edges) = self.edges.get(&id) {
            return Ok(edges.clone());
        }
        let configuration = self.configurations.get(id);
        let mut edges = Vec::new();
        let (mut fails, mut client_fails) = (false, false);
        for (number, process) in configuration.processes.iter().enumerate() {
            let outcomes = self.outcomes(
                search,
                events,
                configuration.state,
                *process,
                number as u32,
                configuration.processes.len(),
            )?;
            fails |= outcomes.fails;
            if let Process::Fails(failure) = &*self.processes.get(*process) {
                fails |= !failure.of_client;
                client_fails |= failure.of_client;
            }
            for (state, result, event) in &outcomes.done {
                for next in self.advanced(search, *process, result, configuration.processes.len())?.iter() {
                    let mut processes = configuration.processes.clone();
                    processes[number] = *next;
                    let to = self.configurations.intern(Configuration { state: *state, processes });
                    edges.push(Edge { process: number as u32, events: *event, to });
                }
            }
        }
        edges.sort_unstable();
        edges.dedup();
        let edges = Edges { edges: Rc::from(edges), fails, client_fails };
        self.edges.insert(id, edges.clone());
        Ok(edges)
    }

    fn outcomes(
        &mut self,
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
            let step = self.setting.code.step(self.end, *operation);
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
    fn advanced(
        &mut self,
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
            next = self.run_to_step(search, machine)?;
        }
        let next: Rc<[Id]> = Rc::from(next);
        self.advances.insert((process, result.clone()), next.clone());
        Ok(next)
    }
}

/// The processes that the code names, by literal. They are those with these numbers; great numbers are made smaller, in their order.
pub(super) fn named_processes(setting: &Setting) -> BTreeMap<usize, u32> {
    let number = |literal: &Literal| match literal {
        Literal::Scalar(Type::Pid, text) => text.parse::<u64>().ok(),
        _ => None,
    };
    let literals = || setting.code.literals.iter().enumerate().filter_map(|(index, it)| Some((index, number(it)?)));
    let great: BTreeSet<u64> = literals().map(|it| it.1).filter(|it| *it >= GREAT).collect();
    let atom = |number: u64| match great.iter().position(|it| *it == number) {
        Some(position) => GREAT as u32 + position as u32,
        None => number as u32,
    };
    literals().map(|(index, number)| (index, atom(number))).collect()
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
