//! Splits states into parts, so that a search knows which parts a step reads and which it writes.
//!
//! The fields of structs, and the entries of maps in them, are parts. Each part has a *slot* in a row of numbers, which holds the number of its
//! value; 0 stands for a missing entry. A step is run from a state about which nothing is known. When it has to know a part, it
//! gets the value in the row, and the read is recorded.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{
    intern::{Id, Interner},
    symmetry,
};
use crate::{
    explore::{
        cells::{Cells, Knowledge, Need, Origin, with_base},
        machine::Machine,
        search::{Given, Search},
        value::{Base, CellId, MapValue, Sort, Value},
    },
    ir::{Program, Type, TypeDefKind},
};

/// The value of an empty slot.
pub(super) const ABSENT: Id = 0;

/// A slot of a row.
pub(super) type Slot = u32;

/// A part of a state, by number.
type NodeId = usize;

enum Node {
    /// A struct or tuple.
    Fields(Vec<NodeId>),
    /// A map whose entries are parts.
    Entries { default: Option<Rc<Value>>, slots: FxHashMap<Value, Slot>, order: Vec<(Value, Slot)> },
    /// A part that is not split further.
    Leaf(Slot),
}

/// The place of a cell of the unknown state.
#[derive(Clone)]
enum Place {
    Node(NodeId),
    /// Inside the value of a slot.
    Within(Slot, Vec<Inner>),
}

/// A step from a value to a part of it.
#[derive(Clone)]
enum Inner {
    /// A field, an element, or a payload.
    Index(u32),
    /// The entry at a key.
    Key(Value),
}

/// A read of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Read {
    /// The value of a part.
    Slot(Slot),
    /// The set of keys of a map.
    Keys(NodeId),
    /// The number of scalars of each type in the whole state.
    Atoms,
}

/// A write of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Write {
    /// Writes a value to a part.
    Slot(Slot, Id),
    /// Removes all entries of a map.
    Clear(NodeId),
}

/// For each scalar type, the number of scalars.
pub(super) type Atoms = Vec<(Sort, u32)>;

/// How states of one type are split into parts; and the row that answers the reads of the current step.
pub(super) struct Parts {
    root: CellId,
    nodes: Vec<Node>,
    slots: u32,
    places: FxHashMap<CellId, Option<Place>>,
    pub(super) values: Interner<Value>,
    /// Lists of slots: the results of [`Read::Keys`].
    keys: Interner<Vec<Slot>>,
    /// The processes in values.
    processes: FxHashMap<Id, Rc<[u32]>>,
    row: Rc<Vec<Id>>,
    atoms: Rc<Atoms>,
    atoms_id: Id,
    /// The reads so far, in order, with their results.
    pub(super) reads: Vec<(Read, Id)>,
}

impl Parts {
    /// Splits states of this type, the unknown one of which is `root`.
    pub(super) fn new(program: &Program, ty: &Type, root: CellId) -> Parts {
        let mut values = Interner::new();
        // The number of an empty slot. No part of a state is a key by itself, so this is never looked up.
        values.intern(Value::Cell(CellId(u32::MAX)));
        let mut parts = Parts {
            root,
            nodes: Vec::new(),
            slots: 0,
            places: FxHashMap::default(),
            values,
            keys: Interner::new(),
            processes: FxHashMap::default(),
            row: Rc::default(),
            atoms: Rc::default(),
            atoms_id: 0,
            reads: Vec::new(),
        };
        parts.node(program, ty);
        parts
    }

    fn node(&mut self, program: &Program, ty: &Type) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node::Leaf(0));
        let fields = match ty {
            Type::Tuple(fields) => Some(fields.clone()),
            Type::User(user) => match &program.types[user.0 as usize].kind {
                TypeDefKind::Struct(fields) => Some(fields.iter().map(|it| it.ty.clone()).collect()),
                _ => None,
            },
            _ => None,
        };
        self.nodes[id] = match (fields, ty) {
            (Some(fields), _) => {
                let fields = fields.iter().map(|it| self.node(program, it)).collect();
                Node::Fields(fields)
            }
            (None, Type::Map(..)) => Node::Entries { default: None, slots: FxHashMap::default(), order: Vec::new() },
            (None, Type::Total(_, value)) => {
                let default = Some(Rc::new(crate::explore::cells::default_of(program, value)));
                Node::Entries { default, slots: FxHashMap::default(), order: Vec::new() }
            }
            _ => {
                self.slots += 1;
                Node::Leaf(self.slots - 1)
            }
        };
        id
    }

    /// The slot of the entry of a map at a key.
    fn slot_of(&mut self, node: NodeId, key: &Value) -> Slot {
        let Node::Entries { slots, order, .. } = &mut self.nodes[node] else { unreachable!("only maps have entries") };
        *slots.entry(key.clone()).or_insert_with(|| {
            order.push((key.clone(), self.slots));
            self.slots += 1;
            self.slots - 1
        })
    }

    /// Splits a state into parts.
    pub(super) fn split(&mut self, state: &Value) -> Vec<Id> {
        let mut writes = Vec::new();
        self.split_node(0, state, &mut writes);
        let mut row = Vec::new();
        self.write(&mut row, &writes);
        row
    }

    fn split_node(&mut self, node: NodeId, value: &Value, writes: &mut Vec<Write>) {
        match (&self.nodes[node], value) {
            (Node::Fields(children), Value::Tuple(fields)) => {
                for (child, field) in children.clone().into_iter().zip(fields.iter()) {
                    self.split_node(child, field, writes);
                }
            }
            (Node::Entries { .. }, Value::Map(map)) => {
                writes.push(Write::Clear(node));
                for (key, value) in map.over.iter() {
                    if let Some(value) = value {
                        let (slot, id) = (self.slot_of(node, key), self.values.intern(value.clone()));
                        writes.push(Write::Slot(slot, id));
                    }
                }
            }
            (Node::Leaf(slot), _) => writes.push(Write::Slot(*slot, self.values.intern(value.clone()))),
            // A struct without fields.
            _ => {}
        }
    }

    /// Changes a row. Empty slots at its end are removed, so that equal states have equal rows.
    pub(super) fn write(&self, row: &mut Vec<Id>, writes: &[Write]) {
        row.resize(self.slots as usize, ABSENT);
        for write in writes {
            match write {
                Write::Slot(slot, id) => row[*slot as usize] = *id,
                Write::Clear(node) => {
                    if let Node::Entries { order, .. } = &self.nodes[*node] {
                        order.iter().for_each(|(_, slot)| row[*slot as usize] = ABSENT);
                    }
                }
            }
        }
        let length = row.iter().rposition(|it| *it != ABSENT).map_or(0, |it| it + 1);
        row.truncate(length);
    }

    /// Reassembles a state.
    pub(super) fn join(&self, row: &[Id]) -> Value {
        self.join_node(0, row)
    }

    fn join_node(&self, node: NodeId, row: &[Id]) -> Value {
        match &self.nodes[node] {
            Node::Fields(children) => Value::tuple(children.iter().map(|it| self.join_node(*it, row)).collect()),
            Node::Entries { default, order, .. } => {
                let mut map = MapValue::empty(default.as_deref().cloned());
                for (key, slot) in order {
                    if let Some(value) = self.at(row, *slot) {
                        map = map.with(key.clone(), Some(value));
                    }
                }
                Value::Map(map)
            }
            Node::Leaf(slot) => self.at(row, *slot).unwrap_or(Value::Unit),
        }
    }

    fn at(&self, row: &[Id], slot: Slot) -> Option<Value> {
        match row.get(slot as usize).copied().unwrap_or(ABSENT) {
            ABSENT => None,
            id => Some((**self.values.get(id)).clone()),
        }
    }

    /// The result of a read in a row; `None` if the row does not determine it.
    pub(super) fn peek(&mut self, read: Read, row: &[Id]) -> Option<Id> {
        match read {
            Read::Slot(slot) => Some(row.get(slot as usize).copied().unwrap_or(ABSENT)),
            Read::Keys(node) => {
                let Node::Entries { order, .. } = &self.nodes[node] else { return None };
                let is_present = |it: &Slot| row.get(*it as usize).is_some_and(|id| *id != ABSENT);
                Some(self.keys.intern(order.iter().map(|(_, slot)| *slot).filter(is_present).collect()))
            }
            Read::Atoms => None,
        }
    }

    /// A state with processes renamed. `None` if a value has no renaming.
    pub(super) fn renamed(&mut self, row: &[Id], to: &[u32]) -> Option<Vec<Id>> {
        let mut writes = Vec::new();
        for node in 0..self.nodes.len() {
            match &self.nodes[node] {
                Node::Fields(_) => {}
                Node::Leaf(slot) => writes.push((*slot, row.get(*slot as usize).copied().unwrap_or(ABSENT))),
                Node::Entries { order, .. } => {
                    let present: Vec<(Value, Id)> = order
                        .iter()
                        .filter_map(|(key, slot)| Some((key.clone(), *row.get(*slot as usize)?)))
                        .filter(|it| it.1 != ABSENT)
                        .collect();
                    for (key, id) in present {
                        let key = symmetry::renamed(&key, to)?;
                        writes.push((self.slot_of(node, &key), id));
                    }
                }
            }
        }
        let mut result = vec![ABSENT; self.slots as usize];
        for (slot, id) in writes {
            result[slot as usize] = if id == ABSENT { ABSENT } else { self.renamed_value(id, to)? };
        }
        let length = result.iter().rposition(|it| *it != ABSENT).map_or(0, |it| it + 1);
        result.truncate(length);
        Some(result)
    }

    fn renamed_value(&mut self, id: Id, to: &[u32]) -> Option<Id> {
        let value = Rc::clone(self.values.get(id));
        let renamed = symmetry::renamed(&value, to)?;
        Some(if renamed == *value { id } else { self.values.intern(renamed) })
    }

    /// What a state holds for a process: the entries at its key.
    pub(super) fn of_process(&self, row: &[Id], process: u32) -> Vec<(NodeId, Id)> {
        let key = Value::Atom(Sort::Pid, process);
        let entry = |(number, node): (NodeId, &Node)| {
            let Node::Entries { slots, .. } = node else { return None };
            let id = row.get(*slots.get(&key)? as usize).copied().unwrap_or(ABSENT);
            (id != ABSENT).then_some((number, id))
        };
        self.nodes.iter().enumerate().filter_map(entry).collect()
    }

    /// Where a state mentions a process, besides the keys of entries.
    pub(super) fn mentions_of(&mut self, row: &[Id], process: u32) -> Vec<Slot> {
        let is_process = |it: &Value| matches!(it, Value::Atom(Sort::Pid, _));
        let mut slots = Vec::new();
        for node in &self.nodes {
            match node {
                Node::Leaf(slot) => slots.push(*slot),
                Node::Entries { order, .. } => {
                    slots.extend(order.iter().filter(|it| !is_process(&it.0)).map(|it| it.1))
                }
                Node::Fields(_) => {}
            }
        }
        let mut mentions = |slot: &Slot| match row.get(*slot as usize).copied().unwrap_or(ABSENT) {
            ABSENT => false,
            id => self.processes_in(id).contains(&process),
        };
        slots.retain(&mut mentions);
        slots
    }

    /// The processes in a value.
    fn processes_in(&mut self, id: Id) -> Rc<[u32]> {
        if let Some(known) = self.processes.get(&id) {
            return Rc::clone(known);
        }
        let mut found = Vec::new();
        self.values.get(id).for_each_part(&mut |it| {
            if let Value::Atom(Sort::Pid, number) = it {
                found.push(*number);
            }
        });
        let found: Rc<[u32]> = Rc::from(found);
        self.processes.insert(id, Rc::clone(&found));
        found
    }

    /// From now on, reads are answered from this row.
    pub(super) fn tell_of(&mut self, row: Rc<Vec<Id>>, (atoms, atoms_id): (Rc<Atoms>, Id)) {
        (self.row, self.atoms, self.atoms_id) = (row, atoms, atoms_id);
        self.reads.clear();
    }

    fn read(&mut self, read: Read) -> Id {
        if let Some((_, id)) = self.reads.iter().find(|it| it.0 == read) {
            return *id;
        }
        let row = Rc::clone(&self.row);
        let id = self.peek(read, &row).unwrap_or(self.atoms_id);
        self.reads.push((read, id));
        id
    }

    fn value_of(&mut self, slot: Slot) -> Option<Value> {
        match self.read(Read::Slot(slot)) {
            ABSENT => None,
            id => Some((**self.values.get(id)).clone()),
        }
    }

    /// The place of a cell; `None` if it is not part of the unknown state.
    fn place(&mut self, cells: &Cells<'_>, id: CellId) -> Option<Place> {
        if id == self.root {
            return Some(Place::Node(0));
        }
        if let Some(known) = self.places.get(&id) {
            return known.clone();
        }
        let place = match cells.get(id).origin.clone() {
            Origin::Part(parent, index) => self.inside(cells, parent, Inner::Index(index)),
            Origin::Payload(parent, _, index) => self.inside(cells, parent, Inner::Index(index)),
            Origin::Entry(parent, key) => self.inside(cells, parent, Inner::Key(key)),
            Origin::Root(..) | Origin::Choice(..) => None,
        };
        self.places.insert(id, place.clone());
        place
    }

    fn inside(&mut self, cells: &Cells<'_>, parent: CellId, inner: Inner) -> Option<Place> {
        Some(match self.place(cells, parent)? {
            Place::Within(slot, mut path) => {
                path.push(inner);
                Place::Within(slot, path)
            }
            Place::Node(node) => match (&self.nodes[node], inner) {
                (Node::Fields(children), Inner::Index(index)) => self.as_place(children[index as usize]),
                (Node::Entries { .. }, Inner::Key(key)) => Place::Within(self.slot_of(node, &key), Vec::new()),
                _ => return None,
            },
        })
    }

    fn as_place(&self, node: NodeId) -> Place {
        match &self.nodes[node] {
            Node::Leaf(slot) => Place::Within(*slot, Vec::new()),
            _ => Place::Node(node),
        }
    }

    /// The value at a place within a slot.
    fn value_within(&mut self, slot: Slot, path: &[Inner]) -> Option<Value> {
        let mut value = self.value_of(slot)?;
        for inner in path {
            value = match (inner, &value) {
                (Inner::Index(index), Value::Tuple(all) | Value::Variant(_, all)) => all.get(*index as usize)?.clone(),
                (Inner::Index(index), Value::Seq(all)) => all.get(*index as usize)?.clone(),
                (Inner::Key(key), Value::Map(map)) => {
                    map.over.get(key).cloned().flatten().or_else(|| map.default.as_deref().cloned())?
                }
                _ => return None,
            };
        }
        Some(value)
    }

    /// The writes of a step that leads from the unknown state to `value`.
    ///
    /// # Errors
    /// The need that has to be met first.
    pub(super) fn writes(
        parts: &std::cell::RefCell<Parts>,
        search: &mut Search<'_, '_>,
        machine: &Machine,
        value: &Value,
    ) -> Result<Vec<Write>, Need> {
        let mut writes = Vec::new();
        Differ { parts, machine }.node(search, 0, value, &mut writes)?;
        Ok(writes)
    }
}

/// Compares the state after a step with the state before it, part by part.
struct Differ<'a> {
    parts: &'a std::cell::RefCell<Parts>,
    machine: &'a Machine,
}

impl Differ<'_> {
    fn is_at(&self, search: &Search<'_, '_>, cell: CellId, node: NodeId) -> bool {
        let place = self.parts.borrow_mut().place(&search.world.cells, cell);
        matches!(place, Some(Place::Node(it)) if it == node)
    }

    fn node(
        &self,
        search: &mut Search<'_, '_>,
        node: NodeId,
        value: &Value,
        writes: &mut Vec<Write>,
    ) -> Result<(), Need> {
        let value = self.machine.resolve(value);
        if let Value::Cell(cell) = value
            && self.is_at(search, cell, node)
        {
            return Ok(());
        }
        let kind = match &self.parts.borrow().nodes[node] {
            Node::Leaf(slot) => Err(*slot),
            Node::Fields(children) => Ok(Some(children.clone())),
            Node::Entries { .. } => Ok(None),
        };
        match kind {
            Err(slot) => self.slot(search, slot, &value, writes),
            Ok(Some(children)) => {
                if let Value::Tuple(fields) = self.machine.force(search.world, &value)? {
                    for (child, field) in children.into_iter().zip(fields.iter()) {
                        self.node(search, child, field, writes)?;
                    }
                }
                Ok(())
            }
            Ok(None) => {
                let Value::Map(map) = self.machine.force(search.world, &value)? else { return Ok(()) };
                let is_changed = matches!(map.base, Base::Unknown(cell) if self.is_at(search, cell, node));
                if !is_changed {
                    let settled = self.machine.settle(search.world, &value)?;
                    self.parts.borrow_mut().split_node(node, &settled, writes);
                    return Ok(());
                }
                for (key, entry) in map.over.iter() {
                    let slot = self.parts.borrow_mut().slot_of(node, key);
                    match entry {
                        None => writes.push(Write::Slot(slot, ABSENT)),
                        Some(value) => self.entry(search, slot, (value, map.default.as_deref()), writes)?,
                    }
                }
                Ok(())
            }
        }
    }

    /// An entry of a total function with the default value counts as absent.
    fn entry(
        &self,
        search: &mut Search<'_, '_>,
        slot: Slot,
        (value, default): (&Value, Option<&Value>),
        writes: &mut Vec<Write>,
    ) -> Result<(), Need> {
        let mut written = Vec::new();
        self.slot(search, slot, value, &mut written)?;
        for write in written {
            let parts = self.parts.borrow();
            let is_default = |id: Id| default.is_some_and(|default| **parts.values.get(id) == *default);
            writes.push(match write {
                Write::Slot(slot, id) if is_default(id) => Write::Slot(slot, ABSENT),
                write => write,
            });
        }
        Ok(())
    }

    fn slot(
        &self,
        search: &mut Search<'_, '_>,
        slot: Slot,
        value: &Value,
        writes: &mut Vec<Write>,
    ) -> Result<(), Need> {
        let value = self.machine.resolve(value);
        if let Value::Cell(cell) = value {
            let place = self.parts.borrow_mut().place(&search.world.cells, cell);
            if matches!(place, Some(Place::Within(it, path)) if it == slot && path.is_empty()) {
                return Ok(());
            }
        }
        let settled = self.machine.settle(search.world, &value)?;
        let mut parts = self.parts.borrow_mut();
        let id = parts.values.intern(settled);
        // A value that was read and is written back unchanged is not a write.
        if !parts.reads.contains(&(Read::Slot(slot), id)) {
            writes.push(Write::Slot(slot, id));
        }
        Ok(())
    }
}

impl Given for Parts {
    fn answer(&mut self, cells: &mut Cells<'_>, known: &Knowledge, need: &Need) -> Result<Knowledge, Knowledge> {
        let Some(place) = self.place(cells, need.cell()) else {
            return Err(self.with_atoms(cells, known, need.cell()));
        };
        let mut known = known.clone();
        match (need, place) {
            (Need::Resolve(cell), Place::Within(slot, path)) => match self.value_within(slot, &path) {
                Some(value) => drop(Rc::make_mut(&mut known.resolved).insert(*cell, value)),
                None => return Err(known),
            },
            (Need::Entry(base, key), Place::Node(node)) => {
                let slot = self.slot_of(node, key);
                let entry = self.value_of(slot);
                known = with_base(&known, *base, |facts| drop(facts.entries.insert(key.clone(), entry)));
            }
            (Need::Close(base), Place::Node(node)) => {
                let keys = self.read(Read::Keys(node));
                let present = Rc::clone(self.keys.get(keys));
                let Node::Entries { order, .. } = &self.nodes[node] else { return Err(known) };
                let present: Vec<_> = order.iter().filter(|it| present.contains(&it.1)).cloned().collect();
                let entries: Vec<_> = present.into_iter().map(|(key, slot)| (key, self.value_of(slot))).collect();
                known = with_base(&known, *base, |facts| {
                    facts.entries = entries.into_iter().collect();
                    facts.closed = true;
                });
            }
            (Need::Entry(base, _) | Need::Close(base), Place::Within(slot, path)) => {
                let Some(Value::Map(map)) = self.value_within(slot, &path) else { return Err(known) };
                known = with_base(&known, *base, |facts| {
                    facts.entries = (*map.over).clone();
                    facts.closed = true;
                });
            }
            _ => return Err(known),
        }
        Ok(known)
    }
}

impl Parts {
    /// A choice may take a scalar that is in use, or a new one; it depends on the scalars in use.
    fn with_atoms(&mut self, cells: &Cells<'_>, known: &Knowledge, cell: CellId) -> Knowledge {
        let mut known = known.clone();
        let cell = cells.get(cell);
        if cell.chosen && !matches!(*cell.ty, Type::Bool | Type::Int { .. }) {
            self.read(Read::Atoms);
            for (sort, count) in self.atoms.iter() {
                known.mention(*sort, *count);
            }
        }
        known
    }
}
