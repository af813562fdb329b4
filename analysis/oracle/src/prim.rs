//! Primitives and places: the effect of the language's operators and methods on plain values.

use std::collections::{BTreeMap, BTreeSet};

use cspec_analysis::ir::{Arith, Mutation, Overflow, Prim, Projection, Type};

use crate::{
    eval::{Evaluator, Stop, dont_know},
    integer,
    value::{Value, int_range},
};

/// A field of a struct or tuple.
pub fn field_mut(value: &mut Value, index: u32) -> Result<&mut Value, Stop> {
    match value {
        Value::Tuple(fields) => fields.get_mut(index as usize).ok_or_else(|| dont_know("there is no such field")),
        other => Err(dont_know(&format!("{other} has no fields"))),
    }
}

/// The value at the end of a path.
pub fn read<'v>(mut value: &'v Value, path: &[Projection], keys: &[Value]) -> Result<&'v Value, Stop> {
    let mut keys = keys.iter();
    for projection in path {
        value = match projection {
            Projection::Field(index) => match value {
                Value::Tuple(fields) => &fields[*index as usize],
                other => return Err(dont_know(&format!("{other} has no fields"))),
            },
            Projection::Payload(index) => payload(value, *index)?,
            // There is a key for each index of the path.
            Projection::Index(_) => index(value, keys.next().unwrap_or(&Value::UNIT))?,
        };
    }
    Ok(value)
}

fn payload(value: &Value, index: u32) -> Result<&Value, Stop> {
    match value {
        Value::Variant(_, fields) => fields.get(index as usize).ok_or_else(|| dont_know("there is no such value")),
        other => Err(dont_know(&format!("{other} has no variants"))),
    }
}

fn payload_mut(value: &mut Value, index: u32) -> Result<&mut Value, Stop> {
    match value {
        Value::Variant(_, fields) => fields.get_mut(index as usize).ok_or_else(|| dont_know("there is no such value")),
        other => Err(dont_know(&format!("{other} has no variants"))),
    }
}

/// The value of `collection[key]`.
fn index<'v>(collection: &'v Value, key: &Value) -> Result<&'v Value, Stop> {
    match collection {
        Value::Map(entries) => entries.get(key).ok_or(Stop::Panicked("there is no entry at this key")),
        Value::Total(entries, default) => Ok(entries.get(key).unwrap_or(default)),
        Value::Seq(elements) => {
            position(key)?.and_then(|at| elements.get(at)).ok_or(Stop::Panicked("the index is out of bounds"))
        }
        other => Err(dont_know(&format!("{other} has no entries"))),
    }
}

fn position(key: &Value) -> Result<Option<usize>, Stop> {
    Ok(usize::try_from(int(key)?).ok())
}

fn int(value: &Value) -> Result<i128, Stop> {
    match value {
        Value::Int(it) => Ok(*it),
        other => Err(dont_know(&format!("{other} is no number"))),
    }
}

/// Changes the value at the end of a path. Entries of a total function that become the default are removed.
pub fn change(
    value: &mut Value,
    path: &[Projection],
    keys: &[Value],
    how: &mut dyn FnMut(&mut Value) -> Result<Value, Stop>,
) -> Result<Value, Stop> {
    let Some((first, rest)) = path.split_first() else { return how(value) };
    match first {
        Projection::Field(index) => return change(field_mut(value, *index)?, rest, keys, how),
        Projection::Payload(index) => return change(payload_mut(value, *index)?, rest, keys, how),
        Projection::Index(_) => {}
    }
    let Some((key, keys)) = keys.split_first() else { return Err(dont_know("a key is missing")) };
    match value {
        Value::Map(entries) => {
            let entry = entries.get_mut(key).ok_or(Stop::Panicked("there is no entry at this key"))?;
            change(entry, rest, keys, how)
        }
        Value::Seq(elements) => {
            let at = position(key)?;
            let element = at.and_then(|at| elements.get_mut(at)).ok_or(Stop::Panicked("the index is out of bounds"))?;
            change(element, rest, keys, how)
        }
        Value::Total(entries, default) => {
            let mut entry = entries.remove(key).unwrap_or_else(|| (**default).clone());
            let result = change(&mut entry, rest, keys, how)?;
            if entry != **default {
                entries.insert(key.clone(), entry);
            }
            Ok(result)
        }
        other => Err(dont_know(&format!("{other} has no entries"))),
    }
}

/// Performs a mutation: `insert`, `remove`, `push`, ….
pub fn mutate(mutation: Mutation, collection: &mut Value, operands: Vec<Value>) -> Result<Value, Stop> {
    let mut operands = operands.into_iter();
    let mut operand = || operands.next().ok_or_else(|| dont_know("an operand is missing"));
    match (mutation, collection) {
        (Mutation::Insert, Value::Map(entries)) => drop(entries.insert(operand()?, operand()?)),
        (Mutation::Insert, Value::Set(elements)) => drop(elements.insert(operand()?)),
        (Mutation::Remove, Value::Map(entries)) => drop(entries.remove(&operand()?)),
        (Mutation::Remove, Value::Set(elements)) => drop(elements.remove(&operand()?)),
        (Mutation::Push, Value::Seq(elements)) => elements.push(operand()?),
        (Mutation::Pop, Value::Seq(elements)) => return Ok(Value::option(elements.pop())),
        (Mutation::PopFront, Value::Seq(elements)) => {
            return Ok(Value::option((!elements.is_empty()).then(|| elements.remove(0))));
        }
        (Mutation::Clear, Value::Map(entries) | Value::Total(entries, _)) => entries.clear(),
        (Mutation::Clear, Value::Set(elements)) => elements.clear(),
        (Mutation::Clear, Value::Seq(elements)) => elements.clear(),
        (mutation, other) => return Err(dont_know(&format!("{mutation:?} of {other}"))),
    }
    Ok(Value::UNIT)
}

/// The result of a pure primitive; `of` is the type of its first operand, `ty` that of its value.
pub fn evaluate(
    prim: Prim,
    operands: Vec<Value>,
    of: &Type,
    ty: &Type,
    evaluator: &Evaluator<'_>,
) -> Result<Value, Stop> {
    match (prim, operands.as_slice()) {
        (Prim::Eq, [a, b]) => Ok(Value::Bool(a == b)),
        (Prim::Ne, [a, b]) => Ok(Value::Bool(a != b)),
        (Prim::Not, [Value::Bool(it)]) => Ok(Value::Bool(!it)),
        (Prim::Lt, [Value::Int(a), Value::Int(b)]) => Ok(Value::Bool(a < b)),
        (Prim::Le, [Value::Int(a), Value::Int(b)]) => Ok(Value::Bool(a <= b)),
        (Prim::Gt, [Value::Int(a), Value::Int(b)]) => Ok(Value::Bool(a > b)),
        (Prim::Ge, [Value::Int(a), Value::Int(b)]) => Ok(Value::Bool(a >= b)),
        (Prim::Empty | Prim::Default, []) => Ok(evaluator.universe.default(ty)),
        (Prim::Elements, _) => Ok(match ty {
            Type::Set(_) => Value::Set(operands.into_iter().collect()),
            _ => Value::Seq(operands),
        }),
        (Prim::Concat, _) => concatenated(&operands),
        (Prim::Text, _) => concatenated(&operands),
        (Prim::SplitOnce, [Value::Str(whole), Value::Str(separator)]) => {
            let parts = whole.split_once(&**separator);
            Ok(Value::option(parts.map(|(left, right)| Value::Tuple(vec![Value::str(left), Value::str(right)]))))
        }
        (Prim::Parse, [Value::Str(text)]) => Ok(Value::option(parsed(text, ty))),
        (Prim::BitAnd, [Value::Bool(a), Value::Bool(b)]) => Ok(Value::Bool(a & b)),
        (Prim::BitOr, [Value::Bool(a), Value::Bool(b)]) => Ok(Value::Bool(a | b)),
        (Prim::BitXor, [Value::Bool(a), Value::Bool(b)]) => Ok(Value::Bool(a ^ b)),
        (Prim::Range, [Value::Int(a), Value::Int(b)]) => range(*a, *b),
        (Prim::RangeInclusive, [Value::Int(a), Value::Int(b)]) => range(*a, b + 1),
        (Prim::Cast, [Value::Int(it)]) => integer::cast(*it, ty),
        (Prim::Cast, [Value::Bool(it)]) => Ok(Value::Int(i128::from(*it))),
        (Prim::Sum, [collection]) => {
            let mut sum = 0;
            for element in elements(collection)? {
                let added = Prim::Arith(Arith::Add, Overflow::Panics);
                sum = int(&integer::compute(added, sum, Some(int(&element)?), ty, evaluator.beyond)?)?;
            }
            Ok(Value::Int(sum))
        }
        (_, [Value::Int(a)]) => integer::compute(prim, *a, None, of, evaluator.beyond),
        (_, [Value::Int(a), Value::Int(b)]) => integer::compute(prim, *a, Some(*b), of, evaluator.beyond),
        _ => of_collection(prim, &operands),
    }
}

fn concatenated(parts: &[Value]) -> Result<Value, Stop> {
    let mut text = String::new();
    for part in parts {
        match part {
            Value::Str(it) => text.push_str(it),
            Value::Int(it) => text.push_str(&it.to_string()),
            Value::Pid(it) => text.push_str(&it.to_string()),
            other => return Err(dont_know(&format!("the text of {other}"))),
        }
    }
    Ok(Value::str(&text))
}

/// Parses a text like `str::parse` of an integer type.
fn parsed(text: &str, ty: &Type) -> Option<Value> {
    let Type::Option(target) = ty else { return None };
    match **target {
        Type::Pid => text.parse().ok().map(Value::Pid),
        Type::Int { bits, signed } => {
            let number: i128 = text.parse().ok().filter(|_| signed || !text.starts_with('-'))?;
            int_range(bits, signed).contains(&number).then_some(Value::Int(number))
        }
        _ => None,
    }
}

fn range(from: i128, to: i128) -> Result<Value, Stop> {
    if to - from > 1 << 12 {
        return Err(dont_know("a range that is too long"));
    }
    Ok(Value::Seq((from..to).map(Value::Int).collect()))
}

fn of_collection(prim: Prim, operands: &[Value]) -> Result<Value, Stop> {
    Ok(match (prim, operands) {
        (Prim::Get, [Value::Map(entries), key]) => Value::option(entries.get(key).cloned()),
        (Prim::Get, [Value::Seq(elements), at]) => {
            Value::option(position(at)?.and_then(|at| elements.get(at)).cloned())
        }
        (Prim::Index, [collection, key]) => index(collection, key)?.clone(),
        (Prim::Contains, [Value::Map(entries), key]) => Value::Bool(entries.contains_key(key)),
        (Prim::Contains, [Value::Set(elements), it]) => Value::Bool(elements.contains(it)),
        (Prim::Contains, [Value::Seq(elements), it]) => Value::Bool(elements.contains(it)),
        (Prim::Len, [collection]) => Value::Int(length(collection)? as i128),
        (Prim::IsEmpty, [collection]) => Value::Bool(length(collection)? == 0),
        (Prim::Keys, [Value::Map(entries) | Value::Total(entries, _)]) => Value::Set(entries.keys().cloned().collect()),
        (Prim::Values, [Value::Map(entries)]) => Value::Seq(entries.values().cloned().collect()),
        (Prim::Elems, [collection]) => Value::Seq(elements(collection)?),
        (Prim::First, [Value::Seq(elements)]) => Value::option(elements.first().cloned()),
        (Prim::Last, [Value::Seq(elements)]) => Value::option(elements.last().cloned()),
        (Prim::Rev, [collection]) => Value::Seq(elements(collection)?.into_iter().rev().collect()),
        (Prim::ToSet, [collection]) => Value::Set(elements(collection)?.into_iter().collect::<BTreeSet<_>>()),
        (Prim::ToMap, [Value::Seq(pairs)]) => {
            let mut entries = BTreeMap::new();
            for pair in pairs {
                let Value::Tuple(pair) = pair else { return Err(dont_know("a map of what are no pairs")) };
                entries.insert(pair[0].clone(), pair[1].clone());
            }
            Value::Map(entries)
        }
        (Prim::MaxOf, [collection]) => Value::option(elements(collection)?.into_iter().max()),
        (Prim::MinOf, [collection]) => Value::option(elements(collection)?.into_iter().min()),
        _ => return Err(dont_know(&format!("{prim:?} of {operands:?}"))),
    })
}

fn length(collection: &Value) -> Result<usize, Stop> {
    Ok(match collection {
        Value::Map(entries) | Value::Total(entries, _) => entries.len(),
        Value::Set(elements) => elements.len(),
        Value::Seq(elements) => elements.len(),
        other => return Err(dont_know(&format!("the length of {other}"))),
    })
}

/// The elements that iterating a collection yields.
fn elements(collection: &Value) -> Result<Vec<Value>, Stop> {
    Ok(match collection {
        Value::Map(entries) | Value::Total(entries, _) => {
            entries.iter().map(|(key, value)| Value::Tuple(vec![key.clone(), value.clone()])).collect()
        }
        Value::Set(elements) => elements.iter().cloned().collect(),
        Value::Seq(elements) => elements.clone(),
        other => return Err(dont_know(&format!("the elements of {other}"))),
    })
}
