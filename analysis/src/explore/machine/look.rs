//! Reads values: follows what is known about a cell, as deep as the code has to see.
//!
//! If something is unknown, the result is a [`Need`]; this module does not decide how it is met.

use std::rc::Rc;

use super::{Machine, Stop, World};
use crate::explore::{
    cells::Need,
    order::in_order,
    value::{CellId, MapValue, Value},
};

impl Machine {
    /// Follows what is known about a cell; other values are returned unchanged.
    pub fn resolve(&self, value: &Value) -> Value {
        let mut value = value;
        while let Value::Cell(id) = value {
            match self.chosen.get(id).or_else(|| self.known.resolved.get(id)) {
                Some(known) => value = known,
                None => break,
            }
        }
        value.clone()
    }

    /// The value with all that is known of it in its place.
    pub fn written(&self, value: &Value) -> Value {
        let all = |fields: &[Value]| fields.iter().map(|it| self.written(it)).collect::<Vec<_>>();
        match self.resolve(value) {
            Value::Tuple(fields) => Value::tuple(all(&fields)),
            Value::Variant(tag, fields) => Value::Variant(tag, all(&fields).into()),
            Value::Seq(elements) => Value::seq(all(&elements)),
            value => value,
        }
    }

    /// The value, known one level deep.
    pub fn force(&self, world: &mut World, value: &Value) -> Result<Value, Need> {
        match self.force_unless_unordered(world, value)? {
            Value::Unordered(entries) => in_order(&mut world.cells, &self.known, &entries).map(Value::seq),
            value => Ok(value),
        }
    }

    /// The same for code that does not observe the order of a sequence.
    pub(super) fn force_unless_unordered(&self, world: &mut World, value: &Value) -> Result<Value, Need> {
        match self.resolve(value) {
            Value::Cell(id) => {
                world.cells.note_opened(id);
                world.cells.expand(id).ok_or(Need::Resolve(id))
            }
            value => Ok(value),
        }
    }

    /// The value without any cells; for keys.
    pub fn force_all(&self, world: &mut World, value: &Value) -> Result<Value, Need> {
        let value = self.force(world, value)?;
        let all = |world: &mut World, fields: &[Value]| {
            fields.iter().map(|it| self.force_all(world, it)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match &value {
            Value::Tuple(fields) => Value::tuple(all(world, fields)?),
            Value::Variant(tag, fields) => Value::Variant(*tag, Rc::from(all(world, fields)?)),
            Value::Seq(elements) => Value::seq(all(world, elements)?),
            Value::Str(_) | Value::Text(_) => {
                world.cells.note_string(&value);
                value
            }
            _ => value,
        })
    }

    /// The value without any cells, and with maps that are known completely.
    ///
    /// # Errors
    /// The need that has to be met first.
    pub fn settle(&self, world: &mut World, value: &Value) -> Result<Value, Need> {
        let value = self.force(world, value)?;
        let all = |world: &mut World, fields: &[Value]| {
            fields.iter().map(|it| self.settle(world, it)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match &value {
            Value::Tuple(fields) => Value::tuple(all(world, fields)?),
            Value::Variant(tag, fields) => Value::Variant(*tag, Rc::from(all(world, fields)?)),
            Value::Seq(elements) => Value::seq(all(world, elements)?),
            Value::Map(map) => {
                let mut settled = MapValue::empty(map.default.as_deref().cloned());
                let entries = self.entries(world, map).map_err(|stop| match stop {
                    Stop::Need(need) => need,
                    // A comparison with the default stops only because of a cell.
                    _ => Need::Close(CellId(0)),
                })?;
                for (key, value) in entries {
                    settled = settled.with(key, Some(self.settle(world, &value)?));
                }
                Value::Map(settled)
            }
            _ => value,
        })
    }
}
