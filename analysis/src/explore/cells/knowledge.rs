//! The path condition: what is known about cells on one path. Also the needs: what code has to know before it can continue.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::explore::{
    code::{CodeId, Element},
    text::Piece,
    value::{CellId, Integer, MapValue, Sort, Value},
};

/// A fact that code needs before it can continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The value of a cell, one level deep.
    Resolve(CellId),
    /// Whether an unknown map has an entry at this key.
    Entry(CellId, Value),
    /// Whether an unknown map has entries beyond those known.
    Close(CellId),
    /// That a map chosen by a witness search has no entry: with one, it would not be the wanted map.
    NoMore(CellId),
    /// Whether the body of a question says the same of every entry of an unknown map.
    Holds(Rc<Question>),
}

/// A question about all entries of an unknown map, with everything that its answer depends on, as it was when the question was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `fn(arguments…, element) -> bool`.
    pub body: CodeId,
    /// What the body is applied to.
    pub element: Element,
    /// What the body has to say of each entry.
    pub wanted: bool,
    /// The map or set.
    pub map: MapValue,
    /// The parts of the variables around the body that it reads; the others are unit.
    pub arguments: Vec<Value>,
}

impl Question {
    /// The base of the map.
    pub fn base(&self) -> CellId {
        self.map.base.cell().unwrap_or(CellId(0))
    }

    /// What the body is applied to at an entry.
    pub fn element(&self, key: &Value, value: &Value) -> Value {
        match self.element {
            Element::Key => key.clone(),
            Element::Value => value.clone(),
            Element::Pair => Value::tuple(vec![key.clone(), value.clone()]),
        }
    }

    /// Whether the question is about this cell.
    fn is_about(&self, cell: CellId) -> bool {
        let over = self.map.over.values().flatten();
        self.map.base.cell() == Some(cell) || self.arguments.iter().chain(over).any(|it| mentions(it, cell))
    }
}

fn mentions(value: &Value, cell: CellId) -> bool {
    let mut found = false;
    value.for_each_part(&mut |it| {
        found |= match it {
            Value::Cell(it) => *it == cell,
            Value::Map(map) => map.base.cell() == Some(cell),
            Value::Unordered(entries) => entries.iter().any(|(_, it)| mentions(it, cell)),
            _ => false,
        };
    });
    found
}

impl Need {
    /// The cell in question.
    pub fn cell(&self) -> CellId {
        match self {
            Need::Resolve(cell) | Need::Entry(cell, _) | Need::Close(cell) | Need::NoMore(cell) => *cell,
            Need::Holds(question) => question.base(),
        }
    }
}

/// Facts about an unknown map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseFacts {
    /// Known entries: a value, or absent. In a total function an entry that is not absent may still be the default.
    pub entries: BTreeMap<Value, Option<Value>>,
    /// The last key that was added while listing the map: later keys are greater.
    pub last_extra: Option<Value>,
    /// Whether there are no other entries.
    pub closed: bool,
}

impl BaseFacts {
    /// Whether the entries that are not known here may be what they may be there.
    fn allow_others_of(&self, other: &BaseFacts) -> bool {
        match self.closed {
            true => {
                let is_known =
                    |(key, value): (&Value, &Option<Value>)| value.is_none() || self.entries.contains_key(key);
                other.closed && other.entries.iter().all(is_known)
            }
            false => self.last_extra.is_none() || self.last_extra == other.last_extra,
        }
    }
}

/// How two values are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The two values differ.
    Not,
    /// The first is no less than the second; of integers.
    AtLeast,
    /// The first is no more than the second; of integers.
    AtMost,
    /// The first is a key of the second, a map or a set. If the first is an `Option`, what is in it, if anything.
    KeyOf,
    /// The first is no key of the second. If it is an `Option`, what is in it, if anything.
    NoKeyOf,
    /// All keys of the first, a map or a set, are keys of the second, or are less than it, if it is an integer.
    Within,
}

impl Relation {
    /// Whether it says of one value that it is a key of a collection, or is not.
    pub fn is_about_keys(self) -> bool {
        matches!(self, Relation::KeyOf | Relation::NoKeyOf)
    }
}

/// That two values are the same, or not, if two others are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Implication {
    /// The condition: these are the same.
    pub only_if: (Value, Value),
    /// Then these are the same, or differ.
    pub then: (Value, Value),
    /// Whether they are the same.
    pub is_same: bool,
}

/// The path condition: facts about universal cells on one path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knowledge {
    /// Cells that have been read.
    pub resolved: Rc<BTreeMap<CellId, Value>>,
    /// Unknown maps that have been read.
    pub bases: Rc<BTreeMap<CellId, BaseFacts>>,
    /// Cells known to differ from their type's default.
    pub nondefault: Rc<BTreeSet<CellId>>,
    /// For each sort, the number of atoms that have been mentioned: atoms `0..n`.
    pub atoms: Rc<BTreeMap<Sort, u32>>,
    /// Values that are related, whatever they are.
    pub relations: Rc<Vec<(Value, Relation, Value)>>,
    /// Values that are the same, or differ, under a condition.
    pub implications: Rc<Vec<Implication>>,
    /// Questions about whole collections, each with its answer. *Yes* is a fact about all entries, those that nobody has looked at included;
    /// *no* is known of the entry that refutes it, too.
    pub questions: Rc<Vec<(Rc<Question>, bool)>>,
}

impl Knowledge {
    /// The number of atoms of `sort` that have been mentioned.
    pub fn mentioned(&self, sort: Sort) -> u32 {
        self.atoms.get(&sort).copied().unwrap_or(0)
    }

    /// Records that atoms of `sort` below `count` have been mentioned.
    pub fn mention(&mut self, sort: Sort, count: u32) {
        if self.mentioned(sort) < count {
            Rc::make_mut(&mut self.atoms).insert(sort, count);
        }
    }

    /// Records that all atoms in a value have been mentioned.
    pub fn mention_all(&mut self, value: &Value) {
        value.for_each_part(&mut |it| match it {
            Value::Atom(sort, number) => self.mention(*sort, number + 1),
            Value::Text(pieces) => pieces.iter().for_each(|piece| match piece {
                Piece::Literal(_) => {}
                Piece::Decimal(sort, number) => self.mention(*sort, number + 1),
                Piece::Other(number) => self.mention(Sort::Str, number + 1),
            }),
            _ => {}
        });
    }

    /// Whether no two values that are known are not related as they are said to be.
    pub(super) fn is_consistent(&self) -> bool {
        self.relations.iter().all(|(a, relation, b)| match relation {
            Relation::Not => self.same(a, b) != Some(true),
            Relation::AtLeast => self.integers(a, b).is_none_or(|(a, b)| a >= b),
            Relation::AtMost => self.integers(a, b).is_none_or(|(a, b)| a <= b),
            Relation::KeyOf => self.is_key(a, b) != Some(false),
            Relation::NoKeyOf => self.is_key(a, b) != Some(true) || self.resolve(a) == &Value::none(),
            Relation::Within => self.may_be_within(a, b),
        }) && self.implications.iter().all(|it| self.may_follow(it))
            && self.is_ordered()
    }

    /// Whether an implication does not fail in the values that are known.
    fn may_follow(&self, it: &Implication) -> bool {
        self.same(&it.only_if.0, &it.only_if.1) != Some(true) || self.same(&it.then.0, &it.then.1) != Some(!it.is_same)
    }

    /// Whether no integer is above another one that it is said to be at most, by way of unknown ones; and whether no two that differ lie between
    /// the same bounds, and so are equal.
    fn is_ordered(&self) -> bool {
        let mut order = Order::default();
        for (a, relation, b) in self.relations.iter() {
            match relation {
                Relation::Not | Relation::KeyOf | Relation::NoKeyOf | Relation::Within => {}
                Relation::AtLeast => order.add(self.resolve(b), self.resolve(a)),
                Relation::AtMost => order.add(self.resolve(a), self.resolve(b)),
            }
        }
        if !order.is_bounded_twice() {
            return true;
        }
        order.propagate();
        let differ = self.relations.iter().filter(|it| it.1 == Relation::Not);
        order.has_no_empty_range()
            && differ.into_iter().all(|(a, _, b)| {
                let (a, b) = (order.only(self.resolve(a)), order.only(self.resolve(b)));
                a.zip(b).is_none_or(|(a, b)| a != b)
            })
    }

    fn resolve<'v>(&'v self, mut value: &'v Value) -> &'v Value {
        while let Value::Cell(id) = value {
            match self.resolved.get(id) {
                Some(known) => value = known,
                None => break,
            }
        }
        value
    }

    fn integers(&self, a: &Value, b: &Value) -> Option<(Integer, Integer)> {
        match (self.resolve(a), self.resolve(b)) {
            (Value::Int(a), Value::Int(b)) => Some((*a, *b)),
            _ => None,
        }
    }

    /// Whether a value is a key of a collection, if that is known; of an `Option`, whether what is in it is, if anything.
    fn is_key(&self, key: &Value, collection: &Value) -> Option<bool> {
        let key = match self.resolve(key) {
            Value::Variant(_, inside) => match inside.first() {
                Some(key) => self.resolve(key),
                None => return Some(true),
            },
            key => key,
        };
        self.has_key(collection, key)
    }

    /// Whether all keys that a collection is known to have may be keys of another one, or less than an integer.
    fn may_be_within(&self, collection: &Value, other: &Value) -> bool {
        let mut keys: Vec<&Value> = Vec::new();
        let base = match self.resolve(collection) {
            Value::Cell(id) => Some(*id),
            Value::Map(map) => {
                keys.extend(map.over.iter().filter(|it| it.1.is_some()).map(|it| it.0));
                map.base.cell()
            }
            _ => None,
        };
        let below = base.and_then(|it| self.bases.get(&it)).into_iter().flat_map(|it| &it.entries);
        keys.extend(below.filter(|it| it.1.is_some()).map(|it| it.0));
        keys.into_iter().filter(|it| self.has_key(collection, it) == Some(true)).all(|key| {
            match (self.resolve(key), self.resolve(other)) {
                (Value::Int(key), Value::Int(bound)) => key < bound,
                (_, Value::Int(_)) => true,
                (key, other) => self.has_key(other, key) != Some(false),
            }
        })
    }

    /// Whether a collection has a key, if that is known.
    fn has_key(&self, collection: &Value, key: &Value) -> Option<bool> {
        if matches!(key, Value::Cell(_)) {
            return None;
        }
        let base = match self.resolve(collection) {
            Value::Cell(id) => *id,
            Value::Map(map) => match (map.over.get(key), map.base.cell()) {
                (Some(entry), _) => return Some(entry.is_some()),
                (None, Some(base)) => base,
                (None, None) => return Some(false),
            },
            _ => return None,
        };
        let known = self.bases.get(&base)?;
        match known.entries.get(key) {
            Some(entry) => Some(entry.is_some()),
            None => known.closed.then_some(false),
        }
    }

    /// Whether two values are the same, if that is known.
    pub fn same(&self, a: &Value, b: &Value) -> Option<bool> {
        let all = |a: &[Value], b: &[Value]| {
            let mut answer = Some(a.len() == b.len());
            for (a, b) in a.iter().zip(b) {
                match self.same(a, b) {
                    Some(true) => {}
                    Some(false) => return Some(false),
                    None => answer = None,
                }
            }
            answer
        };
        match (self.resolve(a), self.resolve(b)) {
            (a, b) if a == b => Some(true),
            (Value::Variant(a, _), Value::Variant(b, _)) if a != b => Some(false),
            (Value::Variant(_, a), Value::Variant(_, b)) => all(a, b),
            (Value::Tuple(a), Value::Tuple(b)) => all(a, b),
            (Value::Bool(_), Value::Bool(_)) | (Value::Int(_), Value::Int(_)) | (Value::Atom(..), Value::Atom(..)) => {
                Some(false)
            }
            _ => None,
        }
    }

    /// The knowledge once a question is answered.
    pub fn answered(&self, question: &Rc<Question>, answer: bool) -> Knowledge {
        let mut known = self.clone();
        Rc::make_mut(&mut known.questions).push((question.clone(), answer));
        known
    }

    /// Whether a question with this cell in it has been answered.
    pub fn asks_about(&self, cell: CellId) -> bool {
        self.questions.iter().any(|(question, _)| question.is_about(cell))
    }

    /// The length of the longest unknown sequence that has been read.
    pub(super) fn longest(&self) -> u32 {
        let length = |it: &Value| if let Value::Seq(elements) = it { elements.len() as u32 } else { 0 };
        self.resolved.values().map(length).max().unwrap_or_default()
    }

    /// Whether every state that `other` allows is one that `self` allows.
    pub fn is_weaker_than(&self, other: &Knowledge) -> bool {
        self.resolved.iter().all(|(cell, value)| other.resolved.get(cell) == Some(value))
            && self.nondefault.iter().all(|cell| other.nondefault.contains(cell) || other.resolved.contains_key(cell))
            && self.bases.iter().all(|(base, facts)| {
                other.bases.get(base).is_some_and(|theirs| {
                    facts.allow_others_of(theirs)
                        && facts.entries.iter().all(|(key, value)| match theirs.entries.get(key) {
                            Some(known) => known == value,
                            None => theirs.closed && value.is_none(),
                        })
                })
            })
            && self.atoms.iter().all(|(sort, count)| other.mentioned(*sort) >= *count)
            && self.relations.iter().all(|it| other.relations.contains(it))
            && self.implications.iter().all(|it| other.implications.contains(it))
            && self.questions.iter().all(|it| other.questions.contains(it))
    }
}

/// Unknown integers, each with the least and the greatest integer that it can be, as far as it is bounded.
#[derive(Default)]
struct Order<'v> {
    unknown: Vec<(&'v Value, Option<Integer>, Option<Integer>)>,
    /// The first is at most the second.
    pairs: Vec<(usize, usize)>,
}

impl<'v> Order<'v> {
    /// Adds that `low` is at most `high`.
    fn add(&mut self, low: &'v Value, high: &'v Value) {
        match (low, high) {
            (Value::Int(_), Value::Int(_)) => {}
            (Value::Int(least), _) => {
                let high = self.index(high);
                self.unknown[high].1 = self.unknown[high].1.max(Some(*least));
            }
            (_, Value::Int(most)) => {
                let low = self.index(low);
                self.unknown[low].2 = Some(self.unknown[low].2.map_or(*most, |it| it.min(*most)));
            }
            _ => {
                let pair = (self.index(low), self.index(high));
                self.pairs.push(pair);
            }
        }
    }

    fn index(&mut self, value: &'v Value) -> usize {
        let found = self.unknown.iter().position(|it| it.0 == value);
        found.unwrap_or_else(|| {
            self.unknown.push((value, None, None));
            self.unknown.len() - 1
        })
    }

    /// Whether there is a bound from below, and one from above.
    fn is_bounded_twice(&self) -> bool {
        self.unknown.iter().any(|it| it.1.is_some()) && self.unknown.iter().any(|it| it.2.is_some())
    }

    /// Bounds each by what is at most it, or what it is at most. Around a cycle the same bounds come again, so this comes to an end.
    fn propagate(&mut self) {
        let mut changes = true;
        while std::mem::take(&mut changes) {
            for (low, high) in &self.pairs {
                let (least, most) = (self.unknown[*low].1, self.unknown[*high].2);
                if least > self.unknown[*high].1 {
                    self.unknown[*high].1 = least;
                    changes = true;
                }
                if most.is_some_and(|most| self.unknown[*low].2.is_none_or(|it| most < it)) {
                    self.unknown[*low].2 = most;
                    changes = true;
                }
            }
        }
    }

    fn has_no_empty_range(&self) -> bool {
        self.unknown.iter().all(|(_, least, most)| least.zip(*most).is_none_or(|(least, most)| least <= most))
    }

    /// The only integer that a value can be, if there is just one.
    fn only(&self, value: &Value) -> Option<Integer> {
        match value {
            Value::Int(it) => Some(*it),
            _ => self.unknown.iter().find(|it| it.0 == value).and_then(|it| it.1.filter(|_| it.1 == it.2)),
        }
    }
}

/// `known`, with the facts about `base` changed.
pub fn with_base(known: &Knowledge, base: CellId, change: impl FnOnce(&mut BaseFacts)) -> Knowledge {
    let mut known = known.clone();
    change(Rc::make_mut(&mut known.bases).entry(base).or_default());
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(i128, bool)], closed: bool, last_extra: Option<i128>) -> Knowledge {
        let entries =
            entries.iter().map(|(key, is_there)| (Value::int(*key), is_there.then_some(Value::Unit))).collect();
        let facts = BaseFacts { entries, last_extra: last_extra.map(Value::int), closed };
        with_base(&Knowledge::default(), CellId(0), |it| *it = facts.clone())
    }

    #[test]
    fn what_lies_between_the_same_bounds_is_equal() {
        let (cell, int) = (|it| Value::Cell(CellId(it)), Value::int);
        let of = |relations: &[(Value, Relation, Value)]| Knowledge {
            relations: Rc::new(relations.to_vec()),
            ..Knowledge::default()
        };
        let (at_least, at_most, not) = (Relation::AtLeast, Relation::AtMost, Relation::Not);
        // 0 <= a <= b <= 0
        let pinned = [(cell(0), at_least, int(0)), (cell(1), at_least, cell(0)), (cell(1), at_most, int(0))];
        let and = |more: (Value, Relation, Value)| of(&[pinned.as_slice(), &[more]].concat()).is_consistent();
        assert!(of(&pinned).is_consistent());
        assert!(!and((cell(0), not, int(0))) && !and((int(0), not, cell(1))) && !and((cell(0), not, cell(1))));
        assert!(and((cell(0), not, int(1))) && and((cell(2), not, int(0))));
        assert!(!and((cell(0), at_least, int(1))) && and((cell(0), at_least, int(0))));
        // 2 <= a <= b <= 1, and a <= b <= a, of which nothing else is known.
        assert!(
            !of(&[(cell(0), at_least, int(2)), (cell(0), at_most, cell(1)), (int(1), at_least, cell(1))])
                .is_consistent()
        );
        assert!(
            of(&[(cell(0), at_most, cell(1)), (cell(1), at_most, cell(0)), (cell(0), not, int(3))]).is_consistent()
        );
    }

    #[test]
    fn knowledge_that_excludes_an_entry_is_not_weaker() {
        let (empty, one) = (of(&[], true, None), of(&[(1, true)], true, None));
        assert!(!empty.is_weaker_than(&one) && !one.is_weaker_than(&empty));
        assert!(empty.is_weaker_than(&of(&[(1, false)], true, None)), "that an entry is absent says nothing new");
        assert!(of(&[], false, None).is_weaker_than(&one) && of(&[(1, true)], false, None).is_weaker_than(&one));
        assert!(!empty.is_weaker_than(&of(&[], false, None)));
        // What was listed before has no smaller keys.
        assert!(!of(&[(2, true)], false, Some(2)).is_weaker_than(&of(&[(2, true)], false, None)));
    }
}
