//! The exploring machine: runs [`Code`] until it is done, has to choose, or has to read something unknown.
//!
//! A machine is a value: copying it forks the run. It never chooses, and it does not know the purpose of the run; both are up to
//! [`search`](super::search). An instruction that stops because of a [`Need`] leaves the machine unchanged, so that it can be
//! run again once the need is met.
//!
//! This file holds the machine and its interface. The submodules: `step` executes instructions; `places` handles components of values; further
//! modules hold the primitives for numbers, strings and collections. On a lower level, `look` reads a value as far as needed, `maps` finds
//! entries, and `equal` compares. `forget` makes states at the head of a loop comparable.

mod collections;
mod equal;
mod forget;
mod look;
mod maps;
mod numbers;
mod places;
mod prim;
mod step;
mod strings;

use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// Runs that were followed to an end that an obligation is about: they are over, or failed.
    pub ends: u64,
    /// What is known in the case that was told of last, with nothing left open of what was told: from it, it can be made again.
    pub told: Option<Knowledge>,
}

impl World<'_> {
    /// Takes fuel for a copy of so many characters or elements. Short ones cost nothing beyond the instruction; long ones more and more, so
    /// that what code makes of a few instructions fits in memory.
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
    /// A branch was taken.
    Took(Site),
    /// The step is not allowed by the rules of its layer, and does nothing.
    BrokeRule,
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
    /// The run is none of those that count, by this assumption.
    AssumedAway(Assumption),
    /// What it would look at is beyond this bound.
    Beyond(String),
    /// Integers have to be concrete: start again.
    NumbersNeeded,
    /// Reached code that was diagnosed.
    Unsupported(Site),
    /// A function calls itself without end.
    TooDeep(Site),
    /// [`World::fuel`] is used up.
    OutOfFuel,
}

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
    /// What it relies on: it went on where code would have panicked otherwise.
    pub assumed: BTreeSet<Assumption>,
    /// It has made up an integer of this type, all of whose integers may be in use.
    pub made_up_few: Option<IntType>,
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
}
