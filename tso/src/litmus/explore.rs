//! All runs of a litmus test on the executable model of the layer `Tso`: each instruction is one operation of the layer, with
//! all its outcomes. Nothing here knows how memory works; even the drains are the layer's.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use cspec::model::{Domain, Explorer, Limits, Outcome};
use cspec::prelude::*;
use cspec::{Operation, Spec};

use super::{Clause, Instruction, Test, Verdict};
use crate::layers::*;

/// The bounds of an exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The maximum number of pending stores of a process between two instructions; no bound if `None`.
    pub buffer: Option<usize>,
    /// The maximum number of states to visit.
    pub states: usize,
}

/// The result of an exploration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exploration {
    /// Whether the end state of the test was reached.
    pub verdict: Verdict,
    /// The number of visited states.
    pub states: usize,
    /// The number of different end states.
    pub finals: usize,
}

/// Explores all runs of a test within bounds.
pub fn explore(test: &Test, bounds: Bounds) -> Exploration {
    let mut search = Search::new(test, bounds);
    search.visit(Config::start(test));
    while let Some(config) = search.open.pop() {
        search.expand(&config);
    }
    search.finish()
}

/// A configuration of a run.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Config {
    memory: Memory,
    /// The number of instructions that each process has done.
    done: Vec<usize>,
    registers: Vec<Vec<u64>>,
}

impl Config {
    fn start(test: &Test) -> Self {
        let mut memory = Memory::default();
        for (at, value) in &test.init {
            memory.shared[*at] = *value;
        }
        Config {
            memory,
            done: vec![0; test.threads.len()],
            registers: test.threads.iter().map(|program| vec![0; registers(program)]).collect(),
        }
    }
}

fn registers(program: &[Instruction]) -> usize {
    let used = program.iter().filter_map(|instruction| match instruction {
        Instruction::Load { register, .. } | Instruction::Exchange { register, .. } => Some(*register + 1),
        Instruction::Store { .. } | Instruction::Fence => None,
    });
    used.max().unwrap_or(0)
}

/// The possible outcomes of an instruction: the value read, if it reads, and the memory after it.
type Steps = Rc<[Outcome<(Option<u64>, Memory)>]>;

/// An end state of the whole test: all registers, and shared memory.
type End = (Vec<Vec<u64>>, Total<Addr, u64>);

struct Search<'t> {
    test: &'t Test,
    bounds: Bounds,
    layer: Explorer<dyn Tso>,
    /// Outcomes by memory, process and position in its program.
    steps: BTreeMap<(Memory, usize, usize), Steps>,
    seen: HashSet<Config>,
    open: Vec<Config>,
    ends: BTreeSet<End>,
    /// The first reason why the exploration is incomplete, if it is.
    incomplete: Option<String>,
}

impl<'t> Search<'t> {
    fn new(test: &'t Test, bounds: Bounds) -> Self {
        let domain = Domain {
            pids: test.threads.len() as u64,
            // `is_too_much` keeps the drains of one state within bounds.
            limits: Limits { states: usize::MAX, runs: usize::MAX, ..Limits::default() },
            ..Domain::default()
        };
        Search {
            test,
            bounds,
            layer: Explorer::new(domain),
            steps: BTreeMap::new(),
            seen: HashSet::new(),
            open: Vec::new(),
            ends: BTreeSet::new(),
            incomplete: None,
        }
    }

    fn visit(&mut self, config: Config) {
        if self.is_too_much(&config) || !self.seen.insert(config.clone()) {
            return;
        }
        self.open.push(config);
    }

    /// Whether a bound stops the exploration at this configuration.
    fn is_too_much(&mut self, config: &Config) -> bool {
        let pending = &config.memory.pending;
        let most = pending.iter().map(|(_, stores)| stores.len()).max().unwrap_or(0);
        // Each process may drain any number of its pending stores, and of one more after the next instruction.
        let drains = pending.iter().map(|(_, stores)| stores.len() + 2).try_fold(1, usize::checked_mul);
        let because = match self.bounds.buffer {
            Some(bound) if most > bound => format!("a process may have more than {bound} pending stores"),
            _ if drains.is_none_or(|drains| drains > self.bounds.states) || self.seen.len() >= self.bounds.states => {
                format!("there are more than {} states", self.bounds.states)
            }
            _ => return false,
        };
        self.incomplete.get_or_insert(because);
        true
    }

    fn expand(&mut self, config: &Config) {
        let mut ended = true;
        for thread in 0..self.test.threads.len() {
            let place = config.done[thread];
            if let Some(instruction) = self.test.threads[thread].get(place) {
                ended = false;
                self.step(config, thread, *instruction);
            }
        }
        if ended {
            self.end(config);
        }
    }

    fn step(&mut self, config: &Config, thread: usize, instruction: Instruction) {
        for outcome in self.steps_of(&config.memory, thread, config.done[thread], instruction).iter() {
            let (read, memory) = match outcome {
                Outcome::Done { value, .. } => value,
                Outcome::Failed { message } => {
                    self.incomplete.get_or_insert_with(|| format!("an operation failed: {message}"));
                    continue;
                }
            };
            let mut next = Config { memory: memory.clone(), ..config.clone() };
            next.done[thread] += 1;
            if let (Some(read), Some(register)) = (read, target(instruction)) {
                next.registers[thread][register] = *read;
            }
            self.visit(next);
        }
    }

    fn steps_of(&mut self, memory: &Memory, thread: usize, place: usize, instruction: Instruction) -> Steps {
        match self.steps.entry((memory.clone(), thread, place)) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(empty) => {
                let me = Pid(thread as u128);
                empty.insert(perform(&mut self.layer, memory, me, instruction).into()).clone()
            }
        }
    }

    /// Records the possible end states once every process is done: those with no pending store.
    fn end(&mut self, config: &Config) {
        for outcome in self.layer.background(&config.memory).iter() {
            match outcome.value() {
                Some(memory) if memory.pending.is_default() => {
                    self.ends.insert((config.registers.clone(), memory.shared.clone()));
                }
                _ => {}
            }
        }
    }

    fn finish(self) -> Exploration {
        let reached = self.ends.iter().any(|end| holds(&self.test.condition, end));
        let verdict = match (reached, self.incomplete) {
            (true, _) => Verdict::Allowed,
            (false, None) => Verdict::Forbidden,
            (false, Some(because)) => Verdict::Undecided { because },
        };
        Exploration { verdict, states: self.seen.len(), finals: self.ends.len() }
    }
}

/// The register that an instruction writes.
fn target(instruction: Instruction) -> Option<usize> {
    match instruction {
        Instruction::Load { register, .. } | Instruction::Exchange { register, .. } => Some(register),
        Instruction::Store { .. } | Instruction::Fence => None,
    }
}

fn holds(condition: &[Clause], (registers, shared): &End) -> bool {
    condition.iter().all(|clause| match *clause {
        Clause::Register { thread, register, value } => registers[thread][register] == value,
        Clause::Location { at, value } => shared[at] == value,
    })
}

/// All outcomes of an instruction as an operation of the layer.
fn perform(
    layer: &mut Explorer<dyn Tso>,
    memory: &Memory,
    me: Pid,
    instruction: Instruction,
) -> Vec<Outcome<(Option<u64>, Memory)>> {
    match instruction {
        Instruction::Store { at, value } => steps(layer, memory, me, __Tso::write((at, value)), |()| None),
        Instruction::Load { at, .. } => steps(layer, memory, me, __Tso::read((at,)), Some),
        Instruction::Fence => steps(layer, memory, me, __Tso::fence(()), |()| None),
        Instruction::Exchange { at, value, .. } => steps(layer, memory, me, __Tso::test_and_set((at, value)), Some),
    }
}

fn steps<O>(
    layer: &mut Explorer<dyn Tso>,
    memory: &Memory,
    me: Pid,
    op: O,
    read: impl Fn(O::Output) -> Option<u64>,
) -> Vec<Outcome<(Option<u64>, Memory)>>
where
    O: Operation,
    dyn Tso: Spec<O, Memory>,
{
    let all = layer.steps(memory, me, &op).into_iter();
    all.map(|outcome| outcome.map(|(result, memory)| (read(result), memory))).collect()
}
