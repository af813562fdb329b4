//! Processes: runs the code of a client and of the procedures below it, from one step at the end of the stack to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use rustc_hash::FxHashMap;

use super::{
    intern::{Id, Interner},
    symmetry::may_be_symmetric,
};
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

/// Process numbers in the code from this one on are replaced by smaller ones.
const GREAT: u64 = 1_000;

/// The slot for the result of a client, or of the call of a script.
const RESULT: usize = 0;

/// The slot for the key of a partition.
const KEY: usize = 1;

/// The number of [`Process::Finished`].
pub(super) const FINISHED: Id = 0;

/// The state of a process, between steps of the layer at the end of the stack.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Process {
    /// It has finished.
    Finished,
    /// It is about to show the result of a call of its script.
    Shows { then: Position, value: Value },
    /// It is about to perform a step.
    Wants {
        /// Where its script continues, if it runs one.
        then: Option<Position>,
        frames: Vec<Rc<Frame>>,
        stack: Vec<Value>,
        /// The key of a partition that it works on; unit if there is none.
        key: Value,
        operation: usize,
        arguments: Rc<Vec<Value>>,
    },
    /// It is about to fail in its own code, not in a step of the layer at the end.
    Fails(OwnFailure),
}

/// The programs that processes run.
#[derive(Clone, Copy)]
pub enum Runs<'r> {
    /// All run the same client.
    Client(&'r Client),
    /// Each runs a script of its own, which shows the result of each call; and whether they may wait for ever.
    Scripts(&'r [Rc<Script>], bool),
}

impl Runs<'_> {
    /// Whether nothing distinguishes the processes, as far as the text tells.
    pub(super) fn may_be_symmetric(&self, setting: &Setting) -> bool {
        matches!(self, Runs::Client(client) if may_be_symmetric(setting, client))
    }
}

/// Calls of operations of the top layer, one after the other.
pub type Script = Vec<ScriptCall>;

/// A call of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScriptCall {
    pub operation: String,
    pub arguments: Vec<Value>,
}

/// A position in a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Position {
    /// The script, interned.
    script: Id,
    /// The number of the current or last call.
    call: u32,
}

/// A failure outside a step: a failed assertion, or a panic, in the client or in a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnFailure {
    /// The place of the failure.
    pub site: Site,
    /// The reason of a panic; `None` if an assertion fails.
    pub panic: Option<&'static str>,
    /// The client or procedure that fails.
    pub function: FunctionId,
    /// Whether the client fails.
    pub of_client: bool,
}

/// The code that the processes of one system run.
pub(super) struct Control<'a, 'p> {
    setting: &'a Setting<'p>,
    /// The implementations between the client and the end, top to bottom.
    implementations: Vec<&'a Implementation>,
    top: LayerId,
    end: LayerId,
    pub(super) processes: Interner<Process>,
    scripts: Interner<Script>,
    /// The next states of a process, by its state and the result of its step.
    advances: FxHashMap<(Id, Id), Rc<[Id]>>,
    /// Whether the processes of a client do not get their numbers, which they do not read.
    pub(super) hides_number: bool,
    /// Processes with smaller numbers are known from the start: those that run, and those that code names.
    pub(super) mentioned: u32,
}

enum Descent {
    Procedure(Box<Machine>),
    Step(Process),
}

impl<'a, 'p> Control<'a, 'p> {
    pub(super) fn new(
        setting: &'a Setting<'p>,
        implementations: Vec<&'a Implementation>,
        (top, end): (LayerId, LayerId),
        count: u32,
    ) -> Control<'a, 'p> {
        let mut processes = Interner::new();
        processes.intern(Process::Finished);
        let mentioned = named_processes(setting).values().map(|it| it + 1).fold(count, u32::max);
        let (scripts, advances) = (Interner::new(), FxHashMap::default());
        Control { setting, implementations, top, end, processes, scripts, advances, hides_number: false, mentioned }
    }

    /// The possible states of a process at its first step.
    pub(super) fn start(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
        (number, count): (u32, u32),
    ) -> Result<Vec<Id>, Abort> {
        let client = match runs {
            Runs::Client(client) => client,
            Runs::Scripts(scripts, _) => {
                let Some(script) = scripts.get(number as usize) else { return Ok(vec![FINISHED]) };
                let script = self.scripts.intern((**script).clone());
                return self.begin_call(search, Position { script, call: 0 });
            }
        };
        let mut machine = fresh(search, &[], self.mentioned);
        let parameters = self.setting.program.functions[client.function.0 as usize].parameters as usize;
        let number = if self.hides_number { 0 } else { number };
        let mut arguments = vec![Value::int(number), Value::int(count)];
        arguments.truncate(parameters);
        machine.call(search.world.code, self.setting.code.function(client.function), arguments);
        machine.slots = Rc::new(vec![Value::Unit; KEY + 1]);
        self.run_to_step(search, machine, None)
    }

    /// Begins a call of a script.
    fn begin_call(&mut self, search: &mut Search<'_, 'p>, at: Position) -> Result<Vec<Id>, Abort> {
        let script = Rc::clone(self.scripts.get(at.script));
        let Some(call) = script.get(at.call as usize) else { return Ok(vec![FINISHED]) };
        let values: Vec<&Value> = call.arguments.iter().collect();
        let mut machine = fresh(search, &values, self.mentioned);
        machine.slots = Rc::new(vec![Value::Unit; KEY + 1]);
        match self.descend(search, machine, (0, &call.operation, call.arguments.clone()), Some(at))? {
            Descent::Procedure(machine) => self.run_to_step(search, *machine, Some(at)),
            Descent::Step(process) => Ok(vec![self.processes.intern(process)]),
        }
    }

    /// The possible states of a process after it has shown the result of a call.
    pub(super) fn shown(&mut self, search: &mut Search<'_, 'p>, then: Position) -> Result<Vec<Id>, Abort> {
        self.begin_call(search, Position { call: then.call + 1, ..then })
    }

    /// Records the scalars in the calls of a script, which the remaining calls use.
    pub(super) fn mention_script(&self, at: Position, known: &mut Knowledge) {
        let arguments = self.scripts.get(at.script).iter().flat_map(|it| &it.arguments);
        arguments.for_each(|it| mention_atoms(known, it));
    }

    /// The number of calls of its script that a process has completed. `None` if it makes no more.
    pub(super) fn completed(&self, process: Id) -> Option<u32> {
        match &**self.processes.get(process) {
            Process::Wants { then, .. } => then.map(|it| it.call),
            Process::Shows { then, .. } => Some(then.call),
            Process::Finished | Process::Fails(_) => None,
        }
    }

    /// The operation that a script calls at a position.
    pub(super) fn called(&self, at: Position) -> String {
        self.scripts.get(at.script).get(at.call as usize).map_or_else(String::new, |it| it.operation.clone())
    }

    /// The possible states of a process after its step returned this result.
    pub(super) fn advanced(
        &mut self,
        search: &mut Search<'_, 'p>,
        process: Id,
        (result_id, result): (Id, &Value),
    ) -> Result<Rc<[Id]>, Abort> {
        if let Some(next) = self.advances.get(&(process, result_id)) {
            return Ok(next.clone());
        }
        let mut next = Vec::new();
        if let Process::Wants { frames, stack, key, then, .. } = &**self.processes.get(process) {
            let then = *then;
            if let (Some(then), true) = (then, frames.is_empty()) {
                // The call is a single step.
                let shows = Process::Shows { then, value: result.clone() };
                let next: Rc<[Id]> = Rc::from([self.processes.intern(shows)]);
                self.advances.insert((process, result_id), next.clone());
                return Ok(next);
            }
            let mut values: Vec<&Value> = stack.iter().collect();
            values.extend(frames.iter().flat_map(|it| &it.locals));
            values.extend([result, key]);
            let mut machine = fresh(search, &values, self.mentioned);
            machine.frames = frames.clone();
            machine.slots = Rc::new(vec![Value::Unit, key.clone()]);
            machine.stack = stack.clone();
            machine.push(result.clone());
            next = self.run_to_step(search, machine, then)?;
        }
        let next: Rc<[Id]> = Rc::from(next);
        self.advances.insert((process, result_id), next.clone());
        Ok(next)
    }

    /// Runs a process up to its next steps at the end of the stack.
    fn run_to_step(
        &mut self,
        search: &mut Search<'_, 'p>,
        machine: Machine,
        then: Option<Position>,
    ) -> Result<Vec<Id>, Abort> {
        let mut reached = Vec::new();
        let mut pending = vec![machine];
        // The machine finishes the client, or the call of a script.
        let script = [Action::Call { function: 0, arguments: vec![], result: Some(RESULT) }];
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
                let process = match end {
                    End::Done => match then {
                        None => Process::Finished,
                        Some(then) => {
                            let value = machine.slots[RESULT].clone();
                            let value = machine.force_all(search.world, &value).map_err(|_| Abort::Unsupported)?;
                            Process::Shows { then, value }
                        }
                    },
                    End::Turn => {
                        pending.push(machine);
                        continue;
                    }
                    End::Wants(name, arguments) => {
                        let innermost = machine.frames.last().map(|it| it.code);
                        let level = innermost.and_then(|it| self.level_of(search, it)).ok_or(Abort::Unsupported)?;
                        match self.descend(search, machine, (level, &name, arguments), then)? {
                            Descent::Procedure(machine) => {
                                pending.push(*machine);
                                continue;
                            }
                            Descent::Step(process) => process,
                        }
                    }
                    End::Failed(site) => self.fails(search, &machine, site, None)?,
                    End::Panicked(site, why) => self.fails(search, &machine, site, Some(why))?,
                    End::Stepped | End::Disabled => return Err(Abort::Unsupported),
                };
                reached.push(self.processes.intern(process));
            }
        }
        reached.sort_unstable();
        reached.dedup();
        Ok(reached)
    }

    /// A process that fails in the code of the client or of a procedure.
    fn fails(
        &self,
        search: &Search<'_, '_>,
        machine: &Machine,
        site: Site,
        panic: Option<&'static str>,
    ) -> Result<Process, Abort> {
        let procedure = machine.frames.iter().rev().find_map(|it| {
            let function = search.world.code.functions[it.code].source?;
            Some((function, self.level_of(search, it.code)?))
        });
        let (function, level) = procedure.ok_or(Abort::Unsupported)?;
        Ok(Process::Fails(OwnFailure { site, panic, function, of_client: level == 0 }))
    }

    /// Follows a call down the stack from some level: to a procedure, or to a step at the end.
    fn descend(
        &mut self,
        search: &mut Search<'_, 'p>,
        mut machine: Machine,
        (mut level, name, mut arguments): (usize, &str, Vec<Value>),
        then: Option<Position>,
    ) -> Result<Descent, Abort> {
        let mut name = name.to_owned();
        while let Some(implementation) = self.implementations.get(level) {
            level += 1;
            let code = match &implementation.by {
                Justification::Abstraction(_) => continue,
                Justification::Movers(code) | Justification::Retry(code) | Justification::Search(code) => code,
                Justification::Partition(partition) if partition.check.as_ref() == Some(&name) => {
                    // Layers for one key know nothing of other keys: the other end answers.
                    (level, name) = self.other_end(level).ok_or(Abort::Unsupported)?;
                    continue;
                }
                Justification::Partition(partition) => {
                    self.change_key(implementation, partition, &name, (&mut machine, &mut arguments))?;
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
        let (frames, stack) = (machine.frames, machine.stack);
        Ok(Descent::Step(Process::Wants { then, frames, stack, key, operation, arguments: Rc::new(arguments) }))
    }

    /// At the top of layers for one key the key is removed from the arguments; at their bottom it is passed to the procedure.
    fn change_key(
        &self,
        implementation: &Implementation,
        partition: &Partition,
        name: &str,
        (machine, arguments): (&mut Machine, &mut Vec<Value>),
    ) -> Result<(), Abort> {
        match &partition.end {
            PartitionEnd::Bottom { .. } => {
                if let Some(How::Procedure(_)) = partition.code.get(name) {
                    arguments.insert(0, machine.slots[KEY].clone());
                }
            }
            PartitionEnd::Top { .. } => {
                let takes_key = self.takes_key(implementation, partition, name)?;
                machine.set(KEY, if takes_key { arguments.remove(0) } else { Value::Unit });
            }
        }
        Ok(())
    }

    /// The level below the lower end of the partition that contains a level, and the name of the check there.
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

    /// The level of a procedure in the stack; the client is at 0.
    fn level_of(&self, search: &Search<'_, '_>, code: usize) -> Option<usize> {
        let function = search.world.code.functions[code].source?;
        let FunctionKind::Procedure(lower) = self.setting.program.functions[function.0 as usize].kind else {
            return None;
        };
        if lower == self.top {
            return Some(0);
        }
        self.implementations.iter().position(|it| it.lower == lower).map(|it| it + 1)
    }
}

/// The processes that the code names, by literal. They are the processes with these numbers; large numbers are replaced by smaller ones, in
/// the same order.
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

/// A machine that knows this many processes and all atoms in these values.
pub(super) fn fresh(search: &Search<'_, '_>, values: &[&Value], count: u32) -> Machine {
    let mut known = search.world.cells.start();
    known.mention(Sort::Pid, known.mentioned(Sort::Pid) + count);
    for value in values {
        mention_atoms(&mut known, value);
    }
    Machine::new(known, Quantifier::Universal)
}

/// Records the scalars in a value.
pub(super) fn mention_atoms(known: &mut Knowledge, value: &Value) {
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
            map.default.iter().for_each(|it| mention_atoms(known, it));
            for (key, entry) in map.over.iter() {
                mention_atoms(known, key);
                entry.iter().for_each(|it| mention_atoms(known, it));
            }
        }
        Value::Unordered(entries) => entries.iter().for_each(|(key, it)| {
            mention_atoms(known, key);
            mention_atoms(known, it);
        }),
        Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::Cell(_) => {}
    }
}
