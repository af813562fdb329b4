//! The exploring machine: runs [`Code`] until it is done or cannot go on without a choice or a look at something unknown.
//!
//! A machine is a value: copying it forks the run. It never chooses. Instructions that stop because of a [`Need`] leave the machine as it
//! was, so that they can be run again once the need is met.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    cells::{
        Cells, Knowledge, Need, Numbers, Origin, Quantifier, WITNESS_ATOMS, default_of, has_known_default, int_range,
    },
    code::{Code, CodeId, Op},
    hints::Hints,
    order::in_order,
    text::{self, Parsed, Piece, Split},
    value::{Base, CellId, MapValue, Sort, Value},
};
use crate::ir::{Mutation, NodeId, Prim, Type};

/// What a run works with, beside its own state.
pub struct World<'p> {
    /// The code.
    pub code: &'p Code,
    /// The unknowns.
    pub cells: Cells<'p>,
    /// The values of those [`Code::literals`] that the question can reach.
    pub literals: Vec<Option<Value>>,
    /// Instructions that may still be run.
    pub fuel: u64,
    /// Cases: splits made.
    pub cases: u64,
    /// Paths begun.
    pub paths: u64,
}

/// An activation of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Which function.
    pub code: CodeId,
    /// The next instruction.
    pub pc: usize,
    /// Parameters, locals and temporaries.
    pub locals: Vec<Value>,
    /// Operands of those that wait for it.
    operands: usize,
    /// Star loops around the call.
    stars: u32,
    /// What happens to its results.
    then: Then,
}

/// What happens to the results of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Then {
    /// They go on the stack of the caller.
    Push,
    /// The in-out parameter is the new state of the layer below, the result goes on the stack.
    Performed,
}

/// A place in code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The function.
    pub code: CodeId,
    /// The place in it.
    pub node: NodeId,
}

/// A choice that a run took.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// Where.
    pub site: Site,
    /// What was chosen.
    pub chosen: Chosen,
    /// The choices before it.
    pub before: Trail,
}

/// A choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// What `maybe()` was.
    Maybe(bool),
    /// What `any()` gave: a cell, at the time.
    Drawn(Value),
    /// Which element `choose()` took.
    Element(usize),
}

/// The choices of a run, last first.
pub type Trail = Option<Rc<Taken>>;

/// Something that a run did.
#[derive(Debug)]
pub enum Told {
    /// A function was called by the script, or as a step of the layer below: with these arguments, by the code at this place.
    Called(CodeId, Vec<Value>, Option<Site>),
    /// It returned: what its first parameter is then, and the result.
    Returned(Value, Value),
    /// A choice was taken.
    Chose(Site, Chosen),
}

/// What a run did, last first. Only kept by those who tell of it.
pub type Tale = Option<Rc<Telling>>;

/// What a run did last, and before.
#[derive(Debug)]
pub struct Telling {
    /// What.
    pub told: Told,
    /// Events at the time.
    pub events: Rc<Vec<Value>>,
    /// What it did before.
    pub before: Tale,
}

/// Why a machine stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It has to know something.
    Need(Need),
    /// `maybe()`: continue with [`Machine::answer`].
    Maybe,
    /// `choose()` among these values: continue with [`Machine::push`].
    Choose(Vec<Value>),
    /// The head of a loop that goes on as long as `maybe()` says.
    StarHead,
    /// The head of another loop.
    LoopHead,
    /// A step of the layer below is wanted: continue with [`Machine::perform`] or [`Machine::push`].
    Perform(String, Vec<Value>),
    /// A step of the layer below has been made.
    Performed,
    /// The outermost function returned this; in-out parameters are on the stack.
    Finished(Value),
    /// The transition does not exist.
    Disabled,
    /// `assert!` failed.
    Failed(Site),
    /// The code panics: a missing key, an overflow.
    Panicked(Site, &'static str),
    /// Integers have to be concrete: start again.
    NumbersNeeded,
    /// Reached code that was diagnosed.
    Unsupported(Site),
    /// A function calls itself without end.
    TooDeep(Site),
    /// [`World::fuel`] is used up.
    OutOfFuel,
}

/// Numbers of the unknown functions that stand for what is in unknown strings.
const SPLITS: u32 = (1 << 24) + 1;
const PARSES: u32 = (1 << 24) + 2;

/// Activations at a time before a recursion is taken to be endless.
const MAX_DEPTH: usize = 256;

/// A run that can be copied.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Activations, innermost last.
    pub frames: Vec<Rc<Frame>>,
    /// Operands of all activations.
    pub stack: Vec<Value>,
    /// The state of the layer below, for procedures.
    pub state: Value,
    /// What is known of the unknown.
    pub known: Knowledge,
    /// What a witness search has chosen for its own cells.
    pub chosen: Rc<BTreeMap<CellId, Value>>,
    /// Atoms a witness search has made up, by sort.
    pub invented: Rc<BTreeMap<Sort, u32>>,
    /// Events so far.
    pub events: Rc<Vec<Value>>,
    /// Star loops that the run is in.
    pub stars: u32,
    /// Who chooses what `any()` gives.
    pub quantifier: Quantifier,
    /// How often `any()` has been called, to name what it gave.
    pub draws: u32,
    /// Choices taken.
    pub trail: Trail,
    /// Values that the script of the run works on: states, arguments, results.
    pub slots: Rc<Vec<Value>>,
    /// What `any()` gave on the way, as far as it was looked at and then forgotten.
    pub drawn: Rc<BTreeMap<CellId, Value>>,
    /// Choices to make without asking.
    pub hints: Option<Box<Hints>>,
    /// How much of the script has been run.
    pub stage: usize,
    /// How often the head of a loop has been reached.
    pub turns: u32,
    /// What the run did, if it is to be told.
    pub tale: Option<Tale>,
}

impl Machine {
    /// A machine with nothing to run.
    pub fn new(known: Knowledge, quantifier: Quantifier) -> Machine {
        Machine {
            frames: Vec::new(),
            stack: Vec::new(),
            state: Value::Unit,
            known,
            chosen: Rc::default(),
            invented: Rc::default(),
            events: Rc::default(),
            stars: 0,
            quantifier,
            draws: 0,
            trail: None,
            slots: Rc::default(),
            drawn: Rc::default(),
            hints: None,
            stage: 0,
            turns: 0,
            tale: None,
        }
    }

    /// Notes what the run does, if it is to be told.
    pub fn tell(&mut self, told: impl FnOnce(&Machine) -> Told) {
        if let Some(before) = self.tale.clone() {
            let telling = Telling { told: told(self), events: self.events.clone(), before };
            self.tale = Some(Some(Rc::new(telling)));
        }
    }

    /// Enters a function.
    pub fn call(&mut self, code: &Code, function: CodeId, arguments: Vec<Value>) {
        self.enter(code, function, arguments, Then::Push);
    }

    /// Makes a step of the layer below: enters its `step` function with the state, the process and the arguments.
    pub fn perform(&mut self, code: &Code, step: CodeId, me: Value, arguments: Vec<Value>) {
        let mut locals = Vec::with_capacity(code.functions[step].locals);
        locals.extend([self.state.clone(), me]);
        locals.extend(arguments);
        let site = self.frames.last().map(|it| code.site(it.code, it.pc));
        self.tell(|_| Told::Called(step, locals.clone(), site));
        self.enter(code, step, locals, Then::Performed);
    }

    /// Enters a function; its arguments come first among the locals.
    fn enter(&mut self, code: &Code, function: CodeId, mut locals: Vec<Value>, then: Then) {
        locals.resize(code.functions[function].locals, Value::Unit);
        let operands = self.stack.len();
        self.frames.push(Rc::new(Frame { code: function, pc: 0, locals, operands, stars: self.stars, then }));
    }

    /// Fills a slot.
    pub fn set(&mut self, slot: usize, value: Value) {
        Rc::make_mut(&mut self.slots)[slot] = value;
    }

    /// Puts a value on the stack.
    pub fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Answers `maybe()`.
    pub fn answer(&mut self, world: &World, yes: bool) {
        self.note(world, Chosen::Maybe(yes));
        self.push(Value::Bool(yes));
    }

    /// Notes what was chosen at the instruction run last.
    pub fn note(&mut self, world: &World, chosen: Chosen) {
        if let Some(site) = self.site(world) {
            self.tell(|_| Told::Chose(site, chosen.clone()));
            self.trail = Some(Rc::new(Taken { site, chosen, before: self.trail.take() }));
        }
    }

    /// Whether hints decide the choice at the instruction run last, if only by saying nothing more.
    pub fn is_guided(&self, world: &World) -> bool {
        matches!((&self.hints, self.site(world)), (Some(hints), Some(site)) if hints.know(site))
    }

    /// The hint for the instruction run last.
    pub fn hint(&mut self, world: &World) -> Option<Chosen> {
        let site = self.site(world)?;
        self.hints.as_mut()?.next(site)
    }

    /// Where the machine stands: the instruction run last.
    pub fn site(&self, world: &World) -> Option<Site> {
        self.frames.last().map(|it| world.code.site(it.code, it.pc))
    }

    /// Runs until something stops it.
    pub fn run(&mut self, world: &mut World) -> Stop {
        loop {
            if world.fuel == 0 {
                return Stop::OutOfFuel;
            }
            world.fuel -= 1;
            match self.step(world) {
                Ok(()) => {}
                Err(stop) => return stop,
            }
        }
    }

    fn step(&mut self, world: &mut World) -> Result<(), Stop> {
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
                // Values of its type were split without it: nothing that follows would count.
                None => return Err(self.unsupported(world)),
            },
            Op::Unit => self.stack.push(Value::Unit),
            Op::Bool(it) => self.stack.push(Value::Bool(it)),
            Op::Load(local) => self.stack.push(frame.locals[local as usize].clone()),
            Op::Store(local) => {
                let value = self.stack.pop().unwrap_or(Value::Unit);
                let frame = self.frame_mut();
                frame.locals[local as usize] = value;
                frame.pc += 1;
                return Ok(());
            }
            Op::Clear(from, to) => {
                let frame = self.frame_mut();
                frame.locals[from as usize..to as usize].fill(Value::Unit);
                frame.pc += 1;
                return Ok(());
            }
            Op::Pop => drop(self.stack.pop()),
            Op::Dup => self.stack.extend(self.stack.last().cloned()),
            Op::Swap => {
                let top = self.stack.len();
                self.stack.swap(top - 1, top - 2);
            }
            Op::Tuple(0) => self.stack.push(Value::Unit),
            Op::Tuple(count) => {
                let fields = self.take_operands(count).collect();
                self.stack.push(Value::Tuple(fields));
            }
            Op::Variant(tag, count) => {
                let fields = self.take_operands(count).collect();
                self.stack.push(Value::Variant(tag, fields));
            }
            Op::Seq(count) => {
                let elements = self.take_operands(count).collect();
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
            Op::Call(callee) => {
                self.advance();
                if self.frames.len() > MAX_DEPTH {
                    return Err(self.site(world).map_or(Stop::Disabled, Stop::TooDeep));
                }
                let count = code.functions[callee as usize].parameters;
                let callee = callee as usize;
                let mut locals = Vec::with_capacity(code.functions[callee].locals);
                locals.extend(self.stack.drain(self.stack.len() - count..));
                self.enter(code, callee, locals, Then::Push);
                return Ok(());
            }
            Op::CountOperands(local) => {
                let count = (self.stack.len() - frame.operands) as i64;
                self.frame_mut().locals[local as usize] = Value::Int(count);
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
            Op::Choose => {
                let value = self.force_unless_unordered(world, &self.top(0)).map_err(Stop::Need)?;
                self.stack.pop();
                self.advance();
                let elements = elements_in_any_order(&value).ok_or(Stop::Disabled)?;
                return Err(Stop::Choose(elements));
            }
            Op::When => {
                let holds = self.force_top(world, 0)?;
                self.stack.pop();
                if holds != Value::Bool(true) {
                    return Err(Stop::Disabled);
                }
            }
            Op::Assert => {
                let holds = self.force_top(world, 0)?;
                self.stack.pop();
                if holds != Value::Bool(true) {
                    self.advance();
                    return Err(self.site(world).map_or(Stop::Disabled, Stop::Failed));
                }
            }
            Op::Emit => {
                let value = self.stack.pop().unwrap_or(Value::Unit);
                self.emit(vec![Value::Str(Rc::from("emit")), value]);
            }
            Op::External(name, ty) => {
                let parameters = function.parameters;
                let arguments = frame.locals[2.min(parameters)..parameters].to_vec();
                self.advance();
                let result = self.draw(world, ty);
                let name = Value::Str(Rc::from(code.names[name as usize].as_str()));
                self.emit(vec![name, Value::tuple(arguments), result.clone()]);
                self.stack.push(result);
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
            Op::NoMatch => return Err(self.panic_here(world, "no arm of this `match` fits")),
            Op::Unsupported => return Err(self.unsupported(world)),
        }
        self.advance();
        Ok(())
    }

    /// The innermost activation, of which there is one while an instruction runs.
    fn frame_mut(&mut self) -> &mut Frame {
        let innermost = self.frames.len() - 1;
        Rc::make_mut(&mut self.frames[innermost])
    }

    fn advance(&mut self) {
        self.frame_mut().pc += 1;
    }

    /// Leaves a function.
    fn finish_frame(&mut self, world: &World) -> Result<(), Stop> {
        let result = self.stack.pop().unwrap_or(Value::Unit);
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        // `return` may stand in the middle of an expression.
        self.stack.truncate(frame.operands);
        self.stars = frame.stars;
        let inout = &world.code.functions[frame.code].inout;
        match frame.then {
            Then::Push => self.stack.extend(inout.iter().map(|it| frame.locals[*it].clone())),
            Then::Performed => {
                if let Some(state) = inout.first() {
                    self.state = frame.locals[*state].clone();
                }
            }
        }
        self.stack.push(result);
        if frame.then == Then::Performed {
            self.tell(|it| Told::Returned(it.state.clone(), it.stack.last().cloned().unwrap_or(Value::Unit)));
        }
        match frame.then {
            Then::Performed => Err(Stop::Performed),
            Then::Push => Ok(()),
        }
    }

    fn emit(&mut self, event: Vec<Value>) {
        Rc::make_mut(&mut self.events).push(Value::tuple(event));
    }

    /// What `any()` gives: a new cell.
    fn draw(&mut self, world: &mut World, ty_index: u32) -> Value {
        let ty = &world.code.types[ty_index as usize];
        if *ty == Type::UNIT {
            return Value::Unit;
        }
        // What the other run never looked at is left open: then it can be chosen to fit.
        if let Some(Chosen::Drawn(value)) = self.hint(world)
            && !matches!(value, Value::Cell(_))
        {
            return value;
        }
        self.draws += 1;
        let origin = Origin::Choice(self.draws, ty_index);
        let value = Value::Cell(world.cells.cell(origin, || Rc::new(ty.clone()), self.quantifier));
        self.note(world, Chosen::Drawn(value.clone()));
        value
    }

    fn take_operands(&mut self, count: u32) -> std::vec::Drain<'_, Value> {
        self.stack.drain(self.stack.len() - count as usize..)
    }

    /// Replaces the top `count` operands by one value.
    fn replace(&mut self, count: usize, value: Value) {
        self.stack.truncate(self.stack.len() - count);
        self.stack.push(value);
    }

    fn panic_here(&mut self, world: &World, why: &'static str) -> Stop {
        self.advance();
        self.site(world).map_or(Stop::Disabled, |site| Stop::Panicked(site, why))
    }

    fn unsupported(&mut self, world: &World) -> Stop {
        self.advance();
        self.site(world).map_or(Stop::OutOfFuel, Stop::Unsupported)
    }

    /// An integer that the code made. As long as unknown integers are atoms, it must be one of those they are known to differ from.
    fn made(&self, world: &World, number: i64) -> Result<Value, Stop> {
        let is_told_apart = world.cells.numbers != Numbers::Atoms || world.cells.int_literals.contains(&number);
        if is_told_apart { Ok(Value::Int(number)) } else { Err(Stop::NumbersNeeded) }
    }

    fn top(&self, depth: usize) -> Value {
        self.stack[self.stack.len() - 1 - depth].clone()
    }

    fn force_top(&mut self, world: &mut World, depth: usize) -> Result<Value, Stop> {
        match &self.stack[self.stack.len() - 1 - depth] {
            value @ (Value::Cell(_) | Value::Unordered(_)) => self.force(world, value).map_err(Stop::Need),
            value => Ok(value.clone()),
        }
    }

    fn force_key_top(&mut self, world: &mut World, depth: usize) -> Result<Value, Stop> {
        let value = self.top(depth);
        self.force_all(world, &value).map_err(Stop::Need)
    }

    fn field(&mut self, world: &mut World, index: u32) -> Result<(), Stop> {
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

    fn set_field(&mut self, world: &mut World, index: u32) -> Result<(), Stop> {
        let container = self.stack.len() - 2;
        if let Value::Cell(id) = self.stack[container] {
            self.stack[container] = self.force(world, &Value::Cell(id)).map_err(Stop::Need)?;
        }
        if let (Some(value), Some(Value::Tuple(fields))) = (self.stack.pop(), self.stack.last_mut()) {
            Rc::make_mut(fields)[index as usize] = value;
        }
        Ok(())
    }

    fn index(&mut self, world: &mut World) -> Result<(), Stop> {
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

    fn set_index(&mut self, world: &mut World) -> Result<(), Stop> {
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
                if !(0..elements.len() as i64).contains(&index) {
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

    fn jump_if(&mut self, world: &mut World, wanted: bool, to: u32) -> Result<(), Stop> {
        let value = self.force_top(world, 0)?;
        self.stack.pop();
        if let Some(frame) = self.frames.last_mut().map(Rc::make_mut) {
            frame.pc = if value == Value::Bool(wanted) { to as usize } else { frame.pc + 1 };
        }
        Ok(())
    }

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
                frame.locals[position as usize] = Value::Int(at + 1);
                frame.pc += 1;
                self.stack.push(element);
            }
            None => frame.pc = to as usize,
        }
        Ok(())
    }

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

    fn mutate(&mut self, world: &mut World, mutation: Mutation, count: usize) -> Result<(), Stop> {
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

    fn prim(&mut self, world: &mut World, prim: Prim, count: usize, ty: u32) -> Result<(), Stop> {
        let ty = &world.code.types[ty as usize];
        let value = match prim {
            Prim::Eq | Prim::Ne => {
                let (a, b) = (self.top(1), self.top(0));
                let equal = self.is_equal(world, &a, &b)?;
                Value::Bool(equal == (prim == Prim::Eq))
            }
            Prim::Empty | Prim::Default if !has_known_default(world.cells.program, ty) => {
                return Err(self.unsupported(world));
            }
            Prim::Empty | Prim::Default => default_of(world.cells.program, ty),
            Prim::Elements => {
                let elements = self.stack[self.stack.len() - count..].to_vec();
                match ty {
                    Type::Set(_) => self.set_of(world, &elements)?,
                    _ => Value::seq(elements),
                }
            }
            Prim::Not => Value::Bool(self.force_top(world, 0)? != Value::Bool(true)),
            Prim::Lt | Prim::Le | Prim::Gt | Prim::Ge => {
                let (a, b) = (self.number_top(world, 1)?, self.number_top(world, 0)?);
                Value::Bool(match prim {
                    Prim::Lt => a < b,
                    Prim::Le => a <= b,
                    Prim::Gt => a > b,
                    _ => a >= b,
                })
            }
            Prim::Add if *ty == Type::Str => self.concatenate(world, count)?,
            Prim::Text => self.text_top(world)?,
            Prim::SplitOnce => self.split_once(world)?,
            Prim::Parse => self.parse(world, ty)?,
            Prim::Add
            | Prim::Sub
            | Prim::Mul
            | Prim::Div
            | Prim::Rem
            | Prim::Min
            | Prim::Max
            | Prim::SaturatingAdd
            | Prim::SaturatingSub
            | Prim::WrappingAdd
            | Prim::WrappingSub
            | Prim::CheckedAdd
            | Prim::CheckedSub => self.arithmetic(world, prim, ty)?,
            Prim::Neg | Prim::Cast => {
                let operand = i128::from(self.number_top(world, 0)?);
                self.in_range(world, if prim == Prim::Neg { -operand } else { operand }, ty)?
            }
            Prim::Range => {
                let (from, to) = (self.number_top(world, 1)?, self.number_top(world, 0)?);
                if to.saturating_sub(from) > 1 << 16 {
                    return Err(self.panic_here(world, "this range is too long to explore"));
                }
                Value::seq((from..to).map(|it| self.made(world, it)).collect::<Result<_, _>>()?)
            }
            _ => self.collection_prim(world, prim, ty)?,
        };
        self.replace(count, value);
        Ok(())
    }

    fn concatenate(&mut self, world: &mut World, count: usize) -> Result<Value, Stop> {
        let mut pieces = Vec::new();
        for depth in (0..count).rev() {
            let part = self.force_top(world, depth)?;
            match text::pieces(&part) {
                Some(more) => pieces.extend(more),
                None => return Err(self.unsupported(world)),
            }
        }
        Ok(text::join(pieces))
    }

    /// What `{}` prints of the value on the stack.
    fn text_top(&mut self, world: &mut World) -> Result<Value, Stop> {
        let value = self.force_top(world, 0)?;
        let value = match value {
            Value::Atom(Sort::Pid, _) if world.cells.numbers == Numbers::Digits => {
                let number = world.cells.process_number(&value);
                self.force(world, &number).map_err(Stop::Need)?
            }
            value => value,
        };
        text::pieces(&value).map(text::join).ok_or_else(|| self.unsupported(world))
    }

    fn split_once(&mut self, world: &mut World) -> Result<Value, Stop> {
        let (whole, separator) = (self.force_top(world, 1)?, self.force_top(world, 0)?);
        let (Some(pieces), Value::Str(separator)) = (text::pieces(&whole), &separator) else {
            return Err(self.unsupported(world));
        };
        if separator.is_empty() || separator.chars().any(|it| it.is_ascii_digit()) {
            return Err(self.unsupported(world));
        }
        match text::split_once(&pieces, separator) {
            Split::None => Ok(Value::none()),
            Split::At(left, right) => Ok(Value::some(Value::tuple(vec![left, right]))),
            Split::Unknown => {
                let parts = Type::Tuple(vec![Type::Str, Type::Str]);
                let key = Value::tuple(vec![whole, Value::Str(separator.clone())]);
                self.look_into(world, SPLITS, parts.clone(), Type::Option(Box::new(parts)), key)
            }
        }
    }

    fn parse(&mut self, world: &mut World, ty: &Type) -> Result<Value, Stop> {
        let whole = self.force_top(world, 0)?;
        let (Some(pieces), Type::Option(target)) = (text::pieces(&whole), ty) else {
            return Err(self.unsupported(world));
        };
        let is_unknown = matches!(whole, Value::Atom(Sort::Str, _));
        if is_unknown {
            return self.look_into(world, PARSES, Type::Str, ty.clone(), whole);
        }
        match (text::parse(&pieces), &**target) {
            (Parsed::None, _) => Ok(Value::none()),
            (Parsed::Atom(Sort::Pid, number), Type::Pid) => Ok(Value::some(Value::Atom(Sort::Pid, number))),
            // Integers of fewer bits may not hold it.
            (Parsed::Atom(Sort::Int, number), Type::Int { bits: 64, signed: false }) => {
                Ok(Value::some(Value::Atom(Sort::Int, number)))
            }
            (Parsed::Int(number), Type::Int { bits, signed }) => {
                let (low, high) = int_range(*signed, *bits);
                match (low..=high.min(i128::from(i64::MAX))).contains(&number) {
                    true => self.made(world, number as i64).map(Value::some),
                    false => Ok(Value::none()),
                }
            }
            _ => Err(self.unsupported(world)),
        }
    }

    /// What code finds in a string about which nothing is known: anything, but always the same.
    fn look_into(&self, world: &mut World, number: u32, from: Type, to: Type, whole: Value) -> Result<Value, Stop> {
        let function = world.cells.function(number, from, to);
        let found = world.cells.entry(function, &whole);
        self.force(world, &found).map_err(Stop::Need)
    }

    fn collection_prim(&mut self, world: &mut World, prim: Prim, ty: &Type) -> Result<Value, Stop> {
        if prim == Prim::Index {
            self.index(world)?;
            // `index` replaced both operands; put one back for the caller to replace.
            let value = self.top(0);
            self.stack.push(Value::Unit);
            return Ok(value);
        }
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
                let length = self.entries(world, map)?.len() as i64;
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
            Prim::Len => self.made(world, elements.len() as i64)?,
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

    /// The same where the order of the elements is not known yet: it is asked for only if it shows in the result.
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
            Prim::Contains | Prim::Len | Prim::IsEmpty | Prim::ToSet | Prim::MaxOf | Prim::MinOf | Prim::Sum => {
                return self.seq_prim(world, prim, &elements, ty);
            }
            Prim::ToMap => {
                // Of two entries with one key the last counts.
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

    fn set_of(&mut self, world: &mut World, elements: &[Value]) -> Result<Value, Stop> {
        let mut set = MapValue::empty(None);
        for element in elements {
            let key = self.force_all(world, element).map_err(Stop::Need)?;
            set = set.with(key, Some(Value::Unit));
        }
        Ok(Value::Map(set))
    }

    /// The map of these entries, and whether one took the place of another.
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

    fn fold(&mut self, world: &mut World, prim: Prim, elements: &[Value], ty: &Type) -> Result<Value, Stop> {
        let mut numbers = Vec::new();
        for element in elements {
            let value = self.force(world, element).map_err(Stop::Need)?;
            numbers.push(number(&value)?);
        }
        let bound = match prim {
            Prim::MaxOf => numbers.iter().max(),
            Prim::MinOf => numbers.iter().min(),
            _ => {
                let sum = numbers.iter().map(|it| i128::from(*it)).sum();
                return self.in_range(world, sum, ty);
            }
        };
        Ok(bound.map_or_else(Value::none, |it| Value::some(Value::Int(*it))))
    }

    fn number_top(&mut self, world: &mut World, depth: usize) -> Result<i64, Stop> {
        let value = self.force_top(world, depth)?;
        number(&value)
    }

    fn arithmetic(&mut self, world: &mut World, prim: Prim, ty: &Type) -> Result<Value, Stop> {
        let (a, b) = (i128::from(self.number_top(world, 1)?), i128::from(self.number_top(world, 0)?));
        let int = match ty {
            Type::Option(inner) => inner,
            _ => ty,
        };
        let Type::Int { bits, signed } = *int else { return Ok(Value::Unit) };
        // Values are kept in 64 bits: what lies beyond is out of range for every purpose here.
        let (low, high) = int_range(signed, bits);
        let high = high.min(i128::from(i64::MAX));
        let wrap = |it: i128| {
            if it < low {
                it + (1i128 << bits)
            } else if it > high {
                it - (1i128 << bits)
            } else {
                it
            }
        };
        let checked = |machine: &Machine, it: i128| match (low..=high).contains(&it) {
            true => machine.made(world, it as i64).map(Value::some),
            false => Ok(Value::none()),
        };
        let result = match prim {
            Prim::Add => a + b,
            Prim::Sub => a - b,
            Prim::Mul => a * b,
            Prim::Div | Prim::Rem if b == 0 => return Err(self.panic_here(world, "division by zero")),
            Prim::Div => a / b,
            Prim::Rem => a % b,
            Prim::Min => a.min(b),
            Prim::Max => a.max(b),
            Prim::SaturatingAdd => (a + b).clamp(low, high),
            Prim::SaturatingSub => (a - b).clamp(low, high),
            Prim::WrappingAdd => wrap(a + b),
            Prim::WrappingSub => wrap(a - b),
            Prim::CheckedAdd => return checked(self, a + b),
            _ => return checked(self, a - b),
        };
        self.in_range(world, result, int)
    }

    fn in_range(&mut self, world: &World, value: i128, ty: &Type) -> Result<Value, Stop> {
        let Type::Int { bits, signed } = *ty else { return Ok(Value::Unit) };
        let (low, high) = int_range(signed, bits);
        if !(low..=high.min(i128::from(i64::MAX))).contains(&value) {
            return Err(self.panic_here(world, "the result does not fit its integer type"));
        }
        self.made(world, value as i64)
    }

    /// The value one level deep.
    pub fn force(&self, world: &mut World, value: &Value) -> Result<Value, Need> {
        match self.force_unless_unordered(world, value)? {
            Value::Unordered(entries) => in_order(&mut world.cells, &self.known, &entries).map(Value::seq),
            value => Ok(value),
        }
    }

    /// The same for code that does not see the order of a sequence.
    fn force_unless_unordered(&self, world: &mut World, value: &Value) -> Result<Value, Need> {
        match self.resolve(value) {
            Value::Cell(id) => {
                world.cells.note_opened(id);
                world.cells.expand(id).ok_or(Need::Resolve(id))
            }
            value => Ok(value),
        }
    }

    /// Follows what is known of a cell; other values are returned as they are.
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

    /// The value with no cells left in it; for keys.
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

    /// The value with no cells left in it, and with maps that stand on nothing.
    ///
    /// # Errors
    /// What has to be known first.
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
                    // Comparing with the default can only stop for a cell.
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

    /// The entry of a map at a key. Of a total function: `None` means the default.
    pub fn lookup(&self, world: &World, map: &MapValue, key: &Value) -> Result<Option<Value>, Need> {
        if let Some(entry) = map.over.get(key) {
            return Ok(entry.clone());
        }
        self.lookup_under(world, map, key)
    }

    /// The map with an entry written or removed. What equals the entry under it is not written, so that equal maps look equal at the head
    /// of a loop.
    fn put(&self, world: &World, map: &MapValue, key: Value, value: Option<Value>) -> MapValue {
        let plain =
            |entry: Option<Value>| entry.map(|it| self.resolve(&it)).filter(|it| map.default.as_deref() != Some(it));
        let value = plain(value);
        if self.lookup_under(world, map, &key).is_ok_and(|under| plain(under) == value) {
            let mut over = map.over.clone();
            Rc::make_mut(&mut over).remove(&key);
            return MapValue { base: map.base, default: map.default.clone(), over };
        }
        map.with(key, value)
    }

    /// The entry at a key of what lies under the written entries.
    fn lookup_under(&self, world: &World, map: &MapValue, key: &Value) -> Result<Option<Value>, Need> {
        let Some(base) = map.base.cell() else { return Ok(None) };
        if let Some(facts) = self.known.bases.get(&base) {
            if let Some(entry) = facts.entries.get(key) {
                return Ok(map.base.entry(entry.clone()));
            }
            if facts.closed {
                return Ok(None);
            }
        }
        if world.cells.get(base).quantifier == Quantifier::Universal && has_invented(key) {
            // The search may pick a value that occurs nowhere in the finite map.
            return Ok(None);
        }
        Err(Need::Entry(base, key.clone()))
    }

    /// All entries of a map, or those of a total function that are not the default; in no order that means anything.
    pub fn entries(&self, world: &mut World, map: &MapValue) -> Result<Vec<(Value, Value)>, Stop> {
        let mut entries: BTreeMap<Value, Value> = BTreeMap::new();
        if let Some(base) = map.base.cell() {
            let facts = self.known.bases.get(&base).cloned().unwrap_or_default();
            if !facts.closed {
                return Err(Stop::Need(Need::Close(base)));
            }
            entries.extend(facts.entries.into_iter().filter_map(|(key, entry)| Some((key, map.base.entry(entry)?))));
        }
        for (key, entry) in map.over.iter() {
            match entry {
                Some(value) => drop(entries.insert(key.clone(), value.clone())),
                None => drop(entries.remove(key)),
            }
        }
        let Some(default) = map.default.as_deref() else { return Ok(entries.into_iter().collect()) };
        let mut support = Vec::new();
        for (key, value) in entries {
            if !self.is_default(world, &value, default)? {
                support.push((key, value));
            }
        }
        Ok(support)
    }

    fn is_default(&self, world: &mut World, value: &Value, default: &Value) -> Result<bool, Stop> {
        if let Value::Cell(id) = self.resolve(value)
            && self.known.nondefault.contains(&id)
        {
            return Ok(false);
        }
        self.is_equal(world, value, default)
    }

    fn is_empty(&self, world: &mut World, map: &MapValue) -> Result<bool, Stop> {
        let mut need = None;
        let mut known: BTreeMap<Value, Option<Value>> = BTreeMap::new();
        if let Some(base) = map.base.cell() {
            let facts = self.known.bases.get(&base).cloned().unwrap_or_default();
            if !facts.closed {
                need = Some(Stop::Need(Need::Close(base)));
            }
            known = facts.entries;
        }
        known.extend(map.over.iter().map(|(key, entry)| (key.clone(), entry.clone())));
        for value in known.values().flatten() {
            let Some(default) = map.default.as_deref() else { return Ok(false) };
            match self.is_default(world, value, default) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(stop) => need = Some(stop),
            }
        }
        need.map_or(Ok(true), Err)
    }

    /// `==`: looks at everything it has to.
    pub fn is_equal(&self, world: &mut World, a: &Value, b: &Value) -> Result<bool, Stop> {
        let mut comparison = Comparison { machine: self, bindings: None };
        comparison.equal(world, a, b)
    }

    /// Whether two values can be made equal by choosing values for the search's own cells; if so, chooses them.
    pub fn unify(&mut self, world: &mut World, a: &Value, b: &Value) -> Result<bool, Stop> {
        let (equal, bindings) = {
            let mut comparison = Comparison { machine: self, bindings: Some(self.chosen.clone()) };
            let equal = comparison.equal(world, a, b);
            (equal, comparison.bindings)
        };
        if let Some(bindings) = bindings {
            self.chosen = bindings;
        }
        equal
    }

    /// Makes states at the head of a loop comparable: what `any()` gave is written out where it is used, and forgotten.
    pub fn forget_choices(&mut self, world: &World) {
        let is_dead = |id: &CellId| world.cells.get(*id).chosen;
        let (known, chosen) = (self.known.resolved.keys().any(is_dead), self.chosen.keys().any(is_dead));
        if !known && !chosen {
            return;
        }
        let mut frames = std::mem::take(&mut self.frames);
        for frame in &mut frames {
            // Frames in which nothing changes stay shared with other machines.
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

    /// Whether there is anything in a value that [`Machine::written_out`] changes.
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

    /// The value with what `any()` gave written out.
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

/// Compares two values, perhaps choosing values for the search's own cells.
struct Comparison<'m> {
    machine: &'m Machine,
    bindings: Option<Rc<BTreeMap<CellId, Value>>>,
}

impl Comparison<'_> {
    fn resolve(&self, value: &Value) -> Value {
        let mut value = self.machine.resolve(value);
        while let (Value::Cell(id), Some(bindings)) = (&value, &self.bindings) {
            match bindings.get(id) {
                Some(bound) => value = self.machine.resolve(bound),
                None => break,
            }
        }
        value
    }

    fn equal(&mut self, world: &mut World, a: &Value, b: &Value) -> Result<bool, Stop> {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return Ok(true);
        }
        for (cell, other) in [(&a, &b), (&b, &a)] {
            if let (Value::Cell(id), Some(bindings)) = (cell, &mut self.bindings)
                && world.cells.get(*id).quantifier == Quantifier::Existential
                && world.cells.is_whole(*id)
            {
                Rc::make_mut(bindings).insert(*id, other.clone());
                return Ok(true);
            }
        }
        let a = self.machine.force(world, &a).map_err(Stop::Need)?;
        let b = self.machine.force(world, &b).map_err(Stop::Need)?;
        match (&a, &b) {
            (Value::Tuple(xs), Value::Tuple(ys)) => self.all_equal(world, xs, ys),
            (Value::Variant(x, xs), Value::Variant(y, ys)) => {
                if x != y {
                    return Ok(false);
                }
                self.all_equal(world, xs, ys)
            }
            (Value::Seq(xs), Value::Seq(ys)) => {
                if xs.len() != ys.len() {
                    return Ok(false);
                }
                self.all_equal(world, xs, ys)
            }
            (Value::Map(x), Value::Map(y)) => self.maps_equal(world, x, y),
            (Value::Str(_) | Value::Text(_), _) | (_, Value::Str(_) | Value::Text(_)) => {
                world.cells.note_string(&a);
                world.cells.note_string(&b);
                Ok(a == b)
            }
            (Value::Atom(Sort::Int, _), Value::Int(it)) | (Value::Int(it), Value::Atom(Sort::Int, _)) => {
                if world.cells.int_literals.contains(it) { Ok(false) } else { Err(Stop::NumbersNeeded) }
            }
            _ => Ok(a == b),
        }
    }

    /// All pairs are compared, so that one that differs settles it even if another is not known yet.
    fn all_equal(&mut self, world: &mut World, xs: &[Value], ys: &[Value]) -> Result<bool, Stop> {
        let mut answer = Ok(true);
        for (x, y) in xs.iter().zip(ys) {
            match self.equal(world, x, y) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(Stop::NumbersNeeded) => return Err(Stop::NumbersNeeded),
                Err(stop) => answer = answer.and(Err(stop)),
            }
        }
        answer
    }

    fn maps_equal(&mut self, world: &mut World, x: &MapValue, y: &MapValue) -> Result<bool, Stop> {
        let mut keys: Vec<Value> = x.over.keys().chain(y.over.keys()).cloned().collect();
        if x.base != y.base {
            for base in [x.base, y.base] {
                let Some(base) = base.cell() else { continue };
                match self.machine.known.bases.get(&base) {
                    Some(facts) if facts.closed => keys.extend(facts.entries.keys().cloned()),
                    _ => return Err(Stop::Need(Need::Close(base))),
                }
            }
        }
        keys.sort();
        keys.dedup();
        let mut answer = Ok(true);
        for key in keys {
            match self.entries_equal(world, x, y, &key) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(Stop::NumbersNeeded) => return Err(Stop::NumbersNeeded),
                Err(stop) => answer = answer.and(Err(stop)),
            }
        }
        answer
    }

    fn entries_equal(&mut self, world: &mut World, x: &MapValue, y: &MapValue, key: &Value) -> Result<bool, Stop> {
        let a = self.machine.lookup(world, x, key).map_err(Stop::Need)?.or_else(|| x.default.as_deref().cloned());
        let b = self.machine.lookup(world, y, key).map_err(Stop::Need)?.or_else(|| y.default.as_deref().cloned());
        match (a, b) {
            (Some(a), Some(b)) => self.equal(world, &a, &b),
            (None, None) => Ok(true),
            _ => Ok(false),
        }
    }
}

/// What is made of the entries of a map or a set, one by one; in an order that nobody has asked for.
fn sequence(entries: Vec<(Value, Value)>, element: impl Fn(Value, Value) -> Value) -> Value {
    if entries.len() < 2 {
        return Value::seq(entries.into_iter().map(|(key, value)| element(key, value)).collect());
    }
    Value::Unordered(Rc::new(entries.into_iter().map(|(key, value)| (key.clone(), element(key, value))).collect()))
}

/// The elements of a sequence, for code that does not see their order.
fn elements_in_any_order(sequence: &Value) -> Option<Vec<Value>> {
    match sequence {
        Value::Seq(elements) => Some(elements.to_vec()),
        Value::Unordered(entries) => Some(entries.iter().map(|(_, element)| element.clone()).collect()),
        _ => None,
    }
}

/// An integer that code calculates with.
fn number(value: &Value) -> Result<i64, Stop> {
    match value {
        Value::Int(it) => Ok(*it),
        Value::Bool(it) => Ok(i64::from(*it)),
        _ => Err(Stop::NumbersNeeded),
    }
}

fn has_invented(key: &Value) -> bool {
    match key {
        Value::Atom(_, number) => *number >= WITNESS_ATOMS,
        Value::Tuple(fields) | Value::Variant(_, fields) => fields.iter().any(has_invented),
        Value::Seq(elements) => elements.iter().any(has_invented),
        Value::Unordered(entries) => entries.iter().any(|(key, it)| has_invented(key) || has_invented(it)),
        Value::Text(pieces) => pieces.iter().any(|piece| match piece {
            Piece::Literal(_) => false,
            Piece::Decimal(_, number) | Piece::Other(number) => *number >= WITNESS_ATOMS,
        }),
        _ => false,
    }
}
