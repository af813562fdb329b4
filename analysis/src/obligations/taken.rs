//! Taken components: what only one process can have done since.
//!
//! A call of a process *takes* what `K` tells if `K` did not hold before it, and holds after it:
//!
//! ```text
//! s --o(a)/r--> s',   not K(s),   K(s')
//! ```
//!
//! where `K` is one of
//!
//! ```text
//! c is v        a component of the state has this constant value
//! k in c        a value is a key of a collection
//! k not in c    it is no key of it
//! c[k].f is v   a field of the entry at a key has this constant value
//! ```
//!
//! So the process that finds a lock free and sets it has taken *locked is true*; the one that drops the last reference, *count is 0*; the one that
//! creates a lock file, *path is in files*; and the one that marks a job as running, `jobs[id].status is Running`. As long as `K` holds in all
//! states since then, no other process has taken the same: where the later one of two took it, `K` would not have held. What follows for the
//! calls of others is in [tokens](super::tokens).

use super::facts::{Component, Fact, Known, expanded};
use crate::explore::{
    machine::Machine,
    search::Search,
    value::{MapValue, Value},
};

/// What tells whether a component has been taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The fields that lead to it, or to the collection whose entry it is in.
    pub fields: Vec<usize>,
    /// If it is in an entry: the fields that lead to it from there.
    pub in_entry: Option<Vec<usize>>,
    /// What has been made of it.
    pub to: To,
}

/// What has been made of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// A constant.
    Is(Value),
    /// An entry that is there.
    Present,
    /// An entry that is not there.
    Absent,
}

impl Taken {
    /// That it is still so, where `key` is the key of the entry, if it is in one.
    pub(super) fn holds<V: Clone>(&self, key: &V, constant: &dyn Fn(&Value) -> Option<V>) -> Option<Fact<V>> {
        let field = |it: &usize| Component::Field(*it);
        let mut path: Vec<Component<V>> = self.fields.iter().map(field).collect();
        if let Some(fields) = &self.in_entry {
            path.push(Component::Entry(key.clone()));
            path.extend(fields.iter().map(field));
        }
        let known = match &self.to {
            To::Is(value) => Known::Is(constant(value)?),
            To::Present => Known::Present,
            To::Absent => Known::Absent,
        };
        Some(Fact { path, known, only_if: None })
    }
}

/// The most things that one call takes.
const MOST: usize = 8;

/// What a call takes that has led from one state to that of the machine, with the key of the entry, or `()`.
pub(super) fn by_call(search: &mut Search<'_, '_>, machine: &Machine, before: &Value) -> Vec<(Taken, Value)> {
    let mut changes = Changes { machine, search, fields: Vec::new(), entry: None, found: Vec::new() };
    changes.of(before, &machine.state);
    changes.found.truncate(MOST);
    changes.found
}

/// Looks for what has been taken.
struct Changes<'a, 's, 'w, 'p> {
    machine: &'a Machine,
    search: &'s mut Search<'w, 'p>,
    fields: Vec<usize>,
    /// The key of the entry, and the fields within it.
    entry: Option<(Value, Vec<usize>)>,
    found: Vec<(Taken, Value)>,
}

impl Changes<'_, '_, '_, '_> {
    fn of(&mut self, before: &Value, after: &Value) {
        if before == after {
            return;
        }
        let (before, after) = (expanded(self.search, self.machine, before), expanded(self.search, self.machine, after));
        match (&before, &after) {
            (Value::Tuple(before), Value::Tuple(after)) => {
                for (index, (before, after)) in before.iter().zip(after.iter()).enumerate() {
                    self.path().push(index);
                    self.of(before, after);
                    self.path().pop();
                }
            }
            (Value::Map(before), Value::Map(after)) => self.of_collection(before, after),
            _ => self.of_leaf(&before, &after),
        }
    }

    fn path(&mut self) -> &mut Vec<usize> {
        match &mut self.entry {
            Some((_, fields)) => fields,
            None => &mut self.fields,
        }
    }

    fn of_leaf(&mut self, before: &Value, after: &Value) {
        let after = self.machine.written(after);
        if is_constant(&after) && self.machine.known.same(before, &after) == Some(false) {
            self.found(To::Is(after));
        }
    }

    fn of_collection(&mut self, before: &MapValue, after: &MapValue) {
        // Of collections in entries nothing is said.
        if self.entry.is_some() {
            return;
        }
        let keys: Vec<Value> = before.over.keys().chain(after.over.keys()).cloned().collect();
        for key in keys {
            let entry = |map: &MapValue| {
                let entry = self.machine.lookup(self.search.world, map, &key).ok()?;
                Some(entry.or_else(|| map.default.as_deref().cloned()))
            };
            let (Some(before), Some(after)) = (entry(before), entry(after)) else { continue };
            self.entry = Some((key, Vec::new()));
            match (before, after) {
                (None, Some(_)) => self.found(To::Present),
                (Some(_), None) => self.found(To::Absent),
                (Some(before), Some(after)) => self.of(&before, &after),
                (None, None) => {}
            }
            self.entry = None;
        }
    }

    fn found(&mut self, to: To) {
        let (key, in_entry) = match &self.entry {
            Some((key, fields)) => (key.clone(), Some(fields.clone())),
            None => (Value::Unit, None),
        };
        self.found.push((Taken { fields: self.fields.clone(), in_entry, to }, key));
    }
}

/// Whether a value is the same in all searches.
fn is_constant(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Int(_) => true,
        Value::Variant(_, parts) | Value::Tuple(parts) => parts.iter().all(is_constant),
        _ => false,
    }
}
