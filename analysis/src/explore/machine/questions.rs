//! Questions about all entries of a collection, put as a whole: whether one can be put, and its answer if it is known.

use std::rc::Rc;

use super::{Machine, Stop, World, maps::has_invented};
use crate::explore::{
    cells::{Need, Quantifier, Question},
    value::{MapValue, Value},
};

impl Machine {
    /// Replaces the collection on the stack by the answer to a question about all of its entries, and continues at `to`. If the question is
    /// not put as a whole, goes on to list the entries.
    pub(super) fn question(&mut self, world: &mut World, index: u32, to: u32) -> Result<(), Stop> {
        if !world.cells.puts_questions {
            self.advance();
            return Ok(());
        }
        let Some(question) = self.put_whole(world, index)? else {
            self.advance();
            return Ok(());
        };
        let answer = self.known.questions.iter().find(|(known, _)| self.is_the_same(known, &question));
        let Some((_, holds)) = answer else { return Err(Stop::Need(Need::Holds(Rc::new(question)))) };
        let answer = Value::Bool(*holds == question.wanted);
        self.replace(1, answer);
        if let Some(frame) = self.frames.last_mut().map(Rc::make_mut) {
            frame.pc = to as usize;
        }
        Ok(())
    }

    /// The question, if it can be put: the collection has unknown entries, and all that the answer depends on is unknown to both sides
    /// alike. What a witness search may still choose, or has made up, is no part of a question about given values.
    fn put_whole(&self, world: &mut World, index: u32) -> Result<Option<Question>, Stop> {
        let Value::Map(map) = self.force_unless_unordered(world, &self.top(0)).map_err(Stop::Need)? else {
            return Ok(None);
        };
        let is_open = map.base.cell().is_some_and(|base| self.known.bases.get(&base).is_none_or(|it| !it.closed));
        if !is_open || map.default.is_some() {
            return Ok(None);
        }
        let universal = &world.code.questions[index as usize];
        let Some(frame) = self.frames.last() else { return Ok(None) };
        let count = world.code.functions[universal.body].parameters - 1;
        let mut arguments = vec![Value::Unit; count];
        for (local, paths) in &universal.reads {
            let paths: Vec<&[u32]> = paths.iter().map(Vec::as_slice).collect();
            let part = self.part(world, &frame.locals[*local as usize], &paths);
            arguments[*local as usize] = self.all_written(&part);
        }
        let Value::Map(map) = self.all_written(&Value::Map(map)) else { return Ok(None) };
        let question =
            Question { body: universal.body, element: universal.element, wanted: universal.wanted, map, arguments };
        let map = Value::Map(question.map.clone());
        let is_given = question.arguments.iter().chain([&map]).all(|it| is_given(world, it));
        Ok(is_given.then_some(question))
    }

    /// The value with unit in place of all parts but those at these paths.
    fn part(&self, world: &mut World, value: &Value, paths: &[&[u32]]) -> Value {
        if paths.iter().any(|it| it.is_empty()) {
            return value.clone();
        }
        let value = match self.resolve(value) {
            Value::Cell(id) => world.cells.expand(id).unwrap_or(Value::Cell(id)),
            value => value,
        };
        let Value::Tuple(fields) = &value else { return value };
        let mut field = |(index, field): (u32, &Value)| {
            let inside: Vec<&[u32]> = paths.iter().filter(|it| it[0] == index).map(|it| &it[1..]).collect();
            if inside.is_empty() { Value::Unit } else { self.part(world, field, &inside) }
        };
        Value::tuple((0..).zip(fields.iter()).map(&mut field).collect())
    }

    /// Whether two questions are the same, as far as is known.
    fn is_the_same(&self, known: &Question, put: &Question) -> bool {
        let same = |a: &Value, b: &Value| a == b || self.all_written(a) == *b;
        (known.body, known.element, known.wanted) == (put.body, put.element, put.wanted)
            && known.map.base == put.map.base
            && same(&Value::Map(known.map.clone()), &Value::Map(put.map.clone()))
            && known.arguments.iter().zip(&put.arguments).all(|(a, b)| same(a, b))
    }

    /// The value with all that is known of it in its place, in collections, too.
    fn all_written(&self, value: &Value) -> Value {
        let all = |fields: &[Value]| fields.iter().map(|it| self.all_written(it)).collect::<Vec<_>>();
        match self.resolve(value) {
            Value::Tuple(fields) => Value::tuple(all(&fields)),
            Value::Variant(tag, fields) => Value::Variant(tag, all(&fields).into()),
            Value::Seq(elements) => Value::seq(all(&elements)),
            Value::Unordered(entries) => {
                Value::Unordered(Rc::new(entries.iter().map(|(key, it)| (key.clone(), self.all_written(it))).collect()))
            }
            Value::Map(map) => {
                let entry =
                    |(key, it): (&Value, &Option<Value>)| (key.clone(), it.as_ref().map(|it| self.all_written(it)));
                Value::Map(MapValue { over: Rc::new(map.over.iter().map(entry).collect()), ..map })
            }
            value => value,
        }
    }
}

/// Whether a value is as unknown to the given run as to a witness search: the search has no part in it.
fn is_given(world: &World, value: &Value) -> bool {
    let all = |fields: &[Value]| fields.iter().all(|it| is_given(world, it));
    match value {
        Value::Cell(id) => world.cells.get(*id).quantifier == Quantifier::Universal,
        Value::Tuple(fields) | Value::Variant(_, fields) => all(fields),
        Value::Seq(elements) => all(elements),
        Value::Unordered(entries) => entries.iter().all(|(key, it)| is_given(world, key) && is_given(world, it)),
        Value::Map(map) => {
            map.base.cell().is_none_or(|base| world.cells.get(base).quantifier == Quantifier::Universal)
                && map.default.as_deref().is_none_or(|it| is_given(world, it))
                && map.over.iter().all(|(key, it)| is_given(world, key) && it.iter().all(|it| is_given(world, it)))
        }
        value => !has_invented(value),
    }
}
