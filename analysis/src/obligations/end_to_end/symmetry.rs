//! Symmetry of processes: configurations that differ only in which process is which are searched once.
//!
//! All processes run the same client, and nothing distinguishes them: the client does not read its number, no code names a process, no
//! default is a process, and no run observes the order of two processes. Then renaming processes maps runs to runs. For a permutation `π`:
//!
//! ```text
//! c → c′ by p with events e    exactly if    π(c) → π(c′) by π(p) with events π(e)
//! ```
//!
//! A pair of a configuration at the bottom and the set of those at the top is replaced by one with the processes in some order: that of their
//! positions in the code, of what the state holds for each, and of where it mentions them. If two pairs that are renamings of each other
//! get different orders, both are searched, which costs time only.
//!
//! Whether the order of two processes is observed is known only at the end. If so, or if a string has the digits of a process, the search
//! is made again without symmetry ([`Product::is_asymmetric`]). A run that is shown is one of the real configurations: it is followed from the start, with
//! the processes renamed back step by step ([`Product::unfolded`]).

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{
    above::Above,
    control::{Process, Runs},
    intern::{Id, Rows},
    product::Product,
    stuck::Graph,
    system::{Edge, System},
};
use crate::{
    explore::{
        cells::{Numbers, default_of},
        code::Op,
        search::{Abort, Search},
        text::Piece,
        value::{Base, MapValue, Sort, Value},
    },
    ir::{Client, Prim, Program, Type, TypeDefKind},
    obligations::question::Setting,
};

/// The bound that is met when code observes an order.
const ONE_ORDER: &str = "one order of scalars";

/// For each process, its new number.
pub(super) type Renaming = Vec<u32>;

/// Renamed states, processes and sets, by number and renaming.
#[derive(Default)]
pub(super) struct Renamed {
    /// Processes that mention no process: they are the same under each renaming.
    plain: FxHashMap<Id, bool>,
    states: FxHashMap<(Id, Renaming), Id>,
    processes: FxHashMap<(Id, Renaming), Id>,
}

/// Whether nothing distinguishes the processes of a client, as far as the text tells.
pub(super) fn may_be_symmetric(setting: &Setting, client: &Client) -> bool {
    let code = &setting.code.functions[setting.code.function(client.function)];
    let reads_number = code.ops.iter().any(|op| match op {
        Op::Load(local)
        | Op::Store(local)
        | Op::EmptyLike(local)
        | Op::CountOperands(local)
        | Op::DropOperands(local) => *local == 0,
        Op::Next(one, other, _) | Op::Append(one, other) => *one == 0 || *other == 0,
        Op::Clear(from, to) => (*from..*to).contains(&0),
        _ => false,
    });
    // A process may be read from a string.
    let parses = setting.code.functions.iter().flat_map(|it| &it.ops).any(|it| matches!(it, Op::Prim(Prim::Parse, ..)));
    !reads_number && !parses && super::control::named_processes(setting).is_empty() && !has_process_by_default(setting)
}

/// Whether some default is a process, which would be a certain one.
fn has_process_by_default(setting: &Setting) -> bool {
    let program = setting.program;
    let fields = program.types.iter().flat_map(|it| match &it.kind {
        TypeDefKind::Scalar => Vec::new(),
        TypeDefKind::Struct(fields) => fields.iter().collect(),
        TypeDefKind::Enum(variants) => variants.iter().flat_map(|it| &it.fields).collect(),
    });
    let locals = program.functions.iter().flat_map(|it| it.locals.iter().map(|it| &it.ty).chain([&it.result]));
    let states = program.layers.iter().map(|it| &it.state);
    let mut types = fields.map(|it| &it.ty).chain(locals).chain(states).chain(&setting.code.types);
    let makes_default = |op: &Op| match op {
        Op::Prim(Prim::Default | Prim::Empty, _, ty) => {
            is_process(&default_of(program, &setting.code.types[*ty as usize]))
        }
        _ => false,
    };
    types.any(|it| has_total_of_processes(program, it))
        || setting.code.functions.iter().flat_map(|it| &it.ops).any(makes_default)
}

fn has_total_of_processes(program: &Program, ty: &Type) -> bool {
    match ty {
        Type::Total(key, value) => {
            is_process(&default_of(program, value))
                || has_total_of_processes(program, key)
                || has_total_of_processes(program, value)
        }
        Type::Map(key, value) | Type::Result(key, value) => {
            has_total_of_processes(program, key) || has_total_of_processes(program, value)
        }
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => has_total_of_processes(program, inner),
        Type::Tuple(fields) => fields.iter().any(|it| has_total_of_processes(program, it)),
        // The fields of user types are asked for by themselves.
        Type::Never | Type::Bool | Type::Int { .. } | Type::Str | Type::Pid | Type::User(_) => false,
    }
}

/// Whether some part of a value is a process.
fn is_process(value: &Value) -> bool {
    let mut found = false;
    value.for_each_part(&mut |it| found |= matches!(it, Value::Atom(Sort::Pid, _)));
    found
}

/// A value with processes renamed. `None` if it has a form for which that is not defined.
pub(super) fn renamed(value: &Value, to: &[u32]) -> Option<Value> {
    let all = |values: &[Value]| values.iter().map(|it| renamed(it, to)).collect::<Option<Vec<Value>>>();
    Some(match value {
        Value::Atom(Sort::Pid, number) => Value::Atom(Sort::Pid, to.get(*number as usize).copied().unwrap_or(*number)),
        Value::Tuple(fields) => Value::Tuple(Rc::from(all(fields)?)),
        Value::Variant(tag, fields) => Value::Variant(*tag, Rc::from(all(fields)?)),
        Value::Seq(elements) => Value::Seq(Rc::new(all(elements)?)),
        Value::Map(map) => {
            if map.base != Base::Empty {
                return None;
            }
            let default = map.default.as_deref().map(|it| renamed(it, to));
            let default = if let Some(it) = default { Some(it?) } else { None };
            let mut result = MapValue::empty(default);
            for (key, entry) in map.over.iter() {
                let entry = match entry {
                    Some(entry) => Some(renamed(entry, to)?),
                    None => None,
                };
                result = result.with(renamed(key, to)?, entry);
            }
            Value::Map(result)
        }
        Value::Text(pieces) if pieces.iter().any(|it| matches!(it, Piece::Decimal(Sort::Pid, _))) => return None,
        Value::Unordered(_) | Value::Cell(_) => return None,
        Value::Unit | Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::Text(_) | Value::Atom(..) => {
            value.clone()
        }
    })
}

/// First one renaming, then the other.
fn then(first: &[u32], second: &[u32]) -> Renaming {
    first.iter().map(|it| second[*it as usize]).collect()
}

/// The renamings that exchange the first process and another one. All renamings are made of these.
fn swaps(count: u32) -> Vec<Renaming> {
    let swap = |second: u32| {
        let mut swapped: Renaming = (0..count).collect();
        swapped.swap(0, second as usize);
        swapped
    };
    (1..count).map(swap).collect()
}

fn inverse(of: &[u32]) -> Renaming {
    let mut inverse = vec![0; of.len()];
    of.iter().enumerate().for_each(|(from, to)| inverse[*to as usize] = from as u32);
    inverse
}

fn changes_nothing(renaming: &[u32]) -> bool {
    renaming.iter().enumerate().all(|(from, to)| from as u32 == *to)
}

impl System<'_, '_> {
    /// A configuration with processes renamed.
    fn renamed(&mut self, row: &[u32], to: &Renaming) -> Option<Vec<u32>> {
        let mut result = vec![0; row.len()];
        result[0] = self.renamed_state(row[0], to)?;
        for (from, process) in row[1..].iter().enumerate() {
            result[to[from] as usize + 1] = self.renamed_process(*process, to)?;
        }
        Some(result)
    }

    fn renamed_state(&mut self, state: Id, to: &Renaming) -> Option<Id> {
        if let Some(known) = self.renamed.states.get(&(state, to.clone())) {
            return Some(*known);
        }
        let row = self.steps.parts.borrow_mut().renamed(self.states.get(state), to)?;
        let id = self.states.intern(row);
        self.renamed.states.insert((state, to.clone()), id);
        Some(id)
    }

    fn renamed_process(&mut self, process: Id, to: &Renaming) -> Option<Id> {
        if self.is_plain(process) {
            return Some(process);
        }
        if let Some(known) = self.renamed.processes.get(&(process, to.clone())) {
            return Some(*known);
        }
        let all = |values: &[Value]| values.iter().map(|it| renamed(it, to)).collect::<Option<Vec<Value>>>();
        let next = match &**self.control.processes.get(process) {
            Process::Wants { then, frames, stack, key, operation, arguments } => {
                let mut renamed_frames = Vec::new();
                for frame in frames {
                    let mut frame = (**frame).clone();
                    frame.locals = all(&frame.locals)?;
                    renamed_frames.push(Rc::new(frame));
                }
                Some(Process::Wants {
                    then: *then,
                    frames: renamed_frames,
                    stack: all(stack)?,
                    key: renamed(key, to)?,
                    operation: *operation,
                    arguments: Rc::new(all(arguments)?),
                })
            }
            Process::Shows { .. } => return None,
            Process::Finished | Process::Fails(_) => None,
        };
        let id = next.map_or(process, |it| self.control.processes.intern(it));
        self.renamed.processes.insert((process, to.clone()), id);
        Some(id)
    }

    /// Whether a process is the same under each renaming.
    fn is_plain(&mut self, process: Id) -> bool {
        let processes = &self.control.processes;
        *self.renamed.plain.entry(process).or_insert_with(|| match &**processes.get(process) {
            Process::Finished | Process::Fails(_) => true,
            Process::Shows { .. } => false,
            Process::Wants { frames, stack, key, arguments, .. } => {
                let locals = frames.iter().flat_map(|it| &it.locals);
                // What has no renaming is not plain.
                let mut all = locals.chain(stack).chain([key]).chain(arguments.iter());
                all.all(|it| !is_process(it) && renamed(it, &[]).is_some())
            }
        })
    }

    /// The renaming that puts the processes of a configuration in order.
    fn in_order(&mut self, row: &[u32]) -> Renaming {
        let state = Rc::clone(self.states.get(row[0]));
        let mut parts = self.steps.parts.borrow_mut();
        let mut keys: Vec<_> = (0..self.count)
            .map(|it| (row[it as usize + 1], parts.of_process(&state, it), parts.mentions_of(&state, it), it))
            .collect();
        drop(parts);
        keys.sort();
        let mut to = vec![0; keys.len()];
        keys.iter().enumerate().for_each(|(new, (.., old))| to[*old as usize] = new as u32);
        to
    }
}

impl Above<'_, '_> {
    fn renamed(&mut self, set: Id, to: &Renaming) -> Option<Id> {
        if self.is_plain(set)? { Some(set) } else { self.renamed_each(set, to) }
    }

    /// Whether a set is the same under each renaming.
    fn is_plain(&mut self, set: Id) -> Option<bool> {
        if let Some(known) = self.plain_sets.get(&set) {
            return Some(*known);
        }
        let mut is_plain = true;
        for swapped in swaps(self.system.count) {
            is_plain = is_plain && self.renamed_each(set, &swapped)? == set;
        }
        self.plain_sets.insert(set, is_plain);
        Some(is_plain)
    }

    fn renamed_each(&mut self, set: Id, to: &Renaming) -> Option<Id> {
        if let Some(known) = self.renamed_sets.get(&(set, to.clone())) {
            return Some(*known);
        }
        let mut next = Vec::new();
        for configuration in self.sets.get(set).to_vec() {
            let row = self.configurations.get(configuration).to_vec();
            let row = self.system.renamed(&row, to)?;
            next.push(self.configurations.intern(&row).0);
        }
        next.sort_unstable();
        let id = self.sets.intern(next);
        self.renamed_sets.insert((set, to.clone()), id);
        Some(id)
    }
}

impl<'p> Product<'_, 'p> {
    /// Searches with symmetry. `None` if the processes turn out not to be symmetric: then nothing that was found counts.
    pub(super) fn search_symmetric(
        &mut self,
        search: &mut Search<'_, 'p>,
        runs: Runs<'_>,
    ) -> Option<Result<Option<super::WrongRun>, Abort>> {
        self.is_symmetric = true;
        self.low.control.hides_number = true;
        self.high.system.control.hides_number = true;
        let found = self.search(search, runs);
        (!self.is_asymmetric(search)).then_some(found)
    }

    /// Whether something distinguishes the processes after all.
    fn is_asymmetric(&self, search: &Search<'_, 'p>) -> bool {
        let cells = &search.world.cells;
        self.is_distinguished
            || cells.bounds_met.contains(ONE_ORDER)
            || self.bounds_of_steps.contains(ONE_ORDER)
            || cells.numbers == Numbers::Digits
            || !cells.new_shapes.is_empty()
    }

    /// Whether renaming processes leads from initial configurations to initial ones.
    pub(super) fn starts_are_symmetric(&mut self, starts: &[Vec<u32>], high: Id) -> bool {
        swaps(self.low.count).iter().all(|swapped| {
            self.high.renamed(high, swapped) == Some(high)
                && starts.iter().all(|it| self.low.renamed(it, swapped).is_some_and(|it| starts.contains(&it)))
        })
    }

    /// The pair that stands for a pair and its renamings, and the renaming that leads to it.
    pub(super) fn standing_for(&mut self, pair: &[u32]) -> Option<(Vec<u32>, Renaming)> {
        let (high, low) = pair.split_last()?;
        let to = self.low.in_order(low);
        Some((self.renamed_pair((low, *high), &to)?, to))
    }

    fn renamed_pair(&mut self, (low, high): (&[u32], Id), to: &Renaming) -> Option<Vec<u32>> {
        if changes_nothing(to) {
            return Some(low.iter().copied().chain([high]).collect());
        }
        let mut pair = self.low.renamed(low, to)?;
        pair.push(self.high.renamed(high, to)?);
        Some(pair)
    }

    /// Does something with a real run to a pair, and perhaps one step further: the pairs are those of the run alone, the last of which has
    /// the number that is given.
    pub(super) fn unfolded<T>(
        &mut self,
        search: &mut Search<'_, 'p>,
        (at, last): (Id, Option<Edge>),
        tell: impl FnOnce(&mut Self, &mut Search<'_, 'p>, (Id, Option<Edge>)) -> Result<T, Abort>,
    ) -> Result<T, Abort> {
        if !self.is_symmetric {
            return tell(self, search, (at, last));
        }
        let (rows, back) = self.real_run(search, at)?;
        let last = match last {
            Some(edge) => Some(self.renamed_edge(edge, &back).ok_or(Abort::Unsupported)?),
            None => None,
        };
        let (mut pairs, mut graph) = (Rows::new(self.low.count as usize + 2), Graph::default());
        let end = rows.len() as u32 - 1;
        for (number, row) in (0..).zip(&rows) {
            if pairs.intern(row) != (number, true) {
                return Err(Abort::Unsupported);
            }
            // Whether the last one has steps is asked for.
            match number == end {
                false => graph.add(false, &[number + 1]),
                true if self.graph.has(at as usize) && self.graph.is_final(at as usize) => graph.add(false, &[]),
                true => graph.add(false, &[if end == 0 { 1 } else { 0 }]),
            }
        }
        std::mem::swap(&mut self.pairs, &mut pairs);
        std::mem::swap(&mut self.graph, &mut graph);
        self.is_symmetric = false;
        let told = tell(self, search, (end, last));
        self.is_symmetric = true;
        self.pairs = pairs;
        self.graph = graph;
        told
    }

    /// The pairs of a real run that is, pair by pair, a renaming of the run to this one; and the renaming of the last.
    fn real_run(&mut self, search: &mut Search<'_, 'p>, at: Id) -> Result<(Vec<Vec<u32>>, Renaming), Abort> {
        let path = self.graph.path_to(at);
        let mut back: Renaming = (0..self.low.count).collect();
        let mut rows = vec![self.pairs.get(path[0]).to_vec()];
        let mut edges = Vec::new();
        for step in path.windows(2) {
            let (from, to) = (self.pairs.get(step[0]).to_vec(), self.pairs.get(step[1]).to_vec());
            let (high, low) = from.split_last().ok_or(Abort::Unsupported)?;
            self.low.expand(search, &mut self.events, low, &mut edges)?;
            let mut found = None;
            for edge in &edges {
                let mut after = low.to_vec();
                edge.apply(&mut after);
                after.push(self.high.after(search, &mut self.events, *high, edge)?);
                let (standing, renaming) = self.standing_for(&after).ok_or(Abort::Unsupported)?;
                if standing == to {
                    found = Some(renaming);
                    break;
                }
            }
            back = then(&inverse(&found.ok_or(Abort::Unsupported)?), &back);
            let (high, low) = to.split_last().ok_or(Abort::Unsupported)?;
            rows.push(self.renamed_pair((low, *high), &back).ok_or(Abort::Unsupported)?);
        }
        Ok((rows, back))
    }

    fn renamed_edge(&mut self, edge: Edge, to: &Renaming) -> Option<Edge> {
        let Some(process) = to.get(edge.process as usize).copied() else {
            let state = self.low.renamed_state(edge.state, to)?;
            let events = self.renamed_events(edge.events, to)?;
            return Some(Edge { state, events, ..edge });
        };
        let state = self.low.renamed_state(edge.state, to)?;
        let next = self.low.renamed_process(edge.next, to)?;
        let events = self.renamed_events(edge.events, to)?;
        Some(Edge { process, events, state, next })
    }

    fn renamed_events(&mut self, events: Id, to: &Renaming) -> Option<Id> {
        let all: Option<Vec<Value>> = self.events.get(events).iter().map(|it| renamed(it, to)).collect();
        Some(self.events.intern(all?))
    }

    /// The number of pairs, and of those that they stand for.
    pub(super) fn pairs_stood_for(&mut self) -> Option<(u64, u64)> {
        let mut all = Rows::new(self.low.count as usize + 2);
        for pair in 0..self.pairs.len() as u32 {
            for to in renamings(self.low.count) {
                let row = self.pairs.get(pair).to_vec();
                let (high, low) = row.split_last()?;
                let row = self.renamed_pair((low, *high), &to)?;
                all.intern(&row);
            }
        }
        Some((self.pairs.len() as u64, all.len() as u64))
    }
}

/// All renamings of this many processes.
fn renamings(count: u32) -> Vec<Renaming> {
    let mut all: Vec<Renaming> = vec![Vec::new()];
    for _ in 0..count {
        let longer = |it: Renaming| -> Vec<Renaming> {
            (0..count).filter(|new| !it.contains(new)).map(|new| [&it[..], &[new]].concat()).collect()
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamings_are_inverted_and_composed() {
        let all = renamings(3);
        assert_eq!(all.len(), 6);
        for one in &all {
            assert!(changes_nothing(&then(one, &inverse(one))));
            for other in &all {
                let value = Value::Atom(Sort::Pid, 1);
                let both = renamed(&renamed(&value, one).expect("an atom"), other);
                assert_eq!(both, renamed(&value, &then(one, other)));
            }
        }
    }

    #[test]
    fn processes_are_renamed_wherever_they_are() {
        let pid = |it| Value::Atom(Sort::Pid, it);
        let map = MapValue::empty(None).with(pid(0), Some(Value::some(pid(1)))).with(pid(2), Some(Value::none()));
        let swapped = MapValue::empty(None).with(pid(1), Some(Value::some(pid(0)))).with(pid(2), Some(Value::none()));
        assert_eq!(renamed(&Value::Map(map), &[1, 0, 2]), Some(Value::Map(swapped)));
        // Processes beyond those that run stay as they are.
        assert_eq!(renamed(&pid(7), &[1, 0]), Some(pid(7)));
        let digits = Value::Text(Rc::from([Piece::Decimal(Sort::Pid, 0)]));
        assert_eq!(renamed(&digits, &[1, 0]), None);
    }
}
