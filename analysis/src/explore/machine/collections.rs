//! Primitives on maps, sets and sequences.
//!
//! A sequence built from the entries of a map has no order until code observes it: until then it is [`Value::Unordered`].

use std::rc::Rc;

use super::{Machine, Stop, World};
use crate::{
    explore::{
        order::in_order,
        value::{Base, MapValue, Value},
    },
    ir::{Prim, Type},
};

impl Machine {
    pub(super) fn collection_prim(&mut self, world: &mut World, prim: Prim, ty: &Type) -> Result<Value, Stop> {
        let depth = usize::from(matches!(prim, Prim::Get | Prim::Contains));
        match self.force_unless_unordered(world, &self.top(depth)).map_err(Stop::Need)? {
            Value::Map(map) => self.map_prim(world, prim, &map, ty),
            Value::Seq(elements) => self.seq_prim(world, prim, &elements, ty),
            Value::Unordered(entries) => self.unordered_prim(world, prim, &entries, ty),
            _ => Err(self.unsupported(world)),
        }
    }

    fn map_prim(&mut self, world: &mut World, prim: Prim, map: &MapValue, ty: &Type) -> Result<Value, Stop> {
        Ok(match prim {
            Prim::Get => {
                let key = self.force_key_top(world, 0)?;
                self.lookup(world, map, &key).map_err(Stop::Need)?.map_or_else(Value::none, Value::some)
            }
            Prim::Contains => {
                let key = self.force_key_top(world, 0)?;
                Value::Bool(self.lookup(world, map, &key).map_err(Stop::Need)?.is_some())
            }
            Prim::Len => {
                let length = self.entries(world, map)?.len() as i128;
                self.made(world, length)?
            }
            Prim::IsEmpty => Value::Bool(self.is_empty(world, map)?),
            Prim::Keys => self.keys_of(world, map)?,
            Prim::Elems => {
                let is_map = matches!(ty, Type::Seq(element) if matches!(&**element, Type::Tuple(pair) if pair.get(1) == Some(&Type::UNIT)));
                let entries = self.entries(world, map)?;
                let is_set = !is_map && entries.iter().all(|(_, value)| *value == Value::Unit);
                sequence(entries, |key, value| if is_set { key } else { Value::tuple(vec![key, value]) })
            }
            Prim::Values => sequence(self.entries(world, map)?, |_, value| value),
            Prim::ToSet => Value::Map(map.clone()),
            _ => return Err(self.unsupported(world)),
        })
    }

    fn keys_of(&mut self, world: &mut World, map: &MapValue) -> Result<Value, Stop> {
        if let MapValue { base: Base::Unknown(base), default: None, over } = map {
            let over = over.iter().map(|(key, entry)| (key.clone(), entry.as_ref().map(|_| Value::Unit))).collect();
            return Ok(Value::Map(MapValue { base: Base::Keys(*base), default: None, over: Rc::new(over) }));
        }
        let mut keys = MapValue::empty(None);
        for (key, _) in self.entries(world, map)? {
            keys = keys.with(key, Some(Value::Unit));
        }
        Ok(Value::Map(keys))
    }

    fn seq_prim(&mut self, world: &mut World, prim: Prim, elements: &[Value], ty: &Type) -> Result<Value, Stop> {
        Ok(match prim {
            Prim::Get => {
                let at = self.number_top(world, 0)?;
                usize::try_from(at).ok().and_then(|at| elements.get(at)).cloned().map_or_else(Value::none, Value::some)
            }
            Prim::Contains => {
                let wanted = self.top(0);
                let mut found = false;
                for element in elements {
                    found |= self.is_equal(world, element, &wanted)?;
                }
                Value::Bool(found)
            }
            Prim::Len => self.made(world, elements.len() as i128)?,
            Prim::IsEmpty => Value::Bool(elements.is_empty()),
            Prim::Elems => Value::seq(elements.to_vec()),
            Prim::First => elements.first().cloned().map_or_else(Value::none, Value::some),
            Prim::Last => elements.last().cloned().map_or_else(Value::none, Value::some),
            Prim::Rev => Value::seq(elements.iter().rev().cloned().collect()),
            Prim::ToMap => self.map_of(world, elements)?.0,
            Prim::ToSet => self.set_of(world, elements)?,
            Prim::MaxOf | Prim::MinOf | Prim::Sum => self.fold(world, prim, elements, ty)?,
            _ => return Err(self.unsupported(world)),
        })
    }

    /// The same for a sequence whose order is not known yet: the order is resolved only if the result depends on it.
    fn unordered_prim(
        &mut self,
        world: &mut World,
        prim: Prim,
        entries: &Rc<Vec<(Value, Value)>>,
        ty: &Type,
    ) -> Result<Value, Stop> {
        let elements: Vec<Value> = entries.iter().map(|(_, element)| element.clone()).collect();
        match prim {
            Prim::Elems => return Ok(Value::Unordered(entries.clone())),
            // With signed values, the order may decide whether an intermediate sum overflows.
            Prim::Sum if matches!(ty, Type::Int { signed: true, .. }) => {}
            Prim::Contains | Prim::Len | Prim::IsEmpty | Prim::ToSet | Prim::MaxOf | Prim::MinOf | Prim::Sum => {
                return self.seq_prim(world, prim, &elements, ty);
            }
            Prim::ToMap => {
                // Of two entries with the same key, the last counts.
                let (map, overwrote) = self.map_of(world, &elements)?;
                if !overwrote {
                    return Ok(map);
                }
            }
            _ => {}
        }
        let elements = in_order(&mut world.cells, &self.known, entries).map_err(Stop::Need)?;
        self.seq_prim(world, prim, &elements, ty)
    }

    pub(super) fn set_of(&mut self, world: &mut World, elements: &[Value]) -> Result<Value, Stop> {
        let mut set = MapValue::empty(None);
        for element in elements {
            let key = self.force_all(world, element).map_err(Stop::Need)?;
            set = set.with(key, Some(Value::Unit));
        }
        Ok(Value::Map(set))
    }

    /// The map of these entries, and whether one replaced another.
    fn map_of(&mut self, world: &mut World, elements: &[Value]) -> Result<(Value, bool), Stop> {
        let mut map = MapValue::empty(None);
        let mut overwrote = false;
        for element in elements {
            if let Value::Tuple(pair) = self.force(world, element).map_err(Stop::Need)? {
                let key = self.force_all(world, &pair[0]).map_err(Stop::Need)?;
                overwrote |= map.over.get(&key).is_some_and(|old| old.as_ref() != Some(&pair[1]));
                map = map.with(key, Some(pair[1].clone()));
            }
        }
        Ok((Value::Map(map), overwrote))
    }
}

/// A sequence built from the entries of a map or a set; its order has not been observed.
fn sequence(entries: Vec<(Value, Value)>, element: impl Fn(Value, Value) -> Value) -> Value {
    if entries.len() < 2 {
        return Value::seq(entries.into_iter().map(|(key, value)| element(key, value)).collect());
    }
    Value::Unordered(Rc::new(entries.into_iter().map(|(key, value)| (key.clone(), element(key, value))).collect()))
}

/// The elements of a sequence, for code that does not observe their order.
pub(super) fn elements_in_any_order(sequence: &Value) -> Option<Vec<Value>> {
    match sequence {
        Value::Seq(elements) => Some(elements.to_vec()),
        Value::Unordered(entries) => Some(entries.iter().map(|(_, element)| element.clone()).collect()),
        _ => None,
    }
}
