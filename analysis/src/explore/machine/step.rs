//! Executes one instruction, or stops before it.
//!
//! This module handles control flow, operands and choices. Primitives are handled in [`prim`](super::prim).

use std::rc::Rc;

use super::{
    Chosen, Frame, Machine, Site, Stop, Then, Told, World, collections::elements_in_any_order, numbers::number,
};
use crate::{
    explore::{
        cells::{Origin, Quantifier},
        code::{CodeId, Op},
        value::Value,
    },
    ir::Type,
};

/// The maximum number of activations before a recursion is considered endless.
const MAX_DEPTH: usize = 256;

impl Machine {
    /// Executes one instruction. If it has to know something first, nothing has changed.
    pub(super) fn step(&mut self, world: &mut World) -> Result<(), Stop> {
        let code = world.code;
        let Some(frame) = self.frames.last() else {
            let result = self.stack.pop().unwrap_or(Value::Unit);
            return Err(Stop::Finished(result));
        };
        let function = &code.functions[frame.code];
        let op = function.ops[frame.pc];
        match op {
            Op::Literal(index) => match &world.literals[index as usize] {
                Some(value) => self.stack.push(value.clone()),
                // Values of its type were split without it, so any later result would be invalid.
                None => return Err(self.unsupported(world)),
            },
            Op::Unit => self.stack.push(Value::Unit),
            Op::Bool(it) => self.stack.push(Value::Bool(it)),
            Op::Load(local) => self.stack.push(frame.locals[local as usize].clone()),
            Op::Store(local) => {
                let value = self.stack.pop().unwrap_or(Value::Unit);
                self.frame_mut().locals[local as usize] = value;
            }
            Op::Clear(from, to) => self.frame_mut().locals[from as usize..to as usize].fill(Value::Unit),
            Op::Pop => drop(self.stack.pop()),
            Op::Dup => self.stack.extend(self.stack.last().cloned()),
            Op::Swap => {
                let top = self.stack.len();
                self.stack.swap(top - 1, top - 2);
            }
            Op::Tuple(0) => self.stack.push(Value::Unit),
            Op::Tuple(count) => {
                let fields = self.take_operands(count as usize).collect();
                self.stack.push(Value::Tuple(fields));
            }
            Op::Variant(tag, count) => {
                let fields = self.take_operands(count as usize).collect();
                self.stack.push(Value::Variant(tag, fields));
            }
            Op::Seq(count) => {
                let elements = self.take_operands(count as usize).collect();
                self.stack.push(Value::seq(elements));
            }
            Op::Field(index) => self.field(world, index)?,
            Op::SetField(index) => self.set_field(world, index)?,
            Op::IsVariant(tag) => {
                let value = self.force_top(world, 0)?;
                let is = matches!(value, Value::Variant(it, _) if it == tag);
                self.replace(1, Value::Bool(is));
            }
            Op::Payload(index) => {
                if let Value::Variant(_, fields) = self.force_top(world, 0)? {
                    let field = fields.get(index as usize).cloned().unwrap_or(Value::Unit);
                    self.replace(1, field);
                }
            }
            Op::SetPayload(index) => self.set_payload(world, index)?,
            Op::Index => self.index(world)?,
            Op::SetIndex => self.set_index(world)?,
            Op::Jump(to) => {
                self.frame_mut().pc = to as usize;
                return Ok(());
            }
            Op::JumpIfFalse(to) => return self.jump_if(world, false, to),
            Op::JumpIfTrue(to) => return self.jump_if(world, true, to),
            Op::Prim(prim, count, ty) => self.prim(world, prim, count as usize, ty)?,
            Op::Mutate(mutation, count) => self.mutate(world, mutation, count as usize)?,
            Op::Question(index, to) => return self.question(world, index, to),
            Op::Ordered => {
                let value = self.force_top(world, 0)?;
                self.replace(1, value);
            }
            Op::Resolved => {
                let value = self.force_unless_unordered(world, &self.top(0)).map_err(Stop::Need)?;
                self.replace(1, value);
            }
            Op::EmptyLike(items) => {
                let empty = match frame.locals[items as usize] {
                    Value::Unordered(_) => Value::Unordered(Rc::default()),
                    _ => Value::seq(Vec::new()),
                };
                self.stack.push(empty);
            }
            Op::Next(items, position, to) => return self.next(items, position, to),
            Op::Append(items, position) => self.append(items, position)?,
            Op::Call(callee) => return self.call_with_operands(world, callee as usize),
            Op::CountOperands(local) => {
                let count = (self.stack.len() - frame.operands) as i128;
                self.frame_mut().locals[local as usize] = Value::int(count);
            }
            Op::DropOperands(local) => {
                let count = number(&frame.locals[local as usize])?;
                self.stack.truncate(frame.operands + count as usize);
            }
            Op::Return => return self.finish_frame(world),
            Op::Perform(name, count) => {
                self.advance();
                let arguments = self.stack.split_off(self.stack.len() - count as usize);
                return Err(Stop::Perform(code.names[name as usize].clone(), arguments));
            }
            Op::Maybe => {
                self.advance();
                return Err(Stop::Maybe);
            }
            Op::Any(ty) => {
                self.advance();
                let value = self.draw(world, ty);
                self.stack.push(value);
                return Ok(());
            }
            Op::Choose => return Err(self.choose(world)?),
            Op::When => {
                if !self.pop_condition(world)? {
                    return Err(Stop::Disabled);
                }
            }
            Op::Assert => {
                if !self.pop_condition(world)? {
                    return Err(self.stop_here(world, Stop::Failed));
                }
            }
            Op::Emit => {
                let value = self.stack.pop().unwrap_or(Value::Unit);
                self.emit(vec![Value::Str(Rc::from("emit")), value]);
            }
            Op::BreaksRule => self.tell(|_| Told::BrokeRule),
            Op::External(name, ty) => {
                self.external(world, name, ty);
                return Ok(());
            }
            Op::StarStart => self.stars += 1,
            Op::StarHead => {
                self.advance();
                return Err(Stop::StarHead);
            }
            Op::StarEnd => self.stars = self.stars.saturating_sub(1),
            Op::LoopHead => {
                self.advance();
                return Err(Stop::LoopHead);
            }
            Op::Branch => {
                if self.tale.is_some() {
                    let frame = self.frame_mut();
                    let site = Site { code: frame.code, node: world.code.functions[frame.code].nodes[frame.pc] };
                    self.tell(|_| Told::Took(site));
                }
            }
            Op::NoMatch => return Err(self.panic_here(world, "no arm of this `match` fits")),
            Op::Unsupported => return Err(self.unsupported(world)),
        }
        self.advance();
        Ok(())
    }

    /// The innermost activation; there is one while an instruction runs.
    fn frame_mut(&mut self) -> &mut Frame {
        let innermost = self.frames.len() - 1;
        Rc::make_mut(&mut self.frames[innermost])
    }

    pub(super) fn advance(&mut self) {
        self.frame_mut().pc += 1;
    }

    /// Enters a function; its arguments are on the stack.
    fn call_with_operands(&mut self, world: &World, callee: CodeId) -> Result<(), Stop> {
        if self.frames.len() > MAX_DEPTH {
            return Err(self.stop_here(world, Stop::TooDeep));
        }
        self.advance();
        let function = &world.code.functions[callee];
        let mut locals = Vec::with_capacity(function.locals);
        locals.extend(self.take_operands(function.parameters));
        self.enter(world.code, callee, locals, Then::Push);
        Ok(())
    }

    /// Leaves a function with the result on the stack.
    fn finish_frame(&mut self, world: &World) -> Result<(), Stop> {
        let result = self.stack.pop().unwrap_or(Value::Unit);
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        // `return` may occur in the middle of an expression.
        self.stack.truncate(frame.operands);
        self.stars = frame.stars;
        let inout = &world.code.functions[frame.code].inout;
        match frame.then {
            Then::Push => {
                self.stack.extend(inout.iter().map(|it| frame.locals[*it].clone()));
                self.stack.push(result);
                Ok(())
            }
            Then::Performed => {
                if let Some(state) = inout.first() {
                    self.state = frame.locals[*state].clone();
                }
                self.tell(|it| Told::Returned(it.state.clone(), result.clone()));
                self.stack.push(result);
                Err(Stop::Performed)
            }
        }
    }

    /// Stops to choose one of the elements on the stack, whose order does not matter.
    fn choose(&mut self, world: &mut World) -> Result<Stop, Stop> {
        let value = self.force_unless_unordered(world, &self.top(0)).map_err(Stop::Need)?;
        self.stack.pop();
        self.advance();
        Ok(elements_in_any_order(&value).map_or(Stop::Disabled, Stop::Choose))
    }

    fn pop_condition(&mut self, world: &mut World) -> Result<bool, Stop> {
        let holds = self.force_top(world, 0)?;
        self.stack.pop();
        Ok(holds == Value::Bool(true))
    }

    /// An external operation: any result, and an event that records the call and the result.
    fn external(&mut self, world: &mut World, name: u32, ty: u32) {
        let arguments = self.frames.last().map_or_else(Vec::new, |frame| {
            // The state and the process come first.
            let parameters = world.code.functions[frame.code].parameters;
            frame.locals[2.min(parameters)..parameters].to_vec()
        });
        self.advance();
        let result = self.draw(world, ty);
        let name = Value::Str(Rc::from(world.code.names[name as usize].as_str()));
        self.emit(vec![name, Value::tuple(arguments), result.clone()]);
        self.stack.push(result);
    }

    fn emit(&mut self, event: Vec<Value>) {
        Rc::make_mut(&mut self.events).push(Value::tuple(event));
    }

    /// The result of `any()`: a new cell.
    fn draw(&mut self, world: &mut World, ty_index: u32) -> Value {
        let ty = &world.code.types[ty_index as usize];
        if *ty == Type::UNIT {
            return Value::Unit;
        }
        // If the other run never read the value, leave it open, so that it can be chosen to fit. A collection that was read counts as read, and so
        // does what a question is about.
        if let Some(Chosen::Drawn(value)) = self.hint(world)
            && !matches!(&value, Value::Cell(id) if !self.known.bases.contains_key(id) && !self.known.asks_about(*id))
        {
            return value;
        }
        self.draws += 1;
        let origin = Origin::Choice(self.draws, ty_index);
        let pinned = world.cells.pinned.get(&origin).filter(|_| self.quantifier == Quantifier::Universal).cloned();
        let cell = world.cells.cell(origin, || Rc::new(ty.clone()), self.quantifier);
        if let Some(pinned) = pinned {
            Rc::make_mut(&mut self.known.resolved).insert(cell, pinned);
        }
        let value = Value::Cell(cell);
        self.note(world, Chosen::Drawn(value.clone()));
        value
    }

    /// Jumps if the condition on the stack has the wanted value.
    fn jump_if(&mut self, world: &mut World, wanted: bool, to: u32) -> Result<(), Stop> {
        let value = self.force_top(world, 0)?;
        self.stack.pop();
        if let Some(frame) = self.frames.last_mut().map(Rc::make_mut) {
            frame.pc = if value == Value::Bool(wanted) { to as usize } else { frame.pc + 1 };
        }
        Ok(())
    }

    /// Continues with the next item of a loop, or leaves the loop.
    fn next(&mut self, items: u32, position: u32, to: u32) -> Result<(), Stop> {
        let Some(frame) = self.frames.last() else { return Ok(()) };
        let at = number(&frame.locals[position as usize])?;
        let element = match &frame.locals[items as usize] {
            Value::Seq(elements) => elements.get(at as usize).cloned(),
            Value::Unordered(entries) => entries.get(at as usize).map(|(_, element)| element.clone()),
            _ => None,
        };
        let Some(frame) = self.frames.last_mut().map(Rc::make_mut) else { return Ok(()) };
        match element {
            Some(element) => {
                frame.locals[position as usize] = Value::int(at + 1);
                frame.pc += 1;
                self.stack.push(element);
            }
            None => frame.pc = to as usize,
        }
        Ok(())
    }

    /// Appends to the result of a loop over items. If the items have no order yet, the result gets the key of its item, which determines
    /// its order.
    fn append(&mut self, items: u32, position: u32) -> Result<(), Stop> {
        let (sequence, element) = (self.top(1), self.top(0));
        let Some(frame) = self.frames.last() else { return Ok(()) };
        let at = number(&frame.locals[position as usize])? as usize;
        let longer = match (sequence, &frame.locals[items as usize]) {
            (Value::Unordered(mut entries), Value::Unordered(all)) => {
                Rc::make_mut(&mut entries).push((all[at - 1].0.clone(), element));
                Value::Unordered(entries)
            }
            (Value::Seq(mut elements), _) => {
                Rc::make_mut(&mut elements).push(element);
                Value::Seq(elements)
            }
            (other, _) => other,
        };
        self.replace(2, longer);
        Ok(())
    }

    fn take_operands(&mut self, count: usize) -> std::vec::Drain<'_, Value> {
        self.stack.drain(self.stack.len() - count..)
    }

    /// Replaces the top `count` operands by one value.
    pub(super) fn replace(&mut self, count: usize, value: Value) {
        self.stack.truncate(self.stack.len() - count);
        self.stack.push(value);
    }

    pub(super) fn top(&self, depth: usize) -> Value {
        self.stack[self.stack.len() - 1 - depth].clone()
    }

    pub(super) fn force_top(&mut self, world: &mut World, depth: usize) -> Result<Value, Stop> {
        match &self.stack[self.stack.len() - 1 - depth] {
            value @ (Value::Cell(_) | Value::Unordered(_)) => self.force(world, value).map_err(Stop::Need),
            value => Ok(value.clone()),
        }
    }

    pub(super) fn force_key_top(&mut self, world: &mut World, depth: usize) -> Result<Value, Stop> {
        let value = self.top(depth);
        self.force_all(world, &value).map_err(Stop::Need)
    }

    /// Stops for good at the current instruction.
    fn stop_here(&mut self, world: &World, stop: impl FnOnce(Site) -> Stop) -> Stop {
        self.advance();
        // There is an activation while an instruction runs; without one, nothing is known about the run.
        self.site(world).map_or(Stop::OutOfFuel, stop)
    }

    pub(super) fn panic_here(&mut self, world: &World, why: &'static str) -> Stop {
        self.stop_here(world, |site| Stop::Panicked(site, why))
    }

    pub(super) fn unsupported(&mut self, world: &World) -> Stop {
        self.stop_here(world, Stop::Unsupported)
    }
}
