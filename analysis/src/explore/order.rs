//! The order in which code iterates over a map or a set: the order of the keys.
//!
//! About scalars, processes, and unknown strings and integers, code knows only which ones are equal. But they have an order, and code that
//! takes the first of two depends on it. So the order of two such values is unknown until code observes it. It is the value of an
//! uninterpreted function, the same for all runs of a question. Until then the sequence is a [`Value::Unordered`]; most code never observes
//! an order. A pair is split only if its order does not follow from that of other pairs, so every case is consistent with some total order.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    cells::{Cells, Function, Knowledge, Need, Origin, WITNESS_ATOMS},
    value::{CellId, Sort, Value},
};
use crate::ir::Type;

/// For each atom that is shown with another number than its own, that number.
pub type Numbering = BTreeMap<(Sort, u32), u32>;

/// How many atoms chosen by a witness search get numbers of their own.
const MOST_WITNESSES: u32 = 16;

/// The elements of a [`Value::Unordered`], in the order of their keys.
///
/// # Errors
/// The order of two keys, if it has to be known first.
pub fn in_order(cells: &mut Cells, known: &Knowledge, entries: &[(Value, Value)]) -> Result<Vec<Value>, Need> {
    let mut ordered: Vec<&(Value, Value)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut at = ordered.len();
        while at > 0 && compare(cells, known, &entry.0, &ordered[at - 1].0)?.is_lt() {
            at -= 1;
        }
        ordered.insert(at, entry);
    }
    Ok(ordered.into_iter().map(|(_, element)| element.clone()).collect())
}

/// Compares two values without cells, part by part, like Rust's derived order.
fn compare(cells: &mut Cells, known: &Knowledge, a: &Value, b: &Value) -> Result<Ordering, Need> {
    match (a, b) {
        _ if a == b => Ok(Ordering::Equal),
        (Value::Bool(_), Value::Bool(_)) | (Value::Int(_), Value::Int(_)) | (Value::Str(_), Value::Str(_)) => {
            Ok(a.cmp(b))
        }
        (Value::Tuple(xs), Value::Tuple(ys)) => compare_parts(cells, known, xs, ys),
        (Value::Variant(x, xs), Value::Variant(y, ys)) if x == y => compare_parts(cells, known, xs, ys),
        (Value::Variant(x, _), Value::Variant(y, _)) => Ok(x.cmp(y)),
        (Value::Seq(xs), Value::Seq(ys)) => compare_parts(cells, known, xs, ys),
        _ => Ok(if precedes(cells, known, a, b)? { Ordering::Less } else { Ordering::Greater }),
    }
}

fn compare_parts(cells: &mut Cells, known: &Knowledge, xs: &[Value], ys: &[Value]) -> Result<Ordering, Need> {
    for (x, y) in xs.iter().zip(ys) {
        let ordering = compare(cells, known, x, y)?;
        if ordering.is_ne() {
            return Ok(ordering);
        }
    }
    Ok(xs.len().cmp(&ys.len()))
}

/// Whether `a` comes before `b`, for two different values whose order does not follow from their contents.
fn precedes(cells: &mut Cells, known: &Knowledge, a: &Value, b: &Value) -> Result<bool, Need> {
    if cells.ordered_by_number {
        cells.bounds_met.insert("one order of scalars".to_owned());
        return Ok(a < b);
    }
    if let Some(is_first) = comes_first(cells, a, b) {
        return Ok(is_first);
    }
    let function = cells.function(Function::Less, Type::Str, Type::Bool);
    let pairs = known_pairs(cells, known, function);
    if follows(&pairs, a, b) {
        return Ok(true);
    }
    if follows(&pairs, b, a) {
        return Ok(false);
    }
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    match cells.entry(function, &Value::tuple(vec![low.clone(), high.clone()])) {
        // If it had been split, it would be among the pairs.
        Value::Cell(answer) => Err(Need::Resolve(answer)),
        _ => Ok(a == low),
    }
}

/// Whether `a` comes before `b` because one of them is the least integer of the program. An unknown integer differs from all literals of
/// the code, so it is not 0.
fn comes_first(cells: &Cells, a: &Value, b: &Value) -> Option<bool> {
    let is_least = |it: &Value| cells.is_unsigned && matches!(it, Value::Int(number) if number.get() == 0);
    match (a, b) {
        (least, Value::Atom(Sort::Int, _)) if is_least(least) => Some(true),
        (Value::Atom(Sort::Int, _), least) if is_least(least) => Some(false),
        _ => None,
    }
}

/// The known order: the first of each pair comes before the second.
fn known_pairs<'k>(cells: &'k Cells, known: &Knowledge, function: CellId) -> Vec<(&'k Value, &'k Value)> {
    let pairs = known.resolved.iter().filter_map(|(cell, answer)| match &cells.get(*cell).origin {
        Origin::Entry(of, Value::Tuple(pair)) if *of == function => match answer {
            Value::Bool(true) => Some((&pair[0], &pair[1])),
            _ => Some((&pair[1], &pair[0])),
        },
        _ => None,
    });
    pairs.collect()
}

/// Whether `a` is known to come before `b`: by a chain of pairs, or because both are known integers or strings.
fn follows(pairs: &[(&Value, &Value)], a: &Value, b: &Value) -> bool {
    let mut reached = vec![a];
    let mut next = 0;
    while let Some(&from) = reached.get(next) {
        next += 1;
        if from == b || is_less(from, b) {
            return true;
        }
        for (left, right) in pairs {
            if (*left == from || is_less(from, left)) && !reached.contains(right) {
                reached.push(right);
            }
        }
    }
    false
}

/// The numbers that atoms are shown with. Atoms of one sort whose order is known are numbered in that order. Atoms chosen by a witness
/// search come last. An integer that the code does not name gets the least number that the code does not name.
pub fn numbering(cells: &mut Cells, known: &Knowledge) -> Numbering {
    let function = cells.function(Function::Less, Type::Str, Type::Bool);
    let pairs = known_pairs(cells, known, function);
    let atoms = pairs.iter().flat_map(|(a, b)| [a, b]).filter_map(|it| match it {
        Value::Atom(sort, number) if *number as usize >= cells.scalar_literals(*sort).len() => Some((*sort, *number)),
        _ => None,
    });
    let numbers: BTreeSet<(Sort, u32)> = atoms.collect();
    let mut left: Vec<(Sort, u32)> = numbers.iter().copied().collect();
    let mut numbering = Numbering::new();
    for (sort, number) in numbers {
        let is_first = |it: &(Sort, u32)| {
            let atom = Value::Atom(it.0, it.1);
            it.0 == sort && left.iter().all(|(sort, number)| !precedes_in(&pairs, &Value::Atom(*sort, *number), &atom))
        };
        if let Some(at) = left.iter().position(is_first) {
            numbering.insert(left.remove(at), number);
        }
    }
    for (sort, mentioned) in known.atoms.iter() {
        numbering.extend((0..MOST_WITNESSES).map(|it| ((*sort, WITNESS_ATOMS + it), mentioned + it)));
    }
    number_integers(cells, known, &pairs, &mut numbering);
    numbering
}

/// Replaces the numbers of integers by those that they are shown with.
fn number_integers(cells: &Cells, known: &Knowledge, pairs: &[(&Value, &Value)], numbering: &mut Numbering) {
    let mut taken = cells.int_literals.clone();
    let mut least_after: Vec<(Value, i128)> = Vec::new();
    let named = pairs.iter().flat_map(|(a, b)| [*a, *b]).filter_map(|it| match it {
        Value::Int(number) => Some((it.clone(), number.get())),
        _ => None,
    });
    least_after.extend(named);
    let witnesses = WITNESS_ATOMS..WITNESS_ATOMS + MOST_WITNESSES;
    let mut atoms: Vec<u32> = (0..known.mentioned(Sort::Int) + MOST_WITNESSES).chain(witnesses).collect();
    atoms.sort_by_key(|it| numbering.get(&(Sort::Int, *it)).copied().unwrap_or(*it));
    for number in atoms {
        let atom = Value::Atom(Sort::Int, number);
        let before = least_after.iter().filter(|(it, _)| precedes_in(pairs, it, &atom));
        let least = before.map(|(_, it)| it + 1).max().unwrap_or_default().max(0);
        let Some(shown) = (least..).find(|it| taken.insert(*it)) else { continue };
        least_after.push((atom, shown));
        numbering.insert((Sort::Int, number), u32::try_from(shown).unwrap_or(u32::MAX));
    }
}

fn precedes_in(pairs: &[(&Value, &Value)], a: &Value, b: &Value) -> bool {
    a != b && follows(pairs, a, b)
}

/// Whether the order of two values follows from their contents.
fn is_less(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a < b,
        (Value::Str(a), Value::Str(b)) => a < b,
        _ => false,
    }
}
