//! The cases that a need is split into. Together they cover everything, up to renaming of scalars and to the scope; if the scope leaves
//! some out, the bound is recorded.

use std::{collections::BTreeSet, rc::Rc};

use super::{BaseFacts, Cells, Knowledge, Need, Numbers, Origin, Quantifier, default_of, sort_of, with_base};
use crate::{
    explore::{
        text::{self, Piece, Shape, ShapePiece},
        value::{CellId, Sort, Value},
    },
    ir::{Field, Type, TypeDefKind, TypeId, int::IntType},
};

/// Numbers with repeated digits, so that adjacent ones are ambiguous in two ways: `1` and `11`, `11` and `1`.
const NUMBERS_OF_ONE_AND_TWO_DIGITS: [i128; 4] = [1, 11, 2, 12];

/// How far beyond the scope a witness search tries integers, if it found no witness within the scope.
const FURTHER_INTS: i128 = 8;

/// How many flags of a packed word are tried in combination: the highest ones.
const MOST_FLAGS: usize = 3;

impl Cells<'_> {
    /// The cases of `need`, each as the knowledge that holds in it. `bounded`: the split happens inside a loop that may continue, so the
    /// scope limits the scalars that it introduces.
    pub fn split(&mut self, need: &Need, known: &Knowledge, bounded: bool) -> Vec<Knowledge> {
        match need {
            Need::Resolve(id) => self
                .values(*id, known, bounded)
                .into_iter()
                .map(|(value, mut knowledge)| {
                    Rc::make_mut(&mut knowledge.resolved).insert(*id, value);
                    knowledge
                })
                .filter(Knowledge::is_consistent)
                .collect(),
            Need::Entry(base, key) => {
                let present = Some(self.entry(*base, key));
                // A total function has a value everywhere; whether it is the default is split later, if at all.
                let absent = (!matches!(*self.get(*base).ty, Type::Total(..))).then_some(None);
                let present = (absent.is_none() || !self.has_all_entries(*base, known)).then_some(present);
                absent
                    .into_iter()
                    .chain(present)
                    .map(|entry| with_base(known, *base, |facts| drop(facts.entries.insert(key.clone(), entry))))
                    .filter(Knowledge::is_consistent)
                    .collect()
            }
            Need::Close(base) => self.split_close(*base, known, bounded),
            // The search splits it; this is complete, too: once all entries are known, the question is not put.
            Need::Holds(question) => self.split_close(question.base(), known, bounded),
            Need::NoMore(base) => vec![with_base(known, *base, |facts| facts.closed = true)],
        }
    }

    /// Whether an unknown map has as many entries as the scope allows, where loops follow its entries without end otherwise: a list whose
    /// links are the entries of a map has any length.
    fn has_all_entries(&mut self, base: CellId, known: &Knowledge) -> bool {
        if !self.few_entries || self.get(base).quantifier == Quantifier::Existential {
            return false;
        }
        let (Type::Map(key, _) | Type::Set(key)) = &*self.get(base).ty.clone() else { return false };
        let (limit, what) = self.most_entries(key);
        let is_full = known.bases.get(&base).map_or(0, present) >= limit;
        if is_full {
            self.bounds_met.insert(format!("{what} ≤ {limit}"));
        }
        is_full
    }

    /// The bound on the entries of an unknown collection with keys of this type, and the bound's name.
    fn most_entries(&self, key: &Type) -> (u32, &'static str) {
        match key {
            Type::Pid => (self.scope.pids, "Pid"),
            _ => (self.scope.entries, "entries"),
        }
    }

    /// Either the unknown map has no more entries, or it has one more, at a key greater than those listed before.
    fn split_close(&mut self, base: CellId, known: &Knowledge, bounded: bool) -> Vec<Knowledge> {
        let mut cases = vec![with_base(known, base, |facts| facts.closed = true)];
        let ty = self.get(base).ty.clone();
        let (key_ty, is_total) = match &*ty {
            Type::Map(key, _) | Type::Set(key) => (&**key, false),
            Type::Total(key, _) => (&**key, true),
            _ => return cases,
        };
        let facts = known.bases.get(&base).cloned().unwrap_or_default();
        let (limit, what) = self.most_entries(key_ty);
        // A witness may be as large as the given values.
        let most = match self.get(base).quantifier {
            Quantifier::Existential => limit.max(self.most_given(known)) + u32::from(self.far),
            Quantifier::Universal => limit,
        };
        if present(&facts) >= most {
            self.bounds_met.insert(format!("{what} ≤ {most}"));
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

    /// The largest number of entries that a universal collection is known to have.
    fn most_given(&self, known: &Knowledge) -> u32 {
        let given = known.bases.iter().filter(|(base, _)| self.get(**base).quantifier == Quantifier::Universal);
        given.map(|(_, facts)| present(facts)).max().unwrap_or_default()
    }

    /// The possible values of a cell, one level deep, each with the atoms that are mentioned then.
    pub fn values(&mut self, id: CellId, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        let ty = self.get(id).ty.clone();
        let nondefault = known.nondefault.contains(&id);
        if self.numbers == Numbers::Digits
            && let Origin::Entry(base, _) = self.get(id).origin
            && base == self.process_numbers()
        {
            return self.free_process_numbers(base, known);
        }
        let mut cases = match &*ty {
            Type::Option(inner) => {
                let shapes = [vec![], vec![(**inner).clone()]];
                self.variants(id, shapes.into_iter(), known)
            }
            Type::Result(ok, err) => {
                let shapes = [ok, err].map(|it| vec![(**it).clone()]);
                self.variants(id, shapes.into_iter(), known)
            }
            Type::User(user) => match self.program.types[user.0 as usize].kind.clone() {
                TypeDefKind::Enum(variants) => {
                    self.variants(id, variants.into_iter().map(|it| types(it.fields)), known)
                }
                _ => self.values_of(&ty, known, bounded),
            },
            Type::Seq(element) => self.sequences(id, element, known),
            _ => self.values_of(&ty, known, bounded),
        };
        if nondefault {
            let default = default_of(self.program, &ty);
            cases.retain(|(value, _)| *value != default);
        }
        cases
    }

    /// One case for each variant, given by the types of its fields, with cells for the fields.
    fn variants(
        &mut self,
        id: CellId,
        variants: impl Iterator<Item = Vec<Type>>,
        known: &Knowledge,
    ) -> Vec<(Value, Knowledge)> {
        let quantifier = self.get(id).quantifier;
        let with_cells = |(tag, fields): (u32, Vec<Type>)| {
            let cell =
                |(index, ty)| Value::Cell(self.cell(Origin::Payload(id, tag, index), || Rc::new(ty), quantifier));
            (Value::Variant(tag, (0..).zip(fields).map(cell).collect()), known.clone())
        };
        (0..).zip(variants).map(with_cells).collect()
    }

    /// One sequence for each length, with cells for its elements.
    fn sequences(&mut self, id: CellId, element: &Type, known: &Knowledge) -> Vec<(Value, Knowledge)> {
        let quantifier = self.get(id).quantifier;
        let longest = match quantifier {
            Quantifier::Existential => self.scope.entries.max(known.longest()) + u32::from(self.far),
            Quantifier::Universal => self.scope.entries,
        };
        self.bounds_met.insert(format!("Seq ≤ {longest} entries"));
        let of_length = |length| {
            let element =
                |index| Value::Cell(self.cell(Origin::Part(id, index), || Rc::new(element.clone()), quantifier));
            (Value::seq((0..length).map(element).collect()), known.clone())
        };
        (0..=longest).map(of_length).collect()
    }

    /// The numbers that no process has yet.
    fn free_process_numbers(&mut self, base: CellId, known: &Knowledge) -> Vec<(Value, Knowledge)> {
        self.bounds_met.insert("numbers of processes".to_owned());
        let is_taken = |number: i128| {
            known.resolved.iter().any(|(cell, value)| {
                matches!(self.get(*cell).origin, Origin::Entry(it, _) if it == base) && *value == Value::int(number)
            })
        };
        let free = NUMBERS_OF_ONE_AND_TWO_DIGITS.into_iter().filter(|it| !is_taken(*it));
        free.map(|it| (Value::int(it), known.clone())).collect()
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
            Type::Int { signed, bits } => self.numbers(IntType { bits: *bits, signed: *signed }, known, bounded),
            Type::Str => self.strings(known, bounded),
            Type::Option(inner) => {
                let mut cases = vec![(Value::none(), known.clone())];
                cases.extend(
                    self.values_of(inner, known, bounded).into_iter().map(|(it, known)| (Value::some(it), known)),
                );
                cases
            }
            Type::Result(ok, err) => {
                let mut cases = Vec::new();
                for (tag, part) in (0..).zip([ok, err]) {
                    let parts = self.values_of(part, known, bounded).into_iter();
                    cases.extend(parts.map(|(it, known)| (Value::Variant(tag, [it].into()), known)));
                }
                cases
            }
            Type::Tuple(fields) => {
                self.products(fields, known, bounded).into_iter().map(|(it, known)| (Value::tuple(it), known)).collect()
            }
            Type::User(user) => self.values_of_user(*user, known, bounded),
            // Collections as keys are not enumerated; the bound says so.
            _ => {
                self.bounds_met.insert("keys that are collections".to_owned());
                vec![(default_of(self.program, ty), known.clone())]
            }
        }
    }

    fn strings(&mut self, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        let literals = self.str_literals.iter().map(|it| Value::Str(Rc::from(it.as_str())));
        let mut cases: Vec<_> = literals.map(|it| (it, known.clone())).collect();
        cases.extend(self.atoms(Sort::Str, known, bounded));
        for shape in self.shapes.clone() {
            let strings = self.strings_of(&shape, known, bounded);
            let new: Vec<_> = strings.into_iter().filter(|it| !cases.iter().any(|old| old.0 == it.0)).collect();
            cases.extend(new);
        }
        cases
    }

    fn values_of_user(&mut self, user: TypeId, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        match self.program.types[user.0 as usize].kind.clone() {
            TypeDefKind::Struct(fields) => {
                let rows = self.products(&types(fields), known, bounded);
                rows.into_iter().map(|(it, known)| (Value::tuple(it), known)).collect()
            }
            TypeDefKind::Enum(variants) => {
                let mut cases = Vec::new();
                for (tag, variant) in (0..).zip(variants) {
                    let rows = self.products(&types(variant.fields), known, bounded);
                    cases.extend(rows.into_iter().map(|(it, known)| (Value::Variant(tag, Rc::from(it)), known)));
                }
                cases
            }
            TypeDefKind::Scalar => Vec::new(),
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

    fn numbers(&mut self, int: IntType, known: &Knowledge, bounded: bool) -> Vec<(Value, Knowledge)> {
        let value = |it: i128| (Value::int(it), known.clone());
        match self.numbers {
            Numbers::Atoms => {
                let literals = self.int_literals.iter().copied().filter(|it| int.contains(*it));
                let mut cases: Vec<_> = literals.map(value).collect();
                cases.extend(self.atoms(Sort::Int, known, bounded));
                cases
            }
            Numbers::Concrete | Numbers::Digits => {
                let limit = i128::from(self.scope.ints) + if self.far { FURTHER_INTS } else { 0 };
                self.bounds_met.insert(format!("int ≤ {limit}"));
                let mut all: Vec<i128> = self.integers(int, limit).into_iter().collect();
                // The simplest values come first.
                all.sort_by_key(|it| (it.unsigned_abs(), *it < 0));
                all.into_iter().map(value).collect()
            }
        }
    }

    /// The integers of a type that are tried where code calculates: small ones, both ends and their neighbours, and the literals of the
    /// code. A larger limit only adds to them.
    fn integers(&self, int: IntType, limit: i128) -> BTreeSet<i128> {
        let mut all: BTreeSet<i128> = (-limit..=limit).collect();
        if self.tries_ends {
            all.extend([int.min(), int.min() + 1, int.max() - 1, int.max()]);
        }
        // The result of a comparison with a literal changes beside it. The neighbours of a small literal are within the limit, or within
        // the next one.
        let far = if self.tries_ends { limit.max(2) } else { limit + 1 };
        let beside = |it: i128| [it - 1, it, it + 1].into_iter().filter(move |beside| it.abs() >= far || *beside == it);
        all.extend(self.int_literals.iter().flat_map(|it| beside(*it)));
        if self.bit_types.contains(&int) {
            all.extend(self.flags(int, limit));
        }
        if self.numbers == Numbers::Digits {
            all.extend(NUMBERS_OF_ONE_AND_TWO_DIGITS);
        }
        all.retain(|it| int.contains(*it));
        all
    }

    /// The possible values of a packed word: the flags that the code names, in all combinations, with small numbers below them; and words
    /// in which all bits are set, or only the sign, but for such flags.
    fn flags(&self, int: IntType, limit: i128) -> Vec<i128> {
        let is_flag = |it: &i128| *it > 0 && it.count_ones() == 1 && int.contains(*it);
        let mut masks: Vec<i128> = vec![0];
        let flags: Vec<i128> = self.int_literals.iter().copied().filter(is_flag).collect();
        for flag in flags.into_iter().rev().take(MOST_FLAGS) {
            masks.extend(masks.clone().into_iter().map(|it| it | flag));
        }
        let full = [int.min(), int.max(), -1].into_iter().filter(|it| self.tries_ends && int.contains(*it));
        let full = full.flat_map(|word| masks.iter().map(move |it| word ^ it));
        let low = (0..=limit).flat_map(|number| masks.iter().map(move |it| number | it));
        full.chain(low).collect()
    }
}

/// The number of entries that an unknown collection is known to have.
fn present(facts: &BaseFacts) -> u32 {
    facts.entries.values().filter(|entry| entry.is_some()).count() as u32
}

fn types(fields: Vec<Field>) -> Vec<Type> {
    fields.into_iter().map(|it| it.ty).collect()
}
