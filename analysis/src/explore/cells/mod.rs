//! Cells: values that are unknown until code reads them, and what is known about them so far (lazy initialisation).
//!
//! A cell is named by its origin ("field 1 of the state", "the entry of `p0` in that map"), not by the time of its first use. So two runs
//! that read the same component in a different order refer to the same cell. Scalars are split up to renaming: "equal to one already
//! mentioned, or fresh". This is complete, because code can only compare scalars.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use rustc_hash::FxHashMap;

pub use self::{
    knowledge::{BaseFacts, Implication, Knowledge, Need, Question, Relation, with_base},
    types::{default_of, has_known_default, has_signed, has_unknown_total, scalars_of_default, sort_of},
};
use super::{
    text::{self, Shape},
    value::{Base, CellId, MapValue, Sort, Value},
};
use crate::{
    ir::{Literal, Program, Type, TypeDefKind, int::IntType},
    verdict::{Assumption, Scope},
};

mod cases;
mod knowledge;
mod types;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// An unknown that is no part of another: a state, an argument. The type distinguishes unknowns that happen to have the same name.
    Root(Root, Rc<Type>),
    /// A component of another cell: a field, or an element of a sequence.
    Part(CellId, u32),
    /// A payload of a variant of another cell.
    Payload(CellId, u32, u32),
    /// The value at a key of an unknown map.
    Entry(CellId, Value),
    /// The result of the n-th `any()` of a run, by its type.
    Choice(u32, u32),
}

/// The name of an unknown that is no part of another. Each use has names of its own, so that no two of them can ever be taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// What a script starts from: the kind of its question, and the slot.
    Slot(Asked, u32),
    /// A state that other processes have left.
    State(u32),
    /// The state that several steps are made from at once.
    Start,
    /// An argument of an operation that another process performs: the operation, and the argument's position.
    Argument(u32, u32),
    /// What is in a variable of another process that is about to make a call: the call, and the variable or argument.
    Other(u32, u32),
    /// What a variable holds at the head of a loop: a number for the arrival there, the variable, and the part of its value.
    Variable(u32, u32, u32),
    /// A part of what a call has returned.
    Result(u32),
    /// A state that a process may be idle in.
    Idle(u32),
    /// An argument of an operation that is passed on, by its position.
    Passed(u32),
    /// The state at the end of a stack that a run starts from.
    End(u32),
    /// The state that the steps of a layer start from, end to end.
    Steps(u32),
    /// An unknown function.
    Function(Function),
}

/// A kind of question. Questions of different kinds may be asked together, about different unknowns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// An obligation, or a lemma.
    #[default]
    Obligation,
    /// Whether an edge moves where it is.
    Edge,
    /// Whether an operation moves in all states, asked where an edge is.
    Anywhere,
}

/// An unknown function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// From processes to their numbers.
    ProcessNumber,
    /// From strings to their two parts around a separator.
    Split,
    /// From strings to the values that they are written forms of.
    Parse,
    /// From pairs of values whose order is unknown, encoded as strings, to whether they are in this order.
    Less,
}

impl Root {
    /// Whether an obligation starts from it: it is neither a function nor what steps are cached by.
    fn is_given(self) -> bool {
        !matches!(self, Root::Function(_) | Root::Steps(_))
    }
}

/// How the value of a cell is quantified.
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
    /// The origin of the cell.
    pub origin: Origin,
    /// The type of its value.
    pub ty: Rc<Type>,
    /// How its value is quantified.
    pub quantifier: Quantifier,
    /// Whether it comes from an `any()`, directly or as a part: it is dead once nothing refers to it.
    pub chosen: bool,
}

/// How integers that code takes from unknown state are represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// As atoms, any number of them: the code only compares them.
    Atoms,
    /// As the integers of the scope: the code calculates with them.
    Concrete,
    /// Like `Concrete`, and processes have numbers too, because their digits matter.
    Digits,
}

/// All cells of one obligation, and the limits that splits respect.
pub struct Cells<'p> {
    /// The program, for its types.
    pub program: &'p Program,
    /// The bounds of splits.
    pub scope: Scope,
    /// How unknown integers are represented.
    pub numbers: Numbers,
    /// The bounds met so far, as they are shown.
    pub bounds_met: BTreeSet<String>,
    /// The assumptions used so far.
    pub assumptions: BTreeSet<Assumption>,
    /// Whether the ends of types are among the integers that are tried. Not in the first exploration, within the smallest scope: if that
    /// meets an integer, it meets a bound, and a second exploration follows.
    pub tries_ends: bool,
    /// Whether the scope also bounds the entries of a collection that are asked for one by one; otherwise only those that a loop walks over.
    pub few_entries: bool,
    /// Whether questions about all entries of a collection are put as a whole. Then only that something holds counts: see
    /// [`super::questions`].
    pub puts_questions: bool,
    /// Whether such a question has been put.
    pub has_put_one: bool,
    /// Whether that something does not hold is an answer, too, even then: what is asked goes on from there, and knows less.
    pub goes_on_without: bool,
    /// Types of integers to which the current code applies bit operators: their flags are tried in combination.
    pub bit_types: BTreeSet<IntType>,
    /// Integer literals of the current code: an integer atom differs from all of them.
    pub int_literals: BTreeSet<i128>,
    /// String literals of the current code.
    pub str_literals: BTreeSet<String>,
    /// Known shapes of the strings that the current code builds.
    pub shapes: BTreeSet<Shape>,
    /// Shapes that were not known in advance: unknown strings were split without them, so the results so far are invalid.
    pub new_shapes: BTreeSet<Shape>,
    /// Scalars are ordered by their numbers, which is only one of the possible orders. For searches that forget from step to step what they
    /// observed.
    pub ordered_by_number: bool,
    /// No integer is negative, since the program has unsigned types only.
    pub is_unsigned: bool,
    /// Bounds that the current witness search has met: without a witness within them, there may be one beyond.
    pub witness_bounds: BTreeSet<String>,
    /// Whether a witness search looks beyond the scope, because it found no witness within it.
    pub far: bool,
    /// Unknowns with fixed values, by origin, when one case is replayed. Their values contain no cells.
    pub pinned: Pins,
    scalar_literals: BTreeMap<Sort, Vec<String>>,
    /// Collections of a witness search that code has read.
    opened: BTreeSet<CellId>,
    cells: Vec<Cell>,
    /// The result of [`Cells::expand`] for each cell, once computed.
    expansions: Vec<Option<Option<Value>>>,
    names: FxHashMap<(Origin, Quantifier), CellId>,
}

/// Values of the unknowns that an obligation starts from, and of choices of given runs, by origin.
pub type Pins = BTreeMap<Origin, Value>;

/// Atoms from here up are chosen by a witness search, and occur in no unknown state.
pub const WITNESS_ATOMS: u32 = 1 << 16;

impl<'p> Cells<'p> {
    /// Creates an empty set of cells.
    pub fn new(program: &'p Program, scope: Scope, numbers: Numbers) -> Cells<'p> {
        Cells {
            program,
            scope,
            numbers,
            bounds_met: BTreeSet::new(),
            assumptions: BTreeSet::new(),
            tries_ends: true,
            few_entries: false,
            puts_questions: false,
            has_put_one: false,
            goes_on_without: false,
            bit_types: BTreeSet::new(),
            int_literals: BTreeSet::from([0]),
            str_literals: BTreeSet::from([String::new()]),
            shapes: BTreeSet::new(),
            new_shapes: BTreeSet::new(),
            ordered_by_number: false,
            is_unsigned: false,
            witness_bounds: BTreeSet::new(),
            far: false,
            pinned: Pins::new(),
            scalar_literals: BTreeMap::new(),
            opened: BTreeSet::new(),
            cells: Vec::new(),
            expansions: Vec::new(),
            names: FxHashMap::default(),
        }
    }

    /// The cell of this origin; created if there is none yet.
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

    /// The cell with this id.
    pub fn get(&self, id: CellId) -> &Cell {
        &self.cells[id.0 as usize]
    }

    /// Registers a literal of the current code and returns its value.
    pub fn literal(&mut self, literal: &Literal) -> Value {
        match literal {
            Literal::Bool(it) => Value::Bool(*it),
            Literal::Int(it) => {
                self.int_literals.insert(*it);
                Value::int(*it)
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

    /// The literals of `sort` in the current code: atoms `0..n`.
    pub fn scalar_literals(&self, sort: Sort) -> &[String] {
        self.scalar_literals.get(&sort).map_or(&[], Vec::as_slice)
    }

    /// Registers the shape of a string that the current code builds.
    pub fn add_shape(&mut self, shape: &Shape) {
        self.int_literals.extend(shape.numbers());
        match shape.literal() {
            Some(text) => drop(self.str_literals.insert(text.to_owned())),
            None => drop(self.shapes.insert(shape.clone())),
        }
    }

    /// Records that a string is compared with others.
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
        self.function(Function::ProcessNumber, Type::Pid, Type::U64)
    }

    /// The result of an unknown function for an argument: for code that depends on unknown strings in an unknown way.
    pub fn function(&mut self, function: Function, from: Type, to: Type) -> CellId {
        let ty = Rc::new(Type::Map(Box::new(from), Box::new(to)));
        self.cell(Origin::Root(Root::Function(function), ty.clone()), || ty, Quantifier::Universal)
    }

    /// The knowledge at the start: the literals have been mentioned.
    pub fn start(&self) -> Knowledge {
        let mut knowledge = Knowledge::default();
        for (sort, literals) in &self.scalar_literals {
            knowledge.mention(*sort, literals.len() as u32);
        }
        self.pinned.values().for_each(|it| knowledge.mention_all(it));
        knowledge
    }

    /// An unknown value of type `ty`.
    pub fn root(&mut self, name: Root, ty: &Type, quantifier: Quantifier) -> Value {
        let ty = Rc::new(ty.clone());
        let origin = Origin::Root(name, ty.clone());
        match self.pinned.get(&origin) {
            Some(value) if quantifier == Quantifier::Universal => value.clone(),
            _ => Value::Cell(self.cell(origin, || ty, quantifier)),
        }
    }

    /// The unknowns that an obligation starts from, and choices of given runs, about which something is known: the cells and their origins.
    pub fn mentioned(&self, known: &Knowledge) -> Vec<(Origin, CellId)> {
        let mut found = BTreeSet::new();
        for cell in known.resolved.keys().chain(known.bases.keys()) {
            let mut at = *cell;
            while let Origin::Part(parent, _) | Origin::Payload(parent, ..) | Origin::Entry(parent, _) =
                &self.get(at).origin
            {
                at = *parent;
            }
            found.insert(at);
        }
        let is_given = |cell: &CellId| {
            let Cell { origin, quantifier, .. } = self.get(*cell);
            let is_given = !matches!(origin, Origin::Root(name, _) if !name.is_given());
            *quantifier == Quantifier::Universal && is_given
        };
        found.into_iter().filter(is_given).map(|it| (self.get(it).origin.clone(), it)).collect()
    }

    /// Records that code reads a cell.
    pub fn note_opened(&mut self, id: CellId) {
        let Cell { ty, quantifier, .. } = self.get(id);
        if *quantifier == Quantifier::Existential && matches!(**ty, Type::Map(..) | Type::Set(_) | Type::Total(..)) {
            self.opened.insert(id);
        }
    }

    /// Whether a cell of a witness search can be chosen as a whole, because nothing is known about its parts. Structs are chosen field by
    /// field, and a collection that code has read is chosen entry by entry.
    pub fn is_whole(&self, id: CellId) -> bool {
        match &*self.get(id).ty {
            Type::Tuple(_) => false,
            Type::User(user) => !matches!(self.program.types[user.0 as usize].kind, TypeDefKind::Struct(_)),
            _ => !self.opened.contains(&id),
        }
    }

    /// The value of a struct or collection, which has only one shape: one level deep, with cells inside.
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
}

fn unknown_map(base: CellId, default: Option<Rc<Value>>) -> Value {
    Value::Map(MapValue { base: Base::Unknown(base), default, over: Rc::default() })
}
