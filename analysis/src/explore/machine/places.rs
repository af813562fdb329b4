//! Components of values: fields, elements and entries, read and written in place.

use std::rc::Rc;

use super::{Machine, Stop, World, numbers::number};
use crate::{
    explore::value::{Base, MapValue, Value},
    ir::Mutation,
};

impl Machine {
    pub(super) fn field(&mut self, world: &mut World, index: u32) -> Result<(), Stop> {
        if let Some(Value::Tuple(fields)) = self.stack.last() {
            let field = fields[index as usize].clone();
            self.replace(1, field);
            return Ok(());
        }
        let value = match self.force_top(world, 0)? {
            Value::Tuple(fields) => fields.get(index as usize).cloned().unwrap_or(Value::Unit),
            other => other,
        };
        self.replace(1, value);
        Ok(())
    }

    pub(super) fn set_field(&mut self, world: &mut World, index: u32) -> Result<(), Stop> {
        let container = self.stack.len() - 2;
        if let Value::Cell(id) = self.stack[container] {
            self.stack[container] = self.force(world, &Value::Cell(id)).map_err(Stop::Need)?;
        }
        if let (Some(value), Some(Value::Tuple(fields))) = (self.stack.pop(), self.stack.last_mut()) {
            Rc::make_mut(fields)[index as usize] = value;
        }
        Ok(())
    }

    /// Like [`Machine::set_field`], for a value in a variant.
    pub(super) fn set_payload(&mut self, world: &mut World, index: u32) -> Result<(), Stop> {
        let container = self.stack.len() - 2;
        if let Value::Cell(id) = self.stack[container] {
            self.stack[container] = self.force(world, &Value::Cell(id)).map_err(Stop::Need)?;
        }
        if let (Some(value), Some(Value::Variant(_, fields))) = (self.stack.pop(), self.stack.last_mut())
            && let Some(field) = Rc::make_mut(fields).get_mut(index as usize)
        {
            *field = value;
        }
        Ok(())
    }

    pub(super) fn index(&mut self, world: &mut World) -> Result<(), Stop> {
        let key = self.force_key_top(world, 0)?;
        let value = match self.force_top(world, 1)? {
            Value::Map(map) => {
                self.lookup(world, &map, &key).map_err(Stop::Need)?.or_else(|| map.default.as_deref().cloned())
            }
            Value::Seq(elements) => match number(&key)? {
                index if index >= 0 => elements.get(index as usize).cloned(),
                _ => None,
            },
            _ => None,
        };
        let Some(value) = value else { return Err(self.panic_here(world, "there is no entry at this key")) };
        self.replace(2, value);
        Ok(())
    }

    pub(super) fn set_index(&mut self, world: &mut World) -> Result<(), Stop> {
        let key = self.force_key_top(world, 1)?;
        let value = self.top(0);
        let changed = match self.force_top(world, 2)? {
            Value::Map(map) => {
                let is_missing = map.default.is_none() && self.lookup(world, &map, &key).map_err(Stop::Need)?.is_none();
                if is_missing {
                    return Err(self.panic_here(world, "there is no entry at this key"));
                }
                Value::Map(self.put(world, &map, key, Some(value)))
            }
            Value::Seq(elements) => {
                let index = number(&key)?;
                if !(0..elements.len() as i128).contains(&index) {
                    return Err(self.panic_here(world, "the index is out of bounds"));
                }
                let mut elements = elements.to_vec();
                elements[index as usize] = value;
                Value::seq(elements)
            }
            other => other,
        };
        self.replace(3, changed);
        Ok(())
    }

    pub(super) fn mutate(&mut self, world: &mut World, mutation: Mutation, count: usize) -> Result<(), Stop> {
        let container = self.force_top(world, count)?;
        let (changed, result) = match (mutation, container) {
            (Mutation::Insert, Value::Map(map)) => {
                let key = self.force_key_top(world, count - 1)?;
                let value = if count == 2 { self.top(0) } else { Value::Unit };
                (Value::Map(self.put(world, &map, key, Some(value))), Value::Unit)
            }
            (Mutation::Remove, Value::Map(map)) => {
                let key = self.force_key_top(world, 0)?;
                (Value::Map(self.put(world, &map, key, None)), Value::Unit)
            }
            (Mutation::Push, Value::Seq(mut elements)) => {
                world.pay_for(elements.len())?;
                Rc::make_mut(&mut elements).push(self.top(0));
                (Value::Seq(elements), Value::Unit)
            }
            (Mutation::Pop, Value::Seq(mut elements)) => {
                let last = Rc::make_mut(&mut elements).pop();
                (Value::Seq(elements), last.map_or_else(Value::none, Value::some))
            }
            (Mutation::PopFront, Value::Seq(mut elements)) => {
                let first = (!elements.is_empty()).then(|| Rc::make_mut(&mut elements).remove(0));
                (Value::Seq(elements), first.map_or_else(Value::none, Value::some))
            }
            (Mutation::Clear, Value::Seq(_)) => (Value::seq(Vec::new()), Value::Unit),
            (Mutation::Clear, Value::Map(map)) => {
                (Value::Map(MapValue { base: Base::Empty, default: map.default, over: Rc::default() }), Value::Unit)
            }
            (_, other) => (other, Value::Unit),
        };
        self.stack.truncate(self.stack.len() - count - 1);
        self.stack.extend([changed, result]);
        Ok(())
    }
}
