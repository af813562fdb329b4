//! Cells: values that are not known until code looks at them; and what is known so far.
//!
//! A cell is named by where it comes from ("field 1 of the state", "the entry of `p0` in that map"), not by when it was met, so that two
//! runs that look at the same component in a different order talk about the same cell. Scalars are split up to renaming: "equal to one that
//! has been mentioned, or a fresh one", which is complete because code can only compare them.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use rustc_hash::FxHashMap;

use super::{
    text::{self, Piece, Shape, ShapePiece},
    value::{Base, CellId, MapValue, Sort, Value},
};
use crate::{
    ir::{Literal, Program, SMALL_BITS, Type, TypeDefKind},
    verdict::Scope,
};

/// Where a cell comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An unknown that the obligation starts from: a state, an argument. Numbers are given out by those who ask; the type keeps apart
    /// what happens to have one number.
    Root(u32, Rc<Type>),
    /// A component of another cell: a field, or an element of a sequence.
    Part(CellId, u32),
    /// A payload of a variant of another cell.
    Payload(CellId, u32, u32),
    /// The value at a key of an unknown map.
    Entry(CellId, Value),
    /// What the n-th `any()` of a run gave, by the type of it.
    Choice(u32, u32),
}

/// Who gets to choose the value of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// All values are considered.
    Universal,
    /// One value is searched for.
    Existential,
}

/// A cell's name, type and quantifier.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Where it comes from.
    pub origin: Origin,
    /// The type of its value.
    pub ty: Rc<Type>,
    /// Who chooses.
    pub quantifier: Quantifier,
    /// Comes from an `any()`, itself or what it is part of: dead once nothing refers to it.
    pub chosen: bool,
}

/// How integers that code takes from unknown state are represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Only compared: atoms, any number of them.
    Atoms,
    /// Calculated with: the integers of the scope.
    Concrete,
    /// The same, and processes have numbers too, because their digits matter.
    Digits,
}

/// What code needs to know before it can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The value of a cell, one level deep.
    Resolve(CellId),
    /// Whether an unknown map has an entry at this key.
    Entry(CellId, Value),
    /// Whether an unknown map has entries beyond those known.
    Close(CellId),
}

impl Need {
    /// The cell in question.
    pub fn cell(&self) -> CellId {
        match self {
            Need::Resolve(cell) | Need::Entry(cell, _) | Need::Close(cell) => *cell,
        }
    }
}

/// What is known of an unknown map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseFacts {
    /// Known entries: a value, or absent. In a total function an entry that is not absent may still be the default.
    pub entries: BTreeMap<Value, Option<Value>>,
    /// The last key that was added while listing the map: later ones are greater.
    pub last_extra: Option<Value>,
    /// There are no other entries.
    pub closed: bool,
}

/// What is known of universal cells on one path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knowledge {
    /// Cells that have been looked at.
    pub resolved: Rc<BTreeMap<CellId, Value>>,
    /// Unknown maps that have been looked at.
    pub bases: Rc<BTreeMap<CellId, BaseFacts>>,
    /// Cells known to differ from their type's default.
    pub nondefault: Rc<BTreeSet<CellId>>,
    /// For each sort, how many atoms have been mentioned: numbers `0..n`.
    pub atoms: Rc<BTreeMap<Sort, u32>>,
}

impl Knowledge {
    /// How many atoms of `sort` have been mentioned.
    pub fn mentioned(&self, sort: Sort) -> u32 {
        self.atoms.get(&sort).copied().unwrap_or(0)
    }

    /// Notes that atoms of `sort` below `count` have been mentioned.
    pub fn mention(&mut self, sort: Sort, count: u32) {
        if self.mentioned(sort) < count {
            Rc::make_mut(&mut self.atoms).insert(sort, count);
        }
    }

    /// The most entries that some unknown collection is known to have.
    fn most_entries(&self) -> u32 {
        let present = |it: &BaseFacts| it.entries.values().filter(|entry| entry.is_some()).count() as u32;
        self.bases.values().map(present).max().unwrap_or_default()
    }

    /// The length of the longest unknown sequence that has been looked at.
    fn longest(&self) -> u32 {
        let length = |it: &Value| if let Value::Seq(elements) = it { elements.len() as u32 } else { 0 };
        self.resolved.values().map(length).max().unwrap_or_default()
    }

    /// Whether every state that `other` allows is one that `self` allows.
    pub fn is_weaker_than(&self, other: &Knowledge) -> bool {
        self.resolved.iter().all(|(cell, value)| other.resolved.get(cell) == Some(value))
            && self.nondefault.iter().all(|cell| other.nondefault.contains(cell) || other.resolved.contains_key(cell))
            && self.bases.iter().all(|(base, facts)| {
                other.bases.get(base).is_some_and(|theirs| {
                    (!facts.closed || theirs.closed)
                        && facts.entries.iter().all(|(key, value)| match theirs.entries.get(key) {
                            Some(known) => known == value,
                            None => theirs.closed && value.is_none(),
                        })
                })
            })
            && self.atoms.iter().all(|(sort, count)| other.mentioned(*sort) >= *count)
    }
}

/// All cells of one obligation, and the limits that splits respect.
pub struct Cells<'p> {
    /// The program, for its types.
    pub program: &'p Program,
    /// How far splits go.
    pub scope: Scope,
    /// How unknown integers are represented.
    pub numbers: Numbers,
    /// Bounds met so far, as they are shown.
    pub bounds_met: BTreeSet<String>,
    /// Integer literals of the code at hand: an integer atom is none of these.
    pub int_literals: BTreeSet<i64>,
    /// String literals of the code at hand.
    pub str_literals: BTreeSet<String>,
    /// Shapes of the strings that the code at hand makes, as far as they are known.
    pub shapes: BTreeSet<Shape>,
    /// Shapes that turned up and were not known: unknown strings were split without them, so that nothing found so far counts.
    pub new_shapes: BTreeSet<Shape>,
    /// Scalars stand in the order of their numbers, which is one order only: for a search that forgets from step to step what it found out.
    pub ordered_by_number: bool,
    scalar_literals: BTreeMap<Sort, Vec<String>>,
    /// Collections of a witness search that code has looked into.
    opened: BTreeSet<CellId>,
    cells: Vec<Cell>,
    /// What [`Cells::expand`] gave for each cell, once it has been asked.
    expansions: Vec<Option<Option<Value>>>,
    names: FxHashMap<(Origin, Quantifier), CellId>,
}

/// The number of the unknown function from processes to their numbers.
const PROCESS_NUMBERS: u32 = 1 << 24;

/// Digits repeat in them, so that numbers run together in two ways: `1` and `11`, `11` and `1`.
const NUMBERS_OF_ONE_AND_TWO_DIGITS: [i64; 4] = [1, 11, 2, 12];

/// Atoms from here up are chosen by a witness search, and occur in no unknown state.
pub const WITNESS_ATOMS: u32 = 1 << 16;

impl<'p> Cells<'p> {
    /// No cells yet.
    pub fn new(program: &'p Program, scope: Scope, numbers: Numbers) -> Cells<'p> {
        Cells {
            program,
            scope,
            numbers,
            bounds_met: BTreeSet::new(),
            int_literals: BTreeSet::from([0]),
            str_literals: BTreeSet::from([String::new()]),
            shapes: BTreeSet::new(),
            new_shapes: BTreeSet::new(),
            ordered_by_number: false,
            scalar_literals: BTreeMap::new(),
            opened: BTreeSet::new(),
            cells: Vec::new(),
            expansions: Vec::new(),
            names: FxHashMap::default(),
        }
    }

    /// The cell of this origin; made if there is none yet.
    pub fn cell(&mut self, origin: Origin, ty: impl FnOnce() -> Rc<Type>, quantifier: Quantifier) -> CellId {
        if let Some(id) = self.names.get(&(origin.clone(), quantifier)) {
            return *id;
        }
        let id = CellId(self.cells.len() as u32);
        let chosen = match &origin {
            Origin::Root(..) => false,
            Origin::Choice(..) => true,
            Origin::Part(parent, _) | Origin::Payload(parent, ..) | Origin::Entry(parent, _) => {
                self.get(*parent).chosen
            }
        };
        self.expansions.push(None);
        self.cells.push(Cell { origin: origin.clone(), ty: ty(), quantifier, chosen });
        self.names.insert((origin, quantifier), id);
        id
    }

    /// What `id` names.
    pub fn get(&self, id: CellId) -> &Cell {
        &self.cells[id.0 as usize]
    }

    /// Registers a literal of the code at hand and gives its value.
    pub fn literal(&mut self, literal: &Literal) -> Value {
        match literal {
            Literal::Bool(it) => Value::Bool(*it),
            Literal::Int(it) => {
                self.int_literals.insert(*it);
                Value::Int(*it)
            }
            Literal::Str(it) => {
                self.str_literals.insert(it.clone());
                Value::Str(Rc::from(it.as_str()))
            }
            Literal::Scalar(ty, text) => {
                let sort = sort_of(self.program, ty).unwrap_or(Sort::Pid);
                let known = self.scalar_literals.entry(sort).or_default();
                let number = known.iter().position(|it| it == text).unwrap_or_else(|| {
                    known.push(text.clone());
                    known.len() - 1
                });
                Value::Atom(sort, number as u32)
            }
        }
    }

    /// The literals of `sort` that the code at hand names: atoms `0..n`.
    pub fn scalar_literals(&self, sort: Sort) -> &[String] {
        self.scalar_literals.get(&sort).map_or(&[], Vec::as_slice)
    }

    /// Strings of this shape are made by the code at hand.
    pub fn add_shape(&mut self, shape: &Shape) {
        self.int_literals.extend(shape.numbers());
        match shape.literal() {
            Some(text) => drop(self.str_literals.insert(text.to_owned())),
            None => drop(self.shapes.insert(shape.clone())),
        }
    }

    /// Notes that a string is compared with others.
    pub fn note_string(&mut self, value: &Value) {
        let is_known = match value {
            Value::Str(text) => self.str_literals.contains(&**text),
            Value::Text(_) => text::shape(value).is_none_or(|it| self.shapes.contains(&it)),
            _ => true,
        };
        if !is_known {
            self.new_shapes.extend(text::shape(value));
        }
    }

    /// The number of a process: unknown, and different from those of others.
    pub fn process_number(&mut self, process: &Value) -> Value {
        let base = self.process_numbers();
        self.entry(base, process)
    }

    fn process_numbers(&mut self) -> CellId {
        self.function(PROCESS_NUMBERS, Type::Pid, Type::U64)
    }

    /// An unknown function, by what it is called with: code that looks at unknown strings depends on them in some way.
    pub fn function(&mut self, number: u32, from: Type, to: Type) -> CellId {
        let ty = Rc::new(Type::Map(Box::new(from), Box::new(to)));
        self.cell(Origin::Root(number, ty.clone()), || ty, Quantifier::Universal)
    }

    /// What is known at the start: the literals have been mentioned.
    pub fn start(&self) -> Knowledge {
        let mut knowledge = Knowledge::default();
        for (sort, literals) in &self.scalar_literals {
            knowledge.mention(*sort, literals.len() as u32);
        }
        knowledge
    }

    /// An unknown value of type `ty`.
    pub fn root(&mut self, number: u32, ty: &Type, quantifier: Quantifier) -> Value {
        let ty = Rc::new(ty.clone());
        Value::Cell(self.cell(Origin::Root(number, ty.clone()), || ty, quantifier))
    }

    /// Notes that code looks into a cell.
    pub fn note_opened(&mut self, id: CellId) {
        let Cell { ty, quantifier, .. } = self.get(id);
        if *quantifier == Quantifier::Existential && matches!(**ty, Type::Map(..) | Type::Set(_) | Type::Total(..)) {
            self.opened.insert(id);
        }
    }

    /// Whether a cell of a witness search can be chosen as a whole: nothing can have been said of parts of it. Structs are chosen field by
    /// field, and a collection that code has looked into entry by entry.
    pub fn is_whole(&self, id: CellId) -> bool {
        match &*self.get(id).ty {
            Type::Tuple(_) => false,
            Type::User(user) => !matches!(self.program.types[user.0 as usize].kind, TypeDefKind::Struct(_)),
            _ => !self.opened.contains(&id),
        }
    }

    /// Structs and collections have one shape only: their value, one level deep, with cells inside.
    pub fn expand(&mut self, id: CellId) -> Option<Value> {
        if let Some(known) = &self.expansions[id.0 as usize] {
            return known.clone();
        }
        let expansion = self.expansion(id);
        self.expansions[id.0 as usize] = Some(expansion.clone());
        expansion
    }

    fn expansion(&mut self, id: CellId) -> Option<Value> {
        let Cell { ty, quantifier, .. } = self.get(id).clone();
        let part = |cells: &mut Self, index: usize, ty: &Type| {
            Value::Cell(cells.cell(Origin::Part(id, index as u32), || Rc::new(ty.clone()), quantifier))
        };
        match &*ty {
            Type::Tuple(fields) => {
                Some(Value::tuple(fields.iter().enumerate().map(|(index, ty)| part(self, index, ty)).collect()))
            }
            Type::User(user) => match &self.program.types[user.0 as usize].kind {
                TypeDefKind::Struct(fields) => Some(Value::tuple(
                    fields.iter().enumerate().map(|(index, field)| part(self, index, &field.ty)).collect(),
                )),
                TypeDefKind::Scalar | TypeDefKind::Enum(_) => None,
            },
            Type::Map(..) | Type::Set(_) => Some(unknown_map(id, None)),
            Type::Total(_, value) => {
                let default = default_of(self.program, value);
                Some(unknown_map(id, Some(Rc::new(default))))
            }
            _ => None,
        }
    }

    /// The value at `key` of the unknown map `base`.
    pub fn entry(&mut self, base: CellId, key: &Value) -> Value {
        let Cell { ty, quantifier, .. } = self.get(base).clone();
        match &*ty {
            Type::Map(_, value) | Type::Total(_, value) => {
                Value::Cell(self.cell(Origin::Entry(base, key.clone()), || Rc::new((**value).clone()), quantifier))
            }
            _ => Value::Unit,
        }
    }

    /// The cases of `need`, each as the knowledge that holds in it. `bounded`: the split happens inside a loop that may go on, so
    /// scalars it brings into play are limited by the scope.
    pub fn split(&mut self, need: &Need, known: &Knowledge, bounded: bool) -> Vec<Knowledge> {
        match need {
            Need::Resolve(id) => self
                .values(*id, known, bounded)
                .into_iter()
                .map(|(value, mut knowledge)| {
                    Rc::make_mut(&mut knowledge.resolved).insert(*id, value);
                    knowledge
                })
                .collect(),
            Need::Entry(base, key) => {
                let present = Some(self.entry(*base, key));
                // A total function has a value everywhere; whether it is the default is asked later, if at all.
                let absent = (!matches!(*self.get(*base).ty, Type::Total(..))).then_some(None);
                absent
                    .into_iter()
                    .chain([present])
                    .map(|entry| with_base(known, *base, |facts| drop(facts.entries.insert(key.clone(), entry))))
                    .collect()
            }
            Need::Close(base) => self.split_close(*base, known, bounded),
        }
    }

    /// Either the unknown map has no more entries, or one more, at a key greater than those listed before.
    fn split_close(&mut self, base: CellId, known: &Knowledge, bounded: bool) -> Vec<Knowledge> {
        let mut cases = vec![with_base(known, base, |facts| facts.closed = true)];
        let ty = self.get(base).ty.clone();
        let (key_ty, is_total) = match &*ty {
            Type::Map(key, _) | Type::Set(key) => (&**key, false),
            Type::Total(key, _) => (&**key, true),
            _ => return cases,
        };
        let facts = known.bases.get(&base).cloned().unwrap_or_default();
        let present = facts.entries.values().filter(|entry| entry.is_some()).count() as u32;
        let (limit, what) = match key_ty {
            Type::Pid => (self.scope.pids, "Pid"),
            _ => (self.scope.entries, "entries"),
        };
        // What is searched for may be as large as what is given.
        let most = match self.get(base).quantifier {
            Quantifier::Existential => limit.max(known.most_entries()),
            Quantifier::Universal => limit,
        };
        if present >= most {
            self.bounds_met.insert(format!("{what} ≤ {limit}"));
            return cases;
        }
        for (key, knowledge) in self.values_of(key_ty, known, bounded) {
            let is_new = !facts.entries.contains_key(&key) && facts.last_extra.as_ref().is_none_or(|last| *last < key);
            if !is_new {
                continue;
            }
            let value = self.entry(base, &key);
            let mut case = with_base(&knowledge, base, |facts| {
                facts.entries.insert(key.clone(), Some(value.clone()));
                facts.last_extra = Some(key);
            });
            if let (true, Value::Cell(cell)) = (is_total, &value) {
                Rc::make_mut(&mut case.nondefault).insert(*cell);
            }
            cases.push(case);
        }
        cases
    }

    /// The values a cell may have, one level deep, each with the atoms that are mentioned then.
    pub fn values(&mut self, id: CellId, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        let Cell { ty, quantifier, .. } = self.get(id).clone();
        let nondefault = known.nondefault.contains(&id);
        if self.numbers == Numbers::Digits
            && let Origin::Entry(base, _) = self.get(id).origin
            && base == self.process_numbers()
        {
            return self.free_process_numbers(base, known);
        }
        let variants = |cells: &mut Self, tag: u32, fields: Vec<Type>| {
            let fields = fields.iter().enumerate().map(|(index, ty)| {
                let origin = Origin::Payload(id, tag, index as u32);
                Value::Cell(cells.cell(origin, || Rc::new(ty.clone()), quantifier))
            });
            (Value::Variant(tag, fields.collect()), known.clone())
        };
        let mut cases = match &*ty {
            Type::Option(inner) => {
                vec![variants(self, 0, vec![]), variants(self, 1, vec![(**inner).clone()])]
            }
            Type::User(user) => match self.program.types[user.0 as usize].kind.clone() {
                TypeDefKind::Enum(all) => all
                    .into_iter()
                    .enumerate()
                    .map(|(tag, variant)| {
                        variants(self, tag as u32, variant.fields.into_iter().map(|it| it.ty).collect())
                    })
                    .collect(),
                _ => self.values_of(&ty, known, bounded),
            },
            Type::Seq(element) => {
                let limit = self.scope.entries;
                self.bounds_met.insert(format!("Seq ≤ {limit} entries"));
                let longest = if quantifier == Quantifier::Existential { known.longest() } else { 0 };
                (0..=limit.max(longest))
                    .map(|length| {
                        let elements = (0..length).map(|index| {
                            let origin = Origin::Part(id, index);
                            Value::Cell(self.cell(origin, || Rc::new((**element).clone()), quantifier))
                        });
                        (Value::seq(elements.collect()), known.clone())
                    })
                    .collect()
            }
            _ => self.values_of(&ty, known, bounded),
        };
        if nondefault {
            let default = default_of(self.program, &ty);
            cases.retain(|(value, _)| *value != default);
        }
        cases
    }

    /// The numbers that no process has yet.
    fn free_process_numbers(&mut self, base: CellId, known: &Knowledge) -> Vec<(Value, Knowledge)> {
        self.bounds_met.insert("numbers of processes".to_owned());
        let is_taken = |number: i64| {
            known.resolved.iter().any(|(cell, value)| {
                matches!(self.get(*cell).origin, Origin::Entry(it, _) if it == base) && *value == Value::Int(number)
            })
        };
        let free = NUMBERS_OF_ONE_AND_TWO_DIGITS.into_iter().filter(|it| !is_taken(*it));
        free.map(|it| (Value::Int(it), known.clone())).collect()
    }

    /// The strings of a shape, up to renaming.
    fn strings_of(&mut self, shape: &Shape, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        let mut rows: Vec<(Vec<Piece>, Knowledge)> = vec![(Vec::new(), known.clone())];
        for piece in &shape.0 {
            let mut longer = Vec::new();
            for (row, known) in rows {
                let options = match piece {
                    ShapePiece::Literal(text) => vec![(Value::Str(text.clone()), known)],
                    ShapePiece::Hole(Sort::Pid) => self.values_of(&Type::Pid, &known, bounded),
                    ShapePiece::Hole(_) => self.values_of(&Type::U64, &known, bounded),
                    ShapePiece::Other => Vec::new(),
                };
                for (value, known) in options {
                    let pieces = text::pieces(&value).unwrap_or_default();
                    longer.push((row.iter().cloned().chain(pieces).collect(), known));
                }
            }
            rows = longer;
        }
        rows.into_iter().map(|(pieces, known)| (text::join(pieces), known)).collect()
    }

    /// The values of a type without cells: scalars, numbers, and tuples of them.
    pub fn values_of(&mut self, ty: &Type, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        if let Some(sort) = sort_of(self.program, ty) {
            return self.atoms(sort, known, bounded);
        }
        match ty {
            Type::Bool => [false, true].map(|it| (Value::Bool(it), known.clone())).to_vec(),
            Type::Int { signed, bits } => self.numbers(*signed, *bits, known, bounded),
            Type::Str => {
                let literals: Vec<_> = self.str_literals.iter().map(|it| Value::Str(Rc::from(it.as_str()))).collect();
                let mut cases: Vec<_> = literals.into_iter().map(|it| (it, known.clone())).collect();
                cases.extend(self.atoms(Sort::Str, known, bounded));
                for shape in self.shapes.clone() {
                    let strings = self.strings_of(&shape, known, bounded);
                    let new: Vec<_> = strings.into_iter().filter(|it| !cases.iter().any(|old| old.0 == it.0)).collect();
                    cases.extend(new);
                }
                cases
            }
            Type::Option(inner) => {
                let mut cases = vec![(Value::none(), known.clone())];
                cases.extend(
                    self.values_of(inner, known, bounded).into_iter().map(|(it, known)| (Value::some(it), known)),
                );
                cases
            }
            Type::Tuple(fields) => {
                self.products(fields, known, bounded).into_iter().map(|(it, known)| (Value::tuple(it), known)).collect()
            }
            Type::User(user) => match self.program.types[user.0 as usize].kind.clone() {
                TypeDefKind::Struct(fields) => {
                    let fields: Vec<Type> = fields.into_iter().map(|it| it.ty).collect();
                    self.products(&fields, known, bounded)
                        .into_iter()
                        .map(|(it, known)| (Value::tuple(it), known))
                        .collect()
                }
                TypeDefKind::Enum(variants) => {
                    let mut cases = Vec::new();
                    for (tag, variant) in variants.into_iter().enumerate() {
                        let fields: Vec<Type> = variant.fields.into_iter().map(|it| it.ty).collect();
                        cases.extend(
                            self.products(&fields, known, bounded)
                                .into_iter()
                                .map(|(it, known)| (Value::Variant(tag as u32, Rc::from(it)), known)),
                        );
                    }
                    cases
                }
                TypeDefKind::Scalar => Vec::new(),
            },
            // Collections as keys: not enumerated, and said so.
            _ => {
                self.bounds_met.insert("keys that are collections".to_owned());
                vec![(default_of(self.program, ty), known.clone())]
            }
        }
    }

    fn products(&mut self, types: &[Type], known: &Knowledge, bounded: bool) -> Vec<(Vec<Value>, Knowledge)> {
        let mut rows = vec![(Vec::new(), known.clone())];
        for ty in types {
            let mut longer = Vec::new();
            for (row, known) in rows {
                for (value, known) in self.values_of(ty, &known, bounded) {
                    let mut row = row.clone();
                    row.push(value);
                    longer.push((row, known));
                }
            }
            rows = longer;
        }
        rows
    }

    fn atoms(&mut self, sort: Sort, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        let count = known.mentioned(sort);
        let mut cases: Vec<_> = (0..count).map(|it| (Value::Atom(sort, it), known.clone())).collect();
        let limit = self.limit(sort);
        if bounded && count >= limit.1 {
            self.bounds_met.insert(format!("{} ≤ {}", limit.0, limit.1));
        } else {
            let mut known = known.clone();
            known.mention(sort, count + 1);
            cases.push((Value::Atom(sort, count), known));
        }
        cases
    }

    fn limit(&self, sort: Sort) -> (String, u32) {
        match sort {
            Sort::Pid => ("Pid".to_owned(), self.scope.pids),
            Sort::User(user) => {
                let name = self.program.types[user as usize].name.clone();
                let limit = self.scope.scalars.get(&name).copied().unwrap_or(self.scope.scalars_default);
                (name, limit)
            }
            Sort::Int => ("int".to_owned(), self.scope.ints + 1),
            Sort::Str => ("String".to_owned(), self.scope.scalars_default),
        }
    }

    fn numbers(&mut self, signed: bool, bits: u8, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        let fits = |it: &i64| {
            let (low, high) = int_range(signed, bits);
            (low..=high).contains(&i128::from(*it))
        };
        match self.numbers {
            Numbers::Atoms => {
                let literals: Vec<i64> = self.int_literals.iter().copied().filter(fits).collect();
                let mut cases: Vec<_> = literals.into_iter().map(|it| (Value::Int(it), known.clone())).collect();
                cases.extend(self.atoms(Sort::Int, known, bounded));
                cases
            }
            Numbers::Concrete | Numbers::Digits => {
                let limit = i64::from(self.scope.ints);
                self.bounds_met.insert(format!("int ≤ {limit}"));
                let low = if signed { -limit } else { 0 };
                let mut all: BTreeSet<i64> = (low..=limit).collect();
                // What code compares with a literal changes beside it.
                let beyond = self.int_literals.iter().filter(|it| !(low..=limit).contains(*it));
                all.extend(beyond.flat_map(|it| [it.saturating_sub(1), *it, it.saturating_add(1)]).filter(fits));
                if bits <= SMALL_BITS {
                    let (least, greatest) = int_range(signed, bits);
                    all.extend([least as i64, greatest as i64]);
                }
                if self.numbers == Numbers::Digits {
                    all.extend(NUMBERS_OF_ONE_AND_TWO_DIGITS);
                }
                all.into_iter().map(|it| (Value::Int(it), known.clone())).collect()
            }
        }
    }
}

fn unknown_map(base: CellId, default: Option<Rc<Value>>) -> Value {
    Value::Map(MapValue { base: Base::Unknown(base), default, over: Rc::default() })
}

/// `known`, with the facts about `base` changed.
pub fn with_base(known: &Knowledge, base: CellId, change: impl FnOnce(&mut BaseFacts)) -> Knowledge {
    let mut known = known.clone();
    change(Rc::make_mut(&mut known.bases).entry(base).or_default());
    known
}

/// The sort of a type of which only equality matters.
pub fn sort_of(program: &Program, ty: &Type) -> Option<Sort> {
    match ty {
        Type::Pid => Some(Sort::Pid),
        Type::User(id) => match program.types[id.0 as usize].kind {
            TypeDefKind::Scalar => Some(Sort::User(id.0)),
            _ => None,
        },
        _ => None,
    }
}

/// The least and the greatest integer of a type.
pub fn int_range(signed: bool, bits: u8) -> (i128, i128) {
    match signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    }
}

/// Whether the default of a type is a value that can be told from all others: that of a scalar cannot, since only equality is known of it.
pub fn has_known_default(program: &Program, ty: &Type) -> bool {
    match ty {
        Type::Pid => false,
        Type::Tuple(fields) => fields.iter().all(|it| has_known_default(program, it)),
        Type::User(id) => match &program.types[id.0 as usize].kind {
            TypeDefKind::Scalar => false,
            TypeDefKind::Struct(fields) => fields.iter().all(|it| has_known_default(program, &it.ty)),
            TypeDefKind::Enum(variants) => {
                variants.first().is_none_or(|it| it.fields.iter().all(|field| has_known_default(program, &field.ty)))
            }
        },
        _ => true,
    }
}

/// Whether a type is built with a total function whose default is not known.
pub fn has_unknown_total(program: &Program, ty: &Type) -> bool {
    match ty {
        Type::Total(key, value) => {
            !has_known_default(program, value) || has_unknown_total(program, key) || has_unknown_total(program, value)
        }
        Type::Map(key, value) => has_unknown_total(program, key) || has_unknown_total(program, value),
        Type::Option(inner) | Type::Set(inner) | Type::Seq(inner) => has_unknown_total(program, inner),
        Type::Tuple(fields) => fields.iter().any(|it| has_unknown_total(program, it)),
        _ => false,
    }
}

/// `Default::default()`. Of a scalar: its first atom, which means nothing (see [`has_known_default`]).
pub fn default_of(program: &Program, ty: &Type) -> Value {
    match ty {
        Type::Bool => Value::Bool(false),
        Type::Int { .. } => Value::Int(0),
        Type::Str => Value::Str(Rc::from("")),
        Type::Pid => Value::Atom(Sort::Pid, 0),
        Type::Option(_) => Value::none(),
        Type::Map(..) | Type::Set(_) => Value::Map(MapValue::empty(None)),
        Type::Total(_, value) => Value::Map(MapValue::empty(Some(default_of(program, value)))),
        Type::Seq(_) => Value::seq(Vec::new()),
        Type::Tuple(fields) => Value::tuple(fields.iter().map(|ty| default_of(program, ty)).collect()),
        Type::Never => Value::Unit,
        Type::User(id) => match &program.types[id.0 as usize].kind {
            TypeDefKind::Scalar => Value::Atom(Sort::User(id.0), 0),
            TypeDefKind::Struct(fields) => Value::tuple(fields.iter().map(|it| default_of(program, &it.ty)).collect()),
            TypeDefKind::Enum(variants) => Value::Variant(
                0,
                variants
                    .first()
                    .map_or(&[][..], |it| &it.fields)
                    .iter()
                    .map(|it| default_of(program, &it.ty))
                    .collect(),
            ),
        },
    }
}
