//! The exploring machine: runs [`Code`] until it is done, has to choose, or has to read something unknown.
//!
//! A machine is a value: copying it forks the run. It never chooses, and it does not know the purpose of the run; both are up to
//! [`search`](super::search). An instruction that stops because of a [`Need`] leaves the machine unchanged, so that it can be
//! run again once the need is met.
//!
//! This file holds the machine and its interface. The submodules: `step` executes instructions; `places` handles components of values;
//! further modules hold the primitives for numbers, strings and collections. On a lower level, `look` reads a value as far as needed,
//! `maps` finds entries, and `equal` compares. `forget` makes states at the head of a loop comparable.

mod collections;
mod equal;
mod forget;
mod look;
mod maps;
mod numbers;
mod places;
mod prim;
mod questions;
mod step;
mod strings;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    rc::Rc,
};

use super::{
    cells::{Cells, Knowledge, Need, Quantifier},
    code::{Code, CodeId},
    hints::Hints,
    value::{CellId, Sort, Value},
};
use crate::{
    ir::{NodeId, int::IntType},
    verdict::Assumption,
};

/// The context of a run, beside its own state.
pub struct World<'p> {
    /// The code that runs.
    pub code: &'p Code,
    /// The cells for unknown values.
    pub cells: Cells<'p>,
    /// The values of those [`Code::literals`] that the question can reach.
    pub literals: Vec<Option<Value>>,
    /// The number of instructions that may still be run.
    pub fuel: u64,
    /// The number of cases, that is, of splits.
    pub cases: u64,
    /// The number of paths begun.
    pub paths: u64,
    /// The number of runs that reached an end that matters to the obligation: they finished or failed.
    pub ends: u64,
    /// The path condition of the last case that was shown, with everything that was shown settled: the case can be repeated from it.
    pub told: Option<Knowledge>,
    /// A loop around which some run never ends.
    pub endless: Option<Site>,
}

impl World<'_> {
    /// Takes fuel for a copy of this many characters or elements. Short copies cost nothing beyond the instruction; long ones increasingly
    /// more, so that values built by a few instructions fit in memory.
    fn pay_for(&mut self, length: usize) -> Result<(), Stop> {
        let price = (length as u64).saturating_mul(length as u64) / 1_024;
        match self.fuel.checked_sub(price) {
            Some(left) => self.fuel = left,
            None => {
                self.fuel = 0;
                return Err(Stop::OutOfFuel);
            }
        }
        Ok(())
    }
}

/// An activation of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The code that it runs.
    pub code: CodeId,
    /// The index of the next instruction.
    pub pc: usize,
    /// Parameters, locals and temporaries.
    pub locals: Vec<Value>,
    /// The number of operands of its callers.
    operands: usize,
    /// The number of star loops around the call.
    stars: u32,
    /// What happens with its results.
    then: Then,
}

/// What happens with the results of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Then {
    /// They are pushed on the stack of the caller.
    Push,
    /// The in-out parameter becomes the state of the layer below, and the result is pushed.
    Performed,
}

/// A place in code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The function in the code.
    pub code: CodeId,
    /// The node in the function.
    pub node: NodeId,
}

/// A choice that a run took.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// The place of the choice.
    pub site: Site,
    /// The alternative that was chosen.
    pub chosen: Chosen,
    /// The choices before it.
    pub before: Trail,
}

/// A choice, with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The result of `maybe()`.
    Maybe(bool),
    /// The result of `any()`: a cell, at that time.
    Drawn(Value),
    /// The index of the element that `choose()` took.
    Element(usize),
}

/// The choices of a run, last first.
pub type Trail = Option<Rc<Taken>>;

/// An event in the record of a run.
#[derive(Debug)]
pub enum Told {
    /// The script called a function, or the procedure called a step of the layer below: the function, its arguments, and the place of the
    /// call.
    Called(CodeId, Vec<Value>, Option<Site>),
    /// The function returned: the new value of its first parameter, and the result.
    Returned(Value, Value),
    /// The run made a choice.
    Chose(Site, Chosen),
    /// The run took a branch.
    Took(Site),
    /// The step is not allowed by the rules of its layer, and does nothing.
    BrokeRule,
}

/// The record of a run, last event first. Only kept for counterexamples.
pub type Tale = Option<Rc<Telling>>;

/// The last event of a run, and those before it.
#[derive(Debug)]
pub struct Telling {
    /// The last event itself.
    pub told: Told,
    /// The emitted events at that time.
    pub events: Rc<Vec<Value>>,
    /// The record before it.
    pub before: Tale,
}

/// Why a machine stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It needs to know something.
    Need(Need),
    /// `maybe()`: continue with [`Machine::answer`].
    Maybe,
    /// `choose()` among these values: continue with [`Machine::push`].
    Choose(Vec<Value>),
    /// The head of a loop that continues while `maybe()` returns `true`.
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
    /// An `assert!` failed here.
    Failed(Site),
    /// The code panics: a missing key, an overflow.
    Panicked(Site, &'static str),
    /// The run does not count, by this assumption.
    AssumedAway(Assumption),
    /// The value that it would read is beyond this bound.
    Beyond(String),
    /// Integers have to be concrete: restart.
    NumbersNeeded,
    /// It reached code that has a diagnostic.
    Unsupported(Site),
    /// The recursion is too deep.
    TooDeep(Site),
    /// [`World::fuel`] is used up.
    OutOfFuel,
}

/// A run that can be copied.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The activations, the innermost one last.
    pub frames: Vec<Rc<Frame>>,
    /// Operands of all activations.
    pub stack: Vec<Value>,
    /// The state of the layer below, for procedures.
    pub state: Value,
    /// The path condition: what is known about universal cells.
    pub known: Knowledge,
    /// The values that a witness search has chosen for its own cells.
    pub chosen: Rc<BTreeMap<CellId, Value>>,
    /// The number of atoms that a witness search has invented, by sort.
    pub invented: Rc<BTreeMap<Sort, u32>>,
    /// Assumptions of the run: it continued where code would have panicked otherwise.
    pub assumed: BTreeSet<Assumption>,
    /// The run invented an integer of this type, although all integers of the type may be in use.
    pub made_up_few: Option<IntType>,
    /// The emitted events so far.
    pub events: Rc<Vec<Value>>,
    /// The number of star loops that the run is in.
    pub stars: u32,
    /// How results of `any()` are quantified.
    pub quantifier: Quantifier,
    /// The number of calls of `any()`, used to name their results.
    pub draws: u32,
    /// The choices of the run so far.
    pub trail: Trail,
    /// The values that the script works on: states, arguments, results.
    pub slots: Rc<Vec<Value>>,
    /// Results of `any()` that were read and then forgotten.
    pub drawn: Rc<BTreeMap<CellId, Value>>,
    /// Choices of another run to try first.
    pub hints: Option<Box<Hints>>,
    /// The number of actions of the script that have been run.
    pub stage: usize,
    /// How often the head of a loop has been reached.
    pub turns: u32,
    /// Where the run was after many turns; see [`Machine::comes_back`].
    pub landmark: Option<Rc<Landmark>>,
    /// The record of the run, if it is kept.
    pub tale: Option<Tale>,
}

/// All that the rest of a run depends on.
#[derive(Debug, PartialEq, Eq)]
pub struct Landmark {
    frames: Vec<Rc<Frame>>,
    stack: Vec<Value>,
    state: Value,
    known: Knowledge,
    chosen: Rc<BTreeMap<CellId, Value>>,
    events: Rc<Vec<Value>>,
    slots: Rc<Vec<Value>>,
    draws: u32,
    stage: usize,
}

impl Machine {
    /// The loop at whose head the machine is: its code and its instructions.
    pub fn innermost_loop(&self, code: &Code) -> Option<(CodeId, Range<usize>)> {
        let frame = self.frames.last()?;
        Some((frame.code, code.loop_at(frame.code, frame.pc.saturating_sub(1))))
    }

    /// Whether a machine that is at the head of a loop has made turns of it since `arrived`, which was there, too: the two differ in nothing but
    /// what the loop assigns. Otherwise the loop has been left in the meantime, and reached again.
    pub fn has_turned_since(&self, code: &Code, arrived: &Machine) -> bool {
        let Some((function, instructions)) = self.innermost_loop(code) else { return false };
        let (Some((mine, callers)), Some((theirs, their_callers))) =
            (self.frames.split_last(), arrived.frames.split_last())
        else {
            return false;
        };
        let assigned = code.assigned(function, instructions);
        let locals = mine.locals.iter().zip(&theirs.locals).enumerate();
        mine.code == theirs.code
            && mine.pc == theirs.pc
            && callers == their_callers
            && self.are_same(&self.stack, &arrived.stack)
            && locals.into_iter().all(|(local, (a, b))| assigned.contains(&local) || self.is_same(a, b))
    }

    /// Whether two values are known to be the same.
    pub fn is_same(&self, a: &Value, b: &Value) -> bool {
        a == b || self.known.same(a, b) == Some(true)
    }

    /// Whether two lists of values are known to be the same.
    pub fn are_same(&self, a: &[Value], b: &[Value]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.is_same(a, b))
    }

    /// Whether the machine is at the head of a loop that makes calls of the layer below.
    pub fn is_at_loop_of_calls(&self, code: &Code) -> bool {
        self.innermost_loop(code).is_some_and(|(function, instructions)| code.makes_calls(function, instructions))
    }

    /// Whether the machine is inside a step, rather than in a procedure or in a predicate.
    pub fn is_in_step(&self, code: &Code) -> bool {
        self.frames.iter().any(|it| code.is_step(it.code))
    }

    /// Whether a run that is at the head of a loop for so many turns has been just here before: then it never ends.
    pub fn comes_back(&mut self, many: u32) -> bool {
        if self.turns < many {
            return false;
        }
        let here = Landmark {
            frames: self.frames.clone(),
            stack: self.stack.clone(),
            state: self.state.clone(),
            known: self.known.clone(),
            chosen: self.chosen.clone(),
            events: self.events.clone(),
            slots: self.slots.clone(),
            draws: self.draws,
            stage: self.stage,
        };
        match &self.landmark {
            Some(landmark) => **landmark == here,
            None => {
                self.landmark = Some(Rc::new(here));
                false
            }
        }
    }

    /// A machine with nothing to run.
    pub fn new(known: Knowledge, quantifier: Quantifier) -> Machine {
        Machine {
            frames: Vec::new(),
            stack: Vec::new(),
            state: Value::Unit,
            known,
            chosen: Rc::default(),
            invented: Rc::default(),
            assumed: BTreeSet::new(),
            made_up_few: None,
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
            landmark: None,
            tale: None,
        }
    }

    /// Records an event of the run, if the record is kept.
    pub fn tell(&mut self, told: impl FnOnce(&Machine) -> Told) {
        if let Some(before) = self.tale.clone() {
            let telling = Telling { told: told(self), events: self.events.clone(), before };
            self.tale = Some(Some(Rc::new(telling)));
        }
    }

    /// Enters a function with these arguments.
    pub fn call(&mut self, code: &Code, function: CodeId, arguments: Vec<Value>) {
        self.enter(code, function, arguments, Then::Push);
    }

    /// Performs a step of the layer below: enters its `step` function with the state, the process and the arguments.
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

    pub fn set(&mut self, slot: usize, value: Value) {
        Rc::make_mut(&mut self.slots)[slot] = value;
    }

    /// Adds a slot with a value.
    pub fn push_slot(&mut self, value: Value) {
        Rc::make_mut(&mut self.slots).push(value);
    }

    /// Pushes a value on the stack.
    pub fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Continues with a result for `maybe()`.
    pub fn answer(&mut self, world: &World, yes: bool) {
        self.note(world, Chosen::Maybe(yes));
        self.push(Value::Bool(yes));
    }

    /// Records the choice of the last instruction.
    pub fn note(&mut self, world: &World, chosen: Chosen) {
        if let Some(site) = self.site(world) {
            self.tell(|_| Told::Chose(site, chosen.clone()));
            self.trail = Some(Rc::new(Taken { site, chosen, before: self.trail.take() }));
        }
    }

    /// Whether hints decide the choice of the last instruction, even if only because they are used up.
    pub fn is_guided(&self, world: &World) -> bool {
        matches!((&self.hints, self.site(world)), (Some(hints), Some(site)) if hints.know(site))
    }

    /// The hint for the instruction run last.
    pub fn hint(&mut self, world: &World) -> Option<Chosen> {
        let site = self.site(world)?;
        self.hints.as_mut()?.next(site)
    }

    /// The place of the last instruction.
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
}
