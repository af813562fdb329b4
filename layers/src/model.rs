//! Running what chooses: enumerate all outcomes of a closure, or drive one run by a script or a seed.
//!
//! ```
//! use cspec::model::{Domain, Outcome, outcomes};
//! use cspec::prelude::*;
//!
//! let all = outcomes(&Domain::default(), || {
//!     let heads = maybe();
//!     when(heads || maybe());
//!     heads
//! });
//! assert_eq!(all.iter().filter_map(Outcome::value).collect::<Vec<_>>(), [&false, &true]);
//! ```
//!
//! A layer is a [`Model`](crate::Model) that performs its operations, by itself or below a procedure; [`Explorer`] lists the
//! outcomes of one operation.
//!
//! ```
//! use cspec::model::{Domain, Explorer, Outcome, outcomes};
//! use cspec::prelude::*;
//! use cspec::Model;
//!
//! #[state]
//! pub struct Ticket {
//!     pub next: u64,
//! }
//!
//! #[layer]
//! impl Tickets for Ticket {
//!     #[op]
//!     fn draw(&mut self, me: Pid) -> u64 {
//!         when(self.next < 3);
//!         self.next += 1;
//!         self.next
//!     }
//! }
//!
//! // One operation: its result, and the state after it.
//! let mut explorer = Explorer::<dyn Tickets>::new(Domain::default());
//! let steps = explorer.steps(&Ticket { next: 0 }, Pid(0), &__Tickets::draw(()));
//! assert_eq!(steps, [Outcome::done((1, Ticket { next: 1 }))]);
//!
//! // A procedure over the model.
//! fn draw_two(lo: &mut impl Tickets) -> (u64, u64) {
//!     (lo.draw(), lo.draw())
//! }
//! let all = outcomes(&Domain::default(), || {
//!     let mut model = Model::<dyn Tickets>::new(Ticket { next: any() }, Pid(0));
//!     draw_two(&mut model)
//! });
//! assert_eq!(all, [Outcome::done((1, 2)), Outcome::done((2, 3))]);
//! ```
//!
//! A closure is run many times: it must start afresh each time and depend on nothing but the choices. This module knows layers
//! only as the traits of [`crate::layer`](crate::Layer); it interleaves nothing, that is for its callers.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use crate::choice::any;
use crate::tape::{self, Driver};
use crate::{Layer, Operation, Pid, Spec, Value, when};

mod replay;

pub use replay::{Calls, Replay, others};

/// The values that `any()` ranges over, and the limits of a run.
///
/// `Domain { pids: 3, ..Domain::default() }.list::<Message>([…])`.
#[derive(Clone, Debug)]
pub struct Domain {
    /// The number of processes: `Pid(0)` and so on. 2 by default.
    pub pids: u64,
    /// The integers, for every integer type that can hold them. 0 and 1 by default.
    pub integers: Vec<i128>,
    /// The strings. `""` and `"a"` by default.
    pub strings: Vec<String>,
    /// The maximum number of entries of an arbitrary map or set. 2 by default.
    pub entries: usize,
    /// The maximum length of an arbitrary sequence. 2 by default.
    pub length: usize,
    /// The limits at which an enumeration gives up.
    pub limits: Limits,
    /// The values of single types; see [`Domain::list`].
    pub lists: Lists,
}

/// Limits of an enumeration. A run that exceeds one panics and names it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum number of choices in one run.
    pub choices: usize,
    /// The maximum number of runs in one enumeration.
    pub runs: usize,
    /// The maximum number of states that one `repeat` may reach.
    pub states: usize,
}

/// The values listed for single types.
#[derive(Clone, Default)]
pub struct Lists(BTreeMap<TypeId, Rc<dyn Any>>);

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lists({} types)", self.0.len())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { choices: 1_000, runs: 1_000_000, states: 100_000 }
    }
}

impl Default for Domain {
    fn default() -> Self {
        Domain {
            pids: 2,
            integers: vec![0, 1],
            strings: vec![String::new(), "a".to_owned()],
            entries: 2,
            length: 2,
            limits: Limits::default(),
            lists: Lists::default(),
        }
    }
}

impl Domain {
    /// `any::<T>()` ranges over these values, wherever a `T` is chosen.
    #[must_use]
    pub fn list<T: Value>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<T> = values.into_iter().collect();
        self.lists.0.insert(TypeId::of::<T>(), Rc::new(values));
        self
    }

    pub(crate) fn listed<T: Value>(&self) -> Option<Rc<Vec<T>>> {
        let values = self.lists.0.get(&TypeId::of::<T>())?.clone();
        // Only `list` inserts, and it inserts a `Vec<T>` for `T`.
        values.downcast().ok()
    }
}

/// An event of the trace. Values are kept as printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// An event of `emit(value)`.
    Emitted {
        /// The emitted value, as printed.
        value: String,
    },
    /// A call of an external operation.
    Call {
        /// The process that called.
        process: Pid,
        /// The name of the operation.
        operation: &'static str,
        /// The call with its arguments.
        call: String,
        /// The value that the call returned, as printed.
        result: String,
    },
}

/// The end of a run. A run that a guard excludes has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome<T> {
    /// The closure ended and returned a value.
    Done {
        /// The value that it returned.
        value: T,
        /// The events that it added to the trace.
        events: Vec<Event>,
    },
    /// An `assert!` failed, arithmetic overflowed, or some other panic happened.
    Failed {
        /// The message of the panic.
        message: String,
    },
}

impl<T> Outcome<T> {
    /// An outcome that returned without events.
    pub fn done(value: T) -> Self {
        Outcome::Done { value, events: Vec::new() }
    }

    /// The value that the closure returned, if it did.
    pub fn value(&self) -> Option<&T> {
        match self {
            Outcome::Done { value, .. } => Some(value),
            Outcome::Failed { .. } => None,
        }
    }

    /// The same outcome with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Outcome::Done { value, events } => Outcome::Done { value: change(value), events },
            Outcome::Failed { message } => Outcome::Failed { message },
        }
    }

    /// The same outcome, with these events in front.
    fn after(self, earlier: &[Event]) -> Self {
        match self {
            Outcome::Done { value, events } => Outcome::Done { value, events: [earlier, &events].concat() },
            failed @ Outcome::Failed { .. } => failed,
        }
    }

    /// The events, if the run returned.
    pub fn events(&self) -> &[Event] {
        match self {
            Outcome::Done { events, .. } => events,
            Outcome::Failed { .. } => &[],
        }
    }

    /// Whether the run failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Outcome::Failed { .. })
    }
}

/// All outcomes of `body`, each once and in order. If there are none, `body` is disabled.
///
/// # Panics
///
/// When a limit of the domain is met, or when `body` makes different choices when it is run again.
pub fn outcomes<T: Ord>(domain: &Domain, body: impl FnMut() -> T) -> Vec<Outcome<T>> {
    outcomes_in(&Rc::new(domain.clone()), body)
}

fn outcomes_in<T: Ord>(domain: &Rc<Domain>, mut body: impl FnMut() -> T) -> Vec<Outcome<T>> {
    let mut found = BTreeSet::new();
    tape::enumerate(domain.clone(), &mut body, &mut |outcome| {
        found.insert(outcome);
    });
    found.into_iter().collect()
}

/// The source of the choices of a single run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choices {
    /// These alternatives, counted from 0; after the last, always the first alternative.
    Script(Vec<usize>),
    /// Pseudo-random choices: the same for the same seed, on every machine.
    Random {
        /// The seed of the generator.
        seed: u64,
    },
}

/// The result of a single run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<T> {
    /// The outcome; `None` if a guard excluded the run.
    pub outcome: Option<Outcome<T>>,
    /// The choices of the run: as a script, they reproduce it.
    pub tape: Vec<usize>,
}

/// Runs `body` once.
///
/// # Panics
///
/// When a script picks an alternative that does not exist, or when a limit of the domain is met.
pub fn run<T>(domain: &Domain, choices: Choices, mut body: impl FnMut() -> T) -> Run<T> {
    let driver = match choices {
        Choices::Script(numbers) => Driver::Script(numbers.into()),
        Choices::Random { seed } => Driver::Random(seed),
    };
    let (outcome, tape) = tape::run_once(Rc::new(domain.clone()), driver, &mut body);
    Run { outcome, tape }
}

/// All values of a type in the domain.
pub fn values<T: Value>(domain: &Domain) -> Vec<T> {
    outcomes(domain, any::<T>).into_iter().filter_map(|outcome| outcome.value().cloned()).collect()
}

/// Outcomes shared by several callers.
pub type Outcomes<T> = Rc<[Outcome<T>]>;

/// Lists the steps of a layer, one operation at a time. The effect of the background on a state is computed once and kept.
///
/// `Explorer::<dyn Tso>::new(domain)`.
pub struct Explorer<L: Layer + ?Sized> {
    domain: Rc<Domain>,
    settled: BTreeMap<L::State, Outcomes<L::State>>,
}

impl<L: Layer + ?Sized> Explorer<L> {
    /// Creates an explorer for a domain.
    pub fn new(domain: Domain) -> Self {
        Explorer { domain: Rc::new(domain), settled: BTreeMap::new() }
    }

    /// The states the layer may start in.
    pub fn initial(&self) -> Vec<L::State> {
        let start = || {
            let state = any::<L::State>();
            when(L::is_initial(&state) && L::holds(&state));
            state
        };
        outcomes_in(&self.domain, start).into_iter().filter_map(|outcome| outcome.value().cloned()).collect()
    }

    /// The states that the background may reach from `state`, including `state` itself; none if an invariant is broken.
    pub fn background(&mut self, state: &L::State) -> Outcomes<L::State> {
        if let Some(known) = self.settled.get(state) {
            return known.clone();
        }
        let settle = || {
            when(L::holds(state));
            let mut state = state.clone();
            L::background(&mut state);
            when(L::holds(&state));
            state
        };
        let settled: Outcomes<_> = outcomes_in(&self.domain, settle).into();
        self.settled.insert(state.clone(), settled.clone());
        settled
    }

    /// All outcomes of one operation by `me`: its result and the state after it. The background may run before and after.
    pub fn steps<O: Operation>(&mut self, state: &L::State, me: Pid, op: &O) -> Vec<Outcome<(O::Output, L::State)>>
    where
        L: Spec<O, L::State>,
    {
        let domain = self.domain.clone();
        let before = self.background(state);
        let middle = then(&before, |state| {
            outcomes_in(&domain, || {
                let mut state = state.clone();
                (L::step(&mut state, me, op.clone()), state)
            })
        });
        then(&middle, |(result, state)| {
            let after = self.background(state);
            after.iter().map(|outcome| outcome.clone().map(|state| (result.clone(), state))).collect()
        })
    }
}

/// Continues from every outcome that returned; each outcome once and in order.
fn then<A, B: Ord>(first: &[Outcome<A>], mut next: impl FnMut(&A) -> Vec<Outcome<B>>) -> Vec<Outcome<B>> {
    let mut found = BTreeSet::new();
    for outcome in first {
        match outcome {
            Outcome::Done { value, events } => {
                found.extend(next(value).into_iter().map(|outcome| outcome.after(events)));
            }
            Outcome::Failed { message } => {
                found.insert(Outcome::Failed { message: message.clone() });
            }
        }
    }
    found.into_iter().collect()
}
