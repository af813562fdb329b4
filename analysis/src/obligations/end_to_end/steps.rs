//! Steps of a layer, cached by what they read.
//!
//! A step is run once for each combination of operation, process, arguments, and the values that it reads of the state. The reads are kept
//! as a decision tree: each node names a part, with a branch for each value that was seen there. How a step continues depends
//! only on what it has read so far, so a path of the tree stands for all states that agree on the parts along it.

use std::{cell::RefCell, rc::Rc};

use rustc_hash::FxHashMap;

use super::{
    intern::{Id, Interner},
    parts::{Atoms, Parts, Read, Write},
};
use crate::{
    explore::{
        cells::{Need, Quantifier, Root},
        code::CodeId,
        machine::{Machine, Site},
        search::{Abort, Action, End, Given, Search},
        value::{Sort, Value},
    },
    ir::{NodeId, Type},
    obligations::question::Setting,
};

/// The maximum length of a sequence in a state.
const LONGEST: usize = 64;

/// A step: an operation with its process and arguments, or the background.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) code: CodeId,
    /// The process; `None` for the background.
    pub(super) process: Option<u32>,
    pub(super) arguments: Rc<Vec<Value>>,
}

/// An outcome of a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Outcome {
    /// The interned writes; 0 is none.
    pub(super) writes: Id,
    /// The interned result.
    pub(super) result: Id,
    /// The interned events; 0 is none.
    pub(super) events: Id,
}

/// The possible outcomes of a step, for equal reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Outcomes {
    pub(super) done: Vec<Outcome>,
    pub(super) fails: bool,
}

enum Node {
    Read(Read, FxHashMap<Id, u32>),
    Done(Id),
    /// Not reached yet.
    Open,
}

/// The steps of one layer.
pub(super) struct Steps {
    pub(super) parts: Rc<RefCell<Parts>>,
    state: Value,
    pub(super) writes: Interner<Vec<Write>>,
    pub(super) outcomes: Interner<Outcomes>,
    nodes: Vec<Node>,
    roots: FxHashMap<Call, u32>,
    /// Whether steps are cached by their reads; if not, every step is run in every state.
    by_reads: bool,
    /// The number of times that a step was run.
    pub(super) runs: u64,
}

/// The start of a step.
pub(super) struct From<'a> {
    /// The row of the state.
    pub(super) row: &'a Rc<Vec<Id>>,
    /// Computes the number of scalars in the whole state, on demand.
    pub(super) atoms: &'a mut dyn FnMut() -> (Rc<Atoms>, Id),
    /// The number of processes known from the start.
    pub(super) processes: u32,
}

impl Steps {
    pub(super) fn new(setting: &Setting, search: &mut Search<'_, '_>, ty: &Type, number: u32, by_reads: bool) -> Steps {
        let state = search.world.cells.root(Root::Steps(number), ty, Quantifier::Universal);
        let Value::Cell(root) = state else { unreachable!("a root is a cell") };
        let parts = Rc::new(RefCell::new(Parts::new(setting.program, ty, root)));
        let mut writes = Interner::new();
        writes.intern(Vec::new());
        let (nodes, roots) = Default::default();
        Steps { parts, state, writes, outcomes: Interner::new(), nodes, roots, by_reads, runs: 0 }
    }

    /// The root of the decision tree of a call.
    pub(super) fn root(&mut self, call: Call) -> u32 {
        let nodes = &mut self.nodes;
        *self.roots.entry(call).or_insert_with(|| {
            nodes.push(Node::Open);
            nodes.len() as u32 - 1
        })
    }

    /// The outcomes of a call in a state, if they are known.
    pub(super) fn known(&self, root: u32, from: &mut From<'_>) -> Option<Id> {
        let mut at = root;
        loop {
            match &self.nodes[at as usize] {
                Node::Done(outcomes) => return Some(*outcomes),
                Node::Open => return None,
                Node::Read(read, branches) => {
                    let value = match read {
                        Read::Slot(slot) => from.row.get(*slot as usize).copied().unwrap_or_default(),
                        Read::Atoms => (from.atoms)().1,
                        Read::Keys(_) => self.parts.borrow_mut().peek(*read, from.row)?,
                    };
                    at = *branches.get(&value)?;
                }
            }
        }
    }

    /// Runs a call in a state, and caches its outcomes.
    pub(super) fn run(
        &mut self,
        search: &mut Search<'_, '_>,
        events: &mut Interner<Vec<Value>>,
        (root, call): (u32, &Call),
        from: &mut From<'_>,
    ) -> Result<Id, Abort> {
        self.runs += 1;
        self.parts.borrow_mut().tell_of(Rc::clone(from.row), (from.atoms)());
        search.given = Some(Rc::clone(&self.parts) as Rc<RefCell<dyn Given>>);
        let outcomes = self.outcomes_of(search, events, call, from.processes);
        search.given = None;
        let id = self.outcomes.intern(outcomes?);
        if self.by_reads {
            self.keep(root, id);
        }
        Ok(id)
    }

    /// Adds the path of the last reads to the tree.
    fn keep(&mut self, root: u32, outcomes: Id) {
        let mut at = root as usize;
        for (read, value) in &self.parts.borrow().reads {
            if !matches!(&self.nodes[at], Node::Read(known, _) if known == read) {
                self.nodes[at] = Node::Read(*read, FxHashMap::default());
            }
            let next = self.nodes.len() as u32;
            let Node::Read(_, branches) = &mut self.nodes[at] else { unreachable!("it is one now") };
            let branch = *branches.entry(*value).or_insert(next);
            if branch == next {
                self.nodes.push(Node::Open);
            }
            at = branch as usize;
        }
        self.nodes[at] = Node::Done(outcomes);
    }

    fn outcomes_of(
        &mut self,
        search: &mut Search<'_, '_>,
        events: &mut Interner<Vec<Value>>,
        call: &Call,
        processes: u32,
    ) -> Result<Outcomes, Abort> {
        let mut known = search.world.cells.start();
        let literals = known.mentioned(Sort::Pid);
        known.mention(Sort::Pid, literals + processes);
        let mut machine = Machine::new(known, Quantifier::Universal);
        let me = call.process.map(|it| Value::Atom(Sort::Pid, literals + it));
        let mut slots = vec![self.state.clone()];
        slots.extend(me);
        slots.extend(call.arguments.iter().cloned());
        let result = slots.len();
        slots.extend([Value::Unit, Value::Unit]);
        machine.slots = Rc::new(slots);
        let script = [
            Action::Call { function: call.code, arguments: (0..result).collect(), result: Some(result) },
            Action::TakeEvents(result + 1),
        ];
        let mut outcomes = Outcomes { done: Vec::new(), fails: false };
        search.for_all(machine, &script, &mut |search, machine, end| {
            match end {
                End::Done => self.settle(search, events, (call, machine), result, &mut outcomes.done)?,
                // A panic counts as a failure here; obligations about panics report it.
                _ => outcomes.fails = true,
            }
            Ok(true)
        })?;
        outcomes.done.sort();
        outcomes.done.dedup();
        Ok(outcomes)
    }

    /// The outcomes of a run, with every unknown that they depend on split into cases.
    fn settle(
        &mut self,
        search: &mut Search<'_, '_>,
        events: &mut Interner<Vec<Value>>,
        (call, machine): (&Call, Machine),
        result: usize,
        done: &mut Vec<Outcome>,
    ) -> Result<(), Abort> {
        let mut pending = vec![machine];
        while let Some(machine) = pending.pop() {
            match self.settled(search, &machine, result) {
                Ok((writes, result, emitted)) => {
                    self.check_growth(call, &writes)?;
                    let all = if let Value::Seq(all) = emitted { all.to_vec() } else { Vec::new() };
                    let result = self.parts.borrow_mut().values.intern(result);
                    done.push(Outcome { writes: self.writes.intern(writes), result, events: events.intern(all) });
                }
                Err(need) => pending.extend(search.cases(machine, &need, true)),
            }
        }
        Ok(())
    }

    /// Gives up if a sequence in the state has become very long: it grows without end.
    fn check_growth(&self, call: &Call, writes: &[Write]) -> Result<(), Abort> {
        let parts = self.parts.borrow();
        let is_long = |it: &Write| match it {
            Write::Slot(_, id) => matches!(&**parts.values.get(*id), Value::Seq(all) if all.len() > LONGEST),
            Write::Clear(_) => false,
        };
        match writes.iter().any(is_long) {
            true => Err(Abort::Endless(Site { code: call.code, node: NodeId(0) })),
            false => Ok(()),
        }
    }

    fn settled(
        &mut self,
        search: &mut Search<'_, '_>,
        machine: &Machine,
        result: usize,
    ) -> Result<(Vec<Write>, Value, Value), Need> {
        let writes = Parts::writes(&self.parts, search, machine, &machine.slots[0])?;
        let emitted = machine.settle(search.world, &machine.slots[result + 1])?;
        Ok((writes, machine.settle(search.world, &machine.slots[result])?, emitted))
    }
}
