//! Parts of the upper state that a relation takes from the lower one.
//!
//! A relation that is a conjunction, and one of whose conjuncts is an equation between a part `f` of the upper state and a part `g` of the
//! lower one, relates no other pairs than these:
//!
//! ```text
//! R(lo, hi)   implies   hi = hi[f := lo.g]
//! ```
//!
//! So a question about all related pairs starts from an upper state in which `f` *is* the unknown part `g`, instead of from two unknown parts
//! that are split until they are equal. `lo == hi` costs no more than a function that copies the state. The relation is still assumed as it is
//! written, so conjuncts that are not recognised here count as before.

use crate::{
    explore::{cells::Cells, machine::Machine, search::Slot, value::Value},
    ir::{Expr, ExprKind, FunctionId, LocalId, Place, Prim, Program, Projection},
};

/// The way from a state to a part of it: fields, from the outside in.
type Path = Vec<u32>;

/// A part of the upper state, and the part of the lower state that it equals.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SamePart {
    hi: Path,
    lo: Path,
}

/// The equations between parts that hold wherever a relation `fn(lo, hi) -> bool` does; no two of them about overlapping parts of `hi`.
pub(super) fn same_parts(program: &Program, relation: FunctionId) -> Vec<SamePart> {
    let function = &program.functions[relation.0 as usize];
    let mut parts: Vec<SamePart> = Vec::new();
    // A function that returns early may hold where a conjunct does not.
    if returns_early(&function.body) {
        return parts;
    }
    let mut pending = vec![&function.body];
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Block(statements, Some(value)) if statements.is_empty() => pending.push(value),
            ExprKind::And(left, right) => pending.extend([&**right, &**left]),
            ExprKind::Prim(Prim::Eq, operands) => {
                let Some(part) = equation(operands) else { continue };
                let overlaps = |it: &SamePart| it.hi.starts_with(&part.hi) || part.hi.starts_with(&it.hi);
                if !parts.iter().any(overlaps) {
                    parts.push(part);
                }
            }
            _ => {}
        }
    }
    parts
}

fn returns_early(expr: &Expr) -> bool {
    let mut returns = matches!(expr.kind, ExprKind::Return(_));
    expr.for_each_child(&mut |child| returns |= returns_early(child));
    returns
}

/// `hi.f == lo.g`, either way round.
fn equation(operands: &[Expr]) -> Option<SamePart> {
    let [a, b] = operands else { return None };
    let ((a, from_a), (b, from_b)) = (part(a)?, part(b)?);
    match (a, b) {
        (LocalId(0), LocalId(1)) => Some(SamePart { lo: from_a, hi: from_b }),
        (LocalId(1), LocalId(0)) => Some(SamePart { lo: from_b, hi: from_a }),
        _ => None,
    }
}

/// A variable, and the way to a part of it through fields only.
fn part(expr: &Expr) -> Option<(LocalId, Path)> {
    let ExprKind::Read(Place { local, path }) = &expr.kind else { return None };
    let field = |it: &Projection| match it {
        Projection::Field(index) => Some(*index),
        Projection::Payload(_) | Projection::Index(_) => None,
    };
    Some((*local, path.iter().map(field).collect::<Option<Path>>()?))
}

/// Replaces parts of the unknown state in `hi` by those of the unknown state in `lo`.
pub(super) fn identify(cells: &mut Cells, start: &mut Machine, parts: &[SamePart], (lo, hi): (Slot, Slot)) {
    for part in parts {
        let Some(value) = at(cells, &start.slots[lo].clone(), &part.lo) else { continue };
        if let Some(state) = with(cells, &start.slots[hi].clone(), &part.hi, value) {
            start.set(hi, state);
        }
    }
}

fn at(cells: &mut Cells, value: &Value, path: &[u32]) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else { return Some(value.clone()) };
    let inner = fields(cells, value)?.get(*first as usize)?.clone();
    at(cells, &inner, rest)
}

fn with(cells: &mut Cells, value: &Value, path: &[u32], part: Value) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else { return Some(part) };
    let mut all = fields(cells, value)?;
    let inner = all.get(*first as usize)?.clone();
    all[*first as usize] = with(cells, &inner, rest, part)?;
    Some(Value::tuple(all))
}

/// The fields of a struct, also of an unknown one.
fn fields(cells: &mut Cells, value: &Value) -> Option<Vec<Value>> {
    let value = match value {
        Value::Cell(id) => cells.expand(*id)?,
        value => value.clone(),
    };
    match value {
        Value::Tuple(fields) => Some(fields.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        db::lower_sources,
        ir::{Abstraction, Justification},
    };

    /// The parts that a relation between these two states takes over: of the upper state, and of the lower state.
    fn parts(relation: &str) -> Vec<(Path, Path)> {
        let source = format!(
            "#[state] pub struct Inner {{ pub a: u64, pub b: bool }}
             #[state] pub struct Low {{ pub inner: Inner, pub b: bool }}
             #[state] pub struct High {{ pub a: u64, pub inner: Inner, pub b: bool }}
             #[layer] impl Below for Low {{ #[op] fn nop(&mut self, me: Pid) {{}} }}
             #[layer] impl Above for High {{ #[op] fn nop(&mut self, me: Pid) {{}} }}
             #[implement(Above, over = Below, by = abstraction)]
             impl Up {{ #[abstraction] fn relation(lo: &Low, hi: &High) -> bool {{ {relation} }} }}"
        );
        let lowered = lower_sources(&[("layers.rs", &source)]);
        assert!(lowered.diagnostics.is_empty(), "{:?}", lowered.diagnostics);
        let Justification::Abstraction(Abstraction::Predicate(function)) = lowered.program.implementations[0].by else {
            panic!("a predicate")
        };
        same_parts(&lowered.program, function).into_iter().map(|it| (it.hi, it.lo)).collect()
    }

    #[test]
    fn equations_between_parts_are_found() {
        assert_eq!(parts("hi.inner == lo.inner"), [(vec![1], vec![0])]);
        assert_eq!(parts("lo.inner.a == hi.a && hi.b == lo.b"), [(vec![0], vec![0, 0]), (vec![2], vec![1])]);
        assert_eq!(parts("hi.a < 3 && (lo.b || hi.b) && hi.inner.b == lo.b"), [(vec![1, 1], vec![1])]);
    }

    #[test]
    fn what_need_not_hold_is_no_equation() {
        assert_eq!(parts("lo.b || hi.inner == lo.inner"), []);
        assert_eq!(parts("!(hi.inner == lo.inner)"), []);
        assert_eq!(parts("hi.a == hi.inner.a && lo.b == lo.inner.b"), []);
        assert_eq!(parts("if lo.b { return true; } hi.inner == lo.inner"), []);
        assert_eq!(parts("(if lo.b { return true; } else { hi.b }) && hi.inner == lo.inner"), []);
    }

    #[test]
    fn of_overlapping_parts_the_first_counts() {
        assert_eq!(parts("hi.inner == lo.inner && hi.inner.b == lo.b"), [(vec![1], vec![0])]);
        assert_eq!(parts("hi.inner.b == lo.b && hi.inner == lo.inner"), [(vec![1, 1], vec![1])]);
    }
}
