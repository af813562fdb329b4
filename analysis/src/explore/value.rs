//! Values of the exploration: concrete ones, and cells for unknown ones.

use std::{collections::BTreeMap, fmt, rc::Rc};

use super::text::Piece;

/// The name of a value that is not known (yet): see [`super::cells::Cells`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(pub u32);

/// A type whose values are only compared for equality: `Pid`, a `#[scalar]`, and integers and strings as long as code only compares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// Processes, which are numbered from 0.
    Pid,
    /// A `#[scalar]` type, by its [`crate::ir::TypeId`].
    User(u32),
    /// Integers that differ from all literals of the code.
    Int,
    /// Strings that differ from all literals of the code.
    Str,
}

/// An integer of any type, or slightly beyond. It is stored in two halves, so that it does not enlarge [`Value`]. The order is that of the
/// integers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer {
    high: i64,
    low: u64,
}

impl Integer {
    /// The integer as a number.
    pub fn get(self) -> i128 {
        (i128::from(self.high) << 64) | i128::from(self.low)
    }
}

impl<T: Into<i128>> From<T> for Integer {
    fn from(number: T) -> Integer {
        let number = number.into();
        // The lower half is truncated on purpose.
        Integer { high: (number >> 64) as i64, low: number as u64 }
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

/// A value. Equality of the Rust type is identity of representation; for equality of the represented values, use
/// [`super::machine::Machine::unify`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// The only value of type `()`.
    Unit,
    /// A truth value, of type `bool`.
    Bool(bool),
    Int(Integer),
    /// A string whose characters are known.
    Str(Rc<str>),
    /// A string that contains decimals of atoms.
    Text(Rc<[Piece]>),
    /// A value that is only compared for equality: atoms of one sort with different numbers are different values.
    Atom(Sort, u32),
    /// A tuple or struct with at least one field.
    Tuple(Rc<[Value]>),
    /// An enum variant; `None` is 0, `Some` is 1.
    Variant(u32, Rc<[Value]>),
    /// A sequence whose elements are in order.
    Seq(Rc<Vec<Value>>),
    /// A sequence whose order has not been observed yet: it is the order of the keys, each of which is paired with its element.
    Unordered(Rc<Vec<(Value, Value)>>),
    /// A map, set (a map to unit) or total function.
    Map(MapValue),
    /// A value that has not been read yet.
    Cell(CellId),
}

impl Value {
    /// The value of `None`.
    pub fn none() -> Value {
        Value::Variant(0, Rc::from([]))
    }

    /// The value of `Some(value)`.
    pub fn some(value: Value) -> Value {
        Value::Variant(1, Rc::from([value]))
    }

    pub fn int(number: impl Into<Integer>) -> Value {
        Value::Int(number.into())
    }

    /// A tuple; unit if there are no fields.
    pub fn tuple(fields: Vec<Value>) -> Value {
        if fields.is_empty() { Value::Unit } else { Value::Tuple(Rc::from(fields)) }
    }

    /// A sequence of these elements, in order.
    pub fn seq(elements: Vec<Value>) -> Value {
        Value::Seq(Rc::new(elements))
    }

    /// Visits the value and all of its parts, including keys.
    pub fn for_each_part(&self, visit: &mut dyn FnMut(&Value)) {
        visit(self);
        match self {
            Value::Tuple(fields) | Value::Variant(_, fields) => fields.iter().for_each(|it| it.for_each_part(visit)),
            Value::Seq(elements) => elements.iter().for_each(|it| it.for_each_part(visit)),
            Value::Map(map) => {
                for (key, entry) in map.over.iter() {
                    key.for_each_part(visit);
                    entry.iter().for_each(|it| it.for_each_part(visit));
                }
            }
            _ => {}
        }
    }

    /// The value with every occurrence of a part replaced.
    #[must_use]
    pub fn replaced(&self, from: &Value, to: &Value) -> Value {
        let all = |fields: &[Value]| fields.iter().map(|it| it.replaced(from, to)).collect::<Vec<_>>();
        match self {
            _ if self == from => to.clone(),
            Value::Tuple(fields) => Value::tuple(all(fields)),
            Value::Variant(tag, fields) => Value::Variant(*tag, Rc::from(all(fields))),
            Value::Seq(elements) => Value::seq(all(elements)),
            Value::Map(map) => {
                let entry = |(key, it): (&Value, &Option<Value>)| {
                    (key.replaced(from, to), it.as_ref().map(|it| it.replaced(from, to)))
                };
                Value::Map(MapValue { over: Rc::new(map.over.iter().map(entry).collect()), ..map.clone() })
            }
            _ => self.clone(),
        }
    }
}

/// A finite map: a base, and entries written over it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapValue {
    /// The base below the written entries.
    pub base: Base,
    /// For a total function, the value of absent keys.
    pub default: Option<Rc<Value>>,
    /// Written entries: a value, or removed. Keys contain no cells.
    pub over: Rc<BTreeMap<Value, Option<Value>>>,
}

/// The base of a map, below the entries that code wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// The empty map, as its own base.
    Empty,
    /// A map about which [`super::cells::Knowledge`] knows some entries.
    Unknown(CellId),
    /// The set of the keys of such a map.
    Keys(CellId),
}

impl Base {
    /// The cell of the unknown map; `None` if the base is empty.
    pub fn cell(self) -> Option<CellId> {
        match self {
            Base::Empty => None,
            Base::Unknown(cell) | Base::Keys(cell) => Some(cell),
        }
    }

    /// The entry here, given the entry of the unknown map at the same key: in a set of keys, the value is unit.
    pub fn entry(self, entry: Option<Value>) -> Option<Value> {
        match self {
            Base::Keys(_) => entry.map(|_| Value::Unit),
            _ => entry,
        }
    }
}

impl MapValue {
    /// An empty map, or a total function that is `default` everywhere.
    pub fn empty(default: Option<Value>) -> MapValue {
        MapValue { base: Base::Empty, default: default.map(Rc::new), over: Rc::default() }
    }

    /// The same map with `key` mapped to `value`, or removed. A total function forgets entries that are its default.
    pub fn with(&self, key: Value, value: Option<Value>) -> MapValue {
        let mut over = self.over.clone();
        let value = value.filter(|value| self.default.as_deref() != Some(value));
        if value.is_none() && self.base == Base::Empty {
            Rc::make_mut(&mut over).remove(&key);
        } else {
            Rc::make_mut(&mut over).insert(key, value);
        }
        MapValue { base: self.base, default: self.default.clone(), over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_their_order() {
        let numbers = [i128::from(i64::MIN) - 1, -1, 0, 1, i64::MAX.into(), u64::MAX.into(), i128::from(u64::MAX) + 1];
        let integers = numbers.map(Integer::from);
        assert!(integers.is_sorted());
        assert_eq!(integers.map(Integer::get), numbers);
    }

    #[test]
    fn a_value_is_small() {
        assert_eq!(size_of::<Value>(), 32);
    }
}
