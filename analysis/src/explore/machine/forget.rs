//! Makes states at the head of a loop comparable, by dropping the names that choices of earlier turns introduced.

use std::rc::Rc;

use super::{Machine, World};
use crate::explore::{
    cells::Question,
    value::{CellId, MapValue, Value},
};

impl Machine {
    /// Makes states at the head of a loop comparable: results of `any()` are replaced by what is known of them, and forgotten.
    pub fn forget_choices(&mut self, world: &World) {
        let is_dead = |id: &CellId| world.cells.get(*id).chosen;
        let (known, chosen) = (self.known.resolved.keys().any(is_dead), self.chosen.keys().any(is_dead));
        if !known && !chosen {
            return;
        }
        let mut frames = std::mem::take(&mut self.frames);
        for frame in &mut frames {
            // Frames without changes stay shared with other machines.
            if frame.locals.iter().any(|it| self.changes_written_out(world, it)) {
                self.write_out(world, &mut Rc::make_mut(frame).locals);
            }
        }
        self.frames = frames;
        let mut stack = std::mem::take(&mut self.stack);
        self.write_out(world, &mut stack);
        self.stack = stack;
        let mut state = [std::mem::replace(&mut self.state, Value::Unit)];
        self.write_out(world, &mut state);
        let [state] = state;
        self.state = state;
        let slots = std::mem::take(&mut self.slots);
        self.slots = self.all_written_out(world, slots);
        let events = std::mem::take(&mut self.events);
        self.events = self.all_written_out(world, events);
        if known && !self.known.questions.is_empty() {
            let questions =
                self.known.questions.iter().map(|(it, holds)| (self.question_written_out(world, it), *holds));
            self.known.questions = Rc::new(questions.collect());
        }
        if known {
            let forgotten = self.known.resolved.iter().filter(|(id, _)| is_dead(id));
            let forgotten: Vec<_> = forgotten.map(|(id, value)| (*id, value.clone())).collect();
            Rc::make_mut(&mut self.drawn).extend(forgotten);
            Rc::make_mut(&mut self.known.resolved).retain(|id, _| !is_dead(id));
        }
        if chosen {
            if self.tale.is_some() {
                let forgotten = self.chosen.iter().filter(|(id, _)| is_dead(id));
                let forgotten: Vec<_> = forgotten.map(|(id, value)| (*id, value.clone())).collect();
                Rc::make_mut(&mut self.drawn).extend(forgotten);
            }
            Rc::make_mut(&mut self.chosen).retain(|id, _| !is_dead(id));
        }
    }

    /// A question keeps what it was put about.
    fn question_written_out(&self, world: &World, question: &Rc<Question>) -> Rc<Question> {
        let map = Value::Map(question.map.clone());
        if !question.arguments.iter().chain([&map]).any(|it| self.changes_written_out(world, it)) {
            return question.clone();
        }
        let arguments = question.arguments.iter().map(|it| self.written_out(world, it)).collect();
        let map = match self.written_out(world, &map) {
            Value::Map(map) => map,
            _ => question.map.clone(),
        };
        Rc::new(Question { map, arguments, ..(**question).clone() })
    }

    fn all_written_out(&self, world: &World, mut values: Rc<Vec<Value>>) -> Rc<Vec<Value>> {
        if values.iter().any(|it| self.changes_written_out(world, it)) {
            self.write_out(world, Rc::make_mut(&mut values).as_mut_slice());
        }
        values
    }

    fn write_out(&self, world: &World, values: &mut [Value]) {
        for value in values {
            if self.changes_written_out(world, value) {
                *value = self.written_out(world, value);
            }
        }
    }

    /// Whether [`Machine::written_out`] changes anything in a value.
    fn changes_written_out(&self, world: &World, value: &Value) -> bool {
        match value {
            Value::Cell(id) => world.cells.get(*id).chosen && !matches!(self.resolve(value), Value::Cell(_)),
            Value::Tuple(fields) | Value::Variant(_, fields) => {
                fields.iter().any(|it| self.changes_written_out(world, it))
            }
            Value::Seq(elements) => elements.iter().any(|it| self.changes_written_out(world, it)),
            Value::Unordered(entries) => entries.iter().any(|(_, it)| self.changes_written_out(world, it)),
            Value::Map(map) => map.over.values().flatten().any(|it| self.changes_written_out(world, it)),
            _ => false,
        }
    }

    /// The value, with the results of `any()` replaced by what is known of them.
    fn written_out(&self, world: &World, value: &Value) -> Value {
        let all = |fields: &[Value]| fields.iter().map(|it| self.written_out(world, it)).collect::<Vec<_>>();
        match value {
            Value::Cell(id) if world.cells.get(*id).chosen => match self.resolve(value) {
                known @ Value::Cell(_) => known,
                known => self.written_out(world, &known),
            },
            Value::Tuple(fields) => Value::tuple(all(fields)),
            Value::Variant(tag, fields) => Value::Variant(*tag, Rc::from(all(fields))),
            Value::Seq(elements) => Value::seq(all(elements)),
            Value::Unordered(entries) => {
                let entries = entries.iter().map(|(key, it)| (key.clone(), self.written_out(world, it)));
                Value::Unordered(Rc::new(entries.collect()))
            }
            Value::Map(map) if !map.over.is_empty() => {
                let over = map
                    .over
                    .iter()
                    .map(|(key, entry)| (key.clone(), entry.as_ref().map(|it| self.written_out(world, it))));
                Value::Map(MapValue { base: map.base, default: map.default.clone(), over: Rc::new(over.collect()) })
            }
            _ => value.clone(),
        }
    }
}
