//! Maps with partly unknown entries: written entries, on top of a cell for the rest.

use std::{collections::BTreeMap, rc::Rc};

use super::{Machine, Stop, World};
use crate::explore::{
    cells::{Need, Quantifier, WITNESS_ATOMS},
    text::Piece,
    value::{MapValue, Value},
};

impl Machine {
    /// The entry of a map at a key. For a total function, `None` means the default.
    pub fn lookup(&self, world: &World, map: &MapValue, key: &Value) -> Result<Option<Value>, Need> {
        if let Some(entry) = map.over.get(key) {
            return Ok(entry.clone());
        }
        self.lookup_under(world, map, key)
    }

    /// The entry at a key in the base of a map, below the written entries.
    fn lookup_under(&self, world: &World, map: &MapValue, key: &Value) -> Result<Option<Value>, Need> {
        let Some(base) = map.base.cell() else { return Ok(None) };
        if let Some(facts) = self.known.bases.get(&base) {
            if let Some(entry) = facts.entries.get(key) {
                return Ok(map.base.entry(entry.clone()));
            }
            if facts.closed {
                return Ok(None);
            }
        }
        if world.cells.get(base).quantifier == Quantifier::Universal && has_invented(key) {
            // The search may choose a value that does not occur in the finite map.
            return Ok(None);
        }
        Err(Need::Entry(base, key.clone()))
    }

    /// The map with an entry written or removed. An entry equal to the one in the base is not written, so that equal maps are represented
    /// equally at the head of a loop.
    pub(super) fn put(&self, world: &World, map: &MapValue, key: Value, value: Option<Value>) -> MapValue {
        let plain =
            |entry: Option<Value>| entry.map(|it| self.resolve(&it)).filter(|it| map.default.as_deref() != Some(it));
        let value = plain(value);
        if self.lookup_under(world, map, &key).is_ok_and(|under| plain(under) == value) {
            let mut over = map.over.clone();
            Rc::make_mut(&mut over).remove(&key);
            return MapValue { base: map.base, default: map.default.clone(), over };
        }
        map.with(key, value)
    }

    /// All entries of a map, or those of a total function that are not the default; in no particular order.
    pub fn entries(&self, world: &mut World, map: &MapValue) -> Result<Vec<(Value, Value)>, Stop> {
        let mut entries: BTreeMap<Value, Value> = BTreeMap::new();
        if let Some(base) = map.base.cell() {
            let facts = self.known.bases.get(&base).cloned().unwrap_or_default();
            if !facts.closed {
                return Err(Stop::Need(Need::Close(base)));
            }
            entries.extend(facts.entries.into_iter().filter_map(|(key, entry)| Some((key, map.base.entry(entry)?))));
        }
        for (key, entry) in map.over.iter() {
            match entry {
                Some(value) => drop(entries.insert(key.clone(), value.clone())),
                None => drop(entries.remove(key)),
            }
        }
        let Some(default) = map.default.as_deref() else { return Ok(entries.into_iter().collect()) };
        let mut support = Vec::new();
        for (key, value) in entries {
            if !self.is_default(world, &value, default)? {
                support.push((key, value));
            }
        }
        Ok(support)
    }

    fn is_default(&self, world: &mut World, value: &Value, default: &Value) -> Result<bool, Stop> {
        if let Value::Cell(id) = self.resolve(value)
            && self.known.nondefault.contains(&id)
        {
            return Ok(false);
        }
        self.is_equal(world, value, default)
    }

    pub(super) fn is_empty(&self, world: &mut World, map: &MapValue) -> Result<bool, Stop> {
        let mut need = None;
        let mut known: BTreeMap<Value, Option<Value>> = BTreeMap::new();
        if let Some(base) = map.base.cell() {
            let facts = self.known.bases.get(&base).cloned().unwrap_or_default();
            if !facts.closed {
                need = Some(Stop::Need(Need::Close(base)));
            }
            known = facts.entries;
        }
        known.extend(map.over.iter().map(|(key, entry)| (key.clone(), entry.clone())));
        for value in known.values().flatten() {
            let Some(default) = map.default.as_deref() else { return Ok(false) };
            match self.is_default(world, value, default) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(stop) => need = Some(stop),
            }
        }
        need.map_or(Ok(true), Err)
    }
}

pub(super) fn has_invented(key: &Value) -> bool {
    match key {
        Value::Atom(_, number) => *number >= WITNESS_ATOMS,
        Value::Tuple(fields) | Value::Variant(_, fields) => fields.iter().any(has_invented),
        Value::Seq(elements) => elements.iter().any(has_invented),
        Value::Unordered(entries) => entries.iter().any(|(key, it)| has_invented(key) || has_invented(it)),
        Value::Text(pieces) => pieces.iter().any(|piece| match piece {
            Piece::Literal(_) => false,
            Piece::Decimal(_, number) | Piece::Other(number) => *number >= WITNESS_ATOMS,
        }),
        _ => false,
    }
}
