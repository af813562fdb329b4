//! Equality: whether two values are equal as far as code can observe, and whether a search can make them equal.

use std::{collections::BTreeMap, rc::Rc};

use super::{Machine, Stop, World};
use crate::explore::{
    cells::{Need, Quantifier},
    value::{Base, CellId, MapValue, Sort, Value},
};

impl Machine {
    /// `==`: reads everything that it has to.
    pub fn is_equal(&self, world: &mut World, a: &Value, b: &Value) -> Result<bool, Stop> {
        let mut comparison = Comparison { machine: self, bindings: None };
        comparison.equal(world, a, b)
    }

    /// Whether two values can be made equal by choosing values for the search's own cells; if so, chooses them.
    pub fn unify(&mut self, world: &mut World, a: &Value, b: &Value) -> Result<bool, Stop> {
        let (equal, bindings) = {
            let mut comparison = Comparison { machine: self, bindings: Some(self.chosen.clone()) };
            let equal = comparison.equal(world, a, b);
            (equal, comparison.bindings)
        };
        if let Some(bindings) = bindings {
            self.chosen = bindings;
        }
        equal
    }
}

/// Compares two values, and may choose values for the search's own cells.
struct Comparison<'m> {
    machine: &'m Machine,
    bindings: Option<Rc<BTreeMap<CellId, Value>>>,
}

impl Comparison<'_> {
    fn resolve(&self, value: &Value) -> Value {
        let mut value = self.machine.resolve(value);
        while let (Value::Cell(id), Some(bindings)) = (&value, &self.bindings) {
            match bindings.get(id) {
                Some(bound) => value = self.machine.resolve(bound),
                None => break,
            }
        }
        value
    }

    fn equal(&mut self, world: &mut World, a: &Value, b: &Value) -> Result<bool, Stop> {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return Ok(true);
        }
        for (cell, other) in [(&a, &b), (&b, &a)] {
            if let (Value::Cell(id), Some(bindings)) = (cell, &mut self.bindings)
                && world.cells.get(*id).quantifier == Quantifier::Existential
                && world.cells.is_whole(*id)
            {
                Rc::make_mut(bindings).insert(*id, other.clone());
                return Ok(true);
            }
        }
        let a = self.machine.force(world, &a).map_err(Stop::Need)?;
        let b = self.machine.force(world, &b).map_err(Stop::Need)?;
        match (&a, &b) {
            (Value::Tuple(xs), Value::Tuple(ys)) => self.all_equal(world, xs, ys),
            (Value::Variant(x, xs), Value::Variant(y, ys)) => {
                if x != y {
                    return Ok(false);
                }
                self.all_equal(world, xs, ys)
            }
            (Value::Seq(xs), Value::Seq(ys)) => {
                if xs.len() != ys.len() {
                    return Ok(false);
                }
                self.all_equal(world, xs, ys)
            }
            (Value::Map(x), Value::Map(y)) => self.maps_equal(world, x, y),
            (Value::Str(_) | Value::Text(_), _) | (_, Value::Str(_) | Value::Text(_)) => {
                world.cells.note_string(&a);
                world.cells.note_string(&b);
                Ok(a == b)
            }
            (Value::Atom(Sort::Int, _), Value::Int(it)) | (Value::Int(it), Value::Atom(Sort::Int, _)) => {
                if world.cells.int_literals.contains(&it.get()) { Ok(false) } else { Err(Stop::NumbersNeeded) }
            }
            _ => Ok(a == b),
        }
    }

    /// Compares all pairs, so that one that differs decides even if another is not known yet.
    fn all_equal(&mut self, world: &mut World, xs: &[Value], ys: &[Value]) -> Result<bool, Stop> {
        let mut answer = Ok(true);
        for (x, y) in xs.iter().zip(ys) {
            match self.equal(world, x, y) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(Stop::NumbersNeeded) => return Err(Stop::NumbersNeeded),
                Err(stop) => answer = answer.and(Err(stop)),
            }
        }
        answer
    }

    fn maps_equal(&mut self, world: &mut World, x: &MapValue, y: &MapValue) -> Result<bool, Stop> {
        let mut keys: Vec<Value> = x.over.keys().chain(y.over.keys()).cloned().collect();
        let mut searched = None;
        if x.base != y.base {
            searched = self.searched_base(world, x, y);
            for base in [x.base, y.base] {
                let Some(base) = base.cell() else { continue };
                match self.machine.known.bases.get(&base) {
                    Some(facts) if facts.closed || searched == Some(base) => {
                        keys.extend(facts.entries.keys().cloned());
                    }
                    None if searched == Some(base) => {}
                    _ => return Err(Stop::Need(Need::Close(base))),
                }
            }
        }
        keys.sort();
        keys.dedup();
        let mut answer = Ok(true);
        for key in keys {
            match self.entries_equal(world, x, y, &key) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(Stop::NumbersNeeded) => return Err(Stop::NumbersNeeded),
                Err(stop) => answer = answer.and(Err(stop)),
            }
        }
        match (answer, searched) {
            (Ok(true), Some(base)) => Err(Stop::Need(Need::NoMore(base))),
            (answer, _) => answer,
        }
    }

    /// The base of one of two maps that are to be made equal, if it is searched for and the other map is known completely. Then it gets
    /// exactly the entries of the other, without trying any.
    fn searched_base(&self, world: &World, x: &MapValue, y: &MapValue) -> Option<CellId> {
        self.bindings.as_ref()?;
        let facts = |base: CellId| self.machine.known.bases.get(&base);
        let is_closed = |map: &MapValue| map.base.cell().is_none_or(|it| facts(it).is_some_and(|it| it.closed));
        [(x, y), (y, x)].into_iter().find_map(|(map, other)| {
            let Base::Unknown(base) = map.base else { return None };
            // A written entry hides the entry of the base, about which this comparison says nothing.
            let is_seen = |key: &Value| facts(base).is_some_and(|it| it.entries.contains_key(key));
            let is_open = world.cells.get(base).quantifier == Quantifier::Existential && !is_closed(map);
            (is_open && is_closed(other) && map.over.keys().all(is_seen)).then_some(base)
        })
    }

    fn entries_equal(&mut self, world: &mut World, x: &MapValue, y: &MapValue, key: &Value) -> Result<bool, Stop> {
        let a = self.machine.lookup(world, x, key).map_err(Stop::Need)?.or_else(|| x.default.as_deref().cloned());
        let b = self.machine.lookup(world, y, key).map_err(Stop::Need)?.or_else(|| y.default.as_deref().cloned());
        match (a, b) {
            (Some(a), Some(b)) => self.equal(world, &a, &b),
            (None, None) => Ok(true),
            _ => Ok(false),
        }
    }
}
